"""Tables of a whole archive: the scores and events of all videos that lie scored in a folder, as Parquet.

They are made of what `score` has left. `tables.json` says of which outputs they are made, so that only what has changed
since is read, and what is gone is taken out.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO

from oddframe.errors import MissingPathError, OddframeError, RunError, StorageError
from oddframe.files import atomic_write
from oddframe.footage.folder import FILES, PARTIAL
from oddframe.footage.parquet import Judged, Opened, import_pyarrow, write_events, write_scores
from oddframe.footage.pieces import PIECES
from oddframe.footage.published import MANIFEST, published
from oddframe.footage.summary import FILE, SummaryFile, read_summary
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.records import FileRecord, Record, as_json, parse_record, read_record, write_record
from oddframe.storage.alone import alone_at
from oddframe.storage.place import Place, place_of
from oddframe.storage.reading import RemoteReader
from oddframe.storage.remote import Remote
from oddframe.video.discover import printable, scene_of
from oddframe.video.source import looks_of, natural_key

SCORES, EVENTS, INDEX = "scores.parquet", "events.parquet", "tables.json"

_LOCK = ".tables.lock"
_INDEX_BYTES = 512 * 2**20
_KEEP_EVERY_S = 10.0
_HINT = f"remove {SCORES}, {EVENTS} and {INDEX}, and all tables are made again"
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 40


class _Taken(Record):
    """A video that is in the tables. made_from: a digest of its outputs. files: their ways from the tables' folder."""

    made_from: str
    files: tuple[str, ...]


class _Index(FileRecord):
    """`tables.json`. oddframe: the version that has made the tables. videos: name → what is in the tables."""

    oddframe: str
    videos: dict[str, _Taken]


@dataclass(frozen=True, repr=False)
class Tables:
    """What the tables of an archive are made of.

    Attributes:
        scores, events: the folders of the two tables, or their URLs.
        videos: how many are in them. added: names of those that were read now. removed: of those that are gone.
        unfinished: names of those that are being scored, or whose scoring was ended by something: they are left out.
        failed: name → why a video's outputs could not be read: it is left out.
    """

    scores: Place
    events: Place
    videos: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    unfinished: tuple[str, ...]
    failed: Mapping[str, OddframeError]

    def __repr__(self) -> str:
        return f"<Tables of {self.videos} videos, {len(self.added)} of them added now>"


@dataclass
class _Found:
    """Scored videos below a folder: name → its folder, and a digest of its outputs; names of unfinished ones."""

    folders: dict[str, Place] = field(default_factory=dict)
    looks: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)


def table(
    folder: Place | str,
    *,
    out: Place | str | None = None,
    camera: str | None = None,
    watch: Watcher = unwatched,
) -> Tables:
    """Make one table of scores and one of events of all scored videos in a folder: scores.parquet and events.parquet.

    Each is a folder with a file for each video, in folders of its day and its camera. Columns have types, and their
    units as metadata; times of day are there where they are known, and rows of different detectors can be told apart.

    What has not changed since the last call is not read again, and the same outputs give the same tables. A video
    whose outputs are gone is taken out. One video is read at a time, and its rows bit by bit.

    Args:
        folder: in which `score` has left outputs, at any depth; or its URL.
        out: where the tables go; into the same folder without it.
        camera: of videos whose camera nothing tells: neither the scene that they were judged as, nor a folder that is
            not called by a date.
        watch: told how many videos have been looked at, and once of each that was left out.

    Raises:
        MissingExtraError: pyarrow is not installed. MissingPathError: no folder, or no scored video in it.
        StorageError: the tables cannot be written, or another process makes them. RunError: tables.json is damaged.
    """
    import_pyarrow()
    place = place_of(folder)
    into = place if out is None else place_of(out)
    found = _search(place)
    for name in found.unfinished:
        watch(Progress("warning", 0, 0, f"{name}: not finished, left out"))
    if not found.folders:
        raise MissingPathError(
            "there is no scored video in this folder",
            path=place,
            seen=f"{len(found.unfinished)} that are not finished" if found.unfinished else None,
            wanted="what `oddframe score` has left, with a scores.json for each video",
            hint="score videos into it with --out",
        )
    with _alone(into):
        return _Making(into, camera, watch).make(found)


