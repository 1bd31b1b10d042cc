"""Several ranks train one network: memories and weights of all stay equal, and the losses are those of one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from oddframe.errors import SettingsError
from oddframe.models.weights import load_tensors
from oddframe.nn import ranks
from oddframe.runs import Run
from oddframe.settings_layers import load_settings
from oddframe.training.begin import refuse_ranks
from oddframe.training.clip_batch import ClipBatch

from .conftest import SMALL

SCRIPT = """
import sys
from pathlib import Path
import torch
import oddframe as odd
from oddframe.models.weights import save_tensors
from oddframe.nn import ranks
from oddframe.settings_layers import load_settings
from oddframe.training import loop

torch.set_num_threads(1)
train = loop.Loop.run

def kept(self):
    position = train(self)
    save_tensors(self.detector.state_dict(), Path(f"{out}-rank-{ranks.rank()}-of-{ranks.count()}.safetensors"))
    return position

loop.Loop.run = kept
data, out, *overrides = sys.argv[1:]
odd.train(data, out=out, settings=load_settings("tiny", overrides=overrides))
"""
FLAT = (*SMALL, "train.precision=fp32", "train.device=cpu", "train.checkpoint_minutes=0.001")


def start(number: int, script: Path, data: Path, out: Path, *overrides: str) -> subprocess.Popen[str]:
    """Train with so many ranks, as `torchrun` starts them."""
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={number}"] if number > 1 else []
    command = [sys.executable, *several, str(script), str(data), str(out), *FLAT, *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def trained(number: int, script: Path, data: Path, out: Path, *overrides: str) -> Run:
    process = start(number, script, data, out, *overrides)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return Run.open(out)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ranks") / "train.py"
    path.write_text(SCRIPT)
    return path


@pytest.mark.long
@pytest.mark.slow
def test_four_ranks_end_with_equal_memories_and_weights_and_lose_what_one_process_does(script, gate, tmp_path):
    # Each of these is made: what is lacking does not share out among the ranks.
    odd = ["train.pseudo_anomalies=[skip]", "train.abnormal_batch=8"]
    one = trained(1, script, gate, tmp_path / "one", *odd)
    four = trained(4, script, gate, tmp_path / "four", *odd)

    states = [load_tensors(tmp_path / f"four-rank-{rank}-of-4.safetensors") for rank in range(4)]
    names = [name for name in states[0] if "running" not in name]
    assert any("memory.items" in name for name in names)
    for state in states[1:]:
        assert all(torch.equal(state[name], states[0][name]) for name in names), "equal to the bit"
    curves = [[record["terms"]["loss"] for record in run.history()] for run in (one, four)]
    assert curves[1] == pytest.approx(curves[0], rel=1e-3)
    assert "trained by 4 ranks" in four.info.notes
    assert four.finished


@pytest.mark.long
@pytest.mark.slow
def test_a_killed_rank_ends_all_and_another_number_of_them_goes_on(script, gate, tmp_path):
    out = tmp_path / "run"
    process = start(2, script, gate, out, "train.epochs=200")
    until = time.monotonic() + 120
    while not (out / "resume/current.json").exists():
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    children = subprocess.run(
        ["pgrep", "-f", f"{script} {gate} {out}"], capture_output=True, text=True, check=True
    ).stdout.split()
    rank = [int(one) for one in children if int(one) != process.pid][-1]
    os.kill(rank, signal.SIGKILL)
    said, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert (out / "resume/current.json").exists(), said
    before = json.loads((out / "resume/current.json").read_text())["checkpoint"]

    again = start(1, script, gate, out, "train.epochs=200")
    while json.loads((out / "resume/current.json").read_text())["checkpoint"] <= before:
        assert time.monotonic() < until + 120
        assert again.poll() is None, again.communicate()[0]
        time.sleep(0.1)
    again.kill()
    again.communicate()


def test_each_rank_has_its_part_of_a_batch_and_none_has_another_ones():
    pixels = np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1, 1)
    batch = ClipBatch(pixels, None, pixels[:5], np.ones((5, 1, 1), bool), still=3)

    parts = [batch.part(rank, 4) for rank in range(4)]

    assert np.concatenate([part.normal for part in parts]).tolist() == pixels.tolist()
    assert [None if part.abnormal is None else part.abnormal.ravel().tolist() for part in parts] == [[0], [1], [2], [3]]
    assert all(part.second is None and len(part.places) == 1 for part in parts)
    assert batch.part(0, 1) is batch


def test_too_few_abnormal_clips_for_all_ranks_are_left_out():
    pixels = np.zeros((8, 1, 1, 1, 1), np.uint8)
    assert ClipBatch(pixels, None, pixels[:3], None).part(1, 4).abnormal is None


@pytest.mark.parametrize(
    ("overrides", "budget", "said"),
    [
        (["train.batch=6"], None, r"do not share out[\s\S]*train.batch=8"),
        (["train.abnormal_batch=7"], None, r"train.abnormal_batch=8"),
        ([], 60.0, "time budget"),
        (["train.compile=true"], None, "compiled for one process"),
    ],
)
def test_what_several_ranks_cannot_do_is_refused(monkeypatch, overrides, budget, said):
    monkeypatch.setattr(ranks, "count", lambda: 4)
    with pytest.raises(SettingsError, match=said):
        refuse_ranks(load_settings("tiny", overrides=["train.batch=8", "train.abnormal_batch=8", *overrides]), budget)
