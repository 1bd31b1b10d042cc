from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import draws

from oddframe.errors import RunError
from oddframe.evaluation import metrics
from oddframe.evaluation.metrics import Video, at_line, auc, average_precision, equal_error_rate, interval, macro_auc


def video(labels: str, *scores: float) -> Video:
    return Video(np.array([letter == "1" for letter in labels]), np.array(scores, np.float32))


def test_perfect_order_has_auc_one_and_no_errors():
    perfect = video("0011", 0.1, 0.2, 0.8, 0.9)

    assert (auc(perfect), average_precision(perfect), equal_error_rate(perfect)) == (1.0, 1.0, 0.0)


def test_inverted_order_has_auc_zero_and_only_errors():
    inverted = video("0011", 0.8, 0.9, 0.1, 0.2)

    assert (auc(inverted), equal_error_rate(inverted)) == (0.0, 1.0)


def test_ties_count_half():
    assert auc(video("01", 0.5, 0.5)) == 0.5
    assert auc(video("0011", 0.1, 0.5, 0.5, 0.9)) == 0.875  # 3 pairs won, 1 tied, of 4


def test_equal_error_rate_by_hand():
    # above 0.6: one of three normal, two of three abnormal frames: a third of each is mistaken
    assert equal_error_rate(video("000111", 0.1, 0.2, 0.7, 0.3, 0.8, 0.9)) == pytest.approx(1 / 3)
    # one step of the curve from (0, 0) to (1, 1): the line between crosses at a half
    assert equal_error_rate(video("01", 0.5, 0.5)) == 0.5


def test_the_areas_below_the_curves_are_auc_and_average_precision():
    tied = video("0010110", 0.1, 0.5, 0.5, 0.2, 0.9, 0.3, 0.6)

    roc, precision = metrics.roc_curve(tied), metrics.precision_curve(tied)

    assert np.trapezoid(roc.up, roc.across) == pytest.approx(auc(tied))
    assert (np.diff(precision.across, prepend=0.0) * precision.up).sum() == pytest.approx(average_precision(tied))


def test_one_class_has_no_curve():
    assert (metrics.roc_curve(video("00", 1, 2)), metrics.precision_curve(video("11", 1, 2))) == (None, None)


def test_one_class_leaves_every_figure_undefined():
    abnormal_only = video("11", 0.1, 0.2)

    assert auc(abnormal_only) is average_precision(abnormal_only) is equal_error_rate(abnormal_only) is None


def test_macro_is_the_mean_over_videos_that_have_both_classes():
    videos = {"a": video("01", 0, 1), "b": video("01", 1, 0), "c": video("11", 5, 6)}

    assert macro_auc(videos) == (0.5, ["c"])
    assert macro_auc({"c": videos["c"]}) == (None, ["c"])


def test_pooling_compares_frames_across_videos():
    # each video is perfect by itself; together one normal frame stands above one abnormal frame
    assert auc(metrics.pooled([video("01", 0, 1), video("01", 2, 3)])) == 0.75


def test_shares_above_a_line_leave_out_the_frames_on_it():
    assert at_line(video("0000111", 0, 1, 2, 3, 2, 3, 4), 2.0) == (0.25, pytest.approx(2 / 3))
    assert at_line(video("00", 0, 1), 0.5) == (0.5, None)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(bad):
    with pytest.raises(RunError, match="1 of 2 frames"):
        auc(video("01", bad, 1.0))


@st.composite
def video_sets(draw):
    frames = st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=12)
    drawn = draw(st.lists(frames, min_size=1, max_size=5))
    return [Video(np.array([f[0] for f in v]), np.array([f[1] for f in v], float)) for v in drawn]


@settings(max_examples=draws(50))
@given(video_sets(), st.integers(0, 2**32 - 1))
def test_pairs_of_videos_give_the_same_auc_as_the_judge(videos, seed):
    from sklearn.metrics import roc_auc_score  # it loads for a second

    drawn = np.random.default_rng(seed).integers(len(videos), size=len(videos))
    labels, scores = metrics.pooled([videos[i] for i in drawn])
    if labels.all() or not labels.any():
        return
    times = np.bincount(drawn, minlength=len(videos)).astype(float)

    (value,) = metrics.Pairs(videos).auc(times[None])

    assert value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@pytest.mark.parametrize(
    "videos",
    [
        pytest.param([video("01", 1, 0), video("00", 2, 3)], id="two videos, of which one can be drawn twice"),
        pytest.param([video("0011", 0.1, 0.5, 0.5, 0.9)] * 8, id="all draws are the same"),
        pytest.param([video("11", 0.1, 0.2)] + [video("00", 0.1, 0.3)] * 7, id="a third of the draws lack a class"),
    ],
)
def test_no_interval_is_said_where_draws_tell_nothing_of_other_videos(videos):
    assert interval(videos, np.random.default_rng(0)) is None


def test_interval_spans_good_and_bad_videos_and_repeats_with_its_seed():
    videos = [video("01", 0, 1)] * 4 + [video("01", 1, 0)] * 4

    low, high = interval(videos, np.random.default_rng(1))

    assert 0 < low < 0.5 < high < 1
    assert interval(videos, np.random.default_rng(1)) == (low, high)


def test_interval_needs_several_videos_and_both_classes():
    rng = np.random.default_rng(0)

    assert interval([video("01", 0, 1)], rng) is None
    assert interval([video("11", 0, 1)] * 8, rng) is None
