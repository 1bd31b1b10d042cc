"""What a site's file says of a camera is what the engine watches it by."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from oddframe.instant import MODEL
from oddframe.site import cast
from oddframe.site.cast import Cast
from oddframe.site.planning.apply import apply_plan
from oddframe.site.planning.plan import SitePlan
from oddframe.site.store import Store


class Engine:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def add(self, watch) -> None:
        self.watch = watch
        self.told.append(f"add {watch.name}")

    def remove(self, name: str, _: str) -> None:
        self.told.append(f"remove {name}")

    def set_line(self, *_: object) -> None:
        pass


def test_a_camera_watches_at_its_hours_by_what_the_file_says(tmp_path: Path, monkeypatch):
    pytest.importorskip("onnxruntime")
    private = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0)),)
    gate = {
        "address": "rtsp://10.0.0.2/live",
        "detector": str(MODEL),
        "private": private,
        "watches": [{"begin": "18:00", "end": "06:00"}],
        "profiles": {"night": {"begin": "22:00", "end": "05:00"}, "evening": {"infrared": False}},
        "reading": {"read_timeout_s": 20},
    }
    hour = [12]
    monkeypatch.setattr(cast, "now", lambda: datetime(2026, 11, 30, hour[0]).astimezone())
    with Store.open(tmp_path / "site") as store:
        apply_plan(SitePlan.model_validate({"cameras": {"gate": gate}}), store)
        engine = Engine()
        watched = Cast(store, engine, backend="onnxruntime")
        for hour[0] in (12, 12, 19, 23, 7):
            watched.look()
        health = store.health.now()["gate"]

    assert engine.told == ["add gate", "remove gate"]
    assert engine.watch.private == private
    assert [one.name for one in engine.watch.profiles] == ["night", "evening"]
    assert engine.watch.camera.settings.read_timeout_s == 20
    assert (health.state, health.reason) == ("off", "it does not watch at this hour")


def test_a_machine_watches_the_cameras_that_it_holds_and_lets_go_of_those_that_it_is_to(tmp_path: Path):
    pytest.importorskip("onnxruntime")
    one = {"address": "rtsp://10.0.0.2/live", "detector": str(MODEL)}
    with Store.open(tmp_path / "site") as store:
        apply_plan(SitePlan.model_validate({"cameras": {"gate": one, "yard": one}}), store)
        gate = store.cameras.get("gate").id
        store.leases.come("depot1", "1")
        assert store.leases.take(str(gate), "depot1")
        engine = Engine()
        watched = Cast(store, engine, backend="onnxruntime", machine="depot1")
        watched.look()
        assert watched.leaving == frozenset()
        store.leases.ask_back(str(gate), "depot1")
        watched.look()

    assert engine.told == ["add gate", "remove gate"]
    assert watched.leaving == {gate}
