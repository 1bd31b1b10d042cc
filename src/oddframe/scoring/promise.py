"""What a line promises: false alarms a day, as far as the footage can vouch for them."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from oddframe.errors import SettingsError
from oddframe.records import Record
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.judged import Judged
from oddframe.scoring.quantiles import poisson_bounds

HOURS = 24.0

_SURE = 0.95


class Promise(Record):
    """False alarms of a line, on the normal video that it was drawn on.

    Attributes:
        asked_per_day: the rate that was asked for. hours: of normal video; None where its times are unknown.
        alarms: events that the line raises in it; None where times are unknown.
        low, high: 95 % Poisson interval of the rate, a day. at_most: rate that is not passed with a confidence of 95 %.
    """

    asked_per_day: float = Field(gt=0)
    hours: float | None = Field(default=None, ge=0)
    alarms: int | None = Field(default=None, ge=0)
    low: float | None = None
    high: float | None = None
    at_most: float | None = None

    @classmethod
    def of(cls, calibration: Calibration, judged: Judged, asked_per_day: float) -> Self:
        """What the line of a calibration promises that was fitted on this evidence."""
        stretches = judged.of_kind("heldout")
        lasting = [one.seconds for one in stretches if one.seconds is not None]
        if len(lasting) < len(stretches):
            return cls(asked_per_day=asked_per_day)
        hours = sum(lasting) / 3600
        line = calibration.line
        above_all = line.per_hour is None or line.per_hour > line.asked_per_hour
        alarms = 0 if above_all or line.per_hour is None else round(line.per_hour * hours)
        return cls.measured(asked_per_day, alarms, hours)

    @classmethod
    def measured(cls, asked_per_day: float, alarms: int, hours: float) -> Self:
        """So many alarms in so many hours, above 0, of normal video.

        >>> round(Promise.measured(1, 0, 26).at_most, 1)
        2.8
        """
        days = hours / HOURS
        low, high = poisson_bounds(alarms, (1 + _SURE) / 2)
        at_most = poisson_bounds(alarms, _SURE)[1]
        return cls(
            asked_per_day=asked_per_day,
            hours=hours,
            alarms=alarms,
            low=low / days,
            high=high / days,
            at_most=at_most / days,
        )

    @property
    def kept(self) -> bool:
        """Whether the footage vouches for what was asked."""
        return self.at_most is not None and self.at_most <= self.asked_per_day

    def in_words(self) -> str:
        """One sentence: what was asked, and what the footage vouches for.

        >>> print(Promise.measured(1, 0, 26).in_words())
        1 false alarm a day was asked; 26 hours of normal video vouch for at most 2.8 a day (none came in that time)
        """
        asked = f"{_count(self.asked_per_day)} a day {'was' if self.asked_per_day == 1 else 'were'} asked"
        if self.hours is None or self.at_most is None:
            return f"{asked}; normal video without times cannot tell the rate: the line is above all of it"
        vouched = f"{_long(self.hours)} of normal video vouch for at most {_number(self.at_most)} a day"
        return f"{asked}; {vouched} ({self.alarms or 'none'} came in that time)"


def per_hour(asked_per_day: float) -> float:
    """False alarms an hour, of a wish in false alarms a day.

    Raises:
        SettingsError: no line gives no false alarms at all.
    """
    if not 0 < asked_per_day < float("inf"):
        raise SettingsError(
            "this is no rate of false alarms",
            seen=f"{asked_per_day:g} a day",
            wanted="a number above 0: no line can promise that none comes",
            hint="one in a month is 0.033",
        )
    return asked_per_day / HOURS


def _count(number: float) -> str:
    return f"{_number(number)} false alarm{'' if number == 1 else 's'}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _long(hours: float) -> str:
    if (minutes := round(hours * 60)) < 60:
        return f"{minutes} minutes" if minutes > 1 else "not even two minutes"
    return f"{hours:.1f} hours" if hours < 10 else f"{hours:,.0f} hours"
