"""Which detectors there are: name, settings, and where the class lives. Needs no torch.

A detector in another package is a first-class one: it registers under the entry-point group
`oddframe.detectors` an object with the same three things (`DetectorEntry`).
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from oddframe.errors import DetectorError, SettingsError, nearest

ENTRY_POINT_GROUP = "oddframe.detectors"


Compared = Literal["prediction", "reconstruction", "frame before"]
"""What a detector compares the judged frame with: made from other frames, made from itself, or the frame before it."""


class Strict(BaseModel):
    """Settings that refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class DetectorSettings(Strict):
    """What every detector needs to know of its input."""

    size_step: ClassVar[int] = 1
    """Height and width of the picture are multiples of this."""

    size: tuple[int, int] = Field(
        default=(256, 256), description="height and width of the picture that the detector sees"
    )
    channels: Literal[1, 3] = Field(
        default=3, description="1 for grey, 3 for colour (a grey source is repeated three times)"
    )

    @property
    def compared(self) -> Compared:
        """What the judged frame is compared with; reports choose their words by it."""
        return "prediction"

    @field_validator("size")
    @classmethod
    def _size_fits(cls, size: tuple[int, int]) -> tuple[int, int]:
        if min(size) < 16:
            raise ValueError(f"size {size[0]}x{size[1]} is smaller than 16x16")
        step = cls.size_step
        if any(side % step for side in size):
            near = " or ".join(f"{h}x{w}" for h, w in sorted({cls.size_within(*size), _above(size, step)}))
            raise ValueError(
                f"size {size[0]}x{size[1]} is no multiple of {step} on both sides; the nearest that is: {near}"
            )
        return size

    @classmethod
    def size_within(cls, height: int, width: int) -> tuple[int, int]:
        """The largest size that fits the detector and is no larger than this one; its least size if there is none."""
        step = cls.size_step
        return _least(height // step * step, step), _least(width // step * step, step)


def _above(size: tuple[int, int], step: int) -> tuple[int, int]:
    height, width = (_least(-(-side // step) * step, step) for side in size)
    return height, width


def _least(side: int, step: int) -> int:
    return max(side, -(-16 // step) * step)


class DreamCommonSettings(DetectorSettings):
    """What DREAM can be told with either backbone (Sec. III, IV-B). The defaults are the paper's text.

    Where text and published code differ, each has a named reading; what neither of them knows is off.
    """

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
    reseed: bool = Field(default=False, description="a dead or doubled item is put where queries are served worst")

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


class MlepSettings(DetectorSettings):
    """MLEP (Liu et al., IJCAI 2019). The defaults are those of its published code."""

    size_step = 4
    width: int = Field(default=64, ge=4, description="channels of the first level; 64 in the paper")
    reconstruction: float = Field(default=1.0, ge=0, description="weight of the error of the predicted frame (L1)")
    triplet: float = Field(default=1.0, ge=0, description="weight of the margin loss between normal and abnormal clips")
    triplet_margin: float = Field(default=1.0, gt=0, description="margin of the margin loss")


class FrameDiffSettings(DetectorSettings):
    """Frame differences: nothing to train, nothing to set."""

    @property
    def compared(self) -> Compared:
        return "frame before"


class PeerSettings(DetectorSettings):
    """What the networks of the peers share. The defaults of each are its publication's."""

    width: int = Field(default=64, ge=4, description="scales all channels of the network; 64 as published")


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


class FramePredSettings(PeerSettings):
    """Frame-Pred (Liu et al., CVPR 2018), without its flow loss."""

    size_step = 8
    intensity: float = Field(default=1.0, ge=0, description="weight of the squared error")
    gradient: float = Field(default=1.0, ge=0, description="weight of the difference of the gradients' sizes")
    adversarial: float = Field(
        default=0.05, ge=0, description="weight of the adversarial loss; 0 leaves the discriminator out"
    )


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


@dataclass(frozen=True)
class DetectorEntry:
    """A detector as it stands in the list: its settings' type and the place of its class ("module:Class")."""

    name: str
    settings: type[DetectorSettings]
    place: str
    summary: str = ""

    def load(self) -> Any:
        """Import the class. This is the moment at which torch is needed.

        Raises:
            DetectorError: it is not there. ImportError: torch is not.
        """
        module, _, attribute = self.place.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "torch":
                raise
            raise DetectorError(
                f"the class of detector '{self.name}' is not at its place",
                path=self.place,
                seen=f"{type(error).__name__}: {error}",
                wanted="module:Class, as in my_package.detector:Blurred",
            ) from error


_OWN = (
    DetectorEntry(
        "dream-unet", DreamSettings, "oddframe.models.dream:Dream", "dual memory, next frame by a U-Net (the paper's)"
    ),
    DetectorEntry(
        "dream-convlstm",
        DreamConvLSTMSettings,
        "oddframe.models.dream:Dream",
        "dual memory, next frame by a ConvLSTM (the paper's)",
    ),
    DetectorEntry(
        "mlep",
        MlepSettings,
        "oddframe.models.mlep:Mlep",
        "next frame by a ConvLSTM, with a margin between normal and abnormal",
    ),
    DetectorEntry(
        "framediff", FrameDiffSettings, "oddframe.models.framediff:FrameDiff", "frame differences; the floor"
    ),
    DetectorEntry("mnad", MnadSettings, "oddframe.models.mnad:Mnad", "one memory, next frame by a U-Net (MNAD)"),
    DetectorEntry(
        "framepred",
        FramePredSettings,
        "oddframe.models.framepred:FramePred",
        "next frame by a U-Net against a discriminator (Frame-Pred, without its flow loss)",
    ),
    DetectorEntry(
        "memae", MemAESettings, "oddframe.models.memae:MemAE", "16 frames rebuilt from a learnt memory (MemAE)"
    ),
    DetectorEntry("convae", ConvAESettings, "oddframe.models.convae:ConvAE", "10 frames rebuilt (Conv-AE)"),
)


@cache
def detectors() -> dict[str, DetectorEntry]:
    """All detectors by name: this package's, then those of installed packages. What is wrong with one is warned of."""
    found = {entry.name: entry for entry in _OWN}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            entry = _offered(point)
        except DetectorError as error:  # somebody else's package must not take the house down with it
            warnings.warn(f"{error.problem}: {error.seen}", stacklevel=2)
        else:
            found.setdefault(point.name, entry)
    return found


def detector_entry(name: str) -> DetectorEntry:
    """Look up one detector.

    Raises:
        SettingsError: there is none of that name. DetectorError: there is, and it breaks the contract.
    """
    known = detectors()
    if isinstance(name, str) and name in known:
        return known[name]
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name == name:
            _offered(point)
    raise SettingsError(
        f"there is no detector '{name}'", seen=name, wanted=" | ".join(known), hint=nearest(str(name), known)
    )


def _offered(point: EntryPoint) -> DetectorEntry:
    """What an installed package offers under a name.

    Raises:
        DetectorError: it does not load, or is not a `DetectorEntry` of its own name with settings of its own.
    """
    try:
        entry = point.load()
    except Exception as error:
        raise DetectorError(
            f"detector '{point.name}' of {point.value} does not load", seen=f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(entry, DetectorEntry):
        raise DetectorError(
            f"detector '{point.name}': {point.value} is no DetectorEntry",
            seen=type(entry).__name__,
            wanted="DetectorEntry(name, settings, place)",
        )
    if entry.name != point.name or any(entry.name == own.name for own in _OWN):
        raise DetectorError(
            f"detector '{point.name}' of {point.value} needs a name of its own, in the entry as at the entry point",
            seen=entry.name,
            wanted=f"'{point.name}', and none of {', '.join(own.name for own in _OWN)}",
        )
    if not (isinstance(entry.settings, type) and issubclass(entry.settings, DetectorSettings)):
        raise DetectorError(
            f"the settings of detector '{point.name}' of {point.value} are no DetectorSettings",
            seen=getattr(entry.settings, "__name__", entry.settings),
            wanted="a class derived from oddframe.detectors.DetectorSettings",
        )
    return entry
