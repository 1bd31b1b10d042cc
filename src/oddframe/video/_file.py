"""A video file as a video. Read by PyAV.

What libav does not say for itself is worked out here: how many frames there are without decoding them, where to seek
for a range, and whether the file ends because its video does or because it was cut off.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError, FrameSizeError, UnreadableVideoError
from oddframe.video.source import Frame, Video

_LOG = logging.getLogger(__name__)

_CONSTANT_RATE = {"avi"}
"""Containers that count frames and know no times: what libav gives as times is in decoding order."""

_STATES_LENGTH = {"mov", "mp4", "matroska", "webm", "avi", "flv", "asf"}
"""Containers that write their length down. In the others it is an estimate from the file's size."""

_GREY_SPREAD = 2
"""Levels by which red, green and blue of a grey picture differ at most, after rounding."""

_SHORTEST_S = 0.001
"""Time between two frames where neither stamps nor a rate tell it."""

_KEY_FRAME_DISTANCE = 300
"""Frames after which most encoders have set a key frame."""

_TRANSPORT_PACKET_BYTES = (188, 192, 204)


@dataclass
class _Ending:
    """What reading to the end of a file showed about that end. Times in seconds on the file's own clock."""

    packets: int = 0
    last_packet_torn: bool = False
    decode_failed: bool = False
    reached_s: float = 0.0
    corrupt: list[bool] = field(default_factory=lambda: [False, False])


