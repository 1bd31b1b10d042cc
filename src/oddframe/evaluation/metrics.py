"""Scores beside labels become figures. Higher is odder; True is abnormal.

scikit-learn is the judge of everything that is quoted (it is loaded when a figure is asked for). Only the
resampling of videos counts for itself, by `Pairs`, and a test holds it to scikit-learn's value.

A figure that is undefined is None: an AUC needs frames of both classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import MissingExtraError, RunError

Labels = NDArray[np.bool_]
Values = NDArray[np.floating[Any]]


class Video(NamedTuple):
    """The judged frames of one video: labels (N,) bool and scores (N,), higher is odder."""

    labels: Labels
    scores: Values


class AtLine(NamedTuple):
    """What a line does: the share of normal frames above it, and of abnormal frames (recall). None without any."""

    normal_above: float | None
    recall: float | None


class Traced(NamedTuple):
    """What every line through the scores does, from the highest line down: two rows of shares, 0..1, a point a line."""

    across: NDArray[np.float64]
    up: NDArray[np.float64]


def auc(video: Video, weights: Values | None = None) -> float | None:
    """Area under the ROC curve, 0..1: how often an abnormal frame scores above a normal one; a tie counts half.

    Args:
        weights: (N,) how much each frame counts; all alike without it.

    Raises:
        RunError: a score is not a finite number. MissingExtraError: scikit-learn is not installed.

    >>> auc(Video(np.array([False, True, True]), np.array([0.1, 0.1, 0.9])))
    0.75
    """
    labels, scores = _checked(video)
    return float(_judge().roc_auc_score(labels, scores, sample_weight=weights)) if _has_both(labels) else None


def average_precision(video: Video) -> float | None:
    """Mean precision over the recall steps, 0..1. Raises as `auc`."""
    labels, scores = _checked(video)
    return float(_judge().average_precision_score(labels, scores)) if _has_both(labels) else None


def equal_error_rate(video: Video) -> float | None:
    """Share of errors at the line where normal and abnormal frames are mistaken equally often, 0..1 (0 is perfect).

    Between two points of the ROC curve it lies on the straight line that joins them. Raises as `auc`.
    """
    labels, scores = _checked(video)
    if not _has_both(labels):
        return None
    false, true, _ = _judge().roc_curve(labels, scores, drop_intermediate=False)
    gap = false - (1 - true)  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    if gap[after] == 0:
        return float(false[after])
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(false[after - 1] + share * (false[after] - false[after - 1]))


def roc_curve(video: Video) -> Traced | None:
    """Shares of normal frames (across) and of abnormal frames (up) at or above each line, from (0, 0) to (1, 1).

    Points on a straight line between two others are left out, so that the area below is `auc`. Raises as `auc`.

    >>> roc_curve(Video(np.array([False, True, True]), np.array([0.1, 0.1, 0.9]))).up
    array([0. , 0.5, 1. ])
    """
    labels, scores = _checked(video)
    if not _has_both(labels):
        return None
    false, true, _ = _judge().roc_curve(labels, scores)
    return Traced(false, true)


def precision_curve(video: Video) -> Traced | None:
    """Recall (across, ascending) and precision (up): of the frames at or above each line, the share that is abnormal.

    A step curve: the precision of a point holds back to the recall of the point before it, the first one's to 0. So
    the area below is `average_precision`. Raises as `auc`.
    """
    labels, scores = _checked(video)
    if not _has_both(labels):
        return None
    precision, recall, _ = _judge().precision_recall_curve(labels, scores, drop_intermediate=True)
    return Traced(recall[-2::-1], precision[-2::-1])  # the last point is none of a line


def pooled(videos: Sequence[Video]) -> Video:
    """All frames of all videos as one: what the micro AUC is taken over."""
    if not videos:
        return Video(np.zeros(0, bool), np.zeros(0))
    return Video(np.concatenate([v.labels for v in videos]), np.concatenate([v.scores for v in videos]))


def macro_auc(videos: Mapping[str, Video]) -> tuple[float | None, list[str]]:
    """Mean of the videos' own AUCs, and the videos that have none since all their frames are of one class.

    Raises:
        RunError: a score is not a finite number. MissingExtraError: scikit-learn is not installed.
    """
    own = {name: auc(video) for name, video in videos.items()}
    defined = [value for value in own.values() if value is not None]
    return (float(np.mean(defined)) if defined else None), [name for name, value in own.items() if value is None]


class Pairs:
    """Pairs of an abnormal and a normal frame, by their videos: the AUC of any draw of videos without sorting anew.

    With W[i, j] the pairs (abnormal frame of video i, normal frame of video j) in the right order (ties count half), P
    and N the numbers of abnormal and normal frames, and c how often each video was drawn, it is c'Wc / (c'P · c'N).

    Raises:
        RunError: a score is not a finite number.
    """

    def __init__(self, videos: Sequence[Video]) -> None:
        checked = [_checked(video) for video in videos]
        self._wins = _wins(checked)
        self._odd = np.array([labels.sum() for labels, _ in checked], np.float64)
        self._normal = np.array([(~labels).sum() for labels, _ in checked], np.float64)

    def auc(self, drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        """Micro AUCs of draws: (R, V) how often each video was drawn → (R,), NaN where frames are of one class."""
        pairs = (drawn @ self._odd) * (drawn @ self._normal)
        ordered = np.einsum("rv,vw,rw->r", drawn, self._wins, drawn, optimize=True)
        values = np.full(len(drawn), np.nan)
        np.divide(ordered, pairs, out=values, where=pairs > 0)
        return values


LEAST_VIDEOS = 5
"""Of fewer, draws with replacement are too few different ones to tell what other videos would do."""


def draws(videos: int, rng: np.random.Generator, resamples: int) -> NDArray[np.float64]:
    """How often each video is in each draw of as many, with replacement: (resamples, videos)."""
    return rng.multinomial(videos, np.full(videos, 1 / videos), size=resamples).astype(np.float64)


def spread(values: NDArray[np.float64], level: float = 0.95) -> tuple[float, float] | None:
    """The interval that holds this share of the values, NaN left out; None without any."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interval(
    videos: Sequence[Video], rng: np.random.Generator, *, resamples: int = 1000, level: float = 0.95
) -> tuple[float, float] | None:
    """Interval of the micro AUC under another draw of videos (percentile bootstrap; videos drawn with replacement).

    Frames of one video hang together, so whole videos are drawn, never frames.

    Args:
        videos: `LEAST_VIDEOS` or more. rng: the randomness.
        level: share of draws inside.

    Returns:
        (low, high), or None where draws tell nothing of other videos: there are too few videos, more draws than the
        interval leaves out lack a class, or all draws are the same.

    Raises:
        RunError: a score is not a finite number.
    """
    pairs = Pairs(videos)
    if len(videos) < LEAST_VIDEOS:
        return None
    return drawn_interval(pairs.auc(draws(len(videos), rng, resamples)), level)


