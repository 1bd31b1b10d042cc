"""Scores become events."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.scoring.alarms import AlarmRule, draw_line, events
from oddframe.scoring.scores import AlarmLine

LINE = AlarmLine(on=2.0, off=1.6, per_hour=None, asked_per_hour=1.0)


def found(scores: list[float], rule: AlarmRule) -> list[tuple[int, int, int]]:
    made = events(range(len(scores)), np.array(scores), LINE, rule)
    return [(event.start, event.end, event.peak) for event in made]


def test_an_event_lasts_until_the_score_is_clearly_below_the_line():
    assert found([0, 2, 3, 1.7, 1.7, 0, 0, 0], AlarmRule(shortest=1, merge=1)) == [(1, 5, 2)]


def test_a_gap_no_longer_than_the_merging_one_does_not_end_an_event():
    assert found([2, 0, 0, 2, 0, 0, 0, 0, 2], AlarmRule(shortest=1, merge=3)) == [(0, 4, 0), (8, 9, 8)]


def test_a_flash_shorter_than_the_shortest_event_is_none():
    assert found([0, 2, 0, 0, 0, 2, 2, 2, 0, 0], AlarmRule(shortest=3, merge=1)) == [(5, 8, 5)]


def test_what_goes_on_at_the_end_is_an_event():
    assert found([0, 0, 2, 2], AlarmRule(shortest=2, merge=1)) == [(2, 4, 2)]


def test_little_footage_puts_the_line_above_all_of_it_and_says_what_it_vouches_for():
    line = draw_line([(np.linspace(0, 3, 600), 10.0)], 1.0)

    assert line.on > 3.0
    assert line.per_hour == pytest.approx(60.0)
    assert "60 s of held-out normal video cannot vouch" in line.note


def test_without_a_frame_rate_no_rate_is_promised():
    line = draw_line([(np.linspace(0, 3, 600), None)], 1.0)

    assert line.per_hour is None
    assert "frame rate is unknown" in line.note


def test_with_enough_footage_the_line_allows_as_many_false_alarms_as_asked():
    calm = np.zeros(36000)  # an hour at ten frames a second
    calm[[5000, 15000, 25000]] = [3.0, 4.0, 5.0]
    calm[[5001, 15001, 25001]] = [3.0, 4.0, 5.0]

    line = draw_line([(calm, 10.0)], 2.0)

    assert 3.0 < line.on <= 4.0
    assert line.per_hour == pytest.approx(2.0)
