"""A video file or a folder of frames as one thing: `Video`.

Files are decoded by PyAV (`_file.py`), pictures by OpenCV (`_folder.py`). Frames come one after another, so that a
long video needs no more memory than a short one, but for some 50 bytes a frame by which they are numbered and timed.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import SettingsError, TooShortError
from oddframe.storage.place import Place
from oddframe.storage.remote import Remote
from oddframe.video.pixel_range import PixelRange

PICTURE_SUFFIXES = frozenset({".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".png"})
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".asf", ".flv"}
    | {".3gp", ".3g2", ".ogv", ".ogm", ".f4v", ".vob", ".m1v", ".m2v", ".mpv", ".divx", ".dv", ".mxf", ".nut", ".ivf"}
    | {".rm", ".rmvb", ".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".obu", ".av1", ".dav"}
    | {".gif", ".mjpeg", ".mjpg", ".y4m"}
)

_NAMED = 8
"""Stretches of missing frames that a note names."""

_END_SLACK_S = 1.0
"""Ends are typed in whole seconds, and videos seldom end on one."""

_CLOCK_SLACK_S = 1e-4
"""Time stamps are fractions; "00:04.8" means the frame whose stamp is 4.8 s up to rounding."""


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Attributes:
        index: number of the frame in its source, from 0.
        time_s: seconds from the start of the source; None where the source has no clock.
        pixels: (H, W, C) uint8, C = 1 (grey) or 3 (RGB).
    """

    index: int
    time_s: float | None
    pixels: NDArray[np.uint8] = field(repr=False)


