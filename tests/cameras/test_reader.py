"""The reading loop, with sources and clocks of the tests' own: whatever a camera does, there is an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from oddframe.cameras.reader import Clocks, Reader, Wanted
from oddframe.cameras.ring import Ring
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.source import Coded, Coding, DamagedError, Source, Still
from oddframe.cameras.state import Cause, HealthState
from oddframe.errors import CameraError


class Time:
    """A clock that only waiting moves, and sending."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.waits.append(seconds)


class Fake(Source):
    """A camera that sends what a test says: (stamp, data, key) or an error; b"damaged" does not decode."""

    live = True
    coding = Coding("fake", (48, 64))

    def __init__(self, sent: list[object], time: Time, step_s: float = 0.1, *, live: bool = True) -> None:
        self.sent, self.time, self.step_s, self.live, self.flushed = sent, time, step_s, live, 0

    def packets(self) -> Iterator[Coded | None]:
        for one in self.sent:
            if self.live:
                self.time.now_s += self.step_s
            if isinstance(one, Exception):
                raise one
            if callable(one):
                one()
                continue
            stamp, data, key = one if isinstance(one, tuple) else (one, b"x", True)
            yield Coded(data, key, stamp)
        if self.live:
            raise CameraError("the camera has ended the stream", cause=Cause.ENDED)

    def decode(self, coded: Coded, number: int) -> list[Still]:
        if coded.data == b"damaged":
            raise DamagedError("damaged")
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3)).astype(np.uint8)
        return [Still(number, noise, key=coded.key)]

    def flush(self) -> list[Still]:
        self.flushed += 1
        return []

    def close(self) -> None:
        pass


@pytest.fixture
def read():
    """read(openings, settings..., fps=): run a reader over these sources, and return it, its shots and its clock."""
    rings = []

    def run(openings: list[Callable[[Time], Source | CameraError]], *, fps: float | None = None, **given: object):
        time, settings = Time(), CameraSettings(**given)
        ring = Ring((24, 32), 3, 512)
        rings.append(ring)
        left = list(openings)

        def open_source() -> Source:
            if not left:
                reader.stop()
                raise CameraError("all is read", cause=Cause.OTHER)
            opened = left.pop(0)(time)
            if isinstance(opened, CameraError):
                raise opened
            return opened

        clocks = Clocks(lambda: time.now_s, lambda: 1_800_000_000 + time.now_s, time.wait, lambda: 1.0)
        reader = Reader(open_source, settings, Wanted((24, 32), 3, "area", fps), ring, clocks)
        reader.run()
        return reader, ring.take()[0], time

    yield run
    for ring in rings:
        ring.close()


def sending(*sent: object, **given: object) -> Callable[[Time], Source]:
    return lambda time: Fake(list(sent), time, **given)


def stamps(count: int, first: float = 0.0) -> list[float]:
    return [first + number / 10 for number in range(count)]


def refused(time: Time) -> CameraError:
    return CameraError("nothing listens at this port", cause=Cause.REFUSED)


def test_it_is_opened_again_for_ever_with_pauses_that_grow(read):
    reader, _, time = read([refused] * 12)

    assert reader.status().counts.opened == 13
    assert time.now_s == pytest.approx(0.8 * (1 + 2 + 4 + 8 + 16 + 32 + 6 * 60), abs=0.1)


def test_the_pause_is_short_again_once_the_camera_was_well_for_a_while(read):
    _, _, time = read([refused] * 5 + [sending(*stamps(150)), refused])

    assert time.waits[-1] <= 1.0
    assert time.now_s == pytest.approx(0.8 * (1 + 2 + 4 + 8 + 16) + 15.1 + 0.8 * (1 + 2), abs=0.3)


def test_a_wrong_password_is_tried_once_a_minute(read):
    _, _, time = read([lambda _: CameraError("the camera refuses this password", cause=Cause.LOGIN)] * 3)

    assert time.now_s == pytest.approx(3 * 48, abs=0.1)


