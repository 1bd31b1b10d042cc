"""Alarms beside labelled stretches: what was found, where, how late, and how often an alarm had no cause.

A *stretch* is a run of neighbouring judged frames that are labelled abnormal; of one kind of anomaly, a run of frames
that are labelled so. How an alarm is matched to it:

- *In time.* A stretch is found when any alarm shares a frame with it. One alarm may find several stretches, and several
  alarms on one stretch find it once. An alarm that shares no frame with any stretch is false. Whether it is at the
  right place does not count here.
- *In place.* Where masks say where a stretch is, it is found in place when it is found in time and, on at least half of
  the masked frames that alarms share with it, the box around the oddest place (`scoring.heat.box_of`) meets the mask:
  has a pixel in common with it. An alarm over a stretch that points elsewhere has found it in time, not in place.

At the run's own line alarms are those that were raised. At other lines they are what the same rule (hysteresis, least
length, merging, cool-down) makes of the same scores.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import MissingExtraError
from oddframe.evaluation import metrics
from oddframe.evaluation.event_curve import EventCurve, Lines
from oddframe.evaluation.event_figures import (
    OWN,
    RATES,
    AtLine,
    Condition,
    Curve,
    Events,
    FalseRate,
    Found,
    Promise,
    Quartiles,
)
from oddframe.evaluation.figures import Named
from oddframe.evaluation.matching import ALL, KNOWN, UNKNOWN, Group, Stretches, own_alarms
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.scores import AlarmLine

RESAMPLES = 1000

_MOST_POINTS = 120
"""Of the curve that is kept."""

_HIGHEST_RATE = 100.0
"""False alarms an hour: nobody looks at more."""

_LEVEL = 0.95


def judge_events(
    videos: Sequence[JudgedVideo],
    rule: AlarmRule,
    *,
    known_kinds: Collection[str] = (),
    promised: Sequence[AlarmLine] = (),
    seed: int = 0,
) -> Events:
    """Count alarms against labels, at the run's own line and at others; this module says how they are matched.

    Args:
        videos: one or more. rule: what makes an event of scores, as the run has it.
        known_kinds: kinds of anomaly that the training has seen. promised: lines that were drawn for other rates.
        seed: of the draws of videos behind each interval.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    return _Judge(videos, rule, known_kinds, promised, seed).events()


def count_events(video: JudgedVideo) -> tuple[int, int, int]:
    """(found, missed, false) of one video at the run's own line."""
    stretches = Stretches(video, [(ALL, "")], ())
    matched = stretches.match(own_alarms(video))
    found = int(matched.found.sum())
    return found, len(matched.found) - found, matched.false


