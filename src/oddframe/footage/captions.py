"""What stands on a frame of scored video: its time, its score, whether it is in an alarm."""

from __future__ import annotations

import numpy as np

from oddframe.reporting.words import clock, shown_score
from oddframe.scoring.scores import Scores


class Captions:
    """The captions of one video's frames.

    Args:
        scores: of the video.
    """

    def __init__(self, scores: Scores) -> None:
        self._scores, self._alarm, self._begins = scores, scores.above_line(), scores.begins()

    def of(self, frame: int, time_s: float | None) -> tuple[str, bool]:
        """(caption, whether the frame is in an event), by its number in the source. A frame between two judged ones
        has the caption of the one before."""
        words = clock(time_s) or f"frame {frame}"
        place = int(np.searchsorted(self._scores.frame, frame, side="right")) - 1
        between = place + 1 < len(self._scores) and not self._begins[place + 1]
        if place < 0 or not (self._scores.frame[place] == frame or between):
            return words, False
        return f"{words}  score {shown_score(float(self._scores.online[place]))}", bool(self._alarm[place])
