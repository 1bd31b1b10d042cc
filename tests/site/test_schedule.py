"""Hours of the week, over midnight too."""

from __future__ import annotations

import time as clock
from datetime import UTC, datetime, time

import pytest
from pydantic import ValidationError

from oddframe.site.schedule import Hours, holds, use_time_zone


def test_hours_hold_from_begin_to_end():
    hours = Hours(begin=time(8), end=time(17))

    assert [hours.hold(datetime(2026, 11, 30, *at)) for at in ((7, 59), (8, 0), (16, 59), (17, 0))] == [
        False,
        True,
        True,
        False,
    ]


def test_the_hours_after_midnight_belong_to_the_day_before():
    friday_night = Hours(days=("fri",), begin=time(22), end=time(6))

    assert not friday_night.hold(datetime(2026, 11, 27, 5))  # a Friday
    assert friday_night.hold(datetime(2026, 11, 27, 22))
    assert friday_night.hold(datetime(2026, 11, 28, 5, 59))
    assert not friday_night.hold(datetime(2026, 11, 28, 22))


def test_a_day_is_whole_without_hours():
    assert all(Hours(days=("mon",)).hold(datetime(2026, 11, 30, hour)) for hour in range(24))
    assert not Hours(days=("mon",)).hold(datetime(2026, 12, 1, 0))


def test_no_hours_are_all_hours():
    assert holds((), datetime.now(UTC))


def test_a_time_with_a_zone_is_refused():
    with pytest.raises(ValidationError, match="without a time zone"):
        Hours(begin="18:00Z", end="19:00")


def test_hours_are_those_of_the_sites_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")  # so that it is put back
    morning = (Hours(begin=time(8), end=time(9)),)
    try:
        use_time_zone("Asia/Tokyo")

        assert holds(morning, datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
        assert not holds(morning, datetime(2026, 11, 30, 8, 30, tzinfo=UTC))
    finally:
        monkeypatch.undo()
        clock.tzset()
