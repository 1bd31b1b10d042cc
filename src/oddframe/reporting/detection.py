"""ROC and precision-recall curves for the page: what every line through the scores finds, and what it costs.

Pictures are 100 x 100, down is larger; the templates draw axes and words around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation import metrics
from oddframe.evaluation.judge import FUSIONS
from oddframe.evaluation.metrics import AtLine, Video
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.scores import COMPONENTS

_MOST_POINTS = 300
"""Of one curve: about as many as its picture has pixels across."""

_TONES = (*FUSIONS, *COMPONENTS)
"""A score has the same colour on every page."""

_SHOWN = ("online", "paper", "psnr", "distance", "motion", "flow", "direction")
"""At first: the two fusions that are quoted, the paper's components, and the floors. The others are a click away."""


class WorkingPoint(NamedTuple):
    """What one line does: shares of normal and of abnormal frames above it, and how many above it are abnormal.

    All 0..1. `precision` is None where no frame lies above the line.
    """

    false: float
    found: float
    precision: float | None


@dataclass(frozen=True)
class Curve:
    """One score's curves, as the templates draw them.

    Attributes:
        name: what the legend says. tone: 0.., its colour. shown: whether it is there at first.
        auc, ap: areas below the two curves, 0..1. roc, precision: the curves as SVG paths.
        alarm: at the alarm line. strict: at the line that 1 % of held-out normal video lies above. None where unknown.
    """

    name: str
    tone: int
    shown: bool
    auc: float | None
    ap: float | None
    roc: str
    precision: str
    alarm: WorkingPoint | None
    strict: WorkingPoint | None


def detection_curves(result: Result) -> list[Curve]:
    """The curves of every score of a result that has frames of both kinds; none where single scores are not there."""
    return [
        curve
        for name in result.auc
        if (curve := detection_curve(result, name, tone=_TONES.index(name), shown=name in _SHOWN)) is not None
    ]


def detection_curve(
    result: Result, score: str, *, tone: int, name: str | None = None, shown: bool = True
) -> Curve | None:
    """The curves of one score over all judged frames on which it is defined; None where these are of one kind."""
    judged = [
        (video, values)
        for video in result.scored
        if (score not in COMPONENTS or score in video.scores.raw) and (values := video.scores.fusion(score)) is not None
    ]
    together = metrics.pooled([Video(video.labels, values) for video, values in judged])
    roc, precision = metrics.roc_curve(together), metrics.precision_curve(together)
    if roc is None or precision is None:
        return None
    threshold = result.threshold.get(score)
    return Curve(
        name=name or score,
        tone=tone,
        shown=shown,
        auc=result.auc[score].micro,
        ap=result.auc[score].ap,
        roc=_straight(*thinned(roc.across, roc.up)),
        precision=_steps(*thinned(precision.across, precision.up)),
        alarm=_at_alarm_line([video for video, _ in judged], together) if score == "online" else None,
        strict=_point(metrics.at_line(together, threshold.quantile), together) if threshold else None,
    )


def thinned(
    across: NDArray[np.float64], up: NDArray[np.float64], most: int = _MOST_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most so many points of a curve, evenly along its way, first and last among them."""
    if len(across) <= most:
        return across, up
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))])
    kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], most)))
    return across[kept], up[kept]


def _straight(across: NDArray[np.float64], up: NDArray[np.float64]) -> str:
    """A path from point to point."""
    return "M" + "L".join(f"{x} {y}" for x, y in zip(_places(across), _places(1 - up), strict=True))


def _steps(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> str:
    """A path of steps: each precision holds from the recall before it on, so that the area below is the AP."""
    places = zip(_places(recall), _places(1 - precision), strict=True)
    return f"M0 {_places(1 - precision[:1])[0]}" + "".join(f"V{down}H{across}" for across, down in places)


def _places(shares: NDArray[np.float64]) -> list[str]:
    return [f"{100 * share:.2f}".rstrip("0").rstrip(".") for share in shares]


def _at_alarm_line(videos: Sequence[JudgedVideo], together: Video) -> WorkingPoint | None:
    """Frames at or above the alarm line of their own video: scenes may have lines of their own."""
    above = np.concatenate([video.scores.online >= video.scores.line.on for video in videos])
    return _point(metrics.at_line(Video(together.labels, above.astype(np.float64)), 0.5), together)


def _point(at: AtLine, together: Video) -> WorkingPoint | None:
    if at.normal_above is None or at.recall is None:
        return None
    odd = int(together.labels.sum())
    false, found = at.normal_above * (len(together.labels) - odd), at.recall * odd
    return WorkingPoint(at.normal_above, at.recall, found / (false + found) if false + found else None)
