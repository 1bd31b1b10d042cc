"""What training clips are taken from: stored videos, with what is known of their frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.protocols import Section
from oddframe.data.videoset import LabelledVideo
from oddframe.video.entry import StoredPixels
from oddframe.video.store import StoredVideo

Pixels = NDArray[np.uint8]
Places = NDArray[np.bool_]


@dataclass(frozen=True)
class ClipSource:
    """A stored video, and what is known of its frames.

    Attributes:
        pixels: (T, H, W, C) uint8, taken by slices.
        labels: (T,) bool, True where abnormal.
        places: (T, H, W) bool, where each frame is abnormal; None where it has no masks.
        start, stop: the frames that may be used.
        scene: whose view it is, by name; "" where nobody says.
        missing: (T,) bool, True where a frame did not decode and shows another one; None where none is.
    """

    name: str
    pixels: Pixels | StoredPixels
    labels: NDArray[np.bool_]
    start: int
    stop: int
    places: Places | None = None
    scene: str = ""
    missing: NDArray[np.bool_] | None = None

    def starts(self, frames: int, *, abnormal: bool) -> NDArray[np.int64]:
        """Return the first frames of all clips of `frames` frames that are of one kind throughout, none missing."""
        wanted = self.labels[self.start : self.stop] == abnormal
        if self.missing is not None:
            wanted &= ~self.missing[self.start : self.stop]
        if len(wanted) < frames:
            return np.empty(0, np.int64)
        whole = np.lib.stride_tricks.sliding_window_view(wanted, frames).all(axis=1)
        return np.flatnonzero(whole) + self.start

    def is_normal(self, start: int, stop: int) -> bool:
        """Whether none of these frames is abnormal or missing."""
        odd = self.labels[start:stop].any() or (self.missing is not None and self.missing[start:stop].any())
        return not odd


def clip_sources(
    sections: Sequence[Section], known: Sequence[LabelledVideo], stored: Sequence[StoredVideo]
) -> list[ClipSource]:
    """Pair the sections of normal video and the known anomalies with their stored pictures, in this order."""
    sources = []
    for section, pictures in zip(sections, stored, strict=False):
        labels = _labels(section.video, pictures)
        stop = min(section.stop, len(labels))
        video = section.video
        sources.append(
            ClipSource(
                video.name,
                pictures.pixels,
                labels,
                section.start,
                stop,
                scene=video.scene,
                missing=pictures.missing,
            )
        )
    for video, pictures in zip(known, stored[len(sections) :], strict=True):
        labels = _labels(video, pictures)
        places = _read_places(video, labels, pictures)
        sources.append(
            ClipSource(video.name, pictures.pixels, labels, 0, len(labels), places, video.scene, pictures.missing)
        )
    return sources


def _labels(video: LabelledVideo, pictures: StoredVideo) -> NDArray[np.bool_]:
    """Labels of the stored frames: fewer than the video's where it was cut off."""
    stored = len(pictures.pixels)
    return np.zeros(stored, bool) if video.labels is None else np.asarray(video.labels[:stored], bool)


def _read_places(video: LabelledVideo, labels: NDArray[np.bool_], pictures: StoredVideo) -> Places | None:
    if video.masks is None:
        return None
    height, width = pictures.pixels.shape[1:3]
    places = np.zeros((len(labels), height, width), bool)
    for frame in np.flatnonzero(labels):
        mask = video.masks.read(int(frame))
        if mask is not None:
            places[frame] = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0.5
    return places
