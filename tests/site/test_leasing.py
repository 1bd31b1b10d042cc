"""Several machines run one site: each camera is watched by one of them, and what one leaves behind another takes up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.shared import benchmark
from tests.site.conftest import change, sink

from oddframe.errors import SecretsError, StoreError
from oddframe.site.far_pictures import FarPictures, PicturesForOthers
from oddframe.site.keeper import Keeper
from oddframe.site.leasing import GIVEN_UP_S, LOOK_EVERY_S, Leasing, machine_name
from oddframe.site.outbox import Delivery
from oddframe.site.overview import machines_of
from oddframe.site.picture_maker import Asked, LivePicture
from oddframe.site.sending import Sending
from oddframe.site.sinks.kinds import sink_record
from oddframe.site.store import Store
from oddframe.site.store.leases import FILE, SITE
from oddframe.site.troubles import Troubles
from oddframe.teaching.looking import Looking
from oddframe.teaching.teacher import Teacher


class Seconds:
    """Seconds that stand until somebody moves them."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def machine(store: Store, seconds: Seconds) -> Leasing:
    """One that can watch, and has looked once."""
    one = Leasing(store, clock=seconds)
    one.watches = lambda: True
    one.look()
    return one


def go(seconds: Seconds, by_s: float, *machines: Leasing) -> None:
    """Let time pass, in which these machines look as they should."""
    until_s = seconds.now_s + by_s
    while seconds.now_s < until_s:
        seconds.now_s += LOOK_EVERY_S
        for one in machines:
            one.look()


def let_go(store: Store, one: Leasing) -> None:
    """What the engine of a machine does with cameras that it is to let go of."""
    for number, leaves in store.leases.held(one.machine).items():
        if leaves:
            store.leases.let_go(str(number), one.machine)


def watched(store: Store) -> dict[str, tuple[str, ...]]:
    return {one.name: one.cameras for one in machines_of(store)}


def test_the_first_machine_watches_all_and_sees_to_the_site_and_the_second_gets_its_share(store, seconds):
    one = machine(store, seconds)
    assert watched(store) == {one.machine: ("gate", "yard")}
    assert one.keeps_site()

    two = machine(store, seconds)
    assert watched(store)[two.machine] == ()
    go(seconds, LOOK_EVERY_S, one)  # it sees the other, and asks its engine for a camera
    let_go(store, one)
    go(seconds, LOOK_EVERY_S, two, one)

    assert sorted(watched(store).values()) == [("gate",), ("yard",)]
    assert (one.keeps_site(), two.keeps_site()) == (True, False)
    yard = store.cameras.get("yard").id
    assert (one.elsewhere(yard), two.elsewhere(yard)) == (True, False)


def test_a_machine_without_an_engine_watches_nothing_and_takes_part_in_no_share(store, seconds):
    one = machine(store, seconds)
    idle = Leasing(store, clock=seconds)
    idle.look()
    go(seconds, 4 * LOOK_EVERY_S, one, idle)
    assert watched(store) == {one.machine: ("gate", "yard"), idle.machine: ()}

    idle.watches, one.watches = (lambda: True), (lambda: False)
    go(seconds, 2 * LOOK_EVERY_S, one, idle)

    assert watched(store) == {one.machine: (), idle.machine: ("gate", "yard")}


def test_who_is_silent_for_long_is_given_up_and_its_events_are_ended_and_sent(store, seconds):
    store.sinks.put(sink())
    one = machine(store, seconds)
    two = machine(store, seconds)
    new = change()
    store.events.write([new], machine=one.machine)

    go(seconds, GIVEN_UP_S - LOOK_EVERY_S, two)
    assert set(watched(store)) == {one.machine, two.machine}
    go(seconds, 2 * LOOK_EVERY_S, two)

    assert watched(store) == {two.machine: ("gate", "yard")}
    assert two.keeps_site()
    assert store.events.get(new.event.id).event.ended_by == "crash"
    assert [one.waiting for one in store.outbox.counts()] == [2]
    assert store.journal.entries()[0].subject == f"machine {one.machine}"


