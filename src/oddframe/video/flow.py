"""How fast things move from frame to frame, and which way: dense optical flow. Nothing is learned.

The same is seen in the scene whatever the size of the detector's pictures: all of them are brought to 240 rows before
they are compared, and speeds are in pixels of these.
"""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.video.motion import window_means

ROWS = 240
"""Rows of the pictures that are compared. OpenCV's method follows them at half their resolution: in smaller pictures,
compared as they come, people far away would be lost."""

CELL = 8
"""Side of the cells over which squared speed is averaged, in pixels of 240 rows: a thirtieth of the height."""

WINDOW = 4
"""Side of the windows of `flow` and `direction`, in cells; the lab page on the floor says how it was chosen."""

MEASURE = 2
"""Which way of measuring this is, for what is kept on disk: 1 compared pictures as they came, over cells of 8x8 of
their own pixels. At 240 rows both are one."""

DIRECTIONS = 8
"""Into so many directions, evenly spread, movement is taken apart. The first is to the right, the third down."""

_LEAST_SPEED = 0.25
"""What moves less, in pixels of 240 rows from frame to frame, has no direction: noise has any."""

_MOST_ENLARGED = 3
"""Times that a picture is enlarged at most. Pictures of less than 80 rows have nothing that more would show."""

_LEAST_SIDE = 16
"""OpenCV's method takes no smaller pictures; these are enlarged for it."""

_DIAGONAL = np.float32(np.sqrt(0.5))
"""Part of a diagonal along each of its sides."""

_NONE_YET: Any = None
"""Flow to begin with; OpenCV takes None, which its types do not know."""

_OWN = threading.local()


def measured_alike(one: int, other: int, height: int) -> bool:
    """Whether two ways of measuring (`MEASURE`) give the same numbers for pictures of this height."""
    return one == other or height == ROWS


def flow(previous: NDArray[np.uint8], current: NDArray[np.uint8], window: int = WINDOW) -> NDArray[np.float32]:
    """Mean squared speed of every window between two pictures. Higher is odder.

    Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV has it,
    in its medium preset, on whole grey pictures brought to 240 rows; its squared length is averaged over cells of 8x8
    pixels, and these over windows of cells.

    Args:
        previous, current: (H, W, C) uint8. window: side of a window in cells; it shrinks to a smaller picture.

    Returns:
        (h, w) float32, a window a cell, in squared pixels of a picture of 240 rows; the largest of it is the component
        `flow`. Pictures of 80 rows and more have 27 windows from top to bottom.

    >>> still = np.zeros((128, 192, 1), np.uint8)
    >>> flow(still, still).shape, float(flow(still, still).max())
    ((27, 42), 0.0)
    """
    return speeds_of(vectors_between(previous, current), window)


def speeds_of(vectors: NDArray[np.float32], window: int = WINDOW) -> NDArray[np.float32]:
    """`flow` of vectors that are known: (rows, columns, 2) → (h, w) float32."""
    squares = np.einsum("hwc,hwc->hw", vectors, vectors)
    cell = cell_of(len(squares))
    return window_means(window_means(squares, cell, cell), window, 1)


def directions_of(vectors: NDArray[np.float32], window: int = WINDOW) -> NDArray[np.float32]:
    """How much of every window moves along each direction: mean squared speed, of its part along it. Higher is more.

    What moves against a direction, or across it, counts as none; speeds of less than a quarter of a pixel do, too. So
    that someone who walks to the right is seen in the direction to the right in full, and by half in those beside it.

    Args:
        vectors: (rows, columns, 2), see `vectors_between`. window: side of a window in cells.

    Returns:
        (h, w, 8) float32, in squared pixels of a picture of 240 rows.

    >>> right = np.broadcast_to(np.float32([2, 0]), (240, 360, 2))
    >>> directions_of(right)[5, 5].round(3).tolist()
    [4.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]
    """
    cell = cell_of(len(vectors))
    step = 2 - cell % 2  # the method itself has followed every second place, and filled in the others
    right, down = (np.ascontiguousarray(vectors[::step, ::step, axis]) for axis in (0, 1))
    moving = right * right + down * down >= _LEAST_SPEED**2
    right, down = right * moving, down * moving
    half = (right, (right + down) * _DIAGONAL, down, (down - right) * _DIAGONAL)  # the others are their opposites
    along = [np.maximum(one, 0) for one in half] + [np.minimum(one, 0) for one in half]
    cells = [window_means(np.square(one, out=one), cell // step, cell // step) for one in along]
    return window_means(np.dstack(cells), window, 1)


def vectors_between(previous: NDArray[np.uint8], current: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each place moved, to the right and down: (H, W, C) uint8 each → (rows, columns, 2) float32.

    There are 240 rows of places, and columns by the picture's shape; fewer where it is tiny. In pixels of 240 rows.
    """
    before, now = _compared(previous), _compared(current)
    vectors = np.asarray(_method().calc(before, now, _NONE_YET), np.float32)
    return vectors if len(now) == ROWS else vectors * np.float32(ROWS / len(now))


def cell_of(rows: int) -> int:
    """Side of a cell, in places of `vectors_between`: a thirtieth of the rows, at least 1.

    >>> cell_of(240), cell_of(72), cell_of(16)
    (8, 2, 1)
    """
    return max(1, round(CELL * rows / ROWS))


def _compared(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in grey, in the size in which it is compared."""
    grey = picture[:, :, 0] if picture.shape[2] == 1 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    rows = min(ROWS, _MOST_ENLARGED * height)
    size = (max(round(width * rows / height), _LEAST_SIDE), max(rows, _LEAST_SIDE))
    if size != (width, height):
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if rows < height else cv2.INTER_LINEAR)
    return np.ascontiguousarray(grey)


def _method() -> cv2.DISOpticalFlow:
    """One of this thread: it keeps what it works with."""
    found: cv2.DISOpticalFlow | None = getattr(_OWN, "method", None)
    if found is None:
        found = _OWN.method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return found
