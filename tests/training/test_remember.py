"""What a detector is shown that keeps something of normal video, where others are trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from oddframe.data.open import opened
from oddframe.errors import TooShortError
from oddframe.models.detector import Window
from oddframe.models.weights import build_detector
from oddframe.progress import unwatched
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.training import remember
from oddframe.training.begin import prepare
from oddframe.training.remember import normal_clips
from oddframe.training.train import split_as_set, train

from .conftest import draw

SMALL = ("model.size=[32, 48]", "model.channels=1", "data.heldout=0.3", "data.least_heldout=1")


def settings(*more: str) -> Settings:
    return load_settings("paper", detector="framediff", overrides=[*SMALL, *more])


def shown(folder: Path, chosen: Settings) -> torch.Tensor:
    parts = split_as_set(opened(folder), chosen)
    ready = prepare(chosen, parts, unwatched)
    found = list(normal_clips(ready.detector, parts, ready.stored, torch.device("cpu"), unwatched))
    return torch.cat(found)


def test_all_normal_clips_are_shown_in_order_and_as_they_are(gate):
    clips = shown(gate, settings("train.flips=true", "train.light=0.1", "train.slowed=0.5"))

    parts = split_as_set(opened(gate), settings())
    assert len(clips) == sum(len(section) - 1 for section in parts.normal)
    first = parts.normal[0]
    seed = ["a", "b", "c"].index(first.video.name.rpartition("/")[2])
    wanted = torch.stack([torch.from_numpy(draw(first.start + step, seed)) for step in range(2)]).float() / 127.5 - 1
    torch.testing.assert_close(clips[0, :, 0], wanted)


def test_of_long_video_clips_at_even_steps_are_shown(gate, monkeypatch):
    every = shown(gate, settings())
    monkeypatch.setattr(remember, "MOST_CLIPS", 5)

    some = shown(gate, settings())

    assert len(some) == 5
    assert torch.equal(some[0], every[0])
    assert torch.equal(some[-1], every[-1])


def test_video_too_short_for_a_clip_is_said(gate, monkeypatch):
    chosen = settings()
    parts = split_as_set(opened(gate), chosen)
    ready = prepare(chosen, parts, unwatched)
    monkeypatch.setattr(type(ready.detector), "window", Window(40, 0))

    with pytest.raises(TooShortError, match=r"no normal video is long enough[\s\S]*41 normal frames in a row"):
        next(normal_clips(ready.detector, parts, ready.stored, torch.device("cpu"), unwatched))


def test_a_run_keeps_what_was_remembered(gate, tmp_path, monkeypatch):
    seen = []

    def keep(self, clips):
        seen.extend(len(clip) for clip in clips)

    monkeypatch.setattr(type(build_detector("framediff", settings().model, 0)), "remember", keep)

    run = train(gate, out=tmp_path / "run", settings=settings())

    assert sum(seen) == len(shown(gate, settings()))
    assert run.info.seconds_training is not None
