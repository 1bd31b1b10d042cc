"""Every video decoded and resized once: `FrameStore`, a folder that can be cleared at any time.

An entry is a folder of its own:
    pixels.npy   (T, h, w, channels) uint8, read as a memory map
    times.npy    (T,) float64 seconds, where the source has a clock of its own
    entry.json   what it was made from

An entry's name is a digest of the source's bytes, the range, the size, the channels and the way of resizing. So a file
may be moved or renamed, and a changed file is decoded anew. Entries are written beside and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError, SettingsError, StorageError, UnreadableVideoError
from oddframe.files import lock
from oddframe.video._digest import DigestBook
from oddframe.video.source import Video

Resize = Literal["area", "linear"]
Report = Callable[[int, int], None]

CACHE_VARIABLE = "ODDFRAME_CACHE"
_FORMAT = 1
_FILLING = ".filling-"
_GOING = ".going-"
_STALE_S = 24 * 3600.0
_REPORT_EVERY = 25


@dataclass(frozen=True)
class StoredVideo:
    """A video as the store holds it.

    Attributes:
        pixels: (T, h, w, channels) uint8, a read-only memory map.
        times_s: (T,) float64, seconds from the start of the source; None without a clock.
        first_index: the source's number of frame 0.
        cut_off: whether the source ended in the middle or is damaged, so that T is what was readable.
    """

    pixels: np.memmap[tuple[int, ...], np.dtype[np.uint8]]
    times_s: NDArray[np.float64] | None
    first_index: int
    cut_off: bool = False


@dataclass(frozen=True)
class StoreEntry:
    """What one entry of the store holds. `used_s` is when it was last opened, in seconds since the epoch."""

    key: str
    source: str
    frames: int
    size: tuple[int, int]
    channels: int
    size_bytes: int
    used_s: float


def as_picture(
    pixels: NDArray[np.uint8], size: tuple[int, int], channels: int, resize: Resize = "area"
) -> NDArray[np.uint8]:
    """Turn a frame into the picture that detectors see. The store and the scorer both use this one.

    Args:
        pixels: (H, W, C) uint8, C = 1 or 3 (RGB).
        size: (height, width) of the picture.
        channels: 1 or 3. Colour becomes grey by luma, grey becomes colour by repetition.
        resize: "area" averages when it shrinks and interpolates when it enlarges; "linear" always interpolates.

    Returns:
        (height, width, channels) uint8.
    """
    if channels == 1 and pixels.shape[2] == 3:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]
    if pixels.shape[:2] != size:
        shrinks = size[0] <= pixels.shape[0] and size[1] <= pixels.shape[1]
        method = cv2.INTER_AREA if resize == "area" and shrinks else cv2.INTER_LINEAR
        resized = cv2.resize(pixels, (size[1], size[0]), interpolation=method)
        pixels = np.asarray(resized, np.uint8).reshape(*size, pixels.shape[2])
    return pixels if pixels.shape[2] == channels else np.repeat(pixels, channels, axis=2)


@dataclass(frozen=True)
class _Recipe:
    """All that the bytes of an entry depend on."""

    content: str
    start: int
    stop: int | None
    size: tuple[int, int]
    channels: int
    resize: Resize

    @property
    def key(self) -> str:
        words = json.dumps({"format": _FORMAT, **asdict(self)}, sort_keys=True)
        return hashlib.blake2b(words.encode(), digest_size=16).hexdigest()


class FrameStore:
    """Decoded video on disk, shared by all processes of a user.

    Args:
        folder: where; by default the user's cache folder, or what the environment names in ODDFRAME_CACHE.
        limit_bytes: what it may take up. Past it the entries go that were not opened for longest.

    Raises:
        StorageError: the folder cannot be made.
    """

    def __init__(self, folder: Path | str | None = None, limit_bytes: float = 20e9) -> None:
        self.folder = Path(folder or os.environ.get(CACHE_VARIABLE) or _users_folder())
        self.limit_bytes = limit_bytes
        with _disk_errors(self.folder):
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
        self._digests = DigestBook(self.folder / "digests.json")

    def open(
        self,
        video: Video,
        size: tuple[int, int],
        channels: int,
        *,
        resize: Resize = "area",
        allow_cut_off: bool = False,
        progress: Report | None = None,
    ) -> StoredVideo:
        """Return the video's pictures, decoding it if the store does not hold them yet.

        Args:
            video: what to read.
            size: (height, width) of the pictures.
            channels: 1 or 3; a grey source is stored with 1 in any case.
            resize: see `as_picture`.
            allow_cut_off: take what is readable of a file that ends in the middle or is damaged. T is then smaller
                than `video.frame_count`.
            progress: called with frames done and frames in all (0 where not known) while it decodes.

        Raises:
            CutOffVideoError: the file ends in the middle, and this is not allowed or nothing of it is readable.
            StorageError: the disk is full or cannot be written. Nothing that was stored before is lost.
            DataError: the video cannot be read, see `Video.frames`.
        """
        if channels not in (1, 3):
            raise SettingsError("a picture has 1 or 3 channels", seen=channels, wanted="1 or 3")
        if min(size) < 1:
            raise SettingsError("a picture has at least one row and column", seen=size, wanted="(height, width)")
        channels = min(channels, video.channels)
        recipe = _Recipe(
            content=self._digests.of(video),
            start=video.first_index,
            stop=None if video.end is None else video.first_index + video.frame_count,
            size=size,
            channels=channels,
            resize=resize,
        )
        key = recipe.key
        entry = self.folder / key
        stored = _load(entry, video)
        if stored is None:
            with _disk_errors(self.folder), lock(self.folder / "locks" / f"{key}.lock"):
                stored = _load(entry, video)  # another process may have filled it meanwhile
                if stored is None:
                    self._fill(entry, video, recipe, allow_cut_off, progress)
                    stored = _load(entry, video)
        if stored is None:
            raise StorageError(
                "an entry of the frame store vanished while it was opened",
                path=entry,
                hint="run it again; another process is clearing the store",
            )
        if stored.cut_off and not allow_cut_off:
            raise CutOffVideoError(
                "this video is cut off or damaged",
                frames_read=len(stored.pixels),
                path=video.path,
                hint="copy it again",
            )
        self._evict(keep=key)
        return stored

    def _fill(self, entry: Path, video: Video, recipe: _Recipe, allow_cut_off: bool, progress: Report | None) -> None:
        filling = Path(tempfile.mkdtemp(prefix=_FILLING, dir=self.folder))
        try:
            shape, times, cut_off = _write_pictures(filling / "pixels.npy", video, recipe, allow_cut_off, progress)
            if video.own_clock:
                np.save(filling / "times.npy", np.asarray(times, np.float64), allow_pickle=False)
            about = {
                "source": str(video.path),
                "cut_off": cut_off,
                "shape": shape,
                "bytes": (filling / "pixels.npy").stat().st_size,
                "recipe": asdict(recipe),
            }
            (filling / "entry.json").write_text(json.dumps(about, indent=1))
            self._remove(entry)  # a damaged one
            filling.rename(entry)
        finally:
            shutil.rmtree(filling, ignore_errors=True)

    def entries(self) -> list[StoreEntry]:
        """Return what the store holds, last used first."""
        found = []
        for folder in self.folder.iterdir():
            try:
                about = json.loads((folder / "entry.json").read_text())
                frames, height, width, channels = about["shape"]
                used_s = (folder / "entry.json").stat().st_mtime
                taken = sum(part.stat().st_size for part in folder.iterdir())
            except (OSError, ValueError, KeyError, TypeError):
                continue  # something else, or on its way out
            if not folder.name.startswith("."):
                found.append(StoreEntry(folder.name, about["source"], frames, (height, width), channels, taken, used_s))
        return sorted(found, key=lambda one: one.used_s, reverse=True)

    def size_bytes(self) -> int:
        """Return what all entries take up."""
        return sum(entry.size_bytes for entry in self.entries())

    def clear(self) -> int:
        """Remove all entries and return the bytes that this set free. Whoever has one open may go on reading it."""
        freed = 0
        for entry in self.entries():
            freed += entry.size_bytes
            self._remove(self.folder / entry.key)
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name != "locks" and not folder.name.startswith(_FILLING):
                self._remove(folder)
        self._sweep()
        self._digests.clear()
        return freed

    def _evict(self, keep: str) -> None:
        entries = self.entries()
        taken = sum(entry.size_bytes for entry in entries)
        for entry in reversed(entries):
            if taken <= self.limit_bytes:
                break
            if entry.key != keep:
                self._remove(self.folder / entry.key)
                taken -= entry.size_bytes
        self._sweep()

    def _remove(self, folder: Path) -> None:
        """Take an entry away at once, then delete it, so that nobody opens half of it."""
        going = self.folder / f"{_GOING}{folder.name}-{os.getpid()}-{time.monotonic_ns()}"
        try:
            folder.rename(going)
        except OSError:
            return  # somebody else was faster
        shutil.rmtree(going, ignore_errors=True)

    def _sweep(self) -> None:
        """Delete what killed processes left half written."""
        for folder in self.folder.glob(".*"):
            try:
                old = time.time() - folder.stat().st_mtime > _STALE_S
            except OSError:
                continue
            if old and folder.name.startswith((_FILLING, _GOING)):
                shutil.rmtree(folder, ignore_errors=True)


def _write_pictures(
    path: Path, video: Video, recipe: _Recipe, allow_cut_off: bool, progress: Report | None
) -> tuple[list[int], list[float], bool]:
    """Decode into an .npy file of a length that is known only at its end. Return shape, times, whether cut off."""
    height, width, channels = *recipe.size, recipe.channels
    total = video.frame_count if progress is not None else 0
    times: list[float] = []
    count, cut_off = 0, False
    # Plain writes, no memory map: a full disk is then an error here and not a signal that ends the process.
    with path.open("wb") as file:
        start = _write_header(file, (0, height, width, channels))
        try:
            for frame in video.frames():
                picture = as_picture(frame.pixels, recipe.size, channels, recipe.resize)
                file.write(np.ascontiguousarray(picture).data)
                if frame.time_s is not None:
                    times.append(frame.time_s)
                count += 1
                if progress is not None and count % _REPORT_EVERY == 0:
                    progress(count, total)
        except CutOffVideoError:
            if not allow_cut_off or not count:
                raise
            cut_off = True
        if not count:
            raise UnreadableVideoError(f"'{video.name}' yields no frame", path=video.path)
        if not cut_off and count != video.frame_count:
            if not allow_cut_off:
                raise _not_all_decode(video, count)
            cut_off = True
        file.seek(0)
        if _write_header(file, (count, height, width, channels)) != start:
            raise AssertionError("the header of pixels.npy changed its length")
    if progress is not None:
        progress(count, max(total, count))
    return [count, height, width, channels], times, cut_off


def _write_header(file: BinaryIO, shape: tuple[object, ...]) -> int:
    # numpy leaves room in the header for the first axis to grow.
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.tell()


def _load(entry: Path, video: Video) -> StoredVideo | None:
    """Open an entry; None where there is none or it is damaged."""
    try:
        about = json.loads((entry / "entry.json").read_text())
        if (entry / "pixels.npy").stat().st_size != about["bytes"]:
            return None
        pixels = np.load(entry / "pixels.npy", mmap_mode="r", allow_pickle=False)
        if list(pixels.shape) != about["shape"] or pixels.dtype != np.uint8:
            return None
        times = None
        if video.own_clock:
            times = np.load(entry / "times.npy", allow_pickle=False)
            if times.shape != (len(pixels),):
                return None
        elif video.fps is not None:
            times = (video.first_index + np.arange(len(pixels))) / video.fps
        os.utime(entry / "entry.json", ns=(time.time_ns(),) * 2)  # the kernel's own "now" is too coarse for an order
        return StoredVideo(pixels, times, video.first_index, bool(about["cut_off"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _not_all_decode(video: Video, count: int) -> UnreadableVideoError:
    return UnreadableVideoError(
        f"not all frames of '{video.name}' decode, so that labels and frame numbers would not fit",
        path=video.path,
        seen=f"{count} frames",
        wanted=f"{video.frame_count}",
        hint="encode it anew, or train on what decodes with --set data.allow_cut_off=true",
    )


def _users_folder() -> Path:
    """Where the store of this user is.

    Raises:
        StorageError: the user has no home, as one without an account in a container.
    """
    try:
        folder = platformdirs.user_cache_path("oddframe") / "frames"
    except (RuntimeError, KeyError):
        folder = Path()
    if not folder.is_absolute():
        raise StorageError(
            "there is no home folder in which decoded video could be kept",
            seen="neither HOME nor an account of this user",
            wanted=f"a folder in the environment variable {CACHE_VARIABLE}",
            hint=f"export {CACHE_VARIABLE}=/somewhere/frames",
        )
    return folder


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            "the frame store cannot be written",
            path=error.filename or folder,
            seen=error.strerror or str(error),
            hint=f"make room, or name another folder in the environment variable {CACHE_VARIABLE}",
        ) from error
