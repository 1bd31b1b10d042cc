"""Every detector in plain values: what it is, its settings, and how large it is in each preset."""

from __future__ import annotations

from typing import Any

from oddframe.detectors import DetectorEntry, DetectorSettings, detectors
from oddframe.errors import OddframeError
from oddframe.presets import PRESETS
from oddframe.settings_layers import load_settings


def catalogue() -> list[dict[str, Any]]:
    """Describe every detector that is installed, this package's first.

    Returns:
        One record a detector: "name", "summary", "settings" (name → JSON schema: type or enum, default, description,
        bounds), and "presets" (name → "size" as (height, width), and "training" and "inference", numbers of
        parameters, None where torch is not installed; "problem", why these are None in a preset that does not fit or
        for a detector that breaks its contract).
    """
    return [
        {
            "name": entry.name,
            "summary": entry.summary,
            "settings": settings_schema(entry.settings),
            "presets": {preset: _figures(entry, preset) for preset in PRESETS},
        }
        for entry in detectors().values()
    ]


def settings_schema(kind: type[DetectorSettings]) -> dict[str, Any]:
    """Name → JSON schema of each setting of a detector."""
    properties = kind.model_json_schema()["properties"]
    return {name: {key: value for key, value in one.items() if key != "title"} for name, one in properties.items()}


def _figures(entry: DetectorEntry, preset: str) -> dict[str, Any]:
    figures: dict[str, Any] = {"size": None, "training": None, "inference": None}
    try:
        settings = load_settings(preset, detector=entry.name).model
        figures["size"] = list(settings.size)
        return figures | _parameters(entry, settings)
    except OddframeError as error:  # one broken detector must not hide all others
        return figures | {"problem": str(error)}


def _parameters(entry: DetectorEntry, settings: DetectorSettings) -> dict[str, int]:
    try:
        import torch

        from oddframe.models.weights import build_detector
    except ImportError:
        return {}
    # shapes only: nothing is drawn and no memory is taken
    with torch.device("meta"):
        return build_detector(entry.name, settings, 0).parameter_counts()
