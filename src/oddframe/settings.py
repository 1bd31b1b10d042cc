"""Settings: one tree from preset, file and overrides, refusing what it does not know.

    Settings
    ├── detector   name of the detector
    ├── data       protocol and what is held out
    ├── model      the detector's own settings (`detectors/`)
    ├── train      the loop's
    └── score      evidence, calibration, alarms

`settings_layers.py` builds it from a preset, a file and overrides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal, get_args

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from oddframe.detectors import DetectorSettings, detector_entry
from oddframe.detectors.settings import Strict
from oddframe.errors import SettingsError
from oddframe.plain import Json

DEFAULT_DETECTOR = "dream-unet"


Component = Literal["psnr", "distance", "local_error", "local_distance", "motion", "flow", "direction"]
PlaceBy = Literal["spread", "rarity"]

FusedBy = Literal["sum", "oddest"]


class DataSettings(Strict):
    """How videos become training and test clips."""

    protocol: Literal["standard", "kfold", "rate", "unseen"] = Field(
        default="standard",
        description="official sets, K folds (Sec. IV-C), a share of abnormal clips (Sec. IV-E), or classes of anomaly "
        "that only the test shows",
    )
    fold: int | None = Field(default=None, ge=0, description="which fold joins the training, counted from 0")
    folds: int = Field(default=10, ge=2, description="K")
    shuffle: int | None = Field(default=None, ge=0, description="deal videos to folds at random with this seed")
    rate: float | None = Field(
        default=None, gt=0, lt=1, description="share of abnormal clips among the training clips; of the protocol rate"
    )
    known_classes: tuple[str, ...] = Field(
        default=(), description="classes of anomaly that are known; of the protocol unseen"
    )
    known: Literal["use", "leave-out"] = Field(
        default="use", description="the known anomalies that a set brings along, as abnormal/ of a folder"
    )
    known_normal: Literal["use", "drop"] = Field(default="use", description="normal clips of the known-anomaly videos")
    heldout: float = Field(default=0.1, gt=0, le=0.5, description="share of normal video kept for calibration")
    least_heldout: int = Field(
        default=100,
        ge=1,
        description="held-out normal frames that a training wants at least; what is rare cannot be told from fewer",
    )
    heldout_known: float = Field(default=0.0, ge=0, le=0.9, description="share of known anomalies kept for `learned`")
    resize: Literal["area", "linear"] = Field(default="area", description="how pictures are resized")
    pixel_range: tuple[int, int] | None = Field(
        default=None,
        description="values of 16-bit pictures that become black and white; learned from the normal video if not given",
    )
    allow_cut_off: bool = Field(
        default=False,
        description="train on what is readable of videos that end in the middle and of folders with broken pictures",
    )

    @field_validator("pixel_range")
    @classmethod
    def _range_is_one(cls, given: tuple[int, int] | None) -> tuple[int, int] | None:
        if given is not None and not 0 <= given[0] < given[1] <= 65535:
            raise ValueError("two numbers from 0 to 65535, the smaller first")
        return given


class TrainSettings(Strict):
    """The training loop. Defaults are the paper's (Sec. IV-B)."""

    epochs: int = Field(default=60, ge=1, description="passes over the normal clips")
    batch: int = Field(default=4, ge=1, description="normal clips a step")
    abnormal_batch: int = Field(default=4, ge=0, description="abnormal clips a step")
    accumulate: int = Field(
        default=1,
        ge=1,
        description="batches whose gradients are averaged for one step of the optimizer, where memory is too small for "
        "a larger batch; memories follow every batch",
    )
    optimizer: Literal["adam", "adamw"] = Field(
        default="adam", description="adamw decays weights apart from the gradient"
    )
    lr: float = Field(default=2e-5, gt=0, description="learning rate; the peak of `onecycle`, the start of `cosine`")
    weight_decay: float = Field(default=0.0, ge=0, description="weight decay of the optimizer")
    schedule: Literal["cosine", "onecycle", "constant"] = Field(
        default="cosine", description="cosine steps once an epoch, as the paper; constant stays at `lr`"
    )
    gradient_clip: float = Field(default=0.0, ge=0, description="largest gradient norm; 0 is off")
    flips: bool = Field(default=False, description="mirror half of the clips left to right")
    light: float = Field(default=0.0, ge=0, le=0.5, description="brightness and contrast vary by up to this share")
    pseudo_anomalies: tuple[Literal["skip", "paste", "transplant", "draw"], ...] = Field(
        default=(),
        description="abnormal clips made of normal ones: played 2-5 times too fast, with a patch of another video, "
        "with a known anomaly cut out by its masks (left out where there are none), or with something drawn into it: a "
        "cyclist, a cart, an animal",
    )
    pseudo_share: float = Field(
        default=0.5, ge=0, le=1, description="share of pseudo-anomalies where there are known ones"
    )
    slowed: float = Field(
        default=0,
        ge=0,
        le=1,
        description="share of normal, known abnormal, pasted and transplanted clips that are played at half their pace "
        "or show one frame alone, so that looks tell what is odd in them",
    )
    crowd: float = Field(
        default=0,
        ge=0,
        le=1,
        description="share of clips into which what moves in a normal clip of the same view is put",
    )
    drawn_walkers: float = Field(
        default=0,
        ge=0,
        le=1,
        description="share of normal clips of people on foot into which another walker is drawn, so that, with `draw`, "
        "to be drawn is nothing odd",
    )
    seed: int = Field(
        default=2020, ge=0, lt=2**32, description="seed of the weights, of the draws of clips, and of what is held out"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="of the arithmetic; auto takes bf16 only where the processor is fast at it"
    )
    device: str = Field(default="auto", description="auto | cpu | cuda | cuda:1")
    compile: bool = Field(
        default=False,
        description="compile the parts of the network before training, which takes minutes and, on a processor, a C++ "
        "compiler; on two cores it gained nothing",
    )
    checkpoint_minutes: float = Field(
        default=5.0, gt=0, description="a checkpoint at least this often, besides each epoch"
    )
    batch_statistics: Literal["own-rank", "all-ranks"] = Field(
        default="all-ranks",
        description="what batch norm takes mean and variance over, where several ranks train: each over its own part "
        "of a batch, or all over the whole batch, as one process does; the running ones of rank 0 are kept",
    )
    keep_every: int = Field(
        default=0, ge=0, description="keep the weights after every so many epochs beside the last ones; 0 is off"
    )
    skip_step: tuple[int, int] = Field(default=(2, 5), description="how many times too fast `skip` plays")

    @field_validator("skip_step")
    @classmethod
    def _skip_is_a_range(cls, steps: tuple[int, int]) -> tuple[int, int]:
        low, high = steps
        if not 2 <= low <= high:
            raise ValueError("two numbers from 2 up, the smaller first")
        return steps


