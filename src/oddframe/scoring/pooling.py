"""Local components from their maps, by the places that count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.components import of_places
from oddframe.scoring.scores import Raw
from oddframe.video.motion import oddest

LEAST_ERROR = 1e-10
"""A smaller mean error counts as this much, as in the network's own `psnr`."""


def pooled(raw: Raw, watched: Mapping[str, NDArray[np.bool_]], share: float) -> Raw:
    """The components of a frame by the places that count.

    The mean error and distance of the frame (`psnr`, `distance`) are taken from the maps of the local ones; without
    such a map they remain those of the whole picture.

    Args:
        watched: local component → (h, w) places that count, at least one; of components that it lacks all places do.
        share: of them, the oddest ones.
    """
    values = dict(raw.values)
    for name, one in raw.maps.items():
        places = of_places(one)
        if name in watched:
            places = places[watched[name]]
        values[name] = float(places.max()) if name == "flow" else oddest(places, share)
        if name == "local_error" and "psnr" in values:
            values["psnr"] = -10 * math.log10(max(float(places.mean()), LEAST_ERROR))
        elif name == "local_distance" and "distance" in values:
            values["distance"] = float(places.mean())
    return replace(raw, values=values, watched=watched)
