"""Alarms of a camera become events with a life: new, updated, ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import draws

from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.scores import AlarmLine, Box
from oddframe.site.events import CameraEvent, Change, EventFollower, Telling, event_id, once_in

LINE = AlarmLine(on=3.0, off=2.4, per_hour=None, asked_per_hour=1.0)
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
RULE = AlarmRule(shortest_s=0.2, merge_s=1.0)


def told(scores, rule: AlarmRule = RULE, *, telling: Telling | None = None, fps: float = 10.0) -> list[Change]:
    """All changes of scores that begin at noon, or of (number, score)."""
    follower = EventFollower("gate", LINE, rule, telling=telling)
    numbered = [one if isinstance(one, tuple) else (number, one) for number, one in enumerate(scores)]
    changes = []
    for number, score in numbered:
        at = NOON + timedelta(seconds=number / fps)
        box = Box(number, 0, 8, 8) if follower.wants_box(number, number / fps, score) else None
        changes += follower.take(number, number / fps, at, score, box)
    return changes + follower.interrupt("stop")


def lives(changes: list[Change]) -> list[list[str]]:
    """Kinds of the changes of each event, in order."""
    return [
        [change.kind for change in changes if change.event.id == one]
        for one in dict.fromkeys(change.event.id for change in changes)
    ]


def test_an_event_is_told_when_it_is_long_enough_and_again_when_it_is_over():
    new, end = told([0.0] * 10 + [4.0, 5.0, 4.0, 4.0] + [0.0] * 20)

    assert (new.kind, new.at) == ("new", NOON + timedelta(seconds=1.1))
    assert new.event.lasts
    assert (end.kind, end.event.ended_by) == ("end", "calm")
    assert end.event.id == new.event.id
    assert end.event.started_at == new.event.started_at == NOON + timedelta(seconds=1)
    assert (end.event.peak_frame, end.event.peak_at) == (11, NOON + timedelta(seconds=1.1))
    assert (end.event.end_frame, end.event.ended_at) == (14, NOON + timedelta(seconds=1.4))
    assert (end.event.box, end.event.score, end.event.line) == (Box(11, 0, 8, 8), 5.0, 3.0)


def test_what_is_too_short_is_never_told_of():
    assert told([0.0, 9.0, 0.0, 0.0]) == []


def test_an_update_comes_when_the_peak_has_risen_and_not_too_often():
    rising = [3.0 + number / 100 for number in range(100)]
    changes = told(rising, telling=Telling(update_s=3.0))

    assert lives(changes) == [["new", "update", "update", "update", "end"]]
    assert [change.number for change in changes] == [0, 1, 2, 3, 4]
    assert len({change.key for change in changes}) == 5


def test_what_lasts_without_a_change_is_told_of_once_in_a_while():
    assert lives(told([4.0] * 100, telling=Telling(alive_s=4.0))) == [["new", "update", "update", "end"]]


def test_a_longer_event_than_the_greatest_is_ended_and_goes_on_in_its_continuation():
    scores = [0.0] * 10 + [4.0] * 60 + [6.0] + [5.0] * 9 + [0.0] * 20
    changes = told(scores, telling=Telling(greatest_s=3.0))
    ends = [change.event for change in changes if change.kind == "end"]

    assert [(one.start_frame, one.end_frame, one.ended_by) for one in ends] == [
        (10, 40, "length"),
        (40, 70, "length"),
        (70, 80, "calm"),
    ]
    assert [one.continues for one in ends] == [None, ends[0].id, ends[1].id]
    assert [(one.score, one.peak_frame) for one in ends] == [(4.0, 10), (4.0, 40), (6.0, 70)]
    assert [one.box for one in ends] == [Box(at, 0, 8, 8) for at in (10, 40, 70)]
    assert ends[0].ended_at == ends[1].started_at


def test_the_end_does_not_wait_for_the_cool_down_and_repeats_come_after_it():
    flash = [5.0] * 5 + [0.0] * 25
    changes = told([*flash, *flash, *flash, *[0.0] * 200], AlarmRule(0.2, 1.0, cool_down_s=10.0))

    assert lives(changes) == [["new", "end", "repeat", "repeat"]]
    assert changes[1].at < NOON + timedelta(seconds=2)
    assert [change.event.repeats for change in changes] == [0, 0, 1, 2]


def test_missing_frames_end_an_event_and_say_so():
    frames = [(number, 4.0) for number in (*range(20), *range(50, 70))]

    assert [one.event.ended_by for one in told(frames) if one.kind == "end"] == ["gap", "stop"]


def test_another_profile_ends_what_lasts_and_goes_on_with_its_own_line():
    follower = EventFollower("gate", LINE, RULE, profile="day")
    for number in range(5):
        follower.take(number, number / 10, NOON, 4.0)
    (ended,) = follower.change(AlarmLine(5.0, 4.5, None, 1.0), "night")

    assert (ended.event.profile, ended.event.ended_by) == ("day", "profile")
    assert not [change for number in range(5, 20) for change in follower.take(number, number / 10, NOON, 4.0)]
    (new,) = [change for number in range(20, 25) for change in follower.take(number, number / 10, NOON, 6.0)]
    assert (new.event.profile, new.event.line) == ("night", 5.0)


def test_a_clock_that_is_set_back_changes_no_length():
    follower = EventFollower("gate", LINE, RULE)
    clock = [NOON + timedelta(seconds=number / 10 - (3600 if number > 15 else 0)) for number in range(60)]
    changes = [
        change
        for number, at in enumerate(clock)
        for change in follower.take(number, number / 10, at, 4.0 if 10 <= number < 30 else 0.0)
    ]

    assert changes[-1].event.ended_at == NOON + timedelta(seconds=3)


@settings(max_examples=draws(80))
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 2.5, 3.5, 4.5]), st.sampled_from([1, 1, 1, 1, 1, 1, 7])),
        min_size=1,
        max_size=120,
    ),
    st.sampled_from([0.0, 1.5]),
    st.integers(0, 120),
    st.sampled_from([600.0, 1.0]),
)
def test_events_of_a_stream_are_those_of_the_file(frames, cool_down_s, away, greatest_s):
    """Wherever a camera is found to be away, with frames missing thereafter; parts of a long event joined again."""
    rule, number, numbered = AlarmRule(0.2, 0.5, cool_down_s), -1, []
    for place, (score, step) in enumerate(frames):
        number += 7 if place == away else step
        numbered.append((number, score))
    tracker, wanted = EventTracker(LINE, rule), []
    for number, score in numbered:
        wanted.append(tracker.update(number, number / 10, score, Box(number, 0, 1, 1)))
    wanted = [event for event in [*wanted, tracker.finish()] if event is not None]

    follower, changes = EventFollower("gate", LINE, rule, telling=Telling(greatest_s=greatest_s)), []
    for place, (number, score) in enumerate(numbered):
        if place == away:
            changes += follower.interrupt()
        box = Box(number, 0, 1, 1) if follower.wants_box(number, number / 10, score) else None
        changes += follower.take(number, number / 10, NOON + timedelta(seconds=number / 10), score, box)
    changes += follower.interrupt("stop")

    found: list[list[CameraEvent]] = []
    for one in {change.event.id: change.event for change in changes}.values():
        if one.continues is None:
            found.append([])
        assert [one.continues] == [before.id for before in found[-1][-1:]] or one.continues is None
        found[-1].append(one)
    assert len(found) == len(wanted)
    for parts, event in zip(found, wanted, strict=True):
        peak = max(parts, key=lambda one: one.score)
        assert (parts[0].start_frame, parts[0].start_s) == (event.start, event.start_s)
        assert (parts[-1].end_frame, parts[-1].end_s, parts[-1].repeats) == (event.end, event.end_s, event.repeats)
        assert (peak.peak_frame, peak.peak_s, peak.score, peak.box) == (
            event.peak,
            event.peak_s,
            event.score,
            event.box,
        )
        assert all(one.box is not None for one in parts if one.score >= LINE.on)
        assert all(one.end_frame <= later.start_frame for one, later in pairwise(parts))
        assert [one.ended_by for one in parts[:-1]] == ["length"] * (len(parts) - 1)
        assert parts[-1].ended_by not in (None, "length")
    for life in lives(changes):
        assert life[0] == "new"
        assert life.count("end") == 1


def test_ids_sort_by_time_and_are_unique():
    ids = [event_id(NOON + timedelta(milliseconds=number)) for number in range(200)]

    assert ids == sorted(ids)
    assert len({event_id(NOON) for _ in range(200)}) == 200


def test_how_rare_a_score_is_is_said_in_words():
    assert once_in(4.0) == "once in 10,000 frames"
    assert once_in(4.0, fps=5) == "once in 33 min"
    assert once_in(190.0) == "once in 1e+190 frames"