class ScoreSettings(Strict):
    """From evidence to alarms."""

    window: int = Field(
        default=16, ge=1, description="side of the windows of the local components, in the detector's pixels"
    )
    stride: int = Field(default=8, ge=1, description="step from window to window")
    local_share: float = Field(
        default=0.03, gt=0, le=1, description="a local component is the mean over this share of places, the oddest ones"
    )
    gamma: float = Field(default=0.6, ge=0, le=1, description="weight of PSNR in Eq. 12")
    online: tuple[Component, ...] = Field(
        default=("psnr", "distance"),
        min_length=1,
        description="components whose calibrated values are added, those that a detector gives; `local_error` where it "
        "gives none of them",
    )
    per_place: tuple[Literal["local_error", "local_distance", "motion"], ...] = Field(
        default=(),
        description="local components that are standardised at each place before the oddest places are taken; "
        "`direction` always is",
    )
    place_normal: PlaceBy = Field(
        default="spread",
        description="what is normal at a place for `direction`: mean and spread of what is seen there, or how rare so "
        "much is there",
    )
    fusion: FusedBy = Field(
        default="sum",
        description="how components become `online`: their rarities added, or the highest of them, each measured by "
        "what it reaches on normal video",
    )
    smoothing: int = Field(default=1, ge=1, description="`online` is the mean over this many frames up to now")
    false_alarms_per_hour: float = Field(
        default=1.0, gt=0, description="rate on held-out normal video that draws the line"
    )
    shortest_event_s: float = Field(
        default=0.2, ge=0, le=3600, description="seconds that the odd frames of an event last together, at least"
    )
    merge_gap_s: float = Field(
        default=1.0, ge=0, le=3600, description="seconds of a pause across which two odd stretches are one event"
    )
    cool_down_s: float = Field(
        default=0.0,
        ge=0,
        le=86400,
        description="seconds after an event in which no other is raised; what is over by then counts as its repeat. "
        "The line is drawn as if there were none",
    )
    batch: int = Field(default=8, ge=1, description="frames judged at once; scores do not depend on it")


