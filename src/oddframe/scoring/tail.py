"""How rare a value is on normal video."""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

TAIL_SHARE = 0.1
"""The share of normal frames from which on the tail is smooth. Their mean excess is its scale."""

_KNOTS = 65
_LEAST_GAP = 1e-30
"""Between two knots: the slope over a smaller one may be too large for a number."""


@dataclass(frozen=True)
class Tail:
    """The upper tail of one quantity (higher = odder) on normal video.

    Up to the `TAIL_SHARE` quantile it is the empirical distribution, past it an exponential one with the mean
    excess as its scale: the smooth continuation that needs the fewest frames, and has no largest value.

    Attributes:
        knots: rising values. rarities: -log10 of the share of normal frames at or above each knot.
        start: where the exponential tail begins, at rarity -log10(TAIL_SHARE). scale: its mean excess, > 0.
        frames: how many frames it was fitted on.
    """

    knots: NDArray[np.float64]
    rarities: NDArray[np.float64]
    start: float
    scale: float
    frames: int

    @classmethod
    def fit(cls, values: ArrayLike) -> Tail:
        """Fit on the values of normal frames, (N,) with N ≥ 1, all finite."""
        known = np.sort(np.asarray(values, np.float64))
        start = float(np.quantile(known, 1 - TAIL_SHARE))
        excess = known[known > start] - start
        # Where all values are equal (a still picture) there is no spread to learn a scale from.
        spread = max(0.05 * float(known.std()), 1e-4 * abs(start), 1e-6)
        scale = max(float(excess.mean()) if len(excess) else 0.0, spread)
        shares = np.linspace(0.0, 1 - TAIL_SHARE, _KNOTS)
        knots, first = np.unique(np.quantile(known, shares), return_index=True)
        apart = np.diff(knots, prepend=-np.inf) > _LEAST_GAP
        rarities = -np.log10(1 - shares[first[apart]])
        return cls(knots[apart], rarities, start, scale, len(known))

    def rarity(self, values: ArrayLike) -> NDArray[np.float64]:
        """-log10 of the share of normal frames that are at least this odd: 0 is ordinary, 2 one in a hundred."""
        given = np.asarray(values, np.float64)
        within = np.interp(given, self.knots, self.rarities)
        # np.interp is flat below the first knot; keep a faint slope so that order is never lost.
        within = within - np.log1p(np.maximum(self.knots[0] - given, 0) / self.scale) * 0.01
        beyond = -np.log10(TAIL_SHARE) + (given - self.start) / (self.scale * np.log(10))
        return np.asarray(np.where(given > self.start, beyond, within))

    def rarity_of(self, value: float) -> float:
        """`rarity` of one value, in a small part of the time: a stream has several of them a frame."""
        knots, rarities = self._plain
        if value > self.start:
            return -math.log10(TAIL_SHARE) + (value - self.start) / (self.scale * math.log(10))
        above = bisect.bisect_right(knots, value)
        if above == 0:
            return rarities[0] - math.log1p((knots[0] - value) / self.scale) * 0.01
        if above == len(knots):
            return rarities[-1]
        share = (value - knots[above - 1]) / (knots[above] - knots[above - 1])
        return rarities[above - 1] + share * (rarities[above] - rarities[above - 1])

    def rarities_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """`rarity_of` each of many values, (N,), to the last bit."""
        knots, rarities = self.knots, self.rarities
        above = np.searchsorted(knots, values, side="right")
        upper = np.clip(above, 1, max(1, len(knots) - 1))
        if len(knots) > 1:
            share = (values - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
            found = rarities[upper - 1] + share * (rarities[upper] - rarities[upper - 1])
        else:
            found = np.full(len(values), rarities[0])
        found = np.where(above == len(knots), rarities[-1], found)
        beyond = -math.log10(TAIL_SHARE) + (values - self.start) / (self.scale * math.log(10))
        found = np.where(values > self.start, beyond, found)
        for place in np.flatnonzero((above == 0) & (values <= self.start)).tolist():
            found[place] = self.rarity_of(float(values[place]))  # NumPy's logarithm rounds in another way
        return found

    @cached_property
    def _plain(self) -> tuple[list[float], list[float]]:
        return self.knots.tolist(), self.rarities.tolist()

    @property
    def median(self) -> float:
        """What half of the normal frames stay below."""
        return float(np.interp(np.log10(2), self.rarities, self.knots))
