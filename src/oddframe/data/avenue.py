"""CUHK Avenue (Lu, Shi and Jia, ICCV 2013), in the two layouts in which it is about.

    official    training_videos/01.avi   testing_videos/01.avi   ground_truth_demo/testing_label_mask/1_label.mat
    community   training/frames/01/000.jpg   testing/frames/01/   frame_labels_avenue.npy and masks anywhere beside

Two ground truths are about, and they differ on 441 of the 15,324 test frames, in 15 of the 21 videos:

    "masks"   the authors' pixel masks: a frame is abnormal if its mask shows anything (3,712 frames)
    "frames"  the community's list, `frame_labels_avenue.npy`, by which many papers judge (3,867 frames)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from oddframe.data.known_counts import AVENUE_TEST
from oddframe.data.labels import LabelSource, Reading, differences, settle, shown_by
from oddframe.data.mask_volumes import VolumeMasks
from oddframe.data.public_sets import (
    Place,
    accept_missing,
    assemble,
    at_or_below,
    by_precedence,
    files_below,
    fitting,
    missing_numbers,
    not_as_published,
    number_of,
    numbered,
    open_side,
    read_label_files,
    relative,
    strangers,
    video_files,
    video_folders,
)
from oddframe.data.videoset import LabelConflict, VideoSet
from oddframe.errors import LabelError, MissingPathError
from oddframe.video.source import Video

KIND = "avenue"

GroundTruth = Literal["masks", "frames"]
GROUND_TRUTHS: tuple[GroundTruth, ...] = get_args(GroundTruth)
"""The first one is taken if none is named: it comes with the set, and says where."""

TRAINING_VIDEOS = 16
ABNORMAL_FRAMES = {"masks": 3712, "frames": 3867}
"""Of all test videos, by each ground truth."""

_MASK_FILE = re.compile(r"\d+_label\.mat")
_KNOWN = "the two differ on 441 of 15324 frames, in 15 of 21 videos"
_OTHER: dict[GroundTruth, GroundTruth] = {"masks": "frames", "frames": "masks"}
_IN_WORDS = {"masks": "the pixel masks", "frames": "the frame labels"}


def find(path: Path, *, named: bool = False) -> list[Place]:
    """Return the Avenue sets at a folder or right below it.

    Args:
        named: the user says that it is Avenue, so that nothing else need tell the community layout from other sets'.
    """
    return at_or_below(path, lambda root: _place(root, named))


def read(place: Place, how: Reading, ground_truth: GroundTruth = GROUND_TRUTHS[0]) -> VideoSet:
    """Read the set with the labels of one ground truth.

    What lies below the set and is of the other ground truth is set aside, with a note.

    Args:
        place: from `find`.
        how: `labels` must agree with the ground truth, `masks` is a folder with `N_label.mat`, and
            `on_conflict="note"` also compares both ground truths frame by frame, which reads all masks.
        ground_truth: which labels.

    Raises:
        IncompleteSetError: videos, or labels of some videos, are missing.
        LabelError: labels that do not fit or contradict each other; or only the other ground truth is there.
        FrameSizeError: masks of another size than their frames.
    """
    trained, videos = open_side(place.training, how.fps), open_side(place.testing, how.fps)
    names, whole = [video.name for video in videos], numbered(videos, tuple(AVENUE_TEST.values()))
    notes: list[str] = []
    mask_files, label_files = _label_places(place, how.masks)
    altered = not_as_published("test video", videos, AVENUE_TEST)
    with fitting(place, altered):
        drawn = _match_masks(videos, mask_files, notes)
        by_lists = read_label_files(label_files, place, videos, whole)
        given = read_label_files(how.labels, place, videos, whole)
        by_lists += given
        by_masks = []
        if any(drawn) and (ground_truth == "masks" or how.on_conflict == "note"):
            by_masks = [shown_by(relative(mask_files[0].parent, place.root), videos, drawn)]
    own, other = (by_masks, by_lists) if ground_truth == "masks" else (by_lists, by_masks)
    if not own and (by_lists or any(drawn)):
        raise _only_the_other(place, ground_truth)
    aside = {source.name: found for source in other if (found := differences(own[0], source, names))}
    for source in given:
        if source.name in aside and how.on_conflict == "error":
            raise _of_the_other(source, aside[source.name], ground_truth)
    sources = [*own, *(source for source in other if source.name not in aside)]
    settled, conflicts = settle(sources, names, how.on_conflict)
    missing = missing_numbers("training videos", TRAINING_VIDEOS, trained)
    missing += missing_numbers("test videos", len(AVENUE_TEST), videos) + altered
    if silent := [name for name, said in zip(names, settled, strict=True) if said is None]:
        missing.append(f"{_IN_WORDS[ground_truth]} of test videos {', '.join(silent)}")
    notes += accept_missing(place, missing, how.partial)
    for name, found in aside.items():
        notes.append(f"ground truth '{ground_truth}': {_count(found)} {name} says otherwise")
        notes += map(str, found if how.on_conflict == "note" else ())
    if own and not missing and own[0].abnormal_frames != ABNORMAL_FRAMES[ground_truth]:
        notes.append(
            f"{own[0].name} calls {own[0].abnormal_frames} frames abnormal; {_IN_WORDS[ground_truth]} as they are "
            f"known call {ABNORMAL_FRAMES[ground_truth]} so"
        )
    return assemble(
        place, trained, videos, settled, drawn, sources, conflicts,
        notes=notes, missing=missing, ground_truth=ground_truth,
    )  # fmt: skip


def _place(root: Path, named: bool) -> Place | None:
    official = (root / "training_videos", root / "testing_videos")
    if any(video_files(side) for side in official):
        return Place(root, KIND, *official)
    community = (root / "training" / "frames", root / "testing" / "frames")
    counts = tuple(len(video_folders(side)) for side in community)
    if all(counts) and (named or counts == (TRAINING_VIDEOS, len(AVENUE_TEST)) or _is_called_so(root)):
        return Place(root, KIND, *community)
    return None


def _is_called_so(root: Path) -> bool:
    beside = (path.name for path in (*root.iterdir(), *(root / "testing").iterdir()))
    return any(
        re.search("avenue|testing_label_mask|ground_truth_demo", name, re.I) for name in (root.resolve().name, *beside)
    )


def _label_places(place: Place, masks: Path | None) -> tuple[list[Path], list[Path]]:
    """Return the files of masks in natural order, and the lists of labels, the deciding one first."""
    files = list(files_below(place))
    drawn = files if masks is None else list(masks.rglob("*.mat"))
    found = sorted((file for file in drawn if _MASK_FILE.fullmatch(file.name)), key=lambda file: number_of(file.name))
    if masks is not None and not found:
        raise MissingPathError("there are no masks here", path=masks, wanted="files such as 1_label.mat")
    lists = [
        file for file in files if re.search("avenue|label|gt", file.stem, re.I) and not _MASK_FILE.fullmatch(file.name)
    ]
    return found, by_precedence(lists)


def _match_masks(videos: Sequence[Video], files: Sequence[Path], notes: list[str]) -> list[VolumeMasks | None]:
    """Give each video the masks of its number, and note the files left over."""
    by_number = {number_of(file.name): file for file in files}
    matched = [
        VolumeMasks.of(file, video.frame_count, video.size) if file else None
        for video in videos
        for file in [by_number.pop(number_of(video.name), None)]
    ]
    notes += strangers("masks", by_number.values())
    return matched


def _only_the_other(place: Place, ground_truth: GroundTruth) -> LabelError:
    other = _OTHER[ground_truth]
    return LabelError(
        f"{_IN_WORDS[ground_truth]} of Avenue, the ground truth '{ground_truth}', are not here",
        path=place.root,
        seen=f"{_IN_WORDS[other]}, which are another ground truth: {_KNOWN}",
        wanted="testing_label_mask/1_label.mat and so on" if ground_truth == "masks" else "frame_labels_avenue.npy",
        hint=f"add them, or take what is here: --ground-truth {other}. The run and every figure then say so",
    )


def _of_the_other(source: LabelSource, found: Sequence[LabelConflict], ground_truth: GroundTruth) -> LabelError:
    other = _OTHER[ground_truth]
    return LabelError(
        f"these labels are not of Avenue's ground truth '{ground_truth}'",
        path=source.name,
        seen=f"{_count(found)} they differ from {_IN_WORDS[ground_truth]}",
        wanted=f"labels that agree with {_IN_WORDS[ground_truth]}",
        hint=f"if they are {_IN_WORDS[other]} ({_KNOWN}), choose them: --ground-truth {other}; else leave them out",
    )


def _count(found: Sequence[LabelConflict]) -> str:
    frames, videos = sum(len(one.frames) for one in found), len({one.video for one in found})
    return f"on {frames} frames of {videos} video{'s' if videos > 1 else ''}"
