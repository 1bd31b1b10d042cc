"""Whole tables by the command line: rows of each kind, and a table that is interrupted and killed on its way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.data.synthetic import generate
from oddframe.reproduction.reproduce import reproduce
from oddframe.reproduction.rows import ROWS
from oddframe.reproduction.table import figures_of

SMALL = ("data.folds=2", "data.heldout=0.3", "data.least_heldout=1", "model.size=[48, 64]", "model.width=4")
PATIENCE_S = 900
OF_THE_PROCESS = ("run", "command", "judging", "seconds_training", "peak_memory_mb")
"""What a cell says of how it was made, and not of what came out."""

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_rows_of_each_kind_are_trained_judged_and_laid_out(tmp_path):
    """What learns nothing, one with an override, from normal video, and from known anomalies, too.

    That each detector trains and scores, the contract of all detectors holds.
    """
    videos, out = generate(tmp_path / "gate", scale="tiny"), tmp_path / "table2"
    keys = ("flow", "amc-flow", "memae", "dream-unet")

    made = reproduce("table2", videos, out=out, preset="tiny", overrides=(*SMALL, "train.epochs=1"), rows=keys, jobs=2)

    assert made.failed == {}
    assert made.open_cells == ()
    rows = {row.key: row for row in ROWS["table2"]}
    assert {rows[key].given for key in keys} == {row.given for row in rows.values()}
    for row in (rows[key] for key in keys):
        # the known anomaly is a cyclist; fold 0 judges who walks the wrong way, fold 1 another cyclist
        for fold, kind in enumerate(("wrong-way", "cyclist")):
            cell = json.loads((out / "cells" / f"gate-{row.key}-fold{fold}.json").read_text("utf-8"))
            known = ["cyclist"] if row.given == "known" and kind == "cyclist" else []
            assert cell["classes"]["known"]["kinds"] == known
            assert cell["classes"]["unknown"]["kinds"] == ([] if known else [kind])
            noted = any(note.startswith(f"gate, fold{fold}: ") and row.label in note for note in made.table.notes)
            assert noted or all(0 <= figures_of(cell, "table2")[score]["micro"] <= 1 for score in ("online", "paper"))
        line = next(line for line in made.table.rows if line[1] == row.label)
        assert line[-1] == "2 of 2"


# Interrupted and killed --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gate(tmp_path_factory) -> Path:
    """Three normal videos, and two with a bright square in frames 10 to 29."""
    home = tmp_path_factory.mktemp("set") / "gate"
    for seed, name in enumerate(("normal/a", "normal/b", "normal/c", "test/one", "test/two")):
        (home / name).mkdir(parents=True)
        for index in range(40):
            picture = np.random.default_rng((seed, index)).integers(90, 100, (48, 64), np.uint8)
            if name.startswith("test") and 10 <= index < 30:
                picture[10:30, index : index + 20] = 250
            assert cv2.imwrite(str(home / name / f"{index:03}.png"), picture)
    (home / "labels.csv").write_text("video,start,end\none,10,30\ntwo,10,30\n")
    return home


def start(videos: Path, out: Path) -> subprocess.Popen[str]:
    """`oddframe reproduce` of one row and fold as a terminal starts it, with a checkpoint after every step."""
    overrides = (*SMALL, "train.epochs=6", "train.checkpoint_minutes=0.000001")
    words = ["reproduce", "table3", str(videos), "--row", "disc", "--folds", "0", "--preset", "tiny", "--out", str(out)]
    words += [word for override in overrides for word in ("--set", override)]
    return subprocess.Popen(
        [sys.executable, "-m", "oddframe", *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


@pytest.fixture
def started(gate) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that do not outlive the test, and that hear Ctrl-C although a shell may have started it without."""
    processes: list[subprocess.Popen[str]] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield processes
    signal.signal(signal.SIGINT, before)
    for process in processes:
        process.kill()


def training_of(process: subprocess.Popen[str], out: Path) -> int:
    """Wait until the training of this process has a checkpoint of its own, and return the training's process."""
    current = out / "runs/gate-disc-fold0/resume/current.json"
    before = current.read_text() if current.exists() else ""
    deadline = time.monotonic() + PATIENCE_S
    while not current.exists() or current.read_text() == before:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no checkpoint"
        time.sleep(0.01)
    (child,) = [
        int(number)
        for thread in Path(f"/proc/{process.pid}/task").iterdir()
        for number in (thread / "children").read_text().split()
    ]
    return child


def result(out: Path) -> dict:
    cell = json.loads((out / "cells/gate-disc-fold0.json").read_text("utf-8"))
    return {name: value for name, value in cell.items() if name not in OF_THE_PROCESS}


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="there is no /proc to find processes in")
def test_a_table_that_is_interrupted_and_killed_on_its_way_ends_with_the_same_cells(gate, tmp_path, started):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    started.append(start(gate, stopped))
    training = training_of(started[-1], stopped)

    os.killpg(started[-1].pid, signal.SIGINT)  # as Ctrl-C on a terminal
    said = started[-1].communicate(timeout=PATIENCE_S)[1]

    assert started[-1].returncode == 130
    assert said.splitlines()[-1] == "interrupted: the same command goes on where it stopped"
    assert "Traceback" not in said
    assert not Path(f"/proc/{training}").exists()

    started.append(start(gate, stopped))
    training = training_of(started[-1], stopped)
    os.kill(started[-1].pid, signal.SIGKILL)
    os.kill(training, signal.SIGKILL)
    assert started[-1].wait() == -signal.SIGKILL
    assert not (stopped / "cells/gate-disc-fold0.json").exists()

    for out in (whole, stopped):
        started.append(start(gate, out))
        said = started[-1].communicate(timeout=PATIENCE_S)[1]
        assert started[-1].returncode == 0, said
    assert result(stopped) == result(whole)
    assert 0 <= result(whole)["auc"]["online"]["micro"] <= 1
