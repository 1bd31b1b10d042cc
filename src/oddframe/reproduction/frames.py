"""Frames that all detectors of a table score: a video's first and last ones have none where windows are wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from oddframe.detectors import detector_entry
from oddframe.evaluation.figures import Auc, Named
from oddframe.evaluation.judge import judge
from oddframe.evaluation.stored import JudgedVideo
from oddframe.reproduction.rows import ROWS, Row

if TYPE_CHECKING:
    from oddframe.models.detector import Window


@cache
def window_of(detector: str) -> Window:
    """The window of a detector. This loads torch."""
    window: Window = detector_entry(detector).load().window
    return window


@cache
def common_window(what: str) -> Window:
    """The widest window of all rows of a table or figure, asked for or not, but for those that stand apart."""
    windows = [window_of(row.detector) for row in ROWS[what] if row.detector is not None and not row.apart]
    return windows[0]._replace(before=max(one.before for one in windows), after=max(one.after for one in windows))


def window_key(window: Window) -> str:
    """How a window is called in a cell.

    >>> from oddframe.models.detector import Window
    >>> window_key(Window(9, 7))
    '9-7'
    """
    return f"{window.before}-{window.after}"


def common_figures(videos: Sequence[JudgedVideo], row: Row) -> dict[str, Named[Auc]]:
    """Window (as a key) → AUC of each score on the frames that this window leaves, for the windows of all tables.

    There is none where no video is so long that a frame is left, and of a row that stands apart.
    """
    if row.detector is None or row.apart:
        return {}
    own = window_of(row.detector)
    figures: dict[str, Named[Auc]] = {}
    for window in {common_window(what) for what in ROWS}:
        kept = [narrowed(video, window.before - own.before, window.after - own.after) for video in videos]
        figures[window_key(window)] = judge(kept).auc if any(len(video.scores) for video in kept) else Named[Auc]({})
    return figures


def narrowed(video: JudgedVideo, first: int, last: int) -> JudgedVideo:
    """A video without so many of its first and last judged frames; none is left of one that is too short."""
    scores = video.scores
    taken = slice(first, max(first, len(scores) - last))
    kept = replace(
        scores,
        frame=scores.frame[taken],
        time_s=None if scores.time_s is None else scores.time_s[taken],
        online=scores.online[taken],
        paper=None if scores.paper is None else scores.paper[taken],
        learned=scores.learned[taken],
        raw={name: values[taken] for name, values in scores.raw.items()},
        calibrated={name: values[taken] for name, values in scores.calibrated.items()},
        anew=None if scores.anew is None else scores.anew[taken],
    )
    return replace(video, labels=video.labels[taken], scores=kept)
