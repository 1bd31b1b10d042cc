"""Frames by time stamp to a rate: which frames of a stream a detector sees that was trained at so many a second.

Frames are left out and never made: a picture that is shown twice is one in which nothing moves, and what is mixed of
two was never seen by any camera. So a stream that is slower than the rate stays as it is, and `notes` say so.
"""

from __future__ import annotations

from collections import deque

RATE_SLACK = 0.1
"""A rate within this share of another is taken for the same. Frames that are left out make a jerk; that everything is a
tenth faster does not."""

_STEPS = 25
"""The mean of so many steps is how fast a stream is. Of a late stamp and the next one it knows that they make up for
each other, which a median does not."""

_LONGEST = 2
"""A step counts as so many of the usual ones at most: a pause says nothing of the rate."""


class Resampler:
    """Says of each frame of a stream, one after another, whether it is taken.

    What it says of a frame depends on the frames before it alone. Of a stream that is faster than `fps`, the frames are
    taken that are nearest to an even beat, which is counted on from the first frame: so many come out in an hour, not
    about so many. A frame that is no later than the last one taken is left out.

    Args:
        fps: frames a second to come down to, above 0.

    >>> taken = Resampler(10)
    >>> [number for number in range(12) if taken.takes(number / 25)]
    [0, 2, 5, 7, 10]
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._period = 1 / fps
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._seen_s: float | None = None
        self._taken_s = self._due_s = 0.0
        self._seen = self._taken = self._still = 0
        self._usual_s = 0.0

    def takes(self, time_s: float, *, anew: bool = False) -> bool:
        """Whether the next frame is taken.

        Args:
            time_s: its seconds, on any clock. anew: a gap or a jump of the clock lies before it: it is taken, and the
                beat begins with it.
        """
        self._seen += 1
        if self._seen_s is None or anew:
            self._steps.clear()
            self._seen_s = time_s
            return self._take(time_s, time_s)
        self._steps.append(time_s - self._seen_s)
        self._seen_s = time_s
        usual_s = self._usual_s = self._mean_s()
        if time_s <= self._taken_s:
            self._still += 1
            return False
        if usual_s >= (1 - RATE_SLACK) * self._period:
            return self._take(time_s, min(time_s, self._due_s))
        return time_s >= self._due_s - max(usual_s, 0.0) / 2 and self._take(time_s, self._due_s)

    def notes(self) -> list[str]:
        """What a reader must know of the frames so far, in sentences."""
        notes = []
        if self._still:
            notes.append(f"{self._still} frames are no later than the frame before them, and are not judged")
        if (left := self._seen - self._taken - self._still) > 0:
            notes.append(
                f"the video was resampled to the {self.fps:.4g} frames a second that the detector was trained at: "
                f"{left} of {self._seen} frames lie between and are not judged"
            )
        elif self._usual_s * self.fps > 1 + RATE_SLACK:
            notes.append(
                f"the video has {1 / self._usual_s:.3g} frames a second, and the detector was trained at "
                f"{self.fps:.4g}: whatever moves seems {self._usual_s * self.fps:.2g} times as fast"
            )
        return notes

    def _mean_s(self) -> float:
        most = _LONGEST * sorted(self._steps)[len(self._steps) // 2]
        return sum(min(step, most) for step in self._steps) / len(self._steps)

    def _take(self, time_s: float, beat_s: float) -> bool:
        """Take a frame for a beat. It lags behind by one at most: frames that were late are not made up for."""
        self._taken += 1
        self._taken_s, self._due_s = time_s, max(beat_s, time_s - self._period) + self._period
        return True


def same_rate(one: float, other: float) -> bool:
    """Whether two rates are taken for the same: neither is resampled to the other.

    >>> same_rate(25, 23.976), same_rate(25, 30)
    (True, False)
    """
    return min(one, other) >= (1 - RATE_SLACK) * max(one, other)
