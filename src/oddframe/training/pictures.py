"""The stored pictures of a split's videos: decoded once, by what training, calibration and export share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from oddframe.data.videoset import LabelledVideo, spans_in_words
from oddframe.errors import SettingsError
from oddframe.progress import Progress, Watcher
from oddframe.settings import Settings
from oddframe.video.depth import learn_pixel_range
from oddframe.video.pixel_range import PixelRange
from oddframe.video.source import not_decoded
from oddframe.video.store import FrameStore, StoredVideo

_NAMED = 8
"""Stretches of missing frames that a note names."""


def store_key(video: LabelledVideo) -> str:
    """What tells one video of a set from another."""
    return f"{video.video.path}#{video.video.first_index}"


def settle_pixel_range(settings: Settings, normal: Iterable[LabelledVideo]) -> Settings:
    """Learn from normal video which values of 16-bit pictures become black and white, where the settings leave it open.

    Raises:
        SettingsError: the settings give a range, and no video has such pictures.
        DataError: a video cannot be read.
    """
    videos = list({store_key(video): video.video for video in normal}.values())
    if settings.data.pixel_range is not None:
        if not any(video.deep for video in videos):
            raise SettingsError(
                "data.pixel_range is of pictures with 16 bits, and the normal video has 8",
                seen=settings.data.pixel_range,
                hint="leave it out",
            )
        return settings
    learned = learn_pixel_range(videos)
    if learned is None:
        return settings
    data = settings.data.model_copy(update={"pixel_range": (learned.low, learned.high)})
    return settings.model_copy(update={"data": data})


def store_pictures(videos: Iterable[LabelledVideo], settings: Settings, watch: Watcher) -> dict[str, StoredVideo]:
    """Open videos in the frame store as the settings want their pictures, each one once.

    Returns:
        `store_key` of a video → its pictures.

    Raises:
        DataError: a video cannot be read. StorageError: the store cannot be written.
    """
    store = FrameStore()
    chosen = settings.data.pixel_range
    by_key = {store_key(video): video for video in videos}
    seen = {
        key: video.video if chosen is None else video.video.with_pixel_range(PixelRange(*chosen))
        for key, video in by_key.items()
    }
    size, channels, resize = settings.model.size, int(settings.model.channels), settings.data.resize
    store.reserve(seen.values(), size, channels, resize=resize)
    total = sum(video.frame_count for video in seen.values())
    stored, before = {}, 0
    for key, video in by_key.items():

        def decoded(frames: int, _: int, before: int = before, name: str = video.name) -> None:
            watch(Progress("decoding", before + frames, total, name))

        decoded(0, 0)
        stored[key] = store.open(
            seen[key], size, channels, resize=resize, allow_cut_off=settings.data.allow_cut_off, progress=decoded
        )
        if (note := _missing(video, stored[key])) is not None:
            watch(Progress("warning", 0, 0, note))
        before += video.video.frame_count
    watch(Progress("decoding", total, total))
    return stored


def missing_notes(videos: Iterable[LabelledVideo], stored: Mapping[str, StoredVideo]) -> list[str]:
    """Which frames of which videos did not decode, in sentences."""
    notes = (_missing(video, stored[store_key(video)]) for video in videos)
    return list(dict.fromkeys(note for note in notes if note is not None))


def _missing(video: LabelledVideo, stored: StoredVideo) -> str | None:
    if stored.missing is None:
        return None
    frames = (np.flatnonzero(stored.missing) + stored.first_index).tolist()
    spans = spans_in_words(tuple(frames)).split(", ")
    named = ", ".join(spans[:_NAMED]) + (", ..." if len(spans) > _NAMED else "")
    return f"{video.name}: {not_decoded(len(frames), len(stored.missing), named)}; no clip spans them"
