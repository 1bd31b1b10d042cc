"""What the peers' networks can be told: MLEP, MNAD, Frame-Pred, MemAE, Conv-AE."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from oddframe.detectors.settings import Compared, DetectorSettings


class MlepSettings(DetectorSettings):
    """MLEP (Liu et al., IJCAI 2019). The defaults are those of its published code."""

    size_step = 4
    width: int = Field(default=64, ge=4, description="channels of the first level; 64 in the paper")
    reconstruction: float = Field(default=1.0, ge=0, description="weight of the error of the predicted frame (L1)")
    triplet: float = Field(default=1.0, ge=0, description="weight of the margin loss between normal and abnormal clips")
    triplet_margin: float = Field(default=1.0, gt=0, description="margin of the margin loss")

    @property
    def gives_distance(self) -> bool:
        return False


class PeerSettings(DetectorSettings):
    """What the networks of the peers share. The defaults of each are its publication's."""

    width: int = Field(default=64, ge=4, description="scales all channels of the network; 64 as published")

    @property
    def gives_distance(self) -> bool:
        return False


class MnadSettings(PeerSettings):
    """MNAD, prediction of the next frame (Park et al., CVPR 2020)."""

    size_step = 8
    items: int = Field(default=10, ge=1, description="items in the memory")
    compactness: float = Field(
        default=0.1, ge=0, description="weight of the compactness, which is a mean over channels"
    )
    separateness: float = Field(default=0.1, ge=0, description="weight of the separateness")
    test_update: bool = Field(
        default=False,
        description="the memory follows each video while it is judged, and is as trained again for the next one; "
        "always on in the publication, which carries it from video to video",
    )
    test_update_below: float = Field(
        default=0.01, gt=0, description="largest weighted squared error of a frame that the memory follows"
    )

    @property
    def gives_distance(self) -> bool:
        return True


class FramePredSettings(PeerSettings):
    """Frame-Pred (Liu et al., CVPR 2018), without its flow loss or with one of another flow."""

    size_step = 8
    intensity: float = Field(default=1.0, ge=0, description="weight of the squared error")
    gradient: float = Field(default=1.0, ge=0, description="weight of the difference of the gradients' sizes")
    adversarial: float = Field(
        default=0.05, ge=0, description="weight of the adversarial loss; 0 leaves the discriminator out"
    )
    flow: Literal["off", "lucas-kanade"] = Field(
        default="off",
        description="optical flow that the prediction shall share with the true frame. The published one is of "
        "FlowNet2, whose weights do not come with this package: lucas-kanade is not it",
    )
    flow_weight: float = Field(
        default=2.0, ge=0, description="weight of the flow loss, of flows in pixels of a picture of 384x512"
    )

    @field_validator("flow", mode="before")
    @classmethod
    def _off_is_a_word(cls, flow: object) -> object:
        """YAML takes `off` for false."""
        return "off" if flow is False else flow


class MemAESettings(PeerSettings):
    """MemAE (Gong et al., ICCV 2019)."""

    size_step = 16
    items: int = Field(default=2000, ge=1, description="items in the memory, learnt by gradient")
    shrink: float = Field(
        default=0.0025, ge=0, lt=1, description="attention of at most this counts as none; 0 keeps all"
    )
    entropy: float = Field(default=0.0002, ge=0, description="weight of the attention's entropy")

    @property
    def compared(self) -> Compared:
        return "reconstruction"


class ConvAESettings(PeerSettings):
    """Conv-AE (Hasan et al., CVPR 2016)."""

    size_step = 16

    @property
    def compared(self) -> Compared:
        return "reconstruction"
