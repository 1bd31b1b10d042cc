"""Several components become one score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddframe.scoring.fusion import causal_mean, fit_weights, paper_fusion, weighted


def test_eq_12_by_hand():
    psnr, distance = np.array([20.0, 30.0, 40.0], np.float32), np.array([0.3, 0.1, 0.2], np.float32)

    assert paper_fusion(psnr, distance, 0.6) == pytest.approx([1.0, 0.3, 0.2])


def test_without_queries_the_papers_score_is_psnr_turned_round():
    assert paper_fusion(np.array([20.0, 40.0], np.float32), None, 0.6) == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("constant", ["psnr", "distance"])
def test_the_papers_score_is_undefined_where_a_video_has_one_value(constant: str):
    values = {"psnr": np.array([20.0, 30.0], np.float32), "distance": np.array([0.1, 0.2], np.float32)}
    values[constant][:] = 1.0

    assert paper_fusion(values["psnr"], values["distance"], 0.6) is None


@pytest.mark.parametrize("gamma", ["0.6", "0.0", "1.0", "0.7"])
def test_eq_12_is_that_of_the_authors(oracle_dir: Path, gamma: str):
    with np.load(oracle_dir / "scoring.npz", allow_pickle=False) as stored:
        for video in range(3):
            name = next(key for key in stored.files if key.startswith(f"a{gamma}") and f"v{video}_abnorm" in key)
            made = paper_fusion(stored[f"v{video}_psnr"], stored[f"v{video}_distance"], float(gamma))

            assert made == pytest.approx(stored[name], abs=1e-6)


def test_smoothing_looks_back_only():
    assert causal_mean(np.array([3.0, 1.0, 2.0, 6.0]), 2).tolist() == [3.0, 2.0, 1.5, 4.0]


def test_weights_add_up_components():
    assert weighted({"a": np.array([1.0, 2.0]), "b": np.array([10.0, 20.0])}, {"a": 1.0, "b": 0.5}).tolist() == [6, 12]


def test_learned_weights_trust_the_component_that_tells_the_kinds_apart():
    rng = np.random.default_rng(0)
    normal = {"tells": rng.normal(0, 1, 400), "noise": rng.normal(0, 1, 400)}
    abnormal = {"tells": rng.normal(4, 1, 60), "noise": rng.normal(0, 1, 60)}

    learned = fit_weights(normal, abnormal, {"tells": 1.0, "noise": 1.0})

    assert learned["tells"] > 2 * learned["noise"] >= 0
