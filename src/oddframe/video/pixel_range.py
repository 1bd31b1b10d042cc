"""Pictures of more than 8 bits a value: which of their values become black and which white.

A thermal camera writes 14 bits of which a scene fills a hundredth. Shifted down to 8 bits, two grey levels are left of
it. So the values that normal video has are looked up once, and stretched over all grey levels with room on both sides
for what is colder, hotter, darker or brighter than anything normal. A run keeps this range, so that a value looks the
same to it for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import SettingsError

HIGHEST = 65535

_SHARE = 0.001
"""Share of a frame's values that may lie outside on either side: dead pixels."""

_FRAMES_SHARE = 0.02
"""Share of frames whose lowest and highest values may be outliers: torn frames, a closed shutter."""

_ROOM = 0.5
"""Room on each side, in spans of what normal video has. An anomaly may be hotter than anything normal."""

_LEAST_SPAN = 64
"""Noise of a still scene alone is not stretched over all grey levels."""


@dataclass(frozen=True)
class PixelRange:
    """Values of 16-bit pictures that become 0 and 255; what lies outside is cut.

    >>> PixelRange(100, 355).to_eight(np.array([[0, 100, 110, 355, 9000]], np.uint16)).tolist()
    [[0, 0, 10, 255, 255]]

    Raises:
        SettingsError: not two numbers from 0 to 65535, the smaller first.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= HIGHEST:
            raise SettingsError(
                "this is no range of pixel values",
                seen=f"{self.low} to {self.high}",
                wanted=f"two numbers from 0 to {HIGHEST}, the smaller first",
            )

    def to_eight(self, pixels: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Turn values of any shape into grey levels of the same shape."""
        return np.asarray(_table(self)[pixels], np.uint8)

    def __str__(self) -> str:
        return f"{self.low} (black) to {self.high} (white)"


@lru_cache(maxsize=8)
def _table(of: PixelRange) -> NDArray[np.uint8]:
    levels = (np.arange(HIGHEST + 1) - of.low) * (255 / (of.high - of.low))
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)


def range_of(frames: Iterable[NDArray[Any]]) -> PixelRange | None:
    """Find the range for pictures like these, with room on both sides; None without a picture.

    Args:
        frames: uint16 pictures of any shape.
    """
    lows, highs = [], []
    for pixels in frames:
        below = np.cumsum(np.bincount(pixels.ravel(), minlength=HIGHEST + 1))
        lows.append(int(np.searchsorted(below, below[-1] * _SHARE, side="right")))
        highs.append(int(np.searchsorted(below, below[-1] * (1 - _SHARE))))
    if not lows:
        return None
    low = float(np.quantile(lows, _FRAMES_SHARE, method="higher"))
    high = float(np.quantile(highs, 1 - _FRAMES_SHARE, method="lower"))
    lacking = max(0.0, _LEAST_SPAN - (high - low)) / 2  # also where few frames leave high below low
    low, high = low - lacking, high + lacking
    room = _ROOM * (high - low)
    return PixelRange(max(0, int(low - room)), min(HIGHEST, int(np.ceil(high + room))))
