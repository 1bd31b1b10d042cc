"""One video's events at any of many lines, as `alarms.EventTracker` gives them, without following it anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule, events
from oddframe.scoring.pace import FPS_WHERE_UNKNOWN, durations
from oddframe.scoring.scores import AlarmLine

Places = NDArray[np.int64]


class Raised(NamedTuple):
    """The events of one line: places [start, stop) in a table of scores, in order, (E,) each. None shares a place."""

    starts: Places
    stops: Places


NOTHING = Raised(np.zeros(0, np.int64), np.zeros(0, np.int64))


class Sweep:
    """The events of one video at any line, the cool-down included: the same as `alarms.events` at each of them.

    Args:
        frame: (N,) numbers in the source, ascending. scores: (N,), higher is odder.
        rule: what makes an event. times_s: (N,) seconds; None without a clock. fps: of a video without one.
        begins: (N,) as of `Scores`; without it, where the numbers of frames are not in a row.

    >>> frame, scores = np.arange(6), np.array([0, 5, 0, 0, 3, 3.0])
    >>> sweep = Sweep(frame, scores, AlarmRule(shortest_s=0, merge_s=0), frame / 1.0)
    >>> for k, (starts, stops) in sweep.over(np.array([2.0, 4.0])):
    ...     print(k, starts, stops)
    1 [1] [2]
    0 [1 4] [2 6]
    """

    def __init__(
        self,
        frame: NDArray[np.int64],
        scores: NDArray[np.floating],
        rule: AlarmRule,
        times_s: NDArray[np.float64] | None = None,
        fps: float | None = None,
        begins: NDArray[np.bool_] | None = None,
    ) -> None:
        self._frame, self._scores, self._rule, self._times_s, self._fps = frame, scores, rule, times_s, fps
        seconds = frame / (fps or FPS_WHERE_UNKNOWN) if times_s is None else times_s
        at_us = self._at_us = np.rint(1e6 * seconds).astype(np.int64)
        self._broken = np.diff(frame, prepend=frame[:1] - 1) != 1 if begins is None else begins
        self._broken = self._broken & (np.arange(len(frame)) > 0)
        backwards = np.diff(at_us, prepend=at_us[:1]) < 0
        self._backwards = bool((backwards if rule.cool_down_s else backwards & ~self._broken).any())
        self._lasts = durations(at_us, self._broken, fps)
        self._closes = _closes(at_us, self._broken, rule.merge_us)

    def over(self, lines: NDArray[np.float64]) -> Iterator[tuple[int, Raised]]:
        """Events at each of many lines, from the highest line down.

        A lower line only adds frames to events, so each frame has a highest line at which it belongs to one: its own
        score, or what the frame before it and the lower edge allow. A video has no more lists of events than such
        lines.

        Args:
            lines: (K,) above 0, in ascending order. Each has its lower edge at the usual share below it.

        Yields:
            (k, events): the events of line `k`, and of the lines below it up to the next `k` that comes. Above the
            first `k` there are none.
        """
        ranks = _ranks(self._scores, lines, self._broken)
        cool_us = round(1e6 * self._rule.cool_down_s)
        for rank in np.unique(ranks[ranks > 0])[::-1].tolist():
            if self._backwards:  # nothing can be said of such a clock but what following it says
                yield rank - 1, self._followed(float(lines[rank - 1]))
                continue
            inside = np.flatnonzero(ranks >= rank)
            cut = np.flatnonzero(self._closes[inside[:-1]] < inside[1:])
            first, last = np.append(0, cut + 1), np.append(cut, len(inside) - 1)
            kept = np.add.reduceat(self._lasts[inside], first) >= self._rule.shortest_us
            starts, ends = inside[first[kept]], inside[last[kept]]
            if cool_us:
                apart = _apart(self._at_us[ends], cool_us)
                starts, ends = starts[apart], ends[apart]
            yield rank - 1, Raised(starts, ends + 1)

    def at(self, line: float) -> Raised:
        """Events at one line above 0."""
        return next((raised for _, raised in self.over(np.array([line]))), NOTHING)

    def _followed(self, line: float) -> Raised:
        """The events of one line, frame by frame."""
        at = AlarmLine(line, line * HYSTERESIS, None, 0.0)
        clock = self._times_s, self._fps
        raised = list(events(self._frame.tolist(), self._scores, at, self._rule, *clock, self._broken))
        starts, ends = [event.start for event in raised], [event.end - 1 for event in raised]
        return (
            Raised(np.searchsorted(self._frame, starts), np.searchsorted(self._frame, ends) + 1) if raised else NOTHING
        )


def _ranks(scores: NDArray[np.floating], lines: NDArray[np.float64], broken: NDArray[np.bool_]) -> Places:
    """How many of the lines, counted from the lowest, each frame belongs to an event at, all merging left out."""
    begins = np.searchsorted(lines, scores, side="right")
    stays = np.searchsorted(lines * HYSTERESIS, scores, side="right")
    places = np.flatnonzero(stays)  # the calm frames between them belong to no event at any line
    begins, stays, alone = begins[places], stays[places], broken[places] | (np.diff(places, prepend=-2) != 1)
    found, before = [], 0
    for own, edge, gap in zip(begins.tolist(), stays.tolist(), alone.tolist(), strict=True):
        before = own if gap else max(own, min(before, edge))
        found.append(before)
    ranks = np.zeros(len(scores), np.int64)
    ranks[places] = found
    return ranks


def _closes(at_us: Places, broken: NDArray[np.bool_], merge_us: int) -> Places:
    """For each frame, the first place at which an event that it is the last odd frame of would be over: an odd frame
    there, or before, still belongs to it."""
    closes = np.empty(len(at_us), np.int64)
    breaks = np.flatnonzero(broken).tolist()
    for begin, end in zip([0, *breaks], [*breaks, len(at_us)], strict=True):
        within = at_us[begin:end]
        later = begin + np.searchsorted(within, within + merge_us, side="right")
        closes[begin:end] = np.minimum(later, end - 1)
    return closes


def _apart(ends_us: Places, cool_us: int) -> NDArray[np.bool_]:
    """Which events are none that is over before the cool-down of the one before has passed."""
    apart, until = np.ones(len(ends_us), bool), None
    for place, end in enumerate(ends_us.tolist()):
        apart[place] = until is None or end > until
        until = end + cool_us if apart[place] else until
    return apart
