"""What a site keeps, on every database."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.site.conftest import NOON, change, sink

from oddframe.cameras.state import HealthState
from oddframe.errors import StoreError
from oddframe.site.store import Store
from oddframe.site.store.records import EventFilter, LineRecord

MINUTE = timedelta(minutes=1)


def ids(page) -> list[str]:
    return [one.event.id for one in page.events]


def test_an_event_is_as_its_last_change_left_it_and_has_a_history(store: Store):
    new = change()
    store.events.write([new])
    assert [one.id for one in store.events.open()] == [new.event.id]

    steps = [
        change(kind, number, event=new.event.id, score=4.0 + number) for number, kind in ((1, "update"), (2, "end"))
    ]
    store.events.write(steps)

    assert store.events.open() == []
    assert store.events.get(new.event.id).event == steps[-1].event
    assert store.events.history(new.event.id) == [new, *steps]


def test_a_change_that_is_written_again_is_kept_and_sent_once(store: Store):
    store.sinks.put(sink())
    new = change()
    store.events.write([new])
    store.events.write([new, change("end", 1, event=new.event.id)])
    store.events.write([new])

    assert len(store.events.history(new.event.id)) == 2
    assert not store.events.get(new.event.id).event.lasts
    assert store.outbox.counts()[0].waiting == 2


def test_of_an_event_whose_camera_is_not_known_nothing_is_kept(store: Store):
    store.sinks.put(sink())
    with pytest.raises(StoreError, match="there is no camera 'gaet'"):
        store.events.write([change(), change(camera="gaet", at=NOON + MINUTE)])

    assert store.events.page().events == ()
    assert store.outbox.counts()[0].waiting == 0


def test_sinks_get_what_they_want_of_the_cameras_that_they_want(store: Store):
    store.sinks.put(sink("all"))
    store.sinks.put(sink("begins", sends=("new",)))
    store.sinks.put(sink("yard", cameras=("yard",)))
    store.sinks.put(sink("off", enabled=False))
    new = change()
    later = [change(kind, number, event=new.event.id) for number, kind in enumerate(("update", "end", "repeat"), 1)]
    store.events.write([new, *later])
    store.health.changed("yard", "offline", "no answer")

    assert {one.sink: one.waiting for one in store.outbox.counts()} == {"all": 4, "begins": 1, "off": 0, "yard": 1}


def test_pages_go_back_in_time_without_a_gap_or_a_double(store: Store):
    changes = [change(at=NOON + number * MINUTE) for number in range(7)]
    store.events.write(changes)

    seen, before = [], None
    while True:
        page = store.events.page(before=before, limit=3)
        seen += ids(page)
        if (before := page.before) is None:
            break

    assert seen == [one.event.id for one in reversed(changes)]


def test_events_are_found_by_camera_time_state_and_verdict(store: Store):
    old, lasting = change("end"), change(camera="yard", at=NOON + 9 * MINUTE, score=6.0, profile="night")
    store.events.write([old, lasting])
    store.reviews.add(old.event.id, "ann", "normal")

    for wanted, found in (
        (EventFilter(cameras=("gate",)), [old]),
        (EventFilter(cameras=("gate", "none")), [old]),
        (EventFilter(since=NOON + MINUTE), [lasting]),
        (EventFilter(until=NOON + MINUTE), [old]),
        (EventFilter(open=True), [lasting]),
        (EventFilter(open=False), [old]),
        (EventFilter(reviewed=False), [lasting]),
        (EventFilter(verdict="normal"), [old]),
        (EventFilter(least_score=5.0), [lasting]),
        (EventFilter(profile="night", cameras=("gate",)), []),
    ):
        assert ids(store.events.page(wanted)) == [one.event.id for one in found], wanted
        assert store.events.count(wanted) == len(found)


def test_a_day_is_one_of_the_zone_that_is_asked_for(store: Store):
    late = NOON.replace(hour=23, minute=30)
    store.events.write([change(), change(at=late), change(at=late, camera="yard")])
    store.reviews.add(store.events.page(EventFilter(cameras=("yard",))).events[0].event.id, "ann", "alarm")

    counts = store.events.counts_per_day(NOON, NOON + timedelta(days=1), zone=ZoneInfo("Europe/Berlin"))

    assert [(one.camera, one.day.day, one.events, one.unreviewed, one.alarm) for one in counts] == [
        ("gate", 30, 1, 1, 0),
        ("gate", 1, 1, 1, 0),
        ("yard", 1, 1, 0, 1),
    ]


def test_events_that_a_crash_left_open_are_ended_and_that_is_sent(tmp_path, clock):
    with Store.open(tmp_path, clock=clock) as store:
        store.cameras.put("gate", "0", "USB 0")
        store.sinks.put(sink())
        new = change()
        store.events.write([new, change("update", 1, event=new.event.id, end_s=15.0)])
    with Store.open(tmp_path, clock=clock) as store:
        (ended,) = store.recovered

        assert (ended.id, ended.ended_by) == (new.event.id, "crash")
        assert ended.ended_at == NOON + timedelta(seconds=5)
        assert store.events.get(new.event.id).event == ended
        assert [one.kind for one in store.events.history(new.event.id)] == ["new", "update", "end"]
        assert store.outbox.counts()[0].waiting == 3


def test_a_review_can_be_changed_and_taken_back_and_all_of_it_is_kept(store: Store, clock):
    event = change("end")
    store.events.write([event])
    for verdict in ("normal", "alarm"):
        clock.go(seconds=1)
        store.reviews.add(event.event.id, "ann", verdict, scope={"place": [1, 2]}, note="a cart")

    assert [one.verdict for one in store.events.get(event.event.id).reviews] == ["alarm"]
    assert store.reviews.undo("ann").verdict == "alarm"
    assert store.events.get(event.event.id).verdict == "normal"
    assert store.reviews.undo("ann", event.event.id).verdict == "normal"
    assert store.events.get(event.event.id).verdict is None
    assert store.reviews.undo("ann") is None
    history = store.reviews.history(event.event.id)
    assert [(one.verdict, one.undone_at is None, one.note) for one in history] == [
        ("normal", False, "a cart"),
        ("alarm", False, "a cart"),
    ]


def test_reviewers_who_differ_are_both_shown(store: Store):
    event = change("end").event.id
    store.events.write([change("end", event=event)])
    store.reviews.add(event, "ann", "normal")
    store.reviews.add(event, "bob", "alarm")
    stored = store.events.get(event)

    assert stored.verdict == "disputed"
    assert {one.author: one.verdict for one in stored.reviews} == {"ann": "normal", "bob": "alarm"}
    assert [one.author for one in store.reviews.holding("alarm")] == ["bob"]
    store.reviews.add(event, "bob", "normal")
    assert store.events.get(event).verdict == "normal"
    assert [one.author for one in store.reviews.holding()] == ["ann", "bob"]


def test_evidence_of_reviewed_events_goes_last_and_that_of_open_ones_never(store: Store, clock):
    events = [change("end", at=NOON + number * MINUTE) for number in range(3)] + [change(at=NOON + 9 * MINUTE)]
    store.events.write(events)
    for one in events:
        clock.go(minutes=1)
        store.evidence.add(one.event.id, "clip", f"evidence/{one.event.id}.mp4", 1000)
    store.reviews.add(events[0].event.id, "ann", "alarm")
    candidates = store.evidence.candidates()

    assert [one.event for one in candidates] == [events[at].event.id for at in (1, 2, 0)]
    assert store.evidence.total_bytes() == 4000
    store.evidence.removed([candidates[0].id])
    assert store.evidence.total_bytes() == 3000
    assert store.events.get(events[1].event.id).evidence == ()


def test_evidence_that_is_made_anew_takes_the_place_of_the_old(store: Store):
    event = change("end")
    store.events.write([event])
    store.evidence.add(event.event.id, "snapshot", "a.jpg", 10)
    store.evidence.add(event.event.id, "snapshot", "b.jpg", 20)

    assert [(one.path, one.bytes) for one in store.evidence.of(event.event.id)] == [("b.jpg", 20)]
    assert store.picture(event.event.id) == store.folder / "b.jpg"
    assert store.picture("none") is None


def test_old_events_are_forgotten_but_not_reviewed_or_open_ones_or_those_with_evidence(store: Store):
    events = [change("end", at=NOON + number * MINUTE) for number in range(4)] + [change(at=NOON + 9 * MINUTE)]
    events.append(change("end", at=NOON + 10 * MINUTE, continues=events[3].event.id))
    store.events.write(events)
    store.reviews.add(events[0].event.id, "ann", "unsure")
    store.evidence.add(events[1].event.id, "clip", "a.mp4", 1)

    assert store.events.purge(NOON + 10 * MINUTE) == 2
    assert ids(store.events.page()) == [events[at].event.id for at in (5, 4, 1, 0)]
    assert store.events.get(events[5].event.id).event.continues is None
    assert store.events.history(events[2].event.id) == []


def test_a_state_of_a_camera_lasts_until_the_next_one(store: Store, clock):
    assert store.health.changed("gate", "starting")
    clock.go(seconds=5)
    assert store.health.changed("gate", "online")
    assert not store.health.changed("gate", "online", "still")
    clock.go(seconds=5)
    store.health.changed("gate", HealthState.OFFLINE, "no answer for 10 s")
    history = store.health.history("gate", NOON)

    assert [(one.state, one.until and (one.until - one.since).seconds) for one in history] == [
        ("offline", None),
        ("online", 5),
        ("starting", 5),
    ]
    assert {name: one.reason for name, one in store.health.now().items()} == {"gate": "no answer for 10 s"}


def test_false_alarms_seen_stand_beside_those_asked_for(store: Store):
    today = NOON.date()
    events = [change("end", at=NOON + number * MINUTE) for number in range(3)]
    events.append(change("end", at=NOON + 5 * MINUTE, continues=events[-1].event.id))
    store.events.write(events)
    for _ in range(2):
        store.watched.add("gate", "", 1800.0, 6.0)
    store.watched.add("gate", "", 60.0, 6.0, day=date(2026, 11, 29))
    store.reviews.add(events[0].event.id, "ann", "normal")

    yesterday, day = store.watched.days(date(2026, 11, 29), date(2026, 12, 1))
    assert (day.watched_s, day.asked_per_day, day.events, day.said_normal, day.said_alarm) == (3600.0, 6.0, 3, 1, 0)
    assert (yesterday.day, yesterday.events) == (date(2026, 11, 29), 0)
    store.watched.keep_counts(today, date(2026, 12, 1))
    assert store.events.purge(NOON + timedelta(days=1)) == 3
    assert store.watched.days(today, date(2026, 12, 1), cameras=["gate"]) == [day]


def test_the_line_that_counts_is_the_latest_and_the_others_are_history(store: Store):
    for on in (3.0, 3.5):
        store.cameras.set_line(
            LineRecord(camera="gate", since=NOON, on=on, off=0.8 * on, asked_per_day=1.0, hours=26.0)
        )

    assert store.cameras.line("gate").on == 3.5
    assert [one.on for one in store.cameras.lines("gate")] == [3.5, 3.0]
    assert store.cameras.line("gate", "night") is None


def test_a_camera_has_one_fitting_that_counts(store: Store):
    store.cameras.put_detector("people", "runs/people")
    store.cameras.fit("gate", "people")
    later = store.cameras.fit("gate", "people", "fittings/gate", {"hours": 26})
    first, second = store.cameras.fittings("gate")

    assert (first.id, first.retired_at, first.detector.folder) == (later.id, None, "runs/people")
    assert second.retired_at is not None
    store.events.write([change("end", fitting=later.id)])
    assert store.events.page().events[0].event.fitting == later.id
    with pytest.raises(StoreError, match="there is no detector 'poeple'"):
        store.cameras.fit("gate", "poeple")


def test_a_camera_that_is_removed_leaves_its_events_and_not_its_address(store: Store):
    event = change("end")
    store.events.write([event])
    assert store.cameras.address("gate").get_secret_value() == "rtsp://me:s3cret@10.0.0.2/gate"
    store.cameras.remove("gate")

    assert [one.name for one in store.cameras.all()] == ["yard"]
    assert [one.name for one in store.cameras.all(removed=True)] == ["gate", "yard"]
    assert ids(store.events.page()) == [event.event.id]
    with pytest.raises(StoreError, match="was removed"):
        store.cameras.address("gate")
    store.cameras.put("gate", "1", "USB 1")
    assert store.cameras.address("gate").get_secret_value() == "1"


def test_profiles_settings_and_the_log_are_kept(store: Store):
    store.cameras.set_profiles("gate", {"day": {"from": "06:00"}, "night": {"from": "20:00"}})
    store.cameras.set_profiles("gate", {"dusk": {"from": "19:00"}})
    store.journal.set("retention", {"days": 30})
    store.journal.set("retention", {"days": 60})
    store.journal.log("ann", "set line", "gate", {"on": 3.0})

    assert store.cameras.profiles("gate") == {"dusk": {"from": "19:00"}}
    assert store.journal.get("retention") == {"days": 60}
    assert store.journal.get("none") is None
    assert [(one.author, one.action, one.details) for one in store.journal.entries()] == [
        ("ann", "set line", {"on": 3.0})
    ]


def test_no_secret_is_shown(store: Store):
    store.sinks.put(sink())

    shown = f"{store!r} {store.cameras.all()} {store.sinks.all()} {store.cameras.address('gate')!r}"
    assert "s3cret" not in shown
    assert store.sinks.all()[0].url.get_secret_value() == "https://me:s3cret@example.org/x"
