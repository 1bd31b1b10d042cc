"""What DREAM can be told (`models/dream.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from oddframe.detectors.settings import Compared, DetectorSettings

_OF_CODE: Mapping[str, object] = {
    "discriminator_norm": True,
    "update_weight": "max",
    "triplet_features": "unit",
    "triplet_distance": "plain",
    "separateness_distance": "plain",
    "abnormality_anchor": True,
}
"""Where the first author's published code differs from the text. The text's are the defaults of the fields."""


class DreamCommonSettings(DetectorSettings):
    """What DREAM can be told with either backbone (Sec. III, IV-B). The defaults are the paper's text.

    Where text and published code differ, `reading` chooses, and each choice can be made by itself; what neither of
    them knows is off.

    >>> DreamSettings(reading="code").update_weight
    'max'
    >>> DreamSettings(reading="code", update_weight="softmax").update_weight
    'softmax'
    """

    reading: Literal["text", "code"] = Field(
        default="text",
        description="the paper's text or its first author's code where they differ. `code` stands for "
        + ", ".join(f"{name}={str(value).lower()}" for name, value in _OF_CODE.items())
        + ", each of which may still be set by itself",
    )

    width: int = Field(default=64, ge=4, description="channels of the first level; 64 in the paper")
    items: int = Field(default=10, ge=1, description="items in each memory; `memory=single` has twice as many")
    memory: Literal["dual", "single", "none"] = Field(default="dual", description="Table III's ablation of the memory")
    discriminator: bool = Field(
        default=True, description="triplet loss on a shallow discriminator for each branch (Eq. 5)"
    )
    discriminator_norm: bool = Field(default=False, description="batch norm after the discriminator's convolution")
    decoder: bool = Field(
        default=True, description="predict the next frame; without it, the error is the frame difference"
    )
    update_weight: Literal["softmax", "max"] = Field(
        default="softmax",
        description="v in Eqs. 3-4: plain softmax over the queries, or divided by each item's maximum",
    )
    triplet_features: Literal["raw", "unit"] = Field(
        default="raw", description="features in Eq. 5, as pooled or unit length"
    )
    triplet_distance: Literal["squared", "plain"] = Field(default="squared", description="L2 distance in Eq. 5")
    separateness_distance: Literal["squared", "plain"] = Field(default="squared", description="L2 distance in Eq. 8")
    reduction: Literal["mean", "sum"] = Field(
        default="mean", description="over places in Eqs. 7-8; `sum` is Eq. 7 as printed, about a thousand times larger"
    )
    abnormality_anchor: bool = Field(
        default=False,
        description="the normal anchor, too, enters compactness and separateness of the abnormality branch",
    )
    compactness: float = Field(default=0.1, ge=0, description="lambda, weight of Eq. 7")
    separateness: float = Field(default=0.1, ge=0, description="mu, weight of Eq. 8")
    separateness_margin: float = Field(default=1.0, gt=0, description="alpha in Eq. 8")
    triplet: float = Field(default=0.1, ge=0, description="nu, weight of Eq. 5")
    triplet_margin: float = Field(default=1.0, gt=0, description="beta in Eq. 5")
    reconstruction: float = Field(default=1.0, ge=0, description="weight of Eq. 6")
    query_margin: float = Field(
        default=0.0,
        ge=0,
        description="weight of the query margin: queries at abnormal places are pushed from every normality item, "
        "pulled to an abnormality item; normal ones are kept away from abnormality items. 0 in the paper",
    )
    query_margin_distance: float = Field(
        default=1.0, gt=0, le=4, description="squared distance that counts as far enough"
    )
    compactness_beside: bool = Field(
        default=False,
        description="with a query margin, compactness of normality queries is taken over the normal places of abnormal "
        "clips, too, but for those that touch an abnormal one",
    )
    worst_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="compactness of normality queries is taken over this share of worst places, besides their mean; "
        "0 in the paper",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_read(cls, given: Any) -> Any:
        """Fill in what the reading stands for; what is given by itself stays."""
        return {**_OF_CODE, **given} if isinstance(given, dict) and given.get("reading") == "code" else given

    @property
    def gives_distance(self) -> bool:
        return self.memory != "none"

    @property
    def compared(self) -> Compared:
        return "prediction" if self.decoder else "frame before"


class DreamSettings(DreamCommonSettings):
    """DREAM with the U-Net backbone."""

    size_step = 8
    patch: Literal[1, 2, 4] = Field(
        default=1,
        description="side of the square of pixels folded into channels before the first convolution; each doubling "
        "takes the place of one pooling, so that queries stay at 1/8 of the picture. 1 in the paper",
    )
    decode_abnormal: bool = Field(
        default=True, description="abnormal clips pass the decoder too (moving its batch norm)"
    )
    joint_batch: bool = Field(
        default=False,
        description="normal and abnormal clips share the encoder's batch norm; each role has its own in the paper",
    )


class DreamConvLSTMSettings(DreamCommonSettings):
    """DREAM with the ConvLSTM backbone."""

    size_step = 4
    # Its encoder and decoder have no batch norm: clips do not see each other, and both make no difference.
    decode_abnormal: ClassVar[bool] = False
    joint_batch: ClassVar[bool] = False
