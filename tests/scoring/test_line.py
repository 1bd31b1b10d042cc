"""Where alarms begin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule, events
from oddframe.scoring.line import Timed, draw_line, draw_lines, event_counts
from oddframe.scoring.pace import seconds_of
from oddframe.scoring.scores import AlarmLine

RULE = AlarmRule(shortest_s=0.2, merge_s=1.0)


def paced(scores, fps: float, start_s: float = 0.0) -> Timed:
    """Scores of so many frames a second."""
    return Timed(np.asarray(scores), start_s + np.arange(len(scores)) / fps)


def test_without_heldout_video_the_line_is_one_frame_in_a_thousand():
    line = draw_line([], 1.0, RULE)

    assert (line.on, line.per_hour) == (3.0, None)
    assert "no held-out" in line.note


def test_little_video_vouches_for_little_and_says_so():
    line = draw_line([paced([0.1] * 99 + [2.0], 10.0)], 1.0, RULE)

    assert line.on > 2.0
    assert line.on == pytest.approx(2.0)
    assert line.off == pytest.approx(1.6)
    assert line.per_hour == pytest.approx(360)  # fewer than one in ten seconds
    assert "10 s of held-out normal video cannot vouch for 1 false alarm an hour" in line.note
    assert line.note.endswith("That takes 60 min of it")


def test_without_a_frame_rate_there_is_no_rate():
    line = draw_line([paced([0.1, 2.0], 10.0), Timed(np.array([0.1]), None)], 1.0, RULE)

    assert line.on > 2.0
    assert line.per_hour is None
    assert line.note.startswith("the held-out video's frame rate is unknown")


def two_hours(*peaks: float) -> np.ndarray:
    """At one frame a second, calm but for short peaks."""
    scores = np.full(7200, 0.1)
    scores[1000 : 1000 + 100 * len(peaks) : 100] = peaks
    return scores


def test_many_lines_are_those_that_are_drawn_one_by_one():
    stretches = [paced(two_hours(5, 4, 3, 2), 1.0), paced(two_hours(4.5, 3.5), 1.0)]
    rates = [0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 1000.0]

    assert draw_lines(stretches, rates, RULE) == [draw_line(stretches, rate, RULE) for rate in rates]
    assert [line.on for line in draw_lines(stretches, rates, RULE)] == sorted(
        (line.on for line in draw_lines(stretches, rates, RULE)), reverse=True
    )


def test_a_line_far_below_the_highest_scores_is_the_one_that_all_of_them_give(monkeypatch):
    chance = np.random.default_rng(0)
    stretches = [paced(np.convolve(chance.gumbel(1, 1, 700), [0.3, 0.4, 0.3]), 1.0) for _ in range(6)]
    rates = [1.0, 5.0, 40.0, 200.0]
    at_once = draw_lines(stretches, rates, RULE)
    monkeypatch.setattr("oddframe.scoring.line._FIRST_LINES", 5)
    monkeypatch.setattr("oddframe.scoring.line._MORE_LINES", 3)

    assert draw_lines(stretches, rates, RULE) == at_once
    hours = sum(len(one.scores) for one in stretches) / 3600
    for line in at_once:
        assert counted(stretches, line.on, RULE) <= line.asked_per_hour * hours
        assert line.per_hour == pytest.approx(counted(stretches, line.on, RULE) / hours)


def test_enough_video_gives_the_lowest_line_that_keeps_the_rate():
    line = draw_line([paced(two_hours(5, 4, 3, 2), 1.0)], 1.0, RULE)

    assert (line.on, line.per_hour, line.note) == (4.0, 1.0, "")


def test_stretches_are_counted_together():
    line = draw_line([paced(two_hours(5, 2), 1.0), paced(two_hours(4, 3), 1.0)], 0.5, RULE)

    assert (line.on, line.per_hour) == (4.0, 0.5)


def test_the_line_of_a_still_video_is_above_it():
    line = draw_line([paced(np.zeros(100), 25.0)], 1.0, RULE)

    assert 0 < line.off < line.on


# Many lines at once ----------------------------------------------------------------------------------------------

LEVELS = [0.0, 0.5, 0.8, 1.0, 1.2, 1.25, 1.5, 2.0, 2.4, 2.5, 3.0]
"""Pairs of them lie at each other's lower edges, which are four fifths."""


def counted(stretches: list[Timed], on: float, rule: AlarmRule) -> int:
    """Events at one line, every frame followed in turn."""
    line = AlarmLine(on, on * HYSTERESIS, None, 1.0)
    return sum(1 for one in stretches for _ in events(range(len(one.scores)), one.scores, line, rule, one.times_s))


@st.composite
def timed(draw) -> Timed:
    """Scores of frames at an even pace, or at one that varies, with doubled stamps."""
    scores = draw(st.lists(st.sampled_from(LEVELS), max_size=40))
    even = draw(st.sampled_from([1.0, 1 / 3, 1 / 8, 1 / 15, 1 / 30]))
    steps = st.just(even) | st.sampled_from([0.0, 0.04, 0.2, 0.5, 1.0])
    return Timed(np.array(scores), np.cumsum(draw(st.lists(steps, min_size=len(scores), max_size=len(scores)))))


@given(
    st.lists(timed(), min_size=1, max_size=3),
    st.builds(AlarmRule, st.sampled_from([0.0, 0.2, 0.5]), st.sampled_from([0.0, 0.3, 1.0])),
)
def test_events_at_many_lines_are_those_at_each_of_them(stretches, rule):
    lines = np.unique(np.concatenate([stretch.scores for stretch in stretches]).astype(np.float64))

    assert list(event_counts(stretches, lines, rule)) == [counted(stretches, float(at), rule) for at in lines[::-1]]


def test_events_of_two_stretches_do_not_grow_together():
    stretches = [paced([0.0, 3.0], 1.0), paced([3.0, 3.0, 0.0], 1.0)]

    assert list(event_counts(stretches, np.array([3.0]), RULE)) == [2]


def test_the_rate_is_counted_by_the_clock_and_not_by_frames():
    slow_then_fast = Timed(np.full(90, 0.1), np.concatenate([np.arange(45) * 10.0, 440 + np.arange(1, 46) * 0.1]))

    line = draw_line([slow_then_fast], 1.0, RULE)

    assert line.note.startswith("8 min of held-out")  # 450 s, and 50 s more until the median step has changed


def test_a_stretch_of_one_frame_lasts_as_long_as_a_frame_does():
    assert seconds_of(np.array([5.0])) == 0.04  # no second frame tells its pace: 25 a second
    assert seconds_of(np.array([5.0, 5.1, 5.2])) == pytest.approx(0.3)
