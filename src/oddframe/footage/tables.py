"""Events as a table: of one video, and of all that were scored together."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from oddframe.files import write_text
from oddframe.footage.summary import Summary

_COLUMNS = ("event", "start", "end", "start_s", "end_s", "peak", "peak_s", "score", "repeats")
_BOX = ("x", "y", "width", "height")
_TIMES = ("start_at", "end_at", "peak_at")


def write_events(path: Path | str, videos: Iterable[tuple[str, Summary]], *, named: bool = False) -> Path:
    """Write one row an event: its number in its video, frames [start, end) and peak, their seconds and times of day
    where known, score, repeats, box.

    Args:
        videos: (name, summary) of each. named: whether a first column says the video.

    Raises:
        StorageError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*(("video", "scene") if named else ()), *_COLUMNS, *_BOX, *_TIMES))
    for name, summary in videos:
        whose = (name, summary.scene) if named else ()
        for number, event in enumerate(summary.events, 1):
            writer.writerow(
                (
                    *whose,
                    number,
                    *(_shown(column, event[column]) for column in _COLUMNS[1:]),
                    *("" if event.box is None else event.box[side] for side in _BOX),
                    *(event[moment] or "" for moment in _TIMES),
                )
            )
    return write_text(Path(path), text.getvalue())


def _shown(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column.endswith("_s"):
        return f"{value:.3f}"
    return f"{value:.4g}" if column == "score" else str(value)
