"""An alarm of a camera becomes an event: new, updated while it lasts, ended. It keeps its id from the first word on.

Where events begin and end is the business of `scoring/alarms.py`: those of a stream are those of the same file.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from oddframe.records import Record
from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.scores import AlarmLine, Box, Event

ChangeKind = Literal["new", "update", "end", "repeat"]
"""What happened to an event. A repeat comes after its end: something crossed the line again in its cool-down."""

EndedBy = Literal["calm", "gap", "length", "profile", "line", "changed", "removed", "stop", "crash"]
"""Why an event ended: it was over; frames were missing; it reached the greatest length; the profile or the line was
changed; the camera or its detector was; the camera was removed; it was stopped; the engine died."""


class CameraEvent(Record):
    """What is known of an event so far.

    Attributes:
        id: unique; ids sort by when events began.
        camera, profile: their names; profile "" is the only one. fitting: number of the calibration in the store.
        started_at, peak_at, ended_at: UTC. Their distances are those of the stream's clock, so that a clock that is set
            back in the middle does no harm. `ended_at` is None while it lasts.
        start_s, peak_s, end_s: seconds of the stream's clock; while it lasts, `end_s` is how far it has come.
        start_frame, peak_frame, end_frame: [start, end) in numbers of frames.
        score: the highest, -log10 of the share of normal frames that are as odd; see `once_in`.
        line: at which it began. box: the oddest place of the peak, pixels of the source.
        picture: (height, width) of the source. repeats: see `scoring.scores.Event`.
        continues: id of the event that was ended because of its length and goes on in this one.
    """

    id: str
    camera: str
    profile: str
    started_at: AwareDatetime
    peak_at: AwareDatetime
    ended_at: AwareDatetime | None
    start_s: float
    peak_s: float
    end_s: float
    start_frame: int
    peak_frame: int
    end_frame: int
    score: float
    line: float
    box: Box | None = None
    picture: tuple[int, int] | None = None
    repeats: int = 0
    continues: str | None = None
    ended_by: EndedBy | None = None
    fitting: int | None = None

    @property
    def lasts(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None

    @property
    def once_in(self) -> str:
        """How rare its peak is, in words."""
        return once_in(self.score)


class Change(Record):
    """One step in the life of an event.

    Attributes:
        kind: what happened. number: 0 for the first step of an event, then up by one.
        at: UTC of the frame that brought it. event: as it is after it.
    """

    kind: ChangeKind
    number: int
    at: AwareDatetime
    event: CameraEvent

    @property
    def key(self) -> str:
        """Unique among all changes: who gets one twice knows it by this."""
        return f"{self.event.id}.{self.number}"


@dataclass(frozen=True)
class Telling:
    """How often is told of an event that lasts, in seconds.

    Attributes:
        greatest_s: a longer event is ended, and what goes on is a new one that `continues` it.
        update_s: an update comes at most so often, when the peak has risen.
        alive_s: or after so long without a word.
    """

    greatest_s: float = 600.0
    update_s: float = 10.0
    alive_s: float = 60.0


def event_id(at: datetime) -> str:
    """An id (UUID, version 7) that sorts by its time, to the millisecond, and is unique.

    >>> from datetime import UTC
    >>> event_id(datetime(2026, 11, 30, tzinfo=UTC))[:15]
    '01a229c0-5400-7'
    """
    milliseconds = max(0, round(at.timestamp() * 1000)) & (2**48 - 1)
    number = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=number))


def once_in(score: float, fps: float | None = None) -> str:
    """How rare a score is, in words, to two digits.

    Args:
        score: -log10 of the share of normal frames that are at least as odd.
        fps: of the detector, to say it as time.

    >>> once_in(3.32), once_in(0.0), once_in(6, fps=10)
    ('once in 2,100 frames', 'in every frame', 'once in 28 h')
    """
    frames = 10.0 ** min(max(score, 0.0), 300.0)
    if frames < 1.5:
        return "in every frame"
    if fps is None:
        return f"once in {_rounded(frames)} frames"
    seconds = frames / fps
    for name, length in (("years", 31_557_600.0), ("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"once in {_rounded(seconds / length)} {name}"
    return f"once in {_rounded(seconds)} s"


def _rounded(value: float) -> str:
    value = float(f"{value:.2g}")
    return f"{value:,.0f}" if value < 1e9 else f"{value:.0e}".replace("e+0", "e+")


@dataclass
class _Open:
    """An event that lasts, as far as it has been told."""

    id: str
    started_at: datetime
    whole: int
    """First frame of what the tracker follows; of a continuation, that of the event which it continues."""
    now: Event
    number: int
    told_s: float
    told_score: float
    continues: str | None = None

    @property
    def continued(self) -> bool:
        return self.now.start != self.whole


class EventFollower:
    """Follows the scores of one camera, and says at every frame what has happened to its events.

    It holds a few numbers: after a crash a new one is as good once some frames have come.

    Args:
        camera: its name. line, rule: of the detector, for this profile. profile: "" for the only one.
        telling: how often. fps: of the detector.
        picture, fitting: what events say of both; whoever changes them sets the attribute.
        new_id: makes an id of the time at which an event began.

    >>> from datetime import UTC
    >>> follower = EventFollower("gate", AlarmLine(3.0, 2.4, None, 1.0), AlarmRule(0.2, 1.0))
    >>> for number in range(40):
    ...     at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number / 10)
    ...     for change in follower.take(number, number / 10, at, 4.0 if 10 <= number < 20 else 0.0):
    ...         print(change.kind, number, change.event.start_s)
    new 11 1.0
    end 30 1.0
    """

    def __init__(
        self,
        camera: str,
        line: AlarmLine,
        rule: AlarmRule,
        *,
        profile: str = "",
        telling: Telling | None = None,
        fps: float | None = None,
        picture: tuple[int, int] | None = None,
        fitting: int | None = None,
        new_id: Callable[[datetime], str] = event_id,
    ) -> None:
        self.camera, self.profile, self.line = camera, profile, line
        self.picture, self.fitting = picture, fitting
        self._rule, self._telling, self._fps, self._new_id = rule, telling or Telling(), fps, new_id
        self._tracker = EventTracker(line, rule, fps)
        self._frame: int | None = None
        self._at: datetime | None = None
        self._time_s = 0.0
        self._open: _Open | None = None
        self._ended: tuple[_Open, CameraEvent] | None = None
        """What the last event was, for its repeats."""

    @property
    def alarm(self) -> bool:
        """Whether the latest frame belongs to an event."""
        return self._tracker.alarm

    @property
    def open(self) -> CameraEvent | None:
        """The event that lasts."""
        return None if self._open is None else self._event(self._open)

    def wants_box(self, frame: int, time_s: float, score: float) -> bool:
        """Whether a box of the next frame, with this number, time and score, would be kept."""
        if self._open is not None and frame - 1 == self._frame:
            if self._too_long(self._open, time_s):
                return score >= self.line.off
            if self._open.continued:
                return score >= self.line.off and score > self._open.now.score
        return self._tracker.wants_box(frame, score)

    def take(self, frame: int, time_s: float, at: datetime, score: float, box: Box | None = None) -> list[Change]:
        """Take the next frame's score; return what happened to events, in order.

        Args:
            frame: its number; where it is not the next one, frames are missing and no event goes on across that.
            time_s: on the stream's clock. at: when it was taken, UTC. score: higher is odder.
            box: of its oddest place; needed where `wants_box`.
        """
        broken = self._frame is not None and frame != self._frame + 1
        self._frame, self._at, self._time_s = frame, at, time_s
        over = self._tracker.update(frame, time_s, score, box)
        changes = self._over(over, "gap" if broken else "calm")
        lasting = self._tracker.lasting
        if lasting is None:
            return changes
        odd = lasting.end == frame + 1
        here = Event(frame, frame + 1, frame, score, time_s, lasting.end_s, time_s, box)
        if self._open is None:
            return [*changes, self._begin(lasting, lasting.start, None)]
        if odd and self._too_long(self._open, time_s):
            before, whole = self._open, self._open.whole
            if before.now.end == frame:
                before.now = replace(before.now, end_s=time_s)
            changes.append(self._end(before, "length"))
            return [*changes, self._begin(here, whole, before.id)]
        return changes + self._go_on(self._open, lasting, here if odd else None)

    def interrupt(self, ended_by: EndedBy = "gap") -> list[Change]:
        """End what lasts, as the next frame would if some were missing before it; for a camera that went away."""
        return self._over(self._tracker.interrupt(), ended_by)

    def rename(self, camera: str) -> None:
        """Go on under another name of the camera; an event that lasts is of it."""
        self.camera = camera
        if self._ended is not None:
            before, told = self._ended
            self._ended = before, told.changed(camera=camera)

    def change(self, line: AlarmLine, profile: str | None = None) -> list[Change]:
        """Go on with another line, or another profile and its line; what lasts is ended."""
        changed = profile is not None and profile != self.profile
        changes = self.interrupt("profile" if changed else "line")
        self.line, self.profile = line, self.profile if profile is None else profile
        self._tracker = EventTracker(line, self._rule, self._fps)
        self._ended = None
        return changes

    def _over(self, over: Event | None, ended_by: EndedBy) -> list[Change]:
        """The end of the event that lasted, if it does no more, and repeats of one that is over."""
        changes, lasting, opened = [], self._tracker.lasting, self._open
        given = [event for event in (over, self._tracker.cooling) if event is not None]
        if opened is not None and (lasting is None or lasting.start != opened.whole):
            whole = next(event for event in given if event.start == opened.whole)
            opened.now = replace(opened.now, end=whole.end, end_s=whole.end_s) if opened.continued else whole
            changes.append(self._end(opened, ended_by))
        if self._ended is not None:
            before, told = self._ended
            repeats = max((event.repeats for event in given if event.start == before.whole), default=0)
            if repeats > told.repeats:
                before.number += 1
                self._ended = before, told.changed(repeats=repeats)
                changes.append(Change(kind="repeat", number=before.number, at=self._now(), event=self._ended[1]))
        return changes

    def _begin(self, event: Event, whole: int, continues: str | None) -> Change:
        started_at = self._now() - timedelta(seconds=self._time_s - _known(event.start_s))
        self._open = _Open(self._new_id(started_at), started_at, whole, event, 0, self._time_s, event.score, continues)
        return Change(kind="new", number=0, at=self._now(), event=self._event(self._open))

    def _go_on(self, opened: _Open, lasting: Event, here: Event | None) -> list[Change]:
        """Follow the event that lasts; an update, if it is time for one."""
        if not opened.continued:
            opened.now = lasting
        elif here is not None:
            peak = here if here.score > opened.now.score else opened.now
            opened.now = replace(
                peak, start=opened.now.start, start_s=opened.now.start_s, end=lasting.end, end_s=lasting.end_s
            )
        silent_s, risen = self._time_s - opened.told_s, opened.now.score > opened.told_score
        if silent_s < (self._telling.update_s if risen else self._telling.alive_s):
            return []
        opened.number, opened.told_s, opened.told_score = opened.number + 1, self._time_s, opened.now.score
        return [Change(kind="update", number=opened.number, at=self._now(), event=self._event(opened))]

    def _end(self, opened: _Open, ended_by: EndedBy) -> Change:
        opened.number += 1
        event = self._event(opened, ended_by)
        self._open, self._ended = None, (opened, event)
        return Change(kind="end", number=opened.number, at=self._now(), event=event)

    def _event(self, opened: _Open, ended_by: EndedBy | None = None) -> CameraEvent:
        event = opened.now
        start_s, peak_s, end_s = map(_known, (event.start_s, event.peak_s, event.end_s))
        return CameraEvent(
            id=opened.id,
            camera=self.camera,
            profile=self.profile,
            started_at=opened.started_at,
            peak_at=opened.started_at + timedelta(seconds=peak_s - start_s),
            ended_at=None if ended_by is None else opened.started_at + timedelta(seconds=end_s - start_s),
            start_s=start_s,
            peak_s=peak_s,
            end_s=end_s,
            start_frame=event.start,
            peak_frame=event.peak,
            end_frame=event.end,
            score=event.score,
            line=self.line.on,
            box=event.box,
            picture=self.picture,
            repeats=event.repeats,
            continues=opened.continues,
            ended_by=ended_by,
            fitting=self.fitting,
        )

    def _too_long(self, opened: _Open, time_s: float) -> bool:
        return time_s - _known(opened.now.start_s) >= self._telling.greatest_s

    def _now(self) -> datetime:
        assert self._at is not None, "nothing happens before the first frame"
        return self._at


def _known(seconds: float | None) -> float:
    assert seconds is not None, "frames of a camera have times"
    return seconds
