"""Label files that come with the public sets, and what to make of several of them.

    .m    the UCSD archives' own list: `gt_frame = [60:152, 160]`, counted from 1, ends inclusive
    .npy  one value a frame, all test videos one after another, (N,) or (1, N)
    .mat  Frame-Pred's cell `gt`: a 2xK array of first and last frames a video, counted from 1, ends inclusive
    masks one picture a frame; a frame is abnormal if its mask is not all black

What a file is shows in its first bytes, not in its name. Nothing here unpickles.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oddframe.data.videoset import LabelConflict, Labels, Masks
from oddframe.errors import LabelError, MissingExtraError, MissingPathError
from oddframe.video.source import Video

OnConflict = Literal["error", "note"]

_FILE_LIMIT_BYTES = 256 << 20
_NAMED_IN_ERRORS = 5
_NPY_HEADER_BYTES = 512


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


def read_label_file(path: Path, name: str, videos: Sequence[str], counts: Sequence[int]) -> LabelSource:
    """Read labels of all test videos from one file.

    Args:
        path: a .m, .npy or .mat file.
        name: how the source is called in messages.
        videos: names of the test videos in natural order, which is the order of the file.
        counts: their numbers of frames.

    Raises:
        MissingPathError: no such file.
        LabelError: not a label file, or it does not fit the videos.
        MissingExtraError: a .mat file, and scipy is not installed.
    """
    if not path.is_file():
        raise MissingPathError("there is no such label file", path=path, wanted="a .m, .npy or .mat file")
    if (size := path.stat().st_size) > _FILE_LIMIT_BYTES:
        raise LabelError(
            "this file is too large to hold labels", path=path, seen=f"{size} bytes", wanted="under 256 MiB"
        )
    raw = path.read_bytes()
    if raw.startswith((b"\x93NUMPY", b"\x80")):
        labels = _from_array(path, videos, counts)
    elif raw.startswith((b"MATLAB 5.0", b"\x89HDF")):
        labels = _from_mat(path, raw, videos, counts)
    elif b"gt_frame" in raw[:10_000]:
        labels = _from_m(path, raw, videos, counts)
    else:
        raise LabelError(
            "this file holds no labels of a known form",
            path=path,
            seen=repr(raw[:16]),
            wanted="a .m with gt_frame, a .npy with one value a frame, or a .mat with a cell gt",
        )
    return LabelSource(name, tuple(labels))


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


def load_array(path: Path) -> NDArray[np.generic]:
    """Open a .npy without reading it into memory, and without ever unpickling.

    Raises:
        LabelError: no .npy, a damaged one, or a pickle.
    """
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except (ValueError, OSError) as error:
        with path.open("rb") as file:
            start = file.read(_NPY_HEADER_BYTES)
        if start.startswith(b"\x80") or b"'descr': '|O'" in start:
            raise LabelError(
                "this file is a pickle, which cannot be read safely: reading one may run anything",
                path=path,
                wanted="a plain .npy of numbers",
                hint="take the file from the set's own archive, or remove it and name sound labels with --labels",
            ) from None
        raise LabelError(
            "this file cannot be read", path=path, seen=str(error), wanted="a plain .npy", hint="copy it again"
        ) from None


def read_vector(path: Path) -> Labels:
    """Read a .npy of 0 and 1, (N,) or (1, N), as (N,) bool.

    Raises:
        LabelError: a file of another form, or a pickle.
    """
    values = load_array(path)
    if values.ndim not in (1, 2) or values.size != max(values.shape) or values.dtype.kind not in "biuf":
        raise LabelError(
            "this label file has another form",
            path=path,
            seen=f"{values.dtype} {values.shape}",
            wanted="(N,) or (1, N)",
        )
    if not np.isin(values, (0, 1)).all():
        raise LabelError(
            "labels are 0 or 1", path=path, seen=sorted(set(np.unique(values)[:4].tolist())), wanted="0 and 1"
        )
    return np.array(values.reshape(-1), bool)


def _from_array(path: Path, videos: Sequence[str], counts: Sequence[int]) -> list[Labels]:
    values = read_vector(path)
    if len(values) != sum(counts):
        raise LabelError(
            "this label file has another number of values than the test videos have frames",
            path=path,
            seen=f"{len(values)} values",
            wanted=f"{sum(counts)}, for {len(videos)} videos",
            hint="labels need one value a frame, also for the first frames, which get no score",
        )
    return np.split(values, np.cumsum(counts)[:-1])


def _from_m(path: Path, raw: bytes, videos: Sequence[str], counts: Sequence[int]) -> list[Labels]:
    text = re.sub(r"%[^\n]*", "", raw.decode("latin-1"))
    entries = re.findall(r"gt_frame\s*=\s*\[([^\]]*)\]", text)
    _same_number(path, len(entries), videos)
    labels = []
    for entry, video, count in zip(entries, videos, counts, strict=True):
        spans = []
        for word in re.split(r"[,;\s]+", re.sub(r"\s*:\s*", ":", entry.strip())):
            match = re.fullmatch(r"(\d{1,9})(?::(\d{1,9}))?", word)
            if match:
                spans.append((int(match[1]), int(match[2] or match[1])))
            elif word:
                raise LabelError(
                    f"the frames of video {video} cannot be read",
                    path=path,
                    seen=f"[{entry}]",
                    wanted="[first:last, ...]",
                )
        labels.append(_from_spans(path, video, count, spans))
    return labels


def _from_mat(path: Path, raw: bytes, videos: Sequence[str], counts: Sequence[int]) -> list[Labels]:
    try:
        from scipy.io import loadmat
    except ImportError:
        raise MissingExtraError("reading .mat label files", "train") from None
    try:
        cells = loadmat(io.BytesIO(raw), variable_names=["gt"])["gt"]
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise LabelError(
            "this .mat file holds no labels of a known form",
            path=path,
            seen=str(error),
            wanted="MATLAB 5 with a cell gt",
        ) from error
    cells = np.atleast_1d(np.asarray(cells).squeeze())
    if cells.dtype != object:
        raise LabelError("gt in this .mat file is no cell", path=path, seen=str(cells.dtype), wanted="a cell of 2xK")
    _same_number(path, len(cells), videos)
    labels = []
    for cell, video, count in zip(cells, videos, counts, strict=True):
        ends = np.atleast_2d(np.asarray(cell))
        if ends.size and (ends.shape[0] != 2 or ends.dtype.kind not in "iuf"):
            if ends.size != 2:
                raise LabelError(f"the cell of video {video} is not 2xK", path=path, seen=ends.shape, wanted="(2, K)")
            ends = ends.reshape(2, 1)
        spans = [(int(first), int(last)) for first, last in ends.T] if ends.size else []
        labels.append(_from_spans(path, video, count, spans))
    return labels


def _same_number(path: Path, entries: int, videos: Sequence[str]) -> None:
    if entries != len(videos):
        raise LabelError(
            "this label file is for another number of test videos",
            path=path,
            seen=f"{entries} entries",
            wanted=f"{len(videos)}, for {videos[0]} to {videos[-1]}" if videos else "0",
        )


def _from_spans(path: Path, video: str, count: int, spans: Iterable[tuple[int, int]]) -> Labels:
    """Turn spans counted from 1 with inclusive ends into labels."""
    labels = np.zeros(count, bool)
    for first, last in spans:
        if not 1 <= first <= last <= count:
            raise LabelError(
                f"the labels of video {video} do not fit it",
                path=path,
                seen=f"frames {first}-{last}, counted from 1",
                wanted=f"within 1-{count}",
                hint="frames are missing from the video's folder, or the labels are of another set",
            )
        labels[first - 1 : last] = True
    return labels
