"""Tells of what is wrong with the site itself: in the log of changes, and to the sinks.

A camera tells of its own state. An engine that dies again and again, a full disk, a database that takes nothing and a
sink that nobody answers at concern all of them, and somebody ought to know who does not look at a screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from oddframe.site.rounds import Rounds
from oddframe.site.store import Store

_LOOK_EVERY_S = 1.0
_LASTS_S, _SINK_LASTS_S = 3.0, 60.0
"""What is over sooner is not told: an engine is started again within a second, and receivers come and go."""
_WELL_S = 30.0
"""What is well for a shorter time is not told either: an engine that dies every ten seconds is one trouble."""


class Troubles:
    """Looks for what is wrong, from `start` to `stop`.

    Args:
        store: of the site. problems: what is wrong now → why. clock: rising seconds, for tests.
        may: whether this machine is the one of the site's that tells.
    """

    def __init__(
        self,
        store: Store,
        problems: Callable[[], Mapping[str, str]],
        clock: Callable[[], float] = time.monotonic,
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store, self._problems, self._clock, self._may = store, problems, clock, may
        self._since: dict[str, float] = {}
        self._gone: dict[str, float] = {}
        self._told: set[str] = set()
        self._rounds = Rounds("looking for trouble", self.look, _LOOK_EVERY_S)

    def start(self) -> None:
        """Begin to look."""
        self._rounds.start()

    def stop(self) -> None:
        """Look no more."""
        self._rounds.stop()

    def look(self) -> None:
        """Look once; tell what lasts, and what is well again.

        Raises:
            StoreError, StorageError: it cannot be told yet; the next look tries again.
        """
        if not self._may():
            return
        now_s, found = self._clock(), self._problems()
        for subject, why in found.items():
            self._gone.pop(subject, None)
            since_s = self._since.setdefault(subject, now_s)
            lasts_s = _SINK_LASTS_S if subject.startswith("sink ") else _LASTS_S
            if subject not in self._told and now_s - since_s >= lasts_s:
                self._store.health.of_site(subject, why)
                self._told.add(subject)
        for subject in [one for one in self._since if one not in found]:
            if now_s - self._gone.setdefault(subject, now_s) < _WELL_S and subject in self._told:
                continue
            if subject in self._told:
                self._store.health.of_site(subject, None)
                self._told.remove(subject)
            del self._since[subject], self._gone[subject]
