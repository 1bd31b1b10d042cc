"""Decoding a video file from any of its frames on, exactly.

Where to begin is looked up in the index: at the last key frame that the wanted frame needs. A container that cannot
seek, or that seeks elsewhere, is opened again and read from its beginning, without decoding what comes before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from av.video.frame import VideoFrame

from oddframe.storage.place import Place
from oddframe.video._index import FrameIndex
from oddframe.video._libav import BrokenOffError, DamagedError, Movie, VideoPacket
from oddframe.video._watch import Pulse

_KEY_FRAME_DISTANCE = 300
"""Frames after which most encoders have set a key frame."""

_TRIED = 2
"""Key frames that are tried before a file is read from its beginning."""


@dataclass
class Ending:
    """What reading to the end of a file showed about that end. Times in seconds on the file's own clock."""

    packets: int = 0
    last_packet_torn: bool = False
    decode_failed: bool = False
    broken_off: bool = False
    reached_s: float = 0.0
    corrupt: list[bool] = field(default_factory=lambda: [False, False])

    def begin_anew(self) -> None:
        """Forget all: the file is read again from another place."""
        self.__dict__.update(Ending().__dict__)


def decoded_from(
    path: Place, index: FrameIndex, start: int, ending: Ending, pulse: Pulse
) -> Iterator[tuple[int, VideoFrame, Movie]]:
    """Yield (slot, frame, movie) in rising order, from the first frame at or after slot `start` on.

    A frame and its movie are to be used before the next one is asked for. `ending` is written while this goes on.
    """
    for begin, seeks in _beginnings(index, start):
        with Movie(path) as movie:
            ending.begin_anew()
            packets = _packets_from(movie, index, begin, seeks, _accounted(movie, ending, pulse))
            if packets is None:
                continue
            frames = _in_slots(_decoded(packets, movie, ending), index)
            if begin:
                own = int(index.slot_of[begin])
                first = next((one for one in frames if one[0] >= own), None)
                if first is None or first[0] != own or not first[1].key_frame:
                    continue  # the decoder needs more than this key frame
                frames = itertools.chain([first], frames)
            yield from ((slot, frame, movie) for slot, frame in frames if slot >= start)
            return


def _beginnings(index: FrameIndex, start: int) -> Iterator[tuple[int, bool]]:
    """Where to begin decoding, and whether to seek there, the best first. The last one is the beginning of the file."""
    usable = index.keys[index.slot_of[index.keys] <= start]
    for key in usable[::-1][:_TRIED]:
        if key:
            yield int(key), True
            yield int(key), False
    yield 0, False


def _packets_from(
    movie: Movie, index: FrameIndex, begin: int, seeks: bool, packets: Iterator[VideoPacket]
) -> Iterator[tuple[int, VideoPacket]] | None:
    """Return the packets from number `begin` on, or None where the container does not get there."""
    marks: dict[tuple[int | None, int], int] = {
        (int(mark), int(size)): int(key) for key, (mark, size) in zip(index.keys, index.key_marks, strict=True)
    }
    if seeks and not movie.seek(int(index.key_marks[np.searchsorted(index.keys, begin), 0])):
        return None
    number = None if seeks else -1
    for packet in packets:
        if not packet.size:
            continue
        known = marks.get((movie.stamp(packet), packet.size)) if number is None or begin else None
        number = known if number is None else number + 1
        if number is None or number > begin:
            return None  # led astray
        if number == begin:
            return None if begin and known != begin else _numbered(packet, packets, begin)
    return None


def _numbered(first: VideoPacket, rest: Iterator[VideoPacket], number: int) -> Iterator[tuple[int, VideoPacket]]:
    yield number, first
    for packet in rest:
        number += bool(packet.size)
        yield number, packet


def _accounted(movie: Movie, ending: Ending, pulse: Pulse) -> Iterator[VideoPacket]:
    """Yield the track's packets, and keep account of how far the file goes. All streams count for that."""
    start_s = movie.start_s
    try:
        for packet in movie.packets(other_streams=True):
            pulse.beat()
            if pulse.stopped:
                return
            own = packet.stream.index == movie.stream.index
            stamp = movie.stamp(packet) if own else packet.pts
            if packet.size and stamp is not None and packet.time_base:
                end_s = float((stamp + (packet.duration or 0)) * packet.time_base)
                ending.reached_s = max(ending.reached_s, end_s - start_s)
            if not own:
                continue
            if packet.size:
                ending.packets += 1
                ending.last_packet_torn = packet.is_corrupt
            yield packet
    except BrokenOffError:
        ending.broken_off = True


def _decoded(
    packets: Iterator[tuple[int, VideoPacket]], movie: Movie, ending: Ending
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode to the end, and pass over what is damaged."""
    for number, packet in packets:
        try:
            frames = movie.decode(packet, number)
        except DamagedError:
            ending.decode_failed = True
            continue
        if frames:
            ending.decode_failed = False
        yield from frames
    if ending.broken_off:
        yield from movie.flush()


def _in_slots(frames: Iterator[tuple[int, VideoFrame]], index: FrameIndex) -> Iterator[tuple[int, VideoFrame]]:
    """Turn numbers of packets into slots, which rise.

    Behind a hole, pictures up to the next key frame are made from others that are not there. The decoder gives
    something for them, but it is not what the camera saw, so they count as not decoded.
    """
    owned = np.zeros(index.count + 1, bool)
    owned[index.slot_of[index.slot_of >= 0]] = True
    last, distrusted = -1, 0
    for number, frame in frames:
        slot = int(index.slot_of[number]) if 0 <= number < len(index.slot_of) else -1
        if 0 <= slot <= last:
            slot = last + 1 if not owned[last + 1] else -1  # the second frame of one packet
        if not 0 <= slot < index.count:
            continue
        distrusted = _KEY_FRAME_DISTANCE if 0 <= last < slot - 1 else max(distrusted - 1, 0)
        last = slot
        if frame.key_frame:
            distrusted = 0
        if not distrusted:
            yield slot, frame
