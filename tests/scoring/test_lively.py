"""How much stretches of normal video differ."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.scoring.lively import as_lively, reached


def scores_at(*levels: float) -> list[np.ndarray]:
    """Stretches of 50 scores whose oddest tenth has these means."""
    within = np.linspace(-2.0, 0.0, 50)
    return [level + within - within[-5:].mean() for level in levels]


def level(scores: np.ndarray) -> float:
    return float(np.sort(scores)[-5:].mean())


def test_one_stretch_alone_stays_where_it_is():
    (alone,) = scores_at(3.0)

    assert np.array_equal(as_lively([alone], 1)[0], alone)


def test_stretches_are_brought_to_the_upper_bound_of_a_next_one():
    lively = as_lively(scores_at(1.0, 2.0, 3.0), 3)

    # mean 2, spread 1; 2.92 is the 95 % quantile of Student's distribution with two degrees of freedom
    assert [level(scores) for scores in lively] == pytest.approx([2 + 2.92 * np.sqrt(4 / 3)] * 3, abs=1e-3)


def test_trained_stretches_that_lie_lower_are_lifted_and_those_that_lie_higher_are_believed():
    flattered = as_lively(scores_at(3.0, 3.2, -5.0, -4.8), 2)
    lively = as_lively(scores_at(3.0, 3.2, 6.0, 6.2), 2)

    assert level(flattered[0]) == pytest.approx(level(as_lively(scores_at(3.0, 3.2, 3.0, 3.2), 2)[0]))
    assert level(lively[0]) > 6.2


def test_many_stretches_stay_where_they_are_and_trained_ones_are_lifted_to_them():
    many = scores_at(*np.linspace(1.0, 3.0, 19))

    assert all(np.array_equal(one, moved) for one, moved in zip(many, as_lively(many, 19), strict=True))
    lively = as_lively([*many, *scores_at(1.0)], 19)
    assert level(lively[19]) == pytest.approx(2.0)
    assert level(as_lively(many[:18], 18)[0]) > 3.0


def test_what_normal_video_reaches_is_the_upper_bound_of_the_highest_score_of_a_next_stretch():
    highest = [np.array([0.0, top, 0.5]) for top in (1.0, 2.0, 3.0)]

    assert reached(highest, 3) == pytest.approx(2 + 2.92 * np.sqrt(4 / 3), abs=1e-3)
    assert reached(highest[:1], 1) == 1.0


@pytest.mark.slow
def test_nineteen_of_twenty_new_videos_keep_below_a_line_drawn_on_lively_ones():
    """Videos of level N(0, 1): half of them cross the 99 % line of two of them by more than a hundredth."""
    rng = np.random.default_rng(1)
    within = np.linspace(-0.5, 0.5, 41)
    crossed = {True: 0, False: 0}
    for _ in range(400):
        videos = [rng.normal() + within for _ in range(17)]
        for lively in crossed:
            shown = as_lively(videos[:16], 2) if lively else videos[:2]
            crossed[lively] += float((videos[16] > np.quantile(np.concatenate(shown), 0.99)).mean()) > 0.03

    assert 0.02 < crossed[True] / 400 < 0.09
    assert crossed[False] / 400 > 0.3
