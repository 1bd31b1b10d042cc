"""What gives orders to worker processes: those of this machine, or those of a cluster, behind one face."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from oddframe.processes.worker import Order
from oddframe.progress import Watcher, unwatched

PATIENCE_S = 300.0
"""A worker that tells of no progress for so long hangs. Loading a network and writing a page take seconds."""


class AskedWorker(Protocol):
    """A worker that has begun."""

    def ask(self, order: Order, watch: Watcher = unwatched) -> Any:
        """Give an order, and wait for what comes of it.

        Args:
            watch: told how far the work is.

        Raises:
            WorkerError: the process died, or it made no progress and was ended; it takes no order any more.
            OddframeError: what the worker found wrong, of the class that it has there.
        """
        ...


class Engine(Protocol):
    """Starts workers, and ends them together."""

    @property
    def attempts(self) -> int:
        """How often a task is tried whose worker dies: machines of a cluster go without a task's fault."""
        ...

    @property
    def stopped(self) -> bool:
        """Whether all workers have been told to end."""
        ...

    def start(
        self,
        module: str,
        opening: Order,
        *,
        does: str,
        patience_s: float = PATIENCE_S,
        log: Path | None = None,
        watch: Watcher = unwatched,
    ) -> AbstractContextManager[AskedWorker]:
        """Start a worker, and end it after the last order.

        Args:
            module: by its full name; it calls `serve`. opening: what it begins with.
            does: what it is there for, in its errors: "the process that ... died".
            patience_s: how long it may tell of no progress, once it has begun. log: what it prints is added there.
            watch: told how far its beginning is.

        Raises:
            WorkerError: it died before it began, or all have been stopped. StorageError: the log cannot be written.
            OddframeError: what it found wrong with the opening.
        """
        ...

    def stop(self) -> None:
        """End what runs; each process keeps what it has, as on an interrupt. Called again, they end at once."""
        ...
