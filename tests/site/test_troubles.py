"""What is wrong with the site itself is told, once, to whoever wants to know how cameras are."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from oddframe.errors import StoreError
from oddframe.site import engine_process
from oddframe.site.engine_process import Opening, SiteEngine
from oddframe.site.evidence import EvidenceMaker
from oddframe.site.messages import ProblemMessage, parse_message
from oddframe.site.sinks.topics import Topics
from oddframe.site.sinks.words import in_words
from oddframe.site.store import Store
from oddframe.site.troubles import Troubles

from .conftest import NOON, change, sink


class Looked:
    """A site that is looked at by a clock of its own; `told` is what has come of it."""

    def __init__(self, store: Store) -> None:
        self.now_s, self.found, self.store = 0.0, {}, store
        self.troubles = Troubles(store, lambda: self.found, lambda: self.now_s)

    def go(self, seconds: float, **found: str) -> list[tuple[str, str]]:
        """Let time pass with these problems; return what was told meanwhile, the earliest first."""
        before, self.found = len(self.store.journal.entries()), found
        for _ in range(round(seconds)):
            self.now_s += 1
            self.troubles.look()
        entries = self.store.journal.entries()
        return [(one.action, one.subject) for one in entries[: len(entries) - before]][::-1]


@pytest.fixture
def looked(store: Store) -> Looked:
    return Looked(store)


def test_what_lasts_is_told_once_and_when_it_is_well_again(looked):
    assert looked.go(3, engine="it died") == []
    assert looked.go(60, engine="it died") == [("problem", "engine")]
    assert looked.go(29) == []
    assert looked.go(30) == [("well again", "engine")]
    assert looked.go(60) == []


def test_what_is_over_soon_is_not_told(looked):
    assert looked.go(2, engine="it died") == []
    assert looked.go(100) == []
    assert looked.go(2, engine="it died") == []


def test_an_engine_that_dies_again_and_again_is_one_trouble(looked):
    told = [one for _ in range(8) for one in looked.go(5, engine="it died") + looked.go(10)]

    assert told == [("problem", "engine")]


def test_a_receiver_may_be_away_for_a_while(looked):
    assert looked.go(55, **{"sink hook": "no answer"}) == []
    assert looked.go(10, **{"sink hook": "no answer"}) == [("problem", "sink hook")]


def test_what_cannot_be_told_yet_is_told_later(looked, monkeypatch):
    def locked(*_: object) -> None:
        raise StoreError("the site's database is locked")

    looked.found = {"disk": "it is full"}
    with monkeypatch.context() as patch:
        patch.setattr(looked.store.health, "of_site", locked)
        looked.troubles.look()
        looked.now_s += 10
        with pytest.raises(StoreError):
            looked.troubles.look()

    assert looked.go(1, disk="it is full") == [("problem", "disk")]


def test_a_fault_ends_no_looking_for_good(store, monkeypatch):
    monkeypatch.setattr("oddframe.site.troubles._LOOK_EVERY_S", 0.01)
    looks, again = [], threading.Event()

    def problems() -> dict[str, str]:
        looks.append(True)
        if len(looks) > 1:
            again.set()
        return {}["a bug"]

    troubles = Troubles(store, problems)
    troubles.start()
    assert again.wait(60)
    troubles.stop()


def test_a_problem_goes_to_all_who_want_to_know_how_cameras_are_but_to_no_sink_about_itself(store):
    store.sinks.put(sink("hook"))
    store.sinks.put(sink("one", cameras=("gate",)))
    store.sinks.put(sink("events", sends=("new", "end")))

    store.health.of_site("sink hook", "nobody answers")
    store.health.of_site("disk", None)

    def got(name: str) -> list[tuple[str, bool, str]]:
        found = []
        while (message := store.outbox.due(name)) is not None:
            assert isinstance(message.message, ProblemMessage)
            found.append((message.message.subject, message.message.well, message.message.reason))
            store.outbox.sent(message.id)
        return found

    assert got("one") == [("sink hook", False, "nobody answers"), ("disk", True, "")]
    assert got("hook") == [("disk", True, "")]
    assert got("events") == []


def test_a_problem_reads_as_words_and_has_a_topic():
    message = ProblemMessage(key="1", site="Depot", subject="disk", well=False, reason="it is full", at=NOON)

    assert in_words(message) == ("Depot: disk is not as it should be", "it is full\n12:00:00 UTC")
    (published,) = Topics("oddframe", "Depot", "homeassistant").publications(message)
    assert published.topic == "oddframe/Depot/problem"
    assert not published.retain
    assert parse_message(published.payload) == message


def test_a_fault_in_one_piece_of_upkeep_keeps_no_other_from_being_done_and_is_told(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(engine_process, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(engine_process, "_TIDY_EVERY_S", 0.01)
    done = threading.Event()
    with Store.open(tmp_path / "site") as store:
        site = SiteEngine(store, Opening(folder=str(tmp_path / "site")))
        fine, tidy = site._cast.look, site._retention.tidy

        def look() -> None:
            if threading.current_thread() is site._looking:
                raise KeyError("a bug")

        def tidied() -> None:
            done.set()
            tidy()

        site._cast.look, site._retention.tidy = look, tidied
        site.start()
        assert done.wait(60)
        assert "a bug" in site.status().trouble["upkeep"]
        site._cast.look = fine
        until_s = time.monotonic() + 60
        while site.status().trouble:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        site.stop()


def test_evidence_goes_on_where_the_disk_could_not_be_asked_and_says_so(tmp_path: Path):
    answers = iter([OSError(5, "Input/output error")])

    def room() -> bool:
        for answer in answers:
            raise answer
        return False

    maker = EvidenceMaker(tmp_path, lambda *_: None, room=room)
    maker._clip = lambda *_: None
    gate = type("Watched", (), {"latest": None})()
    maker.happened(gate, [change()])
    maker.happened(gate, [change()])
    maker.start()
    maker.stop(60)

    assert maker.skipped == {"failed": 1, "no room": 1}
    assert "Input/output error" in maker.trouble
