"""Scored video with what was found drawn in: the whole of it, and a picture and a short video of each event."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from oddframe.errors import CutOffVideoError, StorageError
from oddframe.files import write_bytes
from oddframe.footage.captions import Captions
from oddframe.progress import Progress, Watcher
from oddframe.scoring.heat import BoxTrack
from oddframe.scoring.pace import FPS_WHERE_UNKNOWN
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Event, Scores
from oddframe.video import draw
from oddframe.video.open import open_video
from oddframe.video.source import Frame, Video
from oddframe.video.write import write_video

_AROUND_S = 2.0
"""Of video before and after an event."""
_LONGEST_S = 30.0
"""Of a clip. Of a longer event it shows what is around the peak."""


def drawn_frames(scores: Scores, scorer: Scorer, video: Video) -> Iterator[Frame]:
    """Frames with heat, time and score, and in events with the box around what is odd now. A video that is cut off ends
    where it ends."""
    captions, track = Captions(scores), BoxTrack()
    try:
        for frame, heat, box in scorer.heat_frames(video, scores.scene):
            words, alarm = captions.of(frame.index, frame.time_s)
            around = track.take(box if alarm else None)
            yield replace(frame, pixels=draw.annotated(frame.pixels, heat, around, caption=words, alarm=alarm))
    except CutOffVideoError:
        return


def write_clips(folder: Path, scores: Scores, scorer: Scorer, video: Video, most: int, watch: Watcher) -> list[Path]:
    """Write a picture of the peak and a short video of each of the highest events, as `event-003.jpg` and
    `event-003.mp4`; numbers are those of events.csv.

    Args:
        most: of how many events.

    Raises:
        StorageError: a file cannot be written. DataError: the video cannot be read any more.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("event-*.*"):
            old.unlink()
    except OSError as error:
        raise StorageError.of(error, "the folder of clips cannot be made", folder) from None
    numbered = sorted(enumerate(scores.events, 1), key=lambda one: -one[1].score)[:most]
    written = []
    for done, (number, event) in enumerate(sorted(numbered, key=lambda one: one[0])):
        watch(Progress("drawing clips", done, len(numbered)))
        place = folder / f"event-{number:03}"
        written += _write_clip(place, event, scores, scorer, video)
    watch(Progress("drawing clips", len(numbered), len(numbered)))
    return written


def _write_clip(place: Path, event: Event, scores: Scores, scorer: Scorer, video: Video) -> list[Path]:
    begin, end = _around(event, video)
    # some frames more, so that the first one that is shown has its heat
    rate = scorer.rate(scores.scene).fps
    step = math.ceil(video.fps / rate) if video.fps and rate else 1
    reads = open_video(
        video.path,
        fps=None if video.own_clock else video.fps,
        start=str(max(begin - step * scorer.runtime.before, video.first_index)),
        end=str(end + step * scorer.runtime.after),
        name=video.name,
    )
    picture = place.with_suffix(".jpg")

    def shown() -> Iterator[Frame]:
        for frame in drawn_frames(scores, scorer, reads):
            if frame.index == event.peak:
                write_bytes(picture, draw.jpeg(frame.pixels, 90))
            if begin <= frame.index < end:
                yield frame

    clip = write_video(place.with_suffix(".mp4"), shown(), video.fps)
    return [picture, clip] if picture.is_file() else [clip]


def _around(event: Event, video: Video) -> tuple[int, int]:
    """Frames [begin, end) of the source that an event's clip shows."""
    rate = video.fps or FPS_WHERE_UNKNOWN
    around, longest = round(_AROUND_S * rate), round(_LONGEST_S * rate)
    first, last = video.first_index, video.first_index + video.frame_count
    begin, end = max(event.start - around, first), min(event.end + around, last)
    if end - begin > longest:
        begin = max(begin, min(event.peak - longest // 2, end - longest))
        end = begin + longest
    return begin, end
