"""A set of small videos, and one training of it that nobody interrupts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from oddframe.runs import Run
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.training.train import train

SMALL = (
    "model.size=[32, 48]",
    "model.width=4",
    "model.items=4",
    "train.epochs=3",
    "train.batch=8",
    "train.abnormal_batch=4",
    "data.heldout=0.3",
    "data.least_heldout=1",
)


def draw(index: int, seed: int) -> np.ndarray:
    """(32, 48) grey: noise, and a bright square that moves three pixels a frame."""
    picture = np.random.default_rng((seed, index)).integers(60, 70, (32, 48), np.uint8)
    left = (3 * index + 11 * seed) % 40
    picture[12:20, left : left + 8] = 230
    return picture


def write_set(home: Path, videos: dict[str, int], *, still: bool = False) -> Path:
    """A folder of videos, by name and number of frames."""
    for seed, (name, frames) in enumerate(videos.items()):
        (home / name).mkdir(parents=True)
        for index in range(frames):
            assert cv2.imwrite(str(home / name / f"{index:03}.png"), draw(0 if still else index, seed))
    return home


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Weights are the same to the bit only where sums are split among the same number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three normal videos of 30 frames and a known anomaly of 12."""
    home = tmp_path_factory.mktemp("videos") / "gate"
    return write_set(home, {"normal/a": 30, "normal/b": 30, "normal/c": 30, "abnormal/odd": 12})


@pytest.fixture
def make_set() -> Callable[..., Path]:
    """make_set(folder, {"normal/a": 30}, still=True) -> the folder, with videos of so many frames."""
    return write_set


@pytest.fixture
def small() -> Callable[..., Settings]:
    """small("train.lr=1e-4") -> settings of a training that takes a second."""
    return lambda *overrides: load_settings("tiny", overrides=[*SMALL, *overrides])


@pytest.fixture(scope="session")
def whole(gate: Path, one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of `gate` with the settings `small()`. Tests that would change it take a copy."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return train(gate, out=out, settings=load_settings("tiny", overrides=SMALL))
