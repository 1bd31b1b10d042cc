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
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from oddframe.detectors.settings import Strict
from oddframe.errors import RunError, SettingsError
from oddframe.files import write_json
from oddframe.runs import Run
from oddframe.settings import Component, Settings, settings_from_dict

FORMAT = 1
FILE = "artefact.json"

INPUT = "clips"
"""Name of the graph's one input: (B, T, H, W, C) uint8, any B."""

ERROR, PREDICTED = "error", "predicted"
"""Outputs for those who want to see: (B, H, W) float32, and (B, H, W, C) uint8."""

_MOST_BYTES = 4 * 2**20
"""Of artefact.json, which is some kilobytes; a split with thousands of videos makes it longer."""

Graph = Literal["model.onnx", "model.xml"]
Precision = Literal["fp32", "int8"]


def map_output(component: str) -> str:
    """The graph's output with the map (B, h, w) of a local component."""
    return f"{component}_map"


class Description(Strict):
    """What artefact.json holds.

    Attributes:
        graph: the file that a runtime reads. precision: of its convolutions.
        before, after: frames around the judged one. size, channels: of the pictures that it takes.
        values: components, each an output (B,) of its own name. maps: those of them that have a map, see `map_output`.
        files: name → SHA-256 of the graph's files. settings: of the run, in full.
        run: what run.json held; its data root is relative to the artefact. versions: that made the artefact.
    """

    format: int
    graph: Graph
    precision: Precision
    before: int = Field(ge=0, le=999)
    after: int = Field(ge=0, le=999)
    size: tuple[int, int]
    channels: Literal[1, 3]
    values: tuple[Component, ...] = Field(min_length=1)
    maps: tuple[Component, ...]
    files: dict[str, str]
    settings: dict[str, Any]
    run: dict[str, Any]
    versions: dict[str, str]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        wanted = {self.graph, "model.bin"} if self.graph == "model.xml" else {self.graph}
        if set(self.files) != wanted:
            raise ValueError(f"files are {', '.join(sorted(self.files))}, wanted {', '.join(sorted(wanted))}")
        if not all(16 <= side <= 2**14 for side in self.size):
            raise ValueError(f"no size of a picture: {self.size}")
        return self

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what the graph gives for every clip."""
        return (*self.values, *map(map_output, self.maps), ERROR, PREDICTED)


class Artefact:
    """An exported detector.

    Attributes:
        folder: where it is. about: what artefact.json holds. settings: of its run.
    """

    def __init__(self, folder: Path, about: Description) -> None:
        self.folder = folder
        self.about = about
        self.settings: Settings = settings_from_dict(about.settings)

    @classmethod
    def open(cls, folder: Path | str) -> Artefact:
        """Open an artefact; its graph is read later, by the runtime.

        Raises:
            RunError: there is none, it is damaged, foreign, or of another format.
        """
        folder = Path(folder)
        path = folder / FILE
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise RunError(
                "there is no artefact in this folder",
                path=folder,
                seen=error.strerror,
                wanted=f"a folder with {FILE}, as `oddframe export --out` makes it",
            ) from None
        if len(content) > _MOST_BYTES:
            raise _damaged(path, f"more than {_MOST_BYTES} bytes")
        try:
            about = Description.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            raise _damaged(path, f"{'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}") from None
        if about.format != FORMAT:
            made_by = about.versions.get("oddframe", "of another version")
            raise RunError(
                "the artefact has another format than this version reads",
                path=path,
                seen=about.format,
                wanted=FORMAT,
                hint=f"it was made by oddframe {made_by}: use that version, or export the run again",
            )
        try:
            return cls(folder, about)
        except SettingsError as error:
            raise _damaged(path, error.problem) from None

    @property
    def info(self) -> dict[str, Any]:
        """What run.json held, as `Run.info`."""
        return self.about.run

    def graph(self) -> dict[str, bytes]:
        """Read the graph's files: name → content.

        Raises:
            RunError: a file is missing, or is not the one that was exported.
        """
        found = {}
        for name, digest in self.about.files.items():
            path = self.folder / name
            try:
                found[name] = path.read_bytes()
            except OSError as error:
                raise _damaged(path, error.strerror or str(error)) from None
            if hashlib.sha256(found[name]).hexdigest() != digest:
                raise _damaged(path, "other content than was exported")
        return found

    def parity(self) -> dict[str, Any]:
        """What parity.json holds: how it was compared with its run.

        Raises:
            RunError: it is missing or damaged.
        """
        path = self.folder / "parity.json"
        try:
            found = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise _damaged(path, f"{type(error).__name__}: {error}") from None
        return dict(found)

    def broken(self, seen: object) -> RunError:
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
    names = ["calibration.json", "calibration.npz"]
    if isinstance(trained, Run):
        names.append(trained.weights.name)
        known: dict[str, Any] = {"settings": trained.settings.to_dict()}
    else:
        known = {"settings": trained.settings.to_dict(), "graph": trained.about.files}
    digest = hashlib.blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16)
    for name in names:
        if (path := trained.folder / name).is_file():  # a detector without parameters has no weights
            digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def write_artefact(folder: Path, about: Description) -> Artefact:
    """Write artefact.json beside the graph's files, whose digests are taken now.

    Raises:
        StorageError: the folder cannot be written.
    """
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in about.files}
    about = about.model_copy(update={"files": files})
    write_json(folder / FILE, about.model_dump(mode="json"))
    return Artefact(folder, about)


def _damaged(path: Path, seen: object) -> RunError:
    return RunError("the artefact is damaged", path=path, seen=seen, hint="copy it again, or export the run again")
