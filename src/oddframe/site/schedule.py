"""When something is done: days of the week and hours of the day."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Literal, get_args

from pydantic import Field, model_validator

from oddframe.detectors.settings import Strict

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = get_args(Day)


TIME_ZONE = "time zone"
"""The setting of a store that names the site's time zone, {"name": ...}; "" is the computer's."""


class Hours(Strict):
    """Hours of some days of the week. Hours over midnight belong to the day on which they begin.

    >>> night = Hours(days=("fri",), begin=time(22), end=time(6))
    >>> [night.hold(datetime(2026, 11, day, hour)) for day, hour in ((27, 23), (28, 5), (27, 5), (28, 23))]
    [True, True, False, False]
    """

    days: tuple[Day, ...] = Field(default=DAYS, min_length=1, description="mon, tue, wed, thu, fri, sat, sun")
    begin: time = Field(default=time(), description="time of day, as 18:00")
    end: time = Field(default=time(), description="time of day; not later than `begin`: of the next day")

    @model_validator(mode="after")
    def _of_the_place(self) -> Hours:
        if self.begin.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("times of day are those at the site, without a time zone")
        return self

    def hold(self, local: datetime) -> bool:
        """Whether a moment, in the time of the place, lies within them."""
        now, today = local.time(), DAYS[local.weekday()] in self.days
        if self.begin < self.end:
            return today and self.begin <= now < self.end
        yesterday = DAYS[(local - timedelta(days=1)).weekday()] in self.days
        return (today and now >= self.begin) or (yesterday and now < self.end)


def holds(hours: Sequence[Hours], at: datetime) -> bool:
    """Whether a moment lies within any of them; always where there are none.

    Args:
        at: with a time zone; hours are in this computer's.
    """
    local = at.astimezone()
    return not hours or any(one.hold(local) for one in hours)


def use_time_zone(name: str) -> None:
    """Have this process, and those that it starts, tell the time of day as it is there; "" changes nothing."""
    if name:
        os.environ["TZ"] = name
        clock.tzset()
