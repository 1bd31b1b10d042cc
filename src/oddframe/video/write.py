"""A video file from pictures that come one after another."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from oddframe.files import atomic_write
from oddframe.video.source import Frame

_CLOCK = Fraction(1, 90_000)
_FPS_WHERE_UNKNOWN = 25.0


def write_video(path: Path | str, frames: Iterable[Frame], fps: float | None = None) -> Path:
    """Write frames as an H.264 file that every browser plays; memory does not grow with its length.

    The file begins with the first frame, whatever its time; frames with times keep their distances in time. Sides are
    made even by repeating the last row or column, as H.264 wants it.

    Args:
        path: an .mp4 file; it appears whole or not at all.
        frames: pictures of one size.
        fps: frames a second where they have no times; 25 where that is unknown, too.

    Raises:
        StorageError: the file cannot be written.
    """
    path = Path(path)
    with atomic_write(path, "a video cannot be written") as place:
        _write(place, frames, fps or _FPS_WHERE_UNKNOWN)
    return path


def _write(path: Path, frames: Iterable[Frame], fps: float) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as file:
        stream = file.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1000), options={"crf": "23", "preset": "veryfast"}
        )
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _CLOCK  # else times are rounded to whole frames
        first: Frame | None = None
        last = -1
        for frame in frames:
            pixels = _even(frame.pixels)
            if first is None:
                first = frame
                stream.height, stream.width = pixels.shape[:2]
            if frame.time_s is None or first.time_s is None:
                elapsed = (frame.index - first.index) / fps
            else:
                elapsed = frame.time_s - first.time_s
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            # two frames of one time would not be a video
            last = max(round(elapsed / _CLOCK), last + 1)
            picture.pts, picture.time_base = last, _CLOCK
            file.mux(stream.encode(picture))
        if first is not None:
            file.mux(stream.encode(None))


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 1 | 3) → (H', W', 3) with even sides."""
    height, width, channels = pixels.shape
    if channels == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    if height % 2 or width % 2:
        pixels = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(pixels)
