"""Live pictures are made while somebody asks, are black where they are private, and keep nobody waiting for another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from oddframe.cameras.state import Health, HealthState
from oddframe.errors import AddressError, CameraError, ConflictError, UnknownNameError
from oddframe.site.picture_maker import EVERY_S, WIDTHS, Asked, LivePicture, PictureMaker
from oddframe.site.pictures import Pictures
from oddframe.site.rotation import rotate
from oddframe.site.store import Store
from oddframe.site.trial import MOST_AT_ONCE, Trials

from .conftest import NOON

LEFT = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
HOT = np.full((6, 8), 2.0, np.float32)


class Watched:
    """As much of a `Watch` as pictures are made of."""

    def __init__(self, name: str, size: tuple[int, int] = (48, 64), **given) -> None:
        self.name, self.private, self.size = name, given.get("private", ()), size
        self.health = Health(state=given.get("state", HealthState.ONLINE), since=NOON, reason=given.get("reason", ""))
        self.latest = SimpleNamespace(score=2.5, alarm=True)
        self.camera = SimpleNamespace(snapshot=self.snapshot)
        self.go_on, self.taken = threading.Event(), 0
        self.go_on.set()

    def snapshot(self) -> np.ndarray:
        self.go_on.wait()
        self.taken += 1
        return np.full((*self.size, 3), 80, np.uint8)

    def heat(self) -> np.ndarray:
        return HOT


@pytest.fixture
def making(tmp_path: Path) -> Iterator[Callable[..., PictureMaker]]:
    makers, held = [], []
    with Store.open(tmp_path / "site") as store:

        def make(*watches: Watched, sources=dict) -> PictureMaker:
            for one in watches:
                store.cameras.put(one.name, "0", "usb:0")
            held.extend(watches)
            makers.append(PictureMaker(store, lambda: watches, sources))
            return makers[-1]

        yield make
        for one in makers:
            one.stop()
        for one in held:
            one.go_on.set()


def got(maker: PictureMaker, within_s: float = 60.0, **asked) -> LivePicture:
    """The picture, once it is there."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        picture, why = maker.ask(Asked(**asked), fresh_s=600.0)
        assert not why
        if picture is not None:
            return picture
        time.sleep(0.01)
    pytest.fail("no picture came")


def pixels(picture: LivePicture) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


@pytest.mark.slow
def test_private_places_are_black_with_heat_and_without_and_in_every_size(making):
    maker = making(Watched("gate", (720, 1600), private=LEFT))
    for wide in WIDTHS:
        plain = got(maker, camera="gate", wide=wide)
        shown = pixels(plain)
        assert shown.shape[1] == WIDTHS[wide]
        middle = shown.shape[1] // 2
        assert shown[:, : middle - 8].max() <= 4
        assert shown[:, middle + 8 :].min() >= 70
        assert (plain.score, plain.alarm, plain.heated) == (2.5, True, False)
        heated = got(maker, camera="gate", wide=wide, heat=True)
        assert heated.heated
        assert np.abs(pixels(heated)[:, middle + 8 :].astype(int) - 80).max() > 60


@pytest.mark.slow
def test_no_picture_is_made_for_nobody_and_no_more_than_two_a_second_for_anybody(making):
    gate = Watched("gate")
    maker = making(gate)
    maker.ask(Asked(camera="gate"), fresh_s=0.0)
    while not gate.taken:
        time.sleep(0.01)
    time.sleep(3 * EVERY_S)
    assert gate.taken == 1

    began = time.monotonic()
    while gate.taken < 4:
        maker.ask(Asked(camera="gate"), fresh_s=0.0)
        maker.ask(Asked(camera="gate", heat=True, wide="small"), fresh_s=0.0)
        time.sleep(0.01)
    assert time.monotonic() - began >= 2 * EVERY_S


def test_a_camera_that_is_offline_says_why_it_shows_nothing(making):
    maker = making(Watched("gate", state=HealthState.OFFLINE, reason="it has sent nothing for 10 s"))
    why = ""
    while not why:
        picture, why = maker.ask(Asked(camera="gate"), fresh_s=600.0)
        assert picture is None
        time.sleep(0.01)
    assert why == "it has sent nothing for 10 s"


