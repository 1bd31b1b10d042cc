"""Which frames a video file has, in order of display, and when: the one source of numbers and times.

A container lists packets, and packets are not frames: some are never shown (VP8's alternate references, what an edit
list cuts away), some cannot be decoded after a cut, some have no stamp or another's. So packets are numbered as they
lie in the file, and the index says which frame each of them becomes. The decoder is asked wherever packets do not
tell: about the beginning of every file, and about all of it where codec or container are not to be trusted.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import UnreadableVideoError
from oddframe.storage.place import Place
from oddframe.video._clock import NO_STAMP, display_order, lost_frames, rising
from oddframe.video._libav import BrokenOffError, DamagedError, Movie
from oddframe.video._watch import Pulse, watched_call

_NEVER_REORDERED = frozenset({"vp8", "vp9", "av1"})
_ONE_PACKET_ONE_FRAME = _NEVER_REORDERED | {"h264", "hevc", "mpeg4"}
"""Codecs of which each packet is one picture, where nothing in `_scan` speaks against it."""

_WRAP, _WRAPS_AT = frozenset({"mpegts", "mpeg"}), 2.0**33
"""MPEG's streams, and where their clock goes over."""

_LONGEST_LOSS_S = 300.0
"""A damaged part of a file is shorter than this; a longer hole in the times is one of the recording."""

_PROBED = 8
"""Packets after the first frame for which the decoder is asked, whatever their stamps are like."""

_LEADING = 48
"""Packets behind a key frame among which pictures are looked for that are shown before it. After a cut, these do not
decode."""

_NOT_CODED_BYTES = 24
"""An MPEG-4 picture with fewer bytes may only say "as before", for which the decoder gives no frame."""

_MPEG4_PICTURE, _MPEG4_B = b"\0\0\1\xb6", 2

_NEAR = 32
"""Packets between a place that does not decode and a frame that is missing because of it."""


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a file. A frame's slot is its number in order of display, from 0.

    Attributes:
        slot_of: (packets,) slot of each packet of the track, in the file's order; -1 where it becomes no frame.
        times_s: (count,) seconds from the first frame, rising; None without a clock.
        keys: (keys,) numbers of the packets with key frames, rising.
        key_marks: (keys, 2) stamp and bytes of these packets, by which they are known again after a seek.
        count: slots. A picture that is damaged or lost in the middle of the file has one, too.
        pauses: slot → how many frames would fit in before it, where the clock says so and no damage is to be seen.
    """

    slot_of: NDArray[np.int64]
    times_s: NDArray[np.float64] | None
    keys: NDArray[np.int64]
    key_marks: NDArray[np.int64]
    count: int
    pauses: Mapping[int, int]


@dataclass
class _Packets:
    """What a container says of the packets of its track, in the file's order. Arrays, as a week has millions."""

    stamps: array[int] = field(default_factory=lambda: array("q"))
    dts: array[int] = field(default_factory=lambda: array("q"))
    bytes: array[int] = field(default_factory=lambda: array("q"))
    skipped: array[int] = field(default_factory=lambda: array("q"))
    shown: bytearray = field(default_factory=bytearray)
    key: bytearray = field(default_factory=bytearray)
    torn: bytearray = field(default_factory=bytearray)
    tell_frames: bool = True
    b_pictures: bool = False
    """Only looked for in MPEG-4, as AVI has no times of display: whether there are pictures that may be reordered."""


@dataclass
class _Decoded:
    """Numbers of the packets of which frames came, in order of display, and of those at which the decoder failed."""

    order: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)


def index_of(path: Place) -> FrameIndex:
    """Read a file's packets, and as many of its pictures as is needed, and return its frames.

    Raises:
        UnreadableVideoError: it does not open, no frame of it decodes, or it makes no progress.
    """
    return watched_call(lambda pulse: _index_of(path, pulse), path)


