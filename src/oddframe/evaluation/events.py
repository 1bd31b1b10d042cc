"""Alarms beside labelled stretches: what was found, how late, and how often an alarm had no cause."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oddframe.evaluation.figures import Events
from oddframe.evaluation.stored import JudgedVideo
from oddframe.scoring.scores import Scores


def judge_events(videos: Sequence[JudgedVideo]) -> Events:
    """Count alarms against labels; see `Events` for every definition.

    A stretch is a run of neighbouring judged frames that are labelled abnormal. It is found when any alarm shares a
    frame with it: one alarm may find several stretches, and several alarms on one stretch find it once. An alarm that
    shares no frame with any stretch is false.
    """
    labelled = found = alarms = false = normal = 0
    delays: list[int] = []
    delays_s: list[float | None] = []
    hours: float | None = 0.0
    for video in videos:
        stretches = video.stretches()
        raised = sorted((event.start, event.end) for event in video.scores.events)
        for begin, stop in stretches:
            first = next((start for start, end in raised if start < stop and begin < end), None)
            if first is not None:
                found += 1
                delays.append(max(0, first - begin))
                delays_s.append(_seconds(video.scores, begin, max(begin, first)))
        labelled += len(stretches)
        alarms += len(raised)
        false += sum(all(end <= begin or stop <= start for begin, stop in stretches) for start, end in raised)
        normal += int((~video.labels).sum())
        of_video = _normal_hours(video)
        hours = None if hours is None or of_video is None else hours + of_video
    timed = [delay for delay in delays_s if delay is not None]
    return Events(
        labelled=labelled,
        found=found,
        missed=labelled - found,
        recall=found / labelled if labelled else None,
        delay_frames=float(np.median(delays)) if delays else None,
        delay_s=float(np.median(timed)) if timed and len(timed) == len(delays_s) else None,
        alarms=alarms,
        false=false,
        precision=(alarms - false) / alarms if alarms else None,
        normal_frames=normal,
        normal_hours=hours,
        false_per_hour=false / hours if hours else None,
    )


def _seconds(scores: Scores, begin: int, end: int) -> float | None:
    """Time between two judged frames of the source; None where times are unknown."""
    if scores.time_s is not None:
        first, last = np.searchsorted(scores.frame, (begin, end))
        return float(scores.time_s[last] - scores.time_s[first])
    return (end - begin) / scores.fps if scores.fps else None


def _lasting(frame: NDArray[np.int64], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """How long each judged frame lasts, in seconds: until the next one; across frames that are missing, and at the end,
    as long as the median."""
    steps, follows = np.diff(time_s), np.diff(frame) == 1
    usual = float(np.median(steps[follows])) if follows.any() else float(np.median(steps / np.diff(frame)))
    return np.append(np.where(follows, steps, usual), usual)


def _normal_hours(video: JudgedVideo) -> float | None:
    """Length of the judged frames that are normal; None where times are unknown."""
    scores, normal = video.scores, int((~video.labels).sum())
    if not normal:
        return 0.0
    if scores.time_s is not None and len(scores) > 1:
        return float(_lasting(scores.frame, scores.time_s)[~video.labels].sum()) / 3600
    return normal / scores.fps / 3600 if scores.fps else None
