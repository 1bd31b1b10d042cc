"""What a worker process runs: it takes orders one after another, and tells how far it is and what came of each.

It hears and speaks by two pipes of its own, a JSON object a line:

in   the opening, which tells what it works with; then one order after another
out  {"at": [stage, done, total, note]} now and then; {"done": result} or {"failed": error} at the end of each

So nothing that a library prints is taken for news: standard output and error go to a file that is read only where the
process dies.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import IO, Any

from oddframe.errors import OddframeError
from oddframe.progress import Progress, Watcher

NEWS_EVERY_S = 0.2

_ORPHAN_S = 30.0
"""So long a worker may go on with what it is at, once the process that gave it orders is no more."""

Order = Mapping[str, Any]
Work = Callable[[Order, Watcher], Any]
"""Does what an order says, and returns plain JSON values."""
Begin = Callable[[Order, Watcher], AbstractContextManager[Work]]
"""Gets ready with what the opening says; what it opened is closed after the last order."""


def serve(begin: Begin) -> None:
    """Work as the two pipes that are named on the command line say, until there are no orders any more.

    An error that a user can mend is told, and the next order is taken. Any other is a bug and ends the process with its
    traceback.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the shell has it ignored
    threading.Thread(target=_end_when_orphaned, args=(os.getppid(),), name="watching the parent", daemon=True).start()
    numbers = [int(number) for number in sys.argv[1:3]]
    for number in numbers:
        os.set_inheritable(number, False)
    with os.fdopen(numbers[0], encoding="utf-8") as orders, os.fdopen(numbers[1], "w", encoding="utf-8") as stream:
        news = _News(stream)
        try:
            with begin(json.loads(orders.readline()), news.watch) as work:
                news.tell(done=None)
                for line in orders:
                    try:
                        news.tell(done=work(json.loads(line), news.watch))
                    except OddframeError as error:
                        news.tell(failed=error.to_dict())
        except OddframeError as error:
            news.tell(failed=error.to_dict())
        except KeyboardInterrupt:
            os._exit(130)  # what had to be kept is kept; nobody listens to what is left


def _end_when_orphaned(parent: int) -> None:
    """A worker that hangs inside a library hears of no end of its orders: where nobody is left to kill it, it goes."""
    while os.getppid() == parent:
        time.sleep(1.0)
    time.sleep(_ORPHAN_S)
    os._exit(1)


class _News:
    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._last, self._stage = -NEWS_EVERY_S, ""

    def tell(self, **news: Any) -> None:
        """Tell whoever gave the orders; where nobody listens any more it is as if the work had been interrupted."""
        try:
            with self._lock:
                print(json.dumps(news), file=self._stream, flush=True)
        except BrokenPipeError:
            raise KeyboardInterrupt from None

    def watch(self, moment: Progress) -> None:
        """Pass on how far the work is, some times a second; a line of its own always."""
        now, spoken = time.monotonic(), moment.stage in ("warning", "finished")
        if spoken or moment.stage != self._stage or now - self._last >= NEWS_EVERY_S:
            if not spoken:
                self._last, self._stage = now, moment.stage
            self.tell(at=[moment.stage, moment.done, moment.total, moment.note])
