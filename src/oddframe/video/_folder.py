"""Pictures as a video: a folder of them, or the pages of a TIFF. Each page is a frame.

Frames are (H, W, 1) or (H, W, 3) RGB of 8 bits; of pictures with 16 bits, the values of `pixel_range` become these.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import mimetypes
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError, DataError, FrameSizeError, MissingPathError, UnreadableVideoError
from oddframe.video import _tiff
from oddframe.video._pictures import is_grey, read_picture
from oddframe.video._series import one_sequence
from oddframe.video.pixel_range import HIGHEST, PixelRange, range_of
from oddframe.video.source import PICTURE_SUFFIXES, VIDEO_SUFFIXES, Frame, Video, list_pictures

_LOG = logging.getLogger(__name__)

_LOOKED_AT_FIRST, _LOOKED_AT = 8, 64
"""Frames that decide on colour, spread over all of them. The first one with colour ends the search; so do the first
ones if they are written without it."""

_LEARNED_FROM = 24
"""Frames whose values decide how 16 bits become 8 where nobody says it."""

_NAMED_IN_ERRORS = 8

_Slot = tuple[Path, int | None]
"""A frame's file, and where in it its page begins."""


class FolderVideo(Video):
    """See `Video`. Grey if all frames that are looked at are."""

    fps: float | None = None
    own_clock = False

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        fps: float | None,
        start: str | None,
        end: str | None,
    ) -> None:
        self.path, self.name, self.fps, self.start, self.end = path, name, fps, start, end
        if path.is_dir():
            self._files, notes = one_sequence(list_pictures(path))
            self._notes = (*notes, *_videos_beside(path))
        else:
            self._files, self._notes = [path], ()
        self._missing: tuple[range, ...] = ()
        if not self._files:
            raise MissingPathError(
                "this folder holds no pictures", path=path, wanted="frames as .tif, .bmp, .jpg or .png files"
            )
        self._torn = ""
        self._slots = self._find_slots()
        self.size, self.channels, self.deep = self._look()
        self._given_range: PixelRange | None = None

    @property
    def missing(self) -> tuple[range, ...]:
        return self._missing

    @property
    def notes(self) -> tuple[str, ...]:
        return self._notes

    @property
    def pixel_range(self) -> PixelRange | None:
        if not self.deep:
            return None
        return self._given_range or self._own_range

    def with_pixel_range(self, pixel_range: PixelRange) -> FolderVideo:
        if not self.deep:
            return self
        other = copy.copy(self)
        other._given_range = pixel_range
        return other

    @property
    def source_frame_count(self) -> int:
        return len(self._slots)

    def parts(self) -> Sequence[Path]:
        return tuple(self._files)

    def times_s(self) -> NDArray[np.float64] | None:
        return None if self.fps is None else np.arange(len(self._slots)) / self.fps

    def deep_samples(self, count: int) -> Iterator[NDArray[np.uint16]]:
        start, stop = self._range
        return self._deep_pictures(self._slots[start:stop], count)

    def _deep_pictures(self, slots: Sequence[_Slot], count: int) -> Iterator[NDArray[np.uint16]]:
        for place in _spread(len(slots), count):
            try:
                pixels = read_picture(*slots[place])
            except UnreadableVideoError:
                continue  # `frames` tells
            if pixels.dtype == np.uint16:
                yield pixels

    def frames(self) -> Iterator[Frame]:
        start, stop = self._range
        broken: list[Path] = []
        missing: list[range] = []
        lost_colour = False
        for index in range(start, stop):
            path, page = self._slots[index]
            try:
                pixels = read_picture(path, page)
            except UnreadableVideoError:
                broken.append(path)
                follows = missing and missing[-1].stop == index
                missing.append(range(missing.pop().start if follows else index, index + 1))
                continue
            if self.channels == 1 and not lost_colour and not is_grey(pixels):
                lost_colour = True
                told = f"{path} has colour, unlike the pictures that were looked at first: it is read as grey"
                _LOG.warning(told)
                self._notes = tuple(dict.fromkeys((*self._notes, told)))
            yield Frame(index, None if self.fps is None else index / self.fps, self._as_frame(pixels, path))
        self._missing = tuple(missing)
        if broken or (self._torn and stop == len(self._slots)):
            raise self._cut_off(broken, stop - start)

    def _as_frame(self, pixels: NDArray[Any], path: Path) -> NDArray[np.uint8]:
        """Check a picture's size and depth against those of the video, and give it its channels."""
        if pixels.shape[:2] != self.size:
            raise FrameSizeError(
                f"a frame of '{self.name}' has another size than the first one",
                path=path,
                seen=f"{pixels.shape[1]}x{pixels.shape[0]} (width x height)",
                wanted=f"{self.size[1]}x{self.size[0]}, as {self._files[0].name}",
                hint="take the picture out, or put videos of different size into folders of their own",
            )
        if (pixels.dtype == np.uint16) != self.deep:
            raise DataError(
                f"a frame of '{self.name}' has another depth than the first one",
                path=path,
                seen=f"{pixels.dtype.itemsize * 8} bits",
                wanted=f"{16 if self.deep else 8} bits, as {self._files[0].name}",
                hint="take the picture out, or put videos of different depth into folders of their own",
            )
        grey_levels = np.asarray(pixels, np.uint8) if self.pixel_range is None else self.pixel_range.to_eight(pixels)
        if grey_levels.shape[2] == 3 and self.channels == 1:
            return np.asarray(cv2.cvtColor(grey_levels, cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]
        return np.repeat(grey_levels, 3, axis=2) if grey_levels.shape[2] < self.channels else grey_levels

    def _cut_off(self, broken: Sequence[Path], frames: int) -> CutOffVideoError:
        """What is to be said where not all frames could be read. A broken page of a TIFF is told by its file."""
        if not broken:
            return CutOffVideoError(
                f"this video is cut off: {self._torn}",
                frames_read=frames,
                path=self.path,
                hint="copy it again, or go on with what is readable: --allow-cut-off",
            )
        names = list(dict.fromkeys(path.name for path in broken))
        named = ", ".join(names[:_NAMED_IN_ERRORS])
        more = f" and {len(names) - _NAMED_IN_ERRORS} more" if len(names) > _NAMED_IN_ERRORS else ""
        return CutOffVideoError(
            f"{len(broken)} of {frames} frames of '{self.name}' {'does' if len(broken) == 1 else 'do'} not decode: "
            f"{named}{more}",
            frames_read=frames - len(broken),
            path=broken[0] if len(names) == 1 else self.path,
            hint="copy them again, or leave the files there and go on without these frames: --allow-cut-off",
        )

    def _find_slots(self) -> list[_Slot]:
        slots: list[_Slot] = []
        for path in self._files:
            pages = _tiff.Pages(())
            if path.suffix.lower() in _tiff.SUFFIXES:
                with contextlib.suppress(OSError):  # `frames` tells which file cannot be read
                    pages = _tiff.pages_of(path)
            if pages.torn and pages.places:
                self._torn = f"{path.name} ends after page {len(pages.places)}"
            slots += [(path, place) for place in pages.places] or [(path, None)]
        return slots

    def _look(self) -> tuple[tuple[int, int], int, bool]:
        """Find size, channels and whether there are more than 8 bits, from frames spread over all of them."""
        few = _spread(len(self._slots), _LOOKED_AT_FIRST)
        many = [place for place in _spread(len(self._slots), _LOOKED_AT) if place not in few]
        seen: list[NDArray[Any]] = []
        problem: UnreadableVideoError | None = None
        for number, place in enumerate((*few, *many)):
            if number == len(few) and seen and all(pixels.shape[2] == 1 for pixels in seen):
                break  # written without colour
            try:
                seen.append(read_picture(*self._slots[place]))
            except UnreadableVideoError as error:
                problem = problem or error
                continue
            if not is_grey(seen[-1]):
                break
        if problem is not None and not seen:
            raise problem
        first = seen[0]
        return (first.shape[0], first.shape[1]), 1 if is_grey(seen[-1]) else 3, first.dtype == np.uint16

    @cached_property
    def _own_range(self) -> PixelRange:
        """Of all pictures, whatever part is read: a frame has the same pixels wherever reading begins."""
        return range_of(self._deep_pictures(self._slots, _LEARNED_FROM)) or PixelRange(0, HIGHEST)


def _videos_beside(folder: Path) -> tuple[str, ...]:
    """Name the files of video in a folder of pictures: the pictures alone are read."""
    films = sorted(
        one.name
        for one in folder.iterdir()
        if (suffix := one.suffix.lower()) not in PICTURE_SUFFIXES and not one.name.startswith(".")
        if suffix in VIDEO_SUFFIXES or (mimetypes.guess_type(one.name)[0] or "").startswith("video/")
    )
    if not films:
        return ()
    more = f" and {len(films) - _NAMED_IN_ERRORS} more" if len(films) > _NAMED_IN_ERRORS else ""
    return (f"its pictures are read, and not the video beside them: {', '.join(films[:_NAMED_IN_ERRORS])}{more}",)


def _spread(count: int, wanted: int) -> list[int]:
    """Places from the first to the last, evenly spread.

    >>> _spread(9, 3)
    [0, 4, 8]
    """
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, wanted)).tolist()})
