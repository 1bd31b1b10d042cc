"""What every detector of this package can: train, go on after it was stopped, and judge whatever it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddframe.detectors import detectors
from oddframe.models.contract import check_evidence
from oddframe.models.detector import Detector
from oddframe.models.weights import build_detector
from oddframe.nn.pictures import to_unit_range
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.scorer import Scorer
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop
from oddframe.training.train import train

OWN = sorted(name for name, entry in detectors().items() if entry.class_path.startswith("oddframe."))
LEARNING = [name for name in OWN if name not in ("framediff", "flow", "features", "unmasking")]

SOONER = {"ognet": ("model.old_after=2", "model.tune_after=6"), "scene-aware": ("model.cluster_steps=2",)}
"""Settings by which a few steps lead through all phases."""


def small(name: str, *more: str) -> Settings:
    """Settings by which a detector learns in a second."""
    kind = detectors()[name].settings
    given = [f"model.size={list(kind.size_within(48, 64))}", "train.batch=2", "train.epochs=2", "train.lr=0.001"]
    given += [
        f"model.{key}={value}" for key, value in (("width", 4), ("items", 6), ("hidden", 8)) if key in kind.model_fields
    ]
    off = ("train.slowed=0", "train.crowd=0", "train.light=0", "train.pseudo_anomalies=[]")
    return load_settings("tiny", detector=name, overrides=[*given, *off, *SOONER.get(name, ()), *more])


def built(name: str) -> tuple[Detector, Settings]:
    """A small detector, and its settings."""
    settings = small(name)
    return build_detector(name, settings.model, 1), settings


def passing(frames: int, size: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    """(frames, H, W, C): noise, and two bright squares that move two pixels a frame, towards each other."""
    pictures = np.random.default_rng(1).integers(60, 70, (frames, *size, channels), np.uint8)
    for index, picture in enumerate(pictures):
        left = 2 * index % (size[1] - 10)
        picture[10:20, left : left + 10] = 230
        picture[26:36, size[1] - 10 - left : size[1] - left] = 200
    return pictures


def loop(name: str, folder: Path, watch: Watcher = unwatched) -> Loop:
    folder.mkdir(exist_ok=True)
    detector, settings = built(name)
    pixels = passing(detector.clip_frames + 7, settings.model.size, settings.model.channels)
    source = ClipSource("square", pixels, np.zeros(len(pixels), bool), 0, len(pixels))
    sampler = ClipSampler([source], detector.clip_frames, settings.train, detector.roles)
    device = torch.device("cpu")
    return Loop(detector, sampler, settings.train, folder=folder, device=device, precision="fp32", watch=watch)


@pytest.mark.parametrize(
    "name", [name if name == "dream-unet" else pytest.param(name, marks=pytest.mark.slow) for name in LEARNING]
)
def test_training_that_was_stopped_ends_with_the_weights_of_one_that_was_not(name: str, tmp_path: Path) -> None:
    def stop(moment: Progress) -> None:
        if "epoch 2" in moment.note and moment.done > 5:
            raise RuntimeError("somebody pulled the plug")

    whole = loop(name, tmp_path / "whole")
    begun = {key: value.clone() for key, value in whole.detector.state_dict().items()}
    whole.run()
    with pytest.raises(RuntimeError, match="plug"):
        loop(name, tmp_path / "stopped", stop).run()
    resumed = loop(name, tmp_path / "stopped")
    resumed.run()

    ended, again = whole.detector.state_dict(), resumed.detector.state_dict()
    assert [key for key, value in ended.items() if not torch.equal(value, again[key])] == []
    learned = {id(one) for group in whole.groups.values() for one in group.parameters}
    moved = [key for key, value in whole.detector.named_parameters() if id(value) in learned]
    unused = ("unused_norm.weight", "unused_norm.bias")
    assert [key for key in moved if key not in unused and torch.equal(begun[key], ended[key])] == []


def shown(detector: Detector) -> Sequence[Tensor]:
    """Clips of noise, of something that passes, of one still picture, and of nothing but black."""
    frames, size, channels = detector.window.frames, detector.settings.size, int(detector.settings.channels)
    moving = passing(frames, size, channels)
    noise = np.random.default_rng(2).integers(0, 255, moving.shape, np.uint8)
    still, black = np.repeat(noise[:1], frames, axis=0), np.zeros_like(moving)
    return [to_unit_range(torch.from_numpy(one[None]), channels) for one in (noise, moving, still, black)]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.slow
def test_evidence_keeps_the_contract_whatever_is_shown_and_does_not_depend_on_what_is_beside_it(name: str) -> None:
    detector = built(name)[0].eval()
    clips = shown(detector)

    with torch.inference_mode():
        together, alone = detector(torch.cat(list(clips))), [detector(clip) for clip in clips]

    check_evidence(detector, together, torch.cat(list(clips)))
    for number, evidence in enumerate(alone):
        torch.testing.assert_close(evidence.error[0], together.error[number], rtol=1e-3, atol=1e-5)
        if evidence.distance is not None and together.distance is not None:
            torch.testing.assert_close(evidence.distance[0], together.distance[number], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", OWN)
def test_settings_say_before_anything_is_built_whether_there_are_distances(name: str) -> None:
    detector, settings = built(name)

    assert settings.model.gives_distance == detector.has_distance


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_a_run_of_it_scores_what_moves_and_what_stands_still(name: str, tmp_path: Path) -> None:
    settings = small(name, "train.epochs=1", "data.heldout=0.3", "data.least_heldout=1")
    before, after = build_detector(name, settings.model, 0).window
    length = before + 15 + after
    moving = passing(length + 10, (48, 64), 3)
    for video, pictures in (
        ("gate/normal/a", moving),
        ("gate/normal/b", moving[::-1]),
        ("gate/normal/c", moving),
        ("moving", moving[:length]),
        ("still", np.repeat(moving[:1], length, axis=0)),
    ):
        (tmp_path / video).mkdir(parents=True)
        for index, picture in enumerate(pictures):
            assert cv2.imwrite(str(tmp_path / video / f"{index:03}.png"), picture)

    run = train(tmp_path / "gate", out=tmp_path / "run", settings=settings)

    for video in ("moving", "still"):
        scores = Scorer(run).score(tmp_path / video)
        assert scores.frame.tolist() == list(range(before, length - after))
        assert np.isfinite(scores.online).all()
        assert all(np.isfinite(raw).all() for raw in scores.raw.values())
