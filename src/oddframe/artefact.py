"""An exported detector as a folder: a graph that a runtime computes, and all that its scores need.

artefact.json           format, graph, precision, window, size, components, digests, settings, the run that it came of
model.onnx              or model.xml and model.bin
calibration.json        calibration.npz
parity.json             how it was compared with its run     README.md   the same for people

Needs no torch. A file that a stranger may have made is never trusted: it is bounded, validated, and no pickle.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from oddframe.errors import OddframeError, RunError, SettingsError
from oddframe.files import read_bytes
from oddframe.origin import Origin, StoredSettings, Versions
from oddframe.plain import Json
from oddframe.records import FileRecord, Record, damaged, parse_as, read_record, write_record
from oddframe.runs import Run
from oddframe.settings import Component, Settings

FILE = "artefact.json"
_WHAT, _HINT = "the artefact", "copy it again, or export the run again"

INPUT = "clips"
"""Name of the graph's one input: (B, T, H, W, C) uint8, any B."""

ERROR, PREDICTED = "error", "predicted"
"""Outputs for those who want to see: (B, H, W) float32, and (B, H, W, C) uint8."""

_MOST_BYTES = 4 * 2**20
"""Of artefact.json, which is some kilobytes; a split with thousands of videos makes it longer."""

_MOST_CARRIED = 2**24
"""Numbers that a graph may carry from clip to clip under one name: 64 MiB."""

_MOST_FILE = 8 * 2**30
"""Of a graph, or of what lies beside it."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")

CALIBRATION_FILES = ("calibration.json", "calibration.npz")

UNCHECKED = (
    "The artefact was exported by version 0.1, which kept no digest of its calibration: whether its alarm line was "
    "changed since cannot be told. Export the run again."
)

Graph = Literal["model.onnx", "model.xml"]
Precision = Literal["fp32", "int8"]


def map_output(component: str) -> str:
    """The graph's output with the map (B, h, w) of a local component."""
    return f"{component}_map"


def next_output(name: str) -> str:
    """The graph's output with what is carried under this name to the next clip."""
    return f"next_{name}"


class Description(FileRecord):
    """What artefact.json holds.

    Attributes:
        graph: the file that a runtime reads. precision: of its convolutions.
        before, after: frames around the judged one. size, channels: of the pictures that it takes.
        values: components, each an output (B,) of its own name. maps: those of them that have a map, see `map_output`.
        carried: name → shape of what is carried from clip to clip of a video, zeros at its start: an input (B, ...),
            and an output, see `next_output`.
        files: name → SHA-256 of every file but this one; of the graph's alone in artefacts of version 0.1.
        settings: of the run, in full.
        run: what run.json held; its data root is relative to the artefact. versions: that made the artefact.
    """

    graph: Graph
    precision: Precision
    before: int = Field(ge=0, le=999)
    after: int = Field(ge=0, le=999)
    size: tuple[int, int]
    channels: Literal[1, 3]
    values: tuple[Component, ...] = Field(min_length=1)
    maps: tuple[Component, ...]
    carried: dict[
        Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")], tuple[Annotated[int, Field(ge=1, le=2**24)], ...]
    ] = Field(default_factory=dict, max_length=16)
    files: dict[str, str] = Field(max_length=32)
    settings: StoredSettings
    run: Origin
    versions: Versions

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if lacking := set(self.graph_files) - set(self.files):
            raise ValueError(
                f"files are {', '.join(sorted(self.files))}; {', '.join(sorted(lacking))} is not among them"
            )
        if strange := [name for name in self.files if not _PLAIN_NAME.fullmatch(name)]:
            raise ValueError(f"no name of a file: {strange[0]}")
        if any(math.prod(shape) > _MOST_CARRIED for shape in self.carried.values()):
            raise ValueError(f"no more than {_MOST_CARRIED:,} numbers are carried over a video: {self.carried}")
        if not all(16 <= side <= 2**14 for side in self.size):
            raise ValueError(f"no size of a picture: {self.size}")
        return self

    @property
    def graph_files(self) -> tuple[str, ...]:
        """Names of the files that the graph lies in."""
        return (self.graph, "model.bin") if self.graph == "model.xml" else (self.graph,)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the graph gives for every clip."""
        return (*self.values, *map(map_output, self.maps), ERROR, PREDICTED, *map(next_output, self.carried))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the graph takes."""
        return (INPUT, *self.carried)


class ComparedInfo(Record):
    """A graph of one precision beside its run, frame by frame.

    Attributes:
        videos, frames: what they were compared on.
        relative: component or map → largest difference, relative to the run's value.
        alarmed_by_run, alarmed_by_artefact: frames that belong to an event. differing: those that one of them alone
            calls so.
    """

    videos: tuple[str, ...]
    frames: int
    relative: dict[str, float]
    alarmed_by_run: int
    alarmed_by_artefact: int
    differing: int

    @property
    def largest(self) -> float:
        """Largest relative difference of a component. Single places of maps differ more."""
        return max(value for name, value in self.relative.items() if name in get_args(Component))


