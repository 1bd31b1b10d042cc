"""How long things took lately."""

from __future__ import annotations

from collections import deque

_LAST = 1000


class Latencies:
    """How long the last thousand things took. One thread adds, any may ask.

    >>> lately = Latencies()
    >>> for hundredths in range(100):
    ...     lately.add(hundredths / 100)
    >>> lately.told
    (0.5, 0.95)
    """

    def __init__(self) -> None:
        self._taken: deque[float] = deque(maxlen=_LAST)

    def add(self, seconds: float) -> None:
        """Something took so long."""
        self._taken.append(seconds)

    @property
    def told(self) -> tuple[float, float] | None:
        """The median, and what 95 of 100 stay below, in seconds; None before the first."""
        lately = sorted(self._taken)
        return (lately[len(lately) // 2], lately[int(0.95 * len(lately))]) if lately else None
