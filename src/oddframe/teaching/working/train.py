"""A detector is trained on normal video, exported to what computes it fastest, and fitted to the camera.

Each step can be given again after it was interrupted, and goes on. The line is drawn on pieces that were kept apart.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from oddframe.artefact import FILE as ARTEFACT
from oddframe.artefact import open_trained
from oddframe.data.source import DataSource
from oddframe.errors import ExportError, OddframeError, RunError, SettingsError, WorkerError
from oddframe.files import write_text
from oddframe.origin import RunInfo
from oddframe.progress import Progress, Watcher
from oddframe.runs import Run, locked
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.fit import calibrate as fit_to_camera
from oddframe.scoring.fitting import FILE as FITTING
from oddframe.scoring.fitting import Fitting
from oddframe.settings_layers import load_settings
from oddframe.teaching.footage import divide, laid_out, made, remove
from oddframe.teaching.record import Outcome
from oddframe.teaching.working.check import refuse_little
from oddframe.teaching.working.task import Task

_OVERRIDES = ("data.least_heldout=1", "data.allow_cut_off=true", "train.checkpoint_minutes=2")
"""The line is drawn on what is kept apart, not on what the training itself holds out."""


def train(task: Task, watch: Watcher) -> Outcome:
    """Train, or go on with it. A state that is damaged is thrown away, and the training begins again.

    Raises:
        TooShortError: there is too little normal video. TrainingError, StorageError: as `training.train.train`.
    """
    here = made(task.here)
    normal, apart = here / "normal", here / "apart"
    if not (normal.is_dir() and apart.is_dir()):
        pieces = task.pieces()
        refuse_little(pieces)
        training, kept_apart = divide(pieces)
        laid_out(kept_apart, apart)
        laid_out(training, normal)
    run, notes = here / "run", list[str]()
    try:
        info = _trained(task, normal, run, watch)
    except RunError as error:
        _refuse_in_use(run)
        watch(Progress("warning", 0, 0, f"the training begins again: {error.in_one_line()}"))
        notes.append(f"the training had to begin again: {error.problem}")
        remove(run)
        info = _trained(task, normal, run, watch)
    of_its_line = load_calibration(run).notes  # where alarms begin is told by the fitting alone
    notes += [note for note in info.notes if note not in of_its_line]
    return Outcome(run=str(run), notes=tuple(notes))


def _trained(task: Task, normal: Path, run: Path, watch: Watcher) -> RunInfo:
    """Train within the time budget; for one epoch where not even that fits into it."""
    from oddframe.training.train import train as train_run

    source, short = DataSource(paths=(normal,)), run.with_name("one-epoch")
    if not short.is_file():
        settings = load_settings(task.how.preset, overrides=_OVERRIDES)
        try:
            return train_run(source, out=run, settings=settings, time_budget=task.how.time_budget, watch=watch).info
        except SettingsError as error:
            if (run / "run.json").is_file():
                raise
            write_text(short, f"{error}\n")
            watch(Progress("warning", 0, 0, f"{error.problem}: one is trained all the same"))
    settings = load_settings(task.how.preset, overrides=(*_OVERRIDES, "train.epochs=1"))
    info = train_run(source, out=run, settings=settings, watch=watch).info
    return info.changed(
        notes=(*info.notes, "not even one epoch fitted into the time budget: one was trained all the same")
    )


def _refuse_in_use(run: Path) -> None:
    """What another process still works on is not damaged: it is about to end.

    Raises:
        WorkerError: another process trains in the folder.
    """
    try:
        with locked(run):
            return
    except RunError as error:
        raise WorkerError(error.problem) from None


def export(task: Task, watch: Watcher) -> Outcome:
    """Export what was trained, where that can be: whoever watches then takes the fastest runtime that is installed."""
    run, out = Run.open(task.here / "run"), task.here / "detector"
    if (out / ARTEFACT).is_file():
        try:
            open_trained(out)
        except OddframeError:
            remove(out)
        else:
            return Outcome(detector=str(out))
    if find_spec("onnxscript") is None or (find_spec("onnxruntime") is None and find_spec("openvino") is None):
        why = 'pip install "oddframe[export]" makes it several times as fast'
        note = f"the detector is computed by torch, the slowest runtime: {why}"
        return Outcome(detector=str(run.folder), notes=(note,))
    from oddframe.exporting.make import export as export_run

    try:
        export_run(run, out, watch=watch)
    except ExportError as error:
        note = f"the detector is computed by torch, since it cannot be exported: {error.in_one_line()}"
        return Outcome(detector=str(run.folder), notes=(note,))
    return Outcome(detector=str(out))


def calibrate(task: Task, watch: Watcher) -> Outcome:
    """Fit the detector to the camera, on what was kept apart."""
    detector = Path(export(task, watch).detector)
    out = task.here / "fitting"
    fitting = _there(out, detector)
    if fitting is None:
        fitting = fit_to_camera(
            detector,
            [task.here / "apart"],
            out=out,
            regions=task.watched,
            false_alarms_per_day=task.how.false_alarms_per_day,
            device="cpu",
            watch=watch,
        )
    return Outcome(
        detector=str(detector),
        fitting=str(fitting.folder),
        promise=fitting.info.promise.in_words(),
        notes=fitting.info.notes,
    )


def _there(folder: Path, detector: Path) -> Fitting | None:
    """A fitting that was made before; None where there is none, or it is damaged."""
    if not (folder / FITTING).is_file():
        remove(folder)
        return None
    try:
        return Fitting.open(folder, open_trained(detector))
    except OddframeError:
        remove(folder)
        return None
