"""Digests of video sources, and the book that remembers them.

Reading all bytes of a video only to find that it is in the store would take longer than training on it. So the digest
is noted under path, size and time of change, and taken anew when one of them differs.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from oddframe.errors import StorageError, UnreadableVideoError
from oddframe.files import HeldElsewhereError, atomic_write, lock
from oddframe.storage.place import local
from oddframe.video.source import Video, looks_of

_CHUNK_BYTES = 1 << 20
_SAMPLED_FILES, _SAMPLED_BLOCKS, _BLOCK_BYTES = 32, 8, 1 << 16
_REMEMBERED = 20_000
_LONGEST_LINE = 16_384
_BOOK_LIMIT_BYTES = 64 << 20


class DigestBook:
    """A file with one JSON line a note: path of a source, what its files looked like, and their digest.

    Notes are added at its end and each process reads only what is new, so that n videos cost n lines. The last note of
    a path holds. A line that is damaged is passed over: its video is digested again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._notes: dict[str, tuple[str, str]] = {}
        self._read = (0, 0)
        self._lines = 0

    def of(self, video: Video) -> str:
        """Return a digest of the bytes of a video; for a folder of frames, of all names and bytes."""
        parts, path = [local(part) for part in video.parts()], local(video.path)
        try:
            looks = looks_of(parts)
            where = str(path.resolve())
            self._refresh()
            noted = self._notes.get(where)
            if noted is not None and noted[0] == looks:
                return noted[1]
            digest = _content(parts, named=len(parts) > 1 or path.is_dir())
        except OSError as error:
            raise UnreadableVideoError(
                f"'{video.name}' cannot be read", path=error.filename or video.path, seen=error.strerror
            ) from error
        self._note(where, looks, digest)
        return digest

    def clear(self) -> None:
        """Forget all."""
        self._path.unlink(missing_ok=True)
        self._notes.clear()
        self._read = (0, 0)

    def sweep(self) -> None:
        """Delete what a process left that was killed while it shortened the book."""
        with suppress(HeldElsewhereError), lock(self._path.with_suffix(".lock"), wait=False):
            for left in self._path.parent.glob(f".{self._path.name}.*"):
                left.unlink(missing_ok=True)

    def _refresh(self) -> None:
        """Read the lines that were added since the last time."""
        try:
            status = self._path.stat()
        except OSError:
            return  # none yet
        file_number, place = self._read
        if status.st_ino != file_number or status.st_size < place:
            self._notes, self._lines, place = {}, 0, 0
        if status.st_size == place or status.st_size > _BOOK_LIMIT_BYTES:
            return
        try:
            with self._path.open("rb") as file:
                file.seek(place)
                content = file.read(_BOOK_LIMIT_BYTES)
        except OSError:
            return
        whole = content.rpartition(b"\n")[0]  # the last line may be in the making
        for line in whole.splitlines():
            self._lines += 1
            if (note := _parsed(line)) is not None:
                where, looks, digest = note
                self._notes.pop(where, None)
                self._notes[where] = (looks, digest)
        self._read = (status.st_ino, place + len(whole) + (1 if whole else 0))

    def _note(self, where: str, looks: str, digest: str) -> None:
        line = json.dumps([where, looks, digest])
        try:
            with lock(self._path.with_suffix(".lock")):
                self._refresh()
                too_long = self._path.is_file() and self._path.stat().st_size > _BOOK_LIMIT_BYTES
                if too_long or self._lines >= 2 * _REMEMBERED:
                    kept = list(self._notes.items())[-_REMEMBERED:]
                    with atomic_write(self._path) as place:
                        place.write_text("".join(json.dumps([one, *note]) + "\n" for one, note in kept), "utf-8")
                handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
                try:
                    # begins a line of its own, too, where a killed process left half of one
                    os.write(handle, f"\n{line}\n".encode())
                finally:
                    os.close(handle)
        except OSError as error:
            raise StorageError("the frame store cannot be written", path=self._path, seen=error.strerror) from error


def _parsed(line: bytes) -> tuple[str, str, str] | None:
    try:
        note = json.loads(line) if 0 < len(line) <= _LONGEST_LINE else None
    except (ValueError, RecursionError):
        return None
    if isinstance(note, list) and len(note) == 3 and all(isinstance(word, str) for word in note):
        return note[0], note[1], note[2]
    return None


def sampled_digest(parts: Sequence[Path]) -> bytes:
    """A digest of files that takes moments however large they are: names and sizes of all, bytes of some.

    Of many files every so manieth is looked into, and of a large one, blocks spread from its beginning to its end. So a
    file that was replaced or cut shows, and one changed byte in the middle may not.

    Raises:
        UnreadableVideoError: one of them cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    looked_into = {round(place * (len(parts) - 1) / (_SAMPLED_FILES - 1)) for place in range(_SAMPLED_FILES)}
    for number, part in enumerate(parts):
        try:
            size = part.stat().st_size
            digest.update(f"{os.fsencode(part.name)!r}\0{size}\n".encode() if len(parts) > 1 else f"{size}\n".encode())
            if len(parts) <= _SAMPLED_FILES or number in looked_into:
                _sample(part, size, digest)
        except OSError as error:
            raise UnreadableVideoError("this file cannot be read", path=part, seen=error.strerror) from error
    return digest.digest()


def _sample(path: Path, size: int, digest: hashlib.blake2b) -> None:
    with path.open("rb") as file:
        if size <= _SAMPLED_BLOCKS * _BLOCK_BYTES:
            digest.update(file.read(size))
            return
        for block in range(_SAMPLED_BLOCKS):
            file.seek(round(block * (size - _BLOCK_BYTES) / (_SAMPLED_BLOCKS - 1)))
            digest.update(file.read(_BLOCK_BYTES))


def _content(parts: Sequence[Path], *, named: bool) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        if named:
            digest.update(os.fsencode(part.name) + f"\0{part.stat().st_size}\n".encode())
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()
