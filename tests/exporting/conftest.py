"""Runs to export: a tiny network, and frame differences, which have nothing to train."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import oddframe as odd
from oddframe.settings_layers import load_settings

from ..conftest import _make_video, moving_square

SMALL = ("model.size=[48, 64]", "data.least_heldout=1", "train.epochs=1", "train.batch=8", "train.abnormal_batch=4")


def walker(index: int):
    """A square that walks to and fro."""
    return moving_square(27 - abs(index % 54 - 27))


def runner(index: int):
    """The same, and from frame 16 to frame 25 one of twelve times its size that runs, six times as fast."""
    picture = walker(index)
    if 16 <= index < 26:
        left = 12 * (index - 16) % 48
        picture[8:40, left : left + 24] = (250, 230, 60)
    return picture


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two normal videos, and a labelled one with a runner."""
    home = tmp_path_factory.mktemp("export") / "gate"
    for name, first in {"a": 0, "b": 30}.items():  # what is held out of both is all of the way
        _make_video(home / "normal" / f"{name}.mp4", frames=30, pictures=lambda at, first=first: walker(first + at))
    _make_video(home / "test" / "day.mp4", frames=40, pictures=runner)
    (home / "labels.csv").write_text("video,start,end\nday,16,26\n")
    return home


@pytest.fixture(scope="session")
def run(gate: Path) -> odd.Run:
    """A network of 4 channels with its decoder, trained for some steps.

    Motion finds the runner whatever the network has learned.
    """
    online = "score.online=[distance, local_distance, motion, direction]"
    small = (*SMALL, "model.width=4", "model.decoder=true", "model.channels=3", online)
    return odd.train(gate, out=gate.parent / "run", settings=load_settings("tiny", overrides=small))


@pytest.fixture(scope="session")
def still(gate: Path) -> odd.Run:
    """Frame differences: the smallest graph there is."""
    settings = load_settings("tiny", detector="framediff", overrides=SMALL)
    return odd.train(gate, out=gate.parent / "still", settings=settings)


@pytest.fixture(scope="session")
def artefact(run: odd.Run) -> odd.Artefact:
    """The network as model.onnx. Tests that would change it take a copy."""
    return odd.export(run, run.folder.parent / "model")


@pytest.fixture
def day(gate: Path) -> Callable[[], odd.Scores]:
    """Where the labelled video is."""
    return gate / "test" / "day.mp4"
