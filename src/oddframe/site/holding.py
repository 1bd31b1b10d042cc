"""Events that may have come of the camera itself are held back until it is known how the camera is.

Somebody who turns a camera, or lays a hand over its lens, changes the whole picture: the score rises at once, and the
camera counts as moved or dark only seconds later. What began in that time is told when the camera turns out to be well,
and never where it does not.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from oddframe.cameras.state import HealthState
from oddframe.site.events import Change

OF_THE_CAMERA = frozenset({HealthState.FROZEN, HealthState.DARK, HealthState.BLINDED, HealthState.MOVED})
"""States that explain why the score rose. That a camera went away explains nothing: what came before it is told."""


_REMEMBERED = 16
"""Only the last event, which cools down, may have a repeat; a camera has few at once."""


class Holding:
    """Holds back what happens to events that began while a camera was in doubt.

    Attributes:
        dropped: how many events were never told of, since their camera was found to be moved, dark and the like.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._settled_s = -math.inf
        self._held: list[Change] = []
        self._never: deque[str] = deque(maxlen=_REMEMBERED)
        """Events that are never told of: neither are their repeats."""

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def settle(self, settled_s: float) -> list[Change]:
        """Up to this moment of its clock the camera is known to have been well; return what may be told now."""
        self._settled_s = max(self._settled_s, settled_s)
        told = [change for change in self._held if change.event.start_s <= self._settled_s]
        if told:
            self._held = [change for change in self._held if change.event.start_s > self._settled_s]
        return told

    def take(self, changes: Sequence[Change]) -> list[Change]:
        """Take what has happened; return what may be told."""
        told: list[Change] = []
        for change in changes:
            if change.event.id in self._never:
                continue
            held = any(one.event.id == change.event.id for one in self._held)
            if held or (change.kind == "new" and change.event.start_s > self._settled_s):
                self._held.append(change)
            else:
                told.append(change)
        return told

    def end(self, state: HealthState | None = None) -> list[Change]:
        """What the camera was in doubt of is over; return what is to be told.

        Args:
            state: what it is found to be; None where that will not be known any more.
        """
        if state in OF_THE_CAMERA:
            never = {change.event.id for change in self._held}
            self.dropped += len(never)
            self._never.extend(never)
            self._held.clear()
        told, self._held = self._held, []
        return told