def test_while_the_database_is_away_nobodys_silence_counts(store, seconds, monkeypatch):
    one, two = machine(store, seconds), machine(store, seconds)
    go(seconds, GIVEN_UP_S - LOOK_EVERY_S, two)
    with monkeypatch.context() as away:

        def gone(*_: object, **__: object) -> bool:
            raise StoreError("the site's database cannot be reached")

        away.setattr(store.leases, "beat", gone)
        for _ in range(20):
            seconds.now_s += LOOK_EVERY_S
            with pytest.raises(StoreError):
                two.look()
        assert "machines" in two.others()
    go(seconds, GIVEN_UP_S - LOOK_EVERY_S, two)
    assert one.machine in watched(store)  # what it was silent before does not count any more
    go(seconds, LOOK_EVERY_S, two)
    one.look()
    go(seconds, LOOK_EVERY_S, two)

    assert one.machine in watched(store)
    assert not two.others()


def test_a_machine_that_stood_still_itself_gives_nobody_up_for_it(store, seconds):
    one, two = machine(store, seconds), machine(store, seconds)
    seconds.now_s += 1000.0
    assert not one.keeps_site()  # it may have been given up meanwhile
    two.look()
    one.look()

    assert set(watched(store)) == {one.machine, two.machine}
    assert one.keeps_site()


def test_whose_beat_rises_at_the_last_moment_is_not_given_up(store, seconds):
    one = machine(store, seconds)
    beat = store.leases.all().machines[one.machine].beat
    one.look()

    assert not store.leases.give_up(one.machine, beat)
    assert one.machine in watched(store)


def test_who_was_given_up_and_lives_begins_anew_and_what_it_still_writes_is_left_out(store, seconds):
    one, two = machine(store, seconds), machine(store, seconds)
    before, anew = one.machine, []
    one.begins_anew = anew.append
    new = change()
    store.events.write([new], machine=before)
    go(seconds, GIVEN_UP_S + LOOK_EVERY_S, two)
    keeper = Keeper(store, machine=before)
    keeper.start()
    keeper.write(lambda: store.events.write([change("update", 1, event=new.event.id)], machine=before))
    keeper.write(lambda: store.events.write([change()], machine=before))
    keeper.write(lambda: store.evidence.add("never", "clip", "a.mp4", 1, machine=before))
    keeper.stopped("gate")
    keeper.stop()

    assert (keeper.left_out, keeper.lost, keeper.waiting, keeper.trouble) == (4, 0, 0, "")
    assert [one.kind for one in store.events.history(new.event.id)] == ["new", "end"]
    assert len(store.events.page().events) == 1
    assert store.health.now() == {}
    one.look()
    assert anew == [one.machine] != [before]
    assert watched(store)[one.machine] == ()


def test_an_engine_that_begins_again_ends_only_what_its_machine_holds(store, seconds):
    one = machine(store, seconds)
    new, other = change(), change(camera="yard")
    store.events.write([new, other], machine=one.machine)
    store.leases.come("elsewhere", "1")
    yard = str(store.cameras.get("yard").id)
    store.leases.let_go(yard, one.machine)
    assert store.leases.take(yard, "elsewhere")

    assert [event.id for event in store.events.recover(machine=one.machine)] == [new.event.id]


def test_two_machines_do_not_bring_the_store_into_agreement_at_once(store, seconds):
    one, two = machine(store, seconds), machine(store, seconds)
    with one.file():
        assert not store.leases.take(FILE, two.machine)
    with two.file():
        assert store.leases.holder(FILE) == two.machine
    store.leases.leave(one.machine)

    assert store.leases.holder(SITE) is None


@pytest.mark.slow
def test_a_machine_that_starts_leaves_open_what_others_follow(tmp_path, postgresql, seconds):
    url = postgresql()
    with Store.open(tmp_path, url) as store:
        store.cameras.put("gate", "0", "USB 0")
        new = change()
        store.events.write([new], machine=machine(store, seconds).machine)
        with Store.open(tmp_path, url) as second:
            assert second.recovered == []
            assert [event.id for event in second.events.open()] == [new.event.id]


@pytest.mark.slow
@pytest.mark.parametrize("seen", ["no site.key", "a site.key of another site"])
def test_another_folder_than_that_of_the_database_is_refused_in_one_error(tmp_path, postgresql, seen):
    url = postgresql()
    Store.open(tmp_path / "site", url).close()
    if seen != "no site.key":
        Store.open(tmp_path / "other").close()
    with pytest.raises(SecretsError, match="not the folder of the site that is in the database") as refused:
        Store.open(tmp_path / "other", url)

    assert refused.value.seen == seen
    assert (tmp_path / "other").exists() == (seen != "no site.key")


