"""A detector trained on, from its weights, with reviewed events; and both compared on what neither was trained on."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import FILE as ARTEFACT
from oddframe.data.source import DataSource
from oddframe.errors import DataError, ExportError, RunError, SettingsError
from oddframe.files import atomic_folder, write_text
from oddframe.progress import Progress, Watcher
from oddframe.records import write_record
from oddframe.runs import Run
from oddframe.scoring.fit import calibrate
from oddframe.scoring.regions import Regions
from oddframe.scoring.scorer import Scorer
from oddframe.settings import Settings
from oddframe.teaching.footage import Piece, laid_out, made, pieces_of, remove
from oddframe.teaching.improving import FILE, Counted, Improvement, ImproveTask, ReviewedClip, read_improvement, sides
from oddframe.video.open import open_video

_DRAWS, _SEED = 2000, 2020
_LEAST_DRAWN = 5
"""Of fewer clips draws tell nothing."""
_SLOWER = 0.3
"""Of the rate at which it learned at first: what it knows is to be sharpened, and not to be forgotten."""
_DAY_S = 86400.0
_NEAR_S = 1.0
"""An alarm so close to a reviewed event has found it: where events begin differs from detector to detector."""


def improve(task: ImproveTask, watch: Watcher) -> Improvement:
    """Train on, export, and compare. What was interrupted goes on; what is done is not done again.

    Raises:
        SettingsError: too little was kept apart to compare on. TrainingError, DataError, StorageError: as a training.
    """
    known = read_improvement(made(task.home))
    if known is not None:
        return known
    trained, compared = sides(task.clips)
    lines, normal = _halves(pieces_of(Path(task.attempt) / "apart"))
    data = _laid_out(task, trained)
    run = _train(task, data, watch)
    detector = _exported(run, task.home / "detector", watch)
    for_lines = laid_out(lines, task.home / "for-lines")
    before = _fitted(task, Path(task.detector), for_lines, "compared-before", watch)
    after = _fitted(task, detector, for_lines, "compared-after", watch)
    counts = [
        _count(Scorer(folder, fitting=fitting, device="cpu"), compared, normal, watch)
        for folder, fitting in ((Path(task.detector), before), (detector, after))
    ]
    fitting = _fitted(task, detector, Path(task.attempt) / "apart", "fitting", watch)
    told = _told(task, trained, compared, counts, detector, fitting)
    write_record(task.home / FILE, told)
    return told


def _halves(apart: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Pieces to draw lines on, and pieces to count false alarms on; no training has seen any of them."""
    if len(apart) < 2:
        raise SettingsError(
            "too little normal video was kept apart to compare detectors on",
            seen=f"{len(apart)} piece",
            wanted="at least 2",
            hint="let the camera learn again, for longer",
        )
    return list(apart[::2]), list(apart[1::2])


def _laid_out(task: ImproveTask, trained: Sequence[ReviewedClip]) -> Path:
    """A set of the kind `folder`, that people can look at: normal/ abnormal/ labels.csv."""
    folder = task.home / "data"
    if folder.is_dir():
        return folder
    with atomic_folder(folder, "the set of reviews cannot be laid out") as place:
        for piece in pieces_of(Path(task.attempt) / "normal"):
            _link(piece.path, place / "normal" / piece.name)
        rows = io.StringIO()
        table = csv.writer(rows)
        table.writerow(("video", "start", "end", "class"))
        for one in trained:
            name = f"{one.event}.mp4"
            if one.verdict == "normal":
                _link(Path(one.clip), place / "normal" / name)
                continue
            _link(Path(one.clip), place / "abnormal" / name)
            video = open_video(one.clip)
            fps = video.fps or 1.0
            first = min(int(one.begin_s * fps), video.frame_count - 1)
            last = min(max(first + 1, round(one.end_s * fps)), video.frame_count)
            table.writerow((f"abnormal/{one.event}", first, last, _plain(one.kind)))
        write_text(place / "labels.csv", rows.getvalue())
    return folder


def _plain(name: str) -> str:
    """A class without what a table would take for something else."""
    return "".join(letter for letter in name if letter.isalnum() or letter in " -_").strip()


def _link(path: Path, there: Path) -> None:
    there.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, there)
    except OSError:
        shutil.copyfile(path, there)


def _train(task: ImproveTask, data: Path, watch: Watcher) -> Run:
    from oddframe.training.train import train

    first = Run.open(Path(task.run))
    out = task.home / "run"
    try:
        return train(DataSource(paths=(data,)), out=out, settings=_settings(first), start_from=first, watch=watch)
    except RunError as error:
        watch(Progress("warning", 0, 0, f"the training begins again: {error.in_one_line()}"))
        remove(out)
        return train(DataSource(paths=(data,)), out=out, settings=_settings(first), start_from=first, watch=watch)


