"""UCSD Ped1 and Ped2 (Mahadevan et al., CVPR 2010), in the two layouts in which they are about.

    official    UCSDped2/Train/Train001/001.tif   Test/Test001/  Test/Test001_gt/001.bmp  Test/UCSDped2.m
    community   ped2/training/frames/01/000.jpg   testing/frames/01/   labels and *_gt folders anywhere beside

Mask k of a `_gt` folder belongs to frame k, whatever their names: some masks count from 1 where frames count from 0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oddframe.data.labels import LabelSource, OnConflict, labels_of_masks, read_label_file, settle
from oddframe.data.videoset import LabelledVideo, Masks, VideoSet
from oddframe.errors import LabelError, MissingExtraError, MissingPathError
from oddframe.video.source import Video, list_pictures, natural_key, open_video

KINDS = ("ucsd-ped1", "ucsd-ped2")

_LAYOUTS = (("Train", "Test"), ("training/frames", "testing/frames"))
_VIDEO_COUNTS = {"ucsd-ped1": (34, 36), "ucsd-ped2": (16, 12)}
_PRECEDENCE = (".m", ".npy", ".mat")


@dataclass(frozen=True)
class Place:
    """Where a set lies, and in which layout."""

    root: Path
    kind: str
    training: Path
    testing: Path


def find(path: Path) -> list[Place]:
    """Return the UCSD sets at a folder or right below it."""
    below = sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
    at_path = _place(path)
    return [at_path] if at_path else [place for place in map(_place, below) if place]


def read(
    place: Place,
    *,
    fps: float | None = None,
    labels: Sequence[Path] = (),
    masks: Path | None = None,
    on_conflict: OnConflict = "error",
) -> VideoSet:
    """Read a set with all label sources that lie below it, and those given.

    Args:
        place: from `find`.
        fps: frames per second, which nothing in the set states.
        labels: further label files.
        masks: folder with `*_gt` folders, where these do not lie below the set.
        on_conflict: what to do where sources contradict each other.

    Raises:
        LabelError: labels or masks do not fit their videos, or contradict each other.
        FrameSizeError: a mask has another size than its frame.
        DataError: a frame folder is empty or has gaps.
    """
    normal = tuple(
        LabelledVideo(video.name, video, np.zeros(video.frame_count, bool)) for video in _videos(place.training, fps)
    )
    videos = _videos(place.testing, fps)
    names, counts = [video.name for video in videos], [video.frame_count for video in videos]
    files, mask_folders = _label_places(place)
    notes: list[str] = []
    sources: list[LabelSource] = []
    spare: MissingExtraError | None = None
    for file in files:
        try:
            sources.append(read_label_file(file, _relative(file, place.root), names, counts))
        except MissingExtraError as missing:
            spare = missing
            notes.append(f"{_relative(file, place.root)} was not read: {missing.hint}")
    if masks is not None:
        mask_folders = _mask_folders(masks)
    video_masks, strangers = _match_masks(videos, mask_folders)
    notes += [f"mask folder {folder.name} belongs to no test video" for folder in strangers]
    if any(video_masks):
        where = _relative(mask_folders[0].parent, place.root)
        shown = [
            None if drawn is None else labels_of_masks(count, drawn)
            for count, drawn in zip(counts, video_masks, strict=True)
        ]
        sources.append(LabelSource(where, tuple(shown)))
    sources += [read_label_file(Path(file), str(file), names, counts) for file in labels]
    if not sources and spare:
        raise spare
    settled, conflicts = settle(sources, names, on_conflict)
    if not sources:
        notes.append("no label file and no masks were found")
    return VideoSet(
        name=place.root.resolve().name,
        kind=place.kind,
        root=place.root,
        normal=normal,
        test=tuple(
            LabelledVideo(video.name, video, said, masks=drawn)
            for video, said, drawn in zip(videos, settled, video_masks, strict=True)
        ),
        label_sources=tuple(source.name for source in sources),
        notes=(*notes, *map(str, conflicts)),
        conflicts=conflicts,
        abnormal_frames={source.name: source.abnormal_frames for source in sources},
    )


def _place(root: Path) -> Place | None:
    for training, testing in _LAYOUTS:
        sides = (root / training, root / testing)
        if all(map(_video_folders, sides)) and (kind := _kind(root, sides)):
            return Place(root, kind, *sides)
    return None


def _kind(root: Path, sides: tuple[Path, Path]) -> str | None:
    """Tell Ped1 from Ped2, and both from other sets of the same layout."""
    beside = [*root.iterdir(), *(root / "Test").glob("*.m"), *sides[1].parent.glob("*.m*")]
    for name in (root.resolve().name, *(path.name for path in beside)):
        if match := re.search(r"ped([12])(?!\d)", name, re.IGNORECASE):
            return f"ucsd-ped{match[1]}"
    counts = tuple(len(_video_folders(side)) for side in sides)
    return next((kind for kind, wanted in _VIDEO_COUNTS.items() if wanted == counts), None)


def _video_folders(side: Path) -> list[Path]:
    if not side.is_dir():
        return []
    folders = [entry for entry in side.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    named = [folder for folder in folders if re.search(r"\d", folder.name) and not folder.name.endswith("_gt")]
    return sorted(named, key=lambda folder: natural_key(folder.name))


def _videos(side: Path, fps: float | None) -> list[Video]:
    return [open_video(folder, fps=fps) for folder in _video_folders(side)]


def _label_places(place: Place) -> tuple[list[Path], list[Path]]:
    """Return the label files, the deciding one first, and the `*_gt` folders below a set."""
    other = "ped1" if place.kind == "ucsd-ped2" else "ped2"
    files = []
    folders = []
    frames = {place.training, place.testing} if place.testing.name == "frames" else {place.training}
    for here, below, names in os.walk(place.root):
        below[:] = sorted(name for name in below if Path(here, name) not in frames and not name.startswith("."))
        folders += [Path(here, name) for name in below if name.endswith("_gt")]
        below[:] = [name for name in below if not name.endswith("_gt")]
        files += [
            Path(here, name)
            for name in names
            if Path(name).suffix in _PRECEDENCE
            and re.search(r"ped[12]|label|gt", name, re.IGNORECASE)
            and other not in name.lower()
            and not name.startswith(".")
        ]
    files.sort(key=lambda file: (_PRECEDENCE.index(file.suffix), str(file)))
    return files, sorted(folders, key=lambda folder: natural_key(folder.name))


def _mask_folders(folder: Path) -> list[Path]:
    found = sorted(folder.glob("**/*_gt"), key=lambda one: natural_key(one.name)) if folder.is_dir() else []
    if not found:
        raise MissingPathError("there are no mask folders here", path=folder, wanted="folders such as Test001_gt")
    return found


def _match_masks(videos: Sequence[Video], folders: Sequence[Path]) -> tuple[list[Masks | None], list[Path]]:
    """Give each video the mask folder of its number, and return the folders left over."""
    by_number = {_number(folder.name): folder for folder in folders}
    matched: list[Masks | None] = []
    for video in videos:
        folder = by_number.pop(_number(video.name), None)
        pictures = list_pictures(folder) if folder else []
        if folder is None or not pictures:
            matched.append(None)
            continue
        if len(pictures) != video.frame_count:
            raise LabelError(
                f"video {video.name} has another number of masks than of frames",
                path=folder,
                seen=f"{len(pictures)} masks",
                wanted=f"{video.frame_count}, one a frame",
            )
        matched.append(Masks(dict(enumerate(pictures)), video.size))
    return matched, list(by_number.values())


def _number(name: str) -> int:
    match = re.search(r"\d+", name)
    return int(match[0]) if match else -1


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
