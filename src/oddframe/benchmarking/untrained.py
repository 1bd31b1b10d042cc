"""A network that has learnt nothing, for who has none: neither speed nor memory depends on what weights are worth."""

from __future__ import annotations

from pathlib import Path

from oddframe.data.open import open_videoset
from oddframe.models.weights import build_detector, save_tensors
from oddframe.progress import Watcher
from oddframe.runs import Run
from oddframe.settings import Settings
from oddframe.training.train import train
from oddframe.video.open import open_beginning

_CALIBRATED_FRAMES = 40


def untrained_run(folder: Path, settings: Settings, video: Path, watch: Watcher) -> Run:
    """A run whose network is as it was drawn, calibrated on the first frames of a video.

    Raises:
        DataError, SettingsError, DetectorError: as `train`.
    """
    folder.mkdir(parents=True)
    detector = build_detector(settings.detector, settings.model, settings.train.seed)
    # A training that finds weights has only the calibration left to do.
    save_tensors(detector.state_dict(), folder / "weights.safetensors")
    data = settings.data.model_copy(update={"heldout": 0.5, "least_heldout": 1})
    normal = open_videoset([video], "files", end=open_beginning(video, _CALIBRATED_FRAMES).end)
    return train(normal, out=folder, settings=settings.model_copy(update={"data": data}), watch=watch)
