"""Whether one run's alarms find more than another's, on the same draws of videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation import metrics
from oddframe.evaluation.event_curve import EventCurve, Lines
from oddframe.evaluation.event_figures import OWN
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.alarms import AlarmRule

LINES: Mapping[str, float | None] = {OWN: None, "6": 6.0, "1": 1.0}
"""Line → false alarms an hour at which each run has it; None for each run's own line."""


class EventDifference(TypedDict):
    """Recall of stretches (0..1; the mean over folds where there are several) at a line of either run."""

    first: float
    second: float
    difference: float
    """Second less first: positive where the second run finds more."""
    interval: list[float] | None
    """95 % of draws of other videos have their difference in here; None where draws tell nothing."""
    false_per_hour: list[float] | None
    """Of the first and of the second run there; None without a clock."""


class Side(NamedTuple):
    """One run on one fold: all frames that it has judged, and what makes its alarms."""

    videos: Sequence[JudgedVideo]
    rule: AlarmRule


def event_differences(
    folds: Sequence[tuple[Side, Side]], names: Sequence[str], drawn: NDArray[np.float64]
) -> dict[str, EventDifference]:
    """Compare the recall of two runs at their own lines, and at lines that give 6 and 1 false alarms an hour.

    Alarms are not cut where only one side has a score for the first frames of a video: each side has its own.

    Args:
        folds: both sides of each, with the same videos in the same order. names: of all videos.
        drawn: (R, names) how often each video is in each draw; for both sides the same.

    Returns:
        "own", "6" and "1"; those of rates only where times are known. Nothing where a fold has no labelled stretch.
    """
    curves = [[EventCurve(side.videos, side.rule) for side in fold] for fold in folds]
    if any(not curve.labelled[0].sum() for fold in curves for curve in fold):
        return {}
    timed = all(curve.hours.sum() > 0 for fold in curves for curve in fold)
    columns = [drawn[:, [names.index(video.name) for video in fold[0].videos]] for fold in folds]
    return {
        name: _difference(curves, columns, rate, timed=timed, enough=len(names) >= metrics.LEAST_VIDEOS)
        for name, rate in LINES.items()
        if rate is None or timed
    }


def _difference(
    curves: Sequence[Sequence[EventCurve]],
    columns: Sequence[NDArray[np.float64]],
    rate: float | None,
    *,
    timed: bool,
    enough: bool,
) -> EventDifference:
    own, false, resampled = [], [], []
    for fold, weights in zip(curves, columns, strict=True):
        lines = [_line(curve, rate, weights) for curve in fold]
        pairs = list(zip(fold, lines, strict=True))
        own.append([curve.found[0, :, at.column].sum() / curve.labelled[0].sum() for curve, at in pairs])
        false.append([curve.false[:, at.column].sum() / curve.hours.sum() for curve, at in pairs] if timed else [])
        everything = np.ones(weights.shape[1], bool)
        one, other = (curve.recall(0, at, everything, weights) for curve, at in pairs)
        resampled.append(other - one)
    first, second = np.mean(own, axis=0).tolist()
    interval = metrics.spread(np.mean(resampled, axis=0)) if enough else None
    return {
        "first": first,
        "second": second,
        "difference": second - first,
        "interval": None if interval is None else list(interval),
        "false_per_hour": np.mean(false, axis=0).tolist() if timed else None,
    }


def _line(curve: EventCurve, rate: float | None, weights: NDArray[np.float64]) -> Lines:
    return curve.own if rate is None else curve.at_rates([rate], weights)[0]
