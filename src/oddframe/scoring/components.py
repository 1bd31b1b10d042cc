"""What each component is like on normal video: raw values become rarities, in frames and in places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.places import PlaceNormal
from oddframe.scoring.scores import LOWER_IS_ODDER, Raw, oddness
from oddframe.scoring.tail import Tail
from oddframe.video.motion import oddest

LEAST_VALUE = 1e-5
"""Smaller errors (less than a grey level) and distances count as this much, so that flicker is not called rare."""


LEAST_VALUES: Mapping[str, float] = {"direction": 0.01}
"""Of components for which something else is as good as nothing. A walker's arm in a window of flow is about as much."""

ALWAYS_PER_PLACE = ("direction",)
"""Which way things move is odd or not by where they do."""

UNTRAINED = ("motion", "flow", "direction")
"""Of these no training knows anything: video that a network was trained on tells as much of them as any other."""


def log_scale(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a raw component into the scale on which it is calibrated: higher is odder, in logarithms.

    Errors and distances of odd frames are many times the normal ones, not so much larger: on a linear scale the
    tails would run to rarities of hundreds, and one component would drown the others when they are added. PSNR is a
    logarithm already.
    """
    if name in LOWER_IS_ODDER:
        return oddness(name, values)
    return np.log(np.maximum(values, np.float32(LEAST_VALUES.get(name, LEAST_VALUE))))


def placed_value(name: str, place: PlaceNormal, raw: Raw, share: float) -> float:
    """A local component from its map, each place that counts compared with its own normal. Higher is odder."""
    places = of_places(place.odd(log_scale(name, raw.maps[name])))
    return oddest(places[raw.watched[name]] if name in raw.watched else places, share)


def of_places(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map with one number a place: of those with several, (h, w, n), the largest of each."""
    return values if values.ndim == 2 else values.max(axis=2)


@dataclass(frozen=True)
class ComponentNormal:
    """One scene's normal, component by component: raw values become rarities.

    Attributes:
        places: local component → what is normal at each place; only those that are compared place by place.
        tails: component → its upper tail on normal video, on the scale of `log_scale` or in deviations per place.
        local_share: a local component is the mean over this share of places, the oddest ones.
    """

    places: Mapping[str, PlaceNormal]
    tails: Mapping[str, Tail]
    local_share: float

    def rarities(self, raw: Raw) -> dict[str, float]:
        """Component that was gathered → -log10 of the share of normal frames at least as odd: 2 is one in a hundred."""
        return {name: self.tails[name].rarity_of(value) for name, value in self.measures(raw).items()}

    def measures(self, raw: Raw, names: Iterable[str] | None = None) -> dict[str, float]:
        """Component that was gathered → what its tail takes: on the scale of `log_scale`, or deviations per place.

        Args:
            names: of these alone.
        """
        # a run may be calibrated again without what takes its time, such as optical flow, and no longer gathers it
        return {name: self._value(name, raw) for name in names or self.tails if name in raw.values}

    def _value(self, name: str, raw: Raw) -> float:
        if name in self.places:
            return placed_value(name, self.places[name], raw, self.local_share)
        return float(log_scale(name, np.array([raw.values[name]], np.float32))[0])

    def rarity_map(self, name: str, raw: Raw) -> NDArray[np.float32]:
        """(h, w) rarity of each place of a local component; 0 where it does not count."""
        values = log_scale(name, raw.maps[name])
        if name in self.places:
            values = self.places[name].odd(values)
        rarity = self.tails[name].rarity(of_places(values)).astype(np.float32)
        return np.where(raw.watched[name], rarity, np.float32(0)) if name in raw.watched else rarity
