"""Scores become events."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oddframe.scoring.alarms import AlarmRule, EventTracker, events
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


def times_of(scores: list[float], times: list[float]) -> tuple[float | None, float | None]:
    tracker = EventTracker(LINE, AlarmRule(1, 2))
    found = [
        tracker.update(frame, second, score) for frame, (score, second) in enumerate(zip(scores, times, strict=True))
    ]
    event = next((one for one in found if one is not None), None) or tracker.finish()
    return event.start_s, event.end_s


def test_an_event_ends_when_the_first_frame_after_it_comes():
    assert times_of([0, 3, 3, 0, 0, 0], [0.0, 0.1, 0.2, 0.5, 0.6, 0.7]) == (0.1, 0.5)  # not at its last frame, at 0.2
    assert times_of([0, 3, 0, 3, 0, 0, 0], [0.0, 0.1, 0.2, 0.3, 0.45, 0.5, 0.6]) == (0.1, 0.45)  # two that are one


def test_an_event_that_lasts_to_the_end_of_the_video_ends_one_frame_later():
    assert times_of([0, 3, 3], [0.0, 0.25, 0.5]) == (0.25, 0.75)
    assert times_of([0, 3], [0.0, 0.25]) == (0.25, 0.5)
    assert times_of([3], [0.25]) == (0.25, 0.25)  # nobody knows how long a frame lasts


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