class Video(ABC):
    """A video, or a range of one, that can be read from its beginning as often as wanted.

    Attributes:
        path: the file, which may be on object storage, or the folder of frames.
        name: how it is called in tables.
        size: (height, width) of the source's pictures, upright.
        channels: 1 where the source is grey, else 3.
        own_clock: whether the source itself carries times (a folder of frames does not).
        deep: whether its pictures have 16 bits a value, of which `pixel_range` says how they become 8.
        began: when the first frame was taken, by the file's name or its metadata; None where neither tells. With a
            time zone where one is known, else the camera's own wall clock.
    """

    path: Place
    name: str
    size: tuple[int, int]
    channels: int
    own_clock: bool
    began: datetime | None = None
    start: str | None
    end: str | None
    deep: bool = False

    def __repr__(self) -> str:
        part = f", from {self.start or 0} to {self.end or 'its end'}" if self.start or self.end else ""
        return f"<Video {self.name}: {self.size[1]}x{self.size[0]}, {'colour' if self.channels == 3 else 'grey'}{part}>"

    @property
    @abstractmethod
    def fps(self) -> float | None:
        """Frames per second, as the frames' own times have it, never a header; None where nothing says so."""

    @property
    def missing(self) -> tuple[range, ...]:
        """Frames that did not decode when `frames` was last read to its end, in the source's numbers."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever uses this video should know of it, in sentences."""
        return ()

    @property
    def damage(self) -> str | None:
        """The frames that are `missing`, in a sentence; None where all that was read decodes."""
        lost = sum(len(stretch) for stretch in self.missing)
        if not lost:
            return None
        places = ", ".join(f"{one[0]}-{one[-1]}" if len(one) > 1 else str(one[0]) for one in self.missing[:_NAMED])
        more = ", ..." if len(self.missing) > _NAMED else ""
        return not_decoded(lost, self.frame_count, places + more)

    @cached_property
    def _range(self) -> tuple[int, int]:
        """First frame, and frame after the last one, in the source's numbers."""
        start = 0 if self.start is None else self._place("start", self.start)
        stop = self.source_frame_count if self.end is None else self._place("end", self.end)
        if start >= stop:
            raise TooShortError(
                f"the range of '{self.name}' holds no frame",
                path=self.path,
                seen=f"start {self.start or 'not given'}, end {self.end or 'not given'}",
                wanted=f"a start before its end, within {self.source_frame_count} frames",
            )
        return start, stop

    def _place(self, which: str, text: str) -> int:
        """The frame of a start or an end, which must lie within the video: a typing error is no wish for the rest."""
        position, count = parse_position(text), self.source_frame_count
        frame, times = self.frame_at(position), self.times_s()
        length_s = None if times is None else float(times[-1]) + (1 / self.fps if self.fps else 0.0)
        if isinstance(position, int):
            beyond = position > count
        else:
            beyond = length_s is not None and position > length_s + _END_SLACK_S
        if beyond or (which == "start" and frame == count):
            length = f"{count} frames" if length_s is None else f"{count} frames, {length_s:.2f} s"
            raise TooShortError(
                f"'{self.name}' is shorter than the {which} that was asked for",
                path=self.path,
                seen=f"--{which} {text}; the video has {length}",
                hint=f"leave --{which} out, or give one within the video",
            )
        return frame

    @property
    def pixel_range(self) -> PixelRange | None:
        """Values of its pictures that become black and white; None where they have 8 bits."""
        return None

    def with_pixel_range(self, pixel_range: PixelRange) -> Video:
        """The same video with this range; where its pictures have 8 bits, itself."""
        return self

    def deep_samples(self, count: int) -> Iterator[NDArray[np.uint16]]:
        """Yield up to `count` pictures of 16 bits (H, W, C), spread over the range; none where they have 8 bits."""
        return iter(())

    @property
    def whole(self) -> bool:
        """Whether the source is read from its beginning to its end."""
        return self.start is None and self.end is None

    def between(self, first: int, stop: int) -> Self:
        """Frames first..stop-1 of the source, as another video that need not be run through again to be numbered."""
        other = copy.copy(self)
        vars(other).pop("_range", None)
        other.start, other.end = str(first), str(stop)
        return other

    @property
    def first_index(self) -> int:
        """The source's number of the first frame."""
        return 0 if self.start is None else self._range[0]

    @property
    def frame_count(self) -> int:
        """Frames of the range, those that do not decode among them.

        A file is run through to know it; it is decoded where only that tells how many there are.

        Raises:
            TooShortError: the range begins or ends beyond the video, or holds no frame.
        """
        start, stop = self._range
        return stop - start

    @property
    @abstractmethod
    def source_frame_count(self) -> int:
        """Frames of the whole source."""

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order; `index` and `time_s` are the source's, also where a range is read.

        A frame that does not decode is left out: `index` then jumps, and every other frame keeps its number.

        Raises:
            CutOffVideoError: after the last readable frame of a file that ends in the middle.
            FrameSizeError: a frame has another size than the first one.
            UnreadableVideoError: a picture does not decode.
        """

    @abstractmethod
    def parts(self) -> Sequence[Place]:
        """Return the files that it is made of, in order."""

    @abstractmethod
    def times_s(self) -> NDArray[np.float64] | None:
        """Seconds of all frames of the source, ascending; None without a clock."""

    def frame_at(self, position: int | float) -> int:
        """Return the source's number of the first frame at or after a position, at most the frame count.

        Args:
            position: a frame number (int) or seconds from the start of the source (float).

        Raises:
            SettingsError: seconds were given, and the source has no clock.
        """
        if isinstance(position, int):
            return min(position, self.source_frame_count)
        times = self.times_s()
        if times is None:
            raise SettingsError(
                f"'{self.name}' has no clock, so a time means nothing in it",
                path=self.path,
                seen=f"{position:g} s",
                wanted="a frame number, or the frame rate",
                hint="give --fps, or count in frames",
            )
        return int(np.searchsorted(times, position - _CLOCK_SLACK_S, side="left"))


def parse_position(text: str) -> int | float:
    """Read a place in a video: a frame number as int, or seconds as float.

    >>> parse_position("120"), parse_position("00:04.8"), parse_position("1:02:03"), parse_position("80s")
    (120, 4.8, 3723.0, 80.0)

    Raises:
        SettingsError: neither a frame number nor a time.
    """
    word = text.strip()
    if re.fullmatch(r"\d{1,12}", word):
        return int(word)
    if match := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*s", word):
        return float(match[1])
    if match := re.fullmatch(r"(?:(\d{1,5}):)?(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)", word):
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), float(match[3])
        if seconds < 60 and (minutes < 60 or match[1] is None):
            return hours * 3600 + minutes * 60 + seconds
    raise SettingsError(
        "this is no place in a video",
        seen=repr(text),
        wanted='a frame number "120", or a time "00:04.8", "1:02:03", "80s"',
    )


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which "frame 9" comes before "frame 10".

    >>> sorted(["b2", "b10", "a1"], key=natural_key)
    ['a1', 'b2', 'b10']
    """
    words = re.split(r"(\d+)", name)
    # The name itself comes last, so that "1" and "01" have a fixed order.
    return (*((0, int(w), "") if w.isdecimal() else (1, 0, w.lower()) for w in words if w), (2, 0, name))


def list_pictures(folder: Path) -> list[Path]:
    """Return the pictures right inside a folder in natural order, without hidden files such as `._001.tif`."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith(".")]
    return sorted(found, key=lambda p: natural_key(p.name))


def not_decoded(lost: int, total: int, places: str) -> str:
    """Frames that do not decode, in words.

    >>> not_decoded(30, 200, "79-108"), not_decoded(1, 40, "7")
    ('30 of 200 frames do not decode (79-108)', '1 of 40 frames does not decode (7)')
    """
    return f"{lost} of {total} frames {'does' if lost == 1 else 'do'} not decode ({places})"


def looks_of(parts: Sequence[Place]) -> str:
    """A digest of names, sizes and times of change of a video's files, or of what storage says instead: what shows,
    without reading them, that they are the same as before.

    Raises:
        OSError: one of them is gone.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, Remote):
            if (facts := part.facts()) is None:
                raise FileNotFoundError(f"{part} is gone")
            digest.update(f"{part.name}\0{facts.size}\0{facts.looks}\n".encode())
            continue
        status = part.stat()
        digest.update(os.fsencode(part.name) + f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
