"""Every detector in plain values: what it is, its settings, and how large it is in each preset."""

from __future__ import annotations

from typing import Any

from oddframe.detectors import DetectorEntry, DetectorSettings, detectors
from oddframe.settings import PRESETS, load_settings


def catalogue() -> list[dict[str, Any]]:
    """Describe every detector that is installed, this package's first.

    Returns:
        One record a detector: "name", "summary", "settings" (name → JSON schema: type or enum, default, description,
        bounds), and "presets" (name → "size" as (height, width), and "training" and "inference", numbers of
        parameters, None where torch is not installed).
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
    settings = load_settings(preset, detector=entry.name).model
    counts = _parameters(entry, settings)
    return {"size": list(settings.size), "training": counts.get("training"), "inference": counts.get("inference")}


def _parameters(entry: DetectorEntry, settings: DetectorSettings) -> dict[str, int]:
    try:
        import torch
    except ImportError:
        return {}
    # shapes only: nothing is drawn and no memory is taken
    with torch.device("meta"):
        counts: dict[str, int] = entry.load()(settings).parameter_counts()
    return counts
