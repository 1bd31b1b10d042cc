"""A clip cut from kept packets: as they are where a browser plays them, else encoded anew.

A clip that is cut as it is begins at the key frame before what was asked for, and costs next to nothing. One that is
encoded anew begins where it was asked for. Where places of the picture are private it is always encoded anew, and they
are black before anything is stored.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from oddframe.cameras.packets import Kept
from oddframe.cameras.sources.folder import decoded
from oddframe.cameras.sources.source import Coding, DamagedError, Still
from oddframe.cameras.state import Cause
from oddframe.errors import CameraError
from oddframe.files import atomic_write
from oddframe.records import Record
from oddframe.video._libav import LIBAV_RAISES
from oddframe.video.source import Frame
from oddframe.video.write import write_video

_PLAYED = frozenset({"h264", "vp9", "av1", "libdav1d"})
_PLAYED_FORMATS = frozenset({"yuv420p", "yuvj420p", ""})
_PICTURES = frozenset({"mjpeg", "png", "bmp", "tiff"})
"""Codecs of which each packet is a picture file."""
_CLOCK = Fraction(1, 90_000)
_ALONE_S = 0.04
_AROUND_S = 1.0
_CODEC_NAMES = {"libdav1d": "av1"}

Polygon = Sequence[tuple[float, float]]
"""Corners (x, y) in 0..1 of the upright picture's width and height."""


class Clip(Record):
    """A clip that was written.

    Attributes:
        path: the file. begin_s, end_s: its first and last picture, on the camera's clock.
        pictures: in it. encoded: whether it was encoded anew.
    """

    path: str
    begin_s: float
    end_s: float
    pictures: int
    encoded: bool


def cut(kept: Sequence[Kept], begin_s: float, end_s: float, path: Path, private: Sequence[Polygon] = ()) -> Clip:
    """Write what was seen in a stretch of time as an mp4 that browsers play.

    Args:
        kept: what there is, in order of decoding. begin_s, end_s: on the camera's clock.
        path: the file; it appears whole or not at all.
        private: places that are black in it.

    Raises:
        CameraError: nothing is kept of that time, or nothing of it decodes. StorageError: it cannot be written.
    """
    chosen = _chosen(kept, begin_s, end_s)
    if not chosen:
        raise CameraError(
            "nothing is kept of the time that a clip was asked for",
            cause=Cause.OTHER,
            seen=f"{begin_s:.1f} s to {end_s:.1f} s",
            wanted=f"{kept[0].about_s:.1f} s to {kept[-1].about_s:.1f} s" if kept else "a camera that sends",
            hint="ask sooner, or keep more seconds (keep_s) or megabytes (keep_mb)",
        )
    if not private and _is_played(chosen):
        # What cannot be put into an mp4 as it is, is encoded; that a disk is full is no reason for it.
        with contextlib.suppress(*LIBAV_RAISES), atomic_write(path, "a clip cannot be written") as place:
            return remuxed(chosen, place).changed(path=str(path))
    return encoded(chosen, begin_s, end_s, path, private)


def picture_at(kept: Sequence[Kept], at_s: float) -> NDArray[np.uint8] | None:
    """The picture (H, W, C) that was taken nearest to a moment; None where none is kept within a second of it."""
    chosen = _chosen(kept, at_s - _AROUND_S, at_s + _AROUND_S)
    best: Still | None = None
    best_s = math.inf
    for still, time_s in _decoded(chosen):
        if abs(time_s - at_s) < abs(best_s - at_s) and abs(time_s - at_s) <= _AROUND_S:
            best, best_s = still, time_s
    if best is None:
        return None
    try:
        return best.pixels
    except DamagedError:
        return None


