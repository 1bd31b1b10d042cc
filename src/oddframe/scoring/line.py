"""Where alarms begin: the lowest line that held-out normal video crosses no more often than asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule
from oddframe.scoring.pace import durations
from oddframe.scoring.scores import AlarmLine

LEAST_LINE = 1.0
"""A line that one normal frame in ten passes is none, however rarely that comes to an event: where nothing changes in
the held-out video, all of its scores are 0, and the first grain of noise would be an alarm."""


class Timed(NamedTuple):
    """Scores of an unbroken stretch of video, (N,), and the seconds of its frames, (N,); None without a clock."""

    scores: NDArray[np.floating]
    times_s: NDArray[np.float64] | None


def draw_line(stretches: Sequence[Timed], asked_per_hour: float, rule: AlarmRule) -> AlarmLine:
    """Find the lowest line that held-out normal video crosses no more often than asked.

    Footage of a quarter of an hour cannot vouch for one false alarm an hour: then the line is just above everything
    seen, and the note says what that vouches for.

    Alarms are counted as if there were no cool-down, which can only make them fewer.

    Args:
        stretches: of held-out normal video. asked_per_hour: false alarms an hour. rule: what makes an event.
    """
    scores = np.concatenate([stretch.scores for stretch in stretches]) if stretches else np.zeros(0)
    if not len(scores):
        return AlarmLine(
            3.0, 3.0 * HYSTERESIS, None, asked_per_hour, "no held-out normal video: one frame in a thousand"
        )
    highest = float(scores.max())
    above_all = _line(np.nextafter(max(highest, LEAST_LINE), np.inf), None, asked_per_hour)
    timed = [(scores, times_s) for scores, times_s in stretches if times_s is not None]
    if len(timed) < len(stretches):
        note = f"the held-out video's frame rate is unknown: the line is above all {len(scores)} frames of it"
        return replace(above_all, note=note)
    hours = sum(_seconds(times_s) for _, times_s in timed) / 3600
    allowed = int(asked_per_hour * hours)
    if allowed == 0:
        note = (
            f"{_duration(hours)} of held-out normal video cannot vouch for {_alarms(asked_per_hour)} an hour, "
            f"only for fewer than {1 / hours:.0f}: the line is above all of it. That takes "
            f"{_duration(1 / asked_per_hour)} of it"
        )
        return replace(above_all, per_hour=1 / hours, note=note)
    best = replace(above_all, per_hour=0.0)
    candidates = np.unique(scores[scores > max(np.quantile(scores, 0.5), LEAST_LINE)]).astype(np.float64)
    for candidate, count in zip(candidates[::-1], event_counts(stretches, candidates, rule), strict=True):
        if count > allowed:
            break
        best = _line(float(candidate), count / hours, asked_per_hour)
    return best


def event_counts(stretches: Sequence[Timed], lines: NDArray[np.float64], rule: AlarmRule) -> Iterator[int]:
    """How many events there are at each of many lines, from the highest line down.

    The same as `alarms.events` at each of them (without a cool-down), without following every frame anew. A lower line
    only adds frames to events, so each frame has a highest line at which it belongs to one: its own score, or what the
    frame before it and the lower edge allow. From there on down, neighbours that lie no further apart than the merging
    gap grow together.

    Args:
        stretches: all of them with times. lines: (K,) in ascending order. rule: what makes an event.
    """
    ranks, reaches, lasts = [], [], []
    for scores, times_s in stretches:
        assert times_s is not None
        at_us = _microseconds(times_s)
        rank = _ranks(scores, lines)
        # a place that no line reaches keeps stretches apart
        ranks.append(np.append(rank, 0))
        reaches.append(np.append(_highest_within(rank, at_us, rule.merge_us), 0))
        lasts += [*durations(at_us), 0]
    runs = _Runs(lasts, rule.shortest_us)
    by_reach, by_rank = _by_rank(np.concatenate(reaches), len(lines)), _by_rank(np.concatenate(ranks), len(lines))
    for joined, inside in zip(by_reach, by_rank, strict=True):
        for place in joined.tolist():
            runs.join(place)
        for place in inside.tolist():
            runs.count(place)
        yield runs.events


def _seconds(times_s: NDArray[np.float64]) -> float:
    """How long the frames of a stretch last together; the first one as long as the second."""
    lasts = durations(_microseconds(times_s))
    return sum((*lasts[1:2], *lasts[1:]) if len(lasts) > 1 else lasts) / 1e6


def _microseconds(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.rint(1e6 * times_s), np.int64)


def _highest_within(ranks: NDArray[np.int64], at_us: NDArray[np.int64], within_us: int) -> NDArray[np.int64]:
    """The highest rank among each frame and those up to so long before it, (N,)."""
    highest = np.zeros(len(ranks), np.int64)
    falling: deque[int] = deque()  # places whose ranks fall, the highest first
    begins = np.searchsorted(at_us, at_us - within_us, side="left").tolist()
    for place, (rank, begin) in enumerate(zip(ranks.tolist(), begins, strict=True)):
        while falling and ranks[falling[-1]] <= rank:
            falling.pop()
        falling.append(place)
        while falling[0] < begin:
            falling.popleft()
        highest[place] = ranks[falling[0]]
    return highest


def _ranks(scores: NDArray[np.floating], lines: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of the lines, counted from the lowest, each frame belongs to an event at, all merging left out."""
    begins = np.searchsorted(lines, scores, side="right").tolist()
    stays = np.searchsorted(lines * HYSTERESIS, scores, side="right").tolist()
    ranks, before = np.zeros(len(scores), np.int64), 0
    for place, (own, edge) in enumerate(zip(begins, stays, strict=True)):
        before = ranks[place] = max(own, min(before, edge))
    return ranks


