"""After training: the videos of a split as footage to judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from oddframe.data.protocols import Section, Split
from oddframe.data.videoset import LabelledVideo
from oddframe.errors import TooShortError
from oddframe.progress import Watcher
from oddframe.scoring.backgrounds import Backgrounds
from oddframe.scoring.collect import BLOCK, Footage, judge, spread
from oddframe.scoring.judged import Judged, Kind
from oddframe.scoring.runtimes.runtime import Runtime
from oddframe.scoring.scorer import evidence_stream
from oddframe.settings import Settings
from oddframe.training.pictures import store_key
from oddframe.video.source import Frame
from oddframe.video.store import StoredVideo

MOST_TRAINED = 6000
"""Frames of trained video that are judged at most: how stretches differ from each other, and what they reach."""


def judge_split(
    runtime: Runtime, split: Split, stored: Mapping[str, StoredVideo], settings: Settings, watch: Watcher
) -> Judged:
    """Judge all that was held out, and some of what was trained on.

    Args:
        stored: video's key (`store_key`) → its stored pictures.

    Raises:
        TooShortError: nothing that was held out is as long as the detector's window.
    """
    stream = evidence_stream(runtime, settings)
    trained = _blocks(split.normal, "trained", stored, stream.frames)
    chosen = spread([one.length for one in trained], MOST_TRAINED)
    footage = [
        *_blocks(split.heldout, "heldout", stored, stream.frames),
        *(_known(video, stored[store_key(video)]) for video in split.heldout_known),
        *(trained[number] for number in chosen),
    ]
    seen = [one for number, one in enumerate(trained) if number not in chosen]
    judged = judge(stream, footage, settings.score, watch, seen=seen)
    if not judged.of_kind("heldout"):
        raise TooShortError(
            "no held-out normal video is long enough to calibrate with",
            seen=f"{sum(len(section) for section in split.heldout)} held-out frames",
            wanted=f"at least {stream.frames} in a row",
            hint="more normal video, or a larger --set data.heldout=0.2",
        )
    return judged


def _blocks(sections: Sequence[Section], kind: Kind, stored: Mapping[str, StoredVideo], window: int) -> list[Footage]:
    """Normal video, cut into blocks that overlap by what a window needs, so that no frame is lost between them."""
    found = []
    for section in sections:
        video, pictures = section.video, stored[store_key(section.video)]
        stop = min(section.stop, len(pictures.pixels))
        for start in range(section.start, max(section.start + 1, stop - window + 1), BLOCK):
            end = min(start + BLOCK + window - 1, stop)
            if video.labels is None or not video.labels[start:end].any():
                found.append(_footage(video, pictures, kind, start, end))
    return found


def _known(video: LabelledVideo, pictures: StoredVideo) -> Footage:
    labels = [] if video.labels is None else video.labels.tolist()
    abnormal = {pictures.first_index + place: bool(label) for place, label in enumerate(labels)}
    whole = _footage(video, pictures, "known", 0, len(pictures.pixels))
    return replace(whole, abnormal=abnormal)


def _footage(video: LabelledVideo, pictures: StoredVideo, kind: Kind, start: int, stop: int) -> Footage:
    return Footage(video.scene, kind, stop - start, lambda: stored_frames(pictures, start, stop))


def backgrounds_of(split: Split, stored: Mapping[str, StoredVideo]) -> Backgrounds:
    """What stands still in each scene of the normal video that is trained on."""
    sections = [(section, stored[store_key(section.video)].pixels) for section in split.normal]
    return Backgrounds.of((section.video.scene, pixels[section.start : section.stop]) for section, pixels in sections)


def stored_frames(pictures: StoredVideo, start: int, stop: int) -> Iterator[Frame]:
    """Stored pictures as the frames that they were; where frames are missing, `index` jumps."""
    for position in range(start, stop):
        if pictures.missing is not None and pictures.missing[position]:
            continue
        time_s = None if pictures.times_s is None else float(pictures.times_s[position])
        yield Frame(pictures.first_index + position, time_s, pictures.pixels[position])