@pytest.mark.slow
def test_a_run_in_the_sites_folder_is_found_where_another_machine_has_that_folder(tmp_path, postgresql):
    url = postgresql()
    here, there = tmp_path / "here", tmp_path / "there"
    with Store.open(here, url) as store:
        store.cameras.put("gate", "0", "USB 0")
        store.cameras.put_detector("gate", str(here / "runs" / "gate"))
        assert store.cameras.fit("gate", "gate").detector.folder == str(here / "runs" / "gate")
    here.rename(there)
    with Store.open(there, url) as store:
        assert store.cameras.watched()[0].fitting.detector.folder == str(there / "runs" / "gate")


def test_only_the_machine_that_sees_to_the_site_sends_and_tells(store, tmp_path, seconds):
    store.sinks.put(sink_record("lines", "jsonl", str(tmp_path / "sent.jsonl")))
    keeps, delivery = [True], Delivery(store, {})
    sending = Sending(store, delivery)
    sending.look()
    assert list(delivery._sinks) == ["lines"]
    sending.rest()
    assert not delivery._sinks
    sending.look()
    assert list(delivery._sinks) == ["lines"]

    troubles = Troubles(store, lambda: {"disk": "it is full"}, seconds, lambda: keeps[0])
    for keeps[0] in (False, False, True, True):
        seconds.now_s += 10.0
        troubles.look()
    assert [(one.action, one.subject) for one in store.journal.entries()] == [("problem", "disk")]


def test_another_machine_goes_on_with_what_one_taught(store):
    looked = []

    class Something(Looking):
        def look(self) -> None:
            looked.append("look")

        def rest(self) -> None:
            looked.append("rest")
            self._stopping.set()

    something = Something("something", lambda: not looked)
    something._stopping.wait = lambda _: None
    something._run()
    assert looked == ["look", "rest"]
    teacher = Teacher(store, lambda: False)
    teacher.look()
    teacher.rest()
    assert teacher.learnings() == {}


def test_names_of_machines_are_of_plain_letters_and_those_of_others_steer_no_terminal(store, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "de\x1b[2Jpot\n" + "x" * 200)
    name = machine_name()
    store.leases.come("evil\x1b[2J", "1\n")

    assert name.isprintable()
    assert name.isascii()
    assert len(name) < 60
    assert machines_of(store)[0].name == "evil?[2J"
    assert machines_of(store)[0].version == "1?"


def test_pictures_of_far_cameras_come_by_the_folder_as_long_as_somebody_looks(tmp_path, seconds):
    made, asked = [], Asked(camera="gate")

    def picture(of: Asked) -> LivePicture:
        made.append(of)
        at = datetime(2026, 11, 30, tzinfo=UTC)
        return LivePicture(at=at, jpeg=b"\xff\xd8", score=1.0, alarm=False, heated=False)

    looker = FarPictures(tmp_path, seconds)
    watcher = PicturesForOthers(tmp_path, lambda number: number == 7, picture, seconds)
    another = PicturesForOthers(tmp_path, lambda number: False, picture, seconds)

    def look() -> tuple[LivePicture | None, str]:
        another.look()
        watcher.look()
        return looker.ask(7, asked, 1.0)

    assert looker.ask(7, asked, 1.0) == (None, "")
    assert look()[0].jpeg == b"\xff\xd8"
    assert look()[0] is not None
    assert len(made) == 1  # at most once a second
    seconds.now_s += 1.0
    assert look()[0] is not None
    assert look()[0] is not None
    assert len(made) == 2
    seconds.now_s += 10.0  # its machine is gone: what it showed is no live picture
    assert looker.ask(7, asked, 1.0) == (None, "")
    watcher.look()
    seconds.now_s += 61.0
    watcher.look()
    assert not list((tmp_path / "looking").iterdir())


def test_a_file_that_is_no_picture_harms_nobody(tmp_path, seconds):
    looker = FarPictures(tmp_path, seconds)
    looker.ask(7, Asked(camera="gate"), 1.0)
    (tmp_path / "looking" / "7-large.answer").write_text('{"picture": {"jpeg": 3}, "why": "", "turn": "x"}')

    assert looker.ask(7, Asked(camera="gate"), 1.0) == (None, "what its machine has sent is no picture")
    (tmp_path / "looking" / "7-large.note").write_text("{")
    PicturesForOthers(tmp_path, lambda number: True, pytest.fail, seconds).look()


@pytest.mark.long
@pytest.mark.slow
def test_a_machine_that_dies_loses_its_cameras_to_the_other_and_no_event(tmp_path, postgresql):
    seen = benchmark("kill_machines").kill(tmp_path, 1, cameras=3, url=postgresql())

    assert seen.changes >= 4
    assert seen.bad == seen.late, seen  # how long it takes depends on what else this machine does
