"""Video that is kept for longer: whole groups of pictures, one segment after another, none of them twice.

What can lie in an mp4 as it came is not encoded anew, whether browsers play it or not. All else becomes H.264 of a
moderate size. Private places are black before anything is stored.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from oddframe.cameras.clip import Clip, Polygon, encoded, remuxed
from oddframe.cameras.packets import Kept
from oddframe.errors import CameraError
from oddframe.files import atomic_write
from oddframe.records import Record
from oddframe.video._libav import LIBAV_RAISES

_AS_THEY_COME = frozenset({"h264", "hevc", "vp9", "av1", "libdav1d"})
_MOST_HEIGHT = 480
"""Of what is encoded anew. No detector looks at more."""
LEAST_PICTURES = 10
"""Less than this between two breaks of the stream is nothing to learn from."""


class Segment(Record):
    """A segment that was written, or the word that there is none yet.

    Attributes:
        newest_s: the newest picture that the camera has sent, on its clock.
        next_after_s: where the next segment is to be looked for.
        begin_s, end_s: its first and last picture; None where nothing was written.
        pictures: in it. encoded: whether it was encoded anew.
    """

    newest_s: float
    next_after_s: float
    begin_s: float | None = None
    end_s: float | None = None
    pictures: int = 0
    encoded: bool = False


def write_segment(
    kept: Sequence[Kept],
    path: Path,
    *,
    after_s: float,
    back_s: float,
    seconds: float,
    private: Sequence[Polygon] = (),
) -> Segment:
    """Write the next segment, where there is one.

    It begins with a key frame and ends before one, so that segments that follow each other share no picture. It is
    shorter where the stream breaks off: no picture is beside one that does not follow it.

    Args:
        kept: what there is, in order of decoding. path: an mp4; it appears whole or not at all.
        after_s: where to begin to look, on the camera's clock, but for the last `back_s` seconds, which are left alone.
        seconds: how long it is, at least.

    Raises:
        StorageError: it cannot be written.
    """
    if not kept:
        return Segment(newest_s=after_s, next_after_s=after_s)
    newest_s = kept[-1].about_s
    chosen, next_after_s = _groups(kept, after_s, newest_s - back_s, seconds)
    told = Segment(newest_s=newest_s, next_after_s=next_after_s)
    if len(chosen) < LEAST_PICTURES:
        return told
    made = write_packets(chosen, path, private)
    if made is None:  # nothing in it decodes: the next one may
        return told
    return told.changed(begin_s=made.begin_s, end_s=made.end_s, pictures=made.pictures, encoded=made.encoded)


def write_packets(chosen: Sequence[Kept], path: Path, private: Sequence[Polygon] = ()) -> Clip | None:
    """Write packets that follow each other and begin with a key frame; None where nothing in them decodes.

    Args:
        path: an mp4; it appears whole or not at all. private: places that are black in it.

    Raises:
        StorageError: it cannot be written.
    """
    coding = chosen[0].coding
    if not private and coding.codec in _AS_THEY_COME and not coding.turns:
        # What cannot be put into an mp4 as it is, is encoded; that a disk is full is no reason for it.
        with contextlib.suppress(*LIBAV_RAISES), atomic_write(path, "a segment cannot be written") as place:
            return remuxed(chosen, place).changed(path=str(path))
    times = [one.about_s for one in chosen]
    try:
        return encoded(chosen, min(times), max(times), path, private, most_height=_MOST_HEIGHT)
    except CameraError:
        return None


def _groups(kept: Sequence[Kept], after_s: float, before_s: float, seconds: float) -> tuple[list[Kept], float]:
    """Packets of whole groups, and the time after which the next ones begin; no packets while there are too few."""
    first = next((place for place, one in enumerate(kept) if one.key and one.about_s > after_s), None)
    if first is None:
        return [], after_s
    begin_s = kept[first].about_s
    for place in range(first + 1, len(kept)):
        one = kept[place]
        if one.about_s > before_s:
            break
        breaks = not one.follows or one.coding != kept[first].coding
        if breaks or (one.key and one.about_s - begin_s >= seconds):
            chosen = list(kept[first:place])
            return chosen, max(packet.about_s for packet in chosen)
    return [], after_s
