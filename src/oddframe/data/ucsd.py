"""UCSD Ped1 and Ped2 (Mahadevan et al., CVPR 2010), in the two layouts in which they are about.

    official    UCSDped2/Train/Train001/001.tif   Test/Test001/  Test/Test001_gt/001.bmp  Test/UCSDped2.m
    community   ped2/training/frames/01/000.jpg   testing/frames/01/   labels and *_gt folders anywhere beside

Mask k of a `_gt` folder belongs to frame k, whatever their names: some masks count from 1 where frames count from 0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from oddframe.data.known_counts import UCSD_TEST, UCSD_TRAINING
from oddframe.data.labels import Reading, settle, shown_by
from oddframe.data.public_sets import (
    Place,
    accept_missing,
    assemble,
    at_or_below,
    by_precedence,
    fitting,
    missing_numbers,
    not_as_published,
    number_of,
    numbered,
    open_side,
    read_label_files,
    relative,
    video_folders,
)
from oddframe.data.videoset import Masks, VideoSet
from oddframe.errors import LabelCountError, MissingPathError
from oddframe.video.source import Video, list_pictures, natural_key

KINDS = ("ucsd-ped1", "ucsd-ped2")

_LAYOUTS = (("Train", "Test"), ("training/frames", "testing/frames"))


def find(path: Path) -> list[Place]:
    """Return the UCSD sets at a folder or right below it."""
    return at_or_below(path, _place)


def read(place: Place, how: Reading) -> VideoSet:
    """Read a set with all label sources that lie below it, and those given.

    Args:
        place: from `find`.
        how: `masks` is a folder with `*_gt` folders.

    Raises:
        IncompleteSetError: videos are missing.
        LabelError: labels or masks do not fit their videos, or contradict each other.
        FrameSizeError: a mask has another size than its frame.
        DataError: a frame folder is empty or has gaps.
    """
    trained, videos = open_side(place.training, how.fps), open_side(place.testing, how.fps)
    training, test = UCSD_TRAINING[place.kind], UCSD_TEST[place.kind]
    missing = missing_numbers("training videos", len(training), trained)
    missing += missing_numbers("test videos", len(test), videos)
    altered = not_as_published("test video", videos, test)
    missing += [*not_as_published("training video", trained, training), *altered]
    told = accept_missing(place, missing, how.partial)
    names, whole = [video.name for video in videos], numbered(videos, tuple(test.values()))
    files, mask_folders = _label_places(place)
    notes: list[str] = []
    if how.masks is not None:
        mask_folders = _mask_folders(how.masks)
    with fitting(place, altered):
        sources = read_label_files(files, place, videos, whole)
        video_masks, strangers = _match_masks(videos, mask_folders)
        notes += [f"mask folder {folder.name} belongs to no test video" for folder in strangers]
        if any(video_masks):
            sources.append(shown_by(relative(mask_folders[0].parent, place.root), videos, video_masks))
        sources += read_label_files(how.labels, place, videos, whole)
    settled, conflicts = settle(sources, names, how.on_conflict)
    if not sources:
        notes.append("no label file and no masks were found")
    return assemble(
        place, trained, videos, settled, video_masks, sources, conflicts, notes=[*notes, *told], missing=missing
    )


def _place(root: Path) -> Place | None:
    for training, testing in _LAYOUTS:
        sides = (root / training, root / testing)
        if all(map(video_folders, sides)) and (kind := _kind(root, sides)):
            return Place(root, kind, *sides)
    return None


def _kind(root: Path, sides: tuple[Path, Path]) -> str | None:
    """Tell Ped1 from Ped2, and both from other sets of the same layout."""
    beside = [*root.iterdir(), *(root / "Test").glob("*.m"), *sides[1].parent.glob("*.m*")]
    for name in (root.resolve().name, *(path.name for path in beside)):
        if match := re.search(r"ped([12])(?!\d)", name, re.IGNORECASE):
            return f"ucsd-ped{match[1]}"
    counts = tuple(len(video_folders(side)) for side in sides)
    return next((kind for kind, test in UCSD_TEST.items() if counts == (len(UCSD_TRAINING[kind]), len(test))), None)


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
            if re.search(r"ped[12]|label|gt", name, re.IGNORECASE)
            and other not in name.lower()
            and not name.startswith(".")
        ]
    return by_precedence(files), sorted(folders, key=lambda folder: natural_key(folder.name))


def _mask_folders(folder: Path) -> list[Path]:
    found = sorted(folder.glob("**/*_gt"), key=lambda one: natural_key(one.name)) if folder.is_dir() else []
    if not found:
        raise MissingPathError("there are no mask folders here", path=folder, wanted="folders such as Test001_gt")
    return found


def _match_masks(videos: Sequence[Video], folders: Sequence[Path]) -> tuple[list[Masks | None], list[Path]]:
    """Give each video the mask folder of its number, and return the folders left over."""
    by_number = {number_of(folder.name): folder for folder in folders}
    matched: list[Masks | None] = []
    for video in videos:
        folder = by_number.pop(number_of(video.name), None)
        pictures = list_pictures(folder) if folder else []
        if folder is None or not pictures:
            matched.append(None)
            continue
        if len(pictures) != video.frame_count:
            raise LabelCountError(
                f"video {video.name} has another number of masks than of frames",
                path=folder,
                seen=f"{len(pictures)} masks",
                wanted=f"{video.frame_count}, one a frame",
            )
        matched.append(Masks(dict(enumerate(pictures)), video.size))
    return matched, list(by_number.values())
