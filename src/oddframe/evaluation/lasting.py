"""How long the judged frames of a video last, by its own clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation.stored import JudgedVideo


def normal_hours(video: JudgedVideo) -> float:
    """Length of the judged frames that are normal; NaN where times are unknown."""
    scores, normal = video.scores, int((~video.labels).sum())
    if not normal:
        return 0.0
    if scores.time_s is not None and len(scores) > 1:
        lasting = _lasting(scores.frame, scores.time_s, ~scores.begins()[1:])
        return float(lasting[~video.labels].sum()) / 3600
    return normal / scores.fps / 3600 if scores.fps else np.nan


def _lasting(frame: NDArray[np.int64], time_s: NDArray[np.float64], follows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How long each judged frame lasts, in seconds: until the next one; across frames that are missing, and at the end,
    as long as the median."""
    steps = np.diff(time_s)
    usual = float(np.median(steps[follows])) if follows.any() else float(np.median(steps / np.diff(frame)))
    return np.append(np.where(follows, steps, usual), usual)
