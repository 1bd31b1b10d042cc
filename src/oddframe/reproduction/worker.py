"""A process that trains one detector of a table or judges it, so that its time and memory are its own.

Opening {"command"}: what is to stand in the run as the command by which it can be made again. Then one order:
{"train": {"data", "settings", "out"}} or {"judge": {"data", "run", "device"}}; data is a `DataSource`.
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
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Take the place of the command that does the same."""
    sys.argv = list(opening["command"])
    yield _work


def _work(order: Order, watch: Watcher) -> None:
    if (asked := order.get("train")) is not None:
        settings = settings_from_dict(asked["settings"])
        train(DataSource.model_validate(asked["data"]), out=asked["out"], settings=settings, watch=watch)
    else:
        asked = order["judge"]
        evaluate(asked["run"], DataSource.model_validate(asked["data"]), device=asked["device"], watch=watch)


if __name__ == "__main__":
    serve(begin)
