"""What watches a camera until its detector is learned: frame differences and flow, each place by its own normal.

There is nothing to train in it. It is fitted to the camera from the first minute of normal video on, and anew as more
comes. It is exported once, so that the process that watches needs no torch for it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from oddframe.artefact import FILE as ARTEFACT
from oddframe.data.source import DataSource
from oddframe.errors import TooShortError
from oddframe.progress import Watcher
from oddframe.runs import Run
from oddframe.scoring.fit import calibrate
from oddframe.scoring.fitting import Fitting
from oddframe.settings_layers import load_settings
from oddframe.teaching.footage import Piece, laid_out, made, remove
from oddframe.teaching.record import Outcome
from oddframe.teaching.working.task import Task

DETECTOR = "framediff"
_SETTINGS = (
    "score.online=[local_error,direction]",
    "score.per_place=[local_error]",
    "score.smoothing=3",
    "data.heldout=0.5",
    "data.least_heldout=1",
)
_MOST_S = 1200.0
"""Of normal video that it is fitted on: frame differences know a place after minutes."""


def stand_in(task: Task, watch: Watcher) -> Outcome:
    """Make the stand-in, or fit it anew to what has been collected.

    Raises:
        TooShortError: there is no video that is long enough.
    """
    home = made(task.home / "stand-in")
    pieces = chosen(task.pieces())
    detector = stand_in_detector(task, pieces, watch)
    video = laid_out(pieces, home / f"video-{time.time_ns()}")
    try:
        fitting = _fitted(task, detector, video, home / f"fitting-{time.time_ns()}", watch)
    finally:
        remove(video)
    seconds = sum(one.seconds for one in pieces)
    return Outcome(detector=str(detector), fitting=str(fitting.folder), seconds=seconds)


def stand_in_detector(task: Task, pieces: Sequence[Piece], watch: Watcher) -> Path:
    """The folder of the stand-in's detector, which is made where it is not there."""
    home = made(task.home / "stand-in")
    exported, run = home / "detector", home / "run"
    if (exported / ARTEFACT).is_file():
        return exported
    if not (run / "run.json").is_file() or not Run.open(run, finished=False).finished:
        from oddframe.training.train import train

        remove(run)
        first = laid_out(chosen(pieces, 120.0), home / f"first-{time.time_ns()}")
        try:
            settings = load_settings("tiny", detector=DETECTOR, overrides=_SETTINGS)
            train(DataSource(paths=(first,)), out=run, settings=settings, watch=watch)
        finally:
            remove(first)
    if find_spec("onnxscript") is None or find_spec("onnxruntime") is None:
        return run
    from oddframe.exporting.make import export

    export(run, exported, watch=watch)
    return exported


def _fitted(task: Task, detector: Path, video: Path, out: Path, watch: Watcher) -> Fitting:
    return calibrate(
        detector,
        [video],
        out=out,
        regions=task.watched,
        false_alarms_per_day=task.how.false_alarms_per_day,
        device="cpu",
        watch=watch,
    )


def chosen(pieces: Sequence[Piece], most_s: float = _MOST_S) -> list[Piece]:
    """So many seconds of pieces at most, spread over their time.

    Raises:
        TooShortError: there is none.
    """
    if not pieces:
        raise TooShortError(
            "there is no normal video yet",
            seen="0 pieces",
            wanted="a minute of it",
            hint="wait until some is collected",
        )
    total = sum(one.seconds for one in pieces)
    step = max(1.0, total / most_s)
    many = max(1, round(len(pieces) / step))
    return [pieces[int((number + 0.5) * len(pieces) / many)] for number in range(many)]
