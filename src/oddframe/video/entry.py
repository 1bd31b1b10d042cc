"""An entry of the frame store: how it is written, and how it is checked where it is read.

    pixels.npy   (T, h, w, channels) uint8, read as a memory map
    times.f64    (T,) float64 seconds, where the source has a clock of its own
    entry.json   what it was made from, and digests of all of this

Disks forget. Pixels have a digest for every few megabytes, which is compared when that block is first looked at: so
opening an entry costs nothing, and no pixel is used unchecked. CRC-32 finds accidents, not forgeries, and takes 0.8
seconds a gigabyte, where BLAKE2 takes 4.6.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oddframe.errors import CutOffVideoError, StorageError, UnreadableVideoError
from oddframe.storage.place import local
from oddframe.video.picture import Resize, as_picture
from oddframe.video.source import Video

Report = Callable[[int, int], None]

FORMAT = 2
ABOUT = "entry.json"
_PIXELS, _TIMES = "pixels.npy", "times.f64"

_BLOCK_BYTES = 4 << 20
_ABOUT_LIMIT_BYTES = 32 << 20
_REPORT_EVERY = 25

_MOST_MISSING = 0.5
"""Share of a video's frames that may be missing in its middle; of more nothing is learned."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Recipe(_Record):
    """All that the bytes of an entry depend on."""

    content: str
    start: int
    stop: int | None
    size: tuple[int, int]
    channels: int
    resize: Resize
    pixel_range: tuple[int, int] | None = None

    @property
    def key(self) -> str:
        """Name of the entry."""
        words = json.dumps({"format": FORMAT, **self.model_dump(mode="json")}, sort_keys=True)
        return hashlib.blake2b(words.encode(), digest_size=16).hexdigest()

    def bytes_of(self, frames: int) -> int:
        """What an entry of so many frames takes up, to a thousandth."""
        pixels = frames * self.size[0] * self.size[1] * self.channels
        return pixels + 8 * frames + 12 * (pixels // _BLOCK_BYTES) + 4096


class About(_Record):
    """What entry.json says.

    Attributes:
        trouble: why not all of the source was readable; None where it was.
        missing: rows first..stop-1 of frames that did not decode.
        block: rows a block. blocks: a digest of each. times: a digest of the times, where there are any.
    """

    source: str
    recipe: Recipe
    shape: tuple[int, int, int, int]
    trouble: str | None
    missing: tuple[tuple[int, int], ...]
    block: int = Field(ge=1)
    blocks: tuple[int, ...]
    times: int | None


class _Sealed(_Record):
    digest: int
    about: About


@dataclass(frozen=True)
class Opened:
    """An entry that is open: what it says, its pixels unchecked, its times checked."""

    about: About
    mapped: np.memmap[tuple[int, ...], np.dtype[np.uint8]]
    times_s: NDArray[np.float64] | None

    def sound(self, block: int) -> bool:
        """Whether the pixels of a block are those that were written."""
        first = block * self.about.block
        return zlib.crc32(self.mapped[first : first + self.about.block].data) == self.about.blocks[block]


class StoredPixels:
    """(T, h, w, channels) uint8 of an entry, to be taken by frame or by slice: read-only views of a memory map.

    A block is checked when it is first looked at. A damaged entry is made again from its video.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, opened: Opened, mend: Callable[[], Opened]) -> None:
        self._opened, self._mend = opened, mend
        self._checked = bytearray(len(opened.about.blocks))
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, h, w, channels)."""
        return self._opened.about.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, where: SupportsIndex | slice) -> NDArray[np.uint8]:
        """One frame (h, w, channels), or a slice of them (n, h, w, channels).

        Raises:
            StorageError: the disk does not give back what was written. DataError: the video cannot be read any more.
        """
        if isinstance(where, slice):
            rows = range(len(self))[where]
        else:
            row = range(len(self))[where]
            rows = range(row, row + 1)
        if rows:
            block = self._opened.about.block
            for number in range(min(rows[0], rows[-1]) // block, max(rows[0], rows[-1]) // block + 1):
                if not self._checked[number]:
                    self._check(number)
        return self._opened.mapped[where]

    def __array__(self, dtype: None = None, copy: bool | None = None) -> NDArray[np.uint8]:
        return np.array(self[:]) if copy else self[:]

    def _check(self, block: int) -> None:
        with self._lock:
            if not self._opened.sound(block):
                self._opened = self._mend()
                self._checked = bytearray(len(self._opened.about.blocks))
                if not self._opened.sound(block):
                    raise StorageError(
                        "the disk of the frame store does not give back what was written to it",
                        path=self._opened.mapped.filename,
                        hint="name a folder on another disk in the environment variable ODDFRAME_CACHE",
                    )
            self._checked[block] = 1


def write_entry(
    folder: Path, video: Video, recipe: Recipe, *, allow_cut_off: bool, progress: Report | None = None
) -> None:
    """Decode a video into a folder that is there.

    Raises:
        CutOffVideoError: it ends in the middle, and this is not allowed or nothing of it is readable.
        UnreadableVideoError: too little of it decodes. OSError: the disk is full.
    """
    with (folder / _PIXELS).open("wb") as file:
        rows = _Rows(file, recipe)
        trouble = None
        total = video.frame_count
        try:
            for frame in video.frames():
                row = frame.index - video.first_index
                if not rows.count <= row < total:
                    raise UnreadableVideoError(
                        f"'{video.name}' has other frames than it announces, so that labels would not fit",
                        path=video.path,
                        seen=f"frame {frame.index} after {rows.count} frames",
                        wanted=f"{total} frames",
                        hint="encode it anew",
                    )
                rows.add(row, as_picture(frame.pixels, recipe.size, recipe.channels, recipe.resize), frame.time_s)
                if progress is not None and rows.count % _REPORT_EVERY == 0:
                    progress(rows.count, total)
        except CutOffVideoError as error:
            if not allow_cut_off or not rows.count:
                raise
            trouble = error.problem
        if not rows.count:
            raise UnreadableVideoError(f"'{video.name}' yields no frame", path=video.path)
        if trouble is None and (rows.count < total or len(rows.missing) > _MOST_MISSING * total):
            lacking = _not_all_decode(video, rows.count - len(rows.missing))
            if not allow_cut_off:
                raise lacking
            trouble = lacking.problem
        blocks = rows.finish()
    times = None
    if video.own_clock:
        content = rows.times().tobytes()
        times = zlib.crc32(content)
        (folder / _TIMES).write_bytes(content)
    about = About(
        source=os.fsencode(local(video.path)).decode("utf-8", "replace"),
        recipe=recipe,
        shape=(rows.count, *recipe.size, recipe.channels),
        trouble=trouble,
        missing=tuple(_runs(rows.missing)),
        block=rows.block,
        blocks=blocks,
        times=times,
    )
    (folder / ABOUT).write_text(_Sealed(digest=_digest(about), about=about).model_dump_json(), "utf-8")
    if progress is not None:
        progress(rows.count, max(total, rows.count))


def read_about(folder: Path) -> About | None:
    """Read what an entry says of itself; None where there is none or it is damaged."""
    try:
        with (folder / ABOUT).open("rb") as file:
            content = file.read(_ABOUT_LIMIT_BYTES)
        sealed = _Sealed.model_validate_json(content)
    except (OSError, ValidationError):
        return None
    return sealed.about if sealed.digest == _digest(sealed.about) else None


def open_entry(folder: Path, recipe: Recipe) -> Opened | None:
    """Open an entry; None where there is none, or it is damaged, or of another video."""
    about = read_about(folder)
    if about is None or about.recipe != recipe:
        return None
    header = _header(about.shape)
    try:
        with (folder / _PIXELS).open("rb") as file:
            if file.read(len(header)) != header or file.seek(0, 2) != len(header) + int(np.prod(about.shape)):
                return None
        mapped = np.memmap(folder / _PIXELS, np.uint8, "r", len(header), about.shape)
        times = None
        if about.times is not None:
            with (folder / _TIMES).open("rb") as file:
                content = file.read(8 * about.shape[0] + 1)
            if zlib.crc32(content) != about.times:
                return None
            times = np.frombuffer(content, np.float64)
    except (OSError, ValueError):
        return None
    return Opened(about, mapped, times)


class _Rows:
    """The pixels of an entry while they are written, one row after another."""

    def __init__(self, file: io.BufferedWriter, recipe: Recipe) -> None:
        self._file = file
        self._shape = (*recipe.size, recipe.channels)
        self.block = max(1, _BLOCK_BYTES // int(np.prod(self._shape)))
        self.count = 0
        self.missing: list[int] = []
        self._times: list[float | None] = []
        self._blocks: list[int] = []
        self._last: NDArray[np.uint8] | None = None
        # Plain writes, no memory map: a full disk is then an error here and not a signal that ends the process.
        file.write(_header((0, *self._shape)))

    def add(self, row: int, picture: NDArray[np.uint8], time_s: float | None) -> None:
        """Write a picture; rows that are missing before it repeat the one before them, at the start this one."""
        picture = np.ascontiguousarray(picture)
        while self.count < row:
            self.missing.append(self.count)
            self._write(picture if self._last is None else self._last, None)
        self._write(picture, time_s)
        self._last = picture

    def finish(self) -> tuple[int, ...]:
        """Write the length, and return the digests of the blocks."""
        header = _header((self.count, *self._shape))
        self._file.seek(0)
        self._file.write(header)
        if len(header) != len(_header((0, *self._shape))):
            raise AssertionError("the header of pixels.npy changed its length")
        return tuple(self._blocks)

    def times(self) -> NDArray[np.float64]:
        """(T,) seconds; those of missing rows lie between their neighbours'."""
        known = [row for row, time_s in enumerate(self._times) if time_s is not None]
        seconds = [time_s for time_s in self._times if time_s is not None]
        return np.interp(np.arange(self.count), known, seconds) if known else np.zeros(self.count)

    def _write(self, picture: NDArray[np.uint8], time_s: float | None) -> None:
        self._file.write(picture.data)
        if self.count % self.block == 0:
            self._blocks.append(0)
        self._blocks[-1] = zlib.crc32(picture.data, self._blocks[-1])
        self._times.append(time_s)
        self.count += 1


def _header(shape: tuple[int, ...]) -> bytes:
    # numpy leaves room in the header for the first axis to grow.
    held = io.BytesIO()
    np.lib.format.write_array_header_1_0(held, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return held.getvalue()


def _digest(about: About) -> int:
    return zlib.crc32(about.model_dump_json().encode())


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    """Ascending rows as (first, stop).

    >>> _runs([3, 4, 5, 9])
    [(3, 6), (9, 10)]
    """
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row == runs[-1][1]:
            runs[-1] = (runs[-1][0], row + 1)
        else:
            runs.append((row, row + 1))
    return runs


def _not_all_decode(video: Video, count: int) -> UnreadableVideoError:
    return UnreadableVideoError(
        f"not all frames of '{video.name}' decode",
        path=video.path,
        seen=f"{count} frames",
        wanted=f"{video.frame_count}",
        hint="encode it anew, or train on what decodes: --allow-cut-off",
    )
