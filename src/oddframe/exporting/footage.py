"""The videos that an export is checked, calibrated and judged on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.data.open import open_source, open_videoset
from oddframe.data.protocols import Section, Split
from oddframe.data.source import DataSource
from oddframe.data.videoset import LabelledVideo, VideoSet
from oddframe.errors import ExportError, OddframeError, TooShortError
from oddframe.evaluation import testset
from oddframe.evaluation.testset import trained_source
from oddframe.progress import Watcher
from oddframe.runs import Run
from oddframe.settings import Settings
from oddframe.training.pictures import store_key, store_pictures
from oddframe.training.train import split_as_set
from oddframe.video.depth import ranged
from oddframe.video.open import open_video
from oddframe.video.source import Frame, Video
from oddframe.video.store import StoredVideo

MOST_CLIPS = 128
"""Clips that the ranges of activations are measured on; more of them change little."""

_OWN_FRAMES = 300
"""Frames of the run's own videos that are compared where none are named."""

_MADE_FRAMES = 24


@dataclass(frozen=True)
class Look:
    """A video to compare scores on."""

    name: str
    scene: str
    fps: float | None
    frames: Callable[[], Iterable[Frame]]


@dataclass(frozen=True)
class Footage:
    """What there is to look at.

    Attributes:
        parts: held-out video to calibrate on; None where there is none.
        looks: videos to compare on; never empty.
        made: whether they are no videos, but pictures made for the purpose, so that alarms on them mean nothing.
        why_made: why there is no video; "" where there is one.
        judged: labelled videos to compare the AUC on.
    """

    parts: Split | None
    looks: tuple[Look, ...]
    made: bool
    why_made: str
    judged: tuple[LabelledVideo, ...]


def gather(
    run: Run, calibrate_on: Sequence[Path | str], check_on: Sequence[Path | str], data: DataSource | Path | str | None
) -> Footage:
    """Open the videos that are named; where none are, those that the run was trained with, if they are still the same.

    Args:
        data: where the videos of the training are, if no longer where they were, or how they are opened.

    Raises:
        DataError: a video that is named cannot be read, or `data` are not the run's.
    """
    videos: VideoSet | None = None
    own: Split | None = None
    fps: float | None = None
    why = ""
    try:
        source = data if isinstance(data, DataSource) else trained_source(run, () if data is None else [data])
        fps = source.fps
        videos = open_source(source)
        own = split_as_set(videos, run.settings)
    except OddframeError as error:
        if data is not None:
            raise
        why = error.problem
    if data is None and videos is not None and (differing := testset.differing(run, videos)):
        own, why = None, differing[0]
    if calibrate_on:
        normal = open_videoset(calibrate_on, "files", fps=fps).normal
        sections = tuple(Section(video, 0, video.video.frame_count) for video in normal)
        parts: Split | None = Split("standard", None, None, (), (), (), sections, ())
    else:
        parts = own
    chosen = run.settings.data.pixel_range
    looks = [_look(ranged(open_video(path, fps=fps), chosen)[0]) for path in check_on]
    if not looks and own is not None:
        firsts = [*(section.video for section in own.heldout[:1]), *own.test[:1]]
        looks = [_look(ranged(video.video, chosen)[0], video.scene, _OWN_FRAMES) for video in firsts]
    judged = tuple(testset.labelled_test(run, videos)) if data is not None and videos and videos.test else ()
    made = not looks
    return Footage(parts, tuple(looks) or (_made(run.settings.model.size),), made, why if made else "", judged)


def stored(parts: Split, settings: Settings, watch: Watcher) -> dict[str, StoredVideo]:
    """The pictures of what is calibrated on, by `store_key`."""
    sections = (*parts.heldout, *parts.normal)
    return store_pictures([*(section.video for section in sections), *parts.heldout_known], settings, watch)


def normal_clips(
    parts: Split, pictures: Mapping[str, StoredVideo], frames: int, channels: int
) -> list[NDArray[np.uint8]]:
    """Clips (1, T, H, W, C) spread evenly over held-out normal video, `MOST_CLIPS` at most.

    Raises:
        TooShortError: no video is as long as a clip.
    """
    firsts = [
        (stored, first)
        for section in parts.heldout
        for stored in [pictures[store_key(section.video)]]
        for first in range(section.start, min(section.stop, len(stored.pixels)) - frames + 1)
        if stored.missing is None or not stored.missing[first : first + frames].any()
    ]
    if not firsts:
        raise TooShortError("no normal video to calibrate on is as long as a clip", wanted=f"{frames} frames in a row")
    chosen = [firsts[number] for number in np.linspace(0, len(firsts) - 1, min(MOST_CLIPS, len(firsts))).astype(int)]
    clips = [np.asarray(stored.pixels[first : first + frames])[None] for stored, first in chosen]
    return [clip if clip.shape[-1] == channels else np.repeat(clip, channels, axis=-1) for clip in clips]


def needed(footage: Footage) -> Split:
    """What int8 is calibrated on.

    Raises:
        ExportError: there is no such video.
    """
    parts = footage.parts
    if parts is None or not parts.heldout:
        raise ExportError(
            "int8 is calibrated on normal video, and there is none",
            seen=footage.why_made or None,
            wanted="the videos of the run's training, or others of the same camera",
            hint="name some: --calibrate-on NORMAL_VIDEO, or say where the run's are: --data FOLDER",
        )
    return parts


def _look(video: Video, scene: str = "", most: int | None = None) -> Look:
    return Look(video.name, scene, video.fps, lambda: islice(video.frames(), most))


def _made(size: tuple[int, int]) -> Look:
    """A noisy ground with a bright square that moves."""

    def frames() -> Iterable[Frame]:
        noise = np.random.default_rng(0).integers(40, 120, (_MADE_FRAMES, *size, 3), np.uint8)
        for index, picture in enumerate(noise):
            left = 2 * index % (size[1] - 8)
            picture[size[0] // 3 : size[0] // 3 + 8, left : left + 8] = 230
            yield Frame(index, None, picture)

    return Look("made pictures", "", None, frames)
