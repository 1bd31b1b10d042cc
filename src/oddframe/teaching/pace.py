"""How far a piece of work is, and about how long it takes still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from oddframe.progress import Progress

_KNOWN_AFTER_S = 5.0
"""Of a stage that has lasted shorter nobody says how long it takes."""


class Pace:
    """Takes moments of work, from any thread.

    Args:
        clock: rising seconds, for tests.

    Attributes:
        furthered: whether the work has got on, beyond what any beginning takes.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._moment: Progress | None = None
        self._since = (0.0, 0)
        self.furthered = False

    def take(self, moment: Progress) -> None:
        """The work is so far."""
        if moment.stage in ("warning", "finished"):
            return
        with self._lock:
            if self._moment is None or moment.stage != self._moment.stage or moment.done < self._since[1]:
                self._since = self._clock(), moment.done
            elif moment.stage == "training" and moment.done > self._since[1]:
                self.furthered = True
            self._moment = moment

    def told(self) -> tuple[str, float | None, float | None]:
        """(stage, percent, seconds left); None for what nobody knows.

        >>> now = [0.0]
        >>> pace = Pace(lambda: now[0])
        >>> pace.take(Progress("training", 10, 100)); now[0] = 30.0
        >>> pace.take(Progress("training", 40, 100)); pace.told()
        ('training', 40.0, 60.0)
        """
        with self._lock:
            moment, (began_s, first) = self._moment, self._since
        if moment is None:
            return "", None, None
        if not moment.total:
            return moment.stage, None, None
        took_s, done = self._clock() - began_s, moment.done - first
        left_s = (moment.total - moment.done) * took_s / done if done > 0 and took_s >= _KNOWN_AFTER_S else None
        return moment.stage, round(100 * moment.done / moment.total, 1), None if left_s is None else round(left_s)
