"""Scores become events."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from oddframe.scoring.alarms import AlarmRule, EventTracker, events
from oddframe.scoring.scores import AlarmLine, Box, Event

LINE = AlarmLine(on=3.0, off=2.4, per_hour=None, asked_per_hour=1.0)


def spans(scores: list[float], *, shortest: int = 1, merge: int = 1, first: int = 0) -> list[tuple[int, int]]:
    """Events of frames without times, which count as 25 a second; lengths in frames."""
    frames = range(first, first + len(scores))
    rule = AlarmRule(shortest / 25, merge / 25)
    return [(one.start, one.end) for one in events(frames, np.array(scores), LINE, rule)]


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
    tracker = EventTracker(LINE, AlarmRule(0.1, 1))
    for frame, score in enumerate([3.0, 5.0, 4.0]):
        assert tracker.wants_box(frame, score) == (score != 4.0)
        tracker.update(frame, frame / 10, score, Box(frame, 0, 1, 1))

    event = tracker.finish()

    assert (event.peak, event.score, event.peak_s, event.box.x) == (1, 5.0, 0.1, 1)


def test_the_first_frame_after_missing_ones_has_a_box_of_its_own():
    tracker = EventTracker(LINE, AlarmRule(0.0, 1))
    tracker.update(0, 0.0, 5.0)

    assert not tracker.wants_box(1, 4.0)
    assert tracker.wants_box(7, 4.0)


def times_of(scores: list[float], times: list[float]) -> tuple[float | None, float | None]:
    tracker = EventTracker(LINE, AlarmRule(0, 0.25))
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
    assert times_of([3], [0.25]) == (0.25, 0.29)  # nobody knows how long a frame lasts: as one of 25 a second


def test_the_alarm_is_raised_once_the_event_is_long_enough():
    tracker = EventTracker(LINE, AlarmRule(2 / 25, 2 / 25))
    raised = []
    for frame, score in enumerate([0, 3, 3, 2.5, 0, 3, 0, 0, 0]):
        tracker.update(frame, None, score)
        raised.append(tracker.alarm)

    assert raised == [False, False, True, True, False, True, False, False, False]


def odd_at(*moments: tuple[float, float], fps: float = 10.0, until: float = 60.0) -> list[tuple[float, float]]:
    """(time, score) of frames; the score is 5 within each (from, to), else 0."""
    times = [number / fps for number in range(round(until * fps))]
    return [(at, 5.0 if any(begin <= at < end for begin, end in moments) else 0.0) for at in times]


def followed(frames, rule: AlarmRule, fps: float | None = None) -> list[Event]:
    """Events of frames (time, score), or (number, time, score)."""
    tracker = EventTracker(LINE, rule, fps)
    numbered = [one if len(one) == 3 else (number, *one) for number, one in enumerate(frames)]
    found = [tracker.update(*one) for one in numbered] + [tracker.finish()]
    return [event for event in found if event is not None]


def test_two_events_three_seconds_apart_are_two_whatever_the_frame_rate():
    rule = AlarmRule(shortest_s=0.2, merge_s=1.0)
    for fps in (1.0, 4.0, 15.0, 60.0):
        found = followed(odd_at((10, 14), (17, 20), fps=fps), rule, fps=1000.0)
        assert [(event.start_s, event.end_s) for event in found] == [(10, 14), (17, 20)]


def test_one_frame_of_fifteen_a_second_is_no_event_and_three_are():
    rule = AlarmRule(shortest_s=0.2, merge_s=1.0)

    assert followed(odd_at((10, 10.05), fps=15), rule) == []
    assert [event.start_s for event in followed(odd_at((10, 10.2), fps=15), rule)] == [10]


def test_stamps_rounded_to_milliseconds_make_no_event_longer_or_shorter():
    thirty = [(round(number / 30, 3), 5.0 if 30 <= number < 36 else 0.0) for number in range(90)]

    assert [(event.start, event.end) for event in followed(thirty, AlarmRule(0.2, 1.0))] == [(30, 36)]
    assert (
        followed([(at, score * (place != 35)) for place, (at, score) in enumerate(thirty)], AlarmRule(0.2, 1.0)) == []
    )


def test_a_late_stamp_does_not_make_one_frame_long_enough():
    late = [(number / 25 + (0.8 if number >= 50 else 0), 5.0 if number == 50 else 0.0) for number in range(100)]

    assert followed(late, AlarmRule(0.2, 1.0)) == []


def test_an_event_ends_where_frames_are_missing():
    before, after = range(100), range(130, 200)
    frames = [(number, number / 25, 5.0 if 90 <= number < 140 else 0.0) for number in (*before, *after)]

    found = followed(frames, AlarmRule(0.2, 10.0))

    assert [(event.start, event.end) for event in found] == [(90, 100), (130, 140)]
    assert found[0].end_s == 4.0  # its last frame lasts as long as others


def test_a_flash_every_six_seconds_is_one_event_and_its_repeats():
    flashes = odd_at(*((at, at + 0.5) for at in range(6, 60, 6)))

    assert len(followed(flashes, AlarmRule(0.2, 1.0))) == 9
    found = followed(flashes, AlarmRule(0.2, 1.0, cool_down_s=20.0))
    assert [(event.start_s, event.repeats) for event in found] == [(6, 3), (30, 3), (54, 0)]


def test_what_lasts_longer_than_the_cool_down_is_an_event_of_its_own():
    found = followed(odd_at((6, 7), (20, 40)), AlarmRule(0.2, 1.0, cool_down_s=20.0))

    assert [(event.start_s, event.end_s, event.repeats) for event in found] == [(6, 7, 0), (20, 40, 0)]


def test_the_alarm_is_silent_during_the_cool_down_and_raised_for_what_lasts_longer():
    tracker, raised = EventTracker(LINE, AlarmRule(0.2, 1.0, cool_down_s=20.0)), []
    for number, (at, score) in enumerate(odd_at((6, 7), (12, 13), (20, 40))):
        tracker.update(number, at, score)
        if tracker.alarm:
            raised.append(at)

    assert (raised[0], raised[8], raised[9]) == (6.1, 6.9, 27.0)
    assert raised[-1] == 39.9


@given(st.lists(st.sampled_from([0.0, 2.5, 3.5]), max_size=40), st.integers(1, 4))
def test_events_are_apart_in_order_and_hold_every_frame_above_the_line(scores, merge):
    found = spans(scores, merge=merge)

    assert all(end + merge < start for (_, end), (start, _) in pairwise(found))
    for frame, score in enumerate(scores):
        inside = any(start <= frame < end for start, end in found)
        assert inside or score < LINE.on