class _Judge:
    """The figures of one set of videos."""

    def __init__(
        self,
        videos: Sequence[JudgedVideo],
        rule: AlarmRule,
        known: Collection[str],
        promised: Sequence[AlarmLine],
        seed: int,
    ) -> None:
        self._videos, self._promised = videos, promised
        self._curve = EventCurve(videos, rule, known, [line.on for line in promised])
        self._drawn = metrics.draws(len(videos), np.random.default_rng(seed), RESAMPLES)
        self._all = np.ones(len(videos), bool)
        self._timed = not np.isnan(self._curve.hours).any() and self._curve.hours.sum() > 0
        asked = {video.scores.line.asked_per_hour for video in videos}
        vouched = {video.scores.line.per_hour for video in videos}
        self._promise = (
            Promise(asked_per_hour=asked.pop(), vouched_per_hour=vouched.pop())
            if len(asked) == len(vouched) == 1
            else None
        )

    def events(self) -> Events:
        """All figures."""
        own = self._at(self._curve.own, None, self._promise)
        at = {OWN: own}
        if self._timed:
            for rate, lines in zip(RATES, self._curve.at_rates(RATES, self._drawn), strict=True):
                at[f"{rate:g}"] = self._at(lines, rate)
        found, alarms = own.stretches, int(self._curve.alarms[:, -1].sum())
        return Events(
            labelled=found.labelled,
            found=found.found,
            missed=found.labelled - found.found,
            recall=found.recall,
            delay_frames=None if found.delay_frames is None else found.delay_frames.median,
            delay_s=None if found.delay_s is None else found.delay_s.median,
            alarms=alarms,
            false=own.alarms.false,
            precision=(alarms - own.alarms.false) / alarms if alarms else None,
            normal_frames=int(self._curve.normal.sum()),
            normal_hours=own.alarms.hours,
            false_per_hour=own.alarms.per_hour,
            promise=self._promise,
            at=Named[AtLine](at),
            promised=Named[AtLine](
                {
                    f"{line.asked_per_hour:g}": self._at(
                        self._curve.given(number),
                        line.asked_per_hour,
                        Promise(asked_per_hour=line.asked_per_hour, vouched_per_hour=line.per_hour),
                    )
                    for number, line in enumerate(self._promised)
                }
            ),
            curve=self._staircase(),
        )

    def _at(self, lines: Lines, asked: float | None, promise: Promise | None = None) -> AtLine:
        """Figures at a line: the run's own (nothing asked), one that was chosen on the test, or one with a promise."""
        held = asked is None or promise is not None
        column, normal = lines.column, int(self._curve.normal.sum())
        names = [what for what, _ in self._curve.groups]
        ons = {video.scores.line.on for video in self._videos} if asked is None else {self._curve.lines[column]}
        on = float(ons.pop()) if len(ons) == 1 else np.inf
        return AtLine(
            asked_per_hour=asked,
            vouched_per_hour=None if asked is None or promise is None else promise.vouched_per_hour,
            line=on if np.isfinite(on) else None,
            alarms=self._false(column, self._all, promise, held=held),
            normal_share=int(self._curve.covered[:, column].sum()) / normal if normal else None,
            stretches=self._found((ALL, ""), lines, self._all),
            known=self._found((KNOWN, ""), lines, self._all) if KNOWN in names else None,
            unknown=self._found((UNKNOWN, ""), lines, self._all) if UNKNOWN in names else None,
            kinds=Named[Found](
                {kind: self._found(("kind", kind), lines, self._all) for what, kind in self._curve.groups if kind}
            ),
            conditions=self._conditions(lines, promise, held=held),
        )

    def _conditions(self, lines: Lines, promise: Promise | None, *, held: bool) -> Named[Named[Condition]]:
        said = sorted({name for video in self._videos for name in video.conditions})
        found: dict[str, Named[Condition]] = {}
        for name in said:
            values = [video.conditions.get(name) for video in self._videos]
            rows = {}
            for value in sorted({value for value in values if value}):
                of = np.array([one == value for one in values])
                rows[value] = Condition(
                    videos=int(of.sum()),
                    alarms=self._false(lines.column, of, promise, held=held),
                    stretches=self._found((ALL, ""), lines, of),
                )
            found[name] = Named[Condition](rows)
        return Named[Named[Condition]](found)

    def _found(self, of_group: Group, lines: Lines, of: NDArray[np.bool_]) -> Found:
        curve, group, column = self._curve, self._curve.groups.index(of_group), lines.column
        labelled, masked = int(curve.labelled[group, of].sum()), int(curve.masked[group, of].sum())
        found, in_place = int(curve.found[group, of, column].sum()), int(curve.in_place[group, of, column].sum())
        frames, seconds = curve.delays(group, column, of)
        enough = int(of.sum()) >= metrics.LEAST_VIDEOS
        return Found(
            labelled=labelled,
            found=found,
            recall=found / labelled if labelled else None,
            interval=metrics.drawn_interval(curve.recall(group, lines, of, self._drawn), _LEVEL) if enough else None,
            delay_frames=_quartiles(frames),
            delay_s=_quartiles(seconds),
            masked=masked,
            in_place=in_place,
            recall_in_place=in_place / masked if masked else None,
        )

    def _false(self, column: int, of: NDArray[np.bool_], promise: Promise | None, *, held: bool) -> FalseRate:
        """False alarms; with an interval where the line was `held` against a test that it has not seen."""
        false, hours = int(self._curve.false[of, column].sum()), float(self._curve.hours[of].sum())
        known = not np.isnan(hours)
        interval = poisson_interval(false, hours) if held and hours > 0 else None
        asked = None if promise is None else promise.asked_per_hour
        return FalseRate(
            false=false,
            hours=hours if known else None,
            per_hour=false / hours if hours > 0 else None,
            interval=interval,
            asked_within=None if interval is None or asked is None else interval[0] <= asked <= interval[1],
        )

    def _staircase(self) -> Curve | None:
        """Recall by the rate of false alarms."""
        curve, hours = self._curve, float(self._curve.hours.sum())
        labelled, masked = int(curve.labelled[0].sum()), int(curve.masked[0].sum())
        if not self._timed or not labelled:
            return None
        false, columns = curve.steps()
        kept = false <= _HIGHEST_RATE * hours
        false, columns = _thinned(false[kept], columns[kept])
        band: list[tuple[float, float]] = []
        if len(self._videos) >= metrics.LEAST_VIDEOS:
            lines = curve.at_rates((false / hours).tolist(), self._drawn)
            drawn = [metrics.spread(curve.recall(0, one, self._all, self._drawn), _LEVEL) for one in lines]
            band = [one for one in drawn if one is not None]
        in_place = curve.in_place[0][:, columns].sum(axis=0) / masked if masked else None
        return Curve(
            per_hour=tuple((false / hours).tolist()),
            recall=tuple((curve.found[0][:, columns].sum(axis=0) / labelled).tolist()),
            in_place=None if in_place is None else tuple(in_place.tolist()),
            low=None if not band else tuple(low for low, _ in band),
            high=None if not band else tuple(high for _, high in band),
        )


def poisson_interval(count: int, hours: float, level: float = _LEVEL) -> tuple[float, float]:
    """Exact (Garwood) interval of a rate by which so many came in so many hours.

    Args:
        count: how many came. hours: > 0. level: how often such intervals hold the rate, at least.

    Raises:
        MissingExtraError: scipy is not installed.

    >>> low, high = poisson_interval(0, 2.0)
    >>> low, round(high, 3)
    (0.0, 1.844)
    """
    try:
        from scipy.special import gammaincinv
    except ImportError:
        raise MissingExtraError("intervals of rates", "train") from None
    outside = (1 - level) / 2
    low = float(gammaincinv(count, outside)) if count else 0.0
    return low / hours, float(gammaincinv(count + 1, 1 - outside)) / hours


def _quartiles(values: NDArray[np.float64]) -> Quartiles | None:
    """None without a value, or where one is unknown."""
    if not len(values) or np.isnan(values).any():
        return None
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return Quartiles(low=low, median=median, high=high)


def _thinned(false: NDArray[np.int64], columns: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """At most so many points, evenly by the logarithm of the rate."""
    if len(false) <= _MOST_POINTS:
        return false, columns
    way = np.log1p(false)
    kept = np.unique(np.searchsorted(way, np.linspace(0, way[-1], _MOST_POINTS)))
    return false[kept], columns[kept]
