"""Files that appear whole or not at all, and locks."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from oddframe.errors import StorageError

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})


class HeldElsewhereError(Exception):
    """A lock that somebody else holds. Whoever asks for one without waiting says what that means."""


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


@contextlib.contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock file, which only one process and thread can at a time. A process that ends lets go of it.

    Some file systems have no locks (NFS without lockd, Lustre without flock, some containers). There the lock is a
    file beside it that names its holder, and a holder on this machine that is dead is noticed.

    Args:
        path: the lock file, in a folder that is there. It stays.
        wait: until it is free.

    Raises:
        HeldElsewhereError: somebody holds it, and `wait` is False.
        StorageError: the file cannot be written.
    """
    held: filelock.BaseFileLock = filelock.FileLock(path)
    timeout_s = -1 if wait else 0
    try:
        try:
            held.acquire(timeout=timeout_s)
        except OSError as error:
            if isinstance(error, filelock.Timeout) or error.errno not in _NO_LOCKS:
                raise
            held = filelock.SoftFileLock(path.with_name(f"{path.name}.held"))
            held.acquire(timeout=timeout_s)
    except filelock.Timeout:
        raise HeldElsewhereError(f"{path} is held by another process") from None
    except OSError as error:
        raise StorageError.of(error, "a lock file cannot be written", path) from None
    try:
        yield
    finally:
        held.release()


def _sync(place: Path) -> None:
    """Bring a file down to the disk: a rename that outlives a power cut must not name an empty file."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
