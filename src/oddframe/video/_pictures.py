"""One picture of a folder, or one page of a TIFF, as numbers. Decoded by OpenCV; upright, without transparency.

What decodes in part is no frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError, UnreadableVideoError
from oddframe.video._tiff import page_bytes
from oddframe.video.torn import is_torn

_LIMIT_BYTES = 1 << 30
_FLAGS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
"""As many bits and colours as there are, turned as the camera says, transparency dropped."""


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
    if raw is not None and raw.size and not (page is None and is_torn(raw.tobytes())):
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
