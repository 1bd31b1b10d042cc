"""Commands change a site and say so in its log, whole or not at all; what the site's file says is the file's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.site.conftest import change

from oddframe.errors import ConflictError, RunError, SettingsError, StoreError, UnknownNameError
from oddframe.instant import MODEL
from oddframe.scoring.calibration_file import load_calibration
from oddframe.site.commands import (
    AddCamera,
    AddSink,
    Carried,
    ChangeCamera,
    ChangeSink,
    Command,
    NameSite,
    RemoveCamera,
    RemoveSink,
    SetDetector,
    SetLine,
    SetRetention,
    carry_out,
)
from oddframe.site.planning.apply import apply_plan, release
from oddframe.site.planning.plan import SitePlan
from oddframe.site.retention import RetentionSettings, retention_of
from oddframe.site.store import Store

ADDRESS = "rtsp://me:s3cret@10.0.0.2/live"
CORNER = [[0, 0], [0.5, 0], [0.5, 1]]


class Site:
    """A store and what Ann does to it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def do(self, command: Command) -> Carried:
        return carry_out(command, self.store, "ann")

    def log(self) -> list[tuple[str, str, str]]:
        return [(one.author, one.action, one.subject) for one in reversed(self.store.journal.entries())]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Store.open(tmp_path / "site") as store:
        yield Site(store)


def plan(**entries: object) -> SitePlan:
    return SitePlan.model_validate(entries)


def test_a_camera_is_added_changed_and_removed_and_the_log_tells_by_whom_and_what_was_before(site):
    site.do(AddCamera(name="gate", address=ADDRESS, settings={"private": [CORNER]}))
    site.do(ChangeCamera(camera="gate", name="door", private=(), watches=[{"days": ["mon"], "begin": "18:00"}]))
    site.do(RemoveCamera(camera="door"))

    assert site.log() == [
        ("ann", "added", "camera gate"),
        ("ann", "changed", "camera door"),
        ("ann", "removed", "camera door"),
    ]
    changed = site.store.journal.entries()[1].details
    assert changed["before"] == {"private": [CORNER], "name": "gate"}
    assert changed["after"]["name"] == "door"
    assert changed["after"]["watches"][0]["begin"] == "18:00:00"
    assert site.store.cameras.all() == []


def test_what_is_not_said_stays_and_what_changes_nothing_is_not_logged(site):
    settings = {"private": [CORNER], "scene": "yard", "camera": {"read_timeout_s": 20}}
    site.do(AddCamera(name="gate", address=ADDRESS, settings=settings))

    same = site.do(ChangeCamera(camera="gate", scene="yard", address=ADDRESS))
    carried = site.do(ChangeCamera(camera="gate", scene=""))

    assert same.action == "nothing"
    assert (carried.before, carried.after) == ({"scene": "yard"}, {})
    kept = site.store.cameras.get("gate").settings
    assert kept == {"private": [CORNER], "camera": {"read_timeout_s": 20.0}}
    assert len(site.log()) == 2


def test_no_secret_comes_into_the_log_or_into_what_was_carried_out_also_where_nothing_else_changes(site, tmp_path):
    hook = {"kind": "webhook", "url": "https://example.org/T0K3N", "secret": "k3y"}
    said = [
        site.do(AddCamera(name="gate", address=ADDRESS)),
        site.do(ChangeCamera(camera="gate", address=ADDRESS.replace("s3cret", "0ther"))),
        site.do(AddSink(name="door", **hook)),
        site.do(ChangeSink(sink="door", url="https://example.org/M0RE")),
        site.do(ChangeSink(sink="door", secret="n3w")),
        site.do(RemoveSink(sink="door")),
    ]

    assert [one.action for one in said] == ["added", "changed", "added", "changed", "changed", "removed"]
    log = "\n".join(str(one) for one in [*site.store.journal.entries(), *said])
    assert not any(secret in log for secret in ("s3cret", "0ther", "T0K3N", "M0RE", "k3y", "n3w"))
    with sqlite3.connect(tmp_path / "site" / "site.db") as direct:
        dump = "\n".join(direct.iterdump())
    assert not any(secret in dump for secret in ("s3cret", "0ther", "T0K3N", "M0RE"))


def test_another_password_is_another_address_and_nothing_else_is(site):
    site.do(AddCamera(name="gate", address=ADDRESS))
    first = site.store.cameras.watched()[0].locked
    site.do(ChangeCamera(camera="gate", private=[CORNER], name="door"))
    same = site.store.cameras.watched()[0].locked
    site.do(ChangeCamera(camera="door", address=ADDRESS.replace("s3cret", "0ther")))

    assert first == same
    assert site.store.cameras.watched()[0].locked != first