class _Making:
    """The making of the tables in a folder."""

    def __init__(self, out: Place, camera: str | None, watch: Watcher) -> None:
        self._out, self._camera, self._watch = out, camera, watch
        self._taken = _read_index(out)
        self._kept = time.monotonic()

    def make(self, found: _Found) -> Tables:
        """Take in what has changed, take out what is gone."""
        removed = [name for name in self._taken if name not in found.folders]
        for name in removed:
            del self._taken[name]
        added, failed = [], {}
        try:
            for done, (name, folder) in enumerate(found.folders.items()):
                self._watch(Progress("videos into tables", done, len(found.folders)))
                made_from = _digest(found.looks[name], self._camera or "")
                if name in self._taken and self._taken[name].made_from == made_from:
                    continue
                self._taken.pop(name, None)
                try:
                    self._taken[name] = _Taken(made_from=made_from, files=tuple(self._take(name, folder)))
                    added.append(name)
                except (RunError, MissingPathError) as error:
                    failed[name] = error
                    self._watch(Progress("warning", 0, 0, f"{name}: left out: {error.in_one_line()}"))
                if time.monotonic() - self._kept > _KEEP_EVERY_S:
                    self._keep()
        finally:
            self._keep()
        self._sweep()
        self._watch(Progress("videos into tables", len(found.folders), len(found.folders)))
        return Tables(
            self._out / SCORES, self._out / EVENTS, len(self._taken), tuple(added), tuple(removed),
            tuple(found.unfinished), failed,
        )  # fmt: skip

    def _take(self, name: str, folder: Place) -> list[str]:
        """Write the rows of a video, and return the ways of its files.

        Raises:
            RunError: its outputs are damaged. MissingPathError: they are gone by now.
        """
        summary = _summary(folder)
        camera = summary.scene or scene_of(summary.video.split("/")[:-1]) or self._camera
        detector = None if summary.made is None else summary.made.run
        slug = _NO_NAME.sub("-", name.rpartition("/")[2])[:_LONGEST_NAME]
        of = Judged(name, camera, detector, f"{slug}-{_digest(name)[:12]}", summary.summary())
        with _opened_table(folder / FILES["scores"]) as rows:
            scores = write_scores(of, rows, self._opener(SCORES))
        events = write_events(of, self._opener(EVENTS))
        return [*(f"{SCORES}/{way}" for way in scores), *(f"{EVENTS}/{way}" for way in events)]

    def _opener(self, table: str) -> Opened:
        @contextlib.contextmanager
        def opened(way: str) -> Iterator[Path]:
            place = self._out / table / way
            if isinstance(place, Path):
                try:
                    place.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise StorageError.of(error, "the folder cannot be made", place.parent) from None
                with atomic_write(place) as begun:
                    yield begun
                return
            with tempfile.TemporaryDirectory(prefix="oddframe-") as folder:
                yield Path(folder) / "rows"
                place.upload(str(Path(folder) / "rows"))

        return opened

    def _keep(self) -> None:
        """Write down what is in the tables."""
        index = _Index(oddframe=version("oddframe"), videos=self._taken)
        if isinstance(self._out, Path):
            write_record(self._out / INDEX, index)
        else:
            (self._out / INDEX).write(as_json(index).encode())
        self._kept = time.monotonic()

    def _sweep(self) -> None:
        """Remove files that no video has: of those that are gone or changed, and of a call that was killed."""
        wanted = {way for one in self._taken.values() for way in one.files}
        for name in (SCORES, EVENTS):
            within = self._out / name
            if isinstance(within, Remote):
                for way in within.files():
                    if way.endswith(".parquet") and f"{name}/{way}" not in wanted:
                        (within / way).remove()
                continue
            for place in within.glob("day=*/camera=*/*.parquet"):
                if f"{name}/{place.relative_to(within).as_posix()}" not in wanted:
                    place.unlink(missing_ok=True)
                    for empty in (place.parent, place.parent.parent):
                        with contextlib.suppress(OSError):
                            empty.rmdir()


