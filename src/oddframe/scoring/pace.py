"""How long a frame lasts, and where frames are missing: by the clock, never by the header's frame rate."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.video.source import not_decoded

FPS_WHERE_UNKNOWN = 25.0

_STEPS = 9
"""The median of so many steps is how long a frame lasts: one late or doubled stamp does not change it."""

_JUMP_S, _JUMP_STEPS = 1.0, 5
"""A step is a jump of the clock where it is longer than both: so many seconds, and so many of the usual steps. A
camera that gives one picture in ten seconds has no jumps, and one that drops a few frames has none."""

_NAMED = 5
"""Holes that a note names; it counts the others."""


class Pace:
    """Follows the times of one video's frames, in microseconds: sums of whole numbers do not depend on their order.

    Args:
        fps: of a video without times; 25 where that is unknown, too.
    """

    def __init__(self, fps: float | None = None) -> None:
        self._rate = fps or FPS_WHERE_UNKNOWN
        self._steps: deque[int] = deque(maxlen=_STEPS)
        self._last_us: int | None = None

    def at(self, frame: int, time_s: float | None) -> int:
        """The time of a frame, in microseconds; by the rate where it has none."""
        return round(1e6 * (frame / self._rate if time_s is None else time_s))

    def take(self, at_us: int, *, broken: bool = False) -> int:
        """Take the next frame's time; return how long it counts: the median of the last steps, in microseconds.

        Args:
            broken: frames are missing before it, so that the step to it says nothing.
        """
        if self._last_us is not None and not broken:
            self._steps.append(max(0, at_us - self._last_us))
        self._last_us = at_us
        return max(1, sorted(self._steps)[len(self._steps) // 2]) if self._steps else round(1e6 / self._rate)

    def jump_s(self, at_us: int) -> float:
        """By how many seconds the clock jumps from the last frame to this one, ahead or back; 0 where it goes on."""
        if self._last_us is None:
            return 0.0
        step = at_us - self._last_us
        usual = sorted(self._steps)[len(self._steps) // 2] if self._steps else None
        ahead = usual is not None and step > max(_JUMP_S * 1e6, _JUMP_STEPS * usual)
        return step / 1e6 if ahead or step < 0 else 0.0


def durations(
    times_us: Sequence[int] | NDArray[np.int64], broken: NDArray[np.bool_] | None = None, fps: float | None = None
) -> NDArray[np.int64]:
    """(N,) how long each frame of a video counts, as `Pace.take` says one after another, in microseconds.

    Args:
        times_us: (N,). broken: (N,) whether frames are missing before each; nowhere without it. fps: as of `Pace`.
    """
    times = np.asarray(times_us, np.int64)
    follows = np.ones(len(times), bool) if broken is None else ~broken
    follows[:1] = False
    steps = np.maximum(np.diff(times, prepend=times[:1])[follows], 0)
    first = [round(1e6 / (fps or FPS_WHERE_UNKNOWN))]
    if len(steps) and steps.min() == steps.max():  # an even pace, as most video has
        return np.where(np.cumsum(follows) > 0, max(1, int(steps[0])), first[0])
    first += [max(1, sorted(steps[:many].tolist())[many // 2]) for many in range(1, min(_STEPS, len(steps) + 1))]
    of_so_many = np.array(first, np.int64)
    if len(steps) >= _STEPS:
        windows = np.lib.stride_tricks.sliding_window_view(steps, _STEPS)
        usual = np.partition(windows, _STEPS // 2, axis=1)[:, _STEPS // 2]
        of_so_many = np.concatenate([of_so_many, np.maximum(usual, 1)])
    return np.asarray(of_so_many[np.cumsum(follows)], np.int64)


def seconds_of(times_s: NDArray[np.float64]) -> float:
    """How long the frames of a stretch last together; the first one as long as the second."""
    lasts = durations(np.rint(1e6 * times_s).astype(np.int64))
    whole = lasts.sum() + lasts[1] - lasts[0] if len(lasts) > 1 else lasts.sum()
    return int(whole) / 1e6


class Continuity:
    """Says of each frame of a video whether it follows the one before: its number is the next one, and the clock does
    not jump."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._frame: int | None = None
        self._timed = False
        self._seen = self._lost = self._jumps = 0
        self._missing: list[str] = []
        self._jumped: list[str] = []

    def follows(self, frame: int, time_s: float | None) -> bool:
        """Take the next frame; False where frames are missing before it."""
        before, self._frame = self._frame, frame
        at_us, timed = self._pace.at(frame, time_s), self._timed and time_s is not None
        self._timed = time_s is not None
        self._seen += 1
        missing = before is not None and frame != before + 1
        jump_s = self._pace.jump_s(at_us) if timed and not missing else 0.0
        self._pace.take(at_us, broken=missing or jump_s != 0)
        if missing and before is not None and frame > before:
            self._lost += frame - before - 1
            self._name(self._missing, f"{before + 1}" + (f"-{frame - 1}" if frame > before + 2 else ""))
        elif missing or jump_s:
            self._jumps += 1
            self._name(self._jumped, f"by {jump_s:+.1f} s before frame {frame}" if jump_s else f"back to frame {frame}")
        return not missing and not jump_s

    def notes(self) -> list[str]:
        """What a reader must know of what is missing, in sentences."""
        notes = []
        if self._missing:
            lost = not_decoded(self._lost, self._seen + self._lost, ", ".join(self._missing))
            they = "it has no score" if self._lost == 1 else "they have no scores"
            notes.append(f"{lost}: {they}, and no event goes on across {'it' if self._lost == 1 else 'them'}")
        if self._jumped:
            more = f" and {self._jumps - _NAMED} times more" if self._jumps > _NAMED else ""
            notes.append(f"the clock jumps {', '.join(self._jumped)}{more}: no event goes on across that")
        return notes

    @staticmethod
    def _name(named: list[str], hole: str) -> None:
        if len(named) < _NAMED:
            named.append(hole)
        elif len(named) == _NAMED:
            named.append("...")
