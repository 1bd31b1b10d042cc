"""Label files of all test videos, as they come with the public sets.

    .m    the UCSD archives' own list: `gt_frame = [60:152, 160]`, counted from 1, ends inclusive
    .npy  one value a frame, all test videos one after another, (N,) or (1, N)
    .mat  Frame-Pred's cell `gt`: a 2xK array of first and last frames a video, counted from 1, ends inclusive

What a file is shows in its first bytes, not in its name. No file is believed in what it says of its own length, and
nothing here unpickles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.arrays import map_array
from oddframe.data.labels import LabelSource
from oddframe.data.matlab import open_cell
from oddframe.data.tables import QUOTED
from oddframe.data.videoset import Labels
from oddframe.errors import LabelCountError, LabelError, MissingPathError
from oddframe.files import read_bytes

WHAT = "this label file"
COPY = "copy it again from where it came from"

_ARRAY, _PICKLE = b"\x93NUMPY", b"\x80"
_MATLAB = (b"MATLAB ", b"\x89HDF")
_LIST = b"gt_frame"

_HEAD_BYTES = 10_000
_LIST_BYTES = 1 << 20
_SPANS_BYTES = 1 << 20
"""Of one video in a .mat: 65,536 spans of the largest numbers."""


def is_label_file(path: Path) -> bool:
    """Whether a file looks like one that `read_label_file` reads, by its first bytes. A pickle does, to be refused."""
    head = _head(path)
    return head.startswith((_ARRAY, _PICKLE, *_MATLAB)) or _LIST in head


def is_flat(path: Path) -> bool:
    """Whether a file is a `.npy`, which has one value a frame."""
    return _head(path).startswith(_ARRAY)


def read_label_file(path: Path, name: str, videos: Sequence[str], counts: Sequence[int]) -> LabelSource:
    """Read labels of all test videos from one file.

    Args:
        path: a .m, .npy or .mat file.
        name: how the source is called in messages.
        videos: names of the test videos in natural order, which is the order of the file.
        counts: their numbers of frames.

    Raises:
        MissingPathError: no such file.
        LabelError: not a label file, a damaged one, or it does not fit the videos.
    """
    if not path.is_file():
        raise MissingPathError("there is no such label file", path=path, wanted="a .m, .npy or .mat file")
    head = _head(path)
    if head.startswith((_ARRAY, _PICKLE)):
        labels = _from_array(path, videos, counts)
    elif head.startswith(_MATLAB):
        labels = _from_mat(path, videos, counts)
    elif _LIST in head:
        labels = _from_m(path, videos, counts)
    else:
        raise LabelError(
            "this file holds no labels of a known form",
            path=path,
            seen=repr(head[:16]),
            wanted="a .m with gt_frame, a .npy with one value a frame, or a .mat with a cell gt",
        )
    return LabelSource(name, tuple(labels))


def load_array(path: Path) -> NDArray[np.generic]:
    """Open a .npy without reading it into memory, and without ever unpickling.

    Raises:
        LabelError: no .npy, a damaged one, or a pickle.
    """
    head = _head(path)
    if head.startswith(_PICKLE) or b"'descr': '|O'" in head[:200]:
        raise LabelError(
            "this file is a pickle, which cannot be read safely: reading one may run anything",
            path=path,
            wanted="a plain .npy of numbers",
            hint="take the file from the set's own archive, or remove it and name sound labels with --labels",
        )
    return map_array(path, WHAT, error=LabelError, hint=COPY)


def read_vector(path: Path) -> Labels:
    """Read a .npy of 0 and 1, (N,) or (1, N), as (N,) bool.

    Raises:
        LabelError: a file of another form, a damaged one, or a pickle.
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
        raise LabelError("labels are 0 or 1", path=path, seen=np.unique(values)[:4].tolist(), wanted="0 and 1")
    return np.array(values.reshape(-1), bool)


def _from_array(path: Path, videos: Sequence[str], counts: Sequence[int]) -> list[Labels]:
    values = read_vector(path)
    if len(values) != sum(counts):
        raise LabelCountError(
            "this label file has another number of values than the test videos have frames",
            path=path,
            seen=f"{len(values)} values",
            wanted=f"{sum(counts)}, for {len(videos)} videos",
            hint="labels need one value a frame, also for the first frames, which get no score",
        )
    return np.split(values, np.cumsum(counts)[:-1])


def _from_m(path: Path, videos: Sequence[str], counts: Sequence[int]) -> list[Labels]:
    raw = read_bytes(path, _LIST_BYTES, WHAT, error=LabelError)
    text = re.sub(r"%[^\n]*", "", raw.decode("latin-1"))
    entries = re.findall(r"gt_frame\s*=\s*\[([^][]*)\]", text)
    _same_number(path, len(entries), videos)
    labels = []
    for entry, video, count in zip(entries, videos, counts, strict=True):
        spans = []
        listed = " ".join(re.split(r"[,;\s]+", entry.strip()))
        for word in re.sub(" ?: ?", ":", listed).split():
            match = re.fullmatch(r"(\d{1,9})(?::(\d{1,9}))?", word, re.ASCII)
            if match is None:
                raise LabelError(
                    f"the frames of video {video} cannot be read",
                    path=path,
                    seen=f"[{listed[:QUOTED]}]",
                    wanted="[first:last, ...]",
                )
            spans.append((int(match[1]), int(match[2] or match[1])))
        labels.append(_from_spans(path, video, count, spans))
    return labels


def _from_mat(path: Path, videos: Sequence[str], counts: Sequence[int]) -> list[Labels]:
    number, cells = open_cell(path, "gt", _SPANS_BYTES)
    _same_number(path, number, videos)
    labels = []
    for cell, video, count in zip(cells, videos, counts, strict=True):
        ends = cell.reshape(2, 1) if cell.size == 2 else cell
        if ends.size and ends.shape[0] != 2:
            raise LabelError(f"the cell of video {video} is not 2xK", path=path, seen=ends.shape, wanted="(2, K)")
        if not (np.isfinite(ends).all() and (ends == np.trunc(ends)).all()):
            raise LabelError(
                f"the frames of video {video} cannot be read",
                path=path,
                seen=str(ends.tolist())[:QUOTED],
                wanted="whole numbers: first and last frames",
                hint=COPY,
            )
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
            raise LabelCountError(
                f"the labels of video {video} do not fit it",
                path=path,
                seen=f"frames {first}-{last}, counted from 1",
                wanted=f"within 1-{count}",
                hint="frames are missing from the video's folder, or the labels are of another set",
            )
        labels[first - 1 : last] = True
    return labels


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise LabelError(f"{WHAT} cannot be read", path=path, seen=error.strerror or str(error)) from None
