"""How much a place changes from frame to frame. No network."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_SQUARES = (np.arange(256, dtype=np.float32) / 255.0) ** 2
"""Squared change of a level, by its difference in levels."""


def window_means(values: NDArray[np.float32], window: int, stride: int) -> NDArray[np.float32]:
    """Mean of every window of a map. Where the steps do not reach the far edge, a last window lies against it.

    Args:
        values: (H, W), or (H, W, n): n maps.
        window: side of a window in pixels; a map that is smaller has windows of its own smaller side.
        stride: step from one window to the next.

    Returns:
        (1 + ceil((H - window) / stride), 1 + ceil((W - window) / stride)) float32, and n maps of these.
    """
    height, width = values.shape[:2]
    if window == stride and values.ndim == 2 and not (height % window or width % window):
        # squares side by side that fill the map: OpenCV's shrinking takes their means several times as fast
        shrunk = cv2.resize(values, (width // window, height // window), interpolation=cv2.INTER_AREA)
        return np.asarray(shrunk, np.float32)
    tall, wide = min(window, height), min(window, width)
    sums = cv2.integral(values, sdepth=cv2.CV_64F)
    rows, columns = (np.append(np.arange(0, last, stride), last) for last in (height - tall, width - wide))
    upper, lower = sums[rows], sums[rows + tall]
    box = lower[:, columns + wide] - upper[:, columns + wide] - lower[:, columns] + upper[:, columns]
    return np.asarray(box / (tall * wide), np.float32)


def motion(
    previous: NDArray[np.uint8], current: NDArray[np.uint8], *, window: int = 16, stride: int = 8
) -> NDArray[np.float32]:
    """Mean squared change of every window between two pictures, 0..1 (pictures mapped to [0, 1]). Higher is odder.

    Args:
        previous, current: (H, W, C) uint8.

    Returns:
        The map of window means; `oddest` of it is the component `motion`.
    """
    squares = np.asarray(cv2.LUT(cv2.absdiff(previous, current), _SQUARES), np.float32).reshape(current.shape)
    # of one channel there is no mean to take, which would cost as much as all the rest
    return window_means(squares.mean(axis=2) if current.shape[2] > 1 else squares[:, :, 0], window, stride)


def oddest(values: NDArray[np.float32], share: float) -> float:
    """Mean over the given share of places with the largest values, at least one of them: (h, w) → a number."""
    count = max(1, round(share * values.size))
    return float(np.partition(values, values.size - count, axis=None)[-count:].mean())