class AreasInfo(Record):
    """AUC of `online` on so many labelled videos; None where it is undefined."""

    videos: int
    run: float | None
    artefact: float | None


class ParityInfo(Record):
    """What parity.json holds: how an artefact was compared with its run.

    Attributes:
        limit: of a relative difference in fp32. made: whether on made pictures, on which alarms mean nothing.
        why_made: why there was no video. fp32, int8: int8 where it was exported so. auc: where data were given.
    """

    limit: float
    made: bool
    why_made: str | None = None
    fp32: ComparedInfo
    int8: ComparedInfo | None = None
    auc: AreasInfo | None = None

    @property
    def compared(self) -> dict[Precision, ComparedInfo]:
        """Precision → how it was compared."""
        found: dict[Precision, ComparedInfo] = {"fp32": self.fp32}
        return found if self.int8 is None else {**found, "int8": self.int8}


class Artefact:
    """An exported detector.

    Attributes:
        folder: where it is. about: what artefact.json holds. settings: of its run.
    """

    def __init__(self, folder: Path, about: Description) -> None:
        self.folder = folder
        self.about = about

    def __repr__(self) -> str:
        return f"<Artefact {self.folder}: {self.settings.detector}, {self.about.graph} in {self.about.precision}>"

    @property
    def settings(self) -> Settings:
        """The settings of its run in full."""
        return self.about.settings

    @property
    def info(self) -> Origin:
        """What run.json held but for the settings, as `Run.info`."""
        return self.about.run

    def with_settings(self, settings: Settings) -> Artefact:
        """The same graph, used with other settings; artefact.json stays as it is."""
        return Artefact(self.folder, self.about.changed(settings=settings))

    @classmethod
    def open(cls, folder: Path | str) -> Artefact:
        """Open an artefact, and check that its files are those that were exported; the graph's, when they are read.

        Raises:
            RunError: there is none, it is damaged, changed, foreign, or of another format.
        """
        folder = Path(folder)
        path = folder / FILE
        if not path.is_file():
            raise RunError(
                "there is no artefact in this folder",
                path=folder,
                wanted=f"a folder with {FILE}, as `oddframe export --out` makes it",
            )
        try:
            about = read_record(path, Description, _WHAT, limit_bytes=_MOST_BYTES, hint=_HINT)
        except SettingsError as error:
            raise _damaged(path, error.problem) from None
        for name in set(about.files) - set(about.graph_files):
            _check(folder / name, about.files[name])
        if not {*CALIBRATION_FILES} <= set(about.files):
            about = about.changed(run=about.run.changed(notes=(*about.run.notes, UNCHECKED)))
        return cls(folder, about)

    def graph(self) -> dict[str, bytes]:
        """Read the graph's files: name → content.

        Raises:
            RunError: a file is missing, or is not the one that was exported.
        """
        return {name: _check(self.folder / name, self.about.files[name]) for name in self.about.graph_files}

    def parity(self) -> ParityInfo:
        """How it was compared with its run.

        Raises:
            RunError: it is missing or damaged.
        """
        path = self.folder / "parity.json"
        return parse_as(read_bytes(path, _MOST_BYTES, _WHAT, hint=_HINT), ParityInfo, _WHAT, path=path, hint=_HINT)

    def broken(self, seen: object) -> OddframeError:
        """The error of a graph that a runtime cannot use."""
        return _damaged(self.folder / self.about.graph, seen)


Trained = Run | Artefact
"""What there is to score with."""


def open_trained(place: Trained | Path | str) -> Trained:
    """Open a run or an artefact, whichever the folder holds.

    Raises:
        RunError: it holds neither, or one that is damaged or not finished.
    """
    if isinstance(place, (Run, Artefact)):
        return place
    return Artefact.open(place) if (Path(place) / FILE).is_file() else Run.open(place)


def fingerprint(trained: Trained) -> str:
    """A digest of all that its scores depend on: settings, weights or graph, calibration."""
    names = [*CALIBRATION_FILES]
    if isinstance(trained, Run):
        names.append(trained.weights.name)
        known: Json = {"settings": trained.settings.to_dict()}
    else:
        known = {"settings": trained.settings.to_dict(), "graph": trained.about.files}
    digest = hashlib.blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16)
    for name in names:
        if (path := trained.folder / name).is_file():  # a detector without parameters has no weights
            digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def write_artefact(folder: Path, about: Description) -> Artefact:
    """Write artefact.json beside the graph's files, and whatever else is there, whose digests are taken now.

    Raises:
        StorageError: the folder cannot be written.
    """
    names = sorted({*about.graph_files, *(path.name for path in folder.iterdir() if path.is_file())} - {FILE})
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    about = about.model_copy(update={"files": files})
    write_record(folder / FILE, about)
    return Artefact(folder, about)


def _check(path: Path, digest: str) -> bytes:
    """Read a file that must be the one that was exported."""
    content = read_bytes(path, _MOST_FILE, f"{_WHAT}'s {path.name}", hint=_HINT)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _damaged(path, "other content than was exported")
    return content


def _damaged(path: Path, seen: object) -> OddframeError:
    return damaged(_WHAT, seen, path=path, hint=_HINT)
