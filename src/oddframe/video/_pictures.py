"""One picture of a folder, or one page of a TIFF, as numbers. Decoded by OpenCV; upright, without transparency.

What decodes in part is no frame. Decoders differ in what they make of half a file, so whether a file is whole is
looked up in it first.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError, UnreadableVideoError
from oddframe.video._tiff import page_bytes

_LIMIT_BYTES = 1 << 30
_FLAGS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
"""As many bits and colours as there are, turned as the camera says, transparency dropped."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


def read_picture(path: Path, page: int | None = None) -> NDArray[Any]:
    """Read a picture as (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16.

    Args:
        page: where the page of a TIFF of several begins; see `_tiff.pages_of`.

    Raises:
        UnreadableVideoError: not a picture, cut off, or too large.
        DataError: its numbers have no fixed range.
    """
    try:
        raw = _bytes_of(path) if page is None else page_bytes(path, page)
    except OSError as error:
        raise UnreadableVideoError("this picture cannot be read", path=path, seen=error.strerror) from error
    pixels = None
    if raw is not None and raw.size and not (page is None and _is_torn(raw)):
        try:
            pixels = cv2.imdecode(raw, _FLAGS)
        except cv2.error:
            pixels = None
    if pixels is None:
        raise UnreadableVideoError(
            "this picture does not decode",
            path=path,
            seen="a page that is cut off" if raw is None else f"{raw.size} bytes" if raw.size else "an empty file",
            wanted="a whole tif, bmp, jpg or png picture",
            hint="copy it again",
        )
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(
            "this picture has numbers of a kind that has no fixed range",
            path=path,
            seen=str(pixels.dtype),
            wanted="8 or 16 bits without a sign",
            hint="write the pictures anew as 16-bit numbers, e.g. temperatures in hundredths of a kelvin",
        )
    return np.asarray(pixels[:, :, None] if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def is_grey(pixels: NDArray[Any]) -> bool:
    """Whether (H, W, 1 or 3) has no colour."""
    if pixels.shape[2] == 1:
        return True
    red, green, blue = cv2.split(pixels)
    return np.array_equal(red, green) and np.array_equal(red, blue)


def _bytes_of(path: Path) -> NDArray[np.uint8]:
    if (size := path.stat().st_size) > _LIMIT_BYTES:
        raise UnreadableVideoError(
            "this picture is too large to be a frame", path=path, seen=f"{size} bytes", wanted="under 1 GiB"
        )
    return np.fromfile(path, np.uint8)


def _is_torn(raw: NDArray[np.uint8]) -> bool:
    """Whether a file ends before its picture does, or has zeros in place of its end. False where that is not known."""
    content = raw.tobytes()
    if content.startswith(b"\xff\xd8"):
        return _is_torn_jpeg(content)
    if content.startswith(_PNG):
        return _is_torn_png(content)
    return content.startswith(b"BM") and _is_torn_bmp(content)


def _is_torn_jpeg(content: bytes) -> bool:
    place = 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return False  # no marker where one must be: the decoder knows more
        marker = content[place + 1]
        if marker == 0xDA:
            # In the picture's data 0xFF is never followed by 0xD9. A thumbnail in the header has an end of its own.
            return content.find(b"\xff\xd9", place) < 0
        if marker == 0xFF:
            place += 1
        elif marker in _JPEG_WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return True


def _is_torn_png(content: bytes) -> bool:
    place = len(_PNG)
    while place + 12 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        kind, end = content[place + 4 : place + 8], place + 12 + length
        if end > len(content):
            return True
        if kind in (b"IHDR", b"PLTE", b"IDAT"):
            stated = int.from_bytes(content[end - 4 : end], "big")
            if zlib.crc32(memoryview(content)[place + 4 : end - 4]) != stated:
                return True
        if kind == b"IEND":
            return False
        place = end
    return True


def _is_torn_bmp(content: bytes) -> bool:
    def number(place: int, length: int = 4) -> int:
        return int.from_bytes(content[place : place + length], "little", signed=True)

    if len(content) < 54:
        return True
    start, header, width, height = number(10), number(14), number(18), number(22)
    bits, compressed = number(28, 2), number(30)
    if header < 40 or compressed not in (0, 3):
        return False
    return start + (width * bits + 31) // 32 * 4 * abs(height) > len(content)
