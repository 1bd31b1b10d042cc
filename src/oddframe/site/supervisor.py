"""Keeps the engine of a site alive: starts its process, starts it again where it dies, ends with it."""

from __future__ import annotations

import contextlib
import logging
import math
import random
import threading
import time
from pathlib import Path

from oddframe.cameras.backoff import Backoff
from oddframe.errors import OddframeError, WorkerError
from oddframe.processes.workers import Worker, Workers
from oddframe.site.engine_process import EngineStatus, Opening
from oddframe.site.picture_maker import Asked, LivePicture
from oddframe.site.rotation import rotate
from oddframe.site.store import Store

_LOG = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_FIRST_S, _MOST_S = 0.5, 30.0
_BUSY_S = 2.0
"""So long a picture waits for what else the engine is asked."""
_WELL_S = 60.0
"""An engine that lived so long is started again at once when it dies."""
_HANGS_AFTER_S = 60.0
"""An engine that gives no answer for so long is ended."""
_GONE_S = 30.0
"""An engine that could not be started again for so long is none: others may watch its cameras."""


class Supervisor:
    """Runs the engine of a site in a process of its own, from `start` to `stop`.

    Before each start, events that the engine before has left open are ended ("crash"). Where this process is killed,
    the engine's pipe ends, and so does the engine, and with it the readers of all cameras.

    Args:
        store: of the site, opened by this process. url: of its database, where it is not in the site's folder.
        backend: what computes the scores. log: a file for what the engine says;
            it does not grow without bound, see `rotation`. machine: whose cameras are watched, where several share the
            database.

    Attributes:
        restarts: how often the engine died. trouble: of what it died last, while there is none.
    """

    def __init__(
        self,
        store: Store,
        url: str | None = None,
        *,
        backend: str = "auto",
        log: Path | None = None,
        machine: str | None = None,
    ) -> None:
        self._store, self._log = store, log
        self._opening = Opening(
            folder=str(store.folder.resolve()),
            url=url,
            backend=backend,
            machine=machine,
        )
        self.restarts = 0
        self.trouble = ""
        self._worker: Worker | None = None
        self._status: EngineStatus | None = None
        self._answered_s = -math.inf
        self._stopping, self._asking = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="keeping the engine", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the engine, which ends what lasts, and wait for it."""
        self._stopping.set()
        self._thread.join()

    def begin_anew(self, machine: str) -> None:
        """End the engine, and start one of another machine's name; returns at once."""
        self._opening = self._opening.changed(machine=machine)

    @property
    def well(self) -> bool:
        """Whether the engine gives answers, or gave one not long ago: it may be being started again."""
        return self._status is not None or time.monotonic() - self._answered_s < _GONE_S

    @property
    def status(self) -> EngineStatus | None:
        """How the engine was within the last second or so; None while there is none."""
        return self._status

    def picture(self, asked: Asked, fresh_s: float) -> tuple[LivePicture | None, str]:
        """The latest picture of a camera, see `PictureMaker.ask`; returns at once.

        Raises:
            UnknownNameError: there is no such camera.
        """
        worker = self._worker
        if worker is None:
            return None, self.trouble or "the engine is being started"
        if not self._asking.acquire(timeout=_BUSY_S):
            return None, "the engine is busy"
        try:
            order = {"do": "picture", "asked": asked.to_dict(), "fresh_s": fresh_s}
            told = worker.ask(order, patience_s=_HANGS_AFTER_S)
        except WorkerError as error:
            return None, error.in_one_line()
        finally:
            self._asking.release()
        return (None if told["picture"] is None else LivePicture.received(told["picture"])), told["why"]

    @property
    def process(self) -> int | None:
        """The number of the engine's process; None while there is none."""
        return None if self._worker is None else self._worker.pid

    def _keep(self) -> None:
        pauses = Backoff(_FIRST_S, _MOST_S, random.Random().random)
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                opening = self._opening
                self._store.events.recover(machine=opening.machine)
                self._run(opening)
                if opening is not self._opening:
                    continue
            except OddframeError as error:
                self.trouble = error.in_one_line()
            except Exception as error:  # a bug here must not leave cameras unwatched
                self.trouble = repr(error)
                _LOG.exception("watching over the engine failed")
            self._worker = self._status = None
            if self._stopping.is_set():
                return
            self.restarts += 1
            _LOG.error("the engine ended and is started again: %s", self.trouble)
            with contextlib.suppress(Exception):  # where the store is the trouble, the log has to do
                self._store.journal.log("oddframe", "engine ended", "engine", {"why": self.trouble})
            if time.monotonic() - began_s > _WELL_S:
                pauses.reset()
            self._stopping.wait(pauses.next())

    def _run(self, opening: Opening) -> None:
        """Run the engine to its end, or until it is to begin anew.

        Raises:
            WorkerError: it died, or hangs and was ended. OddframeError: it cannot begin.
        """
        with Workers().start(
            "oddframe.site.engine_process",
            opening.to_dict(),
            does="watches the cameras",
            log=self._log,
        ) as worker:
            self._worker, self.trouble = worker, ""
            while not self._stopping.wait(_LOOK_EVERY_S) and opening is self._opening:
                with self._asking:
                    told = worker.ask({"do": "status"}, patience_s=_HANGS_AFTER_S)
                if self._log is not None:
                    rotate(self._log)
                self._status, self._answered_s = EngineStatus(**told), time.monotonic()
