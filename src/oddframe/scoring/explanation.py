"""What can be shown of a judged frame, beside its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.components import of_places
from oddframe.scoring.heat import heat_of
from oddframe.scoring.scores import Box, Raw
from oddframe.video.source import Frame


@dataclass(frozen=True)
class Explanation:
    """What a judged frame's score rests on.

    Attributes:
        picture: (H, W, C) uint8, the frame in the source's size.
        predicted: (h, w, C) uint8 in the detector's size: what the frame was compared with.
        error: (h, w) squared error per pixel, 0..1.
        heat: (h', w') how odd each place is; the hottest is as odd as the frame, and 1 is the alarm line.
        box: where the oddest place is, in pixels of the source; None where the frame is no odder than half of all
            normal ones, so that there is nothing to point at.
    """

    frame: int
    time_s: float | None
    picture: NDArray[np.uint8] = field(repr=False)
    predicted: NDArray[np.uint8] = field(repr=False)
    error: NDArray[np.float32] = field(repr=False)
    heat: NDArray[np.float32] = field(repr=False)
    box: Box | None


class HeatFrame(NamedTuple):
    """A frame, its heat (see `shown_heat`), and the box around its oddest place; None without a full window. The box is
    None, too, where the frame is no odder than half of all normal ones."""

    frame: Frame
    heat: NDArray[np.float32] | None
    box: Box | None


class Maps(Mapping[str, NDArray[np.float32]]):
    """The maps of a judged frame, (h, w): "online" → heat (see `heat_of`), made when it is asked for; local component →
    raw map (see `Raw`)."""

    def __init__(self, calibration: Calibration, normal: SceneNormal, raw: Raw) -> None:
        self._calibration, self._normal, self._raw = calibration, normal, raw

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name == "online":
            return heat_of(self._calibration, self._normal, self._raw)
        return of_places(self._raw.maps[name])

    def __iter__(self) -> Iterator[str]:
        return iter(("online", *self._raw.maps))

    def __len__(self) -> int:
        return 1 + len(self._raw.maps)
