"""One camera in a terminal, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import Cause
from oddframe.instant import MODEL
from oddframe.scoring.scorer import Scorer
from oddframe.site.engine import Engine
from oddframe.site.watch import Watch

from .test_engine import Kept

LIVE = """
import signal, sys
from oddframe.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what runs beside it without it
sys.argv = ["oddframe", "live", *sys.argv[1:]]
try:
    main()
finally:
    assert "torch" not in sys.modules and "sqlalchemy" not in sys.modules
"""


def live(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LIVE, *map(str, arguments), "--run", str(MODEL), "--backend", "onnxruntime"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


def blocks(index: int) -> np.ndarray:
    """Six grey blocks, elsewhere in every picture."""
    chance = np.random.default_rng(index)
    picture = np.full((96, 144, 3), 90, np.uint8)
    for _ in range(6):
        top, left = chance.integers(0, 80), chance.integers(0, 120)
        picture[top : top + 24, left : left + 30] = chance.integers(0, 255)
    return picture


@pytest.mark.slow
def test_a_file_is_watched_without_torch_and_without_a_database(tmp_path: Path, make_video):
    pytest.importorskip("onnxruntime")
    path = make_video(tmp_path / "gate.mp4", frames=50, fps=12.5, size=(96, 144), pictures=blocks)
    with live(path, "--json", "--for", 60, "--out", tmp_path / "alarms") as process:
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            told.append(json.loads(line))
            if told[-1].get("change") == "new":
                process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said, code = process.stderr.read(), process.wait()

    assert code == 130, said
    health = [one["state"] for one in told if one["kind"] == "health"]
    assert health == ["starting", "online"]
    events = [one for one in told if one["kind"] == "event"]
    assert [one["change"] for one in events] == ["new", "end"]
    assert events[1]["event"]["ended_by"] == "stop"
    assert events[0]["event"]["id"] == events[1]["event"]["id"]
    (folder,) = (tmp_path / "alarms").glob("*/*")
    assert folder.name == events[0]["event"]["id"]
    assert {one.name for one in folder.iterdir()} == {"snapshot.jpg", "heat.jpg", "clip.mp4"}


@pytest.mark.slow
def test_a_camera_scores_as_the_file_does(tmp_path: Path, make_video):
    pytest.importorskip("onnxruntime")
    path = make_video(tmp_path / "gate.mp4", frames=60, fps=12.5, size=(96, 144), pictures=blocks)
    scorer = Scorer(MODEL, backend="onnxruntime")
    settings = CameraSettings(pace="taken", loop=False, hold_pictures=8)
    camera = Camera(Address.parse(str(path)), settings, scorer.runtime.size, 12.5, channels=1)
    kept = Kept()
    watch = Watch("gate", camera, scorer)
    engine = Engine(kept)
    engine.add(watch)
    scores: list[float] = []
    monitored = watch.take_raw

    def taking(clip, raw):
        changes = monitored(clip, raw)
        scores.append(watch.latest.score)
        return changes

    watch.take_raw = taking
    while watch.health.cause is not Cause.ENDED:
        engine.step()
    engine.end()
    wanted = scorer.score(path)

    assert scores == pytest.approx(wanted.online.tolist(), abs=1e-5)
    found = [(one.event.start_s, one.event.peak_frame) for one in kept.changes if one.kind == "end"]
    assert len(found) == len(wanted.events)


@pytest.mark.slow
def test_what_is_wrong_with_an_address_is_said_without_its_password():
    pytest.importorskip("onnxruntime")
    with live("rtsp://user:p%40ss@127.0.0.1:1/live") as process:
        out, told = process.communicate()

    assert process.returncode == 1
    assert "nothing listens at this port" in told
    assert "p%40ss" not in out + told
    assert "p@ss" not in out + told


@pytest.mark.slow
def test_what_is_no_address_is_refused_before_anything_is_loaded():
    with live("eee") as process:
        _, told = process.communicate()

    assert process.returncode == 1
    assert "this is no address of a camera" in told