def _chosen(kept: Sequence[Kept], begin_s: float, end_s: float) -> list[Kept]:
    """The packets of a stretch, from the key frame before it on; those that cannot be decoded are left out."""
    within = [place for place, one in enumerate(kept) if begin_s <= one.about_s <= end_s]
    if not within:
        return []
    first = next((place for place in range(within[0], -1, -1) if kept[place].key), within[0])
    chosen, decodable = [], False
    for one in kept[first : within[-1] + 1]:
        decodable = one.key or (decodable and one.follows)
        if decodable:
            chosen.append(one)
    return chosen


def _is_played(chosen: Sequence[Kept]) -> bool:
    codings = {(one.coding.codec, one.coding.size, one.coding.turns, one.coding.pixel_format) for one in chosen}
    codec, _, turns, pixel_format = next(iter(codings))
    return len(codings) == 1 and codec in _PLAYED and not turns and pixel_format in _PLAYED_FORMATS


def remuxed(chosen: Sequence[Kept], place: Path) -> Clip:
    """Put packets of one coding into an mp4 as they are. Raises what libav raises."""
    coding = chosen[0].coding
    times = _rising(chosen)
    shown = [round((time_s - min(times)) / _CLOCK) for time_s in times]
    in_order = sorted(shown)
    late = max(in_order[number] - shown[number] for number in range(len(shown)))
    usual = int(np.median(np.diff(in_order))) if len(in_order) > 1 else round(_ALONE_S / _CLOCK)
    # An mp4 needs to know more of a stream than its packets: that is found by reading them once.
    bare = io.BytesIO()
    name = _CODEC_NAMES.get(coding.codec, coding.codec)
    kind = "ivf" if name == "av1" else "nut"  # which has no word for AV1
    with av.open(bare, "w", format=kind) as written:
        stream = written.add_mux_stream(name, width=coding.size[1], height=coding.size[0], time_base=_CLOCK)
        for number, one in enumerate(chosen):
            head = coding.extradata if not number and coding.extradata.startswith(b"\0\0") else b""
            packet = av.Packet(head + one.data)
            packet.stream, packet.time_base = stream, _CLOCK
            packet.pts, packet.dts = shown[number] + late, in_order[number]
            packet.is_keyframe = one.key
            written.mux(packet)
    bare.seek(0)
    with (
        av.open(bare, "r", format=kind) as file,
        av.open(str(place), "w", format="mp4", options={"movflags": "faststart"}) as made,
    ):
        if name == "av1":  # PyAV looks for an encoder of its decoder's name
            copied: Any = made.add_mux_stream(name, width=coding.size[1], height=coding.size[0], time_base=_CLOCK)
        else:
            copied = made.add_stream_from_template(file.streams.video[0])
        for whole in file.demux(file.streams.video[0]):
            if whole.size:
                whole.duration = round(usual * _CLOCK / whole.time_base)
                whole.stream = copied
                made.mux(whole)
    return Clip(path=str(place), begin_s=min(times), end_s=max(times), pictures=len(chosen), encoded=False)


def _rising(chosen: Sequence[Kept]) -> list[float]:
    """Times of display, no two the same. Packets that were never decoded lie between those that were."""
    known = [place for place, one in enumerate(chosen) if one.time_s is not None]
    if known:
        times = np.interp(range(len(chosen)), known, [chosen[place].about_s for place in known])
    else:
        times = np.array([one.about_s for one in chosen])
    taken: set[int] = set()
    for place, time_s in enumerate(times):
        tick = round(float(time_s) / _CLOCK)
        while tick in taken:
            tick += 1
        taken.add(tick)
        times[place] = float(tick * _CLOCK)
    return [float(time_s) for time_s in times]


