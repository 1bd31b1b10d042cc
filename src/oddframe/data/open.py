"""Opening a labelled set of videos: `open_videoset` finds out of which kind a folder is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from oddframe.data import avenue, folder, shanghaitech, ucsd
from oddframe.data.labels import OnConflict, Reading
from oddframe.data.public_sets import Place
from oddframe.data.source import DataSource
from oddframe.data.videoset import VideoSet
from oddframe.errors import MissingPathError, SettingsError, nearest
from oddframe.video.discover import find_videos
from oddframe.video.source import list_pictures

Data = DataSource | VideoSet | Path | str | Sequence[Path | str]
"""What there is to open: a recipe, a set that is open already, or paths as of `open_videoset`."""

KINDS = (*ucsd.KINDS, avenue.KIND, shanghaitech.KIND, "folder", "files")


def open_videoset(
    path: Path | str | Sequence[Path | str],
    kind: str | None = None,
    *,
    fps: float | None = None,
    start: str | None = None,
    end: str | None = None,
    labels: Sequence[Path | str] = (),
    masks: Path | str | None = None,
    on_conflict: OnConflict = "error",
    partial: bool = False,
    ground_truth: str | None = None,
) -> VideoSet:
    """Open a set of videos. No picture is decoded but a few to know their size.

    Args:
        path: the folder of a set, or the folder above it; or one or more video files, folders of frames, and folders
            with any of these in them, which are taken as normal video; sub-folders are scenes, but for dates and times.
        kind: one of `KINDS`; found out if not given.
        fps: frame rate of folders of frames, which state none.
        start, end: range that is read of plain video files, see `parse_position`.
        labels: label files beside those that lie below the folder; all are compared.
        masks: where pixel masks lie, if not below the folder.
        on_conflict: "error", or "note" to collect contradictions in the set instead.
        partial: whether parts of a public set may be missing; what is missing is then noted.
        ground_truth: "masks" or "frames", of Avenue only; "masks" if not given (docs/how-to/benchmark-sets.md).

    Raises:
        MissingPathError: nothing there, or nothing of a known kind.
        IncompleteSetError: parts of a public set are missing, and not `partial`.
        SettingsError: an unknown kind, several sets where one is wanted, a range for a set, or a ground truth that is
            not known or for a set that has only one.
        LabelError: labels that do not fit their video or contradict each other.
        DataError: a video that cannot be read.
    """
    source = source_at(path).instead(
        kind=kind,
        fps=fps,
        start=start,
        end=end,
        labels=tuple(map(Path, labels)),
        masks=None if masks is None else Path(masks),
        ground_truth=ground_truth,
        partial=partial,
    )
    return open_source(source, on_conflict)


def source_at(path: Path | str | Sequence[Path | str]) -> DataSource:
    """The recipe that says nothing but where the videos are."""
    return DataSource(paths=(Path(path),) if isinstance(path, (str, Path)) else tuple(map(Path, path)))


def open_source(source: DataSource, on_conflict: OnConflict = "error") -> VideoSet:
    """Open a set of videos as a recipe says.

    Returns:
        The set. Its own `source` says the same, with the kind and the ground truth that were found out.

    Raises:
        As `open_videoset`.
    """
    kind, paths = source.kind, source.paths
    if kind is not None and kind not in KINDS:
        raise SettingsError("no such kind of data", seen=kind, wanted=" or ".join(KINDS), hint=nearest(kind, KINDS))
    how = Reading(source.fps, source.labels, source.masks, on_conflict, source.partial)
    for one in paths:
        if not one.exists():
            raise MissingPathError(
                "there is no such file or folder", path=one, wanted="a set of videos, or video files"
            )
    if how.masks is not None and not how.masks.is_dir():
        raise MissingPathError("there is no such folder of masks", path=how.masks)
    if not paths:
        raise MissingPathError("no video was named", wanted="a set of videos, or video files")
    videos = _read(source, how)
    found = {"kind": videos.kind, "ground_truth": videos.ground_truth or None}
    return replace(videos, source=source.absolute().model_copy(update=found))


def opened(data: Data) -> VideoSet:
    """Return the set that something means, opened if it is not yet.

    Raises:
        As `open_videoset`.
    """
    if isinstance(data, VideoSet):
        return data
    return open_source(data) if isinstance(data, DataSource) else open_videoset(data)


def _read(source: DataSource, how: Reading) -> VideoSet:
    paths = source.paths
    found = _find(paths, source.kind)
    kind_found = found.kind if isinstance(found, Place) else "files" if found is None else "folder"
    chosen = _ground_truth(source.ground_truth, kind_found, paths[0])
    if found is None:
        return folder.read_files(paths, how, start=source.start, end=source.end, part=source.taken_as)
    if source.start is not None or source.end is not None:
        raise SettingsError(
            "a range is for plain video files, not for a set of videos",
            path=paths[0],
            seen=f"start {source.start}, end {source.end}",
            hint="name the video file itself",
        )
    if isinstance(found, Path):
        return folder.read(found, how)
    if found.kind == avenue.KIND:
        return avenue.read(found, how, chosen)
    return shanghaitech.read(found, how) if found.kind == shanghaitech.KIND else ucsd.read(found, how)


def _ground_truth(given: str | None, kind: str, path: Path) -> avenue.GroundTruth:
    for known in avenue.GROUND_TRUTHS:
        if given is None or (given == known and kind == avenue.KIND):
            return known
    if kind != avenue.KIND:
        raise SettingsError(
            "only Avenue has several ground truths", path=path, seen=f"{given}, for {kind}", hint="leave it out"
        )
    raise SettingsError(
        "no such ground truth",
        seen=given,
        wanted=" or ".join(avenue.GROUND_TRUTHS),
        hint=nearest(str(given), avenue.GROUND_TRUTHS),
    )


def _find(paths: Sequence[Path], kind: str | None) -> Place | Path | None:
    """Return where a public set lies, the root of a folder set, or None for plain video files."""
    path = paths[0]
    plain = all(one.is_file() or list_pictures(one) or (len(paths) > 1 and _loose(one)) for one in paths)
    if kind == "files" or (kind is None and plain):
        return None
    found = [*ucsd.find(path), *avenue.find(path, named=kind == avenue.KIND), *shanghaitech.find(path)]
    places = [place for place in found if len(paths) == 1 and kind in (None, place.kind)]
    if len(places) > 1:
        raise SettingsError(
            "there are several sets of videos here",
            path=path,
            seen=", ".join(f"{place.root.name} ({place.kind})" for place in places),
            wanted="one",
            hint="name the folder of one, or its --kind",
        )
    if places:
        return places[0]
    if kind in (None, "folder") and len(paths) == 1 and folder.find(path):
        return path
    if kind is None and _loose(path):
        return None
    loose = sum(not (one.is_file() or list_pictures(one)) for one in paths) if len(paths) > 1 else 0
    raise MissingPathError(
        "several paths are taken as video files, and not all of them are" if loose else "no set of videos is here",
        path=path,
        seen=", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "an empty folder"
        if path.is_dir()
        else None,
        wanted=", or ".join(dict.fromkeys(_LOOKED_FOR[one] for one in KINDS if kind in (None, one))),
        hint="put normal video into a folder normal/, or name the video files themselves; --kind files takes all video "
        "in a folder as normal",
    )


def _loose(folder_: Path) -> bool:
    """Whether a folder holds videos and is not laid out as a set, of which the test would pass for normal video."""
    videos = find_videos(folder_).videos if folder_.is_dir() else ()
    words = {word for video in videos for word in video.path.relative_to(folder_).parts[:-1]}
    return bool(videos) and not any(map(_OF_A_SET.fullmatch, words))


_OF_A_SET = re.compile(
    r"(train|test|val)(ing|idation)?([-_ ]?(set|videos?|frames|data))?|(ab|a)?normal.*|anomal.*", re.I
)
_UCSD = "UCSDped1 or UCSDped2 with Train/ and Test/ (or training/frames/ and testing/frames/)"
_LOOKED_FOR = {
    "ucsd-ped1": _UCSD,
    "ucsd-ped2": _UCSD,
    "avenue": "Avenue with training_videos/ and testing_videos/ (or training/frames/ and testing/frames/)",
    "shanghaitech": "ShanghaiTech with training/videos/ (or training/frames/) and testing/frames/01_0014/",
    "folder": "a folder with normal/, abnormal/ or test/ (or training/frames/ and testing/frames/)",
    "files": "video files or folders of frames",
}
