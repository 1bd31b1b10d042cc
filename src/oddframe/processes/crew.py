"""Tasks that are worked on side by side, each by a worker, and news of all of them for the one who called."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

from oddframe.errors import OddframeError, WorkerError
from oddframe.processes.engine import Engine
from oddframe.progress import Progress, Watcher

Task = TypeVar("Task")
Found = TypeVar("Found")


_LOOK_EVERY_S = 0.5
"""Whether all have been told to end, while there is nothing to do."""


class CannotBeginError(Exception):
    """No task at all can be worked on; the reason is its cause."""


class Crew(Generic[Task, Found]):
    """Hands that take one task after another.

    Args:
        engine: whose processes work; they are stopped where the caller is.
        jobs: how many tasks are worked on at the same time.
        hand: opens what works on one task after another. It raises `CannotBeginError`, for a task too, where the others
            would fare no better: that hand then leaves, and its task waits for another one.
        leads: whether others may follow from a task, which `add` gives when it has ended. While there are such tasks,
            a hand without work waits; else it leaves.
    """

    def __init__(
        self,
        engine: Engine,
        jobs: int,
        hand: Callable[[], AbstractContextManager[Callable[[Task, Watcher], Found]]],
        leads: Callable[[Task], bool] = lambda _: False,
    ) -> None:
        self._engine, self._jobs, self._hand, self._leads = engine, jobs, hand, leads
        self._news: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.SimpleQueue()
        self._waiting: deque[Task] = deque()
        self._leading = 0
        self._changed = threading.Condition()
        self._working = 0
        self._able = False  # whether a hand has left for want of work: then another one can begin where it was
        self._why: BaseException | None = None

    def work(
        self,
        tasks: Sequence[Task],
        moment: Callable[[Task, Progress], None],
        ended: Callable[[Task, Found | OddframeError], None],
    ) -> None:
        """Have all tasks worked on.

        Args:
            moment: told how far a task is. ended: told what came of it. Both are called in the caller's thread.

        Raises:
            OddframeError: no task can be worked on at all. Whatever else a hand or the caller raises.
        """
        self.add(tasks)
        self._working = self._jobs
        with ThreadPoolExecutor(self._jobs) as pool:
            try:
                for _ in range(self._jobs):
                    pool.submit(self._keep, moment, ended)
                while self._working:
                    told, what = self._news.get()
                    told(*what)
                    if not self._working and self._waiting and self._able and not self._engine.stopped:
                        # a hand could not begin again, and gave its task back when the others had left already
                        self._working, self._able = 1, False
                        pool.submit(self._keep, moment, ended)
            except BaseException:
                self._engine.stop()
                try:
                    pool.shutdown()
                except KeyboardInterrupt:  # once more: a step may take its time
                    self._engine.stop()
                raise
        if self._waiting and self._why is not None:
            raise self._why

    def add(self, tasks: Sequence[Task]) -> None:
        """Tasks that follow from one that has ended, from within `ended`: they come before all that still wait."""
        with self._changed:
            self._waiting.extendleft(reversed(tasks))
            self._leading += sum(map(self._leads, tasks))
            self._changed.notify_all()

    def _keep(
        self,
        moment: Callable[[Task, Progress], None],
        ended: Callable[[Task, Found | OddframeError], None],
    ) -> None:
        """Work on tasks until none is waiting, in a thread of its own."""
        try:
            with self._hand() as work:
                while (task := self._take()) is not None:
                    self._do(work, task, moment, ended)
        except CannotBeginError as error:
            self._news.put((self._left, (error.__cause__, False)))
        except BaseException as error:
            self._news.put((self._left, (error, True)))
        else:
            self._news.put((self._left, (None, False)))

    def _do(
        self,
        work: Callable[[Task, Watcher], Found],
        task: Task,
        moment: Callable[[Task, Progress], None],
        ended: Callable[[Task, Found | OddframeError], None],
    ) -> None:
        def watch(what: Progress) -> None:
            self._news.put((moment, (task, what)))

        found: Found | OddframeError
        try:
            found = self._tried(work, task, watch)
        except CannotBeginError:
            with self._changed:
                self._waiting.appendleft(task)
                self._changed.notify_all()
            raise
        except OddframeError as error:
            if self._engine.stopped:
                return
            found = error
        self._news.put((self._end, (task, found, ended)))

    def _end(self, task: Task, found: Found, ended: Callable[[Task, Found | OddframeError], None]) -> None:
        ended(task, found)
        with self._changed:
            self._leading -= self._leads(task)
            self._changed.notify_all()

    def _tried(self, work: Callable[[Task, Watcher], Found], task: Task, watch: Watcher) -> Found:
        """Work on a task, and again where its worker dies and the engine has another attempt."""
        attempts = self._engine.attempts
        for attempt in range(1, attempts + 1):
            try:
                return work(task, watch)
            except WorkerError as error:
                if self._engine.stopped or attempts == 1:
                    raise
                if attempt == attempts:
                    raise WorkerError(
                        f"{error.problem}, {attempts} times", path=error.path, seen=error.seen, hint=error.hint
                    ) from None
                watch(Progress("warning", 0, 0, f"{error.in_one_line()}: it is tried again"))
        raise AssertionError("there is at least one attempt")

    def _take(self) -> Task | None:
        """The next task; None where there is no more."""
        with self._changed:
            while not self._engine.stopped:
                if self._waiting:
                    return self._waiting.popleft()
                if not self._leading:
                    break
                self._changed.wait(_LOOK_EVERY_S)
        return None

    def _left(self, why: BaseException | None, bug: bool) -> None:
        self._working -= 1
        self._why = why or self._why
        self._able = self._able or why is None
        if bug and why is not None:
            raise why
