"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from oddframe.errors import StorageError


@contextlib.contextmanager
def beside(path: Path, problem: str = "a file cannot be written") -> Iterator[Path]:
    """A place beside `path` to write to; it becomes `path` at the end, so that no half file is ever seen.

    Raises:
        StorageError: with this problem, where writing or renaming fails; what was begun is removed.
    """
    place = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield place
        place.replace(path)
    except OSError as error:
        raise StorageError.of(error, problem, path) from None
    finally:
        with contextlib.suppress(OSError):
            place.unlink(missing_ok=True)
