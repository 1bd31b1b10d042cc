"""That a camera is to learn: how it is asked for, and what the site's file says of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from oddframe.errors import SettingsError
from oddframe.site.learning import LearnSettings, ask, asked_of, change, in_units, seconds_of
from oddframe.site.messages import NO_DETECTOR, health_message
from oddframe.site.planning.apply import apply_plan
from oddframe.site.planning.plan import SitePlan
from oddframe.site.planning.read import read_plan
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now


def plan(**camera) -> SitePlan:
    return SitePlan.model_validate({"cameras": {"gate": {"address": "rtsp://10.0.0.2/live", **camera}}})


def test_a_length_of_time_is_read_as_people_write_it():
    assert [seconds_of(one) for one in ("24h", "1d 2h", "90 min", "5m", "20s", 30)] == [86400, 93600, 5400, 300, 20, 30]
    assert [seconds_of(in_units(one)) for one in (86400, 5400, 61, 0.5)] == [86400, 5400, 61, 0.5]
    for wrong in ("soon", "h", "5", True, None):
        with pytest.raises(ValueError, match="a length of time as 24h"):
            seconds_of(wrong)


def test_settings_are_kept_as_they_are_said():
    how = LearnSettings.model_validate({"for": "2h", "preset": "tiny", "hours": [{"begin": "06:00", "end": "20:00"}]})

    assert LearnSettings.model_validate(how.kept()) == how
    assert how.kept()["for"] == "2h"
    with pytest.raises(ValidationError, match="there is no preset 'life'"):
        LearnSettings(preset="life")


def test_the_file_asks_once_and_again_where_it_says_something_else(tmp_path: Path):
    with Store.open(tmp_path) as store:
        for for_ in ("24h", "24h", "2h"):
            apply_plan(plan(learn={"for": for_}), store)
        camera = store.cameras.get("gate").id
        asked = asked_of(store, camera)
        apply_plan(plan(), store)
        stopped = asked_of(store, camera)

    assert (asked.number, asked.how.collect_for, asked.author) == (2, 7200, "site file")
    assert stopped.stopped


def test_what_a_person_asks_stays_until_the_file_says_something_else(tmp_path: Path):
    with Store.open(tmp_path) as store:
        apply_plan(plan(learn={"for": "24h"}), store)
        ask(store, "gate", LearnSettings(preset="tiny"), "ann")
        apply_plan(plan(learn={"for": "24h"}), store)
        asked = asked_of(store, store.cameras.get("gate").id)

    assert (asked.number, asked.author, asked.how.preset) == (2, "ann", "tiny")


def test_what_was_asked_can_be_changed_and_the_log_says_by_whom(tmp_path: Path):
    with Store.open(tmp_path) as store:
        store.cameras.put("gate", "rtsp://10.0.0.2/live", "rtsp://10.0.0.2/live")
        with pytest.raises(SettingsError, match="does not learn"):
            change(store, "gate", "ann", "stop learning", lambda one: one)
        ask(store, "gate", LearnSettings(), "ann")
        change(store, "gate", "bob", "stop learning", lambda one: one.changed(stopped=True))
        last = store.journal.entries()[0]

    assert (last.author, last.action, last.details["after"]) == ("bob", "stop learning", {"stopped": True})


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ("detector: runs/gate\n    learn: {}", "'detector' and 'learn' exclude each other"),
        ("false_alarms_per_day: 1\n    learn: {}", "stands in 'learn'"),
        ("learn: {for: soon}", "a length of time as 24h"),
        ("learn: {fore: 24h}", "there is no entry 'cameras.gate.learn.fore'"),
        ("learn: {preset: life}", "there is no preset 'life'"),
        ("learn: {most_gb: 0}", "does not fit"),
    ],
)
def test_what_does_not_fit_in_a_file_is_named_with_its_line(tmp_path: Path, camera: str, words: str):
    path = tmp_path / "site.yaml"
    path.write_text(f"cameras:\n  gate:\n    address: rtsp://10.0.0.2/live\n    {camera}\n", "utf-8")

    with pytest.raises(SettingsError) as refused:
        read_plan(path)

    assert words in str(refused.value)
    assert "site.yaml:" in str(refused.value)
    assert "fore" not in camera or "did you mean for?" in str(refused.value)


def test_until_is_in_the_time_of_the_site():
    how = LearnSettings.model_validate({"until": "2026-12-01 18:00"})

    assert how.until_at is not None
    assert how.until_at.utcoffset() is not None
    assert LearnSettings.model_validate(how.kept()).until_at - how.until_at == timedelta()


def test_a_camera_that_learns_is_online_and_one_that_has_nothing_to_watch_it_is_not():
    def online(state: str, reason: str) -> bool:
        return health_message("site", "gate", state, reason, utc_now(), key="k").online

    assert online("online", "")
    assert online("learning", "a stand-in watches")
    assert not online("learning", NO_DETECTOR)
    assert not online("dark", "the lens is covered")
