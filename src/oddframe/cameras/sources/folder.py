"""A folder into which a camera puts pictures, by FTP or otherwise.

A picture is read when its size has not changed for a while and its end is there: one that is half uploaded waits. What
lies there when the camera is opened for the first time is old, and is passed over unless it is asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.source import Coded, Coding, DamagedError, Source, Still
from oddframe.cameras.state import Cause
from oddframe.errors import CameraError
from oddframe.video.source import PICTURE_SUFFIXES, natural_key
from oddframe.video.torn import is_torn

_DEEPEST = 4
_MOST_FOLDERS = 10_000
_MOST_BYTES = 64 << 20
_COARSE_CLOCK_S = 3.0
"""A folder that changed so lately is looked at again: file systems round the time of change."""
_UNFINISHED_S = 30.0
"""A picture that does not grow and has no end for so long is given up."""

_CODECS = {b"\xff\xd8": "mjpeg", b"\x89P": "png", b"BM": "bmp", b"II": "tiff", b"MM": "tiff"}


@dataclass
class _Folder:
    """A folder as it was when it was last looked at."""

    changed_ns: int = -1
    looked_s: float = 0.0
    names: set[str] = field(default_factory=set)
    folders: list[Path] = field(default_factory=list)


@dataclass
class _Waiting:
    """A new picture that may still grow. `since_s`: when its size changed last."""

    size: int
    since_s: float


class Watched:
    """What is known of a folder. It outlives a source that is opened anew, so that no picture is read twice or missed.

    Args:
        backlog: what is there at first is new.
        wall: seconds since the epoch, as file systems have it.
    """

    def __init__(self, path: Path, *, backlog: bool, wall: Callable[[], float] = time.time) -> None:
        self.path, self._wall = path, wall
        self._folders: dict[Path, _Folder] = {}
        self._first = not backlog

    def new(self) -> list[Path]:
        """Files that came since the last call.

        Raises:
            OSError: the folder itself cannot be read. CameraError: it holds too many folders.
        """
        found: list[Path] = []
        self._look(self.path, 0, found)
        first, self._first = self._first, False
        return [] if first else found

    def _look(self, path: Path, depth: int, found: list[Path]) -> None:
        known = self._folders.setdefault(path, _Folder())
        if len(self._folders) > _MOST_FOLDERS:
            raise CameraError(
                "this folder holds too many folders to watch", cause=Cause.OTHER, wanted=f"up to {_MOST_FOLDERS:,}"
            )
        changed_ns = path.stat().st_mtime_ns
        if changed_ns != known.changed_ns or known.looked_s - changed_ns / 1e9 < _COARSE_CLOCK_S:
            known.looked_s = self._wall()
            names, folders = set(), []
            with os.scandir(path) as inside:
                for entry in inside:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path / entry.name)
                    elif Path(entry.name).suffix.lower() in PICTURE_SUFFIXES:
                        names.add(entry.name)
            found += [path / name for name in names - known.names]
            known.changed_ns, known.names, known.folders = changed_ns, names, folders
        for folder in known.folders if depth < _DEEPEST else ():
            try:
                self._look(folder, depth + 1, found)
            except FileNotFoundError:
                self._folders.pop(folder, None)


class FolderSource(Source):
    """See `Source`; `packets` yields None whenever nothing is there.

    Raises:
        CameraError: there is no such folder, or it cannot be read.
    """

    live = True

    def __init__(
        self, watched: Watched, settings: CameraSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched, self._settle_s, self._clock = watched, settings.settle_s, clock
        self._waiting: dict[Path, _Waiting] = {}
        self.coding = Coding("mjpeg", (0, 0))
        if not watched.path.is_dir():
            raise CameraError(
                "there is no such folder",
                cause=Cause.NOT_FOUND,
                path=watched.path,
                hint="make it, or mount the disk that it is on",
            )

    def packets(self) -> Iterator[Coded | None]:
        while True:
            try:
                for path in self._watched.new():
                    self._waiting[path] = _Waiting(-1, self._clock())
            except OSError as error:
                raise CameraError(
                    "the folder of this camera cannot be read",
                    cause=Cause.LOST,
                    path=self._watched.path,
                    seen=error.strerror,
                ) from None
            yield from self._finished()
            yield None

    def decode(self, coded: Coded, number: int) -> list[Still]:
        pixels = decoded(coded.data)
        self.coding = Coding(_CODECS.get(coded.data[:2], "mjpeg"), (pixels.shape[0], pixels.shape[1]))
        return [Still(number, pixels, key=True)]

    def flush(self) -> list[Still]:
        return []

    def close(self) -> None:
        self._waiting.clear()

    def _finished(self) -> Iterator[Coded]:
        """Pictures that grow no more, in the order in which they came."""
        now_s, settled = self._clock(), []
        for path, waiting in list(self._waiting.items()):
            try:
                status = path.stat()
            except OSError:
                del self._waiting[path]  # taken away again, or renamed
                continue
            if status.st_size != waiting.size:
                waiting.size, waiting.since_s = status.st_size, now_s
            if now_s - waiting.since_s >= self._settle_s:
                settled.append((status.st_mtime_ns, natural_key(path.name), path, waiting))
        for changed_ns, _, path, waiting in sorted(settled, key=lambda one: one[:2]):
            data = self._read(path, now_s - waiting.since_s)
            if data is not None:
                yield Coded(data, True, changed_ns / 1e9)

    def _read(self, path: Path, still_s: float) -> bytes | None:
        """The bytes of a whole picture; None for one that is not, which goes on waiting or is given up."""
        data = b""
        try:
            with path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except OSError:
            pass  # may be given free by whoever writes it
        if 0 < len(data) <= _MOST_BYTES and not is_torn(data):
            del self._waiting[path]
            return data
        if still_s > _UNFINISHED_S:
            del self._waiting[path]
            self.torn += 1
        return None


def decoded(data: bytes) -> NDArray[np.uint8]:
    """(H, W, 1) grey or (H, W, 3) RGB, upright, of a picture's bytes.

    Raises:
        DamagedError: it does not decode.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise DamagedError("a picture does not decode")
    return np.asarray(pixels[:, :, None] if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)
