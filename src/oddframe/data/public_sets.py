"""What the kinds of public sets have in common: where they lie, label files for all test videos, missing parts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oddframe.data.label_files import read_label_file
from oddframe.data.labels import LabelSource
from oddframe.data.videoset import LabelConflict, LabelledVideo, Labels, Masks, VideoSet, spans_in_words
from oddframe.errors import FrameGapError, IncompleteSetError, LabelCountError, LabelError
from oddframe.video.open import open_video
from oddframe.video.source import VIDEO_SUFFIXES, Video, natural_key

_DEEPEST = 4

_NAMED = 12
"""Sentences of an error at most."""

_PRECEDENCE = (".m", ".npy", ".mat")
"""Endings of label files, the deciding one first."""


@dataclass(frozen=True)
class Place:
    """Where a public set lies: its root, and the folders of its training and test videos (which may be missing)."""

    root: Path
    kind: str
    training: Path
    testing: Path


def at_or_below(path: Path, place_of: Callable[[Path], Place | None]) -> list[Place]:
    """Return the set that lies at a folder, else those right below it."""
    below = sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
    at_path = place_of(path)
    return [at_path] if at_path else [place for place in map(place_of, below) if place]


def video_folders(side: Path) -> list[Path]:
    """Return the folders with a number in their name, but for those of masks (`Test001_gt`), in natural order."""
    return _numbered(one for one in _entries(side) if one.is_dir() and not one.name.endswith("_gt"))


def video_files(side: Path) -> list[Path]:
    """Return the video files with a number in their name, in natural order."""
    return _numbered(one for one in _entries(side) if one.suffix.lower() in VIDEO_SUFFIXES)


def open_side(side: Path, fps: float | None) -> list[Video]:
    """Open the videos of one side of a set: its folders of frames, or its video files if it has none.

    Raises:
        DataError: a folder that is empty or has gaps, or a file that is no video.
    """
    try:
        return [open_video(one, fps=fps) for one in video_folders(side) or video_files(side)]
    except FrameGapError as error:
        raise FrameGapError(
            f"{error.problem}, which is a video of a public set",
            path=error.path,
            seen=error.seen,
            wanted=error.wanted,
            hint="download this video of the set again: its labels count all of its frames",
        ) from None


def number_of(name: str) -> int:
    """Return the first number in a name, -1 without one.

    >>> number_of("Test007_gt"), number_of("8_label.mat")
    (7, 8)
    """
    match = re.search(r"\d+", name)
    return int(match[0]) if match else -1


def relative(path: Path, root: Path) -> str:
    """Write a path below the root as from there, the root by its name, another path as it is."""
    if path == root:
        return root.resolve().name
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def files_below(place: Place) -> Iterator[Path]:
    """Yield the files below a set, but for those in its folders of videos. Links are followed, since data often are."""
    for here, below, names in os.walk(place.root, followlinks=True):
        deep = len(Path(here).relative_to(place.root).parts) >= _DEEPEST  # a link may lead back to where it lies
        closed = below if deep else [name for name in below if Path(here, name) in (place.training, place.testing)]
        below[:] = [name for name in below if name not in closed]
        yield from (Path(here, name) for name in names if not name.startswith("."))


def by_precedence(files: Iterable[Path]) -> list[Path]:
    """Return the label files among files, the deciding one first."""
    labels = [file for file in files if file.suffix in _PRECEDENCE]
    return sorted(labels, key=lambda file: (_PRECEDENCE.index(file.suffix), str(file)))


def read_label_files(
    files: Iterable[Path], place: Place, videos: Sequence[Video], whole: Mapping[str, int]
) -> list[LabelSource]:
    """Read files that hold the labels of all test videos.

    Args:
        files: the deciding one first.
        videos: those that are here.
        whole: name -> number of frames of all test videos of the set in order, under the names that those here have.

    Raises:
        LabelError: a file that is for neither the videos here nor the whole set.
    """
    return [_read_labels(file, relative(file, place.root), videos, whole) for file in files]


def _read_labels(file: Path, name: str, videos: Sequence[Video], whole: Mapping[str, int]) -> LabelSource:
    here = {video.name: video.frame_count for video in videos}
    try:
        return read_label_file(file, name, list(here), list(here.values()))
    except LabelError:
        if whole.keys() == here.keys():
            raise
        # Only part of the set is here, and most label files are for all of it.
        try:
            read = read_label_file(file, name, list(whole), [here.get(video, count) for video, count in whole.items()])
        except LabelError:
            read = None
        if read is None:
            raise
    said = dict(zip(whole, read.labels, strict=True))
    return LabelSource(name, tuple(said.get(video) for video in here))


def numbered(videos: Sequence[Video], frames: Sequence[int]) -> dict[str, int]:
    """Return name -> number of frames of the videos numbered from 1, each under the name that it has here, if any."""
    names = {number_of(video.name): video.name for video in videos}
    return {names.get(number, f"{number:02}"): count for number, count in enumerate(frames, 1)}


def missing_numbers(what: str, wanted: int, there: Sequence[Video]) -> list[str]:
    """Say which of the videos numbered 1 to `wanted` are not there: a list of one sentence or none."""
    lacking = sorted(set(range(1, wanted + 1)) - {number_of(video.name) for video in there})
    if not lacking:
        return []
    return [f"{what} {spans_in_words(tuple(lacking))} ({wanted - len(lacking)} of {wanted} are here)"]


def not_as_published(what: str, there: Sequence[Video], known: Mapping[Any, int]) -> list[str]:
    """Say which videos have another number of frames than they were published with.

    Args:
        what: one of them is, as in "test video". there: those that are here.
        known: frames by the number, or by the whole name, of a video.
    """
    frames = [(one, known.get(number_of(one.name), known.get(one.name, one.frame_count))) for one in there]
    return [
        f"{what} {one.name} has {one.frame_count} frames, and was published with {count}"
        for one, count in frames
        if one.frame_count != count
    ]


@contextmanager
def fitting(place: Place, altered: Sequence[str]) -> Iterator[None]:
    """Where labels do not fit, name the videos that are not as they were published, of which that comes.

    Raises:
        LabelCountError: as it was raised, with the videos named.
    """
    try:
        yield
    except LabelCountError as error:
        if not altered:
            raise
        raise LabelCountError(
            error.problem,
            path=error.path,
            seen=_one_a_line((str(error.seen), *altered)),
            wanted=error.wanted,
            hint="download these videos of the set again; or take them out, and go on with the others by --partial",
        ) from None


def _one_a_line(sentences: Sequence[str]) -> str:
    more = [f"and {len(sentences) - _NAMED} more"] if len(sentences) > _NAMED else []
    return "\n          ".join((*sentences[:_NAMED], *more))


def strangers(what: str, files: Iterable[Path]) -> list[str]:
    """Return a note on files that belong to no test video that is here, if there are some."""
    names = ", ".join(file.name for file in files)
    return [f"{what} of no test video that is here: {names}"] if names else []


def accept_missing(place: Place, missing: Sequence[str], partial: bool) -> list[str]:
    """Return notes on what is missing.

    Raises:
        IncompleteSetError: something is missing, and `partial` is not set.
    """
    if missing and not partial:
        raise IncompleteSetError(
            f"parts of this {place.kind} set are missing",
            path=place.root,
            seen=_one_a_line([f"missing: {what}" for what in missing]),
            wanted="the whole set, as it was published",
            hint="download what is missing again, or go on with what is there: --partial (partial=True in Python). "
            "The run and every figure then say so",
        )
    return [f"only part of the set was there; missing: {what}" for what in missing]


def assemble(
    place: Place,
    trained: Sequence[Video],
    videos: Sequence[Video],
    labels: Sequence[Labels | None],
    masks: Sequence[Masks | None],
    sources: Sequence[LabelSource],
    conflicts: Sequence[LabelConflict],
    *,
    notes: Iterable[str],
    missing: Sequence[str],
    ground_truth: str = "",
    scene_of: Callable[[str], str] = lambda _: "",
) -> VideoSet:
    """Put a set together.

    Args:
        trained, videos: of the training, which is normal throughout, and of the test.
        labels, masks: of each test video. sources, conflicts: what the labels come from.
        notes: what the reader must know, but for the conflicts. missing: sentences.
        ground_truth: which labels, of a set that has several. scene_of: name of a video -> its scene.
    """
    return VideoSet(
        name=place.root.resolve().name,
        kind=place.kind,
        root=place.root,
        normal=tuple(
            LabelledVideo(one.name, one, np.zeros(one.frame_count, bool), scene=scene_of(one.name)) for one in trained
        ),
        test=tuple(
            LabelledVideo(one.name, one, said, masks=drawn, scene=scene_of(one.name))
            for one, said, drawn in zip(videos, labels, masks, strict=True)
        ),
        label_sources=tuple(source.name for source in sources),
        notes=(*notes, *map(str, conflicts)),
        conflicts=tuple(conflicts),
        abnormal_frames={source.name: source.abnormal_frames for source in sources},
        ground_truth=ground_truth,
        missing=tuple(missing),
    )


def _entries(side: Path) -> list[Path]:
    return [entry for entry in side.iterdir() if not entry.name.startswith(".")] if side.is_dir() else []


def _numbered(entries: Iterable[Path]) -> list[Path]:
    named = [entry for entry in entries if re.search(r"\d", entry.name if entry.is_dir() else entry.stem)]
    return sorted(named, key=lambda entry: natural_key(entry.name))
