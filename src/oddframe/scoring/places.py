"""What is normal at each place of a fixed camera's picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST_FRAMES = 100
"""Frames of a scene that statistics per place need; with fewer, every place is taken for the same."""

_PRIOR_FRAMES = 100.0
"""Frames that the pooled statistics count for at each place. Neighbouring frames are nearly the same frame, so that
a few hundred of them tell little of one place; unshrunk statistics cost ten points of AUC on 300 frames."""


_NOTHING = 1e-12
"""What lies so far from all places that count gets nothing of them."""


@dataclass(frozen=True)
class PlaceSums:
    """What a `PlaceNormal` is fitted on: sums over maps of normal frames, which can be added and taken away.

    Attributes:
        count: how many maps. total, squares: sum of them and of their squares, as a map; 0 of no maps.
    """

    count: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, maps: Iterable[NDArray[np.float32]]) -> PlaceSums:
        """Sums over maps of one shape."""
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        for values in maps:
            wide = values.astype(np.float64)
            count, total, squares = count + 1, total + wide, squares + wide * wide
        return cls(count, total, squares)

    def __add__(self, other: PlaceSums) -> PlaceSums:
        return PlaceSums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: PlaceSums) -> PlaceSums:
        return PlaceSums(self.count - other.count, self.total - other.total, self.squares - other.squares)


@dataclass(frozen=True)
class PlaceNormal:
    """Mean and spread of a map at each place, shrunk towards the whole picture's.

    A map may have several numbers a place (h, w, n), as of n directions: each is compared with itself alone.

    Attributes:
        mean, spread: as a map, float32, spread > 0.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def fit(cls, maps: Iterable[NDArray[np.float32]]) -> PlaceNormal | None:
        """Fit on the maps of normal frames; None when they are fewer than `LEAST_FRAMES`."""
        return cls.of(PlaceSums.of(maps))

    @classmethod
    def of(cls, sums: PlaceSums, watched: NDArray[np.bool_] | None = None) -> PlaceNormal | None:
        """`fit` by sums over the maps.

        Args:
            watched: (h, w) places that count: the others lend nothing to them, and have no part in the whole picture's.
        """
        count = sums.count
        if count < LEAST_FRAMES:
            return None
        counts = np.ones(sums.total.shape[:2], bool) if watched is None else watched
        mean, square = _blurred(sums.total / count, counts), _blurred(sums.squares / count, counts)
        pooled_mean, pooled_square = mean[counts].mean(axis=0), square[counts].mean(axis=0)
        share = count / (count + _PRIOR_FRAMES)
        mean = share * mean + (1 - share) * pooled_mean
        square = share * square + (1 - share) * pooled_square
        variance = np.maximum(square - mean * mean, 0)
        # A place quieter than the others counts as one of them: it must not make every flicker a sensation, and heat
        # must lie on what is odd rather than on the calm sky beside it.
        spread = np.sqrt(np.maximum(variance, max(float(variance[counts].mean()), 1e-12)))
        return cls(mean.astype(np.float32), spread.astype(np.float32))

    def standardise(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Deviations from each place's mean, in units of its spread."""
        return (values - self.mean) / self.spread


def _blurred(values: NDArray[np.float64], counts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Lend each place something of its neighbours that count: what happens beside it could have happened there."""
    sigma = max(values.shape[:2]) / 24

    def blur(given: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(given, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float64)

    if counts.all():
        return blur(values)
    share = counts.astype(np.float64)
    weights = np.maximum(blur(share), _NOTHING)
    if values.ndim == 3:
        share, weights = share[:, :, None], weights[:, :, None]
    return blur(values * share) / weights
