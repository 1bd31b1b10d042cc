"""Sends what the store has queued: every message at least once, those of a camera in order, each sink for itself."""

from __future__ import annotations

import logging
import random
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from oddframe.errors import OddframeError, SinkError
from oddframe.site.sinks.sink import Sink
from oddframe.site.store import Store
from oddframe.site.store.records import Outgoing
from oddframe.site.store.shelf import Clock, utc_now

_LOG = logging.getLogger(__name__)

_TICK_S = 1.0
_LEAVE_S = 15.0
"""So long another sink of the same name waits for the one before, so that messages keep their order."""

_STORE_AGAIN_S = 2.0
"""After so long the store is asked again, where it was locked or the disk was full."""


def _tell(sink: Sink, error: Exception) -> None:
    """Log where something unexpected happened, but not its words: a library may have put an address into them."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("sink '%s': an unexpected %s\n%s", sink.name, type(error).__name__, where)


@dataclass(frozen=True)
class Patience:
    """How long is tried to send a message, in seconds where nothing else is said.

    Attributes:
        first_s, longest_s: pauses double from the first to the longest; chance makes each up to half shorter.
        most_tries: so many answers that are no success make a message a dead one; where nobody answers, none count.
        most_days: so do so many days.
        look_s: so often is looked for new messages. keep_days: what was sent is kept so long.
        keep_dead_days: and what was given up.
    """

    first_s: float = 1.0
    longest_s: float = 600.0
    most_tries: int = 100
    most_days: float = 3.0
    look_s: float = 0.5
    keep_days: float = 7.0
    keep_dead_days: float = 90.0

    def pause_s(self, tries: int, chance: float, asked_s: float | None = None) -> float:
        """The pause after so many tries without success.

        Args:
            tries: from 1 on. chance: from 0 to 1. asked_s: how long the receiver asked for.

        >>> [Patience().pause_s(tries, 1.0) for tries in (1, 2, 3, 10, 11, 400)]
        [1.0, 2.0, 4.0, 512.0, 600.0, 600.0]
        """
        pause_s = min(self.first_s * 2.0 ** min(tries - 1, 60), self.longest_s)
        return max(self.first_s, pause_s * (0.5 + 0.5 * chance), min(asked_s or 0.0, self.longest_s))


class Courier:
    """Sends the messages of one sink, one after another. `step` is one look; nothing here waits.

    A receiver that is not there is tried with one message at a time, with pauses that grow. A message that alone does
    not go through holds up those of its camera until it is dead, and no others.
    """

    def __init__(self, store: Store, sink: Sink, patience: Patience, clock: Clock, chance: Callable[[], float]) -> None:
        self.sink, self.problem = sink, ""
        self._of_store = False
        self._store, self._patience, self._clock, self._chance = store, patience, clock, chance
        self._failures = 0
        self._unmarked: int | None = None
        """A message that has arrived, which the store could not be told yet."""
        self._cleared_at: datetime | None = None

    def step(self) -> float:
        """Send the next message, if there is one; return after how many seconds to look again."""
        try:
            if self._unmarked is not None:
                self._store.outbox.sent(self._unmarked)
                self._unmarked = None
            outgoing = self._store.outbox.due(self.sink.name)
            if self._of_store:
                self.problem, self._of_store = "", False
            if outgoing is None:
                self._clear()
                return self._patience.look_s
            return self._deliver(outgoing)
        except OddframeError as error:  # of the store: what was sent will be sent again, and nothing is lost
            if not self._of_store:
                _LOG.warning("sink '%s' waits for the store: %s", self.sink.name, error.in_one_line())
            self.problem, self._of_store = f"it waits for the store: {error.in_one_line()}", True
            return _STORE_AGAIN_S
        except Exception as error:  # a bug must not end the sending for good, here neither
            _tell(self.sink, error)
            self.problem, self._of_store = f"it waits: an unexpected {type(error).__name__}", True
            return _STORE_AGAIN_S

    def tick(self) -> bool:
        """Let the sink do what it does between messages; return whether it has just come to be reached again."""
        try:
            reached = self.sink.tick()
        except Exception as error:  # as in `_deliver`
            _tell(self.sink, error)
            return False
        return reached and self._failures > 0

    def close(self) -> None:
        """Let go of the sink."""
        try:
            self.sink.close()
        except Exception as error:  # as in `_deliver`
            _tell(self.sink, error)

    def _deliver(self, outgoing: Outgoing) -> float:
        try:
            self.sink.send(outgoing.message)
        except SinkError as error:
            return self._failed(outgoing, error)
        except Exception as error:  # a bug, here or in a library, must not end the sending for good
            _tell(self.sink, error)
            return self._failed(outgoing, SinkError(f"an unexpected {type(error).__name__}", again=True))
        self._unmarked = outgoing.id
        if self._failures:
            _LOG.info("sink '%s' is reached again", self.sink.name)
        self._failures, self.problem = 0, ""
        self._store.outbox.sent(outgoing.id)
        self._unmarked = None
        return 0.0

    def _failed(self, outgoing: Outgoing, error: SinkError) -> float:
        """Keep that a message did not arrive; return how long to leave the sink alone."""
        now, tries = self._clock(), outgoing.tries + 1
        self.problem = error.in_one_line()
        too_old = now - outgoing.queued_at > timedelta(days=self._patience.most_days)
        if not error.again or too_old or (error.reached and tries >= self._patience.most_tries):
            _LOG.error("sink '%s' gives a message up: %s", self.sink.name, self.problem)
            self._store.outbox.died(outgoing.id, self.problem)
            self._store.journal.log(
                "oddframe", "message given up", f"sink {self.sink.name}", {"key": outgoing.key, "why": self.problem}
            )
            return 0.0 if not error.again else self._patience.first_s
        self._failures += 1
        if self._failures == 1:
            _LOG.warning("%s", self.problem)
        pause_s = self._patience.pause_s(tries, self._chance(), error.after_s) if error.reached else 0.0
        self._store.outbox.failed(outgoing.id, self.problem, now + timedelta(seconds=pause_s), answered=error.reached)
        return self._patience.pause_s(self._failures, self._chance(), error.after_s)

    def _clear(self) -> None:
        """Forget what was sent long ago, once an hour."""
        now = self._clock()
        if self._cleared_at is None or abs(now - self._cleared_at) > timedelta(hours=1):
            days = self._patience.keep_days, self._patience.keep_dead_days
            self._store.outbox.clear(*(now - timedelta(days=one) for one in days))
            self._cleared_at = now


class Delivery:
    """Sends to all sinks, each in a thread of its own, so that a slow one holds up no other.

    >>> delivery = Delivery(store, {sink.name: sink for sink in sinks})                       # doctest: +SKIP
    >>> with delivery:                                                                        # doctest: +SKIP
    ...     serve()
    """

    def __init__(
        self,
        store: Store,
        sinks: Mapping[str, Sink],
        *,
        patience: Patience | None = None,
        clock: Clock = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._patience, self._clock, self._chance = store, patience or Patience(), clock, chance
        self._threads: dict[str, _Thread] = {}
        self._sinks, self._started = dict(sinks), False

    def start(self) -> None:
        """Begin to send."""
        self._started = True
        for sink in self._sinks.values():
            self._begin(sink)

    def stop(self, timeout_s: float = 8.0) -> None:
        """End what is being sent, or leave it; what has not arrived is sent after the next start. Sinks are closed."""
        self._started = False
        threads = list(self._threads.values())
        self._threads.clear()
        until = time.monotonic() + timeout_s
        for thread in threads:
            thread.leave()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def set(self, sinks: Mapping[str, Sink]) -> None:
        """Go on with other sinks; those that are no more among them, or are others of the same name, are closed."""
        gone = [name for name, thread in self._threads.items() if sinks.get(name) is not thread.courier.sink]
        leaving = [self._threads.pop(name) for name in gone]
        for thread in leaving:
            thread.leave()
        for thread in leaving:
            thread.join(_LEAVE_S)
        self._sinks = dict(sinks)
        if self._started:
            for name in sinks.keys() - self._threads.keys():
                self._begin(sinks[name])

    def wake(self) -> None:
        """Look for messages now, as one was just queued, or dead ones are to be sent again."""
        for thread in list(self._threads.values()):
            thread.wake()

    def problems(self) -> dict[str, str]:
        """Sink → why the last message did not arrive; those where all is well are left out."""
        threads = list(self._threads.items())  # others may set sinks meanwhile
        return {name: thread.courier.problem for name, thread in threads if thread.courier.problem}

    def __enter__(self) -> Delivery:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self, sink: Sink) -> None:
        thread = _Thread(Courier(self._store, sink, self._patience, self._clock, self._chance))
        self._threads[sink.name] = thread
        thread.start()


class _Thread(threading.Thread):
    """Steps a courier until it is told to leave, and closes its sink."""

    def __init__(self, courier: Courier) -> None:
        super().__init__(name=f"sink {courier.sink.name}", daemon=True)
        self.courier = courier
        self._leaving, self._woken = False, threading.Event()

    def run(self) -> None:
        while not self._leaving:
            self._wait(self.courier.step())
            self._woken.clear()
        self.courier.close()

    def _wait(self, pause_s: float) -> None:
        """Wait, but no longer than until somebody wakes us, or the sink is reached again."""
        until = time.monotonic() + pause_s
        while not self._leaving and (left_s := until - time.monotonic()) > 0 and not self.courier.tick():
            if self._woken.wait(min(left_s, _TICK_S)):
                return

    def wake(self) -> None:
        self._woken.set()

    def leave(self) -> None:
        self._leaving = True
        self._woken.set()
