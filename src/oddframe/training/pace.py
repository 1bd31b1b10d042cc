"""How long a training takes: guessed from the network's arithmetic, then measured on its first steps."""

from __future__ import annotations

import statistics

import torch

from oddframe.models.detector import Detector
from oddframe.models.weights import build_detector
from oddframe.nn.flops import count_flops
from oddframe.nn.precision import Precision, matrix_product_limit
from oddframe.settings import Settings

SKIPPED = 2
"""Steps that load libraries and fill caches, before those that are measured."""

COUNTED = 8
"""Steps that are measured, unless they take longer than `ENOUGH_S`."""

ENOUGH_S = 20.0

SHARE_OF_LIMIT = 0.4
"""Of what matrix products reach, that a training step reaches: 0.3 to 0.6 on two cores, by the size of the network."""

BACKWARD = 3
"""A forward and a backward pass are so many forward passes."""


class Pace:
    """The time of a training's steps."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def add(self, seconds: float) -> bool:
        """Take note of a step; True for the one with which enough are measured."""
        if self.known:
            return False
        self._times.append(seconds)
        return self.known

    @property
    def known(self) -> bool:
        """Whether enough steps are measured."""
        counted = self._times[SKIPPED:]
        return len(counted) >= COUNTED or sum(counted) > ENOUGH_S

    @property
    def step_s(self) -> float:
        """Seconds of a step: the median of those that count."""
        return statistics.median(self._times[SKIPPED:])


def clips_in_step(detector: Detector, settings: Settings) -> int:
    """Clips that a step learns from, of all roles."""
    roles, chosen = detector.roles, settings.train
    return chosen.batch * (1 + ("second" in roles)) + chosen.abnormal_batch * ("abnormal" in roles)


def guessed_step_s(settings: Settings, device: torch.device, precision: Precision) -> float | None:
    """A guess at the seconds of a step, from its arithmetic and the speed of matrix products here.

    Returns:
        None where the network cannot be computed on shapes alone, or the precision has no units here.
    """
    limit = matrix_product_limit(device, precision)
    if limit is None:
        return None
    model = settings.model
    try:
        with torch.device("meta"), torch.no_grad():  # shapes only
            detector = build_detector(settings.detector, model, 0)
            clip = torch.zeros(1, detector.window.frames, int(model.channels), *model.size)
            flops = count_flops(lambda: detector(clip))
    except (RuntimeError, NotImplementedError):
        return None
    return BACKWARD * flops * clips_in_step(detector, settings) / (SHARE_OF_LIMIT * limit * 1e9)