def test_what_comes_after_a_new_opening_is_a_gap_and_time_goes_on(read):
    _, shots, _ = read([sending(*stamps(5)), sending(*stamps(5, first=500))])

    assert [shot.gap for shot in shots] == [True, False, False, False, False] * 2
    assert [shot.number for shot in shots] == list(range(1, 11))
    assert shots[5].time_s - shots[4].time_s == pytest.approx(0.8 + 0.1, abs=0.02)
    assert shots[0].taken_at.timestamp() == pytest.approx(1_800_000_000.1, abs=0.01)


def test_pictures_come_at_the_rate_that_was_asked_for(read):
    _, shots, _ = read([sending(*[number / 25 for number in range(100)], step_s=0.04)], fps=5)

    assert len(shots) == 20
    assert np.diff([shot.time_s for shot in shots]) == pytest.approx(0.2, abs=0.025)


def test_damage_is_passed_over_up_to_the_next_key_frame_and_is_a_gap(read):
    sent = [(0.0, b"x", True), (0.1, b"x", False), (0.2, b"damaged", False), (0.3, b"x", False), (0.4, b"x", True)]
    reader, shots, _ = read([sending(*sent)])

    assert [shot.gap for shot in shots] == [True, False, True]
    assert reader.status().counts.dropped == {"damaged": 1, "before key frame": 1}


def test_a_camera_that_never_sends_a_key_frame_is_read_after_a_while(read):
    reader, shots, _ = read([sending(*[(number / 10, b"x", False) for number in range(150)])])

    assert 40 < len(shots) < 60
    assert reader.status().counts.dropped == {"before key frame": 150 - len(shots)}


def test_where_decoding_is_too_slow_it_goes_on_at_a_key_frame_in_time(read):
    def slow_then_quick(time: Time) -> Source:
        """Each packet takes 0.5 s to decode for a while, though one comes every 0.1 s."""
        source = Fake([(number / 10, b"x", number % 10 == 0) for number in range(120)], time, 0.0)
        decode = source.decode

        def slowly(coded: Coded, number: int) -> list[Still]:
            time.now_s += 0.5 if number < 20 else 0.0
            return decode(coded, number)

        source.decode = slowly  # type: ignore[method-assign]
        return source

    reader, shots, _ = read([slow_then_quick])
    dropped = reader.status().counts.dropped["behind"]

    assert 30 < dropped < 110
    assert len(shots) == 120 - dropped
    assert any(shot.gap for shot in shots[1:])


def test_a_file_is_read_at_its_own_pace_and_again(read):
    _, shots, time = read([sending(*stamps(50), live=False)] * 2)

    assert time.now_s == pytest.approx(10.0, abs=0.3)
    assert [number for number, shot in enumerate(shots) if shot.gap] == [0, 50]
    assert np.diff([shot.time_s for shot in shots]) == pytest.approx(0.1, abs=0.03)


def test_a_file_that_does_not_loop_ends_and_one_without_pictures_is_tried_again_later(read):
    reader, _, _ = read([sending(*stamps(5), live=False)], loop=False)
    assert reader.status().health.state is HealthState.OFF
    assert "ended" in reader.status().health.reason

    reader, shots, time = read([sending((0.0, b"damaged", True), live=False)])
    assert shots == []
    assert time.now_s == pytest.approx(0.8, abs=0.1)


def test_the_switch_to_infrared_is_a_gap_and_a_change_of_profile(read):
    class Dusk(Fake):
        def decode(self, coded: Coded, number: int) -> list[Still]:
            (still,) = super().decode(coded, number)
            grey = np.repeat(still.pixels[:, :, :1], 3, axis=2)
            return [Still(number, grey if number > 5 else still.pixels, key=True)]

    _, shots, _ = read([lambda time: Dusk(stamps(10), time)])

    assert [shot.infrared for shot in shots] == [False] * 5 + [True] * 5
    assert [number for number, shot in enumerate(shots) if shot.gap] == [0, 5]


def test_a_change_of_size_goes_on(read):
    class Grown(Fake):
        def decode(self, coded: Coded, number: int) -> list[Still]:
            side = 48 if number < 4 else 96
            return [Still(number, np.full((side, 2 * side + 1, 3), number, np.uint8), key=True)]

    reader, shots, _ = read([lambda time: Grown(stamps(8), time)])

    assert len(shots) == 8
    assert reader.status().stream.size == (96, 193)
