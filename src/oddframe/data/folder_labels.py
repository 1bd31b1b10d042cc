"""`labels.csv` and `masks/` of the kind `folder`: whose they are, and what they say.

Videos may be called with or without ending, scene and part: "gate/walk.mp4", "gate/walk", "walk", "test/gate/walk". A
call that fits several videos is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from oddframe.data.label_files import WHAT, is_flat, read_label_file, read_vector
from oddframe.data.labels import LabelSource
from oddframe.data.mask_volumes import PackedMasks
from oddframe.data.tables import QUOTED, Line, column_names, read_lines
from oddframe.data.videoset import LabelledSpan, Labels, Masks
from oddframe.errors import LabelCountError, LabelError, MissingPathError, SettingsError, nearest
from oddframe.video.discover import printable
from oddframe.video.source import PICTURE_SUFFIXES, Video, list_pictures, parse_position

Rows = Mapping[int, tuple[LabelledSpan, ...]]

COLUMNS: tuple[str, ...] = ("video", "start", "end", "class")
LEFT_OUT = 4
"""Frames at the beginning of each video that DMAD's label files leave out."""

_MASK_SUFFIXES = PICTURE_SUFFIXES


@dataclass(frozen=True)
class ListedVideo:
    """A video of the folder: part, scene ("" for none), name with its scene, and the video."""

    part: str
    scene: str
    name: str
    video: Video

    @property
    def calls(self) -> tuple[frozenset[str], ...]:
        """Names by which it may be called, the most exact ones first."""
        file = printable(self.video.path.name)
        whole = frozenset({self.name, f"{self.scene}/{file}" if self.scene else file})
        return (
            frozenset(f"{self.part}/{call}" for call in whole),
            whole,
            frozenset({file, self.name.rpartition("/")[2]}),
        )


class _Calls:
    """What videos are called, each name looked up once for all lines of a file."""

    def __init__(self, listed: Sequence[ListedVideo]) -> None:
        self.listed = listed
        self._levels: tuple[dict[str, list[int]], ...] = ({}, {}, {})
        for place, one in enumerate(listed):
            for level, calls in zip(self._levels, one.calls, strict=True):
                for call in calls:
                    level.setdefault(call, []).append(place)

    def match(self, call: str, where: str) -> int:
        """Place of the one video that is called so.

        Raises:
            LabelError: none is, or several are.
        """
        word, said = call.replace("\\", "/").removeprefix("./").strip("/"), call[:QUOTED]
        places = next((level[word] for level in self._levels if word in level), [])
        if len(places) == 1:
            return places[0]
        if places:
            raise LabelError(
                f"'{said}' is the name of several videos",
                path=where,
                seen=", ".join(f"{self.listed[place].part}/{self.listed[place].name}" for place in places[:4]),
                wanted="the name of one, with its part and scene",
            )
        names = [one.name for one in self.listed]
        raise LabelError(
            f"no video is called '{said}'",
            path=where,
            wanted=f"one of {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}",
            hint=nearest(said, names),
        )


def read_rows(path: Path, name: str, listed: Sequence[ListedVideo]) -> tuple[Rows, tuple[str, ...]]:
    """Read a file like `labels.csv`: place in `listed` -> its spans, counted as the video's labels are.

    A line with a video alone (`calm,,`) gives it no span: nothing is odd in it. The first line may name the columns;
    without that they are video, start, end, class. Commas or semicolons.

    Args:
        path: the file. name: how it is called in messages.

    Returns:
        The rows, and notes: which columns mean nothing here.

    Raises:
        MissingPathError: no such file.
        LabelError: a line that cannot be read or does not fit its video; the line is named.
    """
    if not path.is_file():
        raise MissingPathError("there is no such label file", path=path, wanted="a file like labels.csv")
    lines = read_lines(path, WHAT, ",".join(COLUMNS))
    columns, known = COLUMNS, _Calls(listed)
    notes: tuple[str, ...] = ()
    if lines and _names_columns(lines[0].words):
        columns = column_names(lines.pop(0), COLUMNS[:3], COLUMNS[3:], "leave out the line with the names")
        if unread := [column for column in columns if column not in COLUMNS]:
            notes = (f"{name}: columns that mean nothing here and are not read: {', '.join(unread)}",)
    spans: dict[int, list[LabelledSpan]] = {}
    for line in lines:
        place, span = _read_row(line, columns, known)
        spans.setdefault(place, []).extend([] if span is None else [span])
    return {
        place: tuple(sorted(found, key=lambda span: (span.start, span.end))) for place, found in spans.items()
    }, notes


