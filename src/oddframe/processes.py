"""Python processes of this package's own, each with its share of the cores, that are ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO

from oddframe.errors import RunError

_SAID_BYTES = 4096
"""Of what a process said, of which the last line is shown."""


def last_words(said: IO[bytes]) -> str:
    """The last line that a process which has ended said into a file; "" if it said nothing."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SAID_BYTES))
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


class Processes:
    """Processes that run at the same time.

    Args:
        jobs: how many of them; each may compute with as many threads as its share of the cores.
    """

    def __init__(self, jobs: int) -> None:
        self._lock, self._running, self._stopped = threading.Lock(), set[subprocess.Popen[bytes]](), False
        self._environment = dict(os.environ)
        if jobs > 1:
            self._environment["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // jobs))

    @contextlib.contextmanager
    def run(
        self,
        module: str,
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[bytes],
        stderr: int | IO[bytes],
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run `python -m module`; whoever started it waits for its end.

        Raises:
            RunError: all have been stopped.
        """
        with self._lock:
            if self._stopped:
                raise RunError("stopped")
            # In a group of its own: a terminal's Ctrl-C comes from `stop` alone, since a second one means at once.
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=self._environment,
                process_group=0,
            )
            self._running.add(process)
        try:
            yield process
        finally:
            with self._lock:
                self._running.discard(process)

    @property
    def stopped(self) -> bool:
        """Whether all have been told to end."""
        return self._stopped

    def stop(self) -> None:
        """End what runs; each process keeps what it has, as on an interrupt."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.send_signal(signal.SIGINT)
