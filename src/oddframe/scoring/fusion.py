"""Several components become one score. Higher = odder for all that leave here.

- `paper` (Eq. 12): min-max over each whole video, so it needs the video's end.
- `online`: calibrated components added; causal.
- `learned`: calibrated components with weights fitted on held-out normal video and held-out known anomalies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def paper_fusion(
    psnr: NDArray[np.float32], distance: NDArray[np.float32] | None, gamma: float
) -> NDArray[np.float32] | None:
    """S = gamma (1 - g(P)) + (1 - gamma) g(D), with g the min-max over the video (Eq. 12). Higher is odder.

    Args:
        psnr: (N,) dB. distance: (N,), or None for a detector without queries: S is then 1 - g(P).

    Returns:
        (N,) in 0..1; None where g is undefined, since a video's values are all equal.
    """
    calm = _min_max(psnr)
    if calm is None:
        return None
    if distance is None:
        return (1 - calm).astype(np.float32)
    far = _min_max(distance)
    return None if far is None else (gamma * (1 - calm) + (1 - gamma) * far).astype(np.float32)


def _min_max(values: NDArray[np.float32]) -> Values | None:
    wide = values.astype(np.float64)
    if not len(wide) or wide.max() == wide.min():
        return None
    return np.asarray((wide - wide.min()) / (wide.max() - wide.min()))


def online_components(wanted: Iterable[str], given: Collection[str]) -> tuple[str, ...]:
    """Which of a detector's components `online` adds: those wanted that it gives, or else its local error.

    >>> online_components(("distance", "local_distance"), ("psnr", "local_error", "motion"))
    ('local_error',)
    """
    return tuple(name for name in wanted if name in given) or ("local_error",)


def weighted(calibrated: Mapping[str, NDArray[np.floating]], weights: Mapping[str, float]) -> Values:
    """Add calibrated components by weight: (N,)."""
    return np.asarray(np.sum([weights[name] * np.asarray(calibrated[name], np.float64) for name in weights], axis=0))


def weighted_sum(calibrated: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """`weighted` of a single frame."""
    return sum(weight * calibrated[name] for name, weight in weights.items())


def causal_mean(values: NDArray[np.floating], frames: int) -> Values:
    """Mean over the last `frames` values up to and with each one; fewer at the start. Never looks ahead."""
    wide = np.asarray(values, np.float64)
    sums = np.concatenate([[0.0], np.cumsum(wide)])
    last = np.arange(1, len(wide) + 1)
    first = np.maximum(last - frames, 0)
    return np.asarray((sums[last] - sums[first]) / (last - first))


def fit_weights(
    normal: Mapping[str, NDArray[np.floating]],
    abnormal: Mapping[str, NDArray[np.floating]],
    prior: Mapping[str, float],
    *,
    ridge: float = 10.0,
) -> dict[str, float]:
    """Fit the weights of `learned` by logistic regression, drawn towards the weights of `online`.

    The two kinds weigh the same however many frames they have. Weights are not negative: a component that falls
    when a frame is odd is left out rather than trusted backwards.

    Args:
        normal, abnormal: calibrated component → (N,) on video that the network was not trained on.
        prior: weights of `online`; components that it lacks start from 0.
        ridge: pull towards the prior, in frames.
    """
    names = list(normal)
    features = np.concatenate([np.column_stack([kind[name] for name in names]) for kind in (normal, abnormal)])
    features = features.astype(np.float64)
    n_normal, n_abnormal = len(normal[names[0]]), len(abnormal[names[0]])
    target = np.concatenate([np.zeros(n_normal), np.ones(n_abnormal)])
    share = np.where(target == 1, 0.5 / n_abnormal, 0.5 / n_normal) * (n_normal + n_abnormal)
    start = np.array([prior.get(name, 0.0) for name in names])
    weights, offset = start.copy(), -float(features.mean(axis=0) @ start)
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(features @ weights + offset, -30, 30)))
        slope = np.column_stack([features, np.ones(len(features))]).T @ (share * (chance - target))
        slope[:-1] += ridge * (weights - start)
        curve = share * np.maximum(chance * (1 - chance), 1e-6)
        design = np.column_stack([features, np.ones(len(features))])
        hessian = design.T @ (design * curve[:, None]) + np.diag([ridge] * len(names) + [1e-6])
        step = np.linalg.solve(hessian, slope)
        weights, offset = np.maximum(weights - step[:-1], 0), offset - step[-1]
        if np.abs(step).max() < 1e-8:
            break
    return dict(zip(names, weights.tolist(), strict=True))
