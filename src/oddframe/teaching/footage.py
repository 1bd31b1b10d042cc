"""The normal video that a camera learns from: pieces in a folder, a sub-folder a scene."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from oddframe.errors import StorageError
from oddframe.files import atomic_folder
from oddframe.video.source import natural_key

_NAME = re.compile(r"(?P<of>.+)-(?P<milliseconds>\d{1,9})ms\.mp4")
_TIME = re.compile(r"\d{8}T\d{6}\.\d{3}Z")
_APART = 4
"""One piece of so many is kept apart, to draw the line on."""
_MOST_RUN = 10
"""Pieces that follow each other are kept apart together: neighbours are alike, and must not be on both sides often."""


@dataclass(frozen=True)
class Piece:
    """A piece of normal video.

    Attributes:
        name: with its scene; unique among the pieces of a camera. path: its file. scene: "" for none.
        seconds: how long it is. began: UTC; None for one of a recording. bytes: of its file.
    """

    name: str
    path: Path
    scene: str
    seconds: float
    began: datetime | None
    bytes: int


def pieces_of(footage: Path, left_out: Collection[str] = ()) -> list[Piece]:
    """All pieces of a folder, in order of time, but for those that are left out."""
    if not footage.is_dir():
        return []
    found = []
    for path in footage.rglob("*.mp4"):
        within = path.relative_to(footage)
        match = _NAME.fullmatch(path.name)
        if match is None or any(part.startswith(".") for part in within.parts) or str(within) in left_out:
            continue
        stamp = match["of"]
        began = datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC) if _TIME.fullmatch(stamp) else None
        scene = "" if within.parent == Path() else str(within.parent)
        seconds = int(match["milliseconds"]) / 1000
        found.append(Piece(str(within), path, scene, seconds, began, path.stat().st_size))
    return sorted(found, key=lambda one: natural_key(one.path.name))


def divide(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Pieces to train on, and pieces that are kept apart: a quarter of each scene, spread over its time.

    Returns nothing to train on where a scene has one piece alone: it takes two sides.

    >>> def piece(number): return Piece(f"{number}", Path(), "", 20.0, None, 0)
    >>> training, apart = divide([piece(number) for number in range(9)])
    >>> [one.name for one in apart]
    ['2', '6']
    """
    training: list[Piece] = []
    apart: list[Piece] = []
    for scene in dict.fromkeys(one.scene for one in pieces):
        here = [one for one in pieces if one.scene == scene]
        run = max(1, min(_MOST_RUN, len(here) // (4 * _APART)))
        chosen = {number for number in range(len(here)) if number // run % _APART == _APART // 2}
        chosen = chosen or {len(here) - 1}
        apart += [one for number, one in enumerate(here) if number in chosen]
        training += [one for number, one in enumerate(here) if number not in chosen]
    return training, apart


def laid_out(pieces: Iterable[Piece], folder: Path) -> Path:
    """Have pieces lie in a folder of their own, in the sub-folders of their scenes: linked, or copied where that fails.

    The folder is there whole or not at all; where it is there, it is left as it is.

    Raises:
        StorageError: it cannot be written.
    """
    if not folder.is_dir():
        with atomic_folder(folder, "a set of normal video cannot be laid out") as place:
            for one in pieces:
                there = place / one.name
                there.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(one.path, there)
                except OSError:
                    shutil.copyfile(one.path, there)
    return folder


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that goes."""
    shutil.rmtree(folder, ignore_errors=True)


def made(folder: Path) -> Path:
    """Make a folder, if it is not there.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, "a folder for learning cannot be made", folder) from None
    return folder
