"""Frames that all detectors of a table score: a video's first and last ones have none where windows are wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from oddframe.detectors import detector_entry
from oddframe.evaluation.judge import judge
from oddframe.evaluation.stored import JudgedVideo
from oddframe.reproduce.rows import ROWS


class Window(NamedTuple):
    """Frames of a video without a score: so many at its beginning, so many at its end."""

    before: int
    after: int

    @property
    def key(self) -> str:
        return f"{self.before}-{self.after}"


@cache
def window_of(detector: str) -> Window:
    """The window of a detector. This loads torch."""
    window = detector_entry(detector).load().window
    return Window(window.before, window.after)


@cache
def common_window(what: str) -> Window:
    """The widest window of all rows of a table or figure, whether they are asked for or not."""
    windows = [window_of(row.detector) for row in ROWS[what] if row.detector is not None]
    return Window(max(one.before for one in windows), max(one.after for one in windows))


def common_figures(videos: Sequence[JudgedVideo], detector: str) -> dict[str, Mapping[str, Any]]:
    """Window (as a key) → AUC of each score on the frames that this window leaves, for the windows of all tables.

    There is none where no video is so long that a frame is left.
    """
    own = window_of(detector)
    figures = {}
    for window in {common_window(what) for what in ROWS}:
        kept = [narrowed(video, window.before - own.before, window.after - own.after) for video in videos]
        figures[window.key] = judge(kept).auc if any(len(video.scores) for video in kept) else {}
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
    )
    return replace(video, labels=video.labels[taken], scores=kept)
