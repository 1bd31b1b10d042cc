"""Which profile a picture belongs to."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from pydantic import ValidationError

from oddframe.site.profiles import Profile, profile_at

INFRARED = Profile(name="infrared", infrared=True)
NIGHT = Profile(name="night", begin=time(20), end=time(6))
DAY = Profile(name="day", scene="noon", begin=time(6), end=time(20))


@pytest.mark.parametrize(
    ("hour", "infrared", "wanted"),
    [
        (6, False, "day"),
        (19, False, "day"),
        (20, False, "night"),
        (0, False, "night"),
        (5, False, "night"),
        (12, True, "infrared"),
        (3, True, "infrared"),
    ],
)
def test_the_first_profile_that_holds_is_the_one(hour: int, infrared: bool, wanted: str):
    at = datetime(2026, 11, 30, hour, 30).astimezone()

    assert profile_at((INFRARED, NIGHT, DAY), at, infrared=infrared).name == wanted


def test_where_none_holds_it_is_the_first():
    noon = datetime(2026, 11, 30, 12).astimezone()

    assert profile_at((NIGHT, INFRARED), noon, infrared=False) is NIGHT


def test_a_profile_is_judged_by_the_scene_of_its_name_unless_another_is_named():
    assert (NIGHT.judged_as, DAY.judged_as) == ("night", "noon")


def test_a_profile_with_half_of_its_hours_is_refused():
    with pytest.raises(ValidationError, match="both a begin and an end"):
        Profile(name="night", begin=time(20))