def _index_of(path: Place, pulse: Pulse) -> FrameIndex:
    with Movie(path) as movie:
        packets = _scan(movie, pulse)
        tick_s, has_clock, in_decoding_order = movie.tick_s, movie.has_clock, movie.stamped_in_decoding_order
        wraps_at = _WRAPS_AT if movie.formats & _WRAP else np.inf
        reorders = not movie.intra_only and movie.codec not in _NEVER_REORDERED
        reorders = reorders and (movie.codec != "mpeg4" or packets.b_pictures)
    has_stamps = any(stamp != NO_STAMP for stamp in packets.stamps)
    stamps = np.frombuffer(packets.stamps if has_stamps else packets.dts, np.int64)
    order = None
    if packets.tell_frames and not (in_decoding_order and reorders):
        probed = _decode(path, pulse, lambda first: _telling(packets, stamps, first))
        order = _order_of_packets(packets, stamps, probed, reorders)
    if order is None:
        order = _order_of_frames(_decode(path, pulse), stamps)
    if not len(order):
        raise UnreadableVideoError("not one frame of this file decodes", path=path)
    ticks = rising(stamps[order], sort=in_decoding_order, longest=wraps_at / 2) if has_clock else None
    slots = np.arange(len(order))
    pauses: dict[int, int] = {}
    if ticks is not None and tick_s > 0:
        lost = lost_frames(ticks, _evidence(packets, order), _LONGEST_LOSS_S / tick_s)
        slots = slots + np.concatenate([[0], np.cumsum(lost)])
        fitting = lost_frames(ticks, np.full(len(lost), np.inf), _LONGEST_LOSS_S / tick_s)
        pauses = {int(slots[at + 1]): int(fitting[at]) for at in np.flatnonzero((fitting > 0) & (lost == 0))}
        ticks = np.interp(np.arange(slots[-1] + 1), slots, ticks)
    slot_of = np.full(len(stamps), -1, np.int64)
    slot_of[order[::-1]] = slots[::-1]  # of two frames of one packet, it has the first one's slot
    keys = np.flatnonzero(np.frombuffer(packets.key, np.bool_) & (slot_of >= 0))
    return FrameIndex(
        slot_of,
        None if ticks is None else ticks * tick_s,
        keys,
        np.stack([stamps[keys], np.frombuffer(packets.bytes, np.int64)[keys]], axis=1),
        int(slots[-1]) + 1,
        pauses,
    )


def _scan(movie: Movie, pulse: Pulse) -> _Packets:
    found = _Packets(tell_frames=movie.intra_only or movie.codec in _ONE_PACKET_ONE_FRAME)
    read_to, skipped = -1, 0
    try:
        for packet in movie.packets(other_streams=True):
            pulse.beat()
            if pulse.stopped:
                break
            if not packet.size:
                continue
            if packet.pos is not None and packet.pos >= 0:
                if 0 <= read_to < packet.pos:
                    skipped += packet.pos - read_to
                read_to = max(read_to, packet.pos + packet.size)
            if packet.stream.index != movie.stream.index:
                continue
            stamp = movie.stamp(packet)
            found.stamps.append(NO_STAMP if stamp is None else stamp)
            found.dts.append(NO_STAMP if packet.dts is None else packet.dts)
            found.bytes.append(packet.size)
            found.skipped.append(skipped)
            skipped = 0
            found.key.append(packet.is_keyframe)
            found.torn.append(packet.is_corrupt)
            shown, sure = _shown(movie.codec, memoryview(packet))
            found.shown.append(shown and not packet.is_discard)
            found.tell_frames = found.tell_frames and sure
            if movie.codec == "mpeg4":
                found.b_pictures = found.b_pictures or _is_b_picture(bytes(packet))
    except BrokenOffError:
        pass  # `frames` tells where the file breaks off
    if movie.codec in ("h264", "hevc") and not movie.is_progressive:
        found.tell_frames = False  # two fields may lie in a packet each
    return found


def _shown(codec: str, data: memoryview) -> tuple[bool, bool]:
    """Return whether a packet is a picture that is shown, and whether that can be told from its bytes."""
    if codec == "vp8":
        return bool(data[0] & 0x10), True
    if codec == "vp9":
        if data[-1] & 0xE0 == 0xC0:
            return True, True  # several in one, of which the last is shown
        at = 2 if data[0] & 0x30 == 0x30 else 3
        return bool(data[0] >> at & 1 or data[0] >> (at - 2) & 1), True
    if codec == "mpeg4":
        return True, len(data) > _NOT_CODED_BYTES and bytes(data).count(_MPEG4_PICTURE) == 1
    return True, True