def test_a_camera_that_is_read_and_not_judged_is_not_opened_twice(making):
    read = Watched("gate", private=LEFT)
    read.camera.health = read.health
    sources: dict[int, SimpleNamespace] = {}
    maker = making(sources=lambda: sources)
    number = maker._store.cameras.put("gate", "0", "usb:0").id
    sources[number] = SimpleNamespace(camera=read.camera, private=LEFT)

    shown = got(maker, camera="gate")

    assert (shown.score, pixels(shown)[:, :28].max() <= 4) == (None, True)
    assert maker._looking[number].camera is None


def test_a_camera_that_hangs_keeps_no_other_waiting_and_no_asker(making):
    hangs, well = Watched("gate"), Watched("yard")
    hangs.go_on.clear()
    maker = making(hangs, well)

    assert maker.ask(Asked(camera="gate"), fresh_s=1.0) == (None, "")
    assert got(maker, camera="yard").alarm
    assert hangs.taken == 0


def test_a_camera_that_is_not_there_or_no_more_has_no_picture(making):
    maker = making(Watched("gate"))
    maker._store.cameras.remove("gate")
    for name in ("gate", "none"):
        with pytest.raises(UnknownNameError):
            maker.ask(Asked(camera=name), fresh_s=1.0)


def test_any_number_of_people_who_look_ask_the_engine_once():
    asked, given = [], LivePicture(at=NOON, jpeg=b"\xff\xd8", score=None, alarm=False, heated=False)
    there = threading.Event()

    def ask(kind: Asked, _: float):
        asked.append(kind)
        there.wait()
        return given, ""

    pictures = Pictures(ask)
    seen: list[LivePicture] = []
    people = [threading.Thread(target=lambda: seen.append(pictures.get(Asked(camera="gate"), 60.0))) for _ in range(20)]
    for one in people:
        one.start()
    while not asked:
        time.sleep(0.01)
    pictures._shown[Asked(camera="gate")].fetched_s = float("inf")  # however long the others take to be served
    there.set()
    for one in people:
        one.join()

    assert seen == [given] * 20
    assert LivePicture.received(given.sent()) == given


def test_who_looks_is_told_why_there_is_no_picture():
    with pytest.raises(CameraError, match="no picture of camera 'gate'") as refused:
        Pictures(lambda *_: (None, "it is dark")).get(Asked(camera="gate"), 5.0)
    assert refused.value.seen == "it is dark"
    with pytest.raises(CameraError) as refused:
        Pictures(lambda *_: (None, "")).get(Asked(camera="gate"), 0.0)
    assert "none came within" in refused.value.seen


def test_a_log_begins_anew_when_it_is_long_and_whoever_writes_into_it_goes_on(tmp_path):
    log = tmp_path / "engine.log"
    with log.open("ab") as writer:
        for part in range(6):
            writer.write(f"part {part}\n".encode() * 20)
            writer.flush()
            assert rotate(log, most_bytes=100, kept=2)
        writer.write(b"last\n")
    assert not rotate(log, most_bytes=100, kept=2)

    assert log.read_text() == "last\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["engine.log", "engine.log.1", "engine.log.2"]
    assert (tmp_path / "engine.log.1").read_text().startswith("part 5\n")
    assert not rotate(tmp_path / "none.log")


@pytest.mark.slow
def test_an_address_is_tried_and_shown_or_refused_with_the_reason(tmp_path, make_video):
    trials = Trials()
    tried = trials.attempt(str(make_video(tmp_path / "a.mp4", size=(96, 144))), within_s=120.0)

    assert cv2.imdecode(np.frombuffer(tried.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (96, 144, 3)
    assert (tried.stream.size, tried.stream.codec) == ((96, 144), "h264")
    with pytest.raises(CameraError) as refused:
        trials.attempt("rtsp://me:s3cret@127.0.0.1:9/live", within_s=120.0)
    assert refused.value.cause == "refused"
    assert "s3cret" not in str(refused.value)
    with pytest.raises(AddressError):
        trials.attempt("eee")


def test_no_more_than_some_addresses_are_tried_at_a_time():
    trials = Trials()
    for _ in range(MOST_AT_ONCE):
        trials._free.acquire()
    with pytest.raises(ConflictError, match="being tried already"):
        trials.attempt("0")