def _by_rank(ranks: NDArray[np.int64], lines: int) -> Iterator[NDArray[np.intp]]:
    """The places whose rank is `lines`, then one less, and so on down to 1."""
    order = np.argsort(ranks, kind="stable")
    ends = np.searchsorted(ranks[order], np.arange(1, lines + 2))
    for rank in range(lines, 0, -1):
        yield order[ends[rank - 1] : ends[rank]]


class _Runs:
    """Neighbouring places that grow together (union-find), and how many of the runs are long enough to be events.

    Args:
        lasts: how long the frame at each place counts. needed: how long those of an event count together.
    """

    def __init__(self, lasts: list[int], needed: int) -> None:
        self.events = 0
        self._lasts, self._needed = lasts, needed
        self._parent = [-1] * len(lasts)
        """-1 where nothing has come yet."""
        self._odd = [0] * len(lasts)
        """Of each run, at its root: how long its odd frames count together."""

    def join(self, place: int) -> None:
        """Let a place come, and join it to the neighbours that are there."""
        self._parent[place] = place
        for neighbour in (place - 1, place + 1):
            if 0 <= neighbour < len(self._parent) and self._parent[neighbour] >= 0:
                one, other = self._root(place), self._root(neighbour)
                self.events -= self._long(one) + self._long(other)
                self._parent[other] = one
                self._odd[one] += self._odd[other]
                self.events += self._long(one)

    def count(self, place: int) -> None:
        """Count a frame that belongs to an event."""
        root = self._root(place)
        self.events -= self._long(root)
        self._odd[root] += self._lasts[place]
        self.events += self._long(root)

    def _long(self, root: int) -> bool:
        return self._odd[root] > 0 and self._odd[root] >= self._needed

    def _root(self, place: int) -> int:
        parent = self._parent
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place


def _line(on: float, per_hour: float | None, asked: float) -> AlarmLine:
    return AlarmLine(float(on), float(on) * HYSTERESIS, per_hour, asked)


def _alarms(count: float) -> str:
    return f"{count:g} false alarm{'' if count == 1 else 's'}"


def _duration(hours: float) -> str:
    seconds = hours * 3600
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 3 else f"{hours:,.0f} h"
