"""What TSC and the stacked RNN can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from oddframe.detectors.settings import Compared, DetectorSettings, PaperDistance


class TscSettings(DetectorSettings):
    """TSC (Luo et al., ICCV 2017). The defaults are those of its published code, but for the features."""

    size_step = 32
    kept: ClassVar[tuple[str, ...]] = ("size", "channels")
    scored_by: ClassVar[Mapping[str, object]] = {"gamma": 0.0, "online": ["local_distance"], "per_place": []}

    size: tuple[int, int] = Field(default=(224, 224), description="height and width of the picture; 224x224 published")
    channels: Literal[3] = Field(default=3, description="the features are those of colour; grey is repeated")
    features: Literal["efficientnet-lite0"] = Field(
        default="efficientnet-lite0",
        description="frozen features, of the extra `oddframe[features]`; published: a ResNet trained on UCF101",
    )
    hidden: int = Field(default=1280, ge=8, le=8192, description="numbers of a state; as many as features as published")
    layers: int = Field(default=3, ge=1, le=20, description="steps to a state")
    sparsity: float = Field(default=0.1, ge=0, description="lambda1: what states are shrunk by")
    coherence: float = Field(
        default=0.1, ge=0, description="lambda2: how strongly a state is drawn to the one before it"
    )
    coherence_scale: float = Field(
        default=100.0, gt=0, description="squared change of the features that makes a state e-fold less drawn"
    )

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        return (
            "squared error of the rebuilt features, mean over them and over each place, its quarter of the picture and "
            "the whole, from 0 up"
        )

    @property
    def paper_distance(self) -> PaperDistance:
        return "largest"

    @property
    def compared(self) -> Compared:
        return "frame before"


class SrnnSettings(TscSettings):
    """The stacked RNN (Luo et al., ICCV 2017). The defaults are those of its published code, but for two."""

    learn_lambdas: bool = Field(
        default=False,
        description="gamma, lambda1 and lambda2 are learned, as published; the sparsity then vanishes, since nothing "
        "but reconstruction is minimised",
    )
