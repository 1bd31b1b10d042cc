"""Reading ahead: what comes next is made in a thread of its own while the last is worked on."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator
from typing import TypeVar

T = TypeVar("T")

_END = object()


class _Failed:
    """What ended the source."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def ahead(source: Generator[T, None, None], room: int) -> contextlib.closing[Generator[T, None, None]]:
    """Run `source` in a thread, at most `room` items ahead of whoever takes them.

    It pays where both sides let go of Python's lock, as decoders, resizing and networks do. Items come in order, and
    an error of the source after the items before it. On leaving the `with`, the thread has ended and the source is
    closed.
    """
    return contextlib.closing(_taken(source, room))


def _taken(source: Generator[T, None, None], room: int) -> Generator[T, None, None]:
    made: queue.Queue[object] = queue.Queue(room)
    stopped = threading.Event()

    def make() -> None:
        last: object = _END
        try:
            with contextlib.closing(source):
                for item in source:
                    made.put(item)
                    if stopped.is_set():
                        break
        except BaseException as error:  # whatever it is, it belongs to the one who takes
            last = _Failed(error)
        made.put(last)

    thread = threading.Thread(target=make, name="oddframe-ahead", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        while thread.is_alive():  # it may be waiting for room
            with contextlib.suppress(queue.Empty):
                made.get(timeout=0.01)
        thread.join()
