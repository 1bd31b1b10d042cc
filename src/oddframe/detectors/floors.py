"""What the floors can be told, which every network that is trained has to clear. None of them learns anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from oddframe.detectors.settings import Compared, DetectorSettings, PaperDistance


class FrameDiffSettings(DetectorSettings):
    """Frame differences: nothing to train, nothing to set."""

    @property
    def gives_distance(self) -> bool:
        return False

    @property
    def compared(self) -> Compared:
        return "frame before"


class FlowSettings(FrameDiffSettings):
    """Optical flow alone: nothing to train, nothing to set."""

    scored_by: ClassVar[Mapping[str, object]] = {"online": ["flow"], "per_place": [], "smoothing": 3}


class FeaturesSettings(DetectorSettings):
    """Features alone: the floor of what judges by frozen features. Pictures and scores are those of `tsc`."""

    size_step = 32
    kept: ClassVar[tuple[str, ...]] = ("size", "channels")
    scored_by: ClassVar[Mapping[str, object]] = {"gamma": 0.0, "online": ["local_distance"], "per_place": []}

    size: tuple[int, int] = Field(default=(224, 224), description="height and width of the picture")
    channels: Literal[3] = Field(default=3, description="the features are those of colour; grey is repeated")
    features: Literal["efficientnet-lite0"] = Field(
        default="efficientnet-lite0", description="frozen features, of the extra `oddframe[features]`"
    )
    items: int = Field(
        default=4096, ge=1, le=65536, description="patches of normal video that are kept, drawn by the seed"
    )

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        return (
            "squared distance of unit features to the nearest of normal video, mean over each place, its quarter of "
            "the picture and the whole, 0..4"
        )

    @property
    def paper_distance(self) -> PaperDistance:
        return "largest"

    @property
    def compared(self) -> Compared:
        return "frame before"
