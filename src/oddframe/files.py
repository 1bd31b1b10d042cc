"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oddframe.errors import StorageError


@contextlib.contextmanager
def beside(path: Path, problem: str = "a file cannot be written") -> Iterator[Path]:
    """A place beside `path` to write to; it becomes `path` at the end, down to the disk, so that no half file is seen.

    Raises:
        StorageError: with this problem, where writing or renaming fails; what was begun is removed.
    """
    place = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield place
        _sync(place)
        place.replace(path)
    except OSError as error:
        raise StorageError.of(error, problem, path) from None
    finally:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)


def write_text(path: Path, text: str, problem: str = "a file cannot be written") -> Path:
    """Write a text file as `beside` does, and return its path.

    Raises:
        StorageError: it cannot be written.
    """
    with beside(path, problem) as place:
        place.write_text(text, "utf-8")
    return path


def write_json(path: Path, content: Any, problem: str = "a file cannot be written") -> Path:
    """Write JSON as `beside` does, and return its path.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    return write_text(path, json.dumps(content, indent=1), problem)


def _sync(place: Path) -> None:
    """Bring a file down to the disk: a rename that outlives a power cut must not name an empty file."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
