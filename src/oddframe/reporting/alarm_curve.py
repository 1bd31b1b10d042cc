"""Recall against false alarms an hour, drawn for the page: paths in a picture of 100 x 100, down is larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from oddframe.evaluation.event_figures import OWN
from oddframe.evaluation.result import Result

HIGHEST_RATE = 100.0
"""False alarms an hour at the right edge."""

TICKS = (0, 1, 6, 24, 100)


class Mark(NamedTuple):
    """A line that figures are quoted at: where it is in the picture, its name, and whether it is the run's own."""

    across: float
    down: float
    name: str
    own: bool


@dataclass(frozen=True)
class AlarmCurve:
    """The curve of a result.

    Attributes:
        recall: a path of steps. in_place: the same of what is found in place; "" without masks.
        band: a closed path between the ends of the intervals; "" without them.
        marks: where figures are quoted. ticks: (place across, rate).
    """

    recall: str
    in_place: str
    band: str
    marks: tuple[Mark, ...]
    ticks: tuple[tuple[float, int], ...]


def alarm_curve(result: Result) -> AlarmCurve | None:
    """The curve of a result; None where it has none."""
    curve, at = result.events.curve, result.events.at
    if curve is None:
        return None
    band = ""
    if curve.low is not None and curve.high is not None:
        up, back = _corners(curve.per_hour, curve.high), _corners(curve.per_hour, curve.low)[::-1]
        band = "M" + "L".join(f"{x} {y}" for x, y in up + back) + "Z"
    marks = tuple(
        Mark(across(one.alarms.per_hour), _down(one.stretches.recall), "the run's own line", own=True)
        if name == OWN
        else Mark(
            across(float(one.asked_per_hour or 0)), _down(one.stretches.recall), f"at most {name} an hour", own=False
        )
        for name, one in at.items()
        if one.stretches.recall is not None and one.alarms.per_hour is not None
    )
    return AlarmCurve(
        recall=_steps(curve.per_hour, curve.recall),
        in_place="" if curve.in_place is None else _steps(curve.per_hour, curve.in_place),
        band=band,
        marks=marks,
        ticks=tuple((across(tick), tick) for tick in TICKS),
    )


def across(per_hour: float) -> float:
    """Where a rate is, 0..100: few false alarms have more room than many.

    >>> across(0.0), across(100.0), across(1000.0)
    (0.0, 100.0, 100.0)
    """
    return round(100 * float(np.log1p(min(per_hour, HIGHEST_RATE)) / np.log1p(HIGHEST_RATE)), 2)


def _down(share: float) -> float:
    return round(100 - 100 * share, 2)


def _corners(per_hour: Sequence[float], shares: Sequence[float]) -> list[tuple[float, float]]:
    """Corners of steps: each share holds from its rate to the next one, the last to the edge."""
    found = []
    for place, share in enumerate(shares):
        ends = per_hour[place + 1] if place + 1 < len(per_hour) else HIGHEST_RATE
        found += [(across(per_hour[place]), _down(share)), (across(ends), _down(share))]
    return found


def _steps(per_hour: Sequence[float], shares: Sequence[float]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in _corners(per_hour, shares))
