"""Outputs of a video on object storage: made on this machine, put there, and vouched for by a list that comes last.

Object storage renames nothing. So a folder there counts as finished by its manifest alone, which names each file with
its bytes: it is removed before the first file changes, and written after the last one.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from oddframe.errors import MissingPathError
from oddframe.files import write_bytes
from oddframe.footage.summary import FILE, SummaryFile, read_summary
from oddframe.records import FileRecord, read_record, write_record
from oddframe.storage.place import Place
from oddframe.storage.remote import Remote

MANIFEST = "manifest.json"
_MOST_BYTES = 1 << 20


class Manifest(FileRecord):
    """The files of a scored video. files: way from its folder → bytes."""

    files: dict[str, int]


@contextlib.contextmanager
def filled(folder: Place) -> Iterator[Path]:
    """A folder to write outputs into: itself; or, of one on object storage, one of this machine, whose files are put
    there at the end.

    Raises:
        StorageError: a file cannot be put there; then there is no manifest, and the video is not finished.
    """
    if isinstance(folder, Path):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="oddframe-") as place:
        inside = Path(place)
        (folder / MANIFEST).remove()
        yield inside
        publish(inside, folder)


def publish(inside: Path, folder: Remote) -> None:
    """Put the files of a folder there, take away what is left of another scoring, and write the manifest.

    Raises:
        StorageError: storage refuses one of them.
    """
    ways = {path.relative_to(inside).as_posix(): path for path in sorted(inside.rglob("*")) if path.is_file()}
    for way, path in ways.items():
        (folder / way).upload(str(path))
    for way in folder.files():
        if way not in ways:
            (folder / way).remove()
    written = write_record(inside / MANIFEST, Manifest(files={way: path.stat().st_size for way, path in ways.items()}))
    (folder / MANIFEST).write(written.read_bytes())


def published(folder: Remote) -> SummaryFile | None:
    """What scores.json says of a video whose manifest is there, and all files that it names, with their bytes.

    Raises:
        StorageError: storage cannot be asked. RunError: manifest or summary are damaged.
    """
    with tempfile.TemporaryDirectory(prefix="oddframe-") as place:
        try:
            listed = write_bytes(Path(place) / MANIFEST, (folder / MANIFEST).read())
        except MissingPathError:
            return None
        manifest = read_record(listed, Manifest, "the manifest of a scored video", limit_bytes=_MOST_BYTES)
        there = folder.files()
        if any(way not in there or there[way].size != size for way, size in manifest.files.items()):
            return None
        if FILE not in manifest.files:
            return None
        write_bytes(Path(place) / FILE, (folder / FILE).read())
        return read_summary(Path(place))
