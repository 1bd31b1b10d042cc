"""Reading ahead changes when things are made, and nothing else."""

from __future__ import annotations

import threading

import pytest

from oddframe.scoring.ahead import ahead


class Source:
    """Numbers, and an error after them; knows how many were made, and which thread closed it."""

    def __init__(self, numbers: int, error: Exception | None = None) -> None:
        self.numbers, self.error = numbers, error
        self.made = 0
        self.closed = False

    def items(self):
        try:
            for number in range(self.numbers):
                self.made += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def test_items_come_in_order_and_the_error_after_them():
    source, seen = Source(50, OSError("the cable")), []

    with pytest.raises(OSError, match="the cable"), ahead(source.items(), 4) as coming:
        seen.extend(coming)

    assert seen == list(range(50))


def test_no_more_is_made_ahead_than_there_is_room_for():
    source = Source(100)
    with ahead(source.items(), 3) as coming:
        for taken, _ in enumerate(coming, start=1):
            assert source.made <= taken + 3 + 1  # what waits, and the one that waits for room


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_whoever_leaves_early_leaves_no_thread_and_nothing_open(taken: int):
    source, before = Source(100), set(threading.enumerate())
    with ahead(source.items(), 2) as coming:
        for _ in range(taken):
            next(coming)

    assert set(threading.enumerate()) == before
    assert source.closed == (taken > 0)  # what nobody asked for was never opened
    assert source.made <= taken + 3