def _search(folder: Place) -> _Found:
    """Find what is scored below a folder, in natural order of names.

    Raises:
        MissingPathError: there is no such folder. StorageError: it cannot be read.
    """
    if isinstance(folder, Remote):
        return _search_remote(folder)
    if not folder.is_dir():
        raise MissingPathError("there is no such folder", path=folder, wanted="the --out of `oddframe score`")

    def refuse(error: OSError) -> None:
        raise StorageError.of(error, "a folder cannot be read", error.filename)

    found, folders = _Found(), {}
    for place, inside, files in os.walk(folder, onerror=refuse):
        in_pieces = PIECES in inside
        inside[:] = [one for one in inside if not one.startswith(".") and one not in (SCORES, EVENTS)]
        name = printable(Path(place).relative_to(folder).as_posix() if Path(place) != folder else folder.resolve().name)
        if FILE in files:
            folders[name] = Path(place)
            inside.clear()
        elif in_pieces or FILES["scores"] in files or PARTIAL in files:
            found.unfinished.append(name)
            inside.clear()
    for name in sorted(folders, key=_order):
        with contextlib.suppress(OSError):  # it is being scored again just now
            found.looks[name] = looks_of([folders[name] / FILE, folders[name] / FILES["scores"]])
        found.folders[name] = folders[name]
        if name not in found.looks:
            found.unfinished.append(name)
            del found.folders[name]
    found.unfinished.sort(key=_order)
    return found


def _search_remote(folder: Remote) -> _Found:
    files, found = folder.files(), _Found()
    begun = {way.rpartition(f"{PIECES}/")[0].rstrip("/") for way in files if PIECES in way.split("/")}
    begun |= {way.rpartition("/")[0] for way in files if way.rpartition("/")[2] in (FILE, FILES["scores"])}
    for place in sorted(begun, key=_order):
        name = printable(place or folder.name)
        beside = [f"{place}/{one}".lstrip("/") for one in (MANIFEST, FILE, FILES["scores"])]
        if all(one in files for one in beside):
            found.folders[name] = folder / place if place else folder
            found.looks[name] = looks_of([Remote(f"{folder}/{one}", files[one]) for one in beside])
        else:
            found.unfinished.append(name)
    return found


def _order(name: str) -> list[object]:
    return [natural_key(part) for part in name.split("/")]


def _summary(folder: Place) -> SummaryFile:
    if isinstance(folder, Path):
        return read_summary(folder)
    if (found := published(folder)) is None:
        raise MissingPathError("the outputs are not whole", path=folder, hint="score this video again")
    return found


@contextlib.contextmanager
def _opened_table(place: Place) -> Iterator[IO[bytes] | RemoteReader]:
    if isinstance(place, Remote):
        with contextlib.closing(RemoteReader(place)) as reader:
            yield reader
        return
    if not place.is_file():  # a pipe would wait for ever
        raise MissingPathError("the table of scores is not there", path=place, hint="score this video again")
    with place.open("rb") as file:
        yield file


def _alone(out: Place) -> contextlib.AbstractContextManager[None]:
    """Two who make the same tables would each remove what the other has written."""
    held = out / _LOCK if isinstance(out, Path) else out / SCORES
    return alone_at(out, held=held, doing="makes tables in this folder")


def _read_index(out: Place) -> dict[str, _Taken]:
    """What is in the tables; nothing where another version made them, which may have other columns.

    Raises:
        RunError: tables.json is damaged.
    """
    if isinstance(out, Path):
        if not (out / INDEX).exists():
            return {}
        index = read_record(out / INDEX, _Index, INDEX, limit_bytes=_INDEX_BYTES, hint=_HINT)
    else:
        try:
            index = parse_record((out / INDEX).read(), _Index, f"{out / INDEX}", hint=_HINT)
        except MissingPathError:
            return {}
    return dict(index.videos) if index.oddframe == version("oddframe") else {}


def _digest(*words: str) -> str:
    return hashlib.blake2b("\0".join(words).encode(), digest_size=16).hexdigest()
