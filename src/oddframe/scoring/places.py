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


LEVELS = np.linspace(-4.3, 4.5, 24, dtype=np.float32)
"""Of `direction`, from which on it is counted how often there is so much: logarithms of squared speed, from hardly
anything to ten pixels a frame."""

_NOTHING = 1e-12
"""What lies so far from all places that count gets nothing of them."""


@dataclass(frozen=True)
class PlaceSums:
    """What a `PlaceNormal` is fitted on: sums over maps of normal frames, which can be added and taken away.

    Attributes:
        count: how many maps. total, squares: sum of them and of their squares, as a map; 0 of no maps.
        above: (L, h, w, n) in how many maps a place had so much or more, for each of `LEVELS`; None: nobody counted.
    """

    count: int
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    above: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, maps: Iterable[NDArray[np.float32]], *, counted: bool = False) -> PlaceSums:
        """Sums over maps of one shape.

        Args:
            counted: count, too, how often there is how much; of maps with several numbers a place, (h, w, n).
        """
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        levels = LEVELS[:, None, None, None]
        above = np.zeros(levels.shape, np.int64) if counted else None
        for values in maps:
            wide = values.astype(np.float64)
            count, total, squares = count + 1, total + wide, squares + wide * wide
            if above is not None:
                above = above + (values >= levels)
        return cls(count, total, squares, above)

    def __add__(self, other: PlaceSums) -> PlaceSums:
        above = None if self.above is None or other.above is None else self.above + other.above
        return PlaceSums(self.count + other.count, self.total + other.total, self.squares + other.squares, above)

    def __sub__(self, other: PlaceSums) -> PlaceSums:
        above = None if self.above is None or other.above is None else self.above - other.above
        return PlaceSums(self.count - other.count, self.total - other.total, self.squares - other.squares, above)


@dataclass(frozen=True)
class PlaceNormal:
    """Mean and spread of a map at each place, shrunk towards the whole picture's; and how rare so much is there.

    A map may have several numbers a place (h, w, n), as of n directions: each is compared with itself alone.

    Attributes:
        mean, spread: as a map, float32, spread > 0.
        rarity: (L + 1, h, w, n) float32, 0 and more: below the first of `LEVELS`, from it on, from the next one on ...;
            None where places are compared by mean and spread.
    """

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    rarity: NDArray[np.float32] | None = None

    @classmethod
    def fit(cls, maps: Iterable[NDArray[np.float32]], *, counted: bool = False) -> PlaceNormal | None:
        """Fit on the maps of normal frames; None when they are fewer than `LEAST_FRAMES`.

        Args:
            counted: places are compared by how rare so much is there, see `PlaceSums.of`.
        """
        return cls.of(PlaceSums.of(maps, counted=counted))

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
        rarity = None if sums.above is None else _rarity(sums.above, count, counts)
        return cls(mean.astype(np.float32), spread.astype(np.float32), rarity)

    def odd(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """How odd so much is at each place, higher is odder: (..., h, w) or (..., h, w, n) becomes the same.

        By how rare it is there: -log10 of the share of normal frames that had as much or more. Else by deviations from
        the place's mean, in units of its spread.
        """
        if self.rarity is None:
            return (values - self.mean) / self.spread
        level = np.searchsorted(LEVELS, values.reshape(-1, self.mean.size), side="right")
        of_places = self.rarity.reshape(len(self.rarity), -1)
        return np.asarray(np.take_along_axis(of_places, level, axis=0).reshape(values.shape), np.float32)


def _rarity(above: NDArray[np.int64], count: int, counts: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Of counts of so many maps: how rare each level is at each place, where all that count lend each other something.

    The whole picture, whichever way things move in it, counts for some frames more. Nothing is called rarer than once
    in all frames.
    """
    shares = np.stack([np.ones(above.shape[1:]), *(_blurred(one / count, counts) for one in above)])
    whole = shares[:, counts].mean(axis=(1, 2)).reshape(-1, 1, 1, 1)
    shares = (count * shares + _PRIOR_FRAMES * whole) / (count + _PRIOR_FRAMES)
    return np.asarray(-np.log10(np.minimum(shares + 1 / count, 1)), np.float32)


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