class FileVideo(Video):
    """See `Video`. Grey if the first, the middle and the last readable picture are."""

    def __init__(self, path: Path, *, name: str, fps: float | None, start: str | None, end: str | None) -> None:
        self.path, self.name, self.start, self.end = path, name, start, end
        with self._open() as (container, stream):
            formats = set(container.format.name.split(","))
            self._states_length = bool(formats & _STATES_LENGTH)
            self._is_transport = "mpegts" in formats
            stated_rate = None if stream.average_rate is None else float(stream.average_rate)
            first = next(_decode(container, stream, _Ending()), None)
            if first is None:
                raise UnreadableVideoError(
                    "not one frame of this file decodes",
                    path=path,
                    seen=f"{stream.codec_context.name} video",
                    hint="play it with another program; it may be cut off or of a format that libav does not know",
                )
            self._origin_pts = first.pts
            self._constant_rate = bool(formats & _CONSTANT_RATE) and stated_rate is not None
            self.own_clock = self._constant_rate or first.pts is not None
            # A bare stream has no clock, and the rate that libav states for it is a guess.
            self.fps = stated_rate if self.own_clock and stated_rate is not None else fps
            pixels = _upright(first, "rgb24")
            self.size = (pixels.shape[0], pixels.shape[1])
            self.channels = 1 if _is_grey(pixels) and self._is_grey_later(container, stream) else 3

    def parts(self) -> Sequence[Path]:
        return (self.path,)

    @property
    def source_frame_count(self) -> int:
        return self._index[0]

    def times_s(self) -> NDArray[np.float64] | None:
        count, stamps = self._index
        if self._constant_rate or stamps is None:
            return None if self.fps is None else np.arange(count) / self.fps
        return np.asarray((stamps - stamps[0]) * self._time_base, np.float64)

    def frames(self) -> Iterator[Frame]:
        start, stop = (0, None) if self.whole else self._range
        ending, yielded = _Ending(), 0
        for frame in self._numbered(start, ending):
            if stop is not None and frame.index >= stop:
                return
            if frame.index >= start:
                yielded += 1
                yield frame
        if trouble := self._cut_off(ending):
            raise CutOffVideoError(
                f"this video is cut off: {trouble}",
                frames_read=yielded,
                path=self.path,
                hint="copy it again; if there is no whole copy, its readable part is the frames up to there (--end)",
            )

    def _numbered(self, start: int, ending: _Ending) -> Iterator[Frame]:
        """Yield frames from at or before `start` on, each with its number and time in the source."""
        channels = "gray" if self.channels == 1 else "rgb24"
        with self._open() as (container, stream):
            index, decoded = self._seek(container, stream, start, ending)
            last_s: float | None = None
            for held in _behind(decoded, ending):
                pixels = _upright(held, channels)
                if pixels.shape[:2] != self.size:
                    raise FrameSizeError(
                        f"the picture of '{self.name}' changes its size at frame {index}",
                        path=self.path,
                        seen=f"{pixels.shape[1]}x{pixels.shape[0]} (width x height)",
                        wanted=f"{self.size[1]}x{self.size[0]}, as its first frame",
                        hint="cut the file there, or read one part of it with --start and --end",
                    )
                last_s = self._time(held, index, last_s)
                yield Frame(index, last_s, pixels)
                index += 1

    def _time(self, frame: VideoFrame, index: int, last_s: float | None) -> float | None:
        if self._constant_rate or not self.own_clock:
            return None if self.fps is None else index / self.fps
        time_s = None
        if frame.pts is not None and self._origin_pts is not None:
            time_s = (frame.pts - self._origin_pts) * float(frame.time_base or 0)
        if last_s is not None and (time_s is None or time_s <= last_s):
            return last_s + (_SHORTEST_S if self.fps is None else 1 / self.fps)  # the camera's clock was set back
        return time_s

    def _seek(
        self, container: InputContainer, stream: VideoStream, start: int, ending: _Ending
    ) -> tuple[int, Iterator[VideoFrame]]:
        """Jump to the last key frame before `start` where the time stamps can be trusted for it."""
        stamps = None if start == 0 or self._constant_rate else self._index[1]
        if stamps is None:
            return 0, _decode(container, stream, ending)
        container.seek(int(stamps[start]), stream=stream, backward=True)
        decoded = _decode(container, stream, ending)
        first = next(decoded, None)
        place = len(stamps) if first is None or first.pts is None else int(np.searchsorted(stamps, first.pts))
        if first is None or place > start or stamps[place] != first.pts:
            container.seek(0, stream=stream, backward=True)
            return 0, _decode(container, stream, ending)
        return place, _chain(first, decoded)

    @cached_property
    def _index(self) -> tuple[int, NDArray[np.int64] | None]:
        """Number of frames, and their time stamps in order of display if each has one of its own."""
        stamps: list[int | None] = []
        keyed = False
        with self._open() as (container, stream):
            self._time_base = float(stream.time_base) if stream.time_base else 0.0
            try:
                for packet in container.demux(stream):
                    if not packet.size or packet.is_discard:
                        continue
                    if packet.is_keyframe and not keyed:
                        keyed = True
                        stamps.clear()  # what comes before the first key frame does not decode
                    stamps.append(packet.pts)
            except av.error.FFmpegError:
                pass  # `frames` tells where the file breaks off
        known = [stamp for stamp in stamps if stamp is not None]
        ordered = np.unique(np.asarray(known, np.int64))
        return len(stamps), ordered if len(ordered) == len(stamps) and len(ordered) else None

    def _cut_off(self, ending: _Ending) -> str | None:
        """Say why the end of the file is not the end of the video, or None."""
        if ending.decode_failed:
            return "its last part does not decode"
        if ending.last_packet_torn:
            return "its last packet is torn"
        if ending.corrupt[-1] and not ending.corrupt[-2]:
            return "its last picture is damaged"
        bytes_ = self.path.stat().st_size
        if self._is_transport and all(bytes_ % size for size in _TRANSPORT_PACKET_BYTES):
            return "it ends inside a transport packet"
        if not self._states_length:
            return None
        with self._open() as (container, stream):
            announced_s = container.duration / av.time_base if container.duration else 0.0
            announced_packets = stream.frames
        # Both must be short: a file trimmed by an edit list holds fewer packets than its header says, and the
        # length of a file whose frames are unevenly spaced is known to no better than this.
        short = ending.reached_s < announced_s - max(0.5, 0.01 * announced_s)
        if short and (not announced_packets or ending.packets < announced_packets):
            return f"it announces {announced_s:.1f} s and ends after {ending.reached_s:.1f} s"
        return None

    def _is_grey_later(self, container: InputContainer, stream: VideoStream) -> bool:
        """Look into the middle and the end: a video may fade in from black, or start at night."""
        begin, length = container.start_time or 0, container.duration or 0
        for share in (0.5, 0.95):
            moment, last = int(begin + length * share), None
            try:
                container.seek(moment, backward=True)  # to a key frame, from which it goes on towards the moment
                for frame in itertools.islice(_decode(container, stream, _Ending()), _KEY_FRAME_DISTANCE):
                    last = frame
                    if frame.time is None or frame.time * av.time_base >= moment:
                        break
            except av.error.FFmpegError:
                continue  # no seeking in this file: the first picture has to do
            if last is not None and not _is_grey(_upright(last, "rgb24")):
                return False
        return True

    @contextmanager
    def _open(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        try:
            # Nothing but this one file is ever read, whatever a playlist in it names.
            container = av.open(str(self.path.resolve()), options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, OSError) as error:
            raise UnreadableVideoError(
                "this file does not open as video",
                path=self.path,
                seen=f"{self.path.stat().st_size} bytes; {error.strerror or error}",
                wanted="a video file (mp4, avi, mkv, mov, ts ...) or a folder of frames",
                hint="copy it again: it was perhaps cut off, and an mp4 without its end cannot be read at all",
            ) from None
        with container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                raise UnreadableVideoError("there is no video in this file", path=self.path, seen="other streams only")
            stream.thread_type = "AUTO"
            yield container, stream


def _decode(container: InputContainer, stream: VideoStream, ending: _Ending) -> Iterator[VideoFrame]:
    """Decode to the end, pass over what is damaged, and keep account of how it ended."""
    start_s = (container.start_time or 0) / av.time_base
    packets = container.demux()
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError:
            ending.decode_failed = True
            return
        if packet.size and packet.pts is not None and packet.time_base:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            ending.reached_s = max(ending.reached_s, end - start_s)
        if packet.stream_index != stream.index:
            continue
        if packet.size:
            ending.packets += 1
            ending.last_packet_torn = packet.is_corrupt
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            ending.decode_failed = True
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                if ending.decode_failed:
                    _LOG.warning("%s: damaged before %s s; passed over", container.name, frame.time)
                    ending.decode_failed = False
                yield frame


def _behind(frames: Iterator[VideoFrame], ending: _Ending) -> Iterator[VideoFrame]:
    """Yield one frame late, so that a damaged last picture of a sound video can be kept back."""
    held: VideoFrame | None = None
    for frame in frames:
        ending.corrupt = [ending.corrupt[-1], frame.is_corrupt]
        if held is not None:
            yield held
        held = frame
    if held is not None and not (ending.corrupt[-1] and not ending.corrupt[-2]):
        yield held


def _chain(first: VideoFrame, rest: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    yield first
    yield from rest


def _upright(frame: VideoFrame, kind: str) -> NDArray[np.uint8]:
    """Return (H, W, 1 or 3) uint8, turned as a player would show it."""
    pixels = frame.to_ndarray(format=kind)
    if turns := round(frame.rotation / 90) % 4:
        pixels = np.rot90(pixels, turns)
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[:, :, None], np.uint8)


def _is_grey(pixels: NDArray[np.uint8]) -> bool:
    return int((pixels.max(axis=2) - pixels.min(axis=2)).max()) <= _GREY_SPREAD
