"""What runs on a machine of a Ray cluster: an actor with one worker process of this package, whose orders and news it
passes on.

The process is the one that works on a single machine, too: started in the same way, watched with the same patience, and
with the same reason where it dies. So a video that takes a process down does not take the actor down with it.

Nothing of this package's own goes through a pickle: orders, news and answers are plain values.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypedDict

from oddframe.errors import ClusterError, OddframeError
from oddframe.plain import Json
from oddframe.processes.worker import Order
from oddframe.processes.workers import Worker, Workers
from oddframe.progress import Progress

Moment = tuple[str, int, int, str]
"""The parts of a `Progress`."""


class Answer(TypedDict, total=False):
    """One of the two, as a worker's last news of an order.

    Attributes:
        done: its result. failed: the error that ended it, as `OddframeError.to_dict` writes it.
    """

    done: Any
    failed: Json


class RayHost:
    """One worker process. Its methods are called from the driver; `news` and `stop` while another one is at work."""

    def __init__(self) -> None:
        self._workers, self._stack = Workers(), contextlib.ExitStack()
        self._worker: Worker | None = None
        self._lock, self._moments = threading.Lock(), list[Moment]()

    def begin(self, folder: str, module: str, opening: Order, does: str, patience_s: float, log: str | None) -> Answer:
        """Start the process in the folder that the driver is in, so that its paths hold; see `Engine.start`."""

        def start() -> None:
            try:
                os.chdir(folder)  # an actor is a process, and has no other work
            except OSError as error:
                raise ClusterError(
                    f"the machine {socket.gethostname()} of the cluster does not see the driver's folder",
                    path=folder,
                    seen=error.strerror,
                    wanted="detector, videos and outputs under the same paths on all machines",
                ) from None
            file = None if log is None else Path(log)
            starting = self._workers.start(
                module, opening, does=does, patience_s=patience_s, log=file, watch=self._keep
            )
            self._worker = self._stack.enter_context(starting)

        return _answer(start)

    def ask(self, order: Order) -> Answer:
        """Give the process an order; see `AskedWorker.ask`."""
        worker = self._worker
        assert worker is not None
        return _answer(lambda: worker.ask(order, self._keep))

    def news(self) -> list[Moment]:
        """How far the work is, since this was asked last."""
        with self._lock:
            moments, self._moments = self._moments, []
        return moments

    def stop(self) -> None:
        """Interrupt the process; see `Workers.stop`."""
        self._workers.stop()

    def end(self) -> None:
        """End the process after its last order."""
        self._stack.close()

    def _keep(self, moment: Progress) -> None:
        """Every warning, and of what else is told the last."""
        spoken = moment.stage in ("warning", "finished")
        with self._lock:
            if not spoken and self._moments and self._moments[-1][0] == moment.stage:
                self._moments.pop()
            self._moments.append((moment.stage, moment.done, moment.total, moment.note))


def about_here() -> dict[str, str]:
    """Versions of what works on this machine."""
    return {"oddframe": version("oddframe"), "Python": f"{sys.version_info.major}.{sys.version_info.minor}"}


def _answer(work: Callable[[], Any]) -> Answer:
    try:
        return {"done": work()}
    except OddframeError as error:
        return {"failed": error.to_dict()}
