"""The ring: what is written is taken, and what was written over is counted."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

from oddframe.cameras.ring import STATUS_BYTES, Ring, Shot

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def shot(number: int, *, gap: bool = False) -> Shot:
    return Shot(np.full((4, 6, 3), number % 256, np.uint8), number / 5, NOON, number, gap, number % 2 == 0)


@pytest.fixture
def ring():
    made = Ring((4, 6), 3, slots=4)
    yield made
    made.close()


def test_pictures_come_out_as_they_went_in(ring):
    for number in range(3):
        ring.put(shot(number, gap=number == 1))
    shots, lost = ring.take()

    assert lost == 0
    assert [(one.number, one.time_s, one.gap, one.infrared) for one in shots] == [
        (0, 0.0, False, True),
        (1, 0.2, True, False),
        (2, 0.4, False, True),
    ]
    assert [int(one.pixels.mean()) for one in shots] == [0, 1, 2]
    assert shots[0].taken_at == NOON
    assert ring.take() == ([], 0)
    assert ring.last() == (2, 0.4)


def test_what_is_not_taken_is_written_over_counted_and_a_gap(ring):
    for number in range(10):
        ring.put(shot(number))
    assert ring.room() < 1
    shots, lost = ring.take()

    assert lost == 6
    assert [(one.number, one.gap) for one in shots] == [(6, True), (7, False), (8, False), (9, False)]
    assert ring.room() == 4


def test_a_status_that_is_too_long_is_refused(ring):
    ring.status = b"well"
    with pytest.raises(ValueError, match="a status of"):
        ring.status = b"x" * (STATUS_BYTES + 1)

    assert ring.status == b"well"


def test_another_process_writes_what_this_one_takes_and_nothing_is_torn(ring):
    program = """
import sys
import numpy as np
from datetime import UTC, datetime
from oddframe.cameras.ring import Ring, Shot
ring = Ring((4, 6), 3, 4, int(sys.argv[1]))
for number in range(3000):
    ring.put(Shot(np.full((4, 6, 3), number % 256, np.uint8), number / 5, datetime.now(UTC), number, False, False))
    ring.beat()
"""
    process = subprocess.Popen([sys.executable, "-c", program, str(ring.handle)], pass_fds=[ring.handle])
    seen, lost = [], 0
    while process.poll() is None or len(seen) + lost < 3000:
        assert process.poll() in (None, 0)
        shots, more = ring.take()
        seen, lost = [*seen, *shots], lost + more

    assert [one.number for one in seen] == sorted({one.number for one in seen})
    assert all((one.pixels == one.number % 256).all() for one in seen)
    assert ring.beats == 3000
