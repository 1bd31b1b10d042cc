"""The side to beat in `benchmarks/peer_step.py` does what this package's MNAD does, the slow way."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch
from tests.shared import benchmark

from oddframe.detectors.peers import MnadSettings
from oddframe.models.detector import Batch, Clips
from oddframe.models.mnad import Mnad
from oddframe.nn.memory import Memory, unit

SETTINGS = MnadSettings(size=(16, 24), width=4, channels=3, items=3)


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    return benchmark("plain_mnad")


def same_network(plain: ModuleType) -> tuple[torch.nn.Module, Mnad]:
    ours = Mnad(SETTINGS)
    theirs = plain.PlainMnad(SETTINGS)
    own = ours.state_dict()
    theirs.load_state_dict({name: own[name] for name in theirs.state_dict()})
    return theirs, ours


def test_items_updated_one_by_one_are_those_of_the_matrix_product(plain: ModuleType) -> None:
    draw = torch.Generator().manual_seed(3)
    memory = Memory(5, 8, update_weight="max", generator=draw)
    queries = unit(torch.randn(2, 8, 3, 4, generator=draw))
    wanted = plain.updated_items(memory.items.clone(), queries.permute(0, 2, 3, 1))
    memory.update(queries)
    assert torch.allclose(memory.items, wanted, atol=1e-6)


def test_losses_are_those_of_the_detector(plain: ModuleType) -> None:
    network, detector = same_network(plain)
    clips = torch.rand(2, 5, 3, 16, 24) * 2 - 1
    (objective,) = detector.train().objectives(Batch(Clips(clips)))

    predicted, queries, scores = network.train()(clips[:, :4].flatten(1, 2), detector.memory.items)
    compactness, separateness = plain.memory_losses(queries, scores, detector.memory.items)

    assert torch.allclose(torch.mean((predicted - clips[:, 4]) ** 2), objective.terms["reconstruction"], atol=1e-6)
    assert torch.allclose(compactness, objective.terms["compactness"], atol=1e-6)
    assert torch.allclose(separateness, objective.terms["separateness"], atol=1e-5)


@pytest.mark.slow
def test_frames_on_disk_are_trained_on_and_scored(plain: ModuleType, tmp_path: Path) -> None:
    for index in range(8):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((20, 30, 3), 20 * index, np.uint8))
    pictures = plain.PlainPictures(sorted(tmp_path.iterdir()), SETTINGS)

    taken = list(plain.PlainTraining(SETTINGS, pictures).steps(2, np.random.default_rng(0)))
    scored = plain.PlainScoring(SETTINGS, pictures).score(len(pictures))

    assert all(0 < reading < whole for whole, reading in taken)
    assert len(scored) == 4
    assert pictures.clips([2])[0, 6, 0, 0] == pytest.approx(20 * 4 / 127.5 - 1)
