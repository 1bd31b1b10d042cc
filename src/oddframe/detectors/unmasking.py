"""What unmasking can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from oddframe.detectors.settings import Compared, DetectorSettings, PaperDistance


class UnmaskingSettings(DetectorSettings):
    """Unmasking (Ionescu et al., ICCV 2017), by its motion features. Nothing is trained."""

    size_step = 20
    kept: ClassVar[tuple[str, ...]] = ("size", "channels")
    scored_by: ClassVar[Mapping[str, object]] = {"gamma": 0.0, "online": ["local_distance"], "per_place": []}

    size: tuple[int, int] = Field(
        default=(120, 160), description="height and width of the picture; the threshold is made for this one"
    )
    channels: Literal[1, 3] = Field(default=1, description="1 for grey; of 3 for colour, the mean is looked at")
    rounds: int = Field(default=10, ge=1, le=50, description="how often a classifier is trained and unmasked")
    removed: int = Field(
        default=50, ge=2, le=400, multiple_of=2, description="pixels of a bin that each round takes away"
    )
    regularisation: float = Field(
        default=0.5, gt=0, description="C of the classifier: what a wrong frame costs beside large weights"
    )
    bias: bool = Field(
        default=True, description="the classifier has a bias; without one, frames in which nothing moves are undecided"
    )
    threshold: float = Field(
        default=15.0,
        ge=0,
        description="change that moves a cube of 5 frames of 10x10 pixels: a sum over its pixels, of pictures in 0..1",
    )
    stride: Literal[1, 2, 5, 10] = Field(
        default=5, description="frames from window to window; each frame is judged by as many windows as hold it"
    )

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        return (
            "how well a classifier tells the ten frames before from the ten that follow while its features are taken "
            "away, in each quarter: 0 by chance, 1 without a mistake"
        )

    @property
    def paper_distance(self) -> PaperDistance:
        return "largest"

    @property
    def compared(self) -> Compared:
        return "frame before"
