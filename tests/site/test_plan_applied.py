"""A store comes to agree with its site's file; what is removed keeps its events."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.site.conftest import change

from oddframe.errors import RunError, SettingsError
from oddframe.files import write_json
from oddframe.instant import MODEL
from oddframe.site.planning.apply import apply_plan
from oddframe.site.planning.plan import SitePlan
from oddframe.site.store import Store

GATE = {"address": "rtsp://me:s3cret@10.0.0.2/live"}
DOOR = {"kind": "webhook", "url": "https://example.org/T0K3N"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    with Store.open(tmp_path / "site") as opened:
        yield opened


def plan(**entries: object) -> SitePlan:
    return SitePlan.model_validate(entries)


def test_a_store_agrees_with_its_file_and_then_nothing_changes(store):
    wanted = plan(
        site="home",
        time_zone="Europe/Berlin",
        cameras={
            "gate": GATE
            | {
                "detector": str(MODEL),
                "private": [[[0, 0], [0.5, 0], [0.5, 1]]],
                "profiles": {"night": {"begin": "20:00", "end": "06:00"}, "day": {}},
                "reading": {"read_timeout_s": 20},
            }
        },
        sinks={"door": DOOR | {"cameras": ["gate"]}},
    )

    first, second = apply_plan(wanted, store), apply_plan(wanted, store)

    assert first.added == ("camera gate", "sink door")
    assert (second.added, second.updated, second.removed) == ((), (), ())
    (camera,) = store.cameras.all()
    assert camera.masked == "rtsp://***@10.0.0.2/live"
    assert camera.settings["camera"] == {"read_timeout_s": 20.0}
    assert store.cameras.address("gate").get_secret_value() == GATE["address"]
    assert store.cameras.fittings("gate")[0].detector.folder == str(MODEL)
    assert list(store.cameras.profiles("gate")) == ["night", "day"]
    assert store.sinks.all()[0].url.get_secret_value() == DOOR["url"]
    assert store.journal.get("site") == {"name": "home"}
    assert not any("s3cret" in str(one) or "T0K3N" in str(one) for one in store.journal.entries())


def test_what_the_file_names_no_more_is_removed_and_keeps_its_events(store):
    apply_plan(plan(cameras={"gate": GATE, "yard": GATE}, sinks={"door": DOOR}), store)
    store.events.write([change("new")])

    applied = apply_plan(plan(cameras={"yard": GATE | {"address": "rtsp://10.0.0.3/live"}}), store)

    assert applied.removed == ("camera gate", "sink door")
    assert applied.updated == ("camera yard",)
    assert [one.name for one in store.cameras.all()] == ["yard"]
    assert len(store.events.page().events) == 1


def test_a_camera_keeps_what_it_has_learned_where_the_file_names_no_detector(store):
    apply_plan(plan(cameras={"gate": GATE}), store)
    store.cameras.put_detector("learned", "/learned")
    store.cameras.fit("gate", "learned")

    apply_plan(plan(cameras={"gate": GATE | {"scene": "day"}}), store)

    assert store.cameras.fittings("gate")[0].detector.name == "learned"


def test_two_detectors_whose_folders_are_of_one_name_stay_two(store):
    apply_plan(plan(cameras={"a": GATE | {"detector": "/x/run"}, "b": GATE | {"detector": "/y/run"}}), store)

    assert {one.name: one.folder for one in store.cameras.detectors()} == {"run": "/x/run", "/y/run": "/y/run"}


def test_a_rate_that_the_calibration_has_is_its_line_and_another_needs_evidence(store):
    from oddframe.scoring.calibration_file import load_calibration

    own = load_calibration(MODEL).line
    asked = own.asked_per_hour * 24
    apply_plan(plan(cameras={"gate": GATE | {"detector": str(MODEL), "false_alarms_per_day": asked}}), store)
    line = store.cameras.line("gate")

    assert line is not None
    assert (line.on, line.author) == (own.on, "site file")
    other = plan(cameras={"gate": GATE | {"detector": str(MODEL), "false_alarms_per_day": asked / 3}})
    with pytest.raises(SettingsError, match="camera 'gate': nothing is kept"):
        apply_plan(other, store)


def test_nothing_is_written_where_a_detector_is_not_there(store, tmp_path):
    with pytest.raises(RunError, match="camera 'gate'"):
        apply_plan(plan(cameras={"gate": GATE | {"detector": str(tmp_path / "no"), "false_alarms_per_day": 1}}), store)

    assert store.cameras.all() == []


def test_regions_are_those_of_the_fitting(store, tmp_path):
    regions = {"ignore": [[[0.5, 0.5], [1, 0.5], [1, 1]]]}
    write_json(tmp_path / "regions.json", {"format": 1, "watch": [], **regions})
    gate = GATE | {"detector": str(MODEL), "fitting": str(tmp_path)}

    assert apply_plan(plan(cameras={"gate": gate | {"regions": regions}}), store).added == ("camera gate",)
    other = {"ignore": [[[0.4, 0.5], [1, 0.5], [1, 1]]]}
    with pytest.raises(SettingsError, match="camera 'gate': its regions are not those"):
        apply_plan(plan(cameras={"gate": gate | {"regions": other}}), store)
