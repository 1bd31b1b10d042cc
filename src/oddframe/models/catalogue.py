"""Every detector in plain values: what it is, its settings, and how large it is in each preset."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from oddframe.detectors import DetectorEntry, DetectorSettings, detectors
from oddframe.errors import OddframeError
from oddframe.plain import Json
from oddframe.presets import PRESETS
from oddframe.records import Record
from oddframe.settings_layers import load_settings


class PresetFigures(Record):
    """How large a detector is in a preset.

    Attributes:
        size: (height, width) of its pictures. training, inference: numbers of parameters, None without torch.
        problem: why these are None in a preset that does not fit, or for a detector that breaks its contract.
    """

    size: tuple[int, int] | None = None
    training: int | None = None
    inference: int | None = None
    problem: str | None = None

    def to_dict(self) -> Json:
        """As plain JSON values; `problem` where there is one."""
        return {name: value for name, value in super().to_dict().items() if name != "problem" or value is not None}


class DetectorFacts(Record):
    """A detector.

    Attributes:
        settings: name → JSON schema: type or enum, default, description, bounds. presets: name → figures.
    """

    name: str
    summary: str
    settings: dict[str, dict[str, JsonValue]]
    presets: dict[str, PresetFigures]

    def to_dict(self) -> Json:
        """As plain JSON values."""
        return super().to_dict() | {"presets": {name: one.to_dict() for name, one in self.presets.items()}}


def catalogue() -> list[DetectorFacts]:
    """Describe every detector that is installed, this package's first."""
    return [
        DetectorFacts(
            name=entry.name,
            summary=entry.summary,
            settings=settings_schema(entry.settings),
            presets={preset: _figures(entry, preset) for preset in PRESETS},
        )
        for entry in detectors().values()
    ]


def settings_schema(kind: type[BaseModel]) -> dict[str, dict[str, JsonValue]]:
    """Name → JSON schema of each setting."""
    properties = kind.model_json_schema()["properties"]
    return {name: {key: value for key, value in one.items() if key != "title"} for name, one in properties.items()}


def _figures(entry: DetectorEntry, preset: str) -> PresetFigures:
    size = None
    try:
        settings = load_settings(preset, detector=entry.name).model
        size = settings.size
        counts = _parameters(entry, settings)
        return PresetFigures(size=size, training=counts.get("training"), inference=counts.get("inference"))
    except OddframeError as error:  # one broken detector must not hide all others
        return PresetFigures(size=size, problem=str(error))


def _parameters(entry: DetectorEntry, settings: DetectorSettings) -> dict[str, int]:
    try:
        import torch

        from oddframe.models.weights import build_detector
    except ImportError:
        return {}
    # shapes only: nothing is drawn and no memory is taken
    with torch.device("meta"):
        return build_detector(entry.name, settings, 0).parameter_counts()
