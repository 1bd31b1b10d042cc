"""A labelled set of videos: `VideoSet`. What all kinds of data sets become, so that nobody else need know the kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.source import DataInfo, DataSource
from oddframe.errors import FrameSizeError, LabelError
from oddframe.storage.place import local
from oddframe.video._digest import sampled_digest
from oddframe.video.source import Video
from oddframe.video.torn import is_torn

Labels = NDArray[np.bool_]

FINGERPRINT = "2-"
"""How a fingerprint of this kind begins; another one cannot be compared with it."""

_MASK_LIMIT_BYTES = 256 << 20
_JPEG_WHITE = 128


@dataclass(frozen=True)
class LabelledSpan:
    """Frames start..end-1 of a video (counted as its labels are) that show one anomaly; the class may be unknown."""

    start: int
    end: int
    class_name: str | None


@dataclass(frozen=True)
class Masks:
    """Where in the picture it is odd, one picture file a frame. Other files: `mask_volumes.py`.

    Attributes:
        paths: file of each frame, by position in the labels; frames without one are missing here.
        size: (height, width) of the video's frames, which masks must have.
    """

    paths: Mapping[int, Path]
    size: tuple[int, int]

    def read(self, frame_index: int) -> NDArray[np.bool_] | None:
        """Return (H, W) bool in source size, True where it is odd; None where no mask says anything.

        Args:
            frame_index: position in the video's labels (and in its stored pictures), from 0.

        Raises:
            LabelError: the file holds no mask.
            FrameSizeError: the mask has another size than the video's frames.
        """
        path = self.paths.get(frame_index)
        if path is None:
            return None
        mask = self._decode(path, frame_index)
        if mask.shape != self.size:
            raise FrameSizeError(
                "a mask has another size than its frame",
                path=path,
                seen=f"{mask.shape[1]}x{mask.shape[0]} (width x height)",
                wanted=f"{self.size[1]}x{self.size[0]}",
                hint="masks are drawn on the video's own pixels; make them anew without resizing",
            )
        return mask

    def _decode(self, path: Path, frame_index: int) -> NDArray[np.bool_]:
        return read_mask(path)


@dataclass(frozen=True, eq=False, repr=False)
class LabelledVideo:
    """A video and what is known of its frames.

    Attributes:
        name: unique within its part of the set.
        video: the pictures.
        labels: (T,) bool, True where abnormal, T = `video.frame_count`; None where nothing is known.
        classes: the anomalies by name, where the set has names.
        masks: where in the picture, where the set has masks.
        scene: which camera; "" where there is only one.
        conditions: what holds for the whole video, such as {"light": "night", "weather": "rain"}; empty where nothing
            is known. Figures may be told apart by it; nothing is trained or scored by it.
    """

    name: str
    video: Video
    labels: Labels | None
    classes: tuple[LabelledSpan, ...] = ()
    masks: Masks | None = None
    scene: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        odd = "without labels" if self.labels is None else f"{int(self.labels.sum())} abnormal"
        return f"<LabelledVideo {self.name}: {self.video.frame_count} frames, {odd}>"


@dataclass(frozen=True)
class LabelConflict:
    """Frames of one video on which label sources contradict each other.

    Attributes:
        frames: counted from 0.
        abnormal, normal: the sources that call these frames so.
    """

    video: str
    frames: tuple[int, ...]
    abnormal: tuple[str, ...]
    normal: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"video {self.video}, frames {spans_in_words(self.frames)} (counted from 0): "
            f"abnormal by {', '.join(self.abnormal)}; normal by {', '.join(self.normal)}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class VideoSet:
    """A set of videos in three parts.

    Attributes:
        name: name of its folder.
        kind: "ucsd-ped2", "folder", ...
        root: the folder; None for loose files.
        normal: nothing odd happens in them (or, where labels say so, only in these frames).
        known: the few known anomalies.
        test: what to judge.
        label_sources: files and folders that the labels were read from, the deciding one first.
        notes: what a reader should know, in sentences.
        conflicts: where label sources contradict each other.
        abnormal_frames: per label source, how many test frames it calls abnormal.
        ground_truth: which of a set's ground truths the labels are, "masks" or "frames"; "" where it has only one.
        missing: parts of a public set that are not here, in words.
        source: how it was opened; None for a set that was put together by hand.
    """

    name: str
    kind: str
    root: Path | None
    normal: tuple[LabelledVideo, ...] = ()
    known: tuple[LabelledVideo, ...] = ()
    test: tuple[LabelledVideo, ...] = ()
    label_sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    conflicts: tuple[LabelConflict, ...] = ()
    abnormal_frames: Mapping[str, int] = field(default_factory=dict)
    ground_truth: str = ""
    missing: tuple[str, ...] = ()
    source: DataSource | None = None

    def described(self, folder: Path) -> DataInfo:
        """Return what a run in a folder, and its figures, keep of the set, with paths as seen from there."""
        return DataInfo(
            name=self.name,
            kind=self.kind,
            fingerprint=self.fingerprint(),
            labels=self.label_sources,
            ground_truth=self.ground_truth,
            missing=self.missing,
            source=None if self.source is None else self.source.seen_from(folder),
        )

    def fingerprint(self) -> str:
        """Return a digest of what figures depend on: names, ranges, labels, classes, masks, and the videos' bytes.

        Large files and folders of many pictures are told by their sizes and by blocks spread over them, so that it
        takes moments. No picture is decoded for it. "2-" in front tells it from the digests of version 0.1.
        """
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.blake2b(self.kind.encode(), digest_size=16)
        for part, videos in (("normal", self.normal), ("known", self.known), ("test", self.test)):
            for one in videos:
                video = one.video
                rate = None if video.own_clock else video.fps
                said = (part, one.name, one.scene, video.first_index, video.frame_count, video.size, rate)
                digest.update(repr(said).encode())
                digest.update(b"-" if one.labels is None else np.packbits(one.labels).tobytes())
                digest.update(repr([(span.start, span.end, span.class_name) for span in one.classes]).encode())
                digest.update(sampled_digest([local(part) for part in video.parts()]))
                if one.masks is not None:
                    digest.update(repr(sorted(one.masks.paths)).encode())
                    digest.update(sampled_digest(sorted(set(one.masks.paths.values()))))
        return f"{FINGERPRINT}{digest.hexdigest()}"

    def __repr__(self) -> str:
        parts = (("normal", self.normal), ("known", self.known), ("test", self.test))
        counts = ", ".join(f"{len(videos)} {name}" for name, videos in parts if videos)
        return f"<VideoSet {self.name} ({self.kind}): {counts or 'no videos'}>"


def video_notes(videos: Iterable[LabelledVideo]) -> list[str]:
    """What their readers say of videos (`Video.notes`), each with its name."""
    return list(dict.fromkeys(f"{one.name}: {note}" for one in videos for note in one.video.notes))


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Read a mask file as (H, W) bool: whatever is not black is odd.

    JPEG blurs the edge between black and white, so that there it is what is nearer to white than to black.

    Raises:
        LabelError: the file does not decode, ends before its picture does, or is too large to be a mask.
    """
    try:
        raw = np.fromfile(path, np.uint8) if path.stat().st_size <= _MASK_LIMIT_BYTES else np.empty(0, np.uint8)
        mask = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE) if raw.size and not is_torn(raw.tobytes()) else None
    except (cv2.error, OSError):
        mask = None
    if mask is None:
        raise LabelError(
            "this mask does not decode", path=path, wanted="a whole png, bmp, tif or jpg picture", hint="copy it again"
        )
    least = _JPEG_WHITE if bytes(raw[:3]) == b"\xff\xd8\xff" else 1
    return np.asarray(mask, np.uint8) >= least


def spans_of(labels: Labels) -> list[tuple[int, int]]:
    """Return the runs of True as (start, end), end exclusive.

    >>> spans_of(np.array([0, 1, 1, 0, 1], bool))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], labels.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def spans_in_words(frames: tuple[int, ...]) -> str:
    """Write ascending frame numbers as runs.

    >>> spans_in_words((3, 4, 5, 9))
    '3-5, 9'
    """
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
