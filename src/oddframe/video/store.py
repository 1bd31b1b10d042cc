"""Every video decoded and resized once: `FrameStore`, a folder that can be cleared at any time.

    <key>/           an entry, see `entry.py`; its name is a digest of all that it depends on
    locks/           one for each entry that is made, and one for room
    digests.jsonl    which bytes which file had, see `_digest.py`
    limit.json       what the store may take up, where somebody chose it

A key is a digest of the source's bytes, the range, the size, the channels and the way of resizing. So a file may be
moved or renamed, and a changed file is decoded anew. Entries are written beside and renamed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError, SettingsError, StorageError
from oddframe.files import CACHE_VARIABLE, HeldElsewhereError, lock, write_json
from oddframe.video._digest import DigestBook
from oddframe.video.disk import LIMIT_VARIABLE, in_bytes, parse_bytes, users_folder
from oddframe.video.entry import ABOUT, Opened, Recipe, Report, StoredPixels, open_entry, read_about, write_entry
from oddframe.video.picture import Resize
from oddframe.video.source import Video

DEFAULT_LIMIT_BYTES = 20e9

_LOG = logging.getLogger(__name__)
_FILLING, _GOING = ".filling-", ".going-"
_LIMIT_FILE = "limit.json"
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StoredVideo:
    """A video as the store holds it.

    Attributes:
        pixels: (T, h, w, channels) uint8, checked where it is looked at. Row i is frame `first_index` + i.
        times_s: (T,) float64, seconds from the start of the source; None without a clock.
        first_index: the source's number of frame 0.
        cut_off: whether the source ended in the middle, so that T is what was readable.
        missing: (T,) bool, rows of frames that did not decode; they repeat the frame before. None where there are none.
    """

    pixels: StoredPixels | NDArray[np.uint8]
    times_s: NDArray[np.float64] | None
    first_index: int
    cut_off: bool = False
    missing: NDArray[np.bool_] | None = None


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


class FrameStore:
    """Decoded video on disk, shared by all processes of a user.

    Args:
        folder: where; by default the user's cache folder, or what the environment names in ODDFRAME_CACHE.
        limit_bytes: what it may take up; by default what the environment names in ODDFRAME_CACHE_LIMIT, or what
            `set_limit` has noted, or 20 GB. Entries that were not opened for longest make room for new ones.

    Raises:
        StorageError: the folder cannot be made, or there is no home for it. SettingsError: the limit is no size.
    """

    def __init__(self, folder: Path | str | None = None, limit_bytes: float | None = None) -> None:
        self.folder = Path(folder or os.environ.get(CACHE_VARIABLE) or users_folder())
        with _disk_errors(self.folder):
            (self.folder / "locks").mkdir(parents=True, exist_ok=True)
        self.limit_bytes = self._chosen_limit() if limit_bytes is None else limit_bytes
        self._digests = DigestBook(self.folder / "digests.jsonl")
        self._in_use: set[str] = set()
        self._known: dict[tuple[str, int], StoreEntry] = {}
        self._swept = False

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
            allow_cut_off: take what is readable of a file that ends in the middle, or of a folder with broken pictures.
                T may then be smaller than `video.frame_count`.
            progress: called with frames done and frames in all while it decodes.

        Raises:
            CutOffVideoError: the file ends in the middle, and this is not allowed or nothing of it is readable.
            StorageError: the disk is full or cannot be written, or the limit leaves no room. Nothing that was stored
                before is lost.
            DataError: the video cannot be read, see `Video.frames`.
        """
        recipe = self._recipe(video, size, channels, resize)
        key, entry = recipe.key, self.folder / recipe.key
        if not self._swept:
            self._sweep()
        opened = open_entry(entry, recipe)
        if opened is None:
            with _disk_errors(self.folder), lock(self._lock_of(key)):
                opened = open_entry(entry, recipe)  # another process may have filled it meanwhile
                if opened is None:
                    self._fill(entry, video, recipe, allow_cut_off, progress)
                    opened = open_entry(entry, recipe)
        if opened is None:
            raise StorageError(
                "an entry of the frame store vanished while it was opened",
                path=entry,
                hint="run it again; another process is clearing the store",
            )
        if opened.about.trouble is not None and not allow_cut_off:
            raise CutOffVideoError(
                opened.about.trouble,
                frames_read=len(opened.mapped) - sum(stop - first for first, stop in opened.about.missing),
                path=video.path,
                hint="copy it again, or go on with what is readable: --allow-cut-off",
            )
        self._in_use.add(key)
        with suppress(OSError):  # the kernel's own "now" is too coarse for an order
            os.utime(entry / ABOUT, ns=(time.time_ns(),) * 2)
        pixels = StoredPixels(opened, lambda: self._mended(entry, video, recipe))
        return _stored(video, opened, pixels)

    def reserve(
        self, videos: Iterable[Video], size: tuple[int, int], channels: int, *, resize: Resize = "area"
    ) -> None:
        """Say before anything is decoded whether videos that are wanted at once fit, and let them not displace each
        other.

        Raises:
            StorageError: they do not fit into the limit.
        """
        needs = {}
        for video in videos:
            recipe = self._recipe(video, size, channels, resize)
            needs[recipe.key] = recipe.bytes_of(video.frame_count)
        if (wanted := sum(needs.values())) > self.limit_bytes:
            raise self._too_large(wanted, f"{len(needs)} videos" if len(needs) > 1 else "this video")
        self._in_use |= needs.keys()

    def set_limit(self, limit_bytes: float) -> int:
        """Note what the store may take up from now on, and remove what is beyond it; return the bytes set free.

        Raises:
            StorageError: the folder cannot be written.
        """
        with _disk_errors(self.folder), lock(self._lock_of("room")):
            write_json(self.folder / _LIMIT_FILE, {"limit_bytes": limit_bytes})
            self.limit_bytes = limit_bytes
            return self._evict(self.entries(), 0)

    def entries(self) -> list[StoreEntry]:
        """Return what the store holds, last used first."""
        found, known = [], {}
        with os.scandir(self.folder) as inside:
            folders = [Path(one.path) for one in inside if _KEY.fullmatch(one.name) and one.is_dir()]
        for folder in folders:
            try:
                status = (folder / ABOUT).stat()
                before = self._known.get((folder.name, status.st_ino))
                entry = _look_at(folder) if before is None else before
            except FileNotFoundError:
                continue  # on its way out
            found.append(replace(entry, used_s=status.st_mtime))
            known[folder.name, status.st_ino] = entry
        self._known = known
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
        self._in_use.clear()
        self._sweep()
        self._digests.clear()
        return freed

    def _recipe(self, video: Video, size: tuple[int, int], channels: int, resize: Resize) -> Recipe:
        if channels not in (1, 3):
            raise SettingsError("a picture has 1 or 3 channels", seen=channels, wanted="1 or 3")
        if min(size) < 1:
            raise SettingsError("a picture has at least one row and column", seen=size, wanted="(height, width)")
        chosen = video.pixel_range
        return Recipe(
            content=self._digests.of(video),
            start=video.first_index,
            stop=None if video.end is None else video.first_index + video.frame_count,
            size=size,
            channels=min(channels, video.channels),
            resize=resize,
            pixel_range=None if chosen is None else (chosen.low, chosen.high),
        )

    def _lock_of(self, name: str) -> Path:
        return self.folder / "locks" / f"{name}.lock"

    def _fill(self, entry: Path, video: Video, recipe: Recipe, allow_cut_off: bool, progress: Report | None) -> None:
        """Make an entry. The caller holds its lock, so that only this process fills it."""
        need = recipe.bytes_of(video.frame_count)
        self._drop_filling(recipe.key)
        filling = self.folder / f"{_FILLING}{recipe.key}-{need}"
        with lock(self._lock_of("room")):
            self._remove(entry)  # a damaged one
            self._make_room(need, video)
            filling.mkdir()
        try:
            write_entry(filling, video, recipe, allow_cut_off=allow_cut_off, progress=progress)
            filling.rename(entry)
        finally:
            shutil.rmtree(filling, ignore_errors=True)

    def _mended(self, entry: Path, video: Video, recipe: Recipe) -> Opened:
        """Make a damaged entry again, unless another process has done so since it was opened."""
        with _disk_errors(self.folder), lock(self._lock_of(recipe.key)):
            opened = open_entry(entry, recipe)
            if opened is None or not all(map(opened.sound, range(len(opened.about.blocks)))):
                _LOG.warning("%s: its pictures in the frame store are damaged and are made again", video.name)
                self._fill(entry, video, recipe, True, None)
                opened = open_entry(entry, recipe)
        if opened is None:
            raise StorageError(
                "a damaged entry of the frame store could not be made again",
                path=entry,
                hint="run it again; another process is clearing the store",
            )
        return opened

    def _make_room(self, need: int, video: Video) -> None:
        """Remove what was not used for longest until there is room for so many bytes. The caller holds the room's lock.

        Raises:
            StorageError: what is in use leaves no room within the limit, or the disk has none.
        """
        if need > self.limit_bytes:
            raise self._too_large(need, f"'{video.name}'")
        entries = self.entries()
        used = sum(entry.size_bytes for entry in entries if entry.key in self._in_use) + self._reserved()
        if used + need > self.limit_bytes:
            raise self._too_large(used + need, f"'{video.name}' and what is in use at the same time")
        self._evict(entries, need)
        if need > (free := shutil.disk_usage(self.folder).free):
            raise StorageError(
                f"the disk has no room for the pictures of '{video.name}'",
                path=self.folder,
                seen=f"{in_bytes(free)} free",
                wanted=in_bytes(need),
                hint=f"free some, or name another folder in the environment variable {CACHE_VARIABLE}",
            )

    def _evict(self, entries: Sequence[StoreEntry], need: int) -> int:
        """Remove entries that are not in use until `need` bytes fit; return the bytes set free."""
        taken, freed = sum(entry.size_bytes for entry in entries) + self._reserved(), 0
        for entry in reversed(entries):
            if taken - freed + need <= self.limit_bytes:
                break
            if entry.key not in self._in_use:
                self._remove(self.folder / entry.key)
                freed += entry.size_bytes
        return freed

    def _reserved(self) -> int:
        """Bytes that entries which are being made right now will take up."""
        names = (folder.name.rpartition("-")[2] for folder in self.folder.glob(f"{_FILLING}*"))
        return sum(int(name) for name in names if name.isdecimal())

    def _too_large(self, wanted: float, what: str) -> StorageError:
        return StorageError(
            f"the pictures of {what} do not fit into the frame store",
            path=self.folder,
            seen=in_bytes(wanted),
            wanted=f"at most {in_bytes(self.limit_bytes)}, which the store may take up",
            hint=f"allow more: oddframe data cache --limit {int(wanted / 1e9) + 1}GB; or need less: smaller pictures "
            "(--set model.size=[128,192]), fewer videos or a part of them (--end)",
        )

    def _chosen_limit(self) -> float:
        if text := os.environ.get(LIMIT_VARIABLE):
            return parse_bytes(text)
        try:
            with (self.folder / _LIMIT_FILE).open("rb") as file:
                return max(0.0, float(json.loads(file.read(4096))["limit_bytes"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return DEFAULT_LIMIT_BYTES

    def _remove(self, folder: Path) -> None:
        """Take an entry away at once, then delete it, so that nobody opens half of it."""
        going = self.folder / f"{_GOING}{folder.name}-{os.getpid()}-{time.monotonic_ns()}"
        try:
            folder.rename(going)
        except OSError:
            return  # somebody else was faster
        shutil.rmtree(going, ignore_errors=True)

    def _drop_filling(self, key: str) -> None:
        for folder in self.folder.glob(f"{_FILLING}{key}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Delete what killed processes left: whoever still fills an entry holds its lock."""
        self._swept = True
        for folder in self.folder.glob(f"{_GOING}*"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in self.folder.glob(f"{_FILLING}*"):
            key = folder.name.removeprefix(_FILLING).partition("-")[0]
            with suppress(HeldElsewhereError), lock(self._lock_of(key), wait=False):
                self._drop_filling(key)
        self._digests.sweep()


def _look_at(folder: Path) -> StoreEntry:
    """What an entry holds; one of another version, or a damaged one, still takes up room."""
    taken = sum(part.stat().st_size for part in folder.iterdir())
    about = read_about(folder)
    if about is None:
        return StoreEntry(folder.name, "not readable: damaged, or of another version", 0, (0, 0), 0, taken, 0.0)
    frames, height, width, channels = about.shape
    return StoreEntry(folder.name, about.source, frames, (height, width), channels, taken, 0.0)


def _stored(video: Video, opened: Opened, pixels: StoredPixels) -> StoredVideo:
    times, frames = opened.times_s, len(pixels)
    if not video.own_clock:
        times = None if video.fps is None else (video.first_index + np.arange(frames)) / video.fps
    missing = None
    if opened.about.missing:
        missing = np.zeros(frames, bool)
        for first, stop in opened.about.missing:
            missing[first:stop] = True
    return StoredVideo(pixels, times, video.first_index, opened.about.trouble is not None, missing)


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
