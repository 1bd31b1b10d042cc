"""What the engine tells comes into the store, in order, whatever happens to the database."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from oddframe.cameras.state import Health, HealthState
from oddframe.errors import StoreError
from oddframe.instant import MODEL
from oddframe.scoring.scores import AlarmLine
from oddframe.site import keeper as keeping
from oddframe.site.cast import Cast
from oddframe.site.keeper import Keeper
from oddframe.site.store import Store
from oddframe.site.store.records import LineRecord

from .conftest import NOON, change

GATE = SimpleNamespace(name="gate")


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "site") as opened:
        opened.cameras.put("gate", "rtsp://me:s3cret@127.0.0.1:1/live", "rtsp://***@127.0.0.1:1/live")
        yield opened


def test_changes_health_and_evidence_are_kept_in_order(store: Store):
    keeper = Keeper(store)
    keeper.start()
    new = change()
    picture = store.folder / "evidence" / "snapshot.jpg"
    picture.parent.mkdir()
    picture.write_bytes(b"12345")
    keeper.health_changed(GATE, Health(state=HealthState.ONLINE, since=NOON))
    keeper.happened(GATE, [new])
    keeper.made(new.event.id, "snapshot", picture)
    keeper.happened(GATE, [change("end", 1, event=new.event.id)])
    keeper.stop()

    assert [one.kind for one in store.events.history(new.event.id)] == ["new", "end"]
    assert [(one.path, one.bytes) for one in store.evidence.of(new.event.id)] == [("evidence/snapshot.jpg", 5)]
    assert store.health.now()["gate"].state == "online"


def test_what_cannot_be_written_at_all_is_counted_and_holds_up_nothing(store: Store):
    keeper = Keeper(store)
    keeper.start()
    keeper.write(lambda: {}["a bug"])
    keeper.happened(GATE, [change()])
    keeper.stop()

    assert keeper.lost == 1
    assert len(store.events.open()) == 1


def test_a_database_that_cannot_be_written_for_a_while_loses_nothing(store: Store, monkeypatch):
    monkeypatch.setattr(keeping, "_AGAIN_S", 0.01)
    write, refusals = store.events.write, [StoreError("the database is locked")] * 3

    def refusing(changes, *, machine=None) -> None:
        if refusals:
            raise refusals.pop()
        write(changes)

    monkeypatch.setattr(store.events, "write", refusing)
    keeper = Keeper(store)
    keeper.start()
    first, second = change(), change()
    keeper.happened(GATE, [first])
    keeper.happened(GATE, [second])
    keeper.stop()

    assert {one.id for one in store.events.open()} == {first.event.id, second.event.id}
    assert keeper.waiting == 0


class Orders:
    """An engine that only notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple] = []

    def add(self, watch) -> None:
        self.told.append(("add", watch.name, watch.line.on))

    def remove(self, name: str, ended_by: str = "stop") -> None:
        self.told.append(("remove", name, ended_by))

    def set_line(self, name: str, profile: str, line: AlarmLine) -> None:
        self.told.append(("line", name, profile, line.on))

    def take(self) -> list[tuple]:
        taken, self.told = self.told, []
        return taken


def test_what_changes_in_the_store_is_done_while_it_runs(store: Store):
    pytest.importorskip("onnxruntime")
    engine = Orders()
    cast = Cast(store, engine, backend="onnxruntime")
    cast.look()
    assert store.health.now()["gate"].reason == "it has no detector yet"

    store.cameras.put_detector("instant", str(MODEL))
    store.cameras.fit("gate", "instant")
    store.cameras.set_line(LineRecord(camera="gate", since=NOON, on=5.0, off=4.0, asked_per_day=24))
    cast.look()
    assert engine.take() == [("add", "gate", 5.0)]

    store.cameras.set_line(LineRecord(camera="gate", since=NOON, on=6.0, off=5.0, asked_per_day=1))
    cast.look()
    assert engine.take() == [("line", "gate", "", 6.0)]

    store.cameras.set_profiles("gate", {"night": {"infrared": True, "scene": "square"}, "day": {}})
    cast.look()
    assert [one[0] for one in engine.take()] == ["add"]

    store.cameras.remove("gate")
    cast.look()
    assert engine.take() == [("remove", "gate", "removed")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"settings": {"camera": {"keep_s": -1}}}, "camera.keep_s"),
        ({"profiles": {"night": {"begin": "20:00"}}}, "both a begin and an end"),
        ({"detector": "/nowhere"}, "there is no run in this folder"),
    ],
)
def test_a_camera_that_cannot_be_watched_says_why_and_harms_no_other(store: Store, wrong, words):
    pytest.importorskip("onnxruntime")
    store.cameras.put("yard", "0", "usb:0")
    store.cameras.put_detector("instant", str(MODEL))
    store.cameras.put_detector("other", wrong.get("detector", str(MODEL)))
    store.cameras.fit("yard", "instant")
    store.cameras.fit("gate", "other")
    store.cameras.put("gate", "0", "usb:0", wrong.get("settings"))
    store.cameras.set_profiles("gate", wrong.get("profiles", {}))
    engine = Orders()
    Cast(store, engine, backend="onnxruntime").look()

    assert [one[:2] for one in engine.take()] == [("add", "yard")]
    health = store.health.now()["gate"]
    assert health.state == "offline"
    assert words in health.reason
