"""Judged pieces of a video, on their way to who puts them together: files in the folder of its outputs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from oddframe.errors import DataError, MissingPathError, StorageError
from oddframe.files import write_bytes
from oddframe.scoring.pieces import JudgedPiece
from oddframe.storage.place import Place

PIECES = ".pieces"
"""Their folder, in that of the video's outputs. Where there is no summary beside it, the video is not finished."""


def keep(judged: JudgedPiece, folder: Place, number: int) -> str:
    """Put a piece into the folder of its video; return its digest.

    Raises:
        StorageError: it cannot be written.
    """
    place = folder / PIECES / _name(number)
    if isinstance(place, Path):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError.of(error, "the folder cannot be made", place.parent) from None
        return judged.save(place)
    with tempfile.TemporaryDirectory(prefix="oddframe-") as here:
        digest = judged.save(Path(here) / place.name)
        place.upload(str(Path(here) / place.name))
    return digest


def kept(folder: Place, digests: Sequence[str]) -> Iterator[JudgedPiece]:
    """The pieces of a video, one after another.

    Raises:
        DataError: one is gone, or is another one. StorageError: storage cannot be asked.
    """
    for number, digest in enumerate(digests):
        place = folder / PIECES / _name(number)
        if isinstance(place, Path):
            yield JudgedPiece.load(place, digest)
            continue
        with tempfile.TemporaryDirectory(prefix="oddframe-") as here:
            try:
                copied = write_bytes(Path(here) / place.name, place.read())
            except MissingPathError:
                raise DataError("a judged piece of this video is gone", path=str(place)) from None
            yield JudgedPiece.load(copied, digest)


def clear(folder: Place) -> None:
    """Take away all pieces, also those of a scoring that something ended.

    Raises:
        StorageError: storage cannot be asked.
    """
    place = folder / PIECES
    if isinstance(place, Path):
        shutil.rmtree(place, ignore_errors=True)
        return
    for way in place.files():
        (place / way).remove()


def _name(number: int) -> str:
    return f"{number:05}.npz"