def test_a_camera_with_another_name_is_found_by_the_one_before_and_so_are_its_events_and_sinks(site):
    site.do(AddCamera(name="gate", address=ADDRESS))
    site.do(AddSink(name="file", kind="jsonl", url="events.jsonl", cameras=("gate",)))
    new = change("new")
    site.store.events.write([new])

    site.do(ChangeCamera(camera="gate", name="door"))
    late = change("end", 1, event=new.event.id)  # told by an engine that has not heard of it yet
    site.store.events.write([late])

    assert site.store.events.get(new.event.id).event.camera == "door"
    assert site.store.cameras.get("gate").name == "door"
    assert site.store.sinks.all()[0].cameras == ("door",)
    site.do(AddCamera(name="gate", address="0"))
    assert site.store.cameras.get("gate").masked == "usb:0"


def test_names_that_are_taken_are_refused_and_nothing_is_half_done(site):
    site.do(AddCamera(name="gate", address=ADDRESS))
    site.do(AddCamera(name="yard", address=ADDRESS))
    site.do(AddCamera(name="old", address=ADDRESS))
    site.do(RemoveCamera(camera="old"))
    site.do(AddSink(name="door", kind="webhook", url="https://example.org/x"))
    before = site.log()

    for command in (
        AddCamera(name="Gate", address=ADDRESS),
        ChangeCamera(camera="yard", name="GATE", scene="new"),
        ChangeCamera(camera="yard", name="old", scene="new"),
        AddSink(name="Door", kind="webhook", url="https://example.org/x"),
    ):
        with pytest.raises(ConflictError):
            site.do(command)

    assert site.log() == before
    assert site.store.cameras.get("yard").settings == {}


def test_what_is_not_there_is_said_to_be_missing(site):
    site.do(AddCamera(name="gate", address=ADDRESS))
    site.do(AddCamera(name="old", address=ADDRESS))
    site.do(RemoveCamera(camera="old"))

    for command in (
        ChangeCamera(camera="gatte", scene=""),
        ChangeCamera(camera="old", scene=""),
        RemoveCamera(camera="old"),
        SetLine(camera="no", false_alarms_per_day=1),
        ChangeSink(sink="no", enabled=False),
        RemoveSink(sink="no"),
        AddSink(name="hook", kind="webhook", url="https://example.org/x", cameras=("no",)),
    ):
        with pytest.raises(UnknownNameError):
            site.do(command)


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (AddCamera, {"name": "../gate", "address": ADDRESS}),
        (AddCamera, {"name": "gate", "address": "gopher://host"}),
        (AddCamera, {"name": "gate", "address": "me:s3cret@host"}),
        (AddCamera, {"name": "gate", "address": ADDRESS, "settings": {"private": [[[0, 0], [2, 0], [1, 1]]]}}),
        (ChangeCamera, {"camera": "gate", "regions": {"ignore": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}}),
        (ChangeCamera, {"camera": "gate", "private": [[[0, 0], [1, 1], [1, 0], [0, 1]]]}),
        (ChangeCamera, {"camera": "gate", "reading": {"frozen": 1}}),
        (SetLine, {"camera": "gate", "false_alarms_per_day": 0}),
        (SetRetention, {"retention": {"days": -1}}),
        (NameSite, {"time_zone": "Europe/Nowhere"}),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(command, wrong):
    with pytest.raises(ValidationError) as refused:
        command(**wrong)
    assert "s3cret" not in str(refused.value)


def test_a_sink_of_people_writes_into_the_sites_folder_alone(site):
    for url in ("/etc/cron.d/x", "../x", "-", ".hidden"):
        with pytest.raises(SettingsError, match="no name of a file"):
            site.do(AddSink(name="file", kind="jsonl", url=url))
    site.do(AddSink(name="file", kind="jsonl", url="events.jsonl"))

    assert site.store.sinks.all()[0].masked == str(site.store.folder.resolve() / "sent" / "events.jsonl")
    site.do(ChangeSink(sink="file", sends=("new",)))
    assert site.store.sinks.all()[0].sends == ("new",)