def read_all_test(path: Path, name: str, listed: Sequence[ListedVideo]) -> tuple[LabelSource, str]:
    """Read a label file of all test videos, one after another in natural order, as public sets and their code have it.

    One form leaves out the first frames of each video, which get no score (DMAD's, 4 of them). There they are labelled
    as the first frame that has a label.

    Args:
        path: a .npy, .m or .mat file. name: how it is called in messages.

    Returns:
        Labels of the test videos, and a note that says how the file was read.

    Raises:
        LabelError: no test video, a damaged file, or one of another length.
    """
    test = [one for one in listed if one.part == "test"]
    if not test:
        raise LabelError(
            "this label file is for test videos, and none is here",
            path=path,
            wanted="videos in test/, or a table: " + ",".join(COLUMNS),
        )
    videos, counts = [one.name for one in test], [one.video.frame_count for one in test]
    order = f"{len(videos)} test videos in natural order ({', '.join(videos[:5])}{', ...' if len(videos) > 5 else ''})"
    note = f"{name}: labels of the {order}"
    try:
        said = read_label_file(path, name, videos, counts).labels
    except LabelCountError as error:
        if not is_flat(path):
            raise
        said = _without_the_first(path, counts, order, error)
        note += f" without the first {LEFT_OUT} frames of each, which are taken to be as the first one that has a label"
    labels = iter(said)
    return LabelSource(name, tuple(next(labels) if one.part == "test" else None for one in listed)), note


def read_mask_folders(root: Path, listed: Sequence[ListedVideo]) -> dict[int, Masks]:
    """Give each video the folder of masks below `root`, or the packed .npz of masks, that bears its name.

    Raises:
        LabelError: a folder that no video or several videos are called like, or a mask for no frame.
        FrameSizeError: packed masks of another size than the frames.
    """
    found: dict[int, Masks] = {}
    known = _Calls(listed)
    for folder in sorted({path.parent for path in root.rglob("*") if path.suffix.lower() in _MASK_SUFFIXES}):
        place = known.match(folder.relative_to(root).as_posix(), str(folder))
        if place in found:
            raise LabelError(f"two folders of masks are for '{listed[place].name}'", path=folder, wanted="one")
        found[place] = _masks_of(folder, listed[place].video)
    for file in sorted(root.rglob("*.npz")):
        place = known.match(file.relative_to(root).with_suffix("").as_posix(), str(file))
        if place in found:
            raise LabelError(f"two files or folders of masks are for '{listed[place].name}'", path=file, wanted="one")
        video = listed[place].video
        masks = PackedMasks.of(file, video.source_frame_count, video.size, video.first_index)
        kept = {frame: path for frame, path in masks.paths.items() if frame < video.frame_count}
        found[place] = replace(masks, paths=kept)
    return found


def read_conditions(path: Path, listed: Sequence[ListedVideo]) -> Mapping[int, Mapping[str, str]]:
    """Read `conditions.csv`: place in `listed` -> what holds for the whole video, by the names of the columns.

    The first line names the columns: video, and any others, such as light and weather. An empty cell says nothing.
    Commas or semicolons.

    Raises:
        LabelError: a file that is no such table, or a line that does not fit a video; the line is named.
    """
    lines = read_lines(path, "this file of conditions", "video,light,weather")
    found: dict[int, Mapping[str, str]] = {}
    known = _Calls(listed)
    columns = column_names(lines.pop(0), COLUMNS[:1]) if lines else ()
    if of_labels := [column for column in COLUMNS[1:] if column in columns]:
        raise LabelError(
            f"the column {of_labels[0]} is of labels",
            path=path,
            seen=", ".join(columns)[:QUOTED],
            wanted="what holds for a whole video, for example video,light,weather",
            hint="spans of frames stand in labels.csv",
        )
    for line in lines:
        if len(line.words) < len(columns) or any(line.words[len(columns) :]):
            raise LabelError(
                "this line has another number of cells than there are columns",
                path=line.where,
                seen=line.said,
                wanted=", ".join(columns),
            )
        said = {name: word for name, word in zip(columns, line.words, strict=False) if word}
        place = known.match(said.pop("video", ""), line.where)
        if place in found:
            raise LabelError(f"two lines are for '{listed[place].name}'", path=line.where, wanted="one")
        found[place] = said
    return found


