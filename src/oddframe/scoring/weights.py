"""The weights of `learned`, by logistic regression."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import MissingExtraError

Values = NDArray[np.float64]

RIDGE = 10.0
"""Pull towards the weights that are given, in frames."""

_ROUNDS = 20
"""The minimiser is begun again where it stopped until it stays there: far out, a single round ends a little early."""
_STILL = 1e-6
_PRECISE = {"maxiter": 2000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10}


def fit_weights(
    normal: Mapping[str, NDArray[np.floating]],
    abnormal: Mapping[str, NDArray[np.floating]],
    prior: Mapping[str, float],
    *,
    ridge: float = RIDGE,
) -> dict[str, float]:
    """Fit the weights of `learned` by logistic regression, drawn towards those that it would have without any anomaly.

    Over weights w >= 0 and an offset b it minimises, by L-BFGS-B,

        sum_i s_i log(1 + exp(-y_i (w x_i + b))) + ridge / 2 |w - prior|^2

    with y = 1 for abnormal frames and -1 for normal ones, and s so that the two kinds weigh the same however many
    frames they have. Weights are not negative: a component that falls when a frame is odd is left out rather than
    trusted backwards.

    Args:
        normal, abnormal: component → (N,) rarities on video that the network was not trained on, N >= 1, all finite.
        prior: weights that are given; components that it lacks start from 0.
        ridge: pull towards the prior, in frames; above 0.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    try:
        from scipy.optimize import minimize
    except ModuleNotFoundError:
        raise MissingExtraError("fitting weights on known anomalies", "train") from None
    names = list(normal)
    kinds = [np.column_stack([kind[name] for name in names]).astype(np.float64) for kind in (normal, abnormal)]
    features = np.concatenate(kinds)
    count = len(features)
    sign = np.repeat([-1.0, 1.0], [len(kind) for kind in kinds])
    share = np.repeat([0.5 * count / len(kind) for kind in kinds], [len(kind) for kind in kinds])
    start = np.array([prior.get(name, 0.0) for name in names])
    bounds = [(0.0, None)] * len(names) + [(None, None)]
    weights = start
    for _ in range(_ROUNDS):
        # Components of very different size make a narrow valley. Each is measured from the middle of the frames that
        # are in doubt, where the loss is curved, and in a unit in which the curve there is about 1.
        margin = sign * (features @ weights + _best_offset(features @ weights, sign, share))
        curve = share * np.exp(-np.logaddexp(0.0, margin) - np.logaddexp(0.0, -margin)) + 1e-12
        middle = curve @ features / curve.sum()
        unit = np.append(np.sqrt(ridge + curve @ (features - middle) ** 2), np.sqrt(curve.sum() + 1e-3))
        design = np.column_stack([features - middle, np.ones(count)]) / unit
        pull, anchor = ridge / unit[:-1] ** 2, start * unit[:-1]

        def loss(
            point: Values, design: Values = design, pull: Values = pull, anchor: Values = anchor
        ) -> tuple[float, Values]:
            margin = sign * (design @ point)
            away = point[:-1] - anchor
            slope = design.T @ (-share * sign * np.exp(-np.logaddexp(0.0, margin)))
            slope[:-1] += pull * away
            return float(share @ np.logaddexp(0.0, -margin) + 0.5 * pull @ away**2), slope

        offset = _best_offset((features - middle) @ weights, sign, share)
        begun = np.append(weights, offset) * unit
        found = minimize(loss, begun, jac=True, method="L-BFGS-B", bounds=bounds, options=_PRECISE).x
        weights = found[:-1] / unit[:-1]
        if np.abs(found - begun).max() < _STILL:
            break
    return dict(zip(names, weights.tolist(), strict=True))


def _best_offset(summed: Values, sign: Values, share: Values) -> float:
    """The offset with the least loss for given weights, by bisection: the loss is convex in it."""
    low, high = -float(summed.max()) - 50, -float(summed.min()) + 50
    for _ in range(100):
        middle = (low + high) / 2
        rising = float((-share * sign * np.exp(-np.logaddexp(0.0, sign * (summed + middle)))).sum()) > 0
        low, high = (low, middle) if rising else (middle, high)
    return (low + high) / 2
