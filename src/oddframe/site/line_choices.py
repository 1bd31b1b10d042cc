"""Where the line of a camera could be, and what the last days would have brought there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import open_trained
from oddframe.errors import RunError, SettingsError
from oddframe.records import Record
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.fitting import Fitting
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.line import Timed, draw_lines
from oddframe.scoring.promise import HOURS, Promise
from oddframe.site.events import CameraEvent
from oddframe.site.score_history import SLOT_S

RATES = (1 / 30, 1 / 14, 1 / 7, 2 / 7, 4 / 7, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 48.0, 96.0)
"""False alarms a day from which people choose."""

_APART = max(1, 60 // SLOT_S)
"""What is odd again within a minute is taken for the same thing."""


class LineChoice(Record):
    """A line, and what the normal video vouches for."""

    on: float
    promise: Promise


class Foreseen(Record):
    """What the last days would have brought with another line.

    Attributes:
        came: events that came. stay: those of them that would have come. new: about so many more would have come.
        alarms, alarms_stay: of `came` and `stay`, those that people called an alarm. normal_gone: of those that would
            not have come, those that people called normal.
    """

    came: int
    stay: int
    new: int
    alarms: int
    alarms_stay: int
    normal_gone: int


def line_choices(detector: Path, fitting: Path | None, rates: Sequence[float] = RATES) -> list[LineChoice]:
    """Draw a line for each of many rates; some seconds.

    Args:
        detector: folder of a run or an artefact. fitting: folder of a fitting of it. rates: false alarms a day.

    Raises:
        RunError: detector or fitting is damaged, or there is none.
        SettingsError: nothing is kept to draw lines on.
    """
    trained = open_trained(detector)
    fitted = None if fitting is None else Fitting.open(fitting, trained)
    folder = trained.folder if fitted is None else fitted.folder
    digest = getattr(trained.info, "evidence", None) if fitted is None else fitted.info.evidence
    try:
        stretches = load_judged(folder, digest).of_kind("heldout")
    except RunError as error:
        raise SettingsError(
            "nothing is kept on which another line could be drawn",
            seen=error.problem,
            wanted="a fitting to this camera",
            hint=f"oddframe calibrate {detector} NORMAL_VIDEO --out FITTING",
        ) from None
    calibration = load_calibration(folder) if fitted is None else fitted.calibration()
    scores = calibration.heldout["online"]
    ends = np.cumsum([len(stretch) for stretch in stretches])
    timed = [
        Timed(of, stretch.time_s, stretch.seconds)
        for of, stretch in zip(np.split(scores, ends[:-1]), stretches, strict=True)
    ]
    rule = AlarmRule.of(trained.settings.score if fitted is None else fitted.info.score)
    hours = sum(one.seconds for one in timed if one.seconds is not None) / 3600
    whole = hours > 0 and all(one.times_s is not None for one in timed)
    choices = []
    for line, rate in zip(draw_lines(timed, [rate / HOURS for rate in rates], rule), rates, strict=True):
        if not whole or line.per_hour is None:
            promise = Promise(asked_per_day=rate)
        else:
            above_all = line.per_hour > line.asked_per_hour
            promise = Promise.measured(rate, 0 if above_all else round(line.per_hour * hours), hours)
        choices.append(LineChoice(on=line.on, promise=promise))
    return choices


def foresee(
    on: float,
    events: Sequence[tuple[CameraEvent, str | None]],
    scores: NDArray[np.float32],
    since: datetime,
) -> Foreseen:
    """What the last days would have brought with a line there.

    Args:
        events: of these days, with what people said of them.
        scores: (N, 2), what `ScoreHistory.between` gives from `since` on.
    """
    stay = [(event, said) for event, said in events if event.score >= on]
    odd = scores[:, 0] >= on  # NaN is not
    for event, _ in events:
        first, last = (
            int((at - since).total_seconds()) // SLOT_S for at in (event.started_at, event.ended_at or event.peak_at)
        )
        odd[max(0, first - _APART) : max(0, last + 1 + _APART)] = False
    at = np.flatnonzero(odd)
    new = 0 if not len(at) else 1 + int((np.diff(at) > _APART).sum())
    return Foreseen(
        came=len(events),
        stay=len(stay),
        new=new,
        alarms=sum(said == "alarm" for _, said in events),
        alarms_stay=sum(said == "alarm" for _, said in stay),
        normal_gone=sum(said == "normal" for event, said in events if event.score < on),
    )
