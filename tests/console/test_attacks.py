"""Every route is asked with everything that has ever broken one: nothing fails, nothing is shown as markup."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.console.conftest import PASSWORD, StandingSite, person
from tests.console.test_api import routes, running
from tests.site.conftest import change, postgresql  # noqa: F401

from oddframe.console.headers import HEADERS
from oddframe.console.server import Console
from oddframe.console.settings import ConsoleSettings
from oddframe.site.store import Store

MARK = "<script>alert('odd')</script>"
NASTY = (
    MARK,
    "'; DROP TABLE events; --",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%00",
    "%0d%0aX-Evil:%20yes",
    "{{7919*7907}}${7919*7907}",
    "%ff%fe",
    "%E2%80%AEabc",
    "9" * 30,
    "-1",
    "1e999",
    "NaN",
    "x" * 3000,
    "%F0%9F%91%80",
)
FOR_DATABASES = ("'; DROP TABLE events; --", "%00", "%ff%fe", "9" * 30, "-1", "NaN")
"""Of these, what databases differ in."""

VALUES: tuple[Any, ...] = (
    MARK,
    None,
    -1,
    2**70,
    1e308,
    [],
    {},
    [[]] * 50,
    {"a": {"b": MARK}},
    "\u202e",
    "a\0b",
    "x" * 20_000,
    True,
)
VALUES_FOR_DATABASES = (MARK, -1, 2**70, 1e308, "a\0b")
"""Of these, what databases differ in."""


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Console, StandingSite, str]]:
    """A console of a site with an event, on each database, and the event's id."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgresql")()
    with Store.open(tmp_path / "site", url) as store:
        store.cameras.put("gate", "rtsp://me:s3cret@10.0.0.2/gate", "rtsp://10.0.0.2/gate")
        new = change("end")
        store.events.write([new])
        store.reviews.add(new.event.id, "ann", "normal", note=MARK)
        site = StandingSite(store)
        site.status = running()
        with Console(site, ConsoleSettings(port=0)) as console:
            yield console, site, new.event.id


@pytest.fixture
def admin(served) -> Iterator[httpx.Client]:
    console, site, _ = served
    person(console.access, site.store, "root", "admin")
    with httpx.Client(base_url=console.settings.url, timeout=60) as client:
        answer = client.post("/api/v1/session", json={"name": "root", "password": PASSWORD})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def well(answer: httpx.Response, what: object) -> None:
    """It is an answer, with its headers; a refusal is one of ours; nothing that was sent came back as markup."""
    assert answer.status_code < 500, (what, answer.text)
    assert {name for name in HEADERS if name not in answer.headers} == set(), what
    assert "x-evil" not in answer.headers, what
    if answer.headers.get("content-type", "").startswith("text/html"):
        assert MARK not in answer.text, what
        assert "62615533" not in answer.text, what
    elif answer.status_code >= 400:
        assert answer.json()["problem"], what
    assert "s3cret" not in answer.text, what
    assert "argon2" not in answer.text, what


def asked_for(console: Console) -> list[tuple[str, str]]:
    left_out = ("/events-stream",)  # it stays open
    return [(method, path) for method, path in routes(console.app) if path not in left_out]


@pytest.mark.long
@pytest.mark.slow
def test_no_parameter_of_a_path_or_question_breaks_a_route(request, served, admin):
    console, _, event = served
    described = console.app.openapi()["paths"]
    for method, path in asked_for(console):
        if method != "GET":
            continue
        names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
        questions = {
            one["name"] for one in described.get(path, {}).get("get", {}).get("parameters", ()) if one["in"] == "query"
        }
        is_page = not path.startswith("/api/")
        questions |= {"part", "next", "before"} if is_page else set()
        accept = {"Accept": "text/html" if is_page else "application/json"}
        good = {"event": event, "camera": "gate", "number": "1", "name": "root"}
        for nasty in FOR_DATABASES if "postgresql" in request.node.name else NASTY:
            there = path
            for name in names:
                there = there.replace(f"{{{name}}}", nasty)
            if names:
                well(admin.get(there, headers=accept), (path, nasty))
            there = path
            for name in names:
                there = there.replace(f"{{{name}}}", good.get(name, "x"))
            for question in questions:
                well(admin.get(f"{there}?{question}={nasty}", headers=accept), (path, question, nasty))


@pytest.mark.long
@pytest.mark.slow
def test_no_body_breaks_a_route(request, served, admin):
    console, site, event = served
    values = VALUES_FOR_DATABASES if "postgresql" in request.node.name else VALUES
    schemas = console.app.openapi()
    good = {"event": event, "camera": "gate", "number": "99", "name": "nobody", "sink": "none", "key": "none"}
    for method, path in asked_for(console):
        if method == "GET" or path == "/api/v1/session" or path == "/api/v1/session/all":
            continue
        there = path
        for name, value in good.items():
            there = there.replace(f"{{{name}}}", value)
        entries = entries_of(schemas, path, method)
        for value in values:
            well(admin.request(method, there, json=value), (path, value))
            for entry in entries:
                well(admin.request(method, there, json={entry: value}), (path, entry, value))
        for value in itertools.islice(values, 0, None, 3):
            well(admin.request(method, there, json=dict.fromkeys(entries, value)), (path, value))
        for raw in (b"\xff\xfe", b"{", b'{"a":' * 5000, b'{"name": NaN}', b'{"name": "\\ud800"}'):
            well(
                admin.request(method, there, content=raw, headers={"Content-Type": "application/json"}), (path, raw[:9])
            )
    assert [one.name for one in site.store.users.all() if one.role == "admin"] == ["root"]


def entries_of(schemas: dict[str, Any], path: str, method: str) -> list[str]:
    """What the body of a route may hold."""
    body = schemas["paths"].get(path, {}).get(method.lower(), {}).get("requestBody")
    if body is None:
        return []
    schema = body["content"].get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = schemas["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return list(schema.get("properties", ()))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_other_methods_are_refused(served, admin, method):
    for path in ("/", "/api/v1/cameras", "/metrics", "/login"):
        answer = admin.request(method, path)

        assert answer.status_code in (404, 405), (path, answer.status_code)
        well(answer, (method, path))
