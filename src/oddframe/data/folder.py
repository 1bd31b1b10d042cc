"""People's own video: kind `folder`, and loose video files.

    normal/      video files, or folders of frames: nothing odd happens in them
    abnormal/    (optional) the few known anomalies
    test/        (optional) what to judge
    labels.csv   (optional) video,start,end[,class]      frames "120" or times "00:04.8"; end exclusive
    masks/       (optional) <video>/<frame>.png, white where it is odd

Sub-folders are scenes; a folder with pictures in it is one video. `labels.csv` decides over masks, which may leave out
frames in which hardly anything of the anomaly shows; on_conflict="note" tells where the two differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from oddframe.data.folder_labels import ListedVideo, read_mask_folders, read_rows
from oddframe.data.labels import LabelSource, OnConflict, Reading, labels_of_masks, settle
from oddframe.data.videoset import LabelledSpan, LabelledVideo, Labels, Masks, VideoSet, spans_in_words
from oddframe.errors import MissingPathError
from oddframe.video.open import open_video
from oddframe.video.source import VIDEO_SUFFIXES, Video, list_pictures, natural_key

PARTS = ("normal", "abnormal", "test")
LABELS = "labels.csv"
MASKS = "masks"

_DEEPEST_SCENE = 3


def find(path: Path) -> bool:
    """Whether a folder is laid out so: with at least one of its three parts."""
    return any((path / part).is_dir() for part in PARTS)


def read(root: Path, how: Reading) -> VideoSet:
    """Read a folder of people's own video.

    Args:
        root: the folder.
        how: `labels` are files like `labels.csv`, `masks` is a folder like `masks/`.

    Raises:
        MissingPathError: no video in it.
        LabelError: a line of labels.csv or a mask that does not fit.
        DataError: a video that cannot be read.
    """
    notes: list[str] = []
    listed: list[ListedVideo] = []
    for part in PARTS:
        found = list(_scan(root / part, part, how.fps, notes)) if (root / part).is_dir() else []
        if (root / part).is_dir() and not found:
            notes.append(f"{part}/ holds no video")
        listed += _with_own_names(found)
    if not listed:
        raise MissingPathError(
            "there is no video in this folder", path=root, wanted="video files or folders of frames in normal/ or test/"
        )
    files = [*([root / LABELS] if (root / LABELS).is_file() else []), *how.labels]
    mask_root = how.masks if how.masks is not None else root / MASKS
    return _assemble(root.resolve().name, "folder", root, listed, files, mask_root, notes, how.on_conflict)


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
        paths: the files.
        how: as of `read`. Frames that `labels` mark are not normal.
        start, end: range that is read of each of them.
        part: what they are taken as.

    Raises:
        DataError: a file that cannot be read.
    """
    videos = [open_video(path, fps=how.fps, start=start, end=end) for path in paths]
    listed = _with_own_names([ListedVideo(part, "", video.name, video) for video in videos])
    name = listed[0].name if len(listed) == 1 else f"{listed[0].name} and {len(listed) - 1} more"
    return _assemble(name, "files", None, listed, list(how.labels), how.masks, [], how.on_conflict)


def _scan(folder: Path, part: str, fps: float | None, notes: list[str], scene: str = "") -> Iterator[ListedVideo]:
    inside = f"{scene}/" if scene else ""
    if not scene and list_pictures(folder):
        yield ListedVideo(part, "", part, open_video(folder, fps=fps))
        return
    passed_over = []
    for entry in sorted(folder.iterdir(), key=lambda one: natural_key(one.name)):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if list_pictures(entry):
                yield ListedVideo(part, scene, inside + entry.name, open_video(entry, fps=fps))
            elif scene.count("/") < _DEEPEST_SCENE - 1:
                yield from _scan(entry, part, fps, notes, inside + entry.name)
        elif entry.suffix.lower() in VIDEO_SUFFIXES:
            yield ListedVideo(part, scene, inside + entry.stem, open_video(entry, fps=fps))
        else:
            passed_over.append(entry.name)
    if passed_over:
        notes.append(f"in {part}/{inside} no video and passed over: {', '.join(passed_over[:5])}")


def _with_own_names(listed: Sequence[ListedVideo]) -> list[ListedVideo]:
    """Tell videos apart that differ only in their ending, or only in their folder."""
    alike = Counter(one.name for one in listed)
    named = [one if alike[one.name] == 1 else replace(one, name=one.name + one.video.path.suffix) for one in listed]
    still = Counter(one.name for one in named)
    return [one if still[one.name] == 1 else replace(one, name=str(one.video.path)) for one in named]


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
    tables = [(_relative(file, root), read_rows(file, listed)) for file in files]
    masks = read_mask_folders(mask_root, listed) if mask_root is not None and mask_root.is_dir() else {}
    sources = [
        LabelSource(table, tuple(_marked(one.video, rows.get(place)) for place, one in enumerate(listed)))
        for table, rows in tables
    ]
    settled, conflicts = settle(sources, [f"{one.part}/{one.name}" for one in listed], on_conflict)
    parts: dict[str, list[LabelledVideo]] = {part: [] for part in PARTS}
    told: list[str] = []
    shown = 0
    for place, one in enumerate(listed):
        labels, drawn = settled[place], masks.get(place)
        spans = tuple(dict.fromkeys(span for _, rows in tables for span in rows.get(place, ())))
        if labels is None and one.part == "test" and drawn is not None and not files:
            labels = labels_of_masks(one.video.frame_count, drawn)
            shown += int(labels.sum())
        elif labels is None and (one.part != "test" or files):
            labels = np.full(one.video.frame_count, one.part == "abnormal")
            if one.part == "abnormal":
                spans = (LabelledSpan(0, one.video.frame_count, None),)
            elif one.part == "test" and drawn is not None:
                told.append(f"test/{one.name} has masks but no row in {LABELS}, so all of it counts as normal")
        if one.part == "normal" and spans:
            told.append(f"frames of normal/{one.name} are marked abnormal and are not taken as normal")
        if on_conflict == "note" and labels is not None and drawn is not None:
            told += _differences(one, labels, drawn)
        parts[one.part].append(LabelledVideo(one.name, one.video, labels, spans, drawn, one.scene))
    abnormal_frames = {source.name: source.abnormal_frames for source in sources}
    if mask_root is not None and masks and not files:
        abnormal_frames[_relative(mask_root, root)] = shown
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
    if not spans:
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


def _relative(path: Path, root: Path | None) -> str:
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else str(path)
