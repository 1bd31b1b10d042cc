"""Scores become events: hysteresis, a least length, merging, a cool-down. `line.py` draws the line.

All lengths are seconds of the video's clock. A video without times counts as one of 25 frames a second.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.pace import Pace
from oddframe.scoring.scores import AlarmLine, Box, Event
from oddframe.settings import ScoreSettings

HYSTERESIS = 0.8
"""An event goes on while the score stays above this share of the line."""

SLACK_US = 5_000
"""Stamps are rounded to milliseconds in many files: six frames of 33 ms are 0.2 s."""


@dataclass(frozen=True)
class AlarmRule:
    """Lengths in seconds.

    Attributes:
        shortest_s: the odd frames of an event last so long together.
        merge_s: the longest pause between two odd stretches that are one event.
        cool_down_s: so long after the end of an event no other is raised. What is over before that counts as a repeat
            of the event before; what still lasts then is an event of its own.
    """

    shortest_s: float
    merge_s: float
    cool_down_s: float = 0.0

    @classmethod
    def of(cls, settings: ScoreSettings) -> Self:
        """The rule that settings ask for."""
        return cls(settings.shortest_event_s, settings.merge_gap_s, settings.cool_down_s)

    @property
    def shortest_us(self) -> int:
        """What the odd frames of an event last at least, in microseconds, with some slack for rounded stamps."""
        return max(1, round(1e6 * self.shortest_s) - SLACK_US)

    @property
    def merge_us(self) -> int:
        """The longest pause, in microseconds, with the same slack."""
        return round(1e6 * self.merge_s) + SLACK_US


@dataclass
class _Run:
    start: int
    start_s: float | None
    last: int
    last_s: float | None
    last_us: int
    peak: int
    peak_s: float | None
    score: float
    box: Box | None
    odd_us: int
    """How long its odd frames last together."""
    step_us: int
    """How long its last frame lasts."""
    end_s: float | None = None
    """Time of the frame after the last odd one, once it has come."""

    def event(self) -> Event:
        end_s = self.end_s
        if end_s is None and self.last_s is not None:  # nothing comes after it: its last frame lasts as long as others
            end_s = self.last_s + self.step_us / 1e6
        return Event(self.start, self.last + 1, self.peak, self.score, self.start_s, end_s, self.peak_s, self.box)


class EventTracker:
    """Follows one video's scores, frame by frame, and gives events as they are over.

    An event is over when the score has been below the line's `off` for longer than the merging gap, and where frames
    are missing. With a cool-down, it is given when that has passed. Who does not want to wait so long looks at
    `lasting` and `cooling` after each frame.

    Args:
        fps: of a video whose frames have no times.
    """

    def __init__(self, line: AlarmLine, rule: AlarmRule, fps: float | None = None) -> None:
        self._line, self._rule = line, rule
        self._pace = Pace(fps)
        self._frame: int | None = None
        self._at_us = 0
        self._run: _Run | None = None
        self._inside = False
        self._cooling: Event | None = None
        self._cool_us = 0

    @property
    def alarm(self) -> bool:
        """Whether the latest frame belongs to an event that is long enough to be one."""
        return self._inside and self.lasting is not None

    @property
    def lasting(self) -> Event | None:
        """The event that goes on, as if its last odd frame were the last of all; None where none does.

        It is there from when it is long enough, and has outlasted the cool-down before it, until it is over.
        """
        run = self._run
        silent = run is None or run.odd_us < self._rule.shortest_us or self._is_repeat(run)
        return None if run is None or silent else run.event()

    @property
    def quiet(self) -> bool:
        """Whether nothing odd goes on, be it an event yet or not."""
        return self._run is None

    @property
    def cooling(self) -> Event | None:
        """The event that is over, and is given when its cool-down has passed; its `repeats` so far."""
        return self._cooling

    def update(
        self, frame: int, time_s: float | None, score: float, box: Box | None = None, *, anew: bool | None = None
    ) -> Event | None:
        """Take the next frame's score; return the event that is over now, if one is.

        Args:
            anew: whether a gap lies before it; None where the numbers of frames tell.
        """
        at_us = self._at_us = self._pace.at(frame, time_s)
        broken = self._breaks(frame, anew)
        self._frame = frame
        lasts_us = self._pace.take(at_us, broken=broken)
        over = self._close() if broken else None
        run = self._run
        self._inside = score >= (self._line.off if self._inside else self._line.on)
        if run is None and self._inside:
            self._run = _Run(frame, time_s, frame, time_s, at_us, frame, time_s, score, box, lasts_us, lasts_us)
        elif run is not None and self._inside:
            run.last, run.last_s, run.last_us, run.step_us, run.end_s = frame, time_s, at_us, lasts_us, None
            run.odd_us += lasts_us
            if score > run.score:
                run.peak, run.peak_s, run.score, run.box = frame, time_s, score, box
        elif run is not None:
            if run.end_s is None:
                run.end_s = time_s
            if at_us - run.last_us > self._rule.merge_us:
                over = self._close()
        return over or self._cooled()

    def wants_box(self, frame: int, score: float, *, anew: bool | None = None) -> bool:
        """Whether a box of the next frame, with this score, would be kept: it is the highest of its event so far."""
        return score >= self._line.on and (self._run is None or self._breaks(frame, anew) or score > self._run.score)

    def interrupt(self) -> Event | None:
        """End what goes on, as the next frame would if some are missing before it; return the event that is over now.

        For a camera that has gone away, so that nobody waits for its next frame.
        """
        return self._close()

    def finish(self) -> Event | None:
        """End what is going on, as at the video's end; return the last event, if there is one."""
        over = self._close()
        cooling, self._cooling = self._cooling, None
        return over or cooling

    def _breaks(self, frame: int, anew: bool | None) -> bool:
        """Whether frames are missing before this one."""
        if self._frame is None:
            return False
        return frame != self._frame + 1 if anew is None else anew

    def _close(self) -> Event | None:
        """End what is going on; return the event if it is one and nothing has to be waited for."""
        run, self._run, self._inside = self._run, None, False
        if run is None or run.odd_us < self._rule.shortest_us:
            return None
        if self._cooling is not None and self._is_repeat(run):
            self._cooling = replace(self._cooling, repeats=self._cooling.repeats + 1)
            return None
        before, self._cooling = self._cooling, None
        if not self._rule.cool_down_s:
            return run.event()
        self._cooling, self._cool_us = run.event(), run.last_us + round(1e6 * self._rule.cool_down_s)
        return before

    def _is_repeat(self, run: _Run) -> bool:
        """Whether it would be a repeat of the event before, if it were over."""
        return self._cooling is not None and run.last_us <= self._cool_us

    def _cooled(self) -> Event | None:
        """The event whose cool-down has passed, unless what goes on may yet turn out to be its repeat."""
        waiting = self._run is not None and self._is_repeat(self._run)
        if self._cooling is None or self._at_us <= self._cool_us or waiting:
            return None
        cooled, self._cooling = self._cooling, None
        return cooled


def events(
    frames: Sequence[int],
    scores: NDArray[np.floating],
    line: AlarmLine,
    rule: AlarmRule,
    times_s: Sequence[float] | NDArray[np.float64] | None = None,
    fps: float | None = None,
    begins: NDArray[np.bool_] | None = None,
) -> Iterator[Event]:
    """All events of one video, without boxes; `fps` is that of a video without times, `begins` as of `Scores`."""
    tracker = EventTracker(line, rule, fps)
    for place, (frame, score) in enumerate(zip(frames, scores, strict=True)):
        time_s = None if times_s is None else float(times_s[place])
        anew = None if begins is None else bool(begins[place])
        if (event := tracker.update(int(frame), time_s, float(score), anew=anew)) is not None:
            yield event
    if (event := tracker.finish()) is not None:
        yield event
