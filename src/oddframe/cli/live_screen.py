"""What `oddframe live` shows: a line that says how it is, and what happens, as it happens."""

from __future__ import annotations

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live as LiveText
from rich.text import Text

from oddframe.cameras.state import Health, HealthState
from oddframe.reporting.words import count, duration, line_in_words, shown_score
from oddframe.scoring.scores import AlarmLine
from oddframe.site.events import CameraEvent, Change
from oddframe.site.evidence import HEAT, EvidenceMaker, place_of_evidence
from oddframe.site.live import LiveStatus
from oddframe.site.messages import as_sent, event_message, health_message
from oddframe.site.watch import Watch

_TOLD_EVERY_S = 10.0
_RATE_OVER_S = 3.0
_SITE = "live"


class Screen(ABC):
    """Shows what happens. The engine tells of events and health from its thread, the verb of all else from its own.

    Args:
        name: of the camera. evidence: makes pictures of events; None where none are kept.
    """

    def __init__(self, name: str, evidence: EvidenceMaker | None) -> None:
        self.name, self.evidence = name, evidence
        self.events = 0
        self.highest: CameraEvent | None = None
        self._lock = threading.Lock()
        self._noted: set[str] = set()
        self._judged: deque[tuple[float, int]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:  # noqa: B027 - most have nothing to do
        """Leave the terminal as it was."""

    def happened(self, watch: Watch, changes: Sequence[Change]) -> None:
        """See `Recorder`."""
        if self.evidence is not None:
            self.evidence.happened(watch, changes)
        for change in changes:
            self.events += change.kind == "new"
            if self.highest is None or change.event.score >= self.highest.score:
                self.highest = change.event
            with self._lock:
                self.show_change(change)

    def health_changed(self, watch: Watch, health: Health) -> None:
        """See `Recorder`."""
        with self._lock:
            self.show_health(health)

    def ending(self) -> None:
        """See `Recorder`."""
        if self.evidence is not None:
            self.evidence.stop()

    def at(self, status: LiveStatus, notes: Sequence[str]) -> None:
        """Show how it goes, and each note once."""
        now_s = time.monotonic()
        self._judged.append((now_s, status.judged))
        while now_s - self._judged[0][0] > _RATE_OVER_S:
            self._judged.popleft()
        for note in notes:
            self.note(note)
        with self._lock:
            self.show_status(status)

    def note(self, note: str) -> None:
        """Show a note, once."""
        if note not in self._noted:
            self._noted.add(note)
            with self._lock:
                self.show_note(note)

    @property
    def fps(self) -> float:
        """Frames that were judged, a second, lately."""
        (first_s, first), (last_s, last) = self._judged[0], self._judged[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else 0.0

    def opening(self, masked: str, line: AlarmLine, notes: Sequence[str]) -> None:
        """Say what is watched, and where alarms begin."""
        for note in notes:
            self.note(note)

    def closing(self, status: LiveStatus, lasted_s: float) -> None:  # noqa: B027 - a program has seen it all
        """Say what came of it."""

    @abstractmethod
    def show_change(self, change: Change) -> None: ...

    @abstractmethod
    def show_health(self, health: Health) -> None: ...

    @abstractmethod
    def show_status(self, status: LiveStatus) -> None: ...

    @abstractmethod
    def show_note(self, note: str) -> None: ...


class JsonLines(Screen):
    """One JSON object a line, as sinks get them; notes go to standard error."""

    def show_change(self, change: Change) -> None:
        message = event_message(change, _SITE)
        if message is not None:
            print(as_sent(message), flush=True)

    def show_health(self, health: Health) -> None:
        key = f"health.{health.since.isoformat()}.{health.state}"
        print(as_sent(health_message(_SITE, self.name, health.state, health.reason, health.since, key=key)), flush=True)

    def show_status(self, status: LiveStatus) -> None:
        pass

    def show_note(self, note: str) -> None:
        print(f"note: {note}", file=sys.stderr, flush=True)


class WordsScreen(Screen):
    """What happens, in words."""

    @abstractmethod
    def say(self, words: str, style: str = "") -> None:
        """Print a line that stays."""

    def opening(self, masked: str, line: AlarmLine, notes: Sequence[str]) -> None:
        self.say(f"Watching {masked}. {line_in_words(line)} Ctrl-C ends it.")
        super().opening(masked, line, notes)

    def show_change(self, change: Change) -> None:
        event = change.event
        if change.kind == "new":
            words = f"ALARM  score {shown_score(event.score)}, {event.once_in}{_where(event)}"
            if self.evidence is not None:
                words += f"  {place_of_evidence(self.evidence.folder, event, HEAT)}"
            self.say(f"{_time(event.started_at)}  {words}", "bold red")
        elif change.kind == "end":
            why = "" if event.ended_by == "calm" else f" ({_ENDED[event.ended_by or 'calm']})"
            lasted = duration(event.end_s - event.start_s)
            words = f"over   it lasted {lasted}, highest score {shown_score(event.score)}{why}"
            self.say(f"{_time(change.at)}  {words}")

    _seen = False
    """Whether the camera was online once; else what is wrong with it is said as an error."""

    def show_health(self, health: Health) -> None:
        well = health.state is HealthState.ONLINE
        self._seen = self._seen or well
        if self._seen:
            reason = f": {health.reason}" if health.reason else ""
            self.say(f"{_time(health.since)}  {health.state}{reason}", "" if well else "yellow")

    def show_note(self, note: str) -> None:
        self.say(f"note: {note}", "dim")

    def closing(self, status: LiveStatus, lasted_s: float) -> None:
        words = f"{count(status.judged, 'frame')} judged in {duration(lasted_s)}, {count(self.events, 'event')}"
        if self.highest is not None:
            words += f", the highest score {shown_score(self.highest.score)} at {_time(self.highest.peak_at)}"
        self.say(f"{words}.")
        if status.dropped:
            self.say("Not judged: " + ", ".join(f"{many:,} {why}" for why, many in status.dropped.items()) + ".")
        if self.evidence is not None and self.evidence.skipped:
            self.say("Without pictures: " + ", ".join(f"{n:,} {why}" for why, n in self.evidence.skipped.items()) + ".")

    def line_of(self, status: LiveStatus) -> str:
        """How it is now, in a line."""
        parts = [self.name, str(status.health.state)]
        if status.health.state is HealthState.ONLINE:
            parts.append(f"{self.fps:.1f} fps")
            if status.latest is not None:
                parts.append(f"score {shown_score(status.latest.score)}{'  ALARM' if status.latest.alarm else ''}")
        parts.append(count(self.events, "event"))
        if status.health.state is not HealthState.ONLINE and status.health.reason:
            parts.append(status.health.reason)
        return "  ".join(parts)


class LinesScreen(WordsScreen):
    """For a file or another program: events on standard output; how it goes now and then on standard error."""

    _told_s = -_TOLD_EVERY_S

    def say(self, words: str, style: str = "") -> None:
        print(words, flush=True)

    def show_note(self, note: str) -> None:
        print(f"note: {note}", file=sys.stderr, flush=True)

    def show_status(self, status: LiveStatus) -> None:
        if time.monotonic() - self._told_s >= _TOLD_EVERY_S and status.judged:
            self._told_s = time.monotonic()
            print(self.line_of(status), file=sys.stderr, flush=True)


class TerminalScreen(WordsScreen):
    """For people: what happens scrolls by above a line that says how it is now."""

    def __init__(self, name: str, evidence: EvidenceMaker | None) -> None:
        super().__init__(name, evidence)
        self._console = Console(highlight=False, markup=False, soft_wrap=True)
        self._live = LiveText(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def leave(self) -> None:
        self._live.stop()

    def say(self, words: str, style: str = "") -> None:
        self._console.print(words, style=style)

    def show_status(self, status: LiveStatus) -> None:
        text = Text(self.line_of(status), no_wrap=True, overflow="ellipsis")
        if status.latest is not None and status.latest.alarm:
            text.stylize("bold red")
        self._live.update(text, refresh=True)


_ENDED = {
    "gap": "frames are missing",
    "length": "it goes on as another one",
    "profile": "another profile holds",
    "line": "the line was changed",
    "changed": "the camera was changed",
    "removed": "the camera was removed",
    "stop": "ended here",
    "crash": "the engine died",
}


def _time(at: datetime) -> str:
    """The time of day here."""
    return f"{at.astimezone():%H:%M:%S}"


def _where(event: CameraEvent) -> str:
    box = event.box
    return "" if box is None else f", at {box.x}, {box.y} ({box.width} x {box.height})"
