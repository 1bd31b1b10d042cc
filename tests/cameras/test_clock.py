"""A camera's clock rises, whatever its stamps do."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddframe.cameras.backoff import Backoff
from oddframe.cameras.clock import StreamClock

Stamps = st.lists(
    st.tuples(st.none() | st.floats(-1e6, 1e6), st.floats(0, 30)),
    max_size=60,
)


@given(Stamps, st.booleans())
def test_no_stamps_make_it_stand_or_run_backwards(stamps, follows):
    clock, arrived = StreamClock(2.0, follows=follows), 0.0
    times = []
    for stamp, waited in stamps:
        arrived += waited
        times.append(clock.next(stamp, arrived).time_s)

    assert all(one < other for one, other in itertools.pairwise(times))


def ran(stamps, arrivals, **given):
    clock = StreamClock(2.0, **given)
    return [clock.next(stamp, arrived) for stamp, arrived in zip(stamps, arrivals, strict=True)]


def test_how_many_pictures_a_second_there_are_is_told_once_it_is_known():
    clock, told = StreamClock(2.0), []
    for number in range(8):
        clock.next(number / 10, number / 10)
        told.append(clock.fps)

    assert told[:3] == [None] * 3
    assert told[-1] == pytest.approx(10)


def test_stamps_are_even_where_a_network_is_not():
    stamps = [100 + number / 25 for number in range(50)]
    arrivals = [number / 25 + (0.3 if number % 7 == 0 else 0) for number in range(50)]
    arrivals = list(itertools.accumulate(arrivals, max))
    steps = [after.time_s - before.time_s for before, after in itertools.pairwise(ran(stamps, arrivals))]

    assert steps == pytest.approx([0.04] * 49, rel=0.11)


@pytest.mark.parametrize(
    "stamps",
    [[0, 0.1, 0.2, 5000, 5000.1, 5000.2], [9, 9.1, 9.2, 1, 1.1, 1.2], [4, 4.1, 4.2, 4.2, 4.3, 4.4]],
    ids=["jump", "backwards", "standing"],
)
def test_a_wrong_step_is_one_gap_and_takes_as_long_as_it_took(stamps):
    moments = ran(stamps, [number / 10 for number in range(6)])

    assert [moment.gap for moment in moments] == [True, False, False, True, False, False]
    assert moments[-1].time_s == pytest.approx(0.5, abs=0.05)


def test_stamps_that_are_never_right_are_passed_over():
    moments = ran([7.0] * 40, [number / 10 for number in range(40)])

    assert not any(moment.gap for moment in moments[10:])
    assert moments[-1].time_s == pytest.approx(3.9, abs=0.01)


def test_a_camera_whose_clock_is_wrong_by_a_hundredth_is_followed():
    moments = ran([number / 25 * 1.01 for number in range(9000)], [number / 25 for number in range(9000)])

    assert not any(moment.gap for moment in moments[1:])
    assert moments[-1].time_s == pytest.approx(8999 / 25, abs=0.2)


def test_a_file_that_is_read_faster_than_it_was_taken_goes_by_its_stamps():
    moments = ran([0, 0.2, 0.4, 0, 0.2], [0.0] * 5, follows=False)

    assert [round(after.time_s - before.time_s, 2) for before, after in itertools.pairwise(moments)] == [
        0.2,
        0.2,
        0.2,  # where it begins again, as long as usual
        0.2,
    ]


def test_pauses_double_up_to_the_longest_and_a_wrong_password_is_not_tried_often():
    pauses = Backoff(1, 60, lambda: 0.0)

    assert [pauses.next() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    pauses.reset()
    assert pauses.next(rarely=True) == 30
