"""How fast things move from frame to frame: dense optical flow. Nothing is learned."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.video.motion import window_means

CELL = 8
"""Side of the cells over which squared speed is averaged, in the detector's pixels."""

WINDOW = 4
"""Side of the windows of the component `flow`, in cells; the lab page on the floor says how it was chosen."""

_LEAST_SIDE = 16
"""OpenCV's method takes no smaller pictures; these are enlarged for it."""

_NONE_YET: Any = None
"""Flow to begin with; OpenCV takes None, which its types do not know."""

_OWN = threading.local()


def flow(previous: NDArray[np.uint8], current: NDArray[np.uint8], window: int = WINDOW) -> NDArray[np.float32]:
    """Mean squared speed of every window between two pictures, in pixels squared. Higher is odder.

    Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV has it,
    in its medium preset, on whole grey pictures; its squared length is averaged over cells of 8x8 pixels, and these
    over windows of cells.

    Args:
        previous, current: (H, W, C) uint8. window: side of a window in cells; it shrinks to a smaller picture.

    Returns:
        (h, w) float32, a window a cell; the largest of it is the component `flow`.

    >>> still = np.zeros((32, 48, 1), np.uint8)
    >>> flow(still, still).shape, float(flow(still, still).max())
    ((1, 3), 0.0)
    """
    vectors = np.asarray(_method().calc(_grey(previous), _grey(current), _NONE_YET), np.float32)
    squares = np.einsum("hwc,hwc->hw", vectors, vectors)
    return window_means(window_means(squares, CELL, CELL), window, 1)


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = picture[:, :, 0] if picture.shape[2] == 1 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if min(height, width) < _LEAST_SIDE:
        grey = cv2.resize(grey, (max(width, _LEAST_SIDE), max(height, _LEAST_SIDE)))
    return np.ascontiguousarray(grey)


def _method() -> cv2.DISOpticalFlow:
    """One of this thread: it keeps what it works with."""
    found: cv2.DISOpticalFlow | None = getattr(_OWN, "method", None)
    if found is None:
        found = _OWN.method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return found
