"""Figures on alarms: at the run's own line, at 24, 6 and 1 false alarms an hour, by kind and by condition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import draws

from oddframe.evaluation.event_curve import EventCurve, _lines
from oddframe.evaluation.events import judge_events, poisson_interval
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.scoring.alarms import HYSTERESIS, AlarmRule, events
from oddframe.scoring.scores import AlarmLine, Scores

RULE = AlarmRule(shortest_s=0.2, merge_s=1.0)
SLOW = 1 / 360
"""Frames a second: ten normal frames are an hour."""


def by_rate(video_or_videos, **how):
    """Alarm figures of one or several videos."""
    videos = [video_or_videos] if isinstance(video_or_videos, JudgedVideo) else video_or_videos
    return judge_events(videos, how.pop("rule", RULE), **how)


def test_recall_at_a_rate_is_that_of_the_lowest_line_with_no_more_false_alarms(judged):
    # 10 normal frames: an hour. From above: 6 finds one; 5 is false; 3 finds one; 2 is false; 1.5 finds one
    video = judged("a", "0000010001010", [0, 0, 5, 0, 0, 6, 0, 2, 0, 3, 0, 1.5, 0], fps=SLOW)

    found = by_rate(video)

    assert found.normal_hours == pytest.approx(1.0)
    assert {name: at.line for name, at in found.at.items()} == {"own": 3.0, "24": 1.5, "6": 1.5, "1": 3.0}
    assert [found.at[name].stretches.recall for name in ("24", "6", "1")] == [1.0, 1.0, pytest.approx(2 / 3)]
    assert [found.at[name].alarms.false for name in ("24", "6", "1")] == [2, 2, 1]
    assert found.curve.per_hour == pytest.approx((0, 1, 2))
    assert found.curve.recall == pytest.approx((1 / 3, 2 / 3, 1))


def test_no_line_gives_recall_where_the_oddest_frame_of_all_is_a_false_alarm(judged):
    found = by_rate(judged("a", "0010", [9, 0, 3, 0], fps=SLOW))  # 0.3 hours: one alarm is more than one an hour

    assert (found.at["1"].line, found.at["1"].stretches.recall, found.at["1"].alarms.false) == (None, 0.0, 0)
    assert (found.at["24"].line, found.at["24"].stretches.recall) == (3.0, 1.0)


def test_a_line_below_one_that_gives_too_many_is_not_taken_though_alarms_grow_together_there(judged):
    # at 4 two false alarms, at 3 one alarm over everything, which has a cause: it finds all and none is false
    video = judged("a", "00000100000", [4, 3, 4, 3, 3, 3, 3, 3, 3, 3, 3], fps=SLOW)
    rule = AlarmRule(shortest_s=0.0, merge_s=0.0)
    video = replace(video, scores=replace(video.scores, online=np.where(video.scores.online > 3, 4.0, 3.0)))

    found = by_rate(video, rule=rule)

    assert found.at["1"].stretches.found == 0
    assert found.at["24"].normal_share == 1.0  # and who asks for more is told that everything is one alarm


def test_the_rate_asked_stands_beside_the_rate_seen_with_its_interval(judged):
    video = judged("a", "0" * 30, [0] * 30, events=[(5, 6), (9, 10), (20, 21)], fps=SLOW)  # 3 in 3 hours

    found = by_rate(video)

    assert (found.promise.asked_per_hour, found.promise.vouched_per_hour) == (1.0, 1.0)
    assert found.at.own.alarms.per_hour == pytest.approx(1.0)
    assert found.at.own.alarms.interval == pytest.approx((0.6187 / 3, 8.7673 / 3), abs=1e-3)
    assert found.at.own.alarms.asked_within is True


def test_a_rate_that_was_not_kept_is_said(judged):
    often = judged("a", "0" * 30, [0] * 30, events=[(5 + k, 6 + k) for k in range(0, 20, 2)], fps=SLOW)

    assert by_rate(often).at.own.alarms.asked_within is False  # ten in three hours, one an hour asked


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904)])
def test_intervals_of_rates_are_those_of_poisson_tables(count, low, high):
    assert poisson_interval(count, 1.0) == pytest.approx((low, high), abs=1e-4)
    assert poisson_interval(count, 4.0) == pytest.approx((low / 4, high / 4), abs=1e-4)


def test_delays_have_quartiles(judged):
    labels, alarms = "", []
    for late in (0, 1, 2, 3, 6):
        begin = 4 + len(labels)
        labels += "1111111000"
        alarms.append((begin + late, begin + late + 1))
    found = by_rate(judged("a", labels, [0] * len(labels), events=alarms, fps=2.0)).at.own.stretches

    assert dict(found.delay_frames) == {"low": 1, "median": 2, "high": 3}
    assert dict(found.delay_s) == {"low": 0.5, "median": 1.0, "high": 1.5}


def test_delays_at_another_line_are_those_of_its_alarms(judged):
    video = judged("a", "0" * 10 + "1111", [0] * 10 + [0, 2, 3, 0], fps=SLOW)

    found = by_rate(video).at["1"]

    assert (found.line, found.stretches.delay_frames.median, found.stretches.delay_s.median) == (2.0, 1, 360.0)


def test_each_kind_counts_its_own_stretches_and_what_shows_two_counts_with_both(judged):
    # one stretch [6, 10): cart in 6-7, runner in 8-9; another of carts [12, 14)
    kinds = [(6, 8, "cart"), (8, 10, "runner"), (12, 14, "cart")]
    video = judged("a", "00111100110", [0] * 11, events=[(6, 8)], kinds=kinds)

    own = by_rate(video, known_kinds={"cart"}).at.own

    assert (own.stretches.labelled, own.stretches.found) == (2, 1)
    assert (own.kinds["cart"].labelled, own.kinds["cart"].found) == (2, 1)
    assert (own.kinds["runner"].labelled, own.kinds["runner"].found) == (1, 0)
    assert (own.known.recall, own.unknown.recall) == (0.5, 0.0)


def test_without_kinds_there_are_no_figures_of_kinds(judged):
    own = by_rate(judged("a", "01", [0, 1])).at.own

    assert (own.known, own.unknown, len(own.kinds), len(own.conditions)) == (None, None, 0, 0)


def test_conditions_have_rates_and_recall_of_their_own_at_the_one_line(judged):
    day = replace(judged("a", "0" * 10 + "1", [0] * 11, events=[(14, 15)], fps=SLOW), conditions={"light": "day"})
    night = replace(
        judged("b", "0" * 10 + "1", [0] * 11, events=[(5, 6), (8, 9)], fps=SLOW), conditions={"light": "night"}
    )
    unsaid = judged("c", "0" * 10 + "1", [0] * 11, events=[(5, 6)], fps=SLOW)

    light = by_rate([day, night, unsaid]).at.own.conditions.light

    assert list(light) == ["day", "night"]
    assert (light.day.alarms.false, light.day.alarms.per_hour, light.day.stretches.recall) == (0, 0.0, 1.0)
    assert (light.night.alarms.false, light.night.alarms.per_hour) == (2, pytest.approx(2.0))
    assert light.night.stretches.recall == 0.0


@pytest.mark.parametrize(("hits", "in_place"), [("11..", 1), ("10..", 1), ("100.", 0), ("0000", 0)])
def test_a_stretch_is_found_in_place_where_half_of_the_masked_frames_under_alarm_meet_their_masks(
    judged, hits, in_place
):
    video = judged("a", "0011110", [0] * 7, events=[(6, 12)])
    marks = np.array([-1, -1, *({"1": 1, "0": 0, ".": -1}[hit] for hit in hits), -1], np.int8)

    found = by_rate(replace(video, in_place=marks)).at.own.stretches

    assert (found.found, found.masked, found.in_place, found.recall_in_place) == (1, 1, in_place, float(in_place))


def test_an_alarm_at_the_wrong_place_is_not_false_but_not_in_place_either(judged):
    video = judged("a", "00110", [0] * 5, events=[(6, 8)])

    found = by_rate(replace(video, in_place=np.array([-1, -1, 0, 0, -1], np.int8)))

    assert (found.false, found.found, found.at.own.stretches.in_place) == (0, 1, 0)


def test_masked_frames_outside_the_alarm_say_nothing_of_its_place(judged):
    video = judged("a", "01111", [0] * 5, events=[(7, 9)])

    found = by_rate(replace(video, in_place=np.array([-1, 0, 0, 1, 1], np.int8))).at.own.stretches

    assert found.in_place == 1


def test_stretches_without_masks_have_no_place(judged):
    found = by_rate(judged("a", "0110", [0] * 4, events=[(5, 7)])).at.own.stretches

    assert (found.found, found.masked, found.recall_in_place) == (1, 0, None)


def test_an_anomaly_that_lasts_all_video_leaves_no_rate(judged):
    found = by_rate(judged("a", "1111", [0, 5, 5, 0], events=[(5, 7)]))

    assert (found.recall, found.normal_hours, found.false_per_hour) == (1.0, 0.0, None)
    assert (list(found.at), found.curve, found.at.own.normal_share) == (["own"], None, None)
    assert found.at.own.alarms.interval is None


def test_without_times_there_is_the_runs_own_line_alone(judged):
    found = by_rate(judged("a", "0011", [0, 0, 5, 5], events=[(6, 8)], fps=None))

    assert (list(found.at), found.curve, found.normal_hours) == (["own"], None, None)
    assert found.at.own.stretches.recall == 1.0


def test_without_anomalies_there_is_no_recall_and_no_curve(judged):
    found = by_rate(judged("a", "000", [0, 9, 0], events=[(5, 6)]))

    assert (found.recall, found.curve, found.at["1"].stretches.recall) == (None, None, None)


def test_few_videos_have_no_interval_and_many_do(judged):
    hit = judged("a", "0010", [0, 0, 5, 0], events=[(6, 7)], fps=SLOW)
    miss = judged("b", "0010", [0, 0, 0, 0], fps=SLOW)

    assert by_rate([hit, miss]).at.own.stretches.interval is None
    many = by_rate([hit, miss] * 4)
    low, high = many.at.own.stretches.interval
    assert 0 < low < 0.5 < high < 1
    assert many.curve.low[0] < 0.5 < many.curve.high[0]
    assert by_rate([hit, miss] * 4).at.own.stretches.interval == (low, high)  # the same draws every time


def test_lines_of_different_promises_are_none(judged):
    one, other = judged("a", "01", [0, 1]), judged("b", "01", [0, 1])
    other = replace(other, scores=replace(other.scores, line=AlarmLine(4.0, 3.2, 6.0, 6.0)))

    found = by_rate([one, other])

    assert (found.promise, found.at.own.line) == (None, None)


# Counts at every line --------------------------------------------------------------------------------------------


def counted(video: JudgedVideo, line: float, rule: AlarmRule) -> tuple[int, int, int, int]:
    """(alarms, false, found, normal frames covered) at one line, all frames followed and all pairs looked at."""
    scores = video.scores
    at = AlarmLine(line, line * HYSTERESIS, None, 1.0)
    raised = [
        set(range(e.start, e.end)) for e in events(scores.frame, scores.online, at, rule, scores.time_s, scores.fps)
    ]
    stretches = [set(range(*stretch)) for stretch in video.stretches()]
    normal = set(scores.frame[~video.labels].tolist())
    return (
        len(raised),
        sum(not any(alarm & stretch for stretch in stretches) for alarm in raised),
        sum(any(alarm & stretch for alarm in raised) for stretch in stretches),
        sum(len(alarm & normal) for alarm in raised),
    )


@st.composite
def labelled(draw, name: str = "a") -> JudgedVideo:
    """A video of up to 30 frames at 4 a second, some of them missing."""
    rows = draw(
        st.lists(st.tuples(st.sampled_from([0, 0.9, 1, 1.2, 1.5, 2, 3]), st.booleans()), min_size=1, max_size=30)
    )
    online, labels = np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows])
    hops = draw(st.lists(st.sampled_from([1, 1, 1, 1, 5]), min_size=len(rows), max_size=len(rows)))
    frame = np.cumsum(hops)
    line = AlarmLine(2.0, 2.0 * HYSTERESIS, 1.0, 1.0)
    raised = tuple(events(frame, online, line, RULE, frame / 4, 4.0))
    scores = Scores(name, (48, 64), 4.0, frame, frame / 4, {}, {}, online, None, online, line, raised)
    return JudgedVideo(name, "", scores, labels, (Span(int(frame[0]), int(frame[-1]) + 1, "cart"),))


RULES = st.builds(AlarmRule, st.sampled_from([0.0, 0.6]), st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 2.0]))


@settings(max_examples=draws(60))
@given(st.lists(labelled(), min_size=1, max_size=3), RULES)
@pytest.mark.slow
def test_counts_at_every_line_are_those_of_following_each_frame(videos, rule):
    curve = EventCurve(videos, rule)

    for number, video in enumerate(videos):
        for column, line in enumerate(curve.lines[1:-1], 1):
            counts = (curve.alarms, curve.false, curve.found[0], curve.covered)
            assert tuple(int(one[number, column]) for one in counts) == counted(video, float(line), rule)
        assert (curve.found[0] == curve.found[-1]).all()  # all of them are carts


@settings(max_examples=draws(40))
@given(labelled("a"), labelled("b"), st.sampled_from([100.0, 1000.0, 5000.0]))
def test_a_draw_of_videos_has_the_recall_of_these_videos_judged_by_themselves(one, other, rate):
    curve, drawn = EventCurve([one, other], RULE), np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    if not all(curve.labelled[0]) or not all(curve.hours):
        return
    sets = EventCurve([one, other], RULE), EventCurve([one, one], RULE), EventCurve([other, other], RULE)
    single = [found.at_rates([rate], np.ones((1, 2)))[0] for found in sets]

    (lines,) = curve.at_rates([rate], drawn)

    by_themselves = [
        found.found[0][:, at.column].sum() / found.labelled[0].sum() for found, at in zip(sets, single, strict=True)
    ]
    assert curve.recall(0, lines, np.ones(2, bool), drawn).tolist() == pytest.approx(by_themselves)


def test_of_very_many_scores_a_line_is_kept_for_each_number_of_normal_frames_above_it(judged):
    online = 1 + np.arange(3000) / 1000
    video = judged("a", "01" * 1500, online.tolist())

    lines = _lines([video], 500)

    assert len(lines) <= 500
    above = [int((online[::2] >= line).sum()) for line in lines[::-1]]
    assert above[:21] == list(range(21))  # the steps that rates of a few false alarms need
    assert max(np.diff(np.log1p(above))) < 0.7  # from no frame to one


# Promises --------------------------------------------------------------------------------------------------------


def test_lines_drawn_for_other_rates_are_held_against_the_test_and_are_no_part_of_the_curve(judged):
    # 20 normal frames: two hours. At 4 nothing is false, at 1.5 five alarms are
    video = judged("a", "0" * 20 + "1", [0, 2, 0, 2, 0, 2, 0, 2, 0, 2] + [0] * 10 + [3], fps=SLOW)
    lines = [AlarmLine(1.5, 1.2, 20.0, 24.0), AlarmLine(4.0, 3.2, 0.9, 1.0)]

    found = by_rate(video, promised=lines)

    often, seldom = found.promised["24"], found.promised["1"]
    assert (often.alarms.false, often.alarms.per_hour, often.vouched_per_hour) == (5, pytest.approx(2.5), 20.0)
    assert (often.alarms.asked_within, often.stretches.recall) == (False, 1.0)  # far fewer than asked
    assert (seldom.alarms.false, seldom.alarms.asked_within, seldom.stretches.recall) == (0, True, 0.0)
    assert found.curve == by_rate(video).curve
    assert found.at == by_rate(video).at
