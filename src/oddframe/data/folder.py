"""People's own video: kind `folder`, and loose video files.

    normal/      video files, or folders of frames: nothing odd happens in them
    abnormal/    (optional) the few known anomalies
    test/        (optional) what to judge
    labels.csv   (optional) video,start,end[,class]      frames "120" or times "00:04.8"; end exclusive
    masks/       (optional) <video>/<frame>.png, white where it is odd; or <video>.npz, packed (`PackedMasks`)
    conditions.csv  (optional) video, and what holds for all of it: light, weather, ... figures are told apart by it

The layout of public sets and of the code that goes with them is read, too: training/frames/01/ is normal/,
testing/frames/01/ is test/, and labels are frame_labels*.npy, one value a frame, all test videos one after another.

Sub-folders are scenes, but for those that are called by dates and times; a folder with pictures in it is one video. A
labels.csv that names a test video covers the test: what it does not mark there is normal. One that names none says
nothing of the test. `labels.csv` decides over masks, which may leave out frames in which hardly anything of the anomaly
shows; on_conflict="note" tells where the two differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from oddframe.data.folder_labels import ListedVideo, Rows, read_all_test, read_conditions, read_mask_folders, read_rows
from oddframe.data.label_files import is_label_file
from oddframe.data.labels import LabelSource, OnConflict, Reading, labels_of_masks, settle
from oddframe.data.videoset import LabelledSpan, LabelledVideo, Labels, Masks, VideoSet, spans_in_words
from oddframe.errors import IncompleteSetError, MissingPathError
from oddframe.video.discover import Found, FoundVideo, find_videos, printable
from oddframe.video.open import open_video
from oddframe.video.source import Video, list_pictures

PARTS = ("normal", "abnormal", "test")
PEERS_PARTS = {"normal": Path("training/frames"), "test": Path("testing/frames")}
"""Where the layout of public sets has them."""

LABELS = "labels.csv"
MASKS = "masks"
CONDITIONS = "conditions.csv"
BEGUN = "drawing.json"
"""In the folder of a drawn set as long as it is not whole: videos are missing, and so are all labels."""

_UNCOVERED = (
    "{table} names no test video, so nothing is known of them; once one is named, what is not marked counts as normal "
    "(a line NAME,, says that nothing is odd in a video)"
)
_NAMED = 8
"""Folders that a note names at most."""

_AS_PEERS = (
    "laid out as public sets are, and none of those: training/frames/ is taken as normal video of one's own, "
    "testing/frames/ as what to judge (--kind names a public set)"
)
_DATED = (
    "folders that are called by dates and times are no scenes ({names}): the videos of a camera are one scene, in "
    "order of time. Where a number is a camera, put a letter before it (cam01)"
)


def find(path: Path) -> bool:
    """Whether a folder is laid out so: with at least one of its three parts, or as public sets are."""
    return any((path / part).is_dir() for part in PARTS) or _as_peers(path)


def _as_peers(path: Path) -> bool:
    return not any((path / part).is_dir() for part in PARTS) and all(
        (path / inside).is_dir() for inside in PEERS_PARTS.values()
    )


def read(root: Path, how: Reading) -> VideoSet:
    """Read a folder of people's own video.

    Args:
        root: the folder.
        how: `labels` are files like `labels.csv`, or label files of all test videos; `masks` is a folder like `masks/`.

    Raises:
        MissingPathError: no video in it.
        IncompleteSetError: a drawn set that is not whole, unless parts may be missing.
        LabelError: a line of labels.csv or a mask that does not fit.
        DataError: a video that cannot be read.
    """
    begun = (root / BEGUN).is_file()
    if begun and not how.partial:
        raise IncompleteSetError(
            "this set is still being drawn, or its drawing was stopped",
            path=root,
            seen=f"{BEGUN}: videos are missing, and all labels",
            wanted="a whole set",
            hint="the command that draws it goes on: oddframe data synth FOLDER --scale day --which NAME",
        )
    notes = ["this set is not whole yet: videos are missing, and all labels"] if begun else []
    listed: list[ListedVideo] = []
    folders = {part: root / part for part in PARTS}
    if _as_peers(root):
        folders |= {part: root / inside for part, inside in PEERS_PARTS.items()}
        notes.append(_AS_PEERS)
    for part, folder in folders.items():
        found = list(_scan(folder, part, how.fps, notes)) if folder.is_dir() else []
        if folder.is_dir() and not found:
            notes.append(f"{part}/ holds no video")
        listed += _with_own_names(found)
    if not listed:
        raise MissingPathError(
            "there is no video in this folder", path=root, wanted="video files or folders of frames in normal/ or test/"
        )
    own = [root / LABELS, *sorted(root.glob("frame_labels*.npy"))]
    files = [*(file for file in own if file.is_file()), *how.labels]
    mask_root = how.masks if how.masks is not None else root / MASKS
    return _assemble(printable(root.resolve().name), "folder", root, listed, files, mask_root, notes, how.on_conflict)


def read_files(
    paths: Sequence[Path],
    how: Reading,
    *,
    start: str | None = None,
    end: str | None = None,
    part: Literal["normal", "test"] = "normal",
) -> VideoSet:
    """Take plain video files and folders of frames as normal video, or as video to judge (kind `files`).

    Args:
        paths: the files, and folders with such files in them.
        how: as of `read`. Frames that `labels` mark are not normal.
        start, end: range that is read of each of them.
        part: what they are taken as.

    Raises:
        DataError: a file that cannot be read.
    """
    notes: list[str] = []
    found: list[ListedVideo] = []
    for path in paths:
        inside = find_videos(path) if path.is_dir() and not list_pictures(path) else None
        for one in [FoundVideo(path, "", "")] if inside is None else inside.videos:
            video = open_video(one.path, fps=how.fps, start=start, end=end)
            found.append(ListedVideo(part, one.scene, one.name or video.name, video))
        notes += [] if inside is None else _told(inside, f"{path.name}/")
    if not found:
        raise MissingPathError("there is no video in this folder", path=paths[0], wanted="video files, also in folders")
    listed = _with_own_names(found)
    name = listed[0].name if len(listed) == 1 else f"{listed[0].name} and {len(listed) - 1} more"
    if len(paths) == 1 and paths[0].is_dir() and len(listed) > 1:
        name = printable(paths[0].resolve().name)
    return _assemble(name, "files", None, listed, list(how.labels), how.masks, notes, how.on_conflict)


def _scan(folder: Path, part: str, fps: float | None, notes: list[str]) -> Iterator[ListedVideo]:
    if list_pictures(folder):
        yield ListedVideo(part, "", part, open_video(folder, fps=fps))
        return
    found = find_videos(folder)
    for one in found.videos:
        yield ListedVideo(part, one.scene, one.name, open_video(one.path, fps=fps))
    notes += _told(found, f"{part}/")


def _told(found: Found, prefix: str) -> list[str]:
    """What to know of a folder that was searched."""
    notes = [
        f"in {prefix}{f'{within}/' if within else ''} no video and passed over: {', '.join(names[:5])}"
        for within, names in found.passed_over.items()
    ]
    if found.dated:
        names = ", ".join(found.dated[:_NAMED]) + (", ..." if len(found.dated) > _NAMED else "")
        notes.append(_DATED.format(names=names))
    return notes


def _with_own_names(listed: Sequence[ListedVideo]) -> list[ListedVideo]:
    """Tell videos apart that differ only in their ending, or only in their folder."""
    alike = Counter(one.name for one in listed)
    named = [
        one if alike[one.name] == 1 else replace(one, name=one.name + printable(one.video.path.suffix))
        for one in listed
    ]
    still = Counter(one.name for one in named)
    return [one if still[one.name] == 1 else replace(one, name=printable(str(one.video.path))) for one in named]


def _assemble(
    name: str,
    kind: str,
    root: Path | None,
    listed: Sequence[ListedVideo],
    files: Sequence[Path],
    mask_root: Path | None,
    notes: Sequence[str],
    on_conflict: OnConflict,
) -> VideoSet:
    called = _called([*files, *([] if mask_root is None else [mask_root])], root)
    flat = [file for file in files if is_label_file(file)]
    tables: list[tuple[str, Rows]] = []
    for file in [file for file in files if file not in flat]:
        table = called[file]
        rows, unread = read_rows(file, table, listed)
        tables.append((table, rows))
        notes = [*notes, *unread]
    masks = read_mask_folders(mask_root, listed) if mask_root is not None and mask_root.is_dir() else {}
    told_of = root / CONDITIONS if root is not None else None
    conditions = read_conditions(told_of, listed) if told_of is not None and told_of.is_file() else {}
    sources = [
        LabelSource(table, tuple(_marked(one.video, rows.get(place)) for place, one in enumerate(listed)))
        for table, rows in tables
    ]
    for file in flat:
        source, note = read_all_test(file, called[file], listed)
        sources.append(source)
        notes = [*notes, note]
    covered = bool(flat) or any(listed[place].part == "test" for _, rows in tables for place in rows)
    if tables and not covered and any(one.part == "test" for one in listed):
        notes = [*notes, _UNCOVERED.format(table=tables[0][0])]
    settled, conflicts = settle(sources, [f"{one.part}/{one.name}" for one in listed], on_conflict)
    parts: dict[str, list[LabelledVideo]] = {part: [] for part in PARTS}
    told: list[str] = []
    shown = 0
    for place, one in enumerate(listed):
        labels, drawn = settled[place], masks.get(place)
        spans = tuple(dict.fromkeys(span for _, rows in tables for span in rows.get(place, ())))
        if labels is None and one.part == "test" and drawn is not None and not covered:
            labels = labels_of_masks(one.video.frame_count, drawn)
            shown += int(labels.sum())
        elif labels is None and (one.part != "test" or covered):
            labels = np.full(one.video.frame_count, one.part == "abnormal")
            if one.part == "abnormal":
                spans = (LabelledSpan(0, one.video.frame_count, None),)
            elif one.part == "test" and drawn is not None:
                told.append(f"test/{one.name} has masks but no row in {LABELS}, so all of it counts as normal")
        if one.part == "normal" and spans:
            told.append(f"frames of normal/{one.name} are marked abnormal and are not taken as normal")
        if on_conflict == "note" and labels is not None and drawn is not None:
            told += _differences(one, labels, drawn)
        parts[one.part].append(
            LabelledVideo(one.name, one.video, labels, spans, drawn, one.scene, conditions.get(place, {}))
        )
    abnormal_frames = {source.name: source.abnormal_frames for source in sources}
    if mask_root is not None and masks and not covered:
        abnormal_frames[called[mask_root]] = shown
    return VideoSet(
        name=name,
        kind=kind,
        root=root,
        normal=tuple(parts["normal"]),
        known=tuple(parts["abnormal"]),
        test=tuple(parts["test"]),
        label_sources=tuple(abnormal_frames),
        notes=(*notes, *told, *map(str, conflicts)),
        conflicts=conflicts,
        abnormal_frames=abnormal_frames,
    )


def _marked(video: Video, spans: Sequence[LabelledSpan] | None) -> Labels | None:
    """Labels of a video by the rows of one file, None where it has none."""
    if spans is None:
        return None
    labels = np.zeros(video.frame_count, bool)
    for span in spans:
        labels[span.start : span.end] = True
    return labels


def _differences(one: ListedVideo, labels: Labels, drawn: Masks) -> list[str]:
    """Frames on which a mask is not black though the labels say normal, in words."""
    shown = np.flatnonzero(labels_of_masks(len(labels), drawn) & ~labels)
    if not len(shown):
        return []
    return [
        f"{one.part}/{one.name}, frames {spans_in_words(tuple(shown.tolist()))} (counted from 0): "
        f"normal by {LABELS} though their masks show something; {LABELS} decides"
    ]


def _called(files: Sequence[Path], root: Path | None) -> dict[Path, str]:
    """What files are called in notes and results: below the root by their way from there, elsewhere by their name, with
    as many of its folders as tell it from others.

    So the judging says the same as the training, from wherever each was called, and neither tells of a machine's disk.
    """
    inside = {
        file: printable(file.relative_to(root).as_posix())
        for file in files
        if root is not None and file.is_relative_to(root)
    }
    away = {file: file.absolute().parts for file in files if file not in inside}
    tails = {
        file: [printable("/".join(parts[-many:])) for many in range(1, len(parts))] for file, parts in away.items()
    }
    taken = Counter([*inside.values(), *(tail for own in tails.values() for tail in own)])
    return inside | {
        file: next((tail for tail in own if taken[tail] == 1), printable(str(file))) for file, own in tails.items()
    }
