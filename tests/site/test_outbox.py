"""Every message arrives at least once, those of a camera in order, and no sink waits for another."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from tests.site.conftest import NOON, change, sink

from oddframe.errors import SinkError, StoreError
from oddframe.site.outbox import Courier, Delivery, Patience
from oddframe.site.sinks.sink import Sink
from oddframe.site.store import Store


class Told(Sink):
    """Keeps what it is sent, and fails where it is told to."""

    def __init__(self, name: str = "hook") -> None:
        super().__init__(name, "nowhere")
        self.keys: list[str] = []
        self.fails: dict[str, SinkError] = {}
        self.closed = threading.Event()

    def send(self, message) -> None:
        for word, error in self.fails.items():
            if word in message.key or word == message.camera:
                raise error
        self.keys.append(message.key)

    def check(self) -> None: ...

    def close(self) -> None:
        self.closed.set()


AWAY = SinkError("not reached", again=True, reached=False)
BUSY = SinkError("busy", again=True)
NO = SinkError("no", again=False)


@pytest.fixture
def url() -> None:
    """What is sent is the same on every database; here it is SQLite alone."""


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def courier(store: Store, told: Told, clock) -> Courier:
    store.sinks.put(sink())
    return Courier(store, told, Patience(), clock, lambda: 1.0)


def life(camera: str = "gate", minute: int = 0) -> list:
    """The three steps of an event."""
    at = NOON + timedelta(minutes=minute)
    new = change(camera=camera, at=at)
    steps = enumerate(("update", "end"), 1)
    return [new, *(change(kind, number, event=new.event.id, camera=camera, at=at) for number, kind in steps)]


def keys(changes) -> list[str]:
    return [one.key for one in changes]


def test_messages_arrive_in_order_and_then_there_is_nothing_to_do(store, courier, told):
    changes = life() + life(minute=1)
    store.events.write(changes)

    assert [courier.step() for _ in range(7)] == [0.0] * 6 + [0.5]
    assert told.keys == keys(changes)
    assert store.outbox.counts()[0].sent == 6


def test_a_sink_that_is_away_is_tried_with_one_message_and_growing_pauses(store, courier, told, clock):
    changes = life()
    store.events.write(changes)
    told.fails = {"": AWAY}
    told.fails["gate"] = AWAY

    assert [courier.step() for _ in range(5)] == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert courier.problem == "not reached"
    told.fails = {}
    clock.go(minutes=1)
    while courier.step() == 0.0:
        pass
    assert told.keys == keys(changes)
    assert courier.problem == ""


def test_one_message_that_does_not_go_through_holds_up_its_camera_and_no_other(store, courier, told, clock):
    stuck, others = life("gate"), life("yard", minute=1)
    store.events.write([*stuck, *others])
    told.fails = {"gate": BUSY}
    for _ in range(6):
        courier.step()
    assert told.keys == keys(others)

    told.fails = {}
    clock.go(minutes=1)
    while courier.step() == 0.0:
        pass
    assert told.keys == keys(others) + keys(stuck)


def test_what_is_refused_is_dead_at_once_and_can_be_sent_again_with_its_key(store, courier, told):
    changes = life()
    store.events.write(changes)
    told.fails = {changes[0].key: NO}
    while courier.step() == 0.0:
        pass
    (dead,) = store.outbox.dead()

    assert told.keys == keys(changes[1:])
    assert (dead.key, dead.problem, dead.tries) == (changes[0].key, "no", 1)
    told.fails = {}
    assert store.outbox.again([dead.id]) == 1
    courier.step()
    assert told.keys[-1] == changes[0].key
    assert store.outbox.dead() == []
    with pytest.raises(StoreError, match="not among the dead ones"):
        store.outbox.again([dead.id])


def test_what_is_sent_again_comes_before_what_waits_of_its_camera(store, courier, told):
    changes = life()
    store.events.write(changes[:1])
    told.fails = {"gate": NO}
    courier.step()
    store.events.write(changes[1:])
    told.fails = {}
    store.outbox.again(sink="hook")
    while courier.step() == 0.0:
        pass

    assert told.keys == keys(changes)


def test_a_message_dies_of_too_many_answers_or_too_many_days_but_not_of_silence(store, told, clock):
    store.sinks.put(sink())
    courier = Courier(store, told, Patience(most_tries=3, most_days=2), clock, lambda: 1.0)
    store.events.write([change()])
    told.fails = {"gate": BUSY}
    for _ in range(3):
        courier.step()
        clock.go(hours=1)
    assert [one.tries for one in store.outbox.dead()] == [3]

    store.events.write([change(at=NOON + timedelta(minutes=1))])
    told.fails = {"gate": AWAY}
    for _ in range(47):
        courier.step()
        clock.go(hours=1)
    assert len(store.outbox.dead()) == 1
    clock.go(hours=2)
    courier.step()
    assert len(store.outbox.dead()) == 2


def test_a_receiver_that_asks_for_time_gets_it(store, courier, told):
    store.events.write([change()])
    told.fails = {"gate": SinkError("busy", again=True, after_s=30.0)}

    assert courier.step() == 30.0


def test_a_clock_that_is_set_back_puts_nothing_off(store, courier, told, clock):
    store.events.write([change()])
    told.fails = {"gate": BUSY}
    courier.step()
    told.fails = {}
    clock.go(days=-1)
    courier.step()

    assert len(told.keys) == 1


def test_a_bug_in_a_library_neither_ends_the_sending_nor_shows_an_address(store, courier, told, caplog):
    store.events.write([change()])
    told.fails = {"gate": ValueError("cannot open https://me:s3cret@host/")}

    assert courier.step() == 1.0
    told.fails = {}
    assert "ValueError" in caplog.text
    assert "s3cret" not in caplog.text + courier.problem


def test_a_message_that_arrived_while_the_store_was_locked_is_not_sent_twice(store, courier, told, monkeypatch):
    store.events.write([change()])
    marked = store.outbox.sent
    monkeypatch.setattr(store.outbox, "sent", lambda _: (_ for _ in ()).throw(StoreError("locked")))
    assert courier.step() == 2.0
    monkeypatch.setattr(store.outbox, "sent", marked)
    courier.step()

    assert len(told.keys) == 1
    assert store.outbox.counts()[0].sent == 1


def test_what_was_sent_is_forgotten_after_some_days_and_the_dead_are_not(store, courier, told, clock):
    store.events.write(life())
    told.fails = {".0": NO}
    while courier.step() == 0.0:
        pass
    clock.go(days=8)
    courier.step()

    (count,) = store.outbox.counts()
    assert (count.waiting, count.sent, count.dead) == (0, 0, 1)


def test_a_fault_of_the_store_ends_no_sending_for_good(store, clock, monkeypatch):
    courier = Courier(store, Told("hook"), Patience(), clock, lambda: 1.0)
    with monkeypatch.context() as patch:
        patch.setattr(store.outbox, "due", lambda sink: {}["a bug"])
        assert courier.step() > 0
        assert courier.problem == "it waits: an unexpected KeyError"

    courier.step()
    assert courier.problem == ""


def test_messages_that_were_given_up_long_ago_are_forgotten(store, clock):
    store.sinks.put(sink("hook"))
    store.events.write([change()])
    message = store.outbox.due("hook")
    store.outbox.died(message.id, "it answered 400")

    clock.go(days=89)
    assert store.outbox.clear(clock(), clock() - timedelta(days=90)) == 0
    clock.go(days=2)
    assert store.outbox.clear(clock(), clock() - timedelta(days=90)) == 1
    assert store.outbox.dead() == []


def test_a_sink_that_hangs_holds_up_no_other_and_all_are_closed(store, clock):
    class Hangs(Told):
        def send(self, message) -> None:
            entered.set()
            free.wait(120)
            super().send(message)

    entered, free = threading.Event(), threading.Event()
    slow, fast = Hangs("slow"), Told("fast")
    for one in (slow, fast):
        store.sinks.put(sink(one.name))
    store.events.write(life())
    delivery = Delivery(store, {"slow": slow, "fast": fast}, patience=Patience(look_s=0.01), clock=clock)
    with delivery:
        assert entered.wait(120)
        store.events.write(life("yard", minute=1))
        delivery.wake()
        while len(fast.keys) < 6:
            assert slow.keys == []
        other = Told("fast")
        delivery.set({"slow": slow, "fast": other})
        assert fast.closed.wait(120)
        free.set()
        while len(slow.keys) < 6:
            pass
    assert slow.closed.wait(120)
    assert other.closed.wait(120)
    assert store.outbox.counts()[0].waiting == 0
