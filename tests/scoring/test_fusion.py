"""Several components become one score."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.scoring.fusion import causal_mean, fit_weights, paper_fusion, weighted


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_paper_is_eq_12():
    fused = paper_fusion(floats(10, 20, 30), floats(4, 0, 2), 0.6)

    assert fused == pytest.approx([1.0, 0.6 * 0.5, 0.4 * 0.5])


def test_paper_without_distances_is_psnr_alone():
    assert paper_fusion(floats(10, 20, 30), None, 0.6) == pytest.approx([1.0, 0.5, 0.0])


@pytest.mark.parametrize(
    ("psnr", "distance"), [(floats(5, 5), floats(1, 2)), (floats(1, 2), floats(5, 5)), (floats(), floats())]
)
def test_paper_is_undefined_where_a_video_has_one_value(psnr, distance):
    assert paper_fusion(psnr, distance, 0.6) is None


@pytest.mark.parametrize("gamma", [0.6, 0.0, 1.0, 0.7])
def test_paper_is_what_the_authors_code_gives(oracle_dir, gamma):
    oracle = np.load(oracle_dir / "scoring.npz", allow_pickle=False)

    for video in range(3):
        fused = paper_fusion(oracle[f"v{video}_psnr"], oracle[f"v{video}_distance"], gamma)
        assert fused == pytest.approx(oracle[f"a{gamma}_v{video}_abnormality"], abs=1e-6)  # kept in float32


def test_the_mean_looks_back_and_never_ahead():
    assert causal_mean(floats(1, 2, 3, 10), 2).tolist() == [1, 1.5, 2.5, 6.5]
    assert causal_mean(floats(1, 2, 3, 10), 1).tolist() == [1, 2, 3, 10]
    assert causal_mean(floats(1, 2), 5).tolist() == [1, 1.5]


def test_components_are_added_by_weight():
    assert weighted({"a": floats(1, 2), "b": floats(10, 10)}, {"a": 2, "b": 0.5}).tolist() == [7, 9]


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
