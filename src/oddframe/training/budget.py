"""A training that is to fit into a given time: as many epochs as fit, with a schedule made for them.

A step is measured on a network of its own, which is thrown away. The training that follows is the one that
`--set train.epochs=N` would be, learning rates and all: nothing is cut off in the middle.
"""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path

import torch

from oddframe.bars import roughly
from oddframe.data.protocols import Split
from oddframe.errors import SettingsError
from oddframe.models.weights import build_detector
from oddframe.nn.precision import Precision, to_device
from oddframe.origin import TimeBudget
from oddframe.presets import PRESETS
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.settings import Settings
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop
from oddframe.training.pace import BACKWARD, clips_in_step

MARGIN = 0.1
"""Of the time, that is kept back: a machine is not always as fast as in the first steps."""

_UNITS_S = {"h": 3600.0, "m": 60.0, "min": 60.0, "s": 1.0}


def parse_budget(time: str | float) -> float:
    """Seconds of a time budget: a number of them, or text as "20m", "1h30m", "90s".

    Raises:
        SettingsError: it is neither, or not above 0.

    >>> parse_budget("1h30m"), parse_budget(90)
    (5400.0, 90.0)
    """
    if isinstance(time, str):
        parts = re.findall(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)", time)
        whole = re.fullmatch(r"(?:\s*\d+(?:\.\d+)?\s*(?:h|min|m|s))+\s*", time) is not None
        seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts) if whole else -1.0
    else:
        seconds = float(time)
    if not 0 < seconds < math.inf:
        raise SettingsError("this is no time budget", seen=time, wanted="for example 20m, 1h30m or 90s")
    return seconds


def fit(
    budget_s: float,
    spent_s: float,
    settings: Settings,
    parts: Split,
    sampler: ClipSampler,
    device: torch.device,
    precision: Precision,
    watch: Watcher,
) -> TimeBudget:
    """How many epochs fit.

    Args:
        budget_s: for all that `train` does. spent_s: of it, so far, mostly on decoding.

    Raises:
        SettingsError: not even one epoch does.
    """
    watch(Progress("measuring steps", 0, 0))
    detector = to_device(build_detector(settings.detector, settings.model, settings.train.seed), device)
    with tempfile.TemporaryDirectory(prefix="oddframe-pace-") as folder:
        loop = Loop(
            detector,
            sampler,
            settings.train,
            folder=Path(folder),
            device=device,
            precision=precision,
            watch=unwatched,
        )
        step_s, took_s = loop.time_steps()
    judged = sum(map(len, parts.heldout)) + sum(one.video.frame_count for one in parts.heldout_known)
    calibrating_s = judged * step_s / clips_in_step(detector, settings) / BACKWARD
    before_s = spent_s + took_s + calibrating_s
    epoch_s = step_s * sampler.steps_per_epoch
    fitting = math.floor(((1 - MARGIN) * budget_s - before_s) / epoch_s)
    if fitting < 1:
        least_s = (before_s + epoch_s) / (1 - MARGIN)
        raise SettingsError(
            "not even one epoch fits into the time budget",
            seen=f"{roughly(budget_s)}; an epoch takes about {roughly(epoch_s)}, all else {roughly(before_s)}",
            wanted=f"about {roughly(least_s)}",
            hint=f"--time-budget {math.ceil(least_s / 60)}m{or_smaller(settings)}",
        )
    return TimeBudget(
        asked_s=budget_s,
        step_s=round(step_s, 4),
        epochs_asked=settings.train.epochs,
        epochs=min(fitting, settings.train.epochs),
    )


def or_smaller(settings: Settings) -> str:
    """Presets whose pictures are smaller than the ones asked for, as the end of a hint."""
    smaller = [
        f"--preset {name}"
        for name in ("live", "tiny")
        if math.prod(PRESETS[name]["model"]["size"]) < math.prod(settings.model.size)
    ]
    return f", or a smaller network: {' or '.join(smaller)}" if smaller else ""
