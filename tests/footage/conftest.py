"""The smallest run that there is, and a video for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.runs import Run
from oddframe.training.train import train


def flashing(index: int) -> np.ndarray:
    """Noise, in which a bright square comes or goes in frames 32, 34, ... 50."""
    picture = np.random.default_rng(index).integers(90, 100, (48, 64, 1), np.uint8)
    if 30 <= index < 50 and index % 4 < 2:
        picture[8:24, 40:56] = 255
    return picture


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Frame differences, calibrated on noise."""
    home = tmp_path_factory.mktemp("gate")
    for index in range(80):
        (home / "normal").mkdir(exist_ok=True)
        cv2.imwrite(str(home / "normal" / f"{index:03}.png"), flashing(1000 + index))
    sizes = [
        "model.size=[48, 64]",
        "model.channels=1",
        "data.heldout=0.5",
        "data.least_heldout=1",
        "score.online=[psnr, local_error]",
    ]
    return train(home / "normal", out=home / "run", preset="paper", detector="framediff", overrides=sizes)


@pytest.fixture
def gate(tmp_path: Path, make_frame_folder: Callable[..., Path]) -> Path:
    """Sixty frames with an event from 32 to 50."""
    return make_frame_folder(tmp_path / "gate", frames=60, pictures=flashing)
