"""Since when a picture is the same.

A camera whose sensor hangs goes on sending: the same picture, with a clock in a corner that goes on, and a little
different at each key frame as the encoder has it. A scene in which nothing moves looks much the same, if there is no
noise in its picture. What tells them apart is what is usual: how long a camera has stood still before and moved again
by itself, in a part of its picture only, is learned, and stillness has to last much longer than that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddframe.cameras.watching.look import Look

_BLOCKS = 16
_BAND = 2
"""Rows of blocks at the top and the bottom in which cameras write their clock."""
_CLOCK_BLOCKS = 14
"""A clock covers no more blocks than this: five of a hundred."""
_BLOCK_SHARE = 0.01
"""Share of a block's pixels that differ where the block does."""
_LOCAL_SHARE = 0.3
"""A still scene goes on with something that moves; a camera that hung goes on everywhere, with its noise."""
_TIMES_USUAL = 3.0
_TIMES_AT_FIRST = 3.0
"""Where nothing has ever moved, it has to be still for so many times as long."""
_LONGEST_USUAL_S = 600.0
_FORGET_S = 3600.0


class Stillness:
    """How long the picture has been the same, and how long is long for this camera.

    Args:
        level: pixels that differ by no more are the same. frozen_s: how long is long where nothing else is known.
    """

    def __init__(self, level: int, frozen_s: float) -> None:
        self._level, self._frozen_s = level, frozen_s
        self._all, self._keys = _Run(level), _Run(level)
        self._usual_s, self._learned_s = 0.0, 0.0
        self._has_moved = False

    def still_s(self, look: Look) -> float:
        """For how many seconds the picture has been the same, up to this look."""
        ended = self._all.step(look)
        if ended is not None:
            lasted_s, share = ended
            self._has_moved = True
            if share <= _LOCAL_SHARE and lasted_s > self._usual_s:
                self._usual_s, self._learned_s = min(lasted_s, _LONGEST_USUAL_S), look.time_s
        if look.time_s - self._learned_s > _FORGET_S:
            self._usual_s, self._learned_s = self._usual_s / 2, look.time_s
        if look.key:
            self._keys.step(look)
        keys_s = self._keys.lasts_s(look.time_s) if self._keys.count >= _Run.ENOUGH else 0.0
        return max(self._all.lasts_s(look.time_s), keys_s)

    @property
    def limit_s(self) -> float:
        """How long the picture has to be the same before it counts as frozen."""
        least_s = self._frozen_s if self._has_moved else self._frozen_s * _TIMES_AT_FIRST
        return max(least_s, _TIMES_USUAL * self._usual_s)

    def begin_anew(self) -> None:
        """The camera was opened again: what is the same from here on is another stretch."""
        self._all, self._keys = _Run(self._level), _Run(self._level)


class _Run:
    """A stretch of pictures that are the same as its first one, but for a clock."""

    ENOUGH = 3

    def __init__(self, level: int) -> None:
        self._level = level
        self._first: Look | None = None
        self._changed: NDArray[np.bool_] = np.zeros((_BLOCKS, _BLOCKS), bool)
        self.count = 0

    def step(self, look: Look) -> tuple[float, float] | None:
        """Take a look; where a stretch ends with it, return its seconds and the share of the picture that changed."""
        first, self.count = self._first, self.count + 1
        if first is not None and first.sample.shape == look.sample.shape:
            changed = _changed_blocks(first.sample, look.sample, self._level)
            seen = self._changed | changed
            if not changed.any() or _is_a_clock(seen):
                self._changed = seen
                return None
            share = float(changed.mean())
        else:
            share = 1.0
        ended = None if first is None else (look.time_s - first.time_s, share)
        self._first, self.count = look, 1
        self._changed = np.zeros_like(self._changed)
        return ended

    def lasts_s(self, time_s: float) -> float:
        """How long it has lasted."""
        return 0.0 if self._first is None else time_s - self._first.time_s


def _changed_blocks(one: NDArray[np.uint8], other: NDArray[np.uint8], level: int) -> NDArray[np.bool_]:
    """(16, 16) of blocks in which pixels differ."""
    height, width = (side - side % _BLOCKS for side in one.shape)
    if not height or not width:
        return np.full((_BLOCKS, _BLOCKS), bool((one != other).any()))
    low, high = np.minimum(one, other)[:height, :width], np.maximum(one, other)[:height, :width]
    differs = (high - low) > level
    blocks = differs.reshape(_BLOCKS, height // _BLOCKS, _BLOCKS, width // _BLOCKS)
    return np.asarray(blocks.mean(axis=(1, 3)) > _BLOCK_SHARE)


def _is_a_clock(changed: NDArray[np.bool_]) -> bool:
    """Whether nothing but a camera's clock has changed: few blocks, all at the top or the bottom."""
    return int(changed.sum()) <= _CLOCK_BLOCKS and not changed[_BAND:-_BAND].any()
