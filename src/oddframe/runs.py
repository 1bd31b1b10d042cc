"""A trained detector as a folder that explains itself and can be copied.

run.json              format, settings, split, data, command, versions, host, clips, time and memory
weights.safetensors   history.jsonl   events.out.tfevents...
calibration.json      calibration.npz  evidence.npz: what it was fitted on   calibrations.jsonl: once it is changed
resume/               while unfinished (`training/resume.py`)
eval-<protocol>.json  report.html
"""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddframe.errors import RunError, SettingsError, StorageError, nearest
from oddframe.files import HeldElsewhereError, lock, read_bytes
from oddframe.origin import HistoryRecord, HostInfo, RunInfo
from oddframe.processes.cores import BF16_FLAGS, processor, usable_cores
from oddframe.records import parse_as, parse_json, read_record, write_record
from oddframe.settings import Settings
from oddframe.settings_layers import without_removed

if TYPE_CHECKING:
    from oddframe.models.detector import Detector

FILE = "run.json"
_LOCK = ".lock"

_MOST_BYTES = 16 * 2**20
"""Of run.json, which is some kilobytes; a split with thousands of videos makes it longer."""

_MOST_HISTORY = 256 * 2**20

_PACKAGES = (
    *("oddframe", "torch", "numpy", "av", "opencv-python-headless", "scikit-learn"),
    *("onnxscript", "onnxruntime", "openvino", "nncf"),
)


class Run:
    """A run folder.

    Attributes:
        folder: where it is. info: what run.json holds.
    """

    def __init__(self, folder: Path, info: RunInfo) -> None:
        self.folder = folder
        self.info = info

    def __repr__(self) -> str:
        data = self.info.data.name or "loose files"
        return f"<Run {self.folder}: {self.settings.detector} on {data}, {self.info.state}>"

    @property
    def settings(self) -> Settings:
        """The settings in full."""
        return self.info.settings

    @property
    def trained_settings(self) -> Settings:
        """The settings that it was trained with; those of `score` may have been changed since, by `calibrate`."""
        score = self.info.trained_score
        return self.settings if score is None else self.settings.model_copy(update={"score": score})

    def with_settings(self, settings: Settings) -> Run:
        """The same weights, used with other settings; run.json stays as it is."""
        return Run(self.folder, self.info.changed(settings=settings))

    @classmethod
    def open(cls, folder: Path | str, *, finished: bool = True) -> Run:
        """Open a run.

        Args:
            finished: whether its training must have ended.

        Raises:
            RunError: there is none, it is damaged, of another format, or not finished.
        """
        folder = Path(folder)
        path = folder / FILE
        if folder.is_file():
            raise RunError(
                "a run is a folder; pickles (.pth, .pt, .pkl) are never read, since reading one may run anything",
                path=folder,
                wanted="a folder with run.json, as `oddframe train --out` makes it",
                hint="train with this version: oddframe train VIDEO --out FOLDER",
            )
        if not path.is_file():
            siblings = [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
            raise RunError(
                "there is no run in this folder",
                path=folder,
                wanted="a folder with run.json, as `oddframe train --out` makes it",
                hint=nearest(folder.name, [name for name in siblings if name != folder.name]),
            )
        hint = "copy the run again, or train again with another --out"
        try:
            info = read_record(path, RunInfo, "the run's run.json", limit_bytes=_MOST_BYTES, hint=hint)
        except SettingsError as error:
            raise RunError(
                "the settings in the run's run.json are not of this version",
                path=path,
                seen=error.problem,
                hint=f"it was made by oddframe {_made_by(path)}: use that version, or train again",
            ) from None
        run = cls(folder, info.changed(notes=(*info.notes, *_of_removed_settings(path))))
        if finished and not run.finished:
            raise RunError(
                "the run's training has not finished",
                path=folder,
                seen=info.state,
                wanted="finished",
                hint=info.command or "run the same `oddframe train` command again",
            )
        return run

    @property
    def finished(self) -> bool:
        """Whether training and calibration have ended."""
        return self.info.state == "finished"

    @property
    def weights(self) -> Path:
        """Where the weights are."""
        return self.folder / "weights.safetensors"

    def detector(self) -> Detector:
        """Build the detector and load its weights; torch is needed from here on.

        Raises:
            WeightsError: the weights are truncated, do not fit, or are not those of the training.
        """
        from oddframe.models.weights import build_detector, load_tensors, load_weights

        detector = build_detector(self.settings.detector, self.settings.model, self.settings.train.seed)
        load_weights(detector, load_tensors(self.weights, self.info.weights), self.weights)
        return detector

    def history(self) -> list[HistoryRecord]:
        """The records of history.jsonl in order; a record cut off by a crash ends it."""
        path = self.folder / "history.jsonl"
        records: list[HistoryRecord] = []
        if path.is_file():
            for line in read_bytes(path, _MOST_HISTORY, "the run's history.jsonl").splitlines():
                try:
                    records.append(parse_as(line, HistoryRecord, "a record"))
                except RunError:
                    break
        return records

    def write_info(self, **changes: Any) -> None:
        """Change run.json.

        Raises:
            StorageError: the folder cannot be written.
        """
        changed = self.info.changed(**changes)
        write_record(self.folder / FILE, changed)
        self.info = changed


def _of_removed_settings(path: Path) -> list[str]:
    """Notes of settings in a sound run.json that this version has no more, and that were in use."""
    content = read_bytes(path, _MOST_BYTES, "the run's run.json")
    return without_removed(parse_json(content, "the run's run.json")["settings"])[1]


def _made_by(path: Path) -> str:
    """The version that made a run whose settings this one does not read."""
    try:
        return str(parse_json(path.read_bytes(), "it")["versions"]["oddframe"])
    except (OSError, KeyError, TypeError, RunError):
        return "of another version"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run's folder, so that two trainings never write into one.

    A folder that is made for it is removed again where nothing was written into it, as by a training that was refused.

    Raises:
        RunError: another process trains in it. StorageError: it cannot be made.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, "the run's folder cannot be written", folder) from None
    try:
        with lock(folder / _LOCK, wait=False):
            try:
                yield
            finally:
                _remove_unused(made)
    except HeldElsewhereError:
        raise RunError(
            "another process is training in this folder", path=folder, hint="wait for it, or choose another --out"
        ) from None


def _remove_unused(made: Sequence[Path]) -> None:
    """Remove folders that hold nothing but a run's lock, the innermost first."""
    if made and {one.name for one in made[0].iterdir()} <= {_LOCK, f"{_LOCK}.held"}:
        with contextlib.suppress(OSError):
            for one in made[0].iterdir():
                one.unlink()
            for folder in made:
                folder.rmdir()


def command_line() -> str:
    """The command that is running, as one could type it again."""
    program = Path(sys.argv[0]).name
    return shlex.join(["oddframe" if program == "__main__.py" else program, *sys.argv[1:]])  # python -m oddframe


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def host() -> HostInfo:
    """What kind of machine this is: processor, cores and how many this process may use, system. Nothing names it."""
    name, flags = processor()
    return HostInfo(
        processor=name,
        cores=os.cpu_count(),
        usable_cores=usable_cores(),
        bf16_units=bool(flags & BF16_FLAGS),
        int8_units=bool(flags & {"avx_vnni", "avx512_vnni", "amx_int8"}),
        system=platform.system(),
    )


def peak_memory_mb() -> float:
    """The most memory that this process has held, in MB; not what its parent held when it started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 2**10, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
