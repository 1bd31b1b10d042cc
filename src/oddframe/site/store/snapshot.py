"""A copy of a site's database as it is at one moment, while others write to it. SQLite alone, of any version."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from oddframe.errors import StorageError, StoreError


def snapshot(database: Path, to: Path) -> None:
    """Copy a database by SQLite's own means: whatever is written meanwhile, the copy is of one moment.

    Raises:
        StoreError: it is damaged, or none. StorageError: the copy cannot be written.
    """
    with _opened(database, read_only=True) as there, _opened(to) as copy:
        there.backup(copy)


def evidence_in(database: Path) -> dict[int, str]:
    """Number → path below the site's folder, of all pictures and clips that a copy says are there.

    Raises:
        StoreError: it is damaged, or not one of a site.
    """
    with _opened(database, read_only=True) as there:
        return dict(there.execute("SELECT id, path FROM evidence_files WHERE removed_at IS NULL ORDER BY id"))


def detector_folders_in(database: Path) -> list[str]:
    """The folders of detectors and fittings that a copy names.

    Raises:
        StoreError: it is damaged, or not one of a site.
    """
    query = "SELECT folder FROM detectors UNION SELECT folder FROM fittings WHERE folder IS NOT NULL ORDER BY 1"
    with _opened(database, read_only=True) as there:
        return [folder for (folder,) in there.execute(query)]


def forget_evidence(database: Path, numbers: Iterable[int]) -> None:
    """Keep in a copy that files are not there, as after retention.

    Raises:
        StoreError: it is damaged, or not one of a site. StorageError: it cannot be written.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    with _opened(database) as copy:
        copy.executemany("UPDATE evidence_files SET removed_at = ? WHERE id = ?", [(now, one) for one in numbers])
        copy.commit()


@contextlib.contextmanager
def _opened(database: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(
            sqlite3.connect(f"{database.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}", uri=True)
        ) as connection:
            yield connection
    except sqlite3.Error as error:
        if "full" in str(error) or "readonly" in str(error):
            raise StorageError("a copy of the site's database cannot be written", path=database) from None
        raise StoreError(
            "the site's database cannot be copied",
            path=database,
            seen=str(error),
            hint="end what writes to it, or put a copy back",
        ) from None
