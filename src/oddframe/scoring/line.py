"""Where alarms begin: the lowest line that held-out normal video crosses no more often than asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule
from oddframe.scoring.scores import AlarmLine

Stretch = tuple[NDArray[np.floating], float | None]
"""Scores of an unbroken stretch of video, and its frames a second."""


def draw_line(stretches: Sequence[Stretch], asked_per_hour: float) -> AlarmLine:
    """Find the lowest line that held-out normal video crosses no more often than asked.

    Footage of a quarter of an hour cannot vouch for one false alarm an hour: then the line is just above everything
    seen, and the note says what that vouches for.

    Args:
        stretches: (scores, frames a second or None) of each unbroken stretch of held-out normal video.
        asked_per_hour: false alarms an hour.
    """
    scores = np.concatenate([stretch for stretch, _ in stretches]) if stretches else np.zeros(0)
    if not len(scores):
        return AlarmLine(
            3.0, 3.0 * HYSTERESIS, None, asked_per_hour, "no held-out normal video: one frame in a thousand"
        )
    highest = float(scores.max())
    above_all = _line(np.nextafter(max(highest, 1e-3), np.inf), None, asked_per_hour)
    if any(fps is None for _, fps in stretches):
        note = f"the held-out video's frame rate is unknown: the line is above all {len(scores)} frames of it"
        return replace(above_all, note=note)
    hours = sum(len(stretch) / (fps or 1.0) for stretch, fps in stretches) / 3600
    allowed = int(asked_per_hour * hours)
    if allowed == 0:
        note = (
            f"{_duration(hours)} of held-out normal video cannot vouch for {_alarms(asked_per_hour)} an hour, "
            f"only for fewer than {1 / hours:.0f}: the line is above all of it. Hold out more normal video for a "
            "firmer one"
        )
        return replace(above_all, per_hour=1 / hours, note=note)
    best = replace(above_all, per_hour=0.0)
    candidates = np.unique(scores[scores > np.quantile(scores, 0.5)]).astype(np.float64)
    for candidate, count in zip(candidates[::-1], event_counts(stretches, candidates), strict=True):
        if count > allowed:
            break
        best = _line(float(candidate), count / hours, asked_per_hour)
    return best


def event_counts(stretches: Sequence[Stretch], lines: NDArray[np.float64]) -> Iterator[int]:
    """How many events there are at each of many lines, from the highest line down.

    The same as `alarms.events` at each of them, without following every frame anew. A lower line only adds frames to
    events, so each frame has a highest line at which it belongs to one: its own score, or what the frame before it and
    the lower edge allow. From there on down, neighbours that lie no further apart than the merging gap grow together.

    Args:
        stretches: as of `draw_line`. lines: (K,) in ascending order.
    """
    ranks, reaches, needed = [], [], []
    for scores, fps in stretches:
        rule = AlarmRule.for_rate(fps)
        rank = np.append(_ranks(scores, lines), 0)
        padded = np.concatenate([np.zeros(rule.merge, np.int64), rank])
        reach = np.lib.stride_tricks.sliding_window_view(padded, rule.merge + 1).max(axis=1)
        reach[-1] = 0  # a place that no line reaches keeps stretches apart
        ranks.append(rank)
        reaches.append(reach)
        needed.append(np.full(len(rank), rule.shortest))
    runs = _Runs(np.concatenate(needed).tolist())
    by_reach, by_rank = _by_rank(np.concatenate(reaches), len(lines)), _by_rank(np.concatenate(ranks), len(lines))
    for joined, inside in zip(by_reach, by_rank, strict=True):
        for place in joined.tolist():
            runs.join(place)
        for place in inside.tolist():
            runs.count(place)
        yield runs.events


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
        needed: frames that an event needs, for each place.
    """

    def __init__(self, needed: list[int]) -> None:
        self.events = 0
        self._needed = needed
        self._parent = [-1] * len(needed)
        """-1 where nothing has come yet."""
        self._frames = [0] * len(needed)

    def join(self, place: int) -> None:
        """Let a place come, and join it to the neighbours that are there."""
        self._parent[place] = place
        for neighbour in (place - 1, place + 1):
            if 0 <= neighbour < len(self._parent) and self._parent[neighbour] >= 0:
                one, other = self._root(place), self._root(neighbour)
                self.events -= self._long(one) + self._long(other)
                self._parent[other] = one
                self._frames[one] += self._frames[other]
                self.events += self._long(one)

    def count(self, place: int) -> None:
        """Count a frame that belongs to an event."""
        root = self._root(place)
        self.events -= self._long(root)
        self._frames[root] += 1
        self.events += self._long(root)

    def _long(self, root: int) -> bool:
        return self._frames[root] >= self._needed[root]

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
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
