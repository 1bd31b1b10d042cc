"""What frames of a camera were like lately: their scores, how long was watched, the oddest one of every ten seconds."""

from __future__ import annotations

from collections import defaultdict, deque

from oddframe.site.score_history import Peak, slot_of

_MOST_PEAKS = 360
"""Of ten seconds each: where nobody takes them for an hour, the oldest go."""

_SCORES = 1000
"""So many frames tell what scores are like lately."""


class Tally:
    """Counts judged frames of one camera. Bounded, whoever takes what it has counted."""

    def __init__(self) -> None:
        self._scores: deque[float] = deque(maxlen=_SCORES)
        self._watched_s: defaultdict[str, float] = defaultdict(float)
        self._judged_s: float | None = None
        self._peaks: dict[int, Peak] = {}

    def take(self, judged: Peak, profile: str, time_s: float, *, anew: bool) -> None:
        """Count the next judged frame.

        Args:
            judged: the frame. profile: that it belongs to. time_s: its time in the stream.
            anew: whether it is the first one after a gap, so that nothing was watched just before it.
        """
        if self._judged_s is not None and not anew:
            self._watched_s[profile] += time_s - self._judged_s
        self._judged_s = time_s
        self._scores.append(judged.score)
        peaks, slot = self._peaks, slot_of(judged.at)
        if slot not in peaks or judged.score > peaks[slot].score:
            peaks[slot] = judged
        if len(peaks) > _MOST_PEAKS:
            del peaks[next(iter(peaks))]

    @property
    def lately(self) -> tuple[float, float, float] | None:
        """Of the scores of the last thousand judged frames, what 50, 90 and 99 of 100 stay below; None before one."""
        scores = sorted(self._scores)
        if not scores:
            return None
        middle, ninety, most = (scores[int(share * len(scores))] for share in (0.5, 0.9, 0.99))
        return middle, ninety, most

    def take_watched(self) -> dict[str, float]:
        """Profile → seconds of the stream that were judged since the last call."""
        taken, self._watched_s = self._watched_s, defaultdict(float)
        return dict(taken)

    def take_peaks(self) -> list[Peak]:
        """The oddest frame of every ten seconds that were judged since the last call."""
        taken, self._peaks = self._peaks, {}
        return list(taken.values())
