"""How long to wait before a camera is opened again."""

from __future__ import annotations

from collections.abc import Callable

_LEAST, _MOST = 0.5, 0.8
"""What chance makes of a pause. With the longest of a minute, a camera that comes back is back within one."""


class Backoff:
    """Pauses that double, each made shorter by chance, so that cameras that went together do not come back together.

    Args:
        first_s, most_s: the shortest and the longest pause.
        chance: numbers from 0 up to 1.

    >>> pauses = Backoff(1, 60, lambda: 1.0)
    >>> [pauses.next() for _ in range(8)]
    [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 48.0, 48.0]
    """

    def __init__(self, first_s: float, most_s: float, chance: Callable[[], float]) -> None:
        self._first_s, self._most_s, self._chance = first_s, most_s, chance
        self._next_s = first_s

    def next(self, *, rarely: bool = False) -> float:
        """The next pause in seconds.

        Args:
            rarely: it will not help, and may do harm: a camera locks an account after wrong passwords.
        """
        pause_s = min(self._most_s if rarely else self._next_s, self._most_s)
        self._next_s = min(2 * self._next_s, self._most_s)
        return pause_s * (_LEAST + (_MOST - _LEAST) * self._chance())

    def reset(self) -> None:
        """The camera was well for a while."""
        self._next_s = self._first_s
