"""Quantiles that lines and promises rest on, by their definitions: scoring with an artefact needs no scipy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np


def student_quantile(degrees: int, share: float) -> float:
    """What Student's t with so many degrees of freedom stays below in this share of cases.

    By bisection on the distribution function, which is a finite sum for whole degrees (Abramowitz and Stegun 26.7.3-4).

    Args:
        degrees: 1 or more. share: 0.5..1, exclusive.

    >>> round(student_quantile(1, 0.95), 4), round(student_quantile(10, 0.95), 4)
    (6.3138, 1.8125)
    """
    return _bisected(lambda t: _student(degrees, t) < share, 0.0, 1.0)


def poisson_bounds(count: int, share: float) -> tuple[float, float]:
    """Exact (Garwood) bounds of the mean of a Poisson count that came to so many: each is right in this share of cases.

    Args:
        count: 0 or more. share: 0.5..1, exclusive: 0.975 of each makes an interval of 95 %.

    >>> [round(bound, 3) for bound in poisson_bounds(0, 0.95)], [round(bound, 3) for bound in poisson_bounds(4, 0.975)]
    ([0.0, 2.996], [1.09, 10.242])
    """
    low = _bisected(lambda mean: 1 - _poisson(count - 1, mean) < 1 - share, 0.0, count + 1.0) if count else 0.0
    return low, _bisected(lambda mean: _poisson(count, mean) > 1 - share, 0.0, count + 1.0)


def _student(degrees: int, t: float) -> float:
    """P(T <= t), t >= 0."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    if degrees == 1:
        return 0.5 + angle / math.pi
    odd = degrees % 2
    steps = np.arange(1, (degrees - odd) // 2)
    ratios = 2 * steps / (2 * steps + 1) if odd else (2 * steps - 1) / (2 * steps)
    series = sine * (1 + float(np.cumprod(ratios * cosine**2).sum()))
    return 0.5 + (angle + cosine * series) / math.pi if odd else 0.5 + series / 2


def _poisson(count: int, mean: float) -> float:
    """P(N <= count) of a Poisson count with this mean."""
    if mean <= 0:
        return 1.0
    numbers = np.arange(count + 1)
    logs = numbers * math.log(mean) - mean - np.concatenate([[0.0], np.cumsum(np.log(numbers[1:]))])
    return float(min(np.exp(logs).sum(), 1.0))


def _bisected(below: Callable[[float], bool], low: float, high: float) -> float:
    """The number up to which `below` holds; `high` is doubled until it is above it."""
    while below(high):
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2
