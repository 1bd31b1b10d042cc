"""Maps of a frame in eight bits: what is remembered of it, and what lessons look at.

Whatever a lesson changes is computed from rounded maps, live as in a preview. So a preview, which has nothing else, is
exactly what will be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.components import LEAST_VALUE, LEAST_VALUES

Levels = NDArray[np.uint8]
"""A map in steps of a logarithmic scale."""

MOST_VALUE = 1000.0
"""What is more counts as this much: a squared speed of 32 pixels a frame, in pictures of 240 rows."""

STEP = math.log(MOST_VALUE / LEAST_VALUE) / 255
"""One level, in natural logarithms: 7 %. Places of normal video differ by some ten of them."""

_LEAST = math.log(LEAST_VALUE)
_VALUES = np.exp(_LEAST + STEP * np.arange(256)).astype(np.float32)


def rounded(maps: Mapping[str, NDArray[np.float32]]) -> dict[str, Levels]:
    """Local component → its map in levels, downwards: nothing is odder than it was.

    >>> rounded({"motion": np.float32([[0, 1e-5, 1, 1e9]])})["motion"].tolist()
    [[0, 0, 159, 255]]
    """
    found = {}
    for name, values in maps.items():
        least = LEAST_VALUES.get(name, LEAST_VALUE)
        above = np.searchsorted(_VALUES, np.maximum(values, np.float32(least)), side="right")
        found[name] = np.maximum(above - 1, 0).astype(np.uint8)
    return found


def restored(levels: Levels) -> NDArray[np.float32]:
    """The map of these levels, at most 7 % less than it was."""
    return np.asarray(_VALUES[levels], np.float32)
