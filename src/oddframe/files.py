"""Files that appear whole or not at all, are read no further than they may be long, and locks."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from oddframe.errors import OddframeError, RunError, StorageError

CACHE_VARIABLE = "ODDFRAME_CACHE"
"""The environment variable that names the folder of what is kept between commands, if it is not to be in the home."""

_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})

_HERE, _SWAPPED = -100, 2
"""AT_FDCWD, and RENAME_EXCHANGE (of macOS RENAME_SWAP)."""


class HeldElsewhereError(Exception):
    """A lock that somebody else holds. Whoever asks for one without waiting says what that means."""


@contextlib.contextmanager
def atomic_write(path: Path, problem: str = "a file cannot be written") -> Iterator[Path]:
    """An atomic write: a temporary file in the folder of `path`, which takes its place whole, or not at all.

    Yields the temporary file's path to write to. At the end it is brought down to the disk and renamed.
    What processes that are no more had begun of the same file is removed.

    Raises:
        StorageError: with this problem, where writing or renaming fails; what was begun is removed.
    """
    place = _begun(path)
    clear_left(path.parent, path.name)
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_held(place, os.O_RDWR | os.O_CREAT))
            yield place
            _sync(place)
            place.replace(path)
        except OSError as error:
            raise StorageError.of(error, problem, path) from None
        finally:
            with contextlib.suppress(OSError):
                place.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not every system can sync a folder
        _sync(path.parent)


@contextlib.contextmanager
def atomic_folder(
    folder: Path, problem: str = "a folder cannot be written", *, replaces: bool = False
) -> Iterator[Path]:
    """As `atomic_write`, for a folder: it takes its place when it is whole, where there is none or an empty one.

    Args:
        replaces: take the place of one that holds something, too; at any moment the old one or the new one is there.

    Raises:
        StorageError: with this problem; what was begun is removed.
    """
    place = _begun(folder)
    with contextlib.ExitStack() as held:
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            clear_left(folder.parent, folder.name)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            held.enter_context(_held(place, os.O_RDONLY))
            yield place
            if replaces and folder.is_dir():
                _swap(place, folder)
            else:
                place.replace(folder)
        except OSError as error:
            raise StorageError.of(error, problem, folder) from None
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _swap(one: Path, other: Path) -> None:
    """Have two folders change places, in one step where the system knows one (Linux, macOS).

    Elsewhere, as on NFS, it is three renames; who is killed between them leaves the other one as ".NAME.before".

    Raises:
        OSError: they stay where they are.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(libc, "renameat2"):
        failed = libc.renameat2(_HERE, names[0], _HERE, names[1], _SWAPPED)
    else:
        failed = libc.renamex_np(*names, _SWAPPED) if hasattr(libc, "renamex_np") else -1
    if not failed:
        return
    before = other.with_name(f".{other.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    other.rename(before)
    try:
        one.rename(other)
    except OSError:
        before.rename(other)
        raise
    before.rename(one)


def clear_left(folder: Path, name: str | None = None) -> None:
    """Remove what processes that are no more had begun to write in a folder.

    Whoever writes holds a lock on what it writes, so that nothing of a living process is touched, however old it is.
    Where the file system has no locks, all is left.

    Args:
        folder: where to look; not below it. name: of the file or folder that was begun; None is any.
    """
    begun = re.compile(rf"\.{'.+' if name is None else re.escape(name)}\.\d+\.tmp")
    with contextlib.suppress(OSError):
        for left in [Path(entry) for entry in os.scandir(folder) if begun.fullmatch(entry.name)]:
            if left.name.endswith(f".{os.getpid()}.tmp"):
                continue  # this process is writing it, or is about to
            with contextlib.suppress(OSError), _held(left, os.O_RDONLY | os.O_NONBLOCK, at_once=True):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)


def _begun(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


@contextlib.contextmanager
def _held(place: Path, flags: int, *, at_once: bool = False) -> Iterator[None]:
    """Hold a lock on a file or folder, which goes with it when it is renamed.

    Args:
        at_once: it must be had, and now; else it is not waited for, and done without where there are no locks.

    Raises:
        OSError: it cannot be opened, or not be had at once.
    """
    handle = os.open(place, flags, 0o666)
    try:
        with contextlib.nullcontext() if at_once else contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def write_bytes(path: Path, content: bytes, problem: str = "a file cannot be written") -> Path:
    """Write a file by an atomic write, and return its path.

    Raises:
        StorageError: it cannot be written.
    """
    with atomic_write(path, problem) as place:
        place.write_bytes(content)
    return path


def write_text(path: Path, text: str, problem: str = "a file cannot be written") -> Path:
    """Write a text file by an atomic write, and return its path. Bytes of names that are not UTF-8 become "\\udce9".

    Raises:
        StorageError: it cannot be written.
    """
    return write_bytes(path, text.encode("utf-8", "backslashreplace"), problem)


def write_json(path: Path, content: Any, problem: str = "a file cannot be written") -> Path:
    """Write JSON by an atomic write, and return its path.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
        ValueError: a number is not finite; JSON has no word for it.
    """
    return write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n", problem)


def read_bytes(
    path: Path, most: int, what: str, *, error: type[OddframeError] = RunError, hint: str | None = None
) -> bytes:
    """Read a file that a stranger may have made: a regular one, and no more of it than it may be long.

    Args:
        path: the file. most: bytes that it may have.
        what: what the file is, as an error begins: "the run's run.json".
        error: class of the error. hint: what to do about it.

    Raises:
        `error`: it is not there, cannot be read, is no regular file (a pipe would wait for ever), or is longer.
    """
    try:
        if not path.is_file():
            raise error(f"{what} is not there", path=path, wanted="a file", hint=hint)
        with path.open("rb") as file:
            # A bound given to read() is set aside in memory at once, however short the file is.
            content = file.read() if os.fstat(file.fileno()).st_size <= most else file.read(most + 1)
    except OSError as failed:
        raise error(f"{what} cannot be read", path=path, seen=failed.strerror or str(failed), hint=hint) from None
    if len(content) > most:
        raise error(
            f"{what} is too large", path=path, seen=f"more than {most:,} bytes", wanted=f"up to {most:,}", hint=hint
        )
    return content


def file_digest(path: Path) -> str:
    """SHA-256 of a file of any length.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    # Its own way out would take a lock file that stayed behind for one that is held, and wait for ever.
    held: filelock.BaseFileLock = filelock.FileLock(path, fallback_to_soft=False)
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
