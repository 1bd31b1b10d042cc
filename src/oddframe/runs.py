"""A trained detector as a folder that explains itself and can be copied.

run.json              format, settings, split, data, command, versions, host, clips, time and memory
weights.safetensors   calibration.json   calibration.npz   history.jsonl   events.out.tfevents...
resume/               while unfinished (`training/resume.py`)
eval-<protocol>.json  report.html
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oddframe.errors import RunError, SettingsError, StorageError, nearest
from oddframe.files import HeldElsewhereError, lock, write_json
from oddframe.settings import Settings, settings_from_dict

if TYPE_CHECKING:
    from oddframe.models.detector import Detector

FORMAT = 1

_PACKAGES = (
    *("oddframe", "torch", "numpy", "av", "opencv-python-headless", "scikit-learn"),
    *("onnxscript", "onnxruntime", "openvino", "nncf"),
)


class Run:
    """A run folder.

    Attributes:
        folder: where it is. info: what run.json holds. settings: the settings in full.
    """

    def __init__(self, folder: Path, info: dict[str, Any]) -> None:
        self.folder = folder
        self.info = info
        self.settings: Settings = settings_from_dict(info["settings"])

    @classmethod
    def open(cls, folder: Path | str, *, finished: bool = True) -> Run:
        """Open a run.

        Args:
            finished: whether its training must have ended.

        Raises:
            RunError: there is none, it is damaged, of another format, or not finished.
        """
        folder = Path(folder)
        path = folder / "run.json"
        if not path.is_file():
            siblings = [entry.name for entry in folder.parent.iterdir()] if folder.parent.is_dir() else []
            raise RunError(
                "there is no run in this folder",
                path=folder,
                wanted="a folder with run.json, as `oddframe train --out` makes it",
                hint=nearest(folder.name, siblings),
            )
        try:
            info = json.loads(path.read_text("utf-8"))
            found = info["format"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(path, error) from None
        if found != FORMAT:
            raise RunError(
                "the run has another format than this version writes",
                path=path,
                seen=found,
                wanted=FORMAT,
                hint=f"it was made by oddframe {_made_by(info)}: use that version, or train again",
            )
        try:
            run = cls(folder, info)
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(path, error) from None
        except SettingsError as error:
            raise RunError(
                "the settings in the run's run.json are not of this version",
                path=path,
                seen=error.problem,
                hint=f"it was made by oddframe {_made_by(info)}: use that version, or train again",
            ) from None
        if finished and not run.finished:
            raise RunError(
                "the run's training has not finished",
                path=folder,
                seen=info.get("state"),
                wanted="finished",
                hint=info.get("command") or "run the same `oddframe train` command again",
            )
        return run

    @property
    def finished(self) -> bool:
        """Whether training and calibration have ended."""
        return self.info.get("state") == "finished"

    @property
    def weights(self) -> Path:
        """Where the weights are."""
        return self.folder / "weights.safetensors"

    def detector(self) -> Detector:
        """Build the detector and load its weights; torch is needed from here on.

        Raises:
            WeightsError: the weights are truncated or do not fit.
        """
        from oddframe.models.weights import build_detector, load_tensors, load_weights

        detector = build_detector(self.settings.detector, self.settings.model, self.settings.train.seed)
        load_weights(detector, load_tensors(self.weights), self.weights)
        return detector

    def history(self) -> list[dict[str, Any]]:
        """The records of history.jsonl in order; a record cut off by a crash ends it."""
        path = self.folder / "history.jsonl"
        records: list[dict[str, Any]] = []
        if path.is_file():
            for line in path.read_text("utf-8").splitlines():
                try:
                    records.append(json.loads(line))
                except ValueError:
                    break
        return records

    def write_info(self, **changes: Any) -> None:
        """Change run.json.

        Raises:
            StorageError: the folder cannot be written.
        """
        self.info |= changes
        write_json(self.folder / "run.json", self.info)


def _damaged(path: Path, error: Exception) -> RunError:
    return RunError(
        "the run's run.json is damaged",
        path=path,
        seen=f"{type(error).__name__}: {error}",
        hint="copy the run again, or train again with another --out",
    )


def _made_by(info: Mapping[str, Any]) -> str:
    return str(info.get("versions", {}).get("oddframe", "of another version"))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run's folder, so that two trainings never write into one.

    Raises:
        RunError: another process trains in it. StorageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, "the run's folder cannot be written", folder) from None
    try:
        with lock(folder / ".lock", wait=False):
            yield
    except HeldElsewhereError:
        raise RunError(
            "another process is training in this folder", path=folder, hint="wait for it, or choose another --out"
        ) from None


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


def host() -> dict[str, Any]:
    """What kind of machine this is: processor, cores, system. Nothing that names it."""
    processor = platform.processor() or platform.machine()
    flags: set[str] = set()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                processor = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
                break
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "bf16_units": bool(flags & {"avx512_bf16", "amx_bf16"}),
        "int8_units": bool(flags & {"avx_vnni", "avx512_vnni", "amx_int8"}),
        "system": platform.system(),
    }


def peak_memory_mb() -> float:
    """The most memory that this process has held, in MB; not what its parent held when it started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 2**10, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
