"""Names of folders and files that are not UTF-8 (older systems wrote Latin-1): nothing fails, and nothing is lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.shared import FLOOR

from oddframe.data.source import source_in
from oddframe.evaluation.evaluate import evaluate
from oddframe.evaluation.result import Result
from oddframe.footage.folder import Asked, finished, made_of
from oddframe.footage.summary import Summary, write_summary
from oddframe.records import FileRecord, escaped, read_record, unescaped, write_record
from oddframe.reporting.pages import report
from oddframe.runs import Run
from oddframe.scoring.judged_file import load_judged
from oddframe.training.train import train
from oddframe.video._digest import _content

FOREIGN = os.fsdecode(b"kam\xe9ra")


class Plan(FileRecord):
    name: str
    of: dict[str, tuple[str, ...]]


def test_a_record_keeps_such_names_as_values_and_as_keys_and_its_file_is_sound_json(tmp_path):
    plan = Plan(name=FOREIGN, of={FOREIGN: (FOREIGN, "plain")})

    path = write_record(tmp_path / "plan.json", plan)

    assert b'"kam\\u0000e9ra"' in path.read_bytes()
    assert read_record(path, Plan, "the plan") == plan
    assert unescaped(plan.to_dict()) == {"format": 1, "name": FOREIGN, "of": {FOREIGN: [FOREIGN, "plain"]}}
    assert escaped("kaméra") == "kaméra"


def test_a_scored_video_of_such_a_name_is_known_again(tmp_path, scored):
    video = tmp_path / f"{FOREIGN}.mp4"
    video.touch()
    made = made_of({"run": "0", "backend": "torch", "oddframe": "0.1.0"}, video, Asked())
    for name in ("scores.csv", "events.csv", "curve.png", "report.html"):
        (tmp_path / name).touch()

    write_summary(tmp_path, Summary.of(scored([0.0, 1.0], name=FOREIGN)), made, {})

    assert finished(tmp_path, made, Asked()).video == FOREIGN
    assert finished(tmp_path, made.changed(video="of another"), Asked()) is None


def test_pictures_of_such_names_have_a_digest_of_their_own(tmp_path):
    first, second = (tmp_path / os.fsdecode(name) for name in (b"\xe9.png", b"\xe8.png"))
    for one in (first, second):
        one.write_bytes(b"the same")

    assert _content([first], named=True) != _content([second], named=True)


@pytest.fixture
def camera(tmp_path) -> Path:
    """A set in a folder of such a name, with a training video of such a name."""
    home = tmp_path / FOREIGN
    try:
        home.mkdir()
    except OSError:
        pytest.skip("this file system has no such names")
    for name, odd in ((f"normal/{FOREIGN}", False), ("normal/b", False), ("normal/c", False), ("test/flash", True)):
        (home / name).mkdir(parents=True)
        for index in range(40):
            picture = np.random.default_rng(index).integers(90, 100, (48, 64), np.uint8)
            if odd and 20 <= index < 30 and index % 2 == 0:
                picture[10:30, 10:30] = 255
            (home / name / f"{index:03}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    (home / "labels.csv").write_text("video,start,end\nflash,20,30\n")
    return home


@pytest.mark.slow
def test_such_a_set_is_trained_on_judged_and_reported_and_its_names_come_back(camera, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["oddframe", "train", str(camera)])

    train(camera, out=tmp_path / "run", preset="paper", detector="framediff", overrides=FLOOR)

    run = Run.open(tmp_path / "run")
    assert source_in(run.info.data, run.folder).paths == (camera,)
    assert run.info.command == f"oddframe train '{camera}'"
    assert r"kam\xe9ra" in {one.video for one in (*run.info.split.normal, *run.info.split.heldout)}
    assert load_judged(run.folder, run.info.evidence)
    result = evaluate(run)
    assert result.auc.motion.micro == 1.0
    assert Result.load(run.folder) == result
    assert Result.from_dict(result.to_dict()) == result
    assert "data:image" in report(run.folder).read_text()
