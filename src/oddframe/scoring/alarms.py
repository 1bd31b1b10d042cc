"""Scores become events: hysteresis, a least length, merging. `line.py` draws the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.scores import AlarmLine, Box, Event

HYSTERESIS = 0.8
"""An event goes on while the score stays above this share of the line."""

SHORTEST_S = 0.2
MERGE_S = 1.0
_FPS_WHERE_UNKNOWN = 25.0


@dataclass(frozen=True)
class AlarmRule:
    """Lengths in frames: the shortest event, and the gap across which two become one."""

    shortest: int
    merge: int

    @classmethod
    def for_rate(cls, fps: float | None) -> AlarmRule:
        """The rule for a video of so many frames a second (25 where that is unknown)."""
        rate = fps or _FPS_WHERE_UNKNOWN
        return cls(max(1, round(SHORTEST_S * rate)), max(1, round(MERGE_S * rate)))


@dataclass
class _Run:
    start: int
    start_s: float | None
    last: int
    last_s: float | None
    peak: int
    peak_s: float | None
    score: float
    box: Box | None
    step_s: float | None
    """From the frame before the last odd one to that one."""
    end_s: float | None = None
    """Time of the frame after the last odd one, once it has come."""

    def event(self) -> Event:
        end_s = self.end_s
        if end_s is None and self.last_s is not None:  # the video's last frame is odd: it is shown as long as others
            end_s = self.last_s + (self.step_s or 0.0)
        return Event(self.start, self.last + 1, self.peak, self.score, self.start_s, end_s, self.peak_s, self.box)


class EventTracker:
    """Follows one video's scores, frame by frame, and yields events as they are over.

    An event is over when the score has been below the line's `off` for longer than the merging gap.
    """

    def __init__(self, line: AlarmLine, rule: AlarmRule) -> None:
        self._line, self._rule = line, rule
        self._run: _Run | None = None
        self._frames_in = 0
        self._latest_s: float | None = None

    @property
    def alarm(self) -> bool:
        """Whether the latest frame belongs to an event that is long enough to be one."""
        return self._run is not None and self._frames_in >= self._rule.shortest and self._inside

    _inside = False

    def update(self, frame: int, time_s: float | None, score: float, box: Box | None = None) -> Event | None:
        """Take the next frame's score; return the event that has just ended, if one has."""
        run, before_s, self._latest_s = self._run, self._latest_s, time_s
        step_s = None if time_s is None or before_s is None else time_s - before_s
        if run is None:
            if score < self._line.on:
                self._inside = False
                return None
            self._run = _Run(frame, time_s, frame, time_s, frame, time_s, score, box, step_s)
            self._frames_in, self._inside = 1, True
            return None
        self._inside = score >= (self._line.off if self._inside else self._line.on)
        if self._inside:
            run.last, run.last_s, run.step_s, run.end_s = frame, time_s, step_s, None
            self._frames_in += 1
            if score > run.score:
                run.peak, run.peak_s, run.score, run.box = frame, time_s, score, box
            return None
        if run.end_s is None:
            run.end_s = time_s
        if frame - run.last > self._rule.merge:
            return self.finish()
        return None

    def wants_box(self, score: float) -> bool:
        """Whether a box of a frame with this score would be kept: it is the highest of its event so far."""
        return score >= self._line.on and (self._run is None or score > self._run.score)

    def finish(self) -> Event | None:
        """End what is going on, as at the video's end."""
        run, long_enough = self._run, self._frames_in >= self._rule.shortest
        self._run, self._frames_in, self._inside = None, 0, False
        return run.event() if run is not None and long_enough else None


def events(frames: Sequence[int], scores: NDArray[np.floating], line: AlarmLine, rule: AlarmRule) -> Iterator[Event]:
    """All events of one stretch of video, without times and boxes."""
    tracker = EventTracker(line, rule)
    for frame, score in zip(frames, scores, strict=True):
        if (event := tracker.update(int(frame), None, float(score))) is not None:
            yield event
    if (event := tracker.finish()) is not None:
        yield event
