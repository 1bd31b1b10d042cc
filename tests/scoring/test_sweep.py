"""Events at many lines at once are those that following every frame gives at each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import draws

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule, events
from oddframe.scoring.pace import Pace, durations
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.sweep import Sweep

LEVELS = [0.0, 0.5, 0.8, 1.0, 1.2, 1.25, 1.5, 2.0, 2.4, 2.5, 3.0]
"""Pairs of them lie at each other's lower edges, which are four fifths."""

LINES = np.array([0.5, 0.8, 1.0, 1.25, 1.3, 2.0, 2.5, 3.0, 3.5])


def followed(frame, scores, line: float, rule: AlarmRule, times_s) -> list[tuple[int, int]]:
    """Events at one line, every frame in turn."""
    at = AlarmLine(line, line * HYSTERESIS, None, 1.0)
    return [(event.start, event.end) for event in events(frame, scores, at, rule, times_s)]


def swept(frame, scores, rule: AlarmRule, times_s) -> list[list[tuple[int, int]]]:
    """Events of `sweep` at each of the lines, from the lowest up."""
    found: list[list[tuple[int, int]]] = [[] for _ in LINES]
    for k, (starts, stops) in Sweep(frame, scores, rule, times_s).over(LINES):
        raised = [(int(frame[a]), int(frame[b - 1]) + 1) for a, b in zip(starts, stops, strict=True)]
        found[: k + 1] = [raised] * (k + 1)
    return found


@st.composite
def watched(draw, steps=(0.0, 0.04, 0.2, 0.5, 1.0)):
    """A video: frame numbers, some of them missing; scores; times at an even pace or one that varies, or none."""
    scores = np.array(draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=40)), np.float32)
    hops = st.lists(st.sampled_from([1, 1, 1, 1, 1, 1, 1, 2, 9]), min_size=len(scores), max_size=len(scores))
    frame = np.cumsum(draw(hops))
    even = st.just(draw(st.sampled_from([1.0, 1 / 3, 1 / 8, 1 / 30])))
    pace = st.lists(even | st.sampled_from(steps), min_size=len(scores), max_size=len(scores))
    times = draw(st.none() | pace.map(np.cumsum))
    return frame, scores, times


RULES = st.builds(
    AlarmRule, st.sampled_from([0.0, 0.2, 0.5]), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 0.0, 0.5, 3.0])
)


@settings(max_examples=draws(300))
@given(watched(), RULES)
def test_events_at_every_line_are_those_of_following_each_frame(video, rule):
    frame, scores, times = video

    assert swept(frame, scores, rule, times) == [followed(frame, scores, line, rule, times) for line in LINES]


@settings(max_examples=draws(60))
@given(watched(steps=(0.04, 0.5, -0.3, -2.0)), RULES)
def test_so_they_are_where_the_clock_goes_back(video, rule):
    frame, scores, times = video

    assert swept(frame, scores, rule, times) == [followed(frame, scores, line, rule, times) for line in LINES]


def test_a_video_without_frames_has_no_events():
    nothing = np.zeros(0)

    assert list(Sweep(nothing.astype(np.int64), nothing, AlarmRule(0, 0), nothing).over(LINES)) == []


def test_a_frame_at_the_lower_edge_alone_prolongs_an_event_and_begins_none():
    frame, scores = np.arange(4), np.array([0.8, 1.0, 0.8, 0.7])

    found = Sweep(frame, scores, AlarmRule(0, 0), frame / 1.0).at(1.0)

    assert (found.starts.tolist(), found.stops.tolist()) == ([1], [3])


@pytest.mark.parametrize(("cool_down_s", "starts"), [(0.0, [0, 3, 8]), (4.0, [0, 8])])
def test_a_cool_down_takes_what_is_over_before_it_has_passed(cool_down_s, starts):
    frame, scores = np.arange(9), np.array([1.0, 0, 0, 1, 0, 0, 0, 0, 1])

    found = Sweep(frame, scores, AlarmRule(0, 0, cool_down_s), frame / 1.0).at(1.0)

    assert found.starts.tolist() == starts


@given(st.lists(st.integers(0, 60_000), max_size=30), st.randoms(use_true_random=False), st.sampled_from([None, 12.5]))
def test_how_long_frames_last_all_at_once_is_what_one_after_another_says(steps, random, fps):
    times, broken = np.cumsum(np.array(steps, np.int64)), np.array([random.random() < 0.1 for _ in steps], bool)
    broken[:1] = False
    pace = Pace(fps)

    assert durations(times, broken, fps).tolist() == [
        pace.take(int(at), broken=bool(gap)) for at, gap in zip(times, broken, strict=True)
    ]
