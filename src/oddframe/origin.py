"""Where a run comes from: what `run.json` holds, as a record. An artefact and a result keep the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainSerializer, PlainValidator

from oddframe.data.source import DataInfo
from oddframe.records import FileRecord, Record
from oddframe.settings import ScoreSettings, Settings
from oddframe.settings_layers import settings_from_dict, without_removed
from oddframe.video.resample import same_rate

_AS_IT_IS = "every frame is judged"


class SectionInfo(Record):
    """Frames start..stop-1 of a video."""

    video: str
    start: int = Field(ge=0)
    stop: int = Field(ge=0)


class SplitInfo(Record):
    """Who learned what, by the names of videos; `data/protocols.py` says what each part is."""

    protocol: str = Field(pattern=r"^[a-z]{1,20}$")  # it stands in the names of files
    fold: int | None
    folds: int | None
    rate: float | None = None
    known_classes: tuple[str, ...] = ()
    normal: tuple[SectionInfo, ...]
    known: tuple[str, ...]
    test: tuple[str, ...]
    heldout: tuple[SectionInfo, ...]
    heldout_known: tuple[str, ...]
    known_normal: str = "use"


class HostInfo(Record):
    """What kind of machine it was; nothing that names it. `usable_cores`: how many the process might use."""

    processor: str
    cores: int | None
    usable_cores: int | None = None
    bf16_units: bool
    int8_units: bool
    system: str


class HistoryRecord(Record):
    """One line of history.jsonl: the mean over the steps since the line before.

    Attributes:
        epoch: from 1. step: so many have been taken. seconds: of training so far. lr: the rate of learning.
        terms: loss term → its mean. ailments: what is wrong with the memories, at the end of an epoch.
    """

    model_config = ConfigDict(extra="ignore")  # a line of another version is better than none

    epoch: int
    step: int
    seconds: float
    lr: float
    terms: dict[str, float]
    ailments: tuple[str, ...] = ()


class ClipCounts(Record):
    """Clips of one pass; `abnormal_there` where fewer abnormal ones were drawn than there are."""

    normal: int
    abnormal: int
    abnormal_there: int | None = None


class TimeBudget(Record):
    """A time that a training was to fit into.

    Attributes:
        asked_s: the time, in seconds. step_s: of a step, as measured before the training.
        epochs_asked: of the settings that were asked for. epochs: that fitted; the run's settings have these.
    """

    asked_s: float = Field(gt=0)
    step_s: float = Field(ge=0)
    epochs_asked: int = Field(ge=1)
    epochs: int = Field(ge=1)


Versions = dict[str, str]
"""Python and packages → version."""


class Origin(FileRecord):
    """What a run is made of, but for its settings.

    Attributes:
        state: "training" until weights and calibration are there. command: what was typed.
        device, precision: that it was trained with. notes: what a reader must know.
        time_budget: the time that the training was to fit into; None where none was given.
        rates: scene → frames a second of its normal training video; None where that is unknown, or not one rate. None
            for all in runs of older versions.
        parameters, clips, seconds_training, share_waiting_for_data, peak_memory_mb: None until they are known.
    """

    state: Literal["training", "finished"]
    data: DataInfo
    split: SplitInfo
    command: str = ""
    versions: Versions = Field(default_factory=dict)
    host: HostInfo | None = None
    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    notes: tuple[str, ...] = ()
    time_budget: TimeBudget | None = None
    rates: dict[str, float | None] | None = None
    parameters: int | None = None
    clips: ClipCounts | None = None
    seconds_training: float | None = None
    share_waiting_for_data: float | None = None
    peak_memory_mb: float | None = None


@dataclass(frozen=True)
class Rate:
    """The frames a second that a detector's video is to have; None where it is judged as it comes, and why."""

    fps: float | None = None
    why: str = ""


def rate_of(origin: Origin, scene: str) -> Rate:
    """The rate that a detector was trained at for a scene; of a scene that it does not know, that of all, if it is one.

    >>> rate_of(Origin.model_construct(rates={"gate": 25.0, "belt": 10.0}), "belt").fps
    10.0
    """
    if origin.rates is None:
        return Rate(
            None, f"the run does not say at which frame rate it was trained, as it is of an older version: {_AS_IT_IS}"
        )
    fps = origin.rates.get(scene)
    if scene not in origin.rates:
        fps = common_rate(origin.rates.values())
    return Rate(
        fps, "" if fps else f"the detector was trained on video of no known frame rate, or of several: {_AS_IT_IS}"
    )


def common_rate(rates: Collection[float | None]) -> float | None:
    """The one rate that all of these are, up to what `same_rate` allows; None where there is none.

    >>> common_rate([25.0, 24.0]), common_rate([25.0, 10.0]), common_rate([25.0, None])
    (25.0, None, None)
    """
    known = [rate for rate in rates if rate]
    if not known or len(known) < len(rates) or not same_rate(min(known), max(known)):
        return None
    return max(known)


def _settings(given: Any) -> Settings:
    if isinstance(given, Settings):
        return given
    if not isinstance(given, Mapping):
        raise ValueError("no settings")
    return settings_from_dict(without_removed(given)[0])


StoredSettings = Annotated[
    Settings, PlainValidator(_settings), PlainSerializer(lambda settings: settings.to_dict(), return_type=dict)
]
"""Settings in full, as they stand in a file."""


class RunInfo(Origin):
    """What run.json holds.

    Attributes:
        settings: in full, as they are now.
        weights, evidence: SHA-256 of weights.safetensors and evidence.npz; None until they are written, and in runs of
            older versions.
        trained_score: settings of `score` that it was trained with, where it has been calibrated again since.
        started_from: SHA-256 of the weights that the training began with; None where they were drawn.
    """

    settings: StoredSettings
    weights: str | None = None
    evidence: str | None = None
    trained_score: ScoreSettings | None = None
    started_from: str | None = None

    def without_settings(self) -> Origin:
        """The same but for the settings."""
        return Origin(**{name: getattr(self, name) for name in Origin.model_fields})
