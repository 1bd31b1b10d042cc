"""Worker processes, from the side of whoever gives them orders.

A worker is a module of this package that calls `serve`. It is started with `-P`: no file beside the user's videos is
taken for a module. It has its share of the cores. Whoever gives it an order waits for its end, and is told by an error
where the process dies, or makes no progress for so long that it is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from oddframe.errors import OddframeError, StorageError, WorkerError
from oddframe.processes.cores import THREADS_VARIABLE, threads_each
from oddframe.processes.engine import PATIENCE_S
from oddframe.processes.worker import Order
from oddframe.progress import Progress, Watcher, unwatched

_GOODBYE_S = 30.0
"""What a worker is given to keep what it has, when it is told to end."""
_LOOK_EVERY_S = 0.5
_SAID_BYTES = 4096
"""Of what a process said, of which the last line is shown."""


class Workers:
    """Worker processes of this machine that run at the same time, and that are ended together: an `Engine`.

    Args:
        jobs: how many of them; each may compute with its share of the cores, or with as many threads as the user says.
    """

    attempts = 1

    def __init__(self, jobs: int = 1) -> None:
        self._lock, self._running, self._stopped_at = threading.Lock(), set[subprocess.Popen[bytes]](), 0.0
        self._environment = dict(os.environ)
        if jobs > 1:
            self._environment[THREADS_VARIABLE] = str(threads_each(jobs))
        if "PYTHONPATH" in self._environment:
            # An empty entry, as in `PYTHONPATH=$PYTHONPATH:/mine`, would be the folder in which the user happens to be.
            named = filter(None, self._environment["PYTHONPATH"].split(os.pathsep))
            self._environment["PYTHONPATH"] = os.pathsep.join(named)

    @contextlib.contextmanager
    def start(
        self,
        module: str,
        opening: Order,
        *,
        does: str,
        patience_s: float = PATIENCE_S,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        handles: Sequence[int] = (),
        watch: Watcher = unwatched,
    ) -> Iterator[Worker]:
        """See `Engine.start`.

        Args:
            environment: beside that of this process. handles: file descriptors that it inherits, under their numbers.
        """
        orders_out, orders_in = os.pipe()
        news_out, news_in = os.pipe()
        with contextlib.ExitStack() as stack:
            orders = stack.enter_context(os.fdopen(orders_in, "wb", buffering=0))
            news = stack.enter_context(os.fdopen(news_out, "rb", buffering=0))
            try:
                said = stack.enter_context(_said_into(log))
                process = self._run(
                    [sys.executable, "-P", "-m", module, str(orders_out), str(news_in)],
                    said,
                    (orders_out, news_in, *handles),
                    self._environment | dict(environment or {}),
                )
            finally:
                os.close(orders_out)
                os.close(news_in)
            worker = Worker(process, orders, news, said, log, does, patience_s, self)
            try:
                worker.ask(opening, watch, problem="ended before it began", patience_s=max(patience_s, PATIENCE_S))
                yield worker
            finally:
                orders.close()
                _wait_for(process)
                with self._lock:
                    self._running.discard(process)

    def _run(
        self, command: list[str], said: IO[bytes], handles: Sequence[int], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped_at:
                raise WorkerError("stopped")
            # In a group of its own: a terminal's Ctrl-C comes from `stop` alone, since a second one means at once.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=environment,
                pass_fds=handles,
                process_group=0,
            )
            self._running.add(process)
            return process

    @property
    def stopped(self) -> bool:
        """Whether all have been told to end."""
        return self._stopped_at > 0

    @property
    def overdue(self) -> bool:
        """Whether all have been told to end, and have had the time for it."""
        return self.stopped and time.monotonic() - self._stopped_at > _GOODBYE_S

    def stop(self) -> None:
        """End what runs; each process keeps what it has, as on an interrupt. Called again, they end at once."""
        with self._lock:
            how = signal.SIGKILL if self._stopped_at else signal.SIGINT
            self._stopped_at = self._stopped_at or time.monotonic()
            for process in self._running:
                process.send_signal(how)


class Worker:
    """A process that takes orders; see `Workers.start`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        orders: IO[bytes],
        news: IO[bytes],
        said: IO[bytes],
        log: Path | None,
        does: str,
        patience_s: float,
        workers: Workers,
    ) -> None:
        self._process, self._orders, self._news, self._said, self._log = process, orders, news, said, log
        self._does, self._patience_s, self._workers = does, patience_s, workers
        self._begun = b""

    def ask(
        self, order: Order, watch: Watcher = unwatched, *, problem: str = "died", patience_s: float | None = None
    ) -> Any:
        """Give an order, and wait for what comes of it.

        Args:
            watch: told how far the work is. problem: what is wrong, where the process ends.
            patience_s: of this order, if it is another than usual.

        Raises:
            WorkerError: the process died, or it made no progress and was ended.
            OddframeError: what the worker found wrong, of the class that it has there.
        """
        # A pipe that nobody reads any more is found out below, with the reason.
        with contextlib.suppress(BrokenPipeError):
            content = memoryview(json.dumps(order).encode() + b"\n")
            while content:
                content = content[self._orders.write(content) :]
        while (line := self._next_line(patience_s or self._patience_s)) is not None:
            told = json.loads(line)
            if "at" in told:
                watch(Progress(*told["at"]))
            elif "failed" in told:
                raise OddframeError.from_dict(told["failed"])
            else:
                return told["done"]
        raise self._death(problem)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the process at once; whoever waits for an order gets a `WorkerError`."""
        self._process.kill()

    def said(self) -> str:
        """The last line that the process said; "" if it said nothing."""
        return last_words(self._said)

    def _next_line(self, patience_s: float) -> bytes | None:
        """The next news; None where the process has ended.

        Raises:
            WorkerError: there were none for too long.
        """
        since = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._news, selectors.EVENT_READ)
            while b"\n" not in self._begun:
                if selector.select(_LOOK_EVERY_S):
                    if not (more := self._news.read(1 << 16)):
                        return None  # and what was begun is no news
                    self._begun += more
                elif self._process.poll() is not None:
                    return None
                elif time.monotonic() - since > patience_s:
                    self._process.kill()
                    raise WorkerError(
                        f"the process that {self._does} made no progress for {patience_s:g} s and was ended",
                        path=self._log,
                        seen=last_words(self._said) or None,
                    )
                elif self._workers.overdue:
                    self._process.kill()
        line, _, self._begun = self._begun.partition(b"\n")
        return line

    def _death(self, problem: str) -> WorkerError:
        """Why it ended, as far as that can be told."""
        code = _wait_for(self._process)
        said = last_words(self._said)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        hint = "where memory ran out, fewer --jobs help" if code == -signal.SIGKILL else None
        return WorkerError(
            f"the process that {self._does} {problem}",
            path=self._log,
            seen=f"{how}{f': {said}' if said else ''}",
            hint=hint,
        )


def last_words(said: IO[bytes]) -> str:
    """The last line that a process said into a file; "" if it said nothing."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID_BYTES))
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


@contextlib.contextmanager
def _said_into(log: Path | None) -> Iterator[IO[bytes]]:
    """A file, no pipe: nobody reads what libraries say until something has gone wrong."""
    if log is None:
        with tempfile.TemporaryFile() as said:
            yield said
        return
    try:
        said = log.open("a+b")
    except OSError as error:
        raise StorageError.of(error, "the log of a process cannot be written", log) from None
    with said:
        yield said


def _wait_for(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process that has nothing left to do, and return its exit code."""
    try:
        return process.wait(_GOODBYE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
