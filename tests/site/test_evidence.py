"""Evidence of events is made, kept, and removed when it has to go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from oddframe.errors import CameraError, StoreError
from oddframe.site.evidence import EvidenceMaker, Roll
from oddframe.site.retention import DiskGuard, Retention, RetentionSettings
from oddframe.site.store import Store

from .conftest import NOON, StandingClock, change


def grey(at_s: float) -> np.ndarray:
    return np.full((48, 64, 3), 80, np.uint8)


def watch(heat: np.ndarray | None = None, snapshot=grey, private=()):
    """As much of a `Watch` as evidence is made of; its clips say what was asked for."""

    def clip(begin_s: float, end_s: float, path: Path, private) -> None:
        path.write_text(f"{begin_s} {end_s} {private}")

    camera = SimpleNamespace(snapshot=snapshot, clip=clip)
    return SimpleNamespace(latest=SimpleNamespace(heat=heat), camera=camera, private=private)


def made(maker: EvidenceMaker, *of) -> None:
    maker.start()
    for one, changes in of:
        maker.happened(one, changes)
    maker.stop()


def test_a_new_event_has_a_picture_and_one_with_heat_and_a_box(tmp_path: Path):
    kept = []
    maker = EvidenceMaker(tmp_path, lambda *one: kept.append(one))
    heat = np.zeros((6, 8), np.float32)
    heat[3, 4] = 2.0
    new = change(box=(10, 10, 20, 20))
    made(maker, (watch(heat), [new]), (watch(heat), [change("end", 1, event=new.event.id)]))

    folder = tmp_path / "2026-11-30" / new.event.id
    files = [("snapshot", "snapshot.jpg"), ("heat", "heat.jpg"), ("clip", "clip.mp4")]
    assert kept == [(new.event.id, kind, folder / name) for kind, name in files]
    plain, drawn = (cv2.imread(str(folder / f"{kind}.jpg")) for kind in ("snapshot", "heat"))
    assert plain.shape == (48, 64, 3)
    assert abs(plain.astype(int) - 80).max() <= 3
    assert abs(drawn.astype(int) - plain).max() > 60
    assert (folder / "clip.mp4").read_text() == "5.0 17.0 ()"  # of 10 to 12 s, with five seconds on both sides


def test_a_long_event_has_a_clip_of_its_beginning(tmp_path: Path):
    maker = EvidenceMaker(tmp_path, lambda *_: None, roll=Roll(before_s=1, after_s=2, longest_s=8))
    new = change()
    made(maker, (watch(), [new]), (watch(), [change("end", 1, event=new.event.id, end_s=100.0)]))

    assert (tmp_path / "2026-11-30" / new.event.id / "clip.mp4").read_text() == "9.0 18.0 ()"


def test_private_places_are_black_in_all_that_is_kept(tmp_path: Path):
    left = [[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]]
    maker = EvidenceMaker(tmp_path, lambda *_: None)
    new = change(box=None)
    made(maker, (watch(private=left), [new]))

    folder = tmp_path / "2026-11-30" / new.event.id
    for kind in ("snapshot", "heat"):
        picture = cv2.imread(str(folder / f"{kind}.jpg"))
        assert picture[:, :28].max() <= 4
        assert picture[:, 40:].min() >= 70
    assert str(left) in (folder / "clip.mp4").read_text()


def test_a_camera_without_a_picture_keeps_no_other_from_having_one(tmp_path: Path):
    def gone(at_s: float) -> np.ndarray:
        raise CameraError("this camera is not being read")

    kept = []
    maker = EvidenceMaker(tmp_path, lambda *one: kept.append(one[1]))
    made(maker, (watch(snapshot=gone), [change()]), (watch(), [change()]))

    assert sorted(kept) == ["clip", "clip", "heat", "snapshot"]
    assert maker.skipped == {"failed": 1}


def test_nothing_is_written_where_there_is_no_room(tmp_path: Path):
    maker = EvidenceMaker(tmp_path, lambda *_: None, room=lambda: False)
    made(maker, (watch(), [change()]))

    assert not list(tmp_path.iterdir())
    assert maker.skipped == {"no room": 2}


def test_the_guard_says_once_that_the_disk_is_full_and_once_that_there_is_room_again(tmp_path: Path):
    free, told = [2.0, 0.9, 1.05, 0.9, 1.2], []
    guard = DiskGuard(tmp_path, 1.0, told.append, lambda _: int(1e9 * free.pop(0)))

    assert [guard.room() for _ in range(5)] == [True, False, False, False, True]
    assert told == ["no evidence is made: 0.9 GB of the disk are free", "evidence is made again: 1.2 GB of the disk are free"]  # fmt: skip  # noqa: E501


@pytest.fixture
def store(tmp_path: Path, clock: StandingClock) -> Iterator[Store]:
    with Store.open(tmp_path / "site", clock=clock) as opened:
        opened.cameras.put("gate", "0", "usb:0")
        yield opened


def stored(store: Store, at: timedelta, size: int = 1000) -> Path:
    """An event that is over, with one file."""
    new = change(at=NOON + at)
    store.events.write([new, change("end", 1, event=new.event.id, at=NOON + at)])
    path = store.folder / "evidence" / new.event.id / "snapshot.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))
    store.evidence.add(new.event.id, "snapshot", str(path.relative_to(store.folder)), size)
    return path


def reviewed(store: Store, path: Path) -> Path:
    store.reviews.add(path.parent.name, "anna", "alarm")
    return path


def test_old_evidence_goes_and_that_of_reviewed_events_stays_longer(store: Store, clock: StandingClock):
    settings = RetentionSettings(days=10, reviewed_days=100)
    old, kept = stored(store, timedelta(0)), reviewed(store, stored(store, timedelta(seconds=10)))
    clock.go(days=9)
    young = stored(store, timedelta(days=9))
    clock.go(days=2)

    assert Retention(store, settings, store.folder / "evidence", clock).tidy() == 1
    assert [path.exists() for path in (old, kept, young)] == [False, True, True]
    assert not old.parent.exists()
    clock.go(days=95)
    assert Retention(store, settings, store.folder / "evidence", clock).tidy() == 2
    assert store.evidence.total_bytes() == 0


def test_very_old_events_are_forgotten_and_how_many_there_were_is_not(store: Store, clock: StandingClock):
    retention = Retention(store, RetentionSettings(days=10, events_days=100), store.folder / "evidence", clock)
    with_picture, told = stored(store, timedelta(0)), reviewed(store, stored(store, timedelta(seconds=10)))
    plain = change(at=NOON)
    store.events.write([plain, change("end", 1, event=plain.event.id, at=NOON)])
    store.watched.add("gate", "", 3600.0, 1.0, NOON.date())
    store.health.changed("gate", "online")
    store.health.changed("gate", "dark", at=NOON + timedelta(minutes=1))

    clock.go(days=100)
    assert retention.forget() == 0  # what began today a hundred days ago is not older than that
    clock.go(days=1)
    assert retention.forget() == 1
    assert retention.forget() == 0
    clock.go(days=1)
    retention.tidy()
    assert retention.forget() == 1  # once its picture had gone

    assert [one.event.id for one in store.events.page().events] == [told.parent.name]
    assert not with_picture.exists()
    assert [one.state for one in store.health.history("gate", NOON)] == ["dark"], "which lasts"
    (day,) = store.watched.days(NOON.date(), (NOON + timedelta(days=1)).date())
    assert (day.events, day.said_alarm) == (3, 1)


def test_files_of_a_process_that_died_before_it_told_of_them_are_known_again(store: Store, clock: StandingClock):
    new = change()
    store.events.write([new])
    folder = store.folder / "evidence" / "2026-11-30"
    of_event, of_none = folder / new.event.id, folder / "01a22b19-fe2d-7595-82de-35f317ac8eee"
    for one in (of_event, of_none):
        one.mkdir(parents=True)
        (one / "snapshot.jpg").write_bytes(b"12345")
    (of_event / ".clip.mp4.1.tmp").write_bytes(b"half")
    retention = Retention(store, RetentionSettings(), store.folder / "evidence", clock)

    assert retention.adopt() == 1
    assert [(one.kind, one.bytes) for one in store.evidence.of(new.event.id)] == [("snapshot", 5)]
    assert [path.name for path in folder.iterdir()] == [of_event.name]
    assert [path.name for path in of_event.iterdir()] == ["snapshot.jpg"]
    assert retention.adopt() == 0


def test_a_database_that_cannot_be_read_takes_no_evidence_away(store: Store, clock: StandingClock, monkeypatch):
    new = change()
    store.events.write([new])
    picture = store.folder / "evidence" / "2026-11-30" / new.event.id / "snapshot.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"12345")
    retention = Retention(store, RetentionSettings(), store.folder / "evidence", clock)

    def locked(event: str) -> None:
        raise StoreError("the site's database is locked")

    monkeypatch.setattr(store.events, "get", locked)
    with pytest.raises(StoreError, match="locked"):
        retention.adopt()
    assert picture.is_file()


def test_what_takes_too_much_room_goes_the_oldest_first_and_reviewed_events_last(store: Store, clock: StandingClock):
    paths = []
    for hour in range(4):
        paths.append(stored(store, timedelta(hours=hour)))
        clock.go(hours=1)
    reviewed(store, paths[0])

    assert Retention(store, RetentionSettings(gigabytes=2.5e-6), store.folder / "evidence", clock).tidy() == 2
    assert [path.exists() for path in paths] == [True, False, False, True]
