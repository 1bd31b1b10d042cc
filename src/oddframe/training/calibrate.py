"""After training: what evidence looks like on video that was held out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from oddframe.data.protocols import Section, Split
from oddframe.data.videoset import LabelledVideo
from oddframe.errors import TooShortError
from oddframe.progress import Progress, Watcher
from oddframe.scoring.calibration import Calibration, Stretch, fit_calibration
from oddframe.scoring.evidence import EvidenceStream
from oddframe.scoring.runtimes.runtime import Runtime
from oddframe.scoring.scorer import evidence_stream
from oddframe.settings import Settings
from oddframe.training.pictures import store_key
from oddframe.video.source import Frame
from oddframe.video.store import StoredVideo

MOST_FRAMES = 6000
"""Held-out frames that are judged at most, in blocks spread over all of them: their maps are held in memory."""

MOST_TRAINED = 3000
"""Frames of trained video that are judged at most, to see how stretches of normal video differ from each other."""

_BLOCK = 300


@dataclass(frozen=True)
class _Part:
    video: LabelledVideo
    pictures: StoredVideo
    start: int
    stop: int
    known: bool


def calibrate(
    runtime: Runtime, split: Split, stored: Mapping[str, StoredVideo], settings: Settings, watch: Watcher
) -> Calibration:
    """Judge what was held out, and some of what was trained on, and fit the calibration on them.

    Args:
        stored: video's key (`store_key`) → its stored pictures.

    Raises:
        TooShortError: nothing that was held out is as long as the detector's window.
    """
    stream = evidence_stream(runtime, settings)

    def parts(sections: Sequence[Section], most: int) -> list[_Part]:
        return _spread(
            [
                _Part(section.video, pictures, start, stop, known=False)
                for section in sections
                for pictures in [stored[store_key(section.video)]]
                for start, stop in _blocks(section.start, min(section.stop, len(pictures.pixels)), stream.frames)
                if section.video.labels is None or not section.video.labels[start:stop].any()
            ],
            most,
        )

    stretches = parts(split.heldout, MOST_FRAMES)
    stretches += [
        _Part(video, stored[store_key(video)], 0, len(stored[store_key(video)].pixels), known=True)
        for video in split.heldout_known
    ]
    heldout = len(stretches)
    stretches += parts(split.normal, MOST_TRAINED)
    total = sum(stretch.stop - stretch.start for stretch in stretches)
    done, judged = 0, []
    for stretch in stretches:
        watch(Progress("calibrating", done, total))
        judged.append(_judge(stream, stretch))
        done += stretch.stop - stretch.start
    watch(Progress("calibrating", total, total))
    if not any(stretch.abnormal is None and len(stretch.raw) for stretch in judged[:heldout]):
        raise TooShortError(
            "no held-out normal video is long enough to calibrate with",
            seen=f"{sum(len(section) for section in split.heldout)} held-out frames",
            wanted=f"at least {stream.frames} in a row",
            hint="more normal video, or a larger --set data.heldout=0.2",
        )
    return fit_calibration(judged[:heldout], settings.score, judged[heldout:])


def _judge(stream: EvidenceStream, stretch: _Part) -> Stretch:
    raw = list(stream.raw(stored_frames(stretch.pictures, stretch.start, stretch.stop)))
    abnormal = None
    if stretch.known and stretch.video.labels is not None:
        abnormal = stretch.video.labels[[one.frame - stretch.pictures.first_index for one in raw]]
    return Stretch(stretch.video.scene, raw, abnormal)


def stored_frames(pictures: StoredVideo, start: int, stop: int) -> Iterator[Frame]:
    """Stored pictures as the frames that they were."""
    for position in range(start, stop):
        time_s = None if pictures.times_s is None else float(pictures.times_s[position])
        yield Frame(pictures.first_index + position, time_s, pictures.pixels[position])


def _blocks(start: int, stop: int, window: int) -> list[tuple[int, int]]:
    """Cut frames into blocks that overlap by what a window needs, so that no frame is lost between them."""
    starts = range(start, max(start + 1, stop - window + 1), _BLOCK)
    return [(first, min(first + _BLOCK + window - 1, stop)) for first in starts]


def _spread(stretches: Sequence[_Part], most: int) -> list[_Part]:
    """Take evenly spread stretches until there are enough frames."""
    total = sum(stretch.stop - stretch.start for stretch in stretches)
    if total <= most:
        return list(stretches)
    keep = max(1, len(stretches) * most // total)
    return [stretches[number * len(stretches) // keep] for number in range(keep)]
