"""Remembers the frames of a camera's events while they come, and writes them in a thread of its own.

An event is told of when it has lasted for a while, and lessons want the frames before that, too: so some frames are
held at any time. They are turned into what is kept only once something is odd: no calm frame costs anything.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from oddframe.errors import OddframeError
from oddframe.records import as_json
from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.calibration import SceneNormal
from oddframe.scoring.rounded import Levels, rounded
from oddframe.scoring.scores import AlarmLine, Raw
from oddframe.scoring.session import Fusing
from oddframe.site.events import Change, event_id
from oddframe.site.remembered import SILENCED, Remembered, SilencedRecord, all_remembered, folder_of

_LOG = logging.getLogger(__name__)

MOST_FRAMES = 600
"""Frames of an event that are kept. Of a longer one every second is, or every fourth, and so on."""

_MOST_WAITING = 20


@dataclass(frozen=True)
class Shown:
    """What a camera's frames are judged by now.

    Attributes:
        profile: of the camera. scene: as which it is judged. normal: of that scene. line: where alarms begin.
        calibration: a digest of the calibration, without what it was taught.
    """

    profile: str
    scene: str
    normal: SceneNormal
    line: AlarmLine
    calibration: str


@dataclass
class _Kept:
    """A frame as it is kept; `raw` has no maps any more."""

    at: datetime
    raw: Raw
    measures: dict[str, float]
    levels: dict[str, Levels]


@dataclass
class _Going:
    """What is going on: its frames so far, one of `every` so many, and the ids of its events."""

    shown: Shown
    began_at: datetime
    frames: list[_Kept]
    every: int = 1
    skipped: int = 0
    events: list[str] = field(default_factory=list)
    lessons: set[int] = field(default_factory=set)
    score: float = 0.0


class Remembering:
    """Follows one camera, as if nobody had taught it anything.

    Args:
        number: of the camera in the store. scribe: writes what is remembered. rule: what makes an event.
        shown: by what its frames are judged. fps: of frames without times.
    """

    def __init__(self, number: int, scribe: Scribe, rule: AlarmRule, shown: Shown, fps: float | None = None) -> None:
        self._number, self._scribe, self._shown, self._fps = number, scribe, shown, fps
        self._rule = replace(rule, cool_down_s=0.0)  # what comes in the cool-down is a repeat, and is remembered
        self._before: deque[tuple[datetime, Raw]] = deque(maxlen=shown.normal.fused.smoothing + 2)
        self._going: _Going | None = None
        self._begin(shown)

    def change(self, shown: Shown) -> None:
        """Judge by something else from now on; what goes on is over."""
        self.interrupt()
        self._begin(shown)

    def go_on(self, shown: Shown) -> None:
        """Judge by the same line and the same rarities as before, of another calibration; what goes on goes on."""
        self._shown = shown

    def take(self, at: datetime, raw: Raw, changes: Sequence[Change]) -> None:
        """Take the next judged frame, and what it meant for events."""
        untaught = raw.untaught or raw
        if raw.anew and not untaught.anew:
            untaught = replace(untaught, anew=True)
        if untaught.anew:
            self.interrupt()
        online = self._fusing.take(untaught)[1]
        over = self._tracker.update(untaught.frame, untaught.time_s, online, anew=untaught.anew)
        if self._going is None and online >= self._shown.line.on:
            self._going = _Going(self._shown, at, [self._kept(*one) for one in self._before])
        going = self._going
        if going is None:
            self._before.append((at, untaught))
            return
        going.skipped += 1
        if going.skipped >= going.every:
            going.skipped = 0
            going.frames.append(self._kept(at, untaught))
        if len(going.frames) > MOST_FRAMES:
            going.frames, going.every = going.frames[::2], 2 * going.every
        going.lessons.update(raw.taught_by)
        going.score = max(going.score, online)
        going.events += [one.event.id for one in changes if one.kind == "new"]
        self._before.append((at, untaught))
        if self._tracker.quiet:
            self._end(over is not None)

    def interrupt(self) -> None:
        """Frames are missing: what goes on is over."""
        over = self._tracker.interrupt()
        if self._going is not None:
            self._end(over is not None)
        self._before.clear()

    def _begin(self, shown: Shown) -> None:
        self._shown = shown
        self._fusing = Fusing(shown.normal)
        self._tracker = EventTracker(shown.line, self._rule, self._fps)
        self._before.clear()

    def _kept(self, at: datetime, raw: Raw) -> _Kept:
        measures, levels = self._shown.normal.components.measures(raw), rounded(raw.maps)
        return _Kept(at, replace(raw, maps={}, watched={}), measures, levels)

    def _end(self, was_event: bool) -> None:
        """Write what went on: under the id of each of its events, or of one that lessons silenced."""
        going, self._going = self._going, None
        if going is None or not (going.events or was_event):
            return
        silenced = not going.events
        for event in going.events or [event_id(going.began_at)]:
            told = SilencedRecord(event=event, at=going.began_at, score=going.score, lessons=tuple(going.lessons))
            self._scribe.write(self._number, _remembered(going, event, silenced=silenced), told if silenced else None)


class Scribe:
    """Writes what is remembered, from `start` to `stop`, and forgets what is oldest where a camera has too much.

    Args:
        home: the folder. most_bytes: of each camera. room: whether there is room on the disk.

    Attributes:
        skipped: what was given up since too much waited, the disk was full, or it could not be written.
    """

    def __init__(self, home: Path, most_bytes: int, room: Callable[[], bool] = lambda: True) -> None:
        self.home, self.most_bytes, self._room = home, most_bytes, room
        self.skipped = 0
        self._waiting: SimpleQueue[tuple[int, Remembered, SilencedRecord | None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="remembering", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, within_s: float = 4.0) -> None:
        """Write what waits, as far as that takes no longer."""
        self._waiting.put(None)
        self._thread.join(within_s)

    def write(self, camera: int, remembered: Remembered, silenced: SilencedRecord | None = None) -> None:
        """Have something written; returns at once. silenced: of an event that lessons have silenced."""
        if self._waiting.qsize() >= _MOST_WAITING:
            self.skipped += 1
            return
        self._waiting.put((camera, remembered, silenced))

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            if not self._room():
                self.skipped += 1
                continue
            camera, remembered, silenced = job
            try:
                folder = folder_of(self.home, camera)
                folder.mkdir(parents=True, exist_ok=True)
                remembered.save(folder / f"{remembered.event}.npz")
                if silenced is not None:
                    with (folder / SILENCED).open("a", encoding="utf-8") as file:
                        file.write(as_json(silenced) + "\n")
                self._tidy(camera)
            except (OSError, OddframeError) as error:
                self.skipped += 1
                words = error.in_one_line() if isinstance(error, OddframeError) else str(error)
                _LOG.warning("an event is not remembered: %s", words)

    def _tidy(self, camera: int) -> None:
        files = [(path, path.stat().st_size) for path in all_remembered(self.home, camera)]
        over = sum(size for _, size in files) - self.most_bytes
        for path, size in files[:-1]:
            if over <= 0:
                return
            path.unlink(missing_ok=True)
            over -= size


def _remembered(going: _Going, event: str, *, silenced: bool) -> Remembered:
    frames, shown = going.frames, going.shown
    raws = [one.raw for one in frames]
    return Remembered(
        event,
        silenced,
        shown.profile,
        shown.scene,
        shown.calibration,
        shown.line.on,
        going.began_at,
        going.every,
        np.array([round(1e6 * one.at.timestamp()) for one in frames], np.int64),
        np.array([raw.frame for raw in raws], np.int64),
        np.array([raw.time_s or 0.0 for raw in raws], np.float64),
        np.array([raw.anew for raw in raws], bool),
        {name: np.array([raw.values[name] for raw in raws], np.float64) for name in raws[0].values},
        {name: np.array([one.measures[name] for one in frames], np.float64) for name in frames[0].measures},
        {name: np.stack([one.levels[name] for one in frames]) for name in frames[0].levels},
    )
