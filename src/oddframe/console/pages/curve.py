"""Scores over time as a curve of a page: pure numbers and points, no colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from oddframe.console.moments import moment
from oddframe.plain import Json
from oddframe.reporting.words import count
from oddframe.site.events import CameraEvent
from oddframe.site.score_history import SLOT_S, ScoreHistory

WIDTH, HEIGHT = 1000, 100
"""Of the drawing, in its own units."""
_TOP, _BOTTOM = 4.0, 95.0


@dataclass(frozen=True)
class Mark:
    """An event below a curve: x from and to, and which."""

    begin: float
    end: float
    event: str
    verdict: str


@dataclass(frozen=True)
class Curve:
    """A curve.

    Attributes:
        pieces: points of polylines in 1000 x 100; time without scores is no piece.
        line_y: where the line is. It is always the middle: a score as high as the line is half way up, and the top is
            never reached, as on the pages of a report.
        marks: events. begin, end: of the time that is drawn.
        values: (seconds since `begin`, score, line) of all points, for the page's script.
        words: what there is to see, for who does not see it.
    """

    pieces: tuple[str, ...]
    line_y: float
    marks: tuple[Mark, ...]
    begin: datetime
    end: datetime
    values: tuple[tuple[int, float, float], ...]
    words: str

    @property
    def data(self) -> Json:
        """For the page's script. moments: of each point in words, since a browser may be in another time zone."""
        moments = [moment(self.begin + timedelta(seconds=second), self.end) for second, _, _ in self.values]
        span_s = (self.end - self.begin).total_seconds()
        return {"seconds": span_s, "values": self.values, "moments": moments}


def curve(
    history: ScoreHistory,
    camera: int,
    since: datetime,
    until: datetime,
    events: Sequence[tuple[CameraEvent, str | None]] = (),
    *,
    points: int = 360,
) -> Curve:
    """Draw what a camera scored.

    Args:
        camera: its number. events: of this time, with what was said of them. points: how many at most.
    """
    every = max(1, -(-int((until - since).total_seconds()) // SLOT_S // points))
    step_s = every * SLOT_S
    begin = datetime.fromtimestamp(int(since.timestamp()) // step_s * step_s, tz=since.tzinfo)
    steps = max(1, int((until - begin).total_seconds()) // step_s + 1)
    end = begin + timedelta(seconds=steps * step_s)
    values = _highest(history.between(camera, begin, end), every)
    known = np.isfinite(values[:, 0])
    heights = _heights(values)
    pieces, piece = [], list[str]()
    for number in range(len(values)):
        if known[number]:
            piece.append(f"{WIDTH * (number + 0.5) / steps:.1f},{heights[number]:.1f}")
        elif piece:
            pieces.append(_piece(piece))
            piece = []
    if piece:
        pieces.append(_piece(piece))
    span_s = (end - begin).total_seconds()

    def x(at: datetime) -> float:
        return round(float(np.clip(WIDTH * (at - begin).total_seconds() / span_s, 0, WIDTH)), 1)

    marks = tuple(
        Mark(x(one.started_at), max(x(one.started_at) + 3, x(one.ended_at or until)), one.id, verdict or "")
        for one, verdict in events
        if one.started_at < end and (one.ended_at or until) >= begin
    )
    return Curve(
        pieces=tuple(pieces),
        line_y=(_TOP + _BOTTOM) / 2,
        marks=marks,
        begin=begin,
        end=end,
        values=tuple(
            (number * step_s, round(float(values[number, 0]), 2), round(float(values[number, 1]), 2))
            for number in np.flatnonzero(known).tolist()
        ),
        words=_words(values, known, begin, step_s, len(marks), until),
    )


def _highest(values: NDArray[np.float32], every: int) -> NDArray[np.float32]:
    """(N, 2): of each so many values the one with the highest score."""
    rows = values[: len(values) // every * every].reshape(-1, every, 2)
    scores = np.where(np.isnan(rows[:, :, 0]), -np.inf, rows[:, :, 0])
    picked: NDArray[np.float32] = rows[np.arange(len(rows)), scores.argmax(axis=1)]
    return picked


def _heights(values: NDArray[np.float32]) -> NDArray[np.float64]:
    scores, lines = np.maximum(values[:, 0].astype(np.float64), 0), values[:, 1].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(lines > 0, scores / (scores + lines), 0.0)
    return _BOTTOM - (_BOTTOM - _TOP) * shares


def _piece(points: list[str]) -> str:
    """A point by itself is a short dash, else nobody would see it."""
    if len(points) == 1:
        x, y = points[0].split(",")
        return f"{points[0]} {float(x) + 2:.1f},{y}"
    return " ".join(points)


def _words(
    values: NDArray[np.float32], known: NDArray[np.bool_], begin: datetime, step_s: int, events: int, now: datetime
) -> str:
    if not known.any():
        return "no frame was judged in this time"
    highest = int(np.nanargmax(values[:, 0]))
    at = begin + timedelta(seconds=highest * step_s)
    score, line = (float(one) for one in values[highest])
    return (
        f"highest score {score:.2g} at {moment(at, now)}, line at {line:.2g}, "
        f"{count(events, 'event') if events else 'no event'}"
    )
