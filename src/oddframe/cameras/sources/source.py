"""The face that all sources of a camera have, and what comes out of them: packets, and pictures of these."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from oddframe.cameras.state import StreamInfo
from oddframe.video._libav import LIBAV_RAISES, upright

_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray"})
"""Pixel formats of which the first plane is 8-bit luma."""


_PAIRED = frozenset({"nv12", "nv21"})
_JPEG_RANGE = 2


class DamagedError(Exception):
    """A packet that does not decode. Never leaves this room."""


@dataclass(frozen=True)
class Coding:
    """How packets are encoded: what a muxer or decoder needs to know besides them.

    Attributes:
        codec: libav's name. extradata: its parameter sets. size: (height, width) as encoded. turns: quarter turns to
            the left by which a player turns them. pixel_format: libav's name; "" where it is not known.
    """

    codec: str
    size: tuple[int, int]
    extradata: bytes = field(default=b"", repr=False)
    turns: int = 0
    pixel_format: str = ""


@dataclass(frozen=True)
class Coded:
    """A packet, or a picture as a file has it.

    Attributes:
        data: its bytes. key: whether decoding can begin with it. stamp_s: its time of display by the source's clock.
        corrupt: the source itself says that it is.
    """

    data: bytes = field(repr=False)
    key: bool
    stamp_s: float | None
    corrupt: bool = False
    packet: Packet[Any] | None = field(default=None, repr=False)


class Still:
    """A decoded picture.

    Attributes:
        number: of the packet that it comes from. key: no other picture was needed for it. whole: the decoder was not
            aware of damage.
    """

    def __init__(self, number: int, frame: VideoFrame | NDArray[np.uint8], *, key: bool, whole: bool = True) -> None:
        self.number, self._frame, self.key, self.whole = number, frame, key, whole

    @property
    def size(self) -> tuple[int, int]:
        """(height, width), upright."""
        if isinstance(self._frame, VideoFrame):
            turned = round(self._frame.rotation / 90) % 2
            height, width = self._frame.height, self._frame.width
            return (width, height) if turned else (height, width)
        return self._frame.shape[0], self._frame.shape[1]

    @property
    def pixel_format(self) -> str:
        """libav's name; "" for a picture of a folder."""
        return self._frame.format.name if isinstance(self._frame, VideoFrame) else ""

    @property
    def interlaced(self) -> bool:
        """Whether it is a pair of fields."""
        return isinstance(self._frame, VideoFrame) and bool(self._frame.interlaced_frame)

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 1) where it has no colour, or (H, W, 3) RGB, upright; what a file of the same pictures gives.

        Raises:
            DamagedError: it cannot be shown.
        """
        if not isinstance(self._frame, VideoFrame):
            return self._frame
        try:
            grey = self._frame.format.name in _PLANAR and self.colourfulness == 0
            return np.asarray(upright(self._frame, "gray" if grey else "rgb24"), np.uint8)
        except LIBAV_RAISES:
            raise DamagedError("a picture cannot be shown") from None

    def luma(self) -> NDArray[np.uint8]:
        """(H, W) grey, as it is encoded: not turned, and in the encoding's range. Cheap where that is planar."""
        if not isinstance(self._frame, VideoFrame) or self._frame.format.name not in _PLANAR:
            pixels = self.pixels
            grey = pixels[:, :, 0] if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            return np.asarray(grey, np.uint8)
        return _plane(self._frame, 0)

    @property
    def full_range(self) -> bool:
        """Whether `luma` goes from 0 to 255, not from 16 to 235."""
        if not isinstance(self._frame, VideoFrame) or self._frame.format.name not in _PLANAR:
            return True
        name = self._frame.format.name
        return name == "gray" or name.startswith("yuvj") or int(self._frame.color_range) == _JPEG_RANGE

    @cached_property
    def colourfulness(self) -> float:
        """How far the picture is from grey: mean of its tenth of strongest colours, in levels; 0 without colour."""
        frame = self._frame
        if isinstance(frame, VideoFrame) and frame.format.name in _PLANAR:
            if frame.format.name == "gray":
                return 0.0
            planes = [_plane(frame, number) for number in range(1, len(frame.planes))]
            samples = [plane[::4, ::6].astype(np.int16).ravel() - 128 for plane in planes]
            strength = np.abs(np.concatenate(samples)) if len(samples) == 1 else np.maximum(*map(np.abs, samples))
        else:
            if self.pixels.shape[2] == 1:
                return 0.0
            some = self.pixels[::8, ::8].astype(np.int16)
            strength = (some.max(axis=2) - some.min(axis=2)).ravel() // 2
        if not len(strength):
            return 0.0
        tenth = max(1, len(strength) // 10)
        return float(np.partition(strength, -tenth)[-tenth:].mean())


def _plane(frame: VideoFrame, number: int) -> NDArray[np.uint8]:
    """The bytes of a plane without what lies beside the picture; of two colours that alternate, both."""
    plane = frame.planes[number]
    width = plane.width * (2 if number and frame.format.name in _PAIRED else 1)
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height, :width]


class Source(ABC):
    """An open camera. Use it in a `with`, and in one thread.

    Attributes:
        live: pictures come when they are taken; else they lie there, and are to be read at their own pace.
        coding: of the packets that come now; it may change.
        torn: pictures that were given up since they were never finished.
    """

    live: bool
    coding: Coding
    torn: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def packets(self) -> Iterator[Coded | None]:
        """Yield packets as they come; None now and then where none does. Ends where a file ends.

        Raises:
            CameraError: the camera is lost.
        """

    @abstractmethod
    def decode(self, coded: Coded, number: int) -> list[Still]:
        """Return the pictures that the decoder gives now, in order of display.

        Args:
            number: of the packet, by which its picture is known again.

        Raises:
            DamagedError: it does not decode.
        """

    @abstractmethod
    def flush(self) -> list[Still]:
        """Return the pictures that the decoder still holds, and let it forget all it has seen."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the camera."""

    def info(self, still: Still, fps: float | None) -> StreamInfo:
        """What the camera sends, by one picture of it."""
        return StreamInfo(
            codec=self.coding.codec,
            size=still.size,
            fps=None if fps is None else round(fps, 3),
            pixel_format=still.pixel_format,
            interlaced=still.interlaced,
        )
