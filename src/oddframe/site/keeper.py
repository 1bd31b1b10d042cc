"""Brings what the engine tells into the store, from a thread of its own: no frame waits for a database.

What could not be written is tried again until it is: events of a camera that is judged are not lost because somebody
holds the database for a while. Every change has a number, so that one that was written is not written twice.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from oddframe.cameras.state import Health, HealthState
from oddframe.errors import LeaseLostError, OddframeError
from oddframe.site.events import Change
from oddframe.site.evidence import EvidenceMaker
from oddframe.site.latency import Latencies
from oddframe.site.store import Store
from oddframe.site.watch import Watch

_LOG = logging.getLogger(__name__)

_AGAIN_S = 1.0
_MOST_WAITING = 10_000
"""Of what waits for the database. An hour of events of many cameras is less."""


class Keeper:
    """Keeps what happens, in order; the engine's `Recorder` of a site. Works from `start` to `stop`.

    Args:
        store: of the site. evidence: makes pictures of events; None where none are kept.
        machine: which keeps, where several share the database.

    Attributes:
        left_out: what was not written, since another machine watches the camera now.
        lost: what was given up because too much waited, or because it cannot be written at all.
        trouble: why what waits cannot be written now; "" where it can.
        latencies: from when the frame was taken that began an event until that stood in the store.
    """

    def __init__(self, store: Store, evidence: EvidenceMaker | None = None, *, machine: str | None = None) -> None:
        self.store, self.evidence, self.machine = store, evidence, machine
        self.lost, self.left_out, self.trouble = 0, 0, ""
        self.latencies = Latencies()
        self._writes: deque[Callable[[], object]] = deque()
        self._changed, self._ended = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name="keeping events", daemon=True)

    @property
    def waiting(self) -> int:
        """How much waits to be written."""
        return len(self._writes)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, within_s: float = 5.0) -> None:
        """Write what waits, as far as that takes no longer."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(within_s)
        if self._writes:
            _LOG.error("%d writes of events and health are lost: the database could not be written", self.waiting)

    def happened(self, watch: Watch, changes: Sequence[Change]) -> None:
        """See `Recorder`."""
        told = list(changes)
        self.write(lambda: self._write_changes(told))
        if self.evidence is not None:
            self.evidence.happened(watch, changes)

    def health_changed(self, watch: Watch, health: Health) -> None:
        """See `Recorder`."""
        self.write(partial(self._write_health, watch.name, health.state, health.reason, health.since))

    def stopped(self, camera: str) -> None:
        """Keep that a camera is watched no longer, since the site is stopped."""
        self.write(partial(self._write_health, camera, HealthState.OFF, "the site was stopped", None))

    def ending(self) -> None:
        """See `Recorder`."""
        if self.evidence is not None:
            self.evidence.stop()

    def made(self, event: str, kind: str, path: Path) -> None:
        """Keep that evidence is there: what an `EvidenceMaker` calls."""
        below, size = str(path.relative_to(self.store.folder)), path.stat().st_size
        self.write(lambda: self.store.evidence.add(event, kind, below, size, machine=self.machine))

    def write(self, write: Callable[[], object]) -> None:
        """Have something written, after all that was asked for before."""
        with self._changed:
            if len(self._writes) >= _MOST_WAITING:
                self._writes.popleft()
                self.lost += 1
            self._writes.append(write)
            self._changed.notify()

    def _write_changes(self, changes: Sequence[Change]) -> None:
        self.store.events.write(changes, machine=self.machine)
        for change in changes:
            if change.kind == "new":
                self.latencies.add((datetime.now(UTC) - change.at).total_seconds())

    def _write_health(self, camera: str, state: HealthState, reason: str, since: datetime | None) -> None:
        self.store.health.changed(camera, state, reason, since, machine=self.machine)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._writes and not self._ended:
                    self._changed.wait()
                if not self._writes:
                    return
                write = self._writes[0]
            if self._written(write):
                with self._changed:
                    if self._writes and self._writes[0] is write:
                        self._writes.popleft()
            else:
                time.sleep(_AGAIN_S)

    def _written(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except LeaseLostError as error:
            self.left_out += 1
            _LOG.warning("something that happened is left out: %s", error.in_one_line())
        except OddframeError as error:
            if not self.trouble:
                _LOG.warning("%s: tried again", error.in_one_line())
            self.trouble = error.in_one_line()
            return False
        except Exception:  # a bug: tried again, it would hold up everything that comes after it
            _LOG.exception("something that happened cannot be written, and is lost")
            with self._changed:
                self.lost += 1
        self.trouble = ""
        return True
