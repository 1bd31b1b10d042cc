"""Curves for the page: scores over time, thinned so that a page stays light, and losses over steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddframe.data.videoset import spans_of
from oddframe.evaluation.judge import FUSIONS
from oddframe.evaluation.stored import Span
from oddframe.origin import HistoryRecord
from oddframe.reporting.pictures import Thumbs
from oddframe.scoring.scores import Scores

_MOST_POINTS = 1500
"""Of one curve: more than a wide screen has pixels for."""

_ALL_POINTS = 60_000
"""Of all curves of a page."""


def points_each(videos: int) -> int:
    """How many points each of so many videos gets."""
    return max(100, min(_MOST_POINTS, _ALL_POINTS // max(videos, 1)))


@dataclass(frozen=True)
class Curve:
    """One video as the page's script takes it.

    Attributes:
        frame: (N,) numbers of the frames that are points. time: (N,) their seconds, where known.
        first, last: judged frames of the video. series: score or component → (N,), higher is odder.
        odd: first frame, the one after the last, and kinds of each stretch labelled abnormal. labelled: whether there
            are labels. events: [start, end) of each alarm. line: where alarms begin. thinned: frames a point.
        thumbs: small pictures along the curve, where there are any.
    """

    name: str
    frame: list[int]
    time: list[float] | None
    first: int
    last: int
    series: dict[str, list[float]]
    odd: list[tuple[int, int, str]]
    labelled: bool
    events: list[tuple[int, int]]
    line: float
    thinned: int
    thumbs: Thumbs | None = None


def curve(scores: Scores, *, points: int, labels: NDArray[np.bool_] | None = None, kinds: Sequence[Span] = ()) -> Curve:
    """One video for the page's script: times, scores by name, abnormal stretches, alarms.

    Where there are more frames than points, each point is the frame with the highest online score of its piece.
    Positions are places in `frame`, so that the script needs no search.
    """
    step = -(-len(scores) // points)
    begins = np.arange(0, len(scores), step)
    kept = np.array([begin + int(np.argmax(scores.online[begin : begin + step])) for begin in begins])
    names = [name for name in FUSIONS if scores.fusion(name) is not None] + list(scores.raw)
    series = {name: [_shown(name, value) for value in scores.fusion(name)[kept]] for name in names}  # type: ignore[index]
    odd = [] if labels is None else [_stretch(scores, begin, end, kinds) for begin, end in spans_of(labels)]
    return Curve(
        name=scores.video,
        frame=scores.frame[kept].tolist(),
        time=None if scores.time_s is None else [round(float(second), 2) for second in scores.time_s[kept]],
        first=int(scores.frame[0]),
        last=int(scores.frame[-1]),
        series=series,
        odd=odd,
        labelled=labels is not None,
        events=[(event.start, event.end) for event in scores.events],
        line=_short(scores.line.on),
        thinned=step,
    )


def _stretch(scores: Scores, begin: int, end: int, kinds: Sequence[Span]) -> tuple[int, int, str]:
    first, after = int(scores.frame[begin]), int(scores.frame[end - 1]) + 1
    named = {span.kind for span in kinds if span.kind and span.start < after and first < span.end}
    return first, after, ", ".join(sorted(named))


@dataclass(frozen=True)
class Loss:
    """A loss term over the steps of a training: its first and last value, and a line in a 100 x 40 picture."""

    name: str
    first: str
    last: str
    line: str


def losses(history: Sequence[HistoryRecord]) -> list[Loss]:
    """Each loss term over the steps of the training.

    The line's lowest place is 0 or the lowest value, whichever is lower.
    """
    names = dict.fromkeys(name for record in history for name in record.terms)
    drawn = []
    for name in names:
        pairs = [(record.step, record.terms[name]) for record in history if name in record.terms]
        steps, values = np.array(pairs, float).T
        if len(pairs) < 2:
            continue
        low, high = min(0.0, values.min()), values.max()
        x = 100 * (steps - steps[0]) / max(steps[-1] - steps[0], 1)
        y = 38 - 36 * (values - low) / ((high - low) or 1)
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in zip(x, y, strict=True))
        drawn.append(Loss(name, f"{values[0]:.3g}", f"{values[-1]:.3g}", line))
    return drawn


def _shown(name: str, value: float) -> float:
    """A value of a curve: a score is never below 0, which is as ordinary as can be; a component is what it is."""
    return _short(max(value, 0.0) if name in FUSIONS else value)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
