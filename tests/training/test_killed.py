"""`oddframe train`, killed from outside in the middle of an epoch, and typed again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oddframe.runs import Run
from oddframe.settings_layers import load_settings
from oddframe.training.train import train

from .conftest import SMALL

SETTINGS = (*SMALL, "train.precision=fp32", "train.epochs=2", "train.batch=1", "train.abnormal_batch=1")
RECORDS = [(1, 50), (1, 100), (1, 104), (2, 154), (2, 204), (2, 208)]
"""Epoch and step of each line of the history: every 50 steps of an epoch, and its end after 104."""


def typed(videos: Path, out: Path) -> subprocess.Popen[bytes]:
    """The command, started."""
    command = [sys.executable, "-m", "oddframe", "train", str(videos), "--out", str(out), "--preset", "tiny"]
    command += [part for setting in SETTINGS for part in ("--set", setting)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, **quiet)


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.is_file() else []


def names(folder: Path) -> list[str]:
    """All but TensorBoard's events, of which each process begins a file of its own."""
    paths = (path for path in folder.rglob("*") if not path.name.startswith("events.out."))
    return sorted(str(path.relative_to(folder)) for path in paths)


@pytest.mark.long
@pytest.mark.slow
def test_a_command_that_is_killed_in_mid_epoch_and_typed_again_leaves_what_an_undisturbed_one_leaves(
    make_set, tmp_path
):
    videos = make_set(tmp_path / "gate", {"normal/a": 80, "normal/b": 80, "abnormal/odd": 12})
    whole = train(videos, out=tmp_path / "whole", settings=load_settings("tiny", overrides=SETTINGS))
    assert [(record["epoch"], record["step"]) for record in whole.history()] == RECORDS
    out, history = tmp_path / "killed", tmp_path / "killed" / "history.jsonl"

    process = typed(videos, out)
    while len(lines(history)) < 4:  # three are of the epoch that a checkpoint has, the fourth is not
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    current = json.loads((out / "resume" / "current.json").read_text("utf-8"))["checkpoint"]
    position = json.loads((out / "resume" / str(current) / "state.json").read_text("utf-8"))
    assert (position["epoch"], position["step"]) == (1, 0)
    assert position["history_bytes"] < history.stat().st_size
    (out / f".run.json.{process.pid}.tmp").write_text("half")  # as if it had been writing this

    assert typed(videos, out).wait() == 0

    run = Run.open(out)
    assert run.info.weights == whole.info.weights
    assert run.info.weights is not None
    assert [record.changed(seconds=0) for record in run.history()] == [
        record.changed(seconds=0) for record in whole.history()
    ]
    assert names(out) == names(whole.folder)
