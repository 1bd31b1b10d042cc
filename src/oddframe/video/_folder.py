"""A folder of pictures as a video. Read by OpenCV; any bit depth becomes 8 bits, transparency is dropped."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError, FrameGapError, FrameSizeError, MissingPathError, UnreadableVideoError
from oddframe.video.source import Frame, Video, list_pictures

_LONGEST_NUMBER = 9
"""Digits of a frame number at most; longer ones are dates and times of day."""

_PICTURE_LIMIT_BYTES = 1 << 30
_NAMED_IN_ERRORS = 8


class FolderVideo(Video):
    """See `Video`. Grey if the first, the middle and the last picture are."""

    own_clock = False

    def __init__(self, path: Path, *, name: str, fps: float | None, start: str | None, end: str | None) -> None:
        self.path, self.name, self.fps, self.start, self.end = path, name, fps, start, end
        self._pictures = list_pictures(path)
        if not self._pictures:
            raise MissingPathError(
                "this folder holds no pictures", path=path, wanted="frames as .tif, .bmp, .jpg or .png files"
            )
        _refuse_gaps(self._pictures)
        count = len(self._pictures)
        probes = [read_picture(self._pictures[i]) for i in sorted({0, count // 2, count - 1})]
        self.size = (probes[0].shape[0], probes[0].shape[1])
        self.channels = 1 if all(_is_grey(probe) for probe in probes) else 3

    @property
    def source_frame_count(self) -> int:
        return len(self._pictures)

    def parts(self) -> Sequence[Path]:
        return tuple(self._pictures)

    def times_s(self) -> NDArray[np.float64] | None:
        return None if self.fps is None else np.arange(len(self._pictures)) / self.fps

    def frames(self) -> Iterator[Frame]:
        for index in range(*self._range):
            path = self._pictures[index]
            pixels = read_picture(path)
            if pixels.shape[:2] != self.size:
                raise FrameSizeError(
                    f"a frame of '{self.name}' has another size than the first one",
                    path=path,
                    seen=f"{pixels.shape[1]}x{pixels.shape[0]} (width x height)",
                    wanted=f"{self.size[1]}x{self.size[0]}, as {self._pictures[0].name}",
                    hint="take the picture out, or put videos of different size into folders of their own",
                )
            if pixels.shape[2] == 3 and self.channels == 1:
                pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]
            elif pixels.shape[2] == 1 and self.channels == 3:
                pixels = np.repeat(pixels, 3, axis=2)
            yield Frame(index, None if self.fps is None else index / self.fps, pixels)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 1) grey or (H, W, 3) RGB uint8. 16 bits are scaled to 8.

    Raises:
        UnreadableVideoError: not a picture, cut off, too large, or of floating point.
    """
    try:
        if (size := path.stat().st_size) > _PICTURE_LIMIT_BYTES:
            raise UnreadableVideoError(
                "this picture is too large to be a frame", path=path, seen=f"{size} bytes", wanted="under 1 GiB"
            )
        raw = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UnreadableVideoError("this picture cannot be read", path=path, seen=error.strerror) from error
    try:
        pixels = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if raw.size else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise UnreadableVideoError(
            "this picture does not decode",
            path=path,
            seen=f"{raw.size} bytes" if raw.size else "an empty file",
            wanted="a whole tif, bmp, jpg or png picture",
            hint="copy it again, or take it out if it is the last one",
        )
    if pixels.dtype == np.uint16:
        pixels = np.right_shift(pixels, 8)  # 65535 becomes 255
    elif pixels.dtype != np.uint8:
        raise UnreadableVideoError(
            "this picture has numbers of a kind that has no fixed range",
            path=path,
            seen=str(pixels.dtype),
            wanted="8 or 16 bits",
        )
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    elif pixels.shape[2] >= 3:
        pixels = pixels[:, :, 2::-1]  # BGR or BGRA to RGB
    return np.ascontiguousarray(pixels, np.uint8)


def _is_grey(pixels: NDArray[np.uint8]) -> bool:
    return pixels.shape[2] == 1 or bool((pixels == pixels[:, :, :1]).all())


def _refuse_gaps(pictures: Sequence[Path]) -> None:
    """Refuse a numbered sequence with holes: frames on both sides of a hole would pass for neighbours."""
    numbers = _frame_numbers([p.stem for p in pictures])
    if numbers is None or len(numbers) < 3:
        return
    folder = pictures[0].parent
    ordered = sorted(numbers)
    steps = [after - before for before, after in itertools.pairwise(ordered)]
    if 0 in steps:
        twice = ordered[steps.index(0)]
        names = [p.name for p, number in zip(pictures, numbers, strict=True) if number == twice]
        raise DataError(
            "two pictures claim the same frame number", path=folder, seen=", ".join(names), wanted="one each"
        )
    step = min(steps)
    if Counter(steps)[step] * 2 <= len(steps):
        return  # no even numbering: times, or names that happen to hold a number
    missing = [
        number
        for before, after in itertools.pairwise(ordered)
        for number in range(before + step, min(after, before + step * (_NAMED_IN_ERRORS + 1)), step)
    ]
    if missing:
        named = ", ".join(str(number) for number in missing[:_NAMED_IN_ERRORS])
        raise FrameGapError(
            "frames are missing in the middle of this folder",
            path=folder,
            seen=f"no frame {named}{' and more' if len(missing) > _NAMED_IN_ERRORS else ''}",
            wanted=f"every {'' if step == 1 else f'{step}th '}number from {ordered[0]} to {ordered[-1]}",
            hint="copy the missing frames, or put the parts before and after the gap into folders of their own",
        )


def _frame_numbers(stems: Sequence[str]) -> list[int] | None:
    """Return the one number that varies in names which are otherwise alike, or None."""
    split = [re.split(r"(\d+)", stem) for stem in stems]
    texts, counts = split[0][::2], [word[1::2] for word in split]
    if any(words[::2] != texts for words in split):
        return None
    varying = [column for column in zip(*counts, strict=True) if len({int(word) for word in column}) > 1]
    if len(varying) != 1 or max(map(len, varying[0])) > _LONGEST_NUMBER:
        # Nothing varies in value where "1" stands beside "01".
        same = bool(counts[0]) and not varying and len(stems) > 1
        return [int(words[-1]) for words in counts] if same else None
    return [int(word) for word in varying[0]]
