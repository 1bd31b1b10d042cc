"""The one place that calls PyAV: opening, packets, pictures, seeking.

Whatever libav or PyAV raises on a strange file leaves here as an error of `oddframe.errors`. A file is opened with its
real video track: covers and thumbnails are passed over.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self, TypeAlias, cast

import av
import av.error
import av.format
import av.stream
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from oddframe.errors import OddframeError, UnreadableVideoError
from oddframe.storage.place import Place, bytes_of
from oddframe.storage.reading import RemoteReader
from oddframe.storage.remote import Remote

VideoPacket: TypeAlias = "Packet[VideoStream]"

PATIENCE_S = 20.0
"""How long libav may be silent before a file is given up."""

REMOTE_PATIENCE_S = 180.0
"""The same of a file on object storage, a read of which may take several attempts."""

_MOST_PIXELS = 1 << 27
"""Four times 8K. What announces more is damaged, and would fill the memory."""

_STAMPS_IN_DECODING_ORDER = frozenset({"avi"})
_CHUNK_HEAD_BYTES = 8

_WALL_CLOCKS, _EARLIEST_S = frozenset({"dhav"}), 630_720_000.0

_UNKNOWN_FIELDS, _PROGRESSIVE = 0, 1

LIBAV_RAISES = (
    av.error.FFmpegError,
    OSError,
    ValueError,  # also UnicodeError: metadata that are not UTF-8
    AttributeError,  # PyAV asks an unknown codec for its name
    TypeError,
    OverflowError,
    ZeroDivisionError,
    RuntimeError,
    MemoryError,
)


class Movie:
    """A video file, opened. Use it in a `with`, and in one thread.

    Attributes:
        formats: libav's names of the container, such as {"mov", "mp4"}.
        codec: libav's name of the codec, "unknown" where it knows none.
        other_tracks: real video tracks of the file besides the one that is read.
        stamped_in_decoding_order: the container knows no times of display; those that libav gives are made up.
        stamped: whether a packet that was read so far had a time stamp.
    """

    def __init__(self, path: Place) -> None:
        self.path = path
        self._reader = RemoteReader(path) if isinstance(path, Remote) else None
        try:
            # Nothing but this one file is ever read, whatever a playlist in it names.
            self.container: InputContainer = av.open(
                str(path.resolve()) if isinstance(path, Path) else cast("IO[bytes]", self._reader),
                mode="r",
                options={"protocol_whitelist": "file"},
                metadata_errors="replace",
                timeout=patience_s(path),
            )
        except av.error.ExitError:
            self._stop_reading()
            raise no_progress(path) from None
        except LIBAV_RAISES as error:
            self._stop_reading()
            raise self._does_not_open(error) from None
        except BaseException:
            self._stop_reading()
            raise
        try:
            self.formats = frozenset(self.container.format.name.split(","))
            tracks = [stream for stream in self.container.streams.video if not is_cover(stream)]
            if not tracks:
                raise UnreadableVideoError("there is no video in this file", path=path, seen=self._other_streams())
            self.stream = real_track(tracks)
            self.other_tracks = len([one for one in tracks if one is not self.stream and _is_long(one, self.stream)])
            self.codec = self._codec()
            self.stream.thread_type = "AUTO"
            self.stamped = False
            self.stamped_in_decoding_order = bool(self.formats & _STAMPS_IN_DECODING_ORDER)
            self._stamps_by_place = self._listed() if self.stamped_in_decoding_order else {}
            self._last_tag = -1
        except LIBAV_RAISES as error:
            self._close()
            raise self.broken(error, "this file does not open as video") from None
        except UnreadableVideoError:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self.container.close()
        self._stop_reading()

    def _stop_reading(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def _raise_failure(self) -> None:
        """libav may take storage that does not answer for the end of the file."""
        if self._reader is not None and self._reader.failure is not None:
            raise self._reader.failure

    @property
    def start_s(self) -> float:
        """When the container begins, in seconds on its own clock."""
        return float((self.container.start_time or 0) / av.time_base)

    @property
    def metadata(self) -> dict[str, str]:
        """What the container says about itself; never trusted, and not always text that somebody wrote."""
        return {str(key): str(value) for key, value in self.container.metadata.items()}

    @property
    def wall_clock(self) -> datetime | None:
        """When the recording began, where the container's clock is the recorder's own wall clock."""
        if not self.formats & _WALL_CLOCKS or self.start_s < _EARLIEST_S:
            return None
        return datetime.fromtimestamp(self.start_s, UTC).replace(tzinfo=None, microsecond=0)

    @property
    def announced_s(self) -> float:
        """How long the container says that it is; 0 where it does not say."""
        return float((self.container.duration or 0) / av.time_base)

    @property
    def tick_s(self) -> float:
        """Seconds of one tick of the track's stamps."""
        return float(self.stream.time_base or 0)

    @property
    def intra_only(self) -> bool:
        """Whether each picture of this codec stands for itself."""
        return bool(self.stream.codec_context.codec.intra_only)

    @property
    def is_progressive(self) -> bool:
        """Whether pictures are no pairs of fields, as far as the beginning of the file shows."""
        return int(self.stream.codec_context.field_order) in (_UNKNOWN_FIELDS, _PROGRESSIVE)

    @property
    def has_clock(self) -> bool:
        """Whether the container carries times. A bare stream has none, and those that libav makes up are guesses."""
        return av.format.Flags.no_timestamps not in av.format.Flags(self.container.format.flags)

    def stamp(self, packet: VideoPacket) -> int | None:
        """The container's own stamp of a packet of the track: the time of display, or in AVI the number of its chunk.

        AVI counts chunks as they come. Where some of them are damaged, their list at the end of the file still knows.
        """
        if not self.stamped_in_decoding_order:
            return packet.pts
        return self._stamps_by_place.get(packet.pos, packet.dts) if packet.pos is not None else packet.dts

    def packets(self, *, other_streams: bool = False) -> Iterator[VideoPacket]:
        """Yield the packets of the track, and at the end one without bytes, on which the decoder gives its last frames.

        Raises:
            BrokenOffError: the file cannot be read on.
        """
        streams = () if other_streams else (self.stream,)
        demuxed = cast("Iterator[VideoPacket]", self.container.demux(*streams))
        while True:
            try:
                packet = next(demuxed)
            except StopIteration:
                self._raise_failure()
                return
            except av.error.ExitError:
                raise no_progress(self.path) from None
            except LIBAV_RAISES as error:
                self._raise_failure()
                raise BrokenOffError(words(error)) from None
            self.stamped = self.stamped or packet.pts is not None or packet.dts is not None
            yield packet

    def decode(self, packet: VideoPacket, tag: int | None = None) -> list[tuple[int, VideoFrame]]:
        """Return the frames that the decoder gives now, each with the tag of its own packet; without one, its stamp.

        Decoders hand the time stamp of a packet through to its frame and never look at it. So a number of our own in
        its place tells which packet a frame comes from, whatever the container's stamps are like.

        Raises:
            DamagedError: the packet does not decode.
        """
        try:
            if packet.size and tag is not None:
                packet.pts = tag
            return self._tagged(packet.decode())
        except LIBAV_RAISES as error:
            raise DamagedError(words(error)) from None

    def flush(self) -> list[tuple[int, VideoFrame]]:
        """Return the frames that the decoder still holds. It takes no packet after that."""
        try:
            return self._tagged(self.stream.decode(None))
        except LIBAV_RAISES:
            return []

    def _tagged(self, frames: Sequence[object]) -> list[tuple[int, VideoFrame]]:
        tagged = []
        for frame in frames:
            if isinstance(frame, VideoFrame):
                # A decoder that forgets the stamp gives its frames one by one, in order.
                self._last_tag = self._last_tag + 1 if frame.pts is None else frame.pts
                tagged.append((self._last_tag, frame))
        return tagged

    def picture(self, frame: VideoFrame, kind: str) -> NDArray[Any]:
        """Return (H, W, 1 or 3), turned as a player would show it.

        Args:
            kind: "gray" or "rgb24" for uint8, "gray16le" for uint16.
        """
        try:
            return upright(frame, kind)
        except LIBAV_RAISES as error:
            raise self.broken(error, "a picture of this file cannot be shown") from None

    def seek(self, stamp: int) -> bool:
        """Jump to the key frame at or before a stamp of the track. False where the container refuses."""
        try:
            self.container.seek(stamp, stream=self.stream, backward=True)
        except LIBAV_RAISES:
            return False
        return True

    def seek_s(self, moment_s: float) -> bool:
        """Jump to a key frame near a moment of the container's clock. False where the container refuses."""
        try:
            self.container.seek(int(moment_s * av.time_base), backward=True)
        except LIBAV_RAISES:
            return False
        return True

    def broken(self, error: BaseException, problem: str) -> UnreadableVideoError:
        """Turn what libav raised into an error that names the file."""
        return UnreadableVideoError(
            problem,
            path=self.path,
            seen=words(error),
            hint="play it with another program; it may be damaged, or of a format that libav does not know",
        )

    def _listed(self) -> dict[int, int]:
        entries = self.stream.index_entries
        return {one.pos + _CHUNK_HEAD_BYTES: one.timestamp for one in entries}

    def _codec(self) -> str:
        context = self.stream.codec_context
        if context is None:
            raise UnreadableVideoError(
                "the video in this file is of a kind that libav does not know",
                path=self.path,
                wanted="H.264, H.265, VP9, AV1, MPEG-4, MJPEG or another common codec",
                hint="encode it anew with the program that made it, for example as H.264 in an mp4",
            )
        return str(context.name)

    def _other_streams(self) -> str:
        kinds = [str(stream.type) for stream in self.container.streams]
        covers = kinds.count("video")
        words = [f"{covers} cover picture{'s' * (covers > 1)}"] if covers else []
        words += [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds) if kind != "video"]
        return ", ".join(words) or "no stream at all"

    def _does_not_open(self, error: BaseException) -> OddframeError:
        if self._reader is not None and self._reader.failure is not None:
            return self._reader.failure
        try:
            size = f"{bytes_of(self.path)} bytes; "
        except OSError:
            size = ""
        if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM):
            return UnreadableVideoError(
                "this file may not be read", path=self.path, seen=words(error), hint="allow yourself to read it"
            )
        return UnreadableVideoError(
            "this file does not open as video",
            path=self.path,
            seen=size + words(error),
            wanted="a video file (mp4, avi, mkv, mov, ts ...) or a folder of frames",
            hint="copy it again: it was perhaps cut off, and an mp4 without its end cannot be read at all",
        )


