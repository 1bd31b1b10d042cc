"""What a calibration rests on: the raw components of video that was held out, of known anomalies, and of trained video.

It is kept in the run, so that all that is decided after a frame was judged can be decided again without the video.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import RunError
from oddframe.scoring.calibration import POOLED
from oddframe.scoring.pace import seconds_of
from oddframe.scoring.places import PlaceNormal
from oddframe.settings import PlaceBy
from oddframe.video.flow import MEASURE, measured_alike

FILE = "evidence.npz"
"""Where a run keeps it."""

Kind = Literal["heldout", "known", "trained"]
"""Normal video that was not trained on; known anomalies that were not trained on; normal video that was."""


@dataclass(frozen=True)
class Stretch:
    """The components of one unbroken stretch of video.

    Attributes:
        frame: (N,) numbers in the source. time_s: (N,) seconds, None where unknown.
        values: component → (N,) float32, raw. All stretches of a run have the same components.
        placed: local component → (N,) float32, from maps compared place by place (`components.placed_value`); only
            those whose places are known in the stretch's scene.
        abnormal: (N,) for known anomalies; None for normal video.
    """

    scene: str
    kind: Kind
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64] | None
    values: Mapping[str, NDArray[np.float32]]
    placed: Mapping[str, NDArray[np.float32]]
    abnormal: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def seconds(self) -> float | None:
        """How long it lasts; None where its times are unknown."""
        return None if self.time_s is None else seconds_of(self.time_s)


@dataclass(frozen=True)
class Judged:
    """Stretches of video that a detector has judged, and what is normal at each place of their scenes.

    Attributes:
        places: scene → local component → what is normal at each place. `POOLED` is the scene of a run that has one.
        window, stride, local_share: settings by which local components were taken. place_normal: by which `direction`
            was compared with its places.
        flow: the way of measuring optical flow (`video.flow.MEASURE`).
    """

    stretches: tuple[Stretch, ...]
    places: Mapping[str, Mapping[str, PlaceNormal]]
    window: int
    stride: int
    local_share: float
    flow: int = MEASURE
    place_normal: PlaceBy = "spread"

    @property
    def components(self) -> tuple[str, ...]:
        """Names of what the detector gives."""
        return next((tuple(stretch.values) for stretch in self.stretches), ())

    @property
    def local_components(self) -> tuple[str, ...]:
        """Names of those whose places are known in some scene."""
        return tuple(dict.fromkeys(name for places in self.places.values() for name in places))

    def normal_of(self, scene: str) -> tuple[list[Stretch], int]:
        """Normal stretches by which a scene is fitted, the held-out ones first, and how many these are; `POOLED` has
        all."""
        every = (*self.of_kind("heldout"), *self.of_kind("trained"))
        here = [one for one in every if scene in (POOLED, one.scene)]
        return here, sum(one.kind == "heldout" for one in here)

    def of_kind(self, kind: Kind) -> list[Stretch]:
        """The stretches of one kind that hold a frame, in order."""
        return [stretch for stretch in self.stretches if stretch.kind == kind and len(stretch)]


def home_of(scene: str, known: Mapping[str, object]) -> str:
    """Where a scene's normal stands: under its own name, or pooled."""
    return scene if scene in known else POOLED


def refuse_other_flow(measure: int, components: Collection[str], height: int, folder: Path) -> None:
    """Refuse a run whose normal rests on optical flow that was measured in another way than it is now.

    Args:
        measure: of the run's calibration or evidence. components: of the same. height: rows of the detector's pictures.

    Raises:
        RunError: the same movement is another number now.
    """
    if {"flow", "direction"} & set(components) and not measured_alike(measure, MEASURE, height):
        raise RunError(
            "the run knows optical flow as another version measured it: its line means nothing here",
            path=folder,
            seen=f"pictures of {height} rows, way of measuring {measure}",
            wanted=f"way of measuring {MEASURE}: pictures of any size are compared at 240 rows",
            hint="train again: oddframe train DATA --out FOLDER",
        )
