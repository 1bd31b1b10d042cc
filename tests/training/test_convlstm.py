"""The detectors with a ConvLSTM, through the real loop: they learn, and go on where they were stopped."""

from __future__ import annotations

import pytest
import torch

from oddframe.models.weights import load_tensors
from oddframe.progress import Progress
from oddframe.settings_layers import load_settings
from oddframe.training.train import train

pytestmark = pytest.mark.slow  # trainings

SMALL = (
    "model.size=[16, 24]",
    "model.width=4",
    "train.epochs=4",
    "train.batch=8",
    "train.abnormal_batch=4",
    "train.lr=3e-3",
    "data.heldout=0.3",
    "data.least_heldout=1",
)


def stop_in_the_third_epoch(progress: Progress) -> None:
    """As a killed process: no checkpoint is written after that of the second epoch."""
    if progress.stage == "training" and progress.done == 8:
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["dream-convlstm", "mlep"])
def test_training_lowers_the_loss_and_goes_on_to_the_same_weights(name, gate, tmp_path):
    settings = load_settings("tiny", detector=name, overrides=SMALL)

    run = train(gate, out=tmp_path / "whole", settings=settings)
    with pytest.raises(KeyboardInterrupt):
        train(gate, out=tmp_path / "stopped", settings=settings, watch=stop_in_the_third_epoch)
    again = train(gate, out=tmp_path / "stopped", settings=settings)

    losses = [record["terms"]["loss"] for record in run.history()]
    assert losses[-1] < losses[0]
    whole, stopped = load_tensors(run.weights), load_tensors(again.weights)
    assert all(torch.equal(value, stopped[key]) for key, value in whole.items())


def test_mlep_without_anything_abnormal_says_so_and_learns_to_predict(make_set, tmp_path):
    videos = make_set(tmp_path / "calm", {"normal/a": 30, "normal/b": 30})
    settings = load_settings("paper", detector="mlep", overrides=[*SMALL, "train.epochs=1"])

    run = train(videos, out=tmp_path / "run", settings=settings)

    assert set(run.history()[0]["terms"]) == {"reconstruction", "loss"}
    assert any(note.startswith("nothing abnormal to learn from") for note in run.info.notes)
