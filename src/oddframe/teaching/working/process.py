"""The process that works for one camera's learning, at the lowest priority: cameras come first.

The opening is a `Task`, or {"improve": an `ImproveTask`}. Orders: {"do": NAME} of `_WORK`, or {"do": "improve"}; each
may be given again, and goes on where it was.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from oddframe.errors import MissingExtraError
from oddframe.plain import Json
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.site.schedule import use_time_zone
from oddframe.teaching.improving import ImproveTask
from oddframe.teaching.record import Outcome
from oddframe.teaching.working.check import check
from oddframe.teaching.working.improve import improve
from oddframe.teaching.working.recordings import take_recordings
from oddframe.teaching.working.stand_in import stand_in
from oddframe.teaching.working.task import Task
from oddframe.teaching.working.train import calibrate, export, train

_WORK: dict[str, Callable[[Task, Watcher], Outcome]] = {
    "recordings": take_recordings,
    "stand-in": stand_in,
    "check": check,
    "train": train,
    "export": export,
    "calibrate": calibrate,
}


def give_way() -> None:
    """Compute only where nobody else wants to."""
    with contextlib.suppress(OSError):
        os.nice(19)
    if hasattr(os, "sched_setscheduler"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextlib.contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Work for one camera."""
    give_way()
    if find_spec("torch") is None:
        raise MissingExtraError("learning what is normal", "train")
    if "improve" in opening:
        better = ImproveTask(**opening["improve"])
        yield lambda order, watch: improve(better, watch).to_dict()
        return
    task = Task(**opening)
    use_time_zone(task.time_zone)

    def work(order: Order, watch: Watcher) -> Json:
        return _WORK[order["do"]](task, watch).to_dict()

    yield work


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    serve(begin)
    sys.stdout.flush()