class Settings(Strict):
    """Everything that decides what a run is."""

    detector: str = DEFAULT_DETECTOR
    data: DataSettings = DataSettings()
    model: SerializeAsAny[DetectorSettings]
    train: TrainSettings = TrainSettings()
    score: ScoreSettings = ScoreSettings()

    @model_validator(mode="before")
    @classmethod
    def _model_is_the_detectors(cls, values: Any) -> Any:
        if isinstance(values, dict):
            kind = detector_entry(values.get("detector", DEFAULT_DETECTOR)).settings
            given = values.get("model", {})
            if isinstance(given, DetectorSettings) and not isinstance(given, kind):
                raise ValueError(f"model settings are {type(given).__name__}, wanted {kind.__name__}")
            values = values | {"model": given if isinstance(given, kind) else kind.model_validate(given)}
        return values

    def to_dict(self) -> Json:
        """As plain JSON values."""
        return self.model_dump(mode="json")

    def flat(self) -> Json:
        """Each setting as plain JSON by its full name, and the name of the detector.

        >>> Settings(model={}).flat()["score.smoothing"]
        1
        """
        found: Json = {}
        for room, value in self.to_dict().items():
            found |= {f"{room}.{key}": one for key, one in value.items()} if isinstance(value, dict) else {room: value}
        return found


_NO_MATTER = {
    "data.allow_cut_off",
    "train.device",
    "train.checkpoint_minutes",
    "score.batch",
    "data.least_heldout",
    "model.reading",
}
"""Settings that do not change what comes out. What a reading stands for is compared by itself."""


def differences(there: Settings, now: Settings) -> list[str]:
    """Where two settings differ so that something else comes out, as "train.epochs: 3 there, 6 now"."""
    before = as_used(there).flat()
    return [
        f"{name}: {before.get(name)} there, {value} now"
        for name, value in as_used(now).flat().items()
        if name not in _NO_MATTER and before.get(name) != value
    ]


LOCAL_COMPONENTS = ("local_error", "local_distance", "motion")


def given_components(settings: Settings) -> tuple[Component, ...] | None:
    """The components that the detector gives; None where its settings do not say."""
    if settings.model.gives_distance is None:
        return None
    known = get_args(Component)
    return tuple(one for one in known if settings.model.gives_distance or "distance" not in one)


BESIDE: tuple[Component, ...] = ("motion", "flow", "direction")
"""Components that no network gives; they can stand beside any."""


def given_online(wanted: Iterable[str], given: Collection[str]) -> tuple[str, ...]:
    """What `online` is made of: those wanted that a detector gives.

    Where it gives none of its own that were wanted, its local error takes their place: what a detector itself sees
    always counts, unless only others were asked for.

    >>> given_online(("distance", "local_distance", "direction"), ("psnr", "local_error", "direction"))
    ('local_error', 'direction')
    >>> given_online(("flow",), ("psnr", "local_error", "flow"))
    ('flow',)
    """
    wanted = tuple(wanted)
    found = tuple(one for one in wanted if one in given)
    own_lost = not any(one not in BESIDE for one in found) and any(one not in BESIDE for one in wanted)
    return ("local_error", *found) if own_lost or not found else found


def as_used(settings: Settings) -> Settings:
    """Settings in which `score` names no component that the detector does not give.

    Presets are made for detectors with distances. Of what they add the others take what they give, or else their local
    error; so it stands in the run.
    """
    there = given_components(settings)
    if there is None:
        return settings
    score = settings.score
    online = given_online(score.online, there)
    per_place = tuple(one for one in score.per_place if one in there)
    if (online, per_place) == (score.online, score.per_place):
        return settings
    return settings.model_copy(update={"score": score.model_copy(update={"online": online, "per_place": per_place})})


def refuse_missing_components(name: str, wanted: Iterable[str], given: Collection[str], detector: str) -> None:
    """Refuse components that were asked for by name and that the detector does not give.

    Args:
        name: "online" or "per_place".

    Raises:
        SettingsError: one of them is not given.
    """
    wanted = tuple(wanted)
    if lacking := [one for one in wanted if one not in given]:
        raise SettingsError(
            f"'{detector}' does not give {' and '.join(lacking)}",
            seen=f"score.{name}=[{','.join(wanted)}]",
            wanted=f"some of {', '.join(given)}",
            hint=f"--set score.{name}=[{','.join(one for one in wanted if one in given) or ','.join(given)}]",
        )
