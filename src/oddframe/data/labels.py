"""What several sources of labels say, and what to make of it where they contradict each other.

Label files are read in `label_files.py` and `folder_labels.py`. Masks are labels, too: a frame is abnormal if its mask
is not all black.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from oddframe.data.videoset import LabelConflict, Labels, Masks
from oddframe.errors import LabelError
from oddframe.video.source import Video

OnConflict = Literal["error", "note"]

_NAMED_IN_ERRORS = 5


@dataclass(frozen=True)
class Reading:
    """How the user wants a set to be read.

    Attributes:
        fps: frames per second of folders of frames, which state none.
        labels: label files beside those that lie with the set. masks: where masks lie, if not with the set.
        on_conflict: what to do where sources contradict each other: "error", or "note" to collect contradictions.
        partial: whether a part of a public set may be missing.
    """

    fps: float | None = None
    labels: tuple[Path, ...] = ()
    masks: Path | None = None
    on_conflict: OnConflict = "error"
    partial: bool = False


@dataclass(frozen=True)
class LabelSource:
    """What one file or folder says: (T,) bool per test video, None for the videos on which it is silent."""

    name: str
    labels: tuple[Labels | None, ...]

    @property
    def abnormal_frames(self) -> int:
        return sum(int(labels.sum()) for labels in self.labels if labels is not None)


def labels_of_masks(count: int, masks: Masks) -> Labels:
    """Return (count,) bool, True where a mask is not all black. Frames without a mask are normal.

    Raises:
        LabelError: a mask that does not decode.
        FrameSizeError: a mask of another size than its frame.
    """
    labels = np.zeros(count, bool)
    for frame in masks.paths:
        mask = masks.read(frame)
        labels[frame] = mask is not None and mask.any()
    return labels


def shown_by(name: str, videos: Sequence[Video], drawn: Sequence[Masks | None]) -> LabelSource:
    """Return what the masks of the test videos say, as `labels_of_masks` does of one."""
    said = [
        None if masks is None else labels_of_masks(video.frame_count, masks)
        for video, masks in zip(videos, drawn, strict=True)
    ]
    return LabelSource(name, tuple(said))


def settle(
    sources: Sequence[LabelSource], videos: Sequence[str], on_conflict: OnConflict
) -> tuple[list[Labels | None], tuple[LabelConflict, ...]]:
    """Compare the sources frame by frame and return the labels of each video, None where no source speaks.

    The first source that speaks decides.

    Raises:
        LabelError: two sources contradict each other, unless `on_conflict` is "note".
    """
    settled: list[Labels | None] = []
    conflicts: list[LabelConflict] = []
    for place, video in enumerate(videos):
        said = [(source.name, source.labels[place]) for source in sources]
        heard = [(name, labels) for name, labels in said if labels is not None]
        settled.append(heard[0][1] if heard else None)
        conflicts += _conflicts(video, heard)
    if conflicts and on_conflict == "error":
        named = [str(conflict) for conflict in conflicts[:_NAMED_IN_ERRORS]]
        more = f"\n          and {len(conflicts) - _NAMED_IN_ERRORS} more" if len(conflicts) > _NAMED_IN_ERRORS else ""
        raise LabelError(
            "label sources contradict each other",
            seen="\n          ".join(named) + more,
            wanted="the same label of a frame from every source",
            hint="take the wrong source away; `oddframe data check` lists all such frames",
        )
    return settled, tuple(conflicts)


def differences(one: LabelSource, other: LabelSource, videos: Sequence[str]) -> list[LabelConflict]:
    """Return where two sources contradict each other, on the videos of which both speak."""
    pairs = zip(videos, one.labels, other.labels, strict=True)
    return [
        conflict
        for video, left, right in pairs
        if left is not None and right is not None
        for conflict in _conflicts(video, [(one.name, left), (other.name, right)])
    ]


def _conflicts(video: str, heard: Sequence[tuple[str, Labels]]) -> Iterable[LabelConflict]:
    """Group the frames on which the sources differ by who says what."""
    if len(heard) < 2:
        return
    names = [name for name, _ in heard]
    votes = np.stack([labels for _, labels in heard])  # (sources, T)
    differing = votes.any(axis=0) & ~votes.all(axis=0)
    for pattern in np.unique(votes[:, differing], axis=1).T:
        frames = np.flatnonzero((votes == pattern[:, None]).all(axis=0))
        yield LabelConflict(
            video=video,
            frames=tuple(int(frame) for frame in frames),
            abnormal=tuple(name for name, odd in zip(names, pattern, strict=True) if odd),
            normal=tuple(name for name, odd in zip(names, pattern, strict=True) if not odd),
        )
