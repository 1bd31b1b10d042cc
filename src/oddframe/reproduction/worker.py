"""A process that trains one detector of a table and judges it, so that its time and memory are its own.

The opening is empty. Each order has "command", what is to stand in the run or its result as the command by which it can
be made again, and {"train": {"data", "settings", "out"}} or {"judge": {"data", "run", "device"}}; data is a
`DataSource`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from oddframe.data.source import DataSource
from oddframe.evaluation.evaluate import evaluate
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.settings_layers import settings_from_dict
from oddframe.training.train import train


@contextmanager
def begin(_: Order, __: Watcher) -> Iterator[Work]:
    yield _work


def _work(order: Order, watch: Watcher) -> None:
    sys.argv = list(order["command"])  # in the place of the command that does the same
    if (asked := order.get("train")) is not None:
        settings = settings_from_dict(asked["settings"])
        train(DataSource.model_validate(asked["data"]), out=asked["out"], settings=settings, watch=watch)
    else:
        asked = order["judge"]
        evaluate(asked["run"], DataSource.model_validate(asked["data"]), device=asked["device"], watch=watch)


if __name__ == "__main__":
    serve(begin)
