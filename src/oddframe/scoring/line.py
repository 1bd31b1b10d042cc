"""Where alarms begin: the lowest line that held-out normal video crosses no more often than asked."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule
from oddframe.scoring.pace import durations
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.sweep import Sweep

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

    The same as `alarms.events` at each of them, without a cool-down.

    Args:
        stretches: all of them with times. lines: (K,) above 0, in ascending order. rule: what makes an event.
    """
    rule = replace(rule, cool_down_s=0.0)
    changes = heapq.merge(*(_changes(one, lines, rule) for one in stretches), key=lambda change: -change[0])
    coming, events = next(changes, None), 0
    for k in range(len(lines) - 1, -1, -1):
        while coming is not None and coming[0] == k:
            events += coming[1]
            coming = next(changes, None)
        yield events


def _changes(stretch: Timed, lines: NDArray[np.float64], rule: AlarmRule) -> Iterator[tuple[int, int]]:
    """(k, how many events more, or fewer, there are from line `k` down), from the highest line down."""
    before = 0
    for k, raised in Sweep(np.arange(len(stretch.scores)), stretch.scores, rule, stretch.times_s).over(lines):
        yield k, len(raised.starts) - before
        before = len(raised.starts)


def _seconds(times_s: NDArray[np.float64]) -> float:
    """How long the frames of a stretch last together; the first one as long as the second."""
    lasts = durations(_microseconds(times_s))
    return sum((*lasts[1:2], *lasts[1:]) if len(lasts) > 1 else lasts) / 1e6


def _microseconds(times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.asarray(np.rint(1e6 * times_s), np.int64)


def _line(on: float, per_hour: float | None, asked: float) -> AlarmLine:
    return AlarmLine(float(on), float(on) * HYSTERESIS, per_hour, asked)


def _alarms(count: float) -> str:
    return f"{count:g} false alarm{'' if count == 1 else 's'}"


def _duration(hours: float) -> str:
    seconds = hours * 3600
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 3 else f"{hours:,.0f} h"
