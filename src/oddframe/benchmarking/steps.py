"""The training step as `oddframe train` takes it, timed."""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path

import numpy as np

from oddframe.benchmarking.drawn import made_frames
from oddframe.models.weights import build_detector
from oddframe.nn.flops import count_flops
from oddframe.nn.precision import resolve_device, resolve_precision, to_device
from oddframe.progress import Progress
from oddframe.settings import Settings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop

_KNOWN_FRAMES = 24
"""Frames that serve as known anomalies, as many of Sec. IV-C's trainings have some."""


class Steps:
    """A fresh network of these settings, and steps of its training.

    Args:
        settings: of a run; the number of epochs does not matter.
        device: "auto", "cpu", "cuda".

    Attributes:
        precision: of the arithmetic, as resolved here.
    """

    def __init__(self, settings: Settings, device: str) -> None:
        self._settings = settings
        self._device = resolve_device(device)
        self.precision = resolve_precision(settings.train.precision, self._device)
        self._detector = to_device(build_detector(settings.detector, settings.model, settings.train.seed), self._device)

    @property
    def clips(self) -> int:
        """How many clips a step learns from, of all roles."""
        roles, train = self._detector.roles, self._settings.train
        return train.batch * (1 + ("second" in roles)) + train.abnormal_batch * ("abnormal" in roles)

    def take(self, clips: ClipSampler) -> list[tuple[float, float]]:
        """Train on these clips once: (seconds, seconds of them waited for clips) of each step but the first."""
        marks: list[tuple[float, float]] = []

        def watch(progress: Progress) -> None:
            if progress.stage == "training":
                marks.append((time.perf_counter(), loop.position.waited_s))

        with tempfile.TemporaryDirectory(prefix="oddframe-bench-") as folder:
            loop = Loop(
                self._detector,
                clips,
                self._settings.train.model_copy(update={"epochs": 1}),
                folder=Path(folder),
                device=self._device,
                precision=self.precision,
                watch=watch,
            )
            loop.run()
        return [(now[0] - then[0], now[1] - then[1]) for then, now in itertools.pairwise(marks)]

    def flops(self) -> int:
        """Floating-point operations of one step on made clips, forward and backward, see `count_flops`."""
        clips = self.made_clips(1)
        return count_flops(lambda: self.take(clips))

    def made_clips(self, steps: int) -> ClipSampler:
        """Clips of made pictures for so many steps, with a known anomaly."""
        model, train, window = self._settings.model, self._settings.train, self._detector.window.frames
        normal = steps * train.batch + window - 1
        total = normal + max(_KNOWN_FRAMES, window)
        pixels = np.stack([frame.pixels for frame in made_frames(total, model.size)])[..., : int(model.channels)]
        known = np.arange(total) >= normal
        sources = [ClipSource("normal", pixels, known, 0, normal), ClipSource("known", pixels, known, normal, total)]
        return ClipSampler(sources, window, train, self._detector.roles, known=1)
