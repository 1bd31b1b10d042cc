"""Time stamps of frames as seconds that always rise, and the rate that they show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NO_STAMP = np.iinfo(np.int64).min

_FARTHEST = 64
"""Frames by which decoding order and order of display differ at most. Farther apart, a clock was set back."""

_OFTEN = 0.05
"""Share of steps back above which stamps are in decoding order. A clock is not set back every second."""

_CONSTANT = 0.9
"""Share of usual intervals from which on a video counts as one of constant rate."""

_ENOUGH = 0.25
"""How many packets of the usual size the unread bytes have to hold for each frame that is missing."""

_SHORTEST = 1
"""Ticks between two frames of one stamp where nothing tells better."""


def display_order(stamps: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the positions of stamps in decoding order, sorted by display; None where the stamps do not tell it.

    >>> display_order(np.array([0, 3, 1, 2]))
    array([0, 2, 3, 1])
    """
    if (stamps == NO_STAMP).any():
        return None
    order = np.argsort(stamps, kind="stable")
    if len(order) and int(np.abs(order - np.arange(len(order))).max()) > _FARTHEST:
        return None
    return order


def rising(stamps: NDArray[np.int64], *, sort: bool = False, longest: float = np.inf) -> NDArray[np.float64] | None:
    """Return ticks in order of display that rise from frame to frame, from 0 on; None where there is no stamp at all.

    Stamps that are missing are put between their neighbours, those that are there twice share the time up to the next
    one, and where a clock was set back, it goes on one interval after the frame before.

    Args:
        stamps: (T,) ticks in order of display; NO_STAMP where there is none.
        sort: the stamps are known to be in order of decoding. Seen by itself where steps back are frequent.
        longest: a longer step forward is a step back that was taken for a clock of few bits that went over.

    >>> rising(np.array([500, 600, 600, 700])).tolist()
    [0.0, 100.0, 150.0, 200.0]
    >>> rising(np.array([500, 600, 20, 120])).tolist()
    [0.0, 100.0, 200.0, 300.0]
    """
    known = stamps != NO_STAMP
    if not known.any():
        return None
    places = np.arange(len(stamps))
    ticks = stamps - stamps[known][0]
    ticks = ticks.astype(np.float64)
    if not known.all():
        ticks = _between(places, places[known], ticks[known])
    if sort or int((np.diff(ticks) < 0).sum()) > max(2, _OFTEN * len(ticks)):
        ticks = np.sort(ticks)
    ticks = _without_steps_back(ticks, longest)
    spread: NDArray[np.float64] = _spread(ticks) - ticks[0]
    return spread


def seconds_between(times_s: NDArray[np.float64] | None) -> float | None:
    """Return the usual time between two frames: the mean of those intervals that are near the median.

    The median alone is a tick off where a container rounds to milliseconds (33, 33, 34); the mean alone is what every
    pause of the camera makes of it.

    >>> seconds_between(np.array([0.0, 0.033, 0.067, 0.1, 60.0]))
    0.0333...
    """
    if times_s is None or len(times_s) < 2:
        return None
    steps = np.diff(times_s)
    usual = float(np.median(steps))
    near = steps[(steps > 0.5 * usual) & (steps < 1.5 * usual)]
    return float(near.mean()) if len(near) else usual


def _between(places: NDArray[np.int64], at: NDArray[np.int64], ticks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fill in missing stamps; before the first and after the last one, at the usual interval."""
    filled = np.interp(places, at, ticks)
    steps = np.diff(ticks) / np.diff(at)
    usual = float(np.median(steps)) if len(steps) else float(_SHORTEST)
    before, after = places < at[0], places > at[-1]
    filled[before] = ticks[0] - (at[0] - places[before]) * usual
    filled[after] = ticks[-1] + (places[after] - at[-1]) * usual
    return filled


def _without_steps_back(ticks: NDArray[np.float64], longest: float) -> NDArray[np.float64]:
    steps = np.diff(ticks)
    back = (steps < 0) | (steps > longest)
    if not back.any():
        return ticks
    forward = steps[~back & (steps > 0)]
    steps[back] = float(np.median(forward)) if len(forward) else float(_SHORTEST)
    return np.concatenate([ticks[:1], ticks[0] + np.cumsum(steps)])


def _spread(ticks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let frames of one stamp share the time up to the next stamp."""
    if not len(ticks) or (np.diff(ticks) > 0).all():
        return ticks
    values, first, counts = np.unique(ticks, return_index=True, return_counts=True)
    usual = float(np.median(np.diff(values))) if len(values) > 1 else float(_SHORTEST)
    lengths = np.minimum(np.append(np.diff(values), usual), usual)
    within = np.arange(len(ticks)) - np.repeat(first, counts)
    spread: NDArray[np.float64] = ticks + within * np.repeat(lengths / counts, counts)
    return spread


def lost_frames(
    ticks: NDArray[np.float64], evidence: NDArray[np.float64], longest: float = np.inf
) -> NDArray[np.int64]:
    """Return how many frames are missing after each but the last one.

    A pause in the stamps alone is none: cameras pause. Frames are lost where, besides, part of the file could not be
    read, the video is of constant rate, and the pause is a whole number of its intervals.

    Args:
        ticks: (T,) stamps, rising.
        evidence: (T - 1,) how many packets may have been lost there at most.
        longest: a longer pause counts as one, in ticks.
    """
    steps = np.diff(ticks)
    lost = np.zeros(len(steps), np.int64)
    if len(steps) < 2:
        return lost
    usual = float(np.median(steps))
    slack = max(1.0, 0.1 * usual)
    if float((np.abs(steps - usual) <= slack).mean()) < _CONSTANT:
        return lost
    whole = np.rint(steps / usual)
    at = (
        (whole >= 2)
        & (steps <= longest)
        & (np.abs(steps - whole * usual) <= slack * whole**0.5)
        & (evidence >= _ENOUGH * (whole - 1))
    )
    lost[at] = whole[at].astype(np.int64) - 1
    return lost
