"""Normal video of a camera that learns is kept piece by piece: only what is well, bounded, whole or not at all."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.segment import Segment
from oddframe.cameras.settings import CameraSettings, HealthSettings
from oddframe.cameras.state import Health, HealthState
from oddframe.errors import StorageError
from oddframe.site.profiles import Profile
from oddframe.site.recording import FOOTAGE, Recordings, Source, Wanted, keeps_s, recorded, want, wanted
from oddframe.site.schedule import Hours
from oddframe.site.store import Store
from oddframe.teaching.footage import pieces_of
from oddframe.video.open import open_video


class Acting:
    """A camera of which a segment is always there."""

    infrared = False
    settings = CameraSettings()
    address = Address.parse("rtsp://10.0.0.2/live")

    def __init__(self) -> None:
        self.state, self.asked, self.failing = HealthState.ONLINE, 0, None

    @property
    def health(self) -> Health:
        return Health(state=self.state, since=datetime.now(UTC) - timedelta(hours=1))

    def segment(self, path: Path, *, after_s: float, **_: object) -> Segment:
        if self.failing is not None:
            raise self.failing
        self.asked += 1
        path.write_bytes(b"x" * 1000)
        begin_s = max(after_s, 0.0) + 0.04
        return Segment(
            newest_s=begin_s + 600 - 20 * self.asked,
            next_after_s=begin_s + 20,
            begin_s=begin_s,
            end_s=begin_s + 20,
            pictures=500,
        )


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "site") as opened:
        yield opened


def wish(**given) -> Wanted:
    return Wanted(**{"folder": "learning/1/1", "segment_s": 20, "every_s": 20, "most_bytes": 10**6, **given})


def recording(store: Store, camera, *, profiles=(), room=lambda: True) -> Recordings:
    return Recordings(store, lambda: {1: Source("gate", camera, profiles, ())}, room)


def footage(store: Store) -> list:
    return pieces_of(store.folder / "learning/1/1" / FOOTAGE)


def test_what_is_wanted_is_kept_in_pieces_of_its_scene(store):
    want(store, {1: wish()})
    keeping = recording(store, Acting(), profiles=[Profile(name="night", infrared=True), Profile(name="day")])

    for _ in range(3):
        keeping.look()

    assert [(one.scene, one.seconds, one.bytes) for one in footage(store)] == [("day", 20.0, 1000)] * 3
    assert wanted(store) == {1: wish()}


@pytest.mark.parametrize("state", [one for one in HealthState if one is not HealthState.ONLINE])
def test_of_a_camera_that_is_not_well_nothing_is_kept_and_the_time_is_counted(store, state):
    want(store, {1: wish()})
    camera = Acting()
    keeping = recording(store, camera)
    camera.state = state
    keeping.look()
    keeping.look()

    assert footage(store) == []
    assert camera.asked == 0
    assert list(recorded(store.folder / "learning/1/1").skipped_s) == [str(state)]


def test_a_piece_during_which_a_camera_went_bad_is_thrown_away(store):
    want(store, {1: wish()})
    camera = Acting()

    def covered(path: Path, **given: object) -> Segment:
        camera.state = HealthState.DARK
        return Acting.segment(camera, path, **given)

    camera.segment = covered
    recording(store, camera).look()

    assert camera.asked == 1
    assert footage(store) == []
    assert not list((store.folder / "learning").rglob("*.mp4"))


def test_pieces_are_bounded_in_size_time_and_hours_and_leave_room_on_the_disk(store):
    later, before = (datetime.now(UTC) + timedelta(hours=one) for one in (1, -1))
    other = (datetime.now() + timedelta(hours=6)).time()  # hours are those of the place
    hours = (Hours(begin=other, end=(datetime.now() + timedelta(hours=7)).time()),)
    camera = Acting()
    for one, room, many in (
        (wish(until=later), True, 1),
        (wish(until=before), True, 0),
        (wish(hours=hours), True, 0),
        (wish(), False, 0),
        (wish(most_bytes=1000), True, 0),
        (wish(most_bytes=1001), True, 1),
    ):
        asked = camera.asked
        want(store, {1: one})
        recording(store, camera, room=lambda room=room: room).look()
        assert camera.asked - asked == many


def test_between_pieces_there_is_a_pause(store):
    want(store, {1: wish(every_s=3600)})
    camera = Acting()
    keeping = recording(store, camera)

    keeping.look()
    keeping.look()

    assert camera.asked == 1


def test_what_cannot_be_written_is_told_and_tried_again(store):
    want(store, {1: wish()})
    camera = Acting()
    camera.failing = StorageError("a segment cannot be written: the disk is full")
    keeping = recording(store, camera)

    keeping.look()
    told = recorded(store.folder / "learning/1/1").problem
    camera.failing = None
    keeping.look()

    assert "the disk is full" in told
    assert len(footage(store)) == 1
    assert recorded(store.folder / "learning/1/1").problem == ""


@pytest.mark.slow
def test_pieces_of_a_real_camera_follow_each_other(store, tmp_path, make_video):
    video = make_video(tmp_path / "gate.mkv", frames=60, fps=20, codec="mjpeg", pixel_format="yuvj420p")
    health = HealthSettings(frozen_s=1, moved_s=1, dark_s=1, blinded_s=1, clear_s=0.2)
    settings = CameraSettings(health=health, keep_s=keeps_s(wish(segment_s=1), health))
    want(store, {1: wish(segment_s=1, every_s=1)})
    with Camera(Address.parse(str(video)), settings, (48, 64), 10) as camera:
        keeping = recording(store, camera)
        until = time.monotonic() + 120
        while len(footage(store)) < 4 and time.monotonic() < until:
            keeping.look()
            time.sleep(0.2)
    found = footage(store)

    assert len(found) >= 4
    assert all(one.seconds > 0.4 for one in found)
    assert all(len(list(open_video(one.path).frames())) >= 10 for one in found)
    assert all(abs((one.began - datetime.now(UTC)).total_seconds()) < 180 for one in found)
