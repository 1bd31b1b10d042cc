"""What each preset changes in the default settings, which are the paper's text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ON_CPU: dict[str, Any] = {
    # The discriminative half alone: without its decoder the network is three times as fast, and on two cores the
    # time is better spent on more pixels (docs/explanation/cpu-preset.md).
    "model": {
        "channels": 1,
        "patch": 2,
        "decoder": False,
        "decode_abnormal": False,
        "discriminator": False,
        "update_weight": "max",
        "separateness_distance": "plain",
        "query_margin": 1.0,
        "compactness": 0.3,
        "compactness_beside": True,
        "worst_share": 0.05,
        "joint_batch": True,
    },
    "train": {
        "batch": 8,
        "abnormal_batch": 8,
        "optimizer": "adamw",
        "lr": 3e-4,
        "weight_decay": 1e-4,
        "schedule": "onecycle",
        "gradient_clip": 1.0,
        "light": 0.1,
        "pseudo_anomalies": ["skip", "paste", "transplant"],
        "slowed": 0.25,
        "crowd": 0.5,
    },
    "score": {
        # without a decoder PSNR is that of frame differences, and Eq. 12 is better off with little of it
        "gamma": 0.1,
        "online": ["distance", "local_distance"],
        "per_place": ["local_distance"],
        "place_normal": "rarity",
        "fusion": "oddest",
        "smoothing": 3,
    },
}


def _with(base: Mapping[str, Any], **rooms: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {**base.get(name, {}), **rooms.get(name, {})} for name in {*base, *rooms}}


PRESETS: dict[str, dict[str, Any]] = {
    # the paper's text
    "paper": {"data": {"resize": "linear"}},
    # what the first author's published code does where it differs from the text
    "authors": {"data": {"resize": "linear"}, "model": {"reading": "code"}},
    # the best detection in the time of two cores
    "cpu": _with(
        _ON_CPU,
        model={"size": [240, 360], "width": 24},
        train={"epochs": 6, "flips": True},
        score={"online": ["distance", "local_distance", "flow", "direction"]},
    ),
    # the largest network that keeps up with 150 frames a second on two cores; optical flow would take a third of that
    "live": _with(_ON_CPU, model={"size": [128, 192], "width": 16}, train={"epochs": 6, "flips": True}),
    # tests and the demo; its line rests on a minute of video, where the bound of a maximum is wide
    "tiny": _with(
        _ON_CPU,
        model={"size": [96, 144], "width": 12},
        train={"epochs": 5, "lr": 5e-4},
        score={"online": ["distance", "local_distance", "direction"], "fusion": "sum"},
    ),
}
