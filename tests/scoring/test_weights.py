"""The weights of `learned`."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.scoring.weights import RIDGE, fit_weights


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def spread(low: float, high: float, count: int = 200) -> np.ndarray:
    return np.linspace(low, high, count)


def test_weights_favour_the_component_that_tells_odd_from_normal():
    normal = {"tells": spread(0, 1), "says nothing": spread(0, 1)}
    abnormal = {"tells": spread(2, 3), "says nothing": spread(0, 1)}

    weights = fit_weights(normal, abnormal, {"tells": 1.0, "says nothing": 1.0})

    assert weights["tells"] > 1.0
    assert weights["says nothing"] < 0.5


def test_a_component_that_falls_when_it_is_odd_is_left_out():
    weights = fit_weights({"a": spread(2, 3), "b": spread(0, 1)}, {"a": spread(0, 1), "b": spread(2, 3)}, {"a": 1.0})

    assert weights["a"] == 0.0
    assert weights["b"] > 0.5


def test_with_next_to_no_evidence_the_weights_stay_those_of_online():
    prior = {"a": 1.0, "b": 0.5}

    weights = fit_weights({"a": floats(0.1), "b": floats(0.1)}, {"a": floats(0.2), "b": floats(0.1)}, prior)

    assert weights == pytest.approx(prior, abs=0.05)


def test_many_normal_frames_do_not_outvote_few_abnormal_ones():
    few = fit_weights({"a": spread(0, 1, 100)}, {"a": spread(0.5, 3, 100)}, {"a": 1.0})
    many = fit_weights({"a": spread(0, 1, 1000)}, {"a": spread(0.5, 3, 100)}, {"a": 1.0}, ridge=55.0)

    assert many["a"] == pytest.approx(few["a"], rel=0.1)


# The optimum -----------------------------------------------------------------------------------------------------


def slope(normal: dict, abnormal: dict, prior: dict, weights: dict) -> dict[str, tuple[float, float]]:
    """Weight → how the loss rises with it, and about how far it is off: the rise by the curve. The offset is the best
    one for the weights, found by halving. Where the curve is steep, rounding alone makes the loss rise."""
    names = list(normal)
    features = np.concatenate([np.column_stack([kind[name] for name in names]) for kind in (normal, abnormal)])
    counts = [len(kind[names[0]]) for kind in (normal, abnormal)]
    sign = np.repeat([-1.0, 1.0], counts)
    share = np.repeat([0.5 * sum(counts) / count for count in counts], counts)
    given, anchor = (np.array([of.get(name, 0.0) for name in names]) for of in (weights, prior))
    summed = features @ given
    low, high = -summed.max() - 60, -summed.min() + 60
    for _ in range(200):
        offset = (low + high) / 2
        pull = -share * sign * np.exp(-np.logaddexp(0, sign * (summed + offset)))
        low, high = (low, offset) if pull.sum() > 0 else (offset, high)
    rise = features.T @ pull + RIDGE * (given - anchor)
    curve = np.abs(pull) * (1 - np.abs(pull) / share)
    bend = RIDGE + curve @ (features - curve @ features / max(curve.sum(), 1e-300)) ** 2
    return {name: (up, up / bent) for name, up, bent in zip(names, rise, bend, strict=True)}


def kinds(seed: int, *sizes: tuple[float, float]) -> tuple[dict, dict]:
    """Components "0", "1"... of exponential size, on 1,500 normal frames and on 60 abnormal ones."""
    rng = np.random.default_rng(seed)
    return tuple(
        {str(number): rng.exponential(pair[kind], count) for number, pair in enumerate(sizes)}
        for kind, count in enumerate((1500, 60))
    )


@pytest.mark.parametrize(
    ("normal", "abnormal"),
    [
        pytest.param(*kinds(0, (1, 2), (1, 1), (1, 0.3)), id="usual"),
        pytest.param(*kinds(1, (1e3, 4e3), (1e-3, 2e-3), (1, 1)), id="of very different size"),
        pytest.param(*kinds(2, (1, 1e6), (1, 1)), id="far out"),
        pytest.param({"0": spread(0, 1), "1": spread(0, 1)}, {"0": spread(20, 30), "1": spread(0, 1)}, id="separable"),
        pytest.param({"0": spread(0, 1), "1": np.zeros(200)}, {"0": spread(0.5, 3), "1": np.zeros(200)}, id="constant"),
    ],
)
def test_the_weights_are_at_the_optimum(normal, abnormal):
    """There the loss is flat for every weight, or rises for one that is 0 already: the loss is convex."""
    prior = {"0": 1.0, "1": 1.0}

    weights = fit_weights(normal, abnormal, prior)

    for name, (rise, off) in slope(normal, abnormal, prior, weights).items():
        assert rise > 0 if weights[name] == 0 else abs(off) < 1e-6


def test_a_weight_is_drawn_to_that_of_online_by_the_ridge():
    """One frame of each kind, so far apart that the loss is 0: what is left is the ridge alone."""
    weights = fit_weights({"a": floats(0), "b": floats(0)}, {"a": floats(100), "b": floats(0)}, {"a": 1.0, "b": 0.25})

    assert weights == pytest.approx({"a": 1.0, "b": 0.25}, abs=1e-9)
    strong, weak = (
        fit_weights({"a": spread(0, 1)}, {"a": spread(0.5, 1.5)}, {"a": 1.0}, ridge=ridge)["a"] for ridge in (1e5, 0.1)
    )
    assert strong == pytest.approx(1.0, abs=0.01)
    assert weak > 3.0