def drawn_interval(values: NDArray[np.float64], level: float = 0.95) -> tuple[float, float] | None:
    """The interval of a figure that has these values in draws of videos, (R,), NaN where a draw does not define it.

    None where draws tell nothing of other videos: more of them than the interval leaves out define no value, or all
    values are the same.
    """
    found = spread(values, level)
    undefined = float(np.isnan(values).mean()) > 1 - level
    return None if found is None or undefined or found[0] == found[1] else found


def at_line(video: Video, line: float) -> AtLine:
    """Shares of normal and of abnormal frames that lie above a line (a frame on the line is not above it)."""
    labels, scores = _checked(video)
    above = scores > line
    return AtLine(
        float(above[~labels].mean()) if (~labels).any() else None, float(above[labels].mean()) if labels.any() else None
    )


def _wins(videos: Sequence[Video]) -> NDArray[np.float64]:
    """(V, V): pairs of an abnormal frame of the row's video above a normal frame of the column's; ties count half."""
    odd = np.concatenate([scores[labels] for labels, scores in videos])
    row = np.repeat(np.arange(len(videos)), [int(labels.sum()) for labels, _ in videos])
    wins = np.zeros((len(videos), len(videos)))
    for column, (labels, scores) in enumerate(videos):
        calm = np.sort(scores[~labels])
        below = np.searchsorted(calm, odd, "left") + np.searchsorted(calm, odd, "right")
        wins[:, column] = np.bincount(row, below / 2, minlength=len(videos))
    return wins


def _checked(video: Video) -> Video:
    labels, scores = np.asarray(video.labels, bool), np.asarray(video.scores)
    if len(labels) != len(scores):
        raise ValueError(f"{len(scores)} scores beside {len(labels)} labels")
    bad = int((~np.isfinite(scores)).sum())
    if bad:
        raise RunError(
            "scores that are not finite numbers cannot be judged",
            seen=f"{bad} of {len(scores)} frames",
            wanted="a number for every frame",
            hint="look at the losses in history.jsonl; train again with a smaller train.lr",
        )
    return Video(labels, scores)


def _has_both(labels: Labels) -> bool:
    return bool(labels.any() and not labels.all())


def _judge() -> ModuleType:
    try:
        from sklearn import metrics
    except ImportError:
        raise MissingExtraError("judging scores", "train") from None
    module: ModuleType = metrics
    return module