def encoded(
    chosen: Sequence[Kept],
    begin_s: float,
    end_s: float,
    path: Path,
    private: Sequence[Polygon],
    *,
    most_height: int | None = None,
) -> Clip:
    """Decode packets, and encode their pictures as H.264.

    Args:
        begin_s, end_s: of the pictures that are taken. private: places that are black.
        most_height: of the pictures; larger ones are made smaller.

    Raises:
        CameraError: nothing of it decodes. StorageError: it cannot be written.
    """
    written: list[float] = []

    def frames() -> Iterator[Frame]:
        size: tuple[int, int] | None = None
        last_s = -np.inf
        for still, time_s in _decoded(chosen):
            if not begin_s <= time_s <= end_s or time_s <= last_s:
                continue
            try:
                pixels = blackened(still.pixels, private)
            except DamagedError:
                continue
            size, last_s = size or _within(pixels, most_height), time_s
            written.append(time_s)
            yield Frame(len(written) - 1, time_s, _sized(pixels, size))

    made = frames()
    if (first := next(made, None)) is None:
        raise CameraError("nothing that is kept of that time decodes", cause=Cause.UNDECODABLE)
    write_video(path, itertools.chain([first], made))
    return Clip(path=str(path), begin_s=written[0], end_s=written[-1], pictures=len(written), encoded=True)


def _decoded(chosen: Sequence[Kept]) -> Iterator[tuple[Still, float]]:
    """Pictures and their times; a decoder for each stretch of one coding."""
    begin = 0
    times = _rising(chosen)
    for place in range(1, len(chosen) + 1):
        if place < len(chosen) and chosen[place].follows and chosen[place].coding == chosen[begin].coding:
            continue
        yield from _stretch(chosen[begin:place], times[begin:place])
        begin = place


def _stretch(chosen: Sequence[Kept], times: Sequence[float]) -> Iterator[tuple[Still, float]]:
    coding = chosen[0].coding
    if coding.codec in _PICTURES and not coding.extradata:
        for one, time_s in zip(chosen, times, strict=True):
            try:
                yield Still(one.number, decoded(one.data), key=True), time_s
            except DamagedError:
                continue
        return
    decoder = _decoder(coding)
    for place in range(len(chosen) + 1):
        packet = None
        if place < len(chosen):
            packet = av.Packet(chosen[place].data)
            packet.pts = packet.dts = place
        try:
            frames = decoder.decode(packet)
        except LIBAV_RAISES:
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame) and frame.pts is not None and 0 <= frame.pts < len(times):
                yield Still(chosen[frame.pts].number, frame, key=frame.key_frame), times[frame.pts]


def _decoder(coding: Coding) -> VideoCodecContext:
    decoder = av.CodecContext.create(coding.codec, "r")
    if not isinstance(decoder, VideoCodecContext):
        raise CameraError("nothing that is kept of that time decodes", cause=Cause.UNDECODABLE)
    if coding.extradata:
        decoder.extradata = coding.extradata
    decoder.height, decoder.width = coding.size
    if coding.pixel_format:
        decoder.pix_fmt = coding.pixel_format
    return decoder


def blackened(pixels: NDArray[np.uint8], private: Sequence[Polygon]) -> NDArray[np.uint8]:
    """(H, W, C) with black polygons; the picture itself where there are none.

    Every pixel that a polygon touches is black, and those right beside it.

    >>> blackened(np.full((2, 4, 1), 9, np.uint8), [[(0, 0), (0.2, 0), (0.2, 1), (0, 1)]])[0, :, 0].tolist()
    [0, 0, 0, 9]
    """
    if not private:
        return pixels
    height, width = pixels.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for polygon in private:
        corners = np.array([(x * width, y * height) for x, y in polygon], np.float64)
        cv2.fillPoly(mask, [np.floor(corners).astype(np.int32)], 1)
        cv2.polylines(mask, [np.floor(corners).astype(np.int32)], True, 1)
    black = pixels.copy()
    black[cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0] = 0
    return black


def _within(pixels: NDArray[np.uint8], most_height: int | None) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    if most_height is None or height <= most_height:
        return height, width
    return most_height, max(1, round(width * most_height / height))


def _sized(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Of the size of the clip's first picture, if the camera changed it meanwhile."""
    if pixels.shape[:2] == size:
        return pixels
    resized = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8).reshape(*size, pixels.shape[2])
