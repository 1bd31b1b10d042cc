"""Digests of video sources, and the book that remembers them.

Reading all bytes of a video only to find that it is in the store would take longer than training on it. So the digest
is noted under path, size and time of change, and taken anew when one of them differs.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from oddframe.errors import StorageError, UnreadableVideoError
from oddframe.files import lock
from oddframe.video.source import Video, looks_of

_CHUNK_BYTES = 1 << 20
_REMEMBERED = 20_000
_BOOK_LIMIT_BYTES = 64 << 20


class DigestBook:
    """A small JSON file: path of a source -> what its files looked like, and their digest."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, video: Video) -> str:
        """Return a digest of the bytes of a video; for a folder of frames, of all names and bytes."""
        parts = video.parts()
        try:
            looks = looks_of(parts)
            where = str(video.path.resolve())
            noted = self._read().get(where)
            if noted is not None and noted[0] == looks:
                return noted[1]
            digest = _content(parts, named=len(parts) > 1 or video.path.is_dir())
        except OSError as error:
            raise UnreadableVideoError(
                f"'{video.name}' cannot be read", path=error.filename or video.path, seen=error.strerror
            ) from error
        self._note(where, looks, digest)
        return digest

    def clear(self) -> None:
        """Forget all."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, list[str]]:
        try:
            if self._path.stat().st_size > _BOOK_LIMIT_BYTES:
                return {}
            notes = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}  # none yet, or damaged: it is made again
        if not isinstance(notes, dict):
            return {}
        return {where: note for where, note in notes.items() if isinstance(note, list) and len(note) == 2}

    def _note(self, where: str, looks: str, digest: str) -> None:
        try:
            with lock(self._path.with_suffix(".lock")):
                notes = self._read()
                notes.pop(where, None)
                notes[where] = [looks, digest]
                kept = dict(list(notes.items())[-_REMEMBERED:])
                handle, beside = tempfile.mkstemp(prefix=".digests-", dir=self._path.parent)
                try:
                    with os.fdopen(handle, "w") as file:
                        json.dump(kept, file)
                    Path(beside).replace(self._path)
                finally:
                    Path(beside).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError("the frame store cannot be written", path=self._path, seen=error.strerror) from error


def _content(parts: Sequence[Path], *, named: bool) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        if named:
            digest.update(f"{part.name}\0{part.stat().st_size}\n".encode())
        with part.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()
