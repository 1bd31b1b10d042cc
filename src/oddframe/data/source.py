"""The one recipe for data: what is said when a set of videos is opened, so that it can be opened so again.

A run keeps it in run.json, a result beside its figures. `oddframe.data.open.open_source` follows it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator, ValidationError

from oddframe.errors import SettingsError
from oddframe.records import Record, escaped, in_words, unescaped

_OTHER_FOOTAGE = ("fps", "start", "end", "ground_truth")
"""What makes other frames or labels of the same files."""


def _read(given: object) -> Path:
    if isinstance(given, Path):
        return given
    if not isinstance(given, str):
        raise ValueError("no path")
    return Path(unescaped(given))


Place = Annotated[Path, PlainValidator(_read), PlainSerializer(escaped, return_type=str, when_used="json")]
"""A path, also one whose name is not UTF-8."""


class DataSource(Record):
    """How a set of videos is opened.

    Attributes:
        paths: the folder of a set, or the folder above it; or one or more video files or folders of frames.
        kind: "ucsd-ped1", "ucsd-ped2", "avenue", "shanghaitech", "folder" or "files"; None to find it out.
        fps: frames per second of folders of frames, which state none.
        start, end: range that is read of plain video files, see `parse_position`.
        labels: label files beside those that lie below the folder.
        masks: where pixel masks lie, if not below the folder.
        ground_truth: "masks" or "frames", of Avenue only.
        partial: whether parts of a public set may be missing.
        taken_as: what plain video files are: normal video, or video to judge.

    >>> DataSource(paths=(Path("gate.mp4"),), end="1:20").instead(fps=10.0).options()
    ['--fps', '10.0', '--end', '1:20']
    """

    paths: tuple[Place, ...]
    kind: str | None = None
    fps: float | None = None
    start: str | None = None
    end: str | None = None
    labels: tuple[Place, ...] = ()
    masks: Place | None = None
    ground_truth: str | None = None
    partial: bool = False
    taken_as: Literal["normal", "test"] = "normal"

    @property
    def loose(self) -> bool:
        """Whether plain video files were named rather than a set; only sure once the kind is known."""
        return self.kind == "files"

    def instead(self, paths: Sequence[Path] = (), **said: Any) -> DataSource:
        """The same, but for what is said otherwise; None, False and nothing are not said.

        Labels and masks below a folder that lies elsewhere now lie elsewhere with it.

        Raises:
            SettingsError: no such value.
        """
        new = {name: value for name, value in said.items() if value is not None and value is not False and value != ()}
        if paths:
            new["paths"] = tuple(paths)
            if len(paths) == len(self.paths) == 1:
                old, now = self.paths[0], Path(paths[0])
                new.setdefault("labels", tuple(_moved(one, old, now) for one in self.labels))
                new.setdefault("masks", self.masks and _moved(self.masks, old, now))
        try:
            return self.changed(**new)
        except ValidationError as failed:
            raise SettingsError("data cannot be opened so", seen=in_words(failed)) from None

    def absolute(self) -> DataSource:
        """The same with paths that do not depend on where one stands."""
        return self._with_paths(Path.absolute)

    def seen_from(self, folder: Path) -> DataSource:
        """The same with paths as seen from a folder, as a file in it keeps them; `at` gives them back."""
        here = folder.resolve()
        return self._with_paths(lambda path: Path(os.path.relpath(path, here)))

    def at(self, folder: Path) -> DataSource:
        """The same with absolute paths, where they were as seen from a folder."""
        here = folder.resolve()
        return self._with_paths(lambda path: Path(os.path.normpath(here / path)))

    def differences(self, now: DataSource) -> list[str]:
        """What makes other frames or labels of the same files, as "data.fps: 25.0 there, 10.0 now"."""
        pairs = [(name, getattr(self, name), getattr(now, name)) for name in _OTHER_FOOTAGE]
        return [f"data.{name}: {there} there, {here} now" for name, there, here in pairs if there != here]

    def options(self) -> list[str]:
        """All but the paths as options of the command line, for another process."""
        words: list[str] = []
        for name in ("kind", "fps", "start", "end", "masks", "ground_truth"):
            if (value := getattr(self, name)) is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        for file in self.labels:
            words += ["--labels", str(file)]
        return [*words, "--partial"] if self.partial else words

    def _with_paths(self, seen: Callable[[Path], Path]) -> DataSource:
        return self.changed(
            paths=tuple(map(seen, self.paths)),
            labels=tuple(map(seen, self.labels)),
            masks=None if self.masks is None else seen(self.masks),
        )


class DataInfo(Record):
    """What a run, and its figures, keep of their data.

    Attributes:
        name: of its folder. kind: "ucsd-ped2", "folder", ... fingerprint: see `VideoSet.fingerprint`.
        labels: where the labels were read from. ground_truth: which of several; "" where there is one.
        missing: parts of a public set that were not there.
        source: how they were opened, with paths as seen from the folder of the run. None in what version 0.1 wrote, and
            of a set that was put together by hand.
        root: of version 0.1: the set's folder, as seen from the run; None for plain video files.
    """

    name: str = ""
    kind: str = ""
    fingerprint: str = ""
    labels: tuple[str, ...] = ()
    ground_truth: str = ""
    missing: tuple[str, ...] = ()
    source: DataSource | None = None
    root: Place | None = None


def source_in(data: DataInfo, folder: Path) -> DataSource | None:
    """How the data of a run or result in a folder were opened, with absolute paths.

    None where it is not known: version 0.1 kept the folder of a set and no `fps`, `labels` or `masks` (`unknown_in`
    says so), and nothing of plain video files.
    """
    if data.source is not None:
        return data.source.at(folder)
    if data.root is None:
        return None
    old = DataSource(
        paths=(data.root,),
        kind=data.kind or None,
        partial=bool(data.missing),
        ground_truth=data.ground_truth or None,
    )
    return old.at(folder)


def unknown_in(data: DataInfo) -> list[str]:
    """A note on what an older version has not kept of how the data were opened."""
    if data.source is not None:
        return []
    return [
        "The version that trained this run did not keep --fps, --labels, --masks, --start and --end: name again what "
        "was named then."
    ]


def _moved(path: Path, old: Path, now: Path) -> Path:
    return now / path.relative_to(old) if path.is_relative_to(old) else path