def _without_the_first(path: Path, counts: Sequence[int], order: str, misfit: LabelCountError) -> tuple[Labels, ...]:
    """Read a flat file that leaves out the first frames of each video; else say which lengths would fit."""
    values, short = read_vector(path), [count - LEFT_OUT for count in counts]
    if min(short) < 1 or len(values) != sum(short):
        raise LabelCountError(
            misfit.problem,
            path=path,
            seen=misfit.seen,
            wanted=f"{sum(counts)}, one a frame of the {order}; or {LEFT_OUT} fewer a video, without their first ones",
            hint="take the labels of just these videos, or write a table: " + ",".join(COLUMNS),
        ) from None
    parts = np.split(values, np.cumsum(short)[:-1])
    return tuple(np.concatenate([part[:1].repeat(LEFT_OUT), part]) for part in parts)


def _names_columns(words: Sequence[str]) -> bool:
    """Whether a first line names columns, be they the right ones or not: where a label has numbers, it has words.

    >>> [_names_columns(line.split(",")) for line in ("file,from,to", "gate,00:04.8,120", "calm,,")]
    [True, False, False]
    """
    known = {word.lower() for word in words} & set(COLUMNS)
    places = [word for word in words[1:3] if word]
    return len(known) > 1 or (bool(places) and not any(letter.isdigit() for word in places for letter in word))


def _read_row(line: Line, columns: Sequence[str], known: _Calls) -> tuple[int, LabelledSpan | None]:
    words, where = line.words, line.where
    cells = dict(zip(columns, words, strict=False))
    whole = len(words) >= 3 and not any(words[len(columns) :]) and cells.get("video")
    if whole and not (cells.get("start") or cells.get("end") or cells.get("class")):
        return known.match(cells["video"], where), None
    if not whole or not all(cells.get(column) for column in COLUMNS[:3]):
        raise LabelError(
            "this line is no label",
            path=where,
            seen=line.said,
            wanted="video, start, end[, class]; or video,, where nothing is odd",
        )
    place = known.match(cells["video"], where)
    video = known.listed[place].video
    start, end = (_frame(cells[column], video, where, is_end=column == "end") for column in ("start", "end"))
    if start >= end:
        raise LabelError(
            f"this span of '{known.listed[place].name}' holds no frame",
            path=where,
            seen=f"{cells['start']} to {cells['end']}",
            wanted="a start before its end; the end is exclusive",
        )
    # Labels count from the first frame that is read, which is not the source's first where a range is given.
    start, end = (min(max(frame - video.first_index, 0), video.frame_count) for frame in (start, end))
    return place, LabelledSpan(start, end, cells.get("class") or None) if start < end else None


def _frame(text: str, video: Video, where: str, *, is_end: bool) -> int:
    """Return the source's frame number of a cell."""
    try:
        position = parse_position(text)
        frame = video.frame_at(position)
    except SettingsError as error:
        raise LabelError(error.problem, path=where, seen=error.seen, wanted=error.wanted, hint=error.hint) from error
    count = video.source_frame_count
    if isinstance(position, int):
        beyond, last = position > count, f"frame {count}"
    else:
        times = video.times_s()
        length = 0.0 if times is None else float(times[-1])
        # The last frame lasts a while itself, and people round up to the second.
        beyond, last = position > length + 1, f"{length:.2f} s"
    if beyond or (frame >= count and not is_end):
        raise LabelError(
            f"this {'end' if is_end else 'start'} lies behind the end of '{video.name}'",
            path=where,
            seen=text,
            wanted=f"at most {last}, counted from 0",
        )
    return frame


def _masks_of(folder: Path, video: Video) -> Masks:
    paths: dict[int, Path] = {}
    for picture in list_pictures(folder):
        numbers = re.findall(r"\d+", picture.stem)
        frame = int(numbers[-1]) if numbers else -1
        if not 0 <= frame < video.source_frame_count:
            raise LabelError(
                f"this mask is for no frame of '{video.name}'",
                path=picture,
                seen=f"frame {frame}" if numbers else "a name without a number",
                wanted=f"0 to {video.source_frame_count - 1}",
                hint="a mask is named by the number of its frame, counted from 0",
            )
        if frame - video.first_index in paths:
            raise LabelError(f"two masks are for frame {frame} of '{video.name}'", path=picture, wanted="one")
        paths[frame - video.first_index] = picture
    return Masks({frame: path for frame, path in paths.items() if 0 <= frame < video.frame_count}, video.size)
