"""Alarms at every line through the scores of a test set, counted by video, so that other draws of videos are sums."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation.lasting import normal_hours
from oddframe.evaluation.matching import Group, Matched, Stretches, groups_of, own_alarms
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.line import LEAST_LINE
from oddframe.scoring.sweep import NOTHING, Raised, Sweep

_MOST_LINES = 2000
_MOST_CELLS = 40_000_000
"""Groups x videos x lines: 320 MB of counts."""

_SLACK = 1e-9
"""Rounding of hours that are added up."""


@dataclass(frozen=True)
class Lines:
    """A choice of a line: for all videos as they are, and for each draw of them.

    Attributes:
        column: of `EventCurve`'s counts. drawn: (R,) the same for each draw.
    """

    column: int
    drawn: NDArray[np.intp]


class EventCurve:
    """Counts of alarms at the run's own line, and at lines of `online` from above all scores down.

    Lines are scores that occur, down to one that a normal frame in ten passes (`LEAST_LINE`), or to the run's own where
    that is lower. Where there are more than 2,000 of them, one is taken of neighbours that differ in less than half a
    per cent of the normal frames above them.

    Attributes:
        groups: what stretches are counted as. lines: (C,) value of each column: the first is a line above everything,
            then they fall; after them the lines that were given; the last column is the run's own line, NaN.
        alarms, false, covered: (V, C) alarms; those that meet no stretch; normal frames that alarms cover.
        found, in_place: (G, V, C) stretches of each group. labelled, masked: (G, V).
        normal: (V,) frames. hours: (V,) of them; NaN where times are unknown.
    """

    def __init__(
        self, videos: Sequence[JudgedVideo], rule: AlarmRule, known: Collection[str] = (), given: Sequence[float] = ()
    ) -> None:
        self._videos = videos
        self._sweeps = [
            Sweep(one.frame, one.online, rule, one.time_s, one.fps, one.begins())
            for one in (video.scores for video in videos)
        ]
        self._matched: dict[int, list[Matched]] = {}
        self.groups: list[Group] = groups_of(videos, known)
        self._stretches = [Stretches(video, self.groups, known) for video in videos]
        ascending = _lines(videos, max(50, min(_MOST_LINES, _MOST_CELLS // (len(self.groups) * len(videos)))))
        self.lines = np.concatenate([[np.inf], ascending[::-1], given, [np.nan]])
        self._falling = len(ascending) + 1
        shape = (len(videos), len(self.lines))
        self.alarms, self.false, self.covered = (np.zeros(shape, np.int64) for _ in range(3))
        self.found, self.in_place = (np.zeros((len(self.groups), *shape), np.int64) for _ in range(2))
        self.labelled, self.masked = (np.zeros((len(self.groups), len(videos)), np.int64) for _ in range(2))
        for number, (video, stretches) in enumerate(zip(videos, self._stretches, strict=True)):
            np.add.at(self.labelled[:, number], stretches.group, 1)
            np.add.at(self.masked[:, number], stretches.group[stretches.masked], 1)
            before, begin, lowest = NOTHING, 0, len(ascending)
            for k, raised in self._sweeps[number].over(ascending):
                self._count(number, slice(begin, lowest - k), stretches, before)
                before, begin = raised, lowest - k
            self._count(number, slice(begin, lowest + 1), stretches, before)
            for column, line in enumerate(given, lowest + 1):
                self._count(number, slice(column, column + 1), stretches, self._sweeps[number].at(line))
            self._count(number, slice(-1, None), stretches, own_alarms(video))
        self.normal = np.array([int((~video.labels).sum()) for video in videos])
        self.hours = np.array([normal_hours(video) for video in videos])

    @property
    def own(self) -> Lines:
        """The run's own line."""
        return self._column(len(self.lines) - 1)

    def given(self, number: int) -> Lines:
        """One of the lines that were given."""
        return self._column(self._falling + number)

    def at_rates(self, per_hour: Sequence[float], drawn: NDArray[np.float64]) -> list[Lines]:
        """For each rate the lowest line that gives no more false alarms an hour, and above which no line gives more.

        Args:
            drawn: (R, V) how often each video is in each draw. Each draw chooses its lines for itself.
        """
        false = self.false[:, : self._falling]
        most = np.maximum.accumulate(false.sum(axis=0)[None], axis=1)
        most_drawn = np.maximum.accumulate(drawn @ false, axis=1)
        hours, hours_drawn = self.hours.sum(keepdims=True), drawn @ self.hours
        return [
            Lines(int(_lowest(most, rate * hours)[0]), _lowest(most_drawn, rate * hours_drawn)) for rate in per_hour
        ]

    def steps(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The staircase: (P,) numbers of false alarms, ascending, and the lowest line that gives no more than each."""
        most = np.maximum.accumulate(self.false.sum(axis=0)[: self._falling])
        ends = np.append(np.flatnonzero(np.diff(most)), len(most) - 1)
        return most[ends], ends

    def recall(
        self, group: int, lines: Lines, of: NDArray[np.bool_], drawn: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(R,) recall of draws of some of the videos, (V,) bool; NaN where there is no stretch."""
        weights = drawn * of
        labelled = weights @ self.labelled[group]
        found = (weights * self.found[group].T[lines.drawn]).sum(axis=1)
        recall = np.full(len(drawn), np.nan)
        np.divide(found, labelled, out=recall, where=labelled > 0)
        return recall

    def delays(self, group: int, column: int, of: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Delays of the stretches that are found at a line, in frames and in seconds (NaN where times are unknown)."""
        frames, seconds = [], []
        for number in np.flatnonzero(of & (self.found[group, :, column] > 0)).tolist():
            scores, stretches, matched = self._videos[number].scores, self._stretches[number], self._at(column)[number]
            met = matched.found & (stretches.group == group)
            begins, firsts = stretches.begins[met], matched.first[met]
            late = scores.frame[firsts] - scores.frame[begins]
            frames.append(late.astype(np.float64))
            if scores.time_s is not None:
                seconds.append(scores.time_s[firsts] - scores.time_s[begins])
            else:
                seconds.append(late / (scores.fps or np.nan))
        nothing = np.zeros(0)
        return np.concatenate([nothing, *frames]), np.concatenate([nothing, *seconds])

    @staticmethod
    def _column(column: int) -> Lines:
        """The same line in every draw."""
        return Lines(column, np.full(1, column))

    def _at(self, column: int) -> list[Matched]:
        """What is found in each video at one line below all."""
        if column not in self._matched:
            own, line = column == len(self.lines) - 1, float(self.lines[column])
            self._matched[column] = [
                stretches.match(own_alarms(video) if own else sweep.at(line))
                for video, stretches, sweep in zip(self._videos, self._stretches, self._sweeps, strict=True)
            ]
        return self._matched[column]

    def _count(self, number: int, columns: slice, stretches: Stretches, raised: Raised) -> None:
        matched = stretches.match(raised)
        self.alarms[number, columns], self.false[number, columns] = matched.alarms, matched.false
        self.covered[number, columns] = matched.covered
        groups = len(self.groups)
        self.found[:, number, columns] = np.bincount(stretches.group[matched.found], minlength=groups)[:, None]
        self.in_place[:, number, columns] = np.bincount(stretches.group[matched.in_place], minlength=groups)[:, None]


def _lines(videos: Sequence[JudgedVideo], most: int) -> NDArray[np.float64]:
    """Scores that are worth a line, ascending, at most so many."""
    floor = min([LEAST_LINE, *(video.scores.line.on for video in videos)])
    scores = np.concatenate([video.scores.online for video in videos]).astype(np.float64)
    normal = np.sort(scores[~np.concatenate([video.labels for video in videos])])
    falling = np.unique(scores[(scores >= floor) & (scores > 0)])[::-1]
    if len(falling) <= most:
        return falling[::-1]
    above = len(normal) - np.searchsorted(normal, falling, side="left")
    way = np.log1p(above)
    taken = np.searchsorted(way, np.linspace(0, way[-1], most), side="right") - 1
    kept: NDArray[np.float64] = falling[np.unique(np.maximum(taken, 0))]
    return kept[::-1]


def _lowest(most: NDArray[np.floating] | NDArray[np.int64], allowed: NDArray[np.float64]) -> NDArray[np.intp]:
    """(R,) the last column of (R, C), which rises along each row, that is not above what is allowed, (R,)."""
    return np.asarray((most <= (allowed * (1 + _SLACK) + _SLACK)[:, None]).sum(axis=1) - 1, np.intp)
