"""A video file as a video.

`_libav.py` opens it, `_index.py` says which frames it has, `_decode.py` reads them. Here they are put together, and it
is worked out whether a file ends because its video does or because it was cut off.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError, FrameSizeError, UnreadableVideoError
from oddframe.storage.place import Place, bytes_of
from oddframe.video._clock import seconds_between
from oddframe.video._decode import Ending, decoded_from
from oddframe.video._index import FrameIndex, index_of
from oddframe.video._libav import BrokenOffError, DamagedError, Movie
from oddframe.video._watch import Pulse, watched, watched_call
from oddframe.video.began import began_of
from oddframe.video.pixel_range import HIGHEST, PixelRange, range_of
from oddframe.video.source import Frame, Video

_STATES_LENGTH = {"mov", "mp4", "matroska", "webm", "avi", "flv", "asf"}
"""Containers that write their length down. In the others it is an estimate from the file's size."""

_LOSE_WITHOUT_TRACE = {"mpeg", "flv"}
"""Containers of which a part can be gone, and nothing in what is left says so."""

_GREY_SPREAD = 2
"""Levels by which red, green and blue of a grey picture differ at most, after rounding."""

_KEY_FRAME_DISTANCE = 300
"""Frames after which most encoders have set a key frame."""

_TRANSPORT_PACKET_BYTES = (188, 192, 204)


_DEEP = "gray16le"
"""How grey pictures of more than 8 bits are taken, as of a thermal camera. Those in colour fill their range: HDR."""

_ABOUT = 0.01
"""By how much a rate that was said may differ from that of the time stamps before it is told."""

_LEARNED_FROM = 24
"""Frames whose values decide how 16 bits become 8 where nobody says it."""


@dataclass(frozen=True)
class _Look:
    """What the first look into a file shows."""

    size: tuple[int, int]
    grey: bool
    deep: bool
    own_clock: bool
    formats: frozenset[str]
    other_tracks: int
    began: datetime | None


class FileVideo(Video):
    """See `Video`. Grey if the first, the middle and the last readable picture are."""

    def __init__(self, path: Place, *, name: str, fps: float | None, start: str | None, end: str | None) -> None:
        self.path, self.name, self.start, self.end = path, name, start, end
        self._said_fps = fps
        self._look = watched_call(lambda pulse: _look(path, pulse), path)
        self.size, self.own_clock = self._look.size, self._look.own_clock
        self.channels = 1 if self._look.grey else 3
        self.deep = self._look.deep
        self._given_range: PixelRange | None = None
        self.began = self._look.began
        self._missing: tuple[range, ...] = ()

    @property
    def pixel_range(self) -> PixelRange | None:
        if not self.deep:
            return None
        return self._given_range or self._own_range

    def with_pixel_range(self, pixel_range: PixelRange) -> FileVideo:
        if not self.deep:
            return self
        other = copy.copy(self)
        other._given_range = pixel_range
        return other

    def deep_samples(self, count: int) -> Iterator[NDArray[np.uint16]]:
        if not self.deep:
            return
        start, stop = (0, self._index.count) if self.whole else self._range
        yield from self._deep_pictures(start, stop, count)

    def _deep_pictures(self, start: int, stop: int, count: int) -> Iterator[NDArray[np.uint16]]:
        for slot in np.linspace(start, stop - 1, min(count, stop - start)).astype(int).tolist():
            yield from watched(partial(self._sample, slot), self.path)

    def _sample(self, slot: int, pulse: Pulse) -> Generator[NDArray[np.uint16], None, None]:
        for _, frame, movie in decoded_from(self.path, self._index, slot, Ending(), pulse):
            yield movie.picture(frame, _DEEP)
            return

    @cached_property
    def _own_range(self) -> PixelRange:
        """Of all frames, whatever part is read: a frame has the same pixels wherever reading begins."""
        return range_of(self._deep_pictures(0, self._index.count, _LEARNED_FROM)) or PixelRange(0, HIGHEST)

    def parts(self) -> Sequence[Place]:
        return (self.path,)

    @cached_property
    def fps(self) -> float | None:
        """Frames per second as the time stamps have it; what the header says counts for nothing."""
        if not self.own_clock:
            return self._said_fps
        between = seconds_between(self._index.times_s)
        return None if between is None or between <= 0 else round(1 / between, 6)

    @property
    def source_frame_count(self) -> int:
        return self._index.count

    @property
    def missing(self) -> tuple[range, ...]:
        return self._missing

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if (said := self._said_fps) and self.own_clock and (own := self.fps) and abs(said / own - 1) > _ABOUT:
            notes.append(
                f"its time stamps are those of {own:g} frames a second: the {said:g} that were said do not count"
            )
        if tracks := self._look.other_tracks:
            more = "1 more video track" if tracks == 1 else f"{tracks} more video tracks"
            notes.append(f"this file holds {more}, perhaps of other cameras; the first one is read")
        if self._look.formats & _LOSE_WITHOUT_TRACE and (pauses := self._index.pauses):
            first, fitting = next(iter(pauses.items()))
            places = f"before frame {first}" + (f" and at {len(pauses) - 1} more places" if len(pauses) > 1 else "")
            notes.append(
                f"{fitting} frames would fit in {places}: if they are gone from the file, numbers from there on are "
                "too low, and times are right; write labels as times, not as frame numbers"
            )
        return tuple(notes)

    def times_s(self) -> NDArray[np.float64] | None:
        if self._index.times_s is not None:
            return self._index.times_s
        return None if self.fps is None else np.arange(self._index.count) / self.fps

    def frames(self) -> Iterator[Frame]:
        start, stop = (0, self._index.count) if self.whole else self._range
        yield from watched(lambda pulse: self._frames(start, stop, pulse), self.path)

    @cached_property
    def _index(self) -> FrameIndex:
        return index_of(self.path)

    def _frames(self, start: int, stop: int, pulse: Pulse) -> Generator[Frame, None, None]:
        times, ending = self.times_s(), Ending()
        chosen = self.pixel_range
        kind = _DEEP if self.deep else "gray" if self.channels == 1 else "rgb24"
        missing: list[range] = []
        expected, yielded = start, 0
        decoded = decoded_from(self.path, self._index, start, ending, pulse)
        for slot, frame, movie in _without_damaged_end(decoded, ending):
            if slot >= stop:
                break
            pixels = movie.picture(frame, kind)
            if pixels.shape[:2] != self.size:
                raise self._other_size(slot, pixels)
            if slot > expected:
                missing.append(range(expected, slot))
            expected, yielded = slot + 1, yielded + 1
            yield Frame(
                slot,
                None if times is None else float(times[slot]),
                pixels if chosen is None else chosen.to_eight(pixels),
            )
        else:
            if pulse.stopped:
                return
            if trouble := self._cut_off(ending):
                self._missing = tuple(missing)
                raise CutOffVideoError(
                    f"this video is cut off: {trouble}",
                    frames_read=yielded,
                    path=self.path,
                    hint="copy it again; without a whole copy, its readable part is the frames up to there (--end)",
                )
        if expected < stop:
            missing.append(range(expected, stop))
        self._missing = tuple(missing)

    def _other_size(self, slot: int, pixels: NDArray[np.uint8]) -> FrameSizeError:
        return FrameSizeError(
            f"the picture of '{self.name}' changes its size at frame {slot}",
            path=self.path,
            seen=f"{pixels.shape[1]}x{pixels.shape[0]} (width x height)",
            wanted=f"{self.size[1]}x{self.size[0]}, as its first frame",
            hint="cut the file there, or read one part of it with --start and --end",
        )

    def _cut_off(self, ending: Ending) -> str | None:
        """Say why the end of the file is not the end of the video, or None."""
        if ending.decode_failed or ending.broken_off:
            return "its last part does not decode"
        if ending.last_packet_torn:
            return "its last packet is torn"
        if ending.corrupt[-1] and not ending.corrupt[-2]:
            return "its last picture is damaged"
        bytes_ = bytes_of(self.path)
        if "mpegts" in self._look.formats and all(bytes_ % size for size in _TRANSPORT_PACKET_BYTES):
            return "it ends inside a transport packet"
        if not self._look.formats & _STATES_LENGTH:
            return None
        with Movie(self.path) as movie:
            announced_s, announced_packets = movie.announced_s, movie.stream.frames
        # Both must be short: a file trimmed by an edit list holds fewer packets than its header says, and the
        # length of a file whose frames are unevenly spaced is known to no better than this.
        short = ending.reached_s < announced_s - max(0.5, 0.01 * announced_s)
        if short and (not announced_packets or ending.packets < announced_packets):
            return f"it announces {announced_s:.1f} s and ends after {ending.reached_s:.1f} s"
        return None


