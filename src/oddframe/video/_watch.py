"""A watchdog for work that may never return: reading a damaged file.

The work runs in a thread of its own and hands its results over. Whoever waits for them counts the time in which
nothing moves. A thread that hangs inside libav cannot be ended; it is left behind, asleep or not, and ends with its
process. What waits for it gets an error and goes on.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from oddframe.storage.place import Place
from oddframe.video import _libav

T = TypeVar("T")

_AHEAD = 4
"""Results that are made before anybody asks for them."""

_LOOKS = 20
"""How often silence is looked at before it is too long. Looks are counted, not seconds of the clock: a computer that
was asleep, or a program that was stopped for a while, is no hung decoder."""

_FAREWELL_S = 1.0
"""How long a thread that nobody listens to any more is waited for, so that its file is closed."""


class Pulse:
    """What watched work shows of itself: `beat` whenever something moved."""

    def __init__(self) -> None:
        self.count = 0
        self.stopped = False

    def beat(self) -> None:
        self.count += 1


class _Ended(Generic[T]):
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def watched(work: Callable[[Pulse], Generator[T, None, None]], path: Place) -> Generator[T, None, None]:
    """Yield what `work` yields. Its thread ends when this iterator is closed.

    Raises:
        UnreadableVideoError: nothing moved for `_libav.patience_s`. Otherwise what the work raises.
    """
    pulse: Pulse = Pulse()
    results: queue.Queue[T | _Ended[T]] = queue.Queue(_AHEAD)
    thread = threading.Thread(target=_run, args=(work, pulse, results), name=f"reading {path.name}", daemon=True)
    thread.start()
    try:
        while True:
            result = _next(results, pulse, path)
            if isinstance(result, _Ended):
                if result.error is not None:
                    raise result.error
                return
            yield result
    finally:
        pulse.stopped = True
        _drain(results)
        thread.join(_FAREWELL_S)


def watched_call(work: Callable[[Pulse], T], path: Place) -> T:
    """Return what `work` returns. Raises as `watched`."""

    def once(pulse: Pulse) -> Generator[T, None, None]:
        yield work(pulse)

    with contextlib.closing(watched(once, path)) as results:
        return next(results)


def _run(work: Callable[[Pulse], Generator[T, None, None]], pulse: Pulse, results: queue.Queue[T | _Ended[T]]) -> None:
    ended: _Ended[T] = _Ended(None)
    try:
        with contextlib.closing(work(pulse)) as items:
            for item in items:
                pulse.beat()
                if not _put(results, item, pulse):
                    break
    except BaseException as error:
        ended = _Ended(error)
    _put(results, ended, pulse)


def _put(results: queue.Queue[T | _Ended[T]], item: T | _Ended[T], pulse: Pulse) -> bool:
    while not pulse.stopped:
        try:
            results.put(item, timeout=0.2)
        except queue.Full:
            continue
        return True
    return False


def _next(results: queue.Queue[T | _Ended[T]], pulse: Pulse, path: Place) -> T | _Ended[T]:
    silent, seen = 0, pulse.count
    while silent < _LOOKS:
        try:
            return results.get(timeout=_libav.patience_s(path) / _LOOKS)
        except queue.Empty:
            silent = silent + 1 if pulse.count == seen else 0
            seen = pulse.count
    raise _libav.no_progress(path)


def _drain(results: queue.Queue[T | _Ended[T]]) -> None:
    """Make room, so that work that waits for it sees at once that nobody wants more."""
    while True:
        try:
            results.get_nowait()
        except queue.Empty:
            return
