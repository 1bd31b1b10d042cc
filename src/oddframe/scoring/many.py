"""Many frames without what lessons silence, at once: a day of remembered frames is tried within seconds.

Bit for bit what `lessons.without` and `ComponentNormal.measures` say of each of them alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.components import ComponentNormal, log_scale
from oddframe.scoring.lessons import Mask, resized
from oddframe.scoring.pooling import LEAST_ERROR
from oddframe.scoring.rounded import Levels, restored

_AT_ONCE = 64
"""Frames: the maps of more do not stay in the processor's cache."""


def measures_without(
    levels: Mapping[str, Levels],
    silenced: Mask,
    values: Mapping[str, NDArray[np.floating]],
    normal: ComponentNormal,
    names: Collection[str],
    watched: Mapping[str, Mask],
    share: float,
) -> dict[str, NDArray[np.float32]]:
    """What the tails of a scene take of N frames of which nothing is odd at some places.

    Args:
        levels: local component → (N, h, w) or (N, h, w, 8). silenced: (N, h', w') the places.
        values: component → (N,), as it was; of those without a map.
        normal: of the scene. names: of the components.
        watched: local component → (h, w) places that count; of components that it lacks all places do.
        share: of them, the oddest ones.

    Returns:
        Component → (N,), of the names that there are.
    """
    local = {"psnr": "local_error", "distance": "local_distance"}
    found: dict[str, list[NDArray[np.float32]]] = {}
    for first in range(0, len(silenced), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        maps: dict[str, NDArray[np.float32]] = {}
        for name in names:
            source = local.get(name, name)
            if source in levels and source not in maps:
                maps[source] = restored(levels[source][part])
                maps[source][resized(silenced[part], maps[source].shape[1:3])] = 0
            if name in normal.places:
                placed = normal.places[name].odd(log_scale(name, maps[name]))
                measure = _oddest(_of_places(placed, watched.get(name)), normal.local_share)
            elif source in maps:
                measure = log_scale(name, _pooled(name, _of_places(maps[source], watched.get(source)), share))
            elif name in values:
                measure = log_scale(name, values[name][part].astype(np.float32))
            else:
                continue
            found.setdefault(name, []).append(measure)
    return {name: np.concatenate(several) for name, several in found.items()}


def _pooled(name: str, places: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """(N, P) becomes (N,): a component by the places that count, as `pooling.pooled` has it."""
    if name == "psnr":
        means = places.mean(axis=1).tolist()
        return np.array([-10 * math.log10(max(mean, LEAST_ERROR)) for mean in means], np.float32)
    if name == "distance":
        return np.asarray(places.mean(axis=1), np.float32)
    return np.asarray(places.max(axis=1), np.float32) if name == "flow" else _oddest(places, share)


def _oddest(places: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """(N, P) becomes (N,): as `oddest` of each row."""
    count, many = places.shape[1], max(1, round(share * places.shape[1]))
    return np.asarray(np.partition(places, count - many, axis=1)[:, -many:].mean(axis=1), np.float32)


def _of_places(maps: NDArray[np.float32], watched: Mask | None) -> NDArray[np.float32]:
    """(N, h, w) or (N, h, w, 8) becomes (N, P): one number of each place that counts."""
    if maps.ndim == 4:
        most = maps[..., 0].copy()
        for way in range(1, maps.shape[3]):
            np.maximum(most, maps[..., way], out=most)
        maps = most
    flat = maps.reshape(len(maps), -1)  # in a row in memory, as those of one frame are: so sums are added alike
    return flat if watched is None else np.take(flat, np.flatnonzero(watched), axis=1)
