"""What is looked at to tell how a camera is: a few numbers of a picture, some times a second."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

SMALL = (144, 192)
"""(height, width) of the picture in which structure and shifts are looked for."""
_SAMPLED = (240, 320)
"""About so many rows and columns are compared pixel by pixel."""
_BLACK, _SPAN = 16, 219
"""Luma of most streams goes from 16 to 235."""


@dataclass(frozen=True)
class Look:
    """One picture, as far as health goes.

    Attributes:
        time_s: on the camera's clock. small: `SMALL` uint8 grey, 0 to 255, averaged.
        sample: some rows and columns of the luma, uint8, not averaged: what is exactly the same is the same here.
        key: no other picture was needed for it. infrared: it has no colour.
    """

    time_s: float
    small: NDArray[np.uint8] = field(repr=False)
    sample: NDArray[np.uint8] = field(repr=False)
    key: bool = True
    infrared: bool = False


def look_at(luma: NDArray[np.uint8], time_s: float, *, full_range: bool, key: bool, infrared: bool) -> Look:
    """Look at a picture.

    Args:
        luma: (H, W). full_range: it goes from 0 to 255, not from 16 to 235.
    """
    height, width = luma.shape
    sample = luma[:: max(1, height // _SAMPLED[0]), :: max(1, width // _SAMPLED[1])].copy()
    small = cv2.resize(np.ascontiguousarray(luma), SMALL[::-1], interpolation=cv2.INTER_AREA)
    if not full_range:
        small = np.clip((small.astype(np.float32) - _BLACK) * (255 / _SPAN), 0, 255)
    return Look(time_s, np.asarray(small, np.uint8), sample, key, infrared)