def _is_b_picture(mpeg4: bytes) -> bool:
    """Whether the picture in a packet is made from a later one, too: the type stands in two bits behind its mark."""
    at = mpeg4.find(_MPEG4_PICTURE) + len(_MPEG4_PICTURE)
    return not len(_MPEG4_PICTURE) <= at < len(mpeg4) or mpeg4[at] >> 6 == _MPEG4_B


def _telling(packets: _Packets, stamps: NDArray[np.int64], first: int) -> int:
    """Return up to which packet the decoder has to be asked, if packet `first` is the first one that became a frame."""
    keys = np.flatnonzero(np.frombuffer(packets.key, np.bool_)[: first + 1])
    key = int(keys[-1]) if len(keys) else first
    leading = np.flatnonzero(stamps[key + 1 : key + 1 + _LEADING] < stamps[key])
    return max(first + _PROBED, key + 1 + int(leading[-1]) if len(leading) else 0)


def _decode(path: Place, pulse: Pulse, up_to: Callable[[int], int] | None = None) -> _Decoded:
    """Decode without looking at the pictures: all, or up to the packet that `up_to` says, given the first frame's."""
    done = _Decoded()
    number, last = -1, None
    with Movie(path) as movie:
        try:
            for packet in movie.packets():
                pulse.beat()
                number += bool(packet.size)
                try:
                    done.order += [tag for tag, _ in movie.decode(packet, number)]
                except DamagedError:
                    done.failed.append(number)
                if up_to is not None and done.order:
                    last = up_to(min(done.order)) if last is None else last
                    if number >= last:
                        done.order += [tag for tag, _ in movie.flush()]
                        break
                if pulse.stopped:
                    break
        except BrokenOffError:
            done.order += [tag for tag, _ in movie.flush()]
    return done


def _order_of_packets(
    packets: _Packets, stamps: NDArray[np.int64], probed: _Decoded, reorders: bool
) -> NDArray[np.int64] | None:
    """Return the packets that become frames in order of display, or None where packets do not tell it."""
    if not probed.order:
        return np.zeros(0, np.int64)
    shown = np.frombuffer(packets.shown, np.bool_).copy()
    begin, came = min(probed.order), np.asarray(probed.order)
    silent = np.setdiff1d(np.arange(max(came) + 1), came)
    # What does not come before the first frame, in the file or on the screen, refers to pictures that were cut away.
    before = (silent < begin) | (stamps[silent] < stamps[came[0]]) | (stamps[silent] == NO_STAMP)
    shown[silent[before]] = False
    order = np.flatnonzero(shown)
    if reorders:
        dts = np.frombuffer(packets.dts, np.int64)[order]
        known = dts[dts != NO_STAMP]
        placed = display_order(stamps[order])
        if placed is None or (np.diff(known) < 0).any():
            return None
        order = order[placed]
        twice = np.diff(stamps[order]) == 0
        if twice.any() and (order != np.sort(order)).any():
            return None
    expected = order[np.isin(order, came)]
    return order if np.array_equal(expected, came) else None


def _order_of_frames(decoded: _Decoded, stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the packets of which frames came in order of display, and those that failed where they belong."""
    order = np.asarray(decoded.order, np.int64)
    if not len(order) or not decoded.failed:
        return order
    silent = np.setdiff1d(np.arange(order[0], order.max() + 1), order)
    failed = np.asarray(decoded.failed)
    after = failed[np.minimum(np.searchsorted(failed, silent), len(failed) - 1)]
    silent = silent[(np.abs(after - silent) <= _NEAR) & (stamps[silent] != NO_STAMP)]
    rise = np.maximum.accumulate(stamps[order])
    return np.insert(order, np.searchsorted(rise, stamps[silent]), silent)


def _evidence(packets: _Packets, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (frames - 1,) how many packets may have been lost between neighbours, going by what could not be read.

    Infinite where the container marks packets nearby as torn; else the bytes that belong to no packet, in packets.
    """
    usual = max(float(np.median(np.frombuffer(packets.bytes, np.int64))), 1.0)
    torn = np.frombuffer(packets.torn, np.bool_)
    near = np.convolve(torn, np.ones(2 * _NEAR + 1), "same") > 0 if torn.any() else torn
    skipped = np.frombuffer(packets.skipped, np.int64) / usual
    later = np.maximum(order[1:], order[:-1])
    return np.where(near[later], np.inf, skipped[later])
