"""Where alarms begin: the lowest line that held-out normal video crosses no more often than asked."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import HYSTERESIS, AlarmRule
from oddframe.scoring.pace import seconds_of
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.sweep import Sweep

LEAST_LINE = 1.0
"""A line that one normal frame in ten passes is none, however rarely that comes to an event: where nothing changes in
the held-out video, all of its scores are 0, and the first grain of noise would be an alarm."""


_FIRST_LINES, _MORE_LINES = 512, 8
"""Of the highest lines so many are tried first, and then so many times as many."""


class Timed(NamedTuple):
    """Scores of an unbroken stretch of video, (N,), and the seconds of its frames, (N,); None without a clock."""

    scores: NDArray[np.floating]
    times_s: NDArray[np.float64] | None
    seconds: float | None = None
    """How long it lasts, where that is known already."""


def draw_line(
    stretches: Sequence[Timed], asked_per_hour: float, rule: AlarmRule, trained: Sequence[Timed] = ()
) -> AlarmLine:
    """Find the lowest line that held-out normal video crosses no more often than asked.

    Footage of a quarter of an hour cannot vouch for one false alarm an hour: then the line is just above everything
    seen, and the note says what that vouches for.

    Alarms are counted as if there were no cool-down, which can only make them fewer.

    Args:
        stretches: of held-out normal video. asked_per_hour: false alarms an hour. rule: what makes an event.
        trained: more normal video, which was trained on. What a network has learned by heart it would not find odd: so
            this vouches for nothing, but where all together are crossed more often than asked, the line is higher.
    """
    line = draw_lines(stretches, [asked_per_hour], rule)[0]
    if not trained or not stretches:
        return line
    higher = draw_lines([*stretches, *trained], [asked_per_hour], rule)[0]
    if higher.on <= line.on:
        return line
    if not line.note and line.per_hour is not None:
        hours = sum(seconds_of(one.times_s) for one in stretches if one.times_s is not None) / 3600
        line = replace(line, per_hour=next(event_counts(stretches, np.array([higher.on]), rule)) / hours)
    return replace(line, on=higher.on, off=higher.off)


def draw_lines(stretches: Sequence[Timed], asked_per_hour: Sequence[float], rule: AlarmRule) -> list[AlarmLine]:
    """As `draw_line` for each of many rates, in the time of one."""
    scores = np.concatenate([stretch.scores for stretch in stretches]) if stretches else np.zeros(0)
    if not len(scores):
        note = "no held-out normal video: one frame in a thousand"
        return [AlarmLine(3.0, 3.0 * HYSTERESIS, None, asked, note) for asked in asked_per_hour]
    above = float(np.nextafter(max(float(scores.max()), LEAST_LINE), np.inf))
    lasting = [
        seconds_of(one.times_s) if one.seconds is None else one.seconds for one in stretches if one.times_s is not None
    ]
    if len(lasting) < len(stretches):
        note = f"the held-out video's frame rate is unknown: the line is above all {len(scores)} frames of it"
        return [replace(_line(above, None, asked), note=note) for asked in asked_per_hour]
    hours = sum(lasting) / 3600
    allowed = [int(asked * hours) for asked in asked_per_hour]
    lines = [_first(above, asked, most, hours) for asked, most in zip(asked_per_hour, allowed, strict=True)]
    sinking = {number for number, most in enumerate(allowed) if most > 0}
    for candidate, count in _downwards(stretches, scores, rule) if sinking else ():
        sinking -= {number for number in sinking if count > allowed[number]}
        if not sinking:
            break
        for number in sinking:
            lines[number] = _line(candidate, count / hours, asked_per_hour[number])
    return lines


def _first(above: float, asked: float, allowed: int, hours: float) -> AlarmLine:
    """The line above all that was seen; with a note where it has to stay there."""
    if allowed > 0:
        return _line(above, 0.0, asked)
    note = (
        f"{_duration(hours)} of held-out normal video cannot vouch for {_alarms(asked)} an hour, "
        f"only for fewer than {1 / hours:.0f}: the line is above all of it. That takes "
        f"{_duration(1 / asked)} of it"
    )
    return replace(_line(above, 1 / hours, asked), note=note)


def _downwards(
    stretches: Sequence[Timed], scores: NDArray[np.floating], rule: AlarmRule
) -> Iterator[tuple[float, int]]:
    """Lines that are worth a try, from the highest one down, and how many events there are at each.

    Few events are asked for, so that the line lies among the highest of a million scores: the others are looked at only
    where the higher ones have not been enough.
    """
    candidates = np.unique(scores[scores > max(np.quantile(scores, 0.5), LEAST_LINE)]).astype(np.float64)
    highest = [float(one.scores.max(initial=-np.inf)) for one in stretches]
    done, many = 0, _FIRST_LINES
    while done < len(candidates):
        some = candidates[-many:]
        # where no score reaches the lowest of these lines, no event begins at any of them
        reaching = [one for one, most in zip(stretches, highest, strict=True) if most >= some[0]]
        counts = islice(zip(some[::-1].tolist(), event_counts(reaching, some, rule), strict=True), done, None)
        yield from counts
        done, many = len(some), many * _MORE_LINES


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


def _line(on: float, per_hour: float | None, asked: float) -> AlarmLine:
    return AlarmLine(float(on), float(on) * HYSTERESIS, per_hour, asked)


def _alarms(count: float) -> str:
    return f"{count:g} false alarm{'' if count == 1 else 's'}"


def _duration(hours: float) -> str:
    seconds = hours * 3600
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 3 else f"{hours:,.0f} h"
