"""Scores become events."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oddframe.scoring.alarms import AlarmRule, EventTracker, draw_line, events
from oddframe.scoring.scores import AlarmLine, Box

LINE = AlarmLine(on=3.0, off=2.4, per_hour=None, asked_per_hour=1.0)


def spans(scores: list[float], *, shortest: int = 1, merge: int = 1, first: int = 0) -> list[tuple[int, int]]:
    frames = range(first, first + len(scores))
    return [(one.start, one.end) for one in events(frames, np.array(scores), LINE, AlarmRule(shortest, merge))]


def test_an_event_begins_at_the_line_and_ends_below_its_lower_edge():
    assert spans([0, 2.9, 3.0, 2.5, 2.4, 2.3, 2.9, 0], first=100) == [(102, 105)]


def test_an_event_that_is_too_short_is_none():
    assert spans([0, 9, 0, 0, 0], shortest=2) == []
    assert spans([0, 9, 9, 0, 0], shortest=2) == [(1, 3)]


def test_events_with_a_small_gap_are_one():
    assert spans([3, 0, 0, 3, 0, 0, 0], merge=2) == [(0, 4)]
    assert spans([3, 0, 0, 0, 3, 0, 0, 0], merge=2) == [(0, 1), (4, 5)]


def test_an_event_that_lasts_to_the_end_is_one():
    assert spans([0, 0, 5, 5]) == [(2, 4)]


def test_no_score_no_event():
    assert spans([]) == []


def test_the_peak_carries_its_time_and_box():
    tracker = EventTracker(LINE, AlarmRule(1, 1))
    for frame, score in enumerate([3.0, 5.0, 4.0]):
        assert tracker.wants_box(score) == (score != 4.0)
        tracker.update(frame, frame / 10, score, Box(frame, 0, 1, 1))

    event = tracker.finish()

    assert (event.peak, event.score, event.peak_s, event.box.x) == (1, 5.0, 0.1, 1)
    assert (event.start_s, event.end_s) == (0.0, 0.2)


def test_the_alarm_is_raised_once_the_event_is_long_enough():
    tracker = EventTracker(LINE, AlarmRule(shortest=2, merge=2))
    raised = []
    for frame, score in enumerate([0, 3, 3, 2.5, 0, 3, 0, 0, 0]):
        tracker.update(frame, None, score)
        raised.append(tracker.alarm)

    assert raised == [False, False, True, True, False, True, False, False, False]


def test_lengths_follow_the_frame_rate():
    assert AlarmRule.for_rate(10.0) == AlarmRule(2, 10)
    assert AlarmRule.for_rate(None) == AlarmRule(5, 25)
    assert AlarmRule.for_rate(0.5) == AlarmRule(1, 1)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([0.0, 2.5, 3.5]), max_size=40), st.integers(1, 4))
def test_events_are_apart_in_order_and_hold_every_frame_above_the_line(scores, merge):
    found = spans(scores, merge=merge)

    assert all(end + merge < start for (_, end), (start, _) in pairwise(found))
    for frame, score in enumerate(scores):
        inside = any(start <= frame < end for start, end in found)
        assert inside or score < LINE.on


# The line --------------------------------------------------------------------------------------------------------


def test_without_heldout_video_the_line_is_one_frame_in_a_thousand():
    line = draw_line([], 1.0)

    assert (line.on, line.per_hour) == (3.0, None)
    assert "no held-out" in line.note


def test_little_video_vouches_for_little_and_says_so():
    line = draw_line([(np.array([0.1] * 99 + [2.0]), 10.0)], 1.0)

    assert line.on > 2.0
    assert line.on == pytest.approx(2.0)
    assert line.off == pytest.approx(1.6)
    assert line.per_hour == pytest.approx(360)  # fewer than one in ten seconds
    assert "10 s of held-out normal video cannot vouch for 1 false alarm an hour" in line.note


def test_without_a_frame_rate_there_is_no_rate():
    line = draw_line([(np.array([0.1, 2.0]), 10.0), (np.array([0.1]), None)], 1.0)

    assert line.on > 2.0
    assert line.per_hour is None
    assert "frame rate is unknown" in line.note


def two_hours(*peaks: float) -> np.ndarray:
    """At one frame a second, calm but for short peaks."""
    scores = np.full(7200, 0.1)
    scores[1000 : 1000 + 100 * len(peaks) : 100] = peaks
    return scores


def test_enough_video_gives_the_lowest_line_that_keeps_the_rate():
    line = draw_line([(two_hours(5, 4, 3, 2), 1.0)], asked_per_hour=1.0)

    assert (line.on, line.per_hour, line.note) == (4.0, 1.0, "")


def test_stretches_are_counted_together():
    line = draw_line([(two_hours(5, 2), 1.0), (two_hours(4, 3), 1.0)], asked_per_hour=0.5)

    assert (line.on, line.per_hour) == (4.0, 0.5)


def test_the_line_of_a_still_video_is_above_it():
    line = draw_line([(np.zeros(100), 25.0)], 1.0)

    assert 0 < line.off < line.on