def _look(path: Place, pulse: Pulse) -> _Look:
    with Movie(path) as movie:
        first = next(_some(movie, pulse), None)
        if first is None:
            raise UnreadableVideoError(
                "not one frame of this file decodes",
                path=path,
                seen=f"{movie.codec} video",
                hint="play it with another program; it may be cut off or of a format that libav does not know",
            )
        pixels = movie.picture(first, "rgb24")
        deep = first.format.name.startswith("gray") and first.format.components[0].bits > 8
        return _Look(
            size=(pixels.shape[0], pixels.shape[1]),
            grey=deep or (_is_grey(pixels) and _is_grey_later(movie, pulse)),
            deep=deep,
            own_clock=movie.has_clock and movie.stamped,
            formats=movie.formats,
            other_tracks=movie.other_tracks,
            began=began_of(path.absolute() if isinstance(path, Path) else path, movie.metadata) or movie.wall_clock,
        )


def _is_grey_later(movie: Movie, pulse: Pulse) -> bool:
    """Look into the middle and the end: a video may fade in from black, or start at night."""
    for share in (0.5, 0.95):
        moment_s = movie.start_s + movie.announced_s * share
        if not movie.seek_s(moment_s):
            continue  # no seeking in this file: the first picture has to do
        last = None
        for frame in itertools.islice(_some(movie, pulse), _KEY_FRAME_DISTANCE):
            last = frame  # from a key frame on towards the moment
            if frame.time is None or frame.time >= moment_s:
                break
        if last is not None and not _is_grey(movie.picture(last, "rgb24")):
            return False
    return True


def _some(movie: Movie, pulse: Pulse) -> Iterator[VideoFrame]:
    """Decode what decodes."""
    try:
        for packet in movie.packets():
            pulse.beat()
            try:
                yield from (frame for _, frame in movie.decode(packet))
            except DamagedError:
                continue
    except BrokenOffError:
        return


def _without_damaged_end(
    frames: Iterator[tuple[int, VideoFrame, Movie]], ending: Ending
) -> Iterator[tuple[int, VideoFrame, Movie]]:
    """Yield one frame late, so that a damaged last picture of a sound video can be kept back."""
    held: tuple[int, VideoFrame, Movie] | None = None
    for one in frames:
        ending.corrupt = [ending.corrupt[-1], one[1].is_corrupt]
        if held is not None:
            yield held
        held = one
    if held is not None and not (ending.corrupt[-1] and not ending.corrupt[-2]):
        yield held


def _is_grey(pixels: NDArray[np.uint8]) -> bool:
    red, green, blue = pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2]
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return int((most - least).max()) <= _GREY_SPREAD
