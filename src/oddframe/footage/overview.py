"""What there is of all videos that were scored together: one table of events, one page."""

from __future__ import annotations

import contextlib
import csv
import io
import tempfile
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from oddframe.errors import MissingExtraError, MissingPathError
from oddframe.files import write_text
from oddframe.footage.folder import FILES, ScoredVideo
from oddframe.footage.summary import Summary
from oddframe.footage.tables import write_events
from oddframe.plain import Json
from oddframe.progress import Progress, Watcher
from oddframe.reporting.render import render
from oddframe.reporting.words import count
from oddframe.storage.place import Place
from oddframe.storage.remote import Remote

EVENTS, PAGE = "events.csv", "index.html"

_POINTS = 300
"""Of the small curve of each video."""


def write_overview(parent: Place, videos: Sequence[ScoredVideo], watch: Watcher) -> None:
    """Write events.csv and index.html beside the folders of the videos.

    Raises:
        StorageError: they cannot be written.
    """
    if not any(one.summary for one in videos):
        return
    with contextlib.ExitStack() as stack:
        if isinstance(parent, Path):
            inside, files = parent, None
        else:
            inside, files = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oddframe-"))), parent.files()
        _write_into(inside, parent, files, videos, watch)
        if isinstance(parent, Remote):
            for path in sorted(inside.iterdir()):
                (parent / path.name).upload(str(path))


def _write_into(
    inside: Path, parent: Place, files: Container[str] | None, videos: Sequence[ScoredVideo], watch: Watcher
) -> None:
    """Write both files into a folder of this machine. files: what there is below `parent`, where it is elsewhere."""
    there = [(one, one.summary) for one in videos if one.summary is not None]
    write_events(inside / EVENTS, [(one.name, summary) for one, summary in there], named=True)
    shared = [note for note in there[0][1].notes if all(note in summary.notes for _, summary in there)]
    rows = [_row(parent, files, one, shared) for one in videos]
    events = sum(len(summary.events) for _, summary in there)
    try:
        page = render(
            "footage.html.jinja",
            curves=[],
            title=f"{count(len(videos), 'video')}, {count(events, 'event')}",
            rows=rows,
            notes=shared,
            failed=len(videos) - len(there),
            frames=sum(summary.frames for _, summary in there),
        )
    except MissingExtraError as error:
        watch(Progress("warning", 0, 0, f"the page of all videos is not made: {error.problem} ({error.hint})"))
        return
    write_text(inside / PAGE, page)


@dataclass(frozen=True)
class _SmallCurve:
    """The score over a video as points of a picture of 1000 x 100, and the height of the alarm line in it."""

    points: str
    line: str


@dataclass(frozen=True)
class _Row:
    """A video on the page. `failed`: why it was not scored; all below is of one that was. `events`: with the address of
    the picture of each."""

    name: str
    failed: str = ""
    page: str = ""
    summary: Summary | None = None
    notes: Sequence[str] = ()
    curve: _SmallCurve | None = None
    events: Sequence[Json] = ()


def _row(parent: Place, files: Container[str] | None, one: ScoredVideo, shared: Sequence[str]) -> _Row:
    if one.summary is None:
        return _Row(one.name, failed="not known why" if one.error is None else one.error.in_one_line())
    page, clips = one.folder / FILES["report"], one.folder / FILES["clips"]
    return _Row(
        one.name,
        page=_link(parent, files, page),
        summary=one.summary,
        notes=[note for note in one.summary.notes if note not in shared],
        curve=_curve(one.folder / FILES["scores"], one.summary.line.on),
        events=[
            event.to_dict() | {"number": number, "picture": _link(parent, files, clips / f"event-{number:03}.jpg")}
            for number, event in enumerate(one.summary.events, 1)
        ],
    )


def _link(parent: Place, files: Container[str] | None, file: Place) -> str:
    """A file as an address within the page's folder; "" where it is not there."""
    if not isinstance(file, Path) or not isinstance(parent, Path):
        way = str(file).removeprefix(f"{parent}/")
        return quote(way) if files is not None and way in files else ""
    return quote(file.relative_to(parent).as_posix()) if file.is_file() and file.is_relative_to(parent) else ""


def _curve(table: Place, line: float) -> _SmallCurve | None:
    """The score over the video as points of a picture of 1000 x 100, with the alarm line half way up, as on the page of
    the video; None where the table cannot be read."""
    try:
        with io.StringIO(table.read().decode()) if isinstance(table, Remote) else table.open(encoding="utf-8") as file:
            scores = [float(row["online"]) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error, MissingPathError):
        return None
    if not scores:
        return None
    step = -(-len(scores) // _POINTS)
    pieces = [max(scores[begin : begin + step]) for begin in range(0, len(scores), step)]
    across = 1000 / max(len(pieces) - 1, 1)
    points = (f"{place * across:.0f},{95 - 91 * _height(value, line):.1f}" for place, value in enumerate(pieces))
    return _SmallCurve(" ".join(points), f"{95 - 91 * 0.5:.1f}")


def _height(score: float, line: float) -> float:
    score = max(score, 0.0)
    return score / (score + line) if line > 0 else 0.0