class BrokenOffError(Exception):
    """A container that cannot be read on. Never leaves this room."""


class DamagedError(Exception):
    """A packet that does not decode. Never leaves this room."""


def patience_s(path: Place) -> float:
    """How long reading a file may be silent before it is given up."""
    return PATIENCE_S if isinstance(path, Path) else REMOTE_PATIENCE_S


def no_progress(path: Place) -> UnreadableVideoError:
    """The error for a file at which libav hangs."""
    return UnreadableVideoError(
        "the decoder makes no progress with this video",
        path=path,
        seen=f"nothing came for {patience_s(path):g} s",
        hint="the file is damaged, or its disk does not answer: copy it to another disk, or encode it anew",
    )


def upright(frame: VideoFrame, kind: str) -> NDArray[Any]:
    """(H, W, 1 or 3), turned as a player would show it; `kind` as in `Movie.picture`. Raises one of `LIBAV_RAISES`."""
    if frame.width * frame.height > _MOST_PIXELS:
        raise ValueError(f"a picture of {frame.width}x{frame.height}")
    pixels = frame.to_ndarray(format=kind, threads=1)  # else threads are started and ended for each picture
    if turns := round(frame.rotation / 90) % 4:
        pixels = np.rot90(pixels, turns)
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else pixels[:, :, None])


def words(error: BaseException) -> str:
    """What libav says of an error, without the name of what was opened."""
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def is_cover(stream: VideoStream) -> bool:
    """Whether a track is a picture that goes with the video."""
    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return bool(stream.disposition & still)


def real_track(tracks: list[VideoStream]) -> VideoStream:
    """The first track that is no still picture: a drone's preview is a track of one frame, and not marked as cover."""
    longest = max(tracks, key=_length)
    return next((one for one in tracks if _is_long(one, longest)), tracks[0])


def _is_long(track: VideoStream, beside: VideoStream) -> bool:
    return _length(track) >= 0.1 * _length(beside) and not (track.frames == 1 and beside.frames != 1)


def _length(track: VideoStream) -> float:
    """Seconds, or where the container states none, frames; a track that states nothing counts as long."""
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    return float(track.frames or 0)
