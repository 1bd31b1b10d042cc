"""What the peers can be told that judge what moves: patches, flow, objects, clips. OGNet, AMC, Scene-Aware, CAC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from oddframe.detectors.settings import Compared, DetectorSettings, PaperDistance


class OgNetSettings(DetectorSettings):
    """OGNet (Zaheer et al., CVPR 2020). The defaults are those of its published code, where it has any.

    >>> OgNetSettings(old_after=10, tune_after=5)
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for OgNetSettings
      Value error, old_after is 10, which is later than tune_after, 5 ...
    """

    size_step = 45

    size: tuple[int, int] = Field(
        default=(225, 360), description="height and width of the picture, which is cut into patches of 45x45"
    )
    channels: Literal[1, 3] = Field(default=1, description="1 for grey, as published, 3 for colour")
    width: int = Field(default=64, ge=4, description="scales all channels of the network; 64 as published")
    patches: int = Field(default=64, ge=2, description="most patches in a step, drawn from those that move")
    moving: float = Field(
        default=0.0075,
        ge=0,
        lt=1,
        description="a patch counts as moving from this mean difference to the frame before, of pictures in [0, 1]; "
        "not published",
    )
    noise: float = Field(default=0.81, ge=0, description="standard deviation of the noise on what is to be rebuilt")
    reconstruction: float = Field(default=0.5, ge=0, description="phase one: weight of the squared error")
    adversarial: float = Field(default=0.5, ge=0, description="phase one: weight of the adversarial loss")
    gradient: Literal["fresh", "stale"] = Field(
        default="fresh",
        description="phase one: the generator meets the discriminator after its step (fresh), or, as with the torch of "
        "the publication's time, its new weights on activations of the old ones (stale)",
    )
    old_after: int = Field(default=300, ge=1, description="steps after which the generator is kept as the old one")
    tune_after: int = Field(
        default=1500,
        ge=1,
        description="steps after which phase two begins: the discriminator alone is tuned, to the end of training; 76 "
        "steps as published",
    )
    real: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="phase two: weight of true patches among the good; patches rebuilt well have the rest",
    )
    old: float = Field(
        default=0.001,
        ge=0,
        le=1,
        description="phase two: weight of what the old generator rebuilds among the bad; "
        "pseudo-anomalies have all else",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.old_after > self.tune_after:
            raise ValueError(f"old_after is {self.old_after}, which is later than tune_after, {self.tune_after}")
        return self

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        return "how likely the discriminator takes each patch for badly rebuilt, 0..1; 0 where nothing moves"

    @property
    def paper_distance(self) -> PaperDistance:
        return "largest"

    @property
    def compared(self) -> Compared:
        return "reconstruction"


class AmcSettings(DetectorSettings):
    """AMC (Nguyen and Meunier, ICCV 2019). The defaults are those of its published code."""

    size_step = 16
    scored_by: ClassVar[Mapping[str, object]] = {"gamma": 0.17}

    size: tuple[int, int] = Field(default=(128, 192), description="height and width of the picture")
    width: int = Field(
        default=64, ge=4, multiple_of=4, description="scales all channels of the network; 64 as published"
    )
    network: bool = Field(
        default=True,
        description="without it nothing is predicted: what is judged is the flow itself, the floor of this detector",
    )
    intensity: float = Field(default=1.0, ge=0, description="weight of the squared error of the rebuilt frame")
    gradient: float = Field(default=1.0, ge=0, description="weight of the difference of the gradients' sizes")
    motion: float = Field(default=2.0, ge=0, description="weight of the absolute error of the flow")
    adversarial: float = Field(
        default=0.25, ge=0, description="weight of the adversarial loss; 0 leaves the discriminator out"
    )
    dropout: float = Field(default=0.3, ge=0, lt=1, description="share of values that each step up drops in training")
    flow_scale: float = Field(
        default=3.0,
        gt=0,
        description="units of flow a pixel: published flows are in pixels of a picture 3 times as large",
    )
    patch: int = Field(
        default=16, ge=4, le=16, description="side of the square patches that are judged, 4 pixels apart"
    )

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        return "mean squared error of the flow in each patch, from 0 up, in parts of a pixel (`model.flow_scale`)"

    @property
    def paper_distance(self) -> PaperDistance:
        return "largest"

    @property
    def compared(self) -> Compared:
        return "reconstruction" if self.network else "frame before"


class SceneAwareSettings(DetectorSettings):
    """Scene-Aware (Sun et al., ACM MM 2020), with objects that are found by motion. The defaults are its code's."""

    size_step = 8

    objects: int = Field(default=8, ge=1, le=16, description="most objects in a frame, besides the whole frame")
    hidden: int = Field(default=512, ge=4, description="length of what describes an object or a relation")
    groups: int = Field(default=10, ge=1, le=32, description="groups of scenes")
    rounds: int = Field(default=3, ge=1, le=10, description="rounds of messages between objects and relations")
    score: Literal["published", "energy"] = Field(
        default="published",
        description="the oddest object or relation, each by the group in which it is least odd (published), or how "
        "unlikely the frame is in the mixture of all groups (energy)",
    )
    cluster_steps: int = Field(
        default=200, ge=0, description="steps in which frames are put into groups before objects are learned by them"
    )
    variance: float = Field(default=0.005, ge=0, description="weight of the inverse variances of the groups")
    sparsity: float = Field(default=1e-4, ge=0, description="weight of the sizes of the last layers' weights")

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        if self.score == "energy":
            return "energy of the whole frame in the mixture of all groups, above the lowest there is"
        return "probability that the oddest object or relation at each place is abnormal, 0..1"

    @property
    def paper_distance(self) -> PaperDistance:
        return "largest"

    @property
    def compared(self) -> Compared:
        return "frame before"


class CacSettings(DetectorSettings):
    """CAC (Wang et al., ACM MM 2020) in our own reading of its abstract. No default is published."""

    width: int = Field(default=64, ge=4, description="channels of the encoder's first level")
    spaces: int = Field(default=8, ge=1, le=64, description="spaces, each with a centre of what is normal")
    length: int = Field(default=128, ge=2, description="length of a representation")
    queue: int = Field(default=1024, ge=1, description="keys of earlier clips that a clip is told from")
    temperature: float = Field(default=0.07, gt=0, description="what cosines are divided by in the loss")
    momentum: float = Field(
        default=0.99,
        ge=0,
        lt=1,
        description="share of the key's weights that each step keeps; 0.999 for long trainings",
    )

    @property
    def gives_distance(self) -> bool:
        return True

    @property
    def distance_is(self) -> str:
        return "squared distance of the whole clip to the nearest centre of what is normal, 0..4"

    @property
    def compared(self) -> Compared:
        return "frame before"