def test_what_the_file_names_is_the_files_and_what_people_add_beside_it_is_kept(site):
    gate = {"address": ADDRESS, "detector": str(MODEL)}
    of_file = plan(site="home", cameras={"gate": gate}, sinks={"door": {"kind": "webhook", "url": "https://e.org/x"}})
    apply_plan(of_file, site.store)
    site.do(AddCamera(name="yard", address=ADDRESS))
    site.do(AddSink(name="file", kind="jsonl", url="events.jsonl"))

    for command in (
        ChangeCamera(camera="gate", scene="x"),
        RemoveCamera(camera="gate"),
        SetDetector(camera="gate", detector=str(MODEL)),
        RemoveSink(sink="door"),
        ChangeSink(sink="door", enabled=False),
        NameSite(name="other"),
    ):
        with pytest.raises(ConflictError, match="is for the site's file to say"):
            site.do(command)
    site.do(SetRetention(retention={"days": 3}))  # of which the file says nothing
    applied = apply_plan(of_file, site.store)

    assert applied.to_dict() == {"added": [], "updated": [], "removed": []}
    assert [one.name for one in site.store.cameras.all()] == ["gate", "yard"]
    assert [one.name for one in site.store.sinks.all()] == ["door", "file"]
    assert retention_of(site.store).days == 3


def test_a_line_that_the_file_does_not_ask_for_is_for_people_to_move_and_stays(site):
    own = load_calibration(MODEL).line
    asked = own.asked_per_hour * 24
    gate = {"address": ADDRESS, "detector": str(MODEL)}
    apply_plan(plan(cameras={"gate": gate}), site.store)

    site.do(SetLine(camera="gate", false_alarms_per_day=asked))
    apply_plan(plan(cameras={"gate": gate}), site.store)

    line = site.store.cameras.line("gate")
    assert (line.on, line.author) == (own.on, "ann")
    apply_plan(plan(cameras={"gate": gate | {"false_alarms_per_day": asked}}), site.store)
    with pytest.raises(ConflictError, match="the line of camera 'gate'"):
        site.do(SetLine(camera="gate", false_alarms_per_day=asked))


def test_without_a_file_all_of_it_is_the_peoples(site):
    apply_plan(plan(site="home", cameras={"gate": {"address": ADDRESS}}), site.store)

    release(site.store)
    release(site.store)

    site.do(RemoveCamera(camera="gate"))
    site.do(NameSite(name="other"))
    assert [entry[1] for entry in site.log()].count("released") == 1


def test_what_the_file_says_no_more_is_as_usual_again(site):
    apply_plan(plan(site="home", retention={"days": 3}), site.store)
    apply_plan(plan(), site.store)

    assert site.store.journal.get("site") == {"name": "oddframe"}
    assert retention_of(site.store) == RetentionSettings()
    site.do(NameSite(name="mine"))


def test_a_line_needs_a_detector_and_evidence_to_draw_it_on(site, tmp_path):
    site.do(AddCamera(name="gate", address=ADDRESS))
    with pytest.raises(ConflictError, match="has no detector yet"):
        site.do(SetLine(camera="gate", false_alarms_per_day=1))
    with pytest.raises(RunError):
        site.do(SetDetector(camera="gate", detector=str(tmp_path / "none")))
    site.do(SetDetector(camera="gate", detector=str(MODEL)))
    asked = load_calibration(MODEL).line.asked_per_hour * 24
    with pytest.raises(SettingsError, match="nothing is kept"):
        site.do(SetLine(camera="gate", false_alarms_per_day=asked / 3))
    with pytest.raises(UnknownNameError, match="no profile 'night'"):
        site.do(SetLine(camera="gate", false_alarms_per_day=asked, profile="night"))

    site.do(ChangeCamera(camera="gate", profiles={"night": {"begin": "20:00", "end": "06:00"}, "day": {}}))
    site.do(SetLine(camera="gate", false_alarms_per_day=asked, profile="night"))
    assert site.store.cameras.line("gate", "day") is None
    assert site.store.cameras.line("gate", "night").author == "ann"


def test_a_camera_that_is_added_again_has_its_events_and_not_what_judged_another_place(site):
    site.do(AddCamera(name="gate", address=ADDRESS, detector=str(MODEL)))
    site.store.events.write([change("end")])
    site.do(RemoveCamera(camera="gate"))

    site.do(AddCamera(name="gate", address="0"))

    assert site.store.cameras.watched()[0].fitting is None
    assert len(site.store.events.page().events) == 1


def test_steps_that_belong_together_are_kept_together_or_not_at_all(site):
    with pytest.raises(StoreError), site.store.together():  # noqa: PT012
        site.store.cameras.put("gate", ADDRESS, "masked")
        assert [one.name for one in site.store.cameras.all()] == ["gate"]
        site.store.events.write([change("new", camera="none")])

    assert site.store.cameras.all() == []
