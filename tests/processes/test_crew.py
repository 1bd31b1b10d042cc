"""Tasks that are worked on side by side, and tasks that follow from them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from oddframe.errors import WorkerError
from oddframe.processes.crew import CannotBeginError, Crew


class NoEngine:
    """An engine whose work is done by the hands themselves."""

    attempts = 1
    stopped = False

    def stop(self) -> None:
        self.stopped = True


def crew(work: Callable[[str], str], jobs: int = 2) -> Crew[str, str]:
    """Tasks are words; others follow from those in capitals."""

    @contextlib.contextmanager
    def hand() -> Iterator[Callable[..., str]]:
        yield lambda task, watch: work(task)

    return Crew(NoEngine(), jobs, hand, str.isupper)


def test_tasks_that_follow_come_before_those_that_wait():
    order: list[str] = []
    added = threading.Event()

    def work(task: str) -> str:
        order.append(task)
        if task == "next":  # which a hand may have taken before anybody said what follows
            assert added.wait(120)
        return task

    def end(task: str, found: object) -> None:
        if task == "WHOLE":
            one.add(["part", "other"])
            added.set()

    one = crew(work, jobs=1)
    one.work(["WHOLE", "next", "last"], lambda *_: None, end)

    assert sorted(order) == ["WHOLE", "last", "next", "other", "part"]
    assert order.index("part") < order.index("other") < order.index("last")


def test_a_hand_without_work_waits_for_what_follows():
    """Both parts are worked on at the same time, or neither ends."""
    together = threading.Barrier(2, timeout=120)

    def work(task: str) -> str:
        if task != "WHOLE":
            together.wait()
        return task

    ended: list[str] = []

    def end(task: str, found: object) -> None:
        ended.append(task)
        assert found == task
        if task == "WHOLE":
            pair.add(["one", "other"])

    pair = crew(work)
    pair.work(["WHOLE"], lambda *_: None, end)

    assert sorted(ended) == ["WHOLE", "one", "other"]


def test_what_follows_from_a_task_that_fails_is_worked_on_too():
    def work(task: str) -> str:
        if task == "FAILS":
            raise WorkerError("died")
        return task

    ended: list[str] = []

    def end(task: str, found: object) -> None:
        ended.append(task)
        if isinstance(found, WorkerError):
            one.add(["instead"])

    one = crew(work)
    one.work(["FAILS"], lambda *_: None, end)

    assert ended == ["FAILS", "instead"]


def test_where_nobody_can_begin_nobody_waits_for_ever():
    def work(_: str) -> str:
        raise CannotBeginError from WorkerError("no detector")

    with pytest.raises(WorkerError, match="no detector"):
        crew(work).work(["WHOLE"], lambda *_: None, lambda *_: None)


def test_a_task_that_comes_back_when_the_others_have_left_is_worked_on():
    """As where a machine dies, no other one has room for a while, and the rest is finished meanwhile."""
    left = threading.Event()
    tried: list[str] = []

    @contextlib.contextmanager
    def hand() -> Iterator[Callable[..., str]]:
        yield work
        left.set()

    def work(task: str, _: object) -> str:
        tried.append(task)
        if task == "back" and tried.count(task) == 1:
            assert left.wait(120)
            raise CannotBeginError from WorkerError("no room")
        return task

    ended: list[str] = []
    Crew(NoEngine(), 2, hand).work(["back", "quick"], lambda *_: None, lambda task, _: ended.append(task))

    assert sorted(ended) == ["back", "quick"]
