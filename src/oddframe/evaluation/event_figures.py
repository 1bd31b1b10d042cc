"""Figures on alarms, as records. `events.py` says how alarms and labelled stretches are matched.

Recall and other shares are 0..1, rates are false alarms per hour of normal test video. What is undefined is None.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from oddframe.evaluation.figures import Count, Named, Share
from oddframe.records import Record

RATES = (24.0, 6.0, 1.0)
"""False alarms an hour at which recall is quoted, beside that at the run's own line."""

OWN = "own"
"""The name of the run's own line among those of `Events.at`."""

Rate = Annotated[float, Field(ge=0)]


class Quartiles(Record):
    """A quarter of the values lies below `low`, half below `median`, three quarters below `high`."""

    low: float
    median: float
    high: float


class Found(Record):
    """Stretches of one kind, or of all kinds, at one line.

    Attributes:
        recall: found of labelled; None without a labelled stretch.
        interval: 95 % of draws of other videos have their recall in here; None where draws tell nothing.
        delay_frames, delay_s: of the stretches found, from a stretch's first judged frame to the first that an alarm
            covers; 0 where the alarm was on already. In seconds None where the times of one of them are unknown.
        masked: stretches with a mask on one of their judged frames. in_place: how many of these were found, in time
            and in place. recall_in_place: in_place of masked.
    """

    labelled: Count
    found: Count
    recall: Share | None = None
    interval: tuple[Share, Share] | None = None
    delay_frames: Quartiles | None = None
    delay_s: Quartiles | None = None
    masked: Count = 0
    in_place: Count = 0
    recall_in_place: Share | None = None


class FalseRate(Record):
    """How often there was an alarm without a cause.

    Attributes:
        hours: of judged normal video; None where times are unknown. per_hour: false by hours.
        interval: exact 95 % Poisson interval of the rate, as if false alarms came one by one. They come in clusters, so
            that it is rather too narrow. Only at a line that was not chosen by the test.
        asked_within: whether the rate that the line was drawn for lies in there.
    """

    false: Count
    hours: float | None
    per_hour: float | None
    interval: tuple[Rate, Rate] | None = None
    asked_within: bool | None = None


class Condition(Record):
    """The test videos of one condition, such as night, at the same line as all others."""

    videos: Count
    alarms: FalseRate
    stretches: Found


class AtLine(Record):
    """Alarms at one line.

    Attributes:
        asked_per_hour: of `Events.at` the rate at which it was chosen on the test itself: the lowest line that gives no
            more; None for the run's own line, which has not seen the test. Of `Events.promised` the rate that it was
            drawn for on held-out normal video.
        vouched_per_hour: what held-out normal video vouches for; None of a line that was chosen on the test.
        line: value of `online`; None for a line above everything, or where videos have lines of their own.
        normal_share: share of the normal frames that alarms cover. A line at which everything is one alarm finds all.
        stretches: all of them. known, unknown: of the kinds that the training has seen, and of the others; None where
            there are none. kinds: each kind by itself. What is labelled as two kinds counts with both.
        conditions: "light" → "night" → figures of the videos of which this is said.
    """

    asked_per_hour: float | None
    vouched_per_hour: float | None = None
    line: float | None
    alarms: FalseRate
    normal_share: Share | None
    stretches: Found
    known: Found | None = None
    unknown: Found | None = None
    kinds: Named[Found] = Named[Found]({})
    conditions: Named[Named[Condition]] = Named[Named[Condition]]({})


class Curve(Record):
    """Recall against false alarms an hour, over lines of `online`: a staircase, each recall holds up to the next rate.

    Attributes:
        per_hour: (P,) rates, ascending. recall: (P,) at the lowest line that gives no more false alarms than that, and
            above which no line gives more. in_place: (P,) of the stretches with masks; None without masks.
        low, high: (P,) 95 % of draws of other videos lie between them; None where draws tell nothing.
    """

    per_hour: tuple[Rate, ...]
    recall: tuple[Share, ...]
    in_place: tuple[Share, ...] | None = None
    low: tuple[Share, ...] | None = None
    high: tuple[Share, ...] | None = None


class Promise(Record):
    """What the run's line was drawn for.

    Attributes:
        asked_per_hour: false alarms an hour that were asked for (`score.false_alarms_per_hour`).
        vouched_per_hour: what held-out normal video vouches for; None where times are unknown.
    """

    asked_per_hour: float
    vouched_per_hour: float | None


class Events(Record):
    """Alarms beside labelled stretches (`events.py` says how they are matched); the run's own line, and others.

    Attributes:
        alarms: how many there were; None in results of versions that did not count them.
        recall: found of labelled; None without a labelled stretch.
        delay_frames: median, over the stretches found, of the frames from a stretch's first one to the first that an
            alarm covers; 0 where the alarm was on already, None where none was found.
        delay_s: the same in seconds; None where the times of a found stretch are unknown.
        precision: alarms that found something, of all; None without an alarm.
        false_per_hour: false alarms per hour of normal test video; None where times are unknown or there is none.
        promise: what the line was drawn for; None where videos have lines of different promises.
        at: "own", and "24", "6" and "1" false alarms an hour → alarms at that line. Without times "own" alone; empty
            in results of versions that did not look at other lines.
        promised: "24", "6" and "1" → alarms at the line that held-out normal video gives for that rate, as `calibrate`
            would draw it: whether promises are kept, not at one rate alone. Empty where the run keeps no evidence.
        curve: None where there is no labelled stretch, no normal video, or no clock.
    """

    labelled: Count
    found: Count
    missed: Count
    recall: Share | None = None
    delay_frames: float | None = None
    delay_s: float | None = None
    alarms: Count | None = None
    false: Count
    precision: Share | None = None
    normal_frames: Count = 0
    normal_hours: float | None = None
    false_per_hour: float | None
    promise: Promise | None = None
    at: Named[AtLine] = Named[AtLine]({})
    promised: Named[AtLine] = Named[AtLine]({})
    curve: Curve | None = None
