"""Where alarms of a camera begin, for a rate of false alarms that its owner asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from oddframe.artefact import open_trained
from oddframe.errors import RunError, SettingsError
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.fitting import Fitting
from oddframe.scoring.judged import Judged
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.promise import Promise
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.teach import fitted_of
from oddframe.site.store.records import LineRecord
from oddframe.site.store.shelf import utc_now

_DAY_H = 24.0
_SAME = 1e-9


@dataclass(frozen=True)
class DrawnLine:
    """A line, and what the footage vouches for; None where nothing is kept that could tell."""

    line: AlarmLine
    promise: Promise | None

    def record(self, camera: str, profile: str, author: str) -> LineRecord:
        """As the store keeps it, from now on."""
        line = self.line
        return LineRecord(
            camera=camera,
            profile=profile,
            since=utc_now(),
            on=line.on,
            off=line.off,
            asked_per_day=line.asked_per_hour * _DAY_H,
            vouched_per_day=None if line.per_hour is None else line.per_hour * _DAY_H,
            hours=0.0 if self.promise is None else self.promise.hours or 0.0,
            note=line.note,
            author=author,
        )


def line_for(detector: Path, fitting: Path | None, false_alarms_per_day: float | None) -> DrawnLine:
    """The line of a detector, or of its fitting to a camera, for a rate of false alarms.

    It is drawn anew, in seconds, on the evidence that was kept, where the calibration's own is for another rate.

    Args:
        detector: folder of a run or an artefact. fitting: folder of a fitting of it.
        false_alarms_per_day: above 0; None is the calibration's own rate.

    Raises:
        RunError: detector or fitting is damaged, or there is none.
        SettingsError: no evidence is kept to draw the line on.
    """
    trained = open_trained(detector)
    if fitting is not None:
        return line_of_fitting(Fitting.open(fitting, trained), false_alarms_per_day)
    folder = trained.folder
    calibration = load_calibration(folder)
    own = calibration.line
    digest = getattr(trained.info, "evidence", None)
    asked_per_hour = own.asked_per_hour if false_alarms_per_day is None else false_alarms_per_day / _DAY_H
    judged: Judged | None = None
    lacking = ""
    try:
        judged = load_judged(folder, digest)
    except RunError as error:
        lacking = error.problem
    if abs(own.asked_per_hour - asked_per_hour) > _SAME * asked_per_hour:
        if judged is None:
            raise SettingsError(
                "nothing is kept on which a line for another rate of false alarms could be drawn",
                path=folder,
                seen=lacking,
                wanted=f"a fitting to this camera, or {own.asked_per_hour * _DAY_H:g} false alarms a day",
                hint=f"oddframe calibrate {detector} NORMAL_VIDEO --out FITTING",
            )
        score = trained.settings.score
        calibration = fit_calibration(judged, score.model_copy(update={"false_alarms_per_hour": asked_per_hour}))
    asked_per_day = asked_per_hour * _DAY_H
    promise = None if judged is None else Promise.of(calibration, judged, asked_per_day)
    return DrawnLine(calibration.line, promise)


def line_of_fitting(fitting: Fitting, false_alarms_per_day: float | None) -> DrawnLine:
    """The line of a fitting after all that it was taught, for a rate of false alarms; None is its own.

    Raises:
        RunError: a file of it is damaged.
    """
    own = fitting.line
    asked = own.asked_per_hour if false_alarms_per_day is None else false_alarms_per_day / _DAY_H
    if abs(own.asked_per_hour - asked) <= _SAME * asked:
        return DrawnLine(own, fitting.promise)
    fitted = fitted_of(fitting)
    line = fitted.line(fitting.lessons, asked)
    return DrawnLine(line, fitted.promise(line))
