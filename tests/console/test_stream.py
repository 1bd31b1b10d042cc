"""Open pages are told what changes, by one look at the store however many listen, and only while they may know."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from oddframe.console import stream
from oddframe.console.limits import Places
from oddframe.console.look import look_version

from . import day


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(stream, "_LOOK_EVERY_S", 0.05)


def told(client: httpx.Client) -> Iterator[tuple[str, dict]]:
    with client.stream("GET", "/events-stream") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        kind = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield kind, json.loads(line.removeprefix("data: "))


def after(messages: Iterator[tuple[str, dict]], act) -> dict:
    """What is told of an act. The first look at the store may come after it, so that it is done until it is told."""
    done = threading.Event()

    def again() -> None:
        number = 0
        while not done.wait(0.3):
            act(number)
            number += 1

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    try:
        kind, message = next(messages)
    finally:
        done.set()
        thread.join()
    assert kind == "changed"
    return message


@pytest.mark.slow
def test_an_event_a_review_a_state_and_a_problem_are_told(site, login, quick):
    messages = told(login("viewer"))
    assert next(messages) == ("hello", {"look": look_version()})

    message = after(messages, lambda _: day.happen(site.store, day.an_event("gate", datetime.now(UTC), ended_at=None)))

    assert message["began"][0]["camera"] == "gate"
    event = message["began"][0]["id"]
    kinds: set[str] = set()
    site.store.reviews.add(event, "ann", "alarm")
    site.store.health.changed("gate", "offline")
    site.wrong["disk"] = "full"
    while not {"review", "verdict", "camera", "problem"} <= kinds:
        kinds |= set(next(messages)[1]["changes"])


def test_whoever_is_logged_out_is_told_so_and_then_nothing(site, console, login, quick, monkeypatch):
    monkeypatch.setattr(stream, "_ASK_AGAIN_S", 0.0)
    client = login("viewer")
    messages = told(client)
    next(messages)
    site.store.sessions.end_all("viewer", author="admin")

    message = ("changed", {})
    number = 0
    while message[0] == "changed":
        site.store.health.changed("gate", ("offline", "online")[number % 2])
        number += 1
        message = next(messages)

    assert message == ("ended", {})
    assert list(messages) == []


def test_a_program_whose_token_is_revoked_is_told_nothing_more(site, console, login, quick, monkeypatch):
    monkeypatch.setattr(stream, "_ASK_AGAIN_S", 0.0)
    made = login("viewer").post("/api/v1/tokens", json={"name": "screen", "scope": "viewer"}).json()
    with httpx.Client(base_url=console.settings.url, timeout=60) as program:
        program.headers["Authorization"] = f"Bearer {made['text']}"
        messages = told(program)
        next(messages)
        site.store.tokens.revoke(made["token"]["id"], author="viewer")

        site.store.health.changed("gate", "offline")
        assert list(messages) == [("ended", {})]


def test_nobody_takes_all_places_and_a_place_is_given_back(site, console, login, quick):
    login("admin")
    listeners = stream.Listeners(site, Places(10, each=1))
    console.app.state.listeners = listeners
    client, other = login("viewer"), login("reviewer")
    messages = told(client)
    next(messages)

    assert client.get("/events-stream").status_code == 429
    theirs = told(other)
    assert next(theirs)[0] == "hello"
    messages.close()
    site.store.health.changed("gate", "offline")
    while listeners.places.taken > 1:
        site.store.health.changed("gate", "online")
        site.store.health.changed("gate", "offline")
    assert listeners.places.taken == 1


def test_a_console_that_closes_ends_its_streams_and_waits_for_nobody(site, caplog):
    from oddframe.console.server import Console
    from oddframe.console.settings import ConsoleSettings

    from .conftest import PASSWORD, person

    with httpx.Client(timeout=60) as client:
        with Console(site, ConsoleSettings(port=0)) as console:
            person(console.access, site.store, "ann", "viewer")
            client.base_url = httpx.URL(console.settings.url)
            client.post("/api/v1/session", json={"name": "ann", "password": PASSWORD})
            messages = told(client)
            next(messages)
        assert list(messages) == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_nobody_is_told_anything_without_a_login(nobody):
    assert nobody.get("/events-stream").status_code == 401