def _settings(first: Run) -> Settings:
    """Those that it was trained with, but slower and shorter, and with known anomalies."""
    settings = first.trained_settings
    train = settings.train.model_copy(
        update={"lr": _SLOWER * settings.train.lr, "epochs": max(1, round(settings.train.epochs / 2))}
    )
    data = settings.data.model_copy(update={"known": "use", "known_normal": "drop"})
    return settings.model_copy(update={"train": train, "data": data})


def _exported(run: Run, out: Path, watch: Watcher) -> Path:
    if (out / ARTEFACT).is_file():
        return out
    from oddframe.exporting.make import export

    try:
        export(run, out, watch=watch)
    except ExportError as error:
        watch(Progress("warning", 0, 0, error.in_one_line()))
        return run.folder
    return out


def _fitted(task: ImproveTask, detector: Path, video: Path, name: str, watch: Watcher) -> Path:
    out, places = task.home / name, task.regions
    remove(out)
    return calibrate(
        detector,
        [video],
        out=out,
        regions=Regions() if places is None else Regions(places.watch, places.ignore),
        false_alarms_per_day=task.false_alarms_per_day,
        device="cpu",
        watch=watch,
    ).folder


@dataclass(frozen=True)
class _Counts:
    """Of one detector, by clip and by piece. found: (A,) 0 or 1. false: (N,) alarms. seconds: (N,) of video."""

    found: NDArray[np.float64]
    false: NDArray[np.float64]
    seconds: NDArray[np.float64]


def _count(scorer: Scorer, compared: Sequence[ReviewedClip], normal: Sequence[Piece], watch: Watcher) -> _Counts:
    found, false, seconds = [], [], []
    for number, one in enumerate(compared):
        watch(Progress("comparing on reviewed events", number, len(compared)))
        video = open_video(one.clip)
        try:
            events = scorer.score(video).events
        except DataError:
            events = ()
        if one.verdict == "alarm":
            near = [
                event
                for event in events
                if (event.start_s or 0.0) <= one.end_s + _NEAR_S and (event.end_s or 0.0) >= one.begin_s - _NEAR_S
            ]
            found.append(float(bool(near)))
        else:
            false.append(float(len(events)))
            seconds.append(video.frame_count / (video.fps or 1.0))
    for number, piece in enumerate(normal):
        watch(Progress("comparing on normal video", number, len(normal)))
        false.append(float(len(scorer.score(piece.path, piece.scene).events)))
        seconds.append(piece.seconds)
    return _Counts(np.array(found), np.array(false), np.array(seconds))


def _told(
    task: ImproveTask,
    trained: Sequence[ReviewedClip],
    compared: Sequence[ReviewedClip],
    counts: Sequence[_Counts],
    detector: Path,
    fitting: Path,
) -> Improvement:
    before, after = counts
    found, false = after.found.sum() - before.found.sum(), after.false.sum() - before.false.sum()
    normal = sum(one.verdict == "normal" for one in compared)
    seconds = before.seconds
    return Improvement(
        made_at=datetime.now(UTC),
        trained_alarms=sum(one.verdict == "alarm" for one in trained),
        trained_normal=sum(one.verdict == "normal" for one in trained),
        alarms=len(before.found),
        normal=normal,
        hours=float(seconds[normal:].sum()) / 3600,
        before=Counted(found=int(before.found.sum()), false_alarms=int(before.false.sum())),
        after=Counted(found=int(after.found.sum()), false_alarms=int(after.false.sum())),
        found_difference=drawn(lambda draw: (after.found - before.found)[draw].mean(), len(before.found)),
        false_difference=drawn(
            lambda draw: _DAY_S * (after.false - before.false)[draw].sum() / max(seconds[draw].sum(), 1.0), len(seconds)
        ),
        better=bool((found > 0 and false <= 0) or (found >= 0 and false < 0)),
        detector=str(detector),
        fitting=str(fitting),
        instead_of=task.detector,
    )


def drawn(value: Callable[[NDArray[np.intp]], Any], many: int) -> tuple[float, float] | None:
    """Between which 95 % of draws of other clips have a value that is of pairs; None of too few clips.

    >>> drawn(lambda draw: 0.5, 9), drawn(lambda draw: 0.5, 2)
    ((0.5, 0.5), None)
    """
    if many < _LEAST_DRAWN:
        return None
    dice = np.random.default_rng(_SEED)
    values = [float(value(dice.integers(0, many, many))) for _ in range(_DRAWS)]
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)
