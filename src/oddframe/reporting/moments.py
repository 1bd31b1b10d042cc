"""Which frames are worth a look: the worst misses, the worst false alarms, the oddest frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.scores import Scores

_APART_S = 1.0
_APART_FRAMES = 25
"""Where times are unknown, so many frames lie between two moments."""


@dataclass(frozen=True)
class Moment:
    """One frame of one video, and its online score. `why` is "miss", "false" or "odd"."""

    video: str
    frame: int
    time_s: float | None
    score: float
    why: Literal["miss", "false", "odd"]


def worst_misses(videos: Sequence[JudgedVideo], most: int = 4, a_video: int = 2) -> list[Moment]:
    """Frames labelled abnormal, outside every alarm, that score lowest; the lowest first."""
    found = []
    for video in videos:
        missed = video.labels & ~video.scores.above_line()
        found += _spread(video.scores, missed, -video.scores.online, a_video, "miss", video.name)
    return sorted(found, key=lambda moment: moment.score)[:most]


def worst_false_alarms(videos: Sequence[JudgedVideo], most: int = 4, a_video: int = 2) -> list[Moment]:
    """Frames labelled normal, at or above the alarm line, that score highest; the highest first."""
    found = []
    for video in videos:
        false = ~video.labels & (video.scores.online >= video.scores.line.on)
        found += _spread(video.scores, false, video.scores.online, a_video, "false", video.name)
    return sorted(found, key=lambda moment: -moment.score)[:most]


def oddest(scores: Scores, most: int = 4) -> list[Moment]:
    """The highest moments of one video, the highest first."""
    return _spread(scores, np.ones(len(scores), bool), scores.online, most, "odd", scores.video)


def _spread(
    scores: Scores,
    taken: NDArray[np.bool_],
    rank: NDArray[np.float32],
    most: int,
    why: Literal["miss", "false", "odd"],
    name: str,
) -> list[Moment]:
    """The highest ranks among `taken`, at least a second apart."""
    apart = _APART_FRAMES if scores.fps is None else _APART_S * scores.fps
    left = np.flatnonzero(taken)
    chosen: list[Moment] = []
    while len(left) and len(chosen) < most:
        best = int(left[np.argmax(rank[left])])
        time_s = None if scores.time_s is None else float(scores.time_s[best])
        chosen.append(Moment(name, int(scores.frame[best]), time_s, float(scores.online[best]), why))
        left = left[np.abs(scores.frame[left] - scores.frame[best]) >= apart]
    return chosen
