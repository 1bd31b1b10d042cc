"""How much stretches of normal video differ: a line is to be kept by nineteen of twenty of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.quantiles import student_quantile
from oddframe.scoring.tail import TAIL_SHARE

KEPT_BY = 0.95
"""Share of stretches of normal video that are to keep the promise of a line."""

ENOUGH = 19
"""So many stretches show a bound themselves: in 19 of 20 cases the next one is not the highest of them all."""


def as_lively(scores: Sequence[NDArray[np.float64]], heldout: int) -> list[NDArray[np.float64]]:
    """Bring few stretches of normal video to the level that nineteen of twenty do not pass.

    Frames of one video are hundreds of neighbours: they tell how its frames differ, not how videos differ, and a line
    at their quantile is crossed by every livelier video. The level of a stretch is the mean of its oddest tenth. Levels
    of n stretches with spread s bound the level of the next one by their mean + t s sqrt(1 + 1/n), with t the 95 %
    quantile of Student's distribution: a one-sided prediction bound. Each stretch is moved to it. From `ENOUGH`
    stretches on they stay where they are: the highest of them is such a bound, however they are distributed.

    Trained stretches count as well, for two or three held-out ones know nothing of s. On what it was trained on a
    network is too good, if anything: where trained stretches lie lower than held-out ones on the mean, they are lifted
    to them.

    Args:
        scores: of each stretch, (N,) with N >= 1; held-out ones first.
        heldout: how many are held out, at least one.

    Returns:
        The scores of each stretch, each moved by one number. One stretch alone stays where it is.
    """
    levels = _levels(scores)
    if len(levels) == 1:
        return list(scores)
    lifted = _lifted(levels, heldout)
    wanted = lifted if len(levels) >= ENOUGH else np.full(len(levels), _bound(lifted))
    return [values + move for values, move in zip(scores, wanted - levels, strict=True)]


def reached(scores: Sequence[NDArray[np.float64]], heldout: int) -> float:
    """The highest score that nineteen of twenty stretches of normal video do not pass: a bound, as of `as_lively`.

    Args:
        scores, heldout: as of `as_lively`.
    """
    highest = np.array([float(values.max()) for values in scores])
    return float(highest[0]) if len(highest) == 1 else _bound(_lifted(highest, heldout))


def _lifted(levels: NDArray[np.float64], heldout: int) -> NDArray[np.float64]:
    """Levels of stretches, those of trained ones as high on the mean as those of held-out ones, at least."""
    lift = np.zeros(len(levels))
    if len(levels) > heldout:
        lift[heldout:] = max(0.0, float(levels[:heldout].mean() - levels[heldout:].mean()))
    return levels + lift


def _bound(levels: NDArray[np.float64]) -> float:
    """What the level of the next stretch does not pass, in nineteen of twenty cases; of two levels and more."""
    count = len(levels)
    return float(levels.mean() + student_quantile(count - 1, KEPT_BY) * levels.std(ddof=1) * math.sqrt(1 + 1 / count))


def _levels(scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The mean of the oddest tenth of each."""
    lengths = np.array([len(values) for values in scores])
    levels = np.empty(len(scores))
    for length in np.unique(lengths).tolist():  # a day of video has thousands of stretches, nearly all of one length
        places = np.flatnonzero(lengths == length).tolist()
        edges = np.quantile(np.stack([scores[place] for place in places]), 1 - TAIL_SHARE, axis=1).tolist()
        for place, edge in zip(places, edges, strict=True):
            levels[place] = scores[place][scores[place] >= edge].mean()
    return levels
