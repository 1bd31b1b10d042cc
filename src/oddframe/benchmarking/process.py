"""A contender in a process of its own: no thread pool meets another one, and the memory that it takes is its own.

Opening {"kind", "arguments"}; then an order for each turn. Back come its figures, or at first what it says of itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from oddframe.benchmarking.contenders import CONTENDERS
from oddframe.plain import Json
from oddframe.processes.worker import Order, Work, serve
from oddframe.processes.workers import Workers
from oddframe.progress import Watcher
from oddframe.runs import peak_memory_mb

_PATIENCE_S = 1800.0
"""A step of the paper's network takes minutes on a small processor, and nothing is told on the way."""


class Process:
    """A contender that waits for its turn.

    Args:
        kind: one of `CONTENDERS`. arguments: of the contender, plain JSON values.

    Attributes:
        about: what the contender says of itself.
        peak_memory_mb: the most memory that its process has held, in MB.

    Raises:
        OddframeError: what the contender found wrong. WorkerError: its process died, most likely for want of memory.
    """

    def __init__(self, kind: str, **arguments: Any) -> None:
        self.peak_memory_mb = 0.0
        with ExitStack() as stack:
            # What it leaves where it is killed is cleared away, too.
            place = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="oddframe-bench-", ignore_cleanup_errors=True)
            )
            self._worker = stack.enter_context(
                Workers().start(
                    "oddframe.benchmarking.process",
                    {"kind": kind, "arguments": arguments},
                    does="is measured",
                    patience_s=_PATIENCE_S,
                    environment={"TMPDIR": place},
                )
            )
            self.about: Json = self._ask("about")
            self._open = stack.pop_all()

    def turn(self) -> dict[str, float]:
        """Let it measure once: name → figure."""
        figures: dict[str, float] = self._ask("turn")
        return figures

    def close(self) -> None:
        """End it; it is given a moment to clear its files away."""
        self._open.close()

    def _ask(self, what: str) -> Any:
        answer = self._worker.ask({"ask": what})
        self.peak_memory_mb = answer["peak_memory_mb"]
        return answer["found"]


@contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Make the contender, and warm it up."""
    with CONTENDERS[opening["kind"]](**opening["arguments"]) as contender:

        def answer(order: Order, _: Watcher) -> Json:
            found = contender.turn() if order["ask"] == "turn" else contender.about
            return {"found": found, "peak_memory_mb": peak_memory_mb()}

        yield answer


if __name__ == "__main__":
    serve(begin)
