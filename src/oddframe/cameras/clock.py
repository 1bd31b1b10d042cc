"""The clock of a camera: seconds that rise from picture to picture, whatever the stamps do.

Between two pictures the stamps are believed, since they are even where a network is not. Where they jump, stand still
or run backwards there is a gap, and it goes on by the time of arrival; a camera whose stamps are never right is read by
the time of arrival alone. The clock follows that time slowly, since no two clocks run alike.
"""

from __future__ import annotations

from dataclasses import dataclass

_FOLLOW = 0.005
"""Share of what this clock is off by that each picture makes up for."""
_MOST_BENT = 0.1
"""Share of a step by which it is made longer or shorter for that: less than anything that moves is uneven."""
_DISTRUST_AFTER = 5
"""Wrong stamps in a row after which they are passed over."""
_LEAST_STEP_S = 1e-3
_SMALLEST_STAMP_S = 1e-4
"""Stamps that are nearer than this stand still."""
_FIRST_STEP_S = 0.04
_KNOWN_AFTER = 3
"""Even steps after which a camera's rate is told: of the first picture nobody knows it."""


@dataclass(frozen=True)
class Moment:
    """When a picture was taken. `gap`: what came before is not what was seen right before it."""

    time_s: float
    gap: bool


class StreamClock:
    """Turns stamps of pictures, in order of display, into seconds that rise.

    Args:
        gap_s: a longer step is a gap.
        follows: the time of arrival is when pictures were taken; else only stamps count, as for a file that is read
            faster than it was taken.
        start_s: where it begins.

    Attributes:
        time_s: of the last picture. usual_s: seconds from one picture to the next, usually.

    >>> clock = StreamClock(2.0)
    >>> [clock.next(stamp, arrived).time_s for stamp, arrived in [(90.0, 5.0), (90.04, 5.04), (90.08, 5.08)]]
    [5.0, 5.04, 5.08]
    """

    def __init__(self, gap_s: float, *, follows: bool = True, start_s: float = 0.0) -> None:
        self._gap_s, self.follows = gap_s, follows
        self.time_s, self._arrived_s = start_s, start_s
        self._stamp_s: float | None = None
        self.usual_s, self._steps = _FIRST_STEP_S, 0
        self._wrong, self._anew = 0, True

    @property
    def fps(self) -> float | None:
        """Pictures a second, usually; None where too few have come to tell."""
        return 1 / self.usual_s if self._steps >= _KNOWN_AFTER else None

    def begin_anew(self) -> None:
        """The next picture comes after a gap: the camera was opened again, or pictures were lost."""
        self._anew, self._wrong, self._stamp_s = True, 0, None

    def next(self, stamp_s: float | None, arrived_s: float) -> Moment:
        """The moment of the next picture.

        Args:
            stamp_s: its own stamp; None where it has none. arrived_s: when it came, on a clock that rises.
        """
        waited_s = arrived_s - self._arrived_s
        step_s = None if stamp_s is None or self._stamp_s is None else stamp_s - self._stamp_s
        self._stamp_s, self._arrived_s = stamp_s, arrived_s
        if self._anew:
            self._anew = False
            return self._set(arrived_s, gap=True)
        if step_s is None or self._wrong >= _DISTRUST_AFTER:
            return self._set(arrived_s, gap=waited_s > self._gap_s)
        if not _SMALLEST_STAMP_S <= step_s <= self._gap_s:
            self._wrong += 1
            return self._set(arrived_s, gap=True)
        self._wrong = 0
        self.usual_s += (0.1 if self._steps else 1.0) * (step_s - self.usual_s)
        self._steps += 1
        off_s = arrived_s - self.time_s - step_s if self.follows else 0.0
        bent_s = max(-_MOST_BENT * step_s, min(_MOST_BENT * step_s, _FOLLOW * off_s))
        self.time_s += step_s + bent_s
        return Moment(self.time_s, False)

    def behind_s(self, stamp_s: float | None, arrived_s: float) -> float:
        """By how much a picture comes later than its stamp wants it; 0 where that cannot be told."""
        if self._anew or not self.follows or stamp_s is None or self._stamp_s is None:
            return 0.0
        return arrived_s - (self.time_s + stamp_s - self._stamp_s)

    def _set(self, arrived_s: float, *, gap: bool) -> Moment:
        if self.follows:
            self.time_s = max(arrived_s, self.time_s + (self.usual_s if gap else _LEAST_STEP_S))
        else:
            self.time_s += self.usual_s
        return Moment(self.time_s, gap)
