"""What all peers have in common: presets, training by the real loop, and a run from training to figures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from oddframe.detectors import detectors
from oddframe.errors import SettingsError
from oddframe.evaluation.evaluate import evaluate
from oddframe.models.weights import build_detector
from oddframe.presets import PRESETS
from oddframe.progress import unwatched
from oddframe.settings_layers import load_settings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop
from oddframe.training.train import train

PEERS = ("mnad", "framepred", "memae", "convae")
SMALL = ("model.size=[16, 32]", "model.width=4", "train.batch=4", "train.slowed=0", "train.crowd=0", "train.light=0")


def passing(index: int) -> NDArray[np.uint8]:
    """(16, 32) grey: a little noise, and a bright square that moves two pixels a frame."""
    picture = np.random.default_rng(index).integers(60, 70, (16, 32), np.uint8)
    left = 2 * index % 26
    picture[4:10, left : left + 6] = 230
    return picture


def dark(index: int) -> NDArray[np.uint8]:
    """The same; most of it is black in frames 20 to 29."""
    picture = passing(index)
    if 20 <= index < 30:
        picture[2:, 4:] = 0
    return picture


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_peer_takes_size_channels_and_width_of_a_preset_and_keeps_its_own_losses(name: str, preset: str) -> None:
    own = detectors()[name].settings()
    taken = {
        key: value for key, value in PRESETS[preset].get("model", {}).items() if key in ("size", "channels", "width")
    }

    if "size" in taken:  # of a size that a peer cannot take, the nearest below
        taken["size"] = tuple(side // own.size_step * own.size_step for side in taken["size"])

    settings = load_settings(preset, detector=name)

    assert settings.model.model_dump() == own.model_dump() | taken


@pytest.mark.parametrize(("name", "size"), [("mnad", (240, 360)), ("memae", (240, 352)), ("convae", (240, 352))])
def test_a_presets_size_that_does_not_fit_is_cut_to_one_that_does(name: str, size: tuple[int, int]) -> None:
    assert load_settings("cpu", detector=name).model.size == size


@pytest.mark.parametrize(("name", "near"), [("mnad", "96x144 or 104x144"), ("memae", "96x144 or 112x144")])
def test_a_size_that_does_not_fit_is_answered_with_the_nearest_that_does(name: str, near: str) -> None:
    with pytest.raises(SettingsError, match=near):
        load_settings("tiny", detector=name, overrides=["model.size=[100, 144]"])


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.slow
def test_a_few_steps_of_the_real_loop_move_every_group_and_lower_the_loss(name: str, tmp_path: Path) -> None:
    settings = load_settings("tiny", detector=name, overrides=[*SMALL, "train.epochs=3", "train.lr=0.003"])
    detector = build_detector(name, settings.model, 1)
    pixels = np.stack([passing(index) for index in range(30)])[..., None]
    source = ClipSource("square", pixels, np.zeros(30, bool), 0, 30)
    sampler = ClipSampler([source], detector.window.frames, settings.train, detector.roles)
    before = {key: value.clone() for key, value in detector.state_dict().items()}
    loop = Loop(
        detector,
        sampler,
        settings.train,
        folder=tmp_path,
        device=torch.device("cpu"),
        precision="fp32",
        watch=unwatched,
    )

    loop.run()

    moved = {key for key, value in detector.named_parameters() if not torch.equal(value, before[key])}
    still = {key for key, _ in detector.named_parameters()} - moved
    assert still == ({"unused_norm.weight", "unused_norm.bias"} if name == "mnad" else set())
    records = [record["terms"] for record in _history(tmp_path)]
    loss = "loss.generator" if name == "framepred" else "loss"
    assert records[-1][loss] < 0.9 * records[0][loss]


def _history(folder: Path) -> list[dict[str, dict[str, float]]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three normal videos, and a test video with an anomaly in frames 20 to 29 of 50."""
    home = tmp_path_factory.mktemp("peers") / "gate"
    for name, picture in {
        "normal/a": passing,
        "normal/b": passing,
        "normal/c": passing,
        "test/night": dark,
    }.items():
        (home / name).mkdir(parents=True)
        for index in range(50):
            assert cv2.imwrite(str(home / name / f"{index:03}.png"), picture(index))
    (home / "labels.csv").write_text("video,start,end,class\nnight,20,30,dark\n")
    return home


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_a_peer_trains_and_is_judged_on_the_frames_that_have_a_full_window(
    name: str, gate: Path, tmp_path: Path
) -> None:
    settings = load_settings(
        "tiny", detector=name, overrides=[*SMALL, "train.epochs=3", "data.heldout=0.3", "data.least_heldout=1"]
    )

    result = evaluate(train(gate, out=tmp_path / "run", settings=settings))

    before, after = build_detector(name, settings.model, 0).window
    (video,) = result.scored
    assert video.scores.frame.tolist() == list(range(before, 50 - after))
    assert result.frames.to_dict() == {"videos": 1, "judged": 50 - before - after, "abnormal": 10}
    assert ("distance" in result.auc) == (name == "mnad")
    assert result.auc["psnr"]["micro"] > 0.8
