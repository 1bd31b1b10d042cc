"""Pages as a server gives them: what they show to whom, and that nothing people wrote is more than text."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import get_args
from urllib.parse import quote

import httpx
import pytest

from oddframe.cameras.state import HealthState
from oddframe.cli import live_screen
from oddframe.console.access.access import Access
from oddframe.console.look import look_version
from oddframe.console.pages.words import ENDED_BY, STATES
from oddframe.site.events import EndedBy
from oddframe.site.sinks import words as sink_words
from oddframe.site.store.records import HealthRecord
from oddframe.teaching.asking import start

from . import day

PAGES = (
    "/",
    "/cameras/gate",
    "/cameras/gate/learning",
    "/cameras/gate/taught",
    "/review",
    "/review?said=any",
    "/system",
    "/password",
)
HTML = {"Accept": "text/html"}
EVIL = "<img src=x onerror=alert(1)>"
TURNED = "gate\u202egpj.exe"


@pytest.fixture
def events(site):
    return day.fill(site.store, scored_h=2)


def page(client: httpx.Client, path: str, **also) -> str:
    answer = client.get(path, headers=HTML, **also)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_whoever_is_not_logged_in_is_asked_to_and_comes_back(nobody):
    answer = nobody.get("/review?said=any", headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Freview%3Fsaid%3Dany")
    assert 'data-next="/review?said=any"' in page(nobody, answer.headers["location"])
    assert 'data-next="/"' in page(nobody, "/login?next=//evil.example")


def test_the_first_login_leads_to_another_password_and_nowhere_else(console, nobody):
    password = Access(console.app.state.site.store).first_password()
    nobody.post("/api/v1/session", json={"name": "admin", "password": password})

    for path in ("/", "/review", "/system", "/cameras/gate", "/add-camera", "/events.csv", "/events-stream"):
        assert nobody.get(path, headers=HTML).headers["location"] == "/password"
    first = page(nobody, "/password")
    assert "was for one time" in first
    assert 'href="/review"' not in first  # it would lead back here


@pytest.mark.slow
def test_a_camera_that_knows_nothing_yet_says_what_to_do(site, login):
    site.store.cameras.put("barn", "0", "USB 0")

    assert 'href="/cameras/barn/learning">Let it learn</a>' in page(login("admin"), "/cameras/barn")
    assert "An admin lets it learn" in page(login("viewer"), "/cameras/barn")
    start(site.store, "barn", {}, "admin")
    assert "Let it learn" not in page(login("admin"), "/cameras/barn")


def test_an_empty_site_says_what_to_do_first(site, login):
    for name in ("gate", "yard"):
        site.store.cameras.remove(name)

    assert "Add a camera" in page(login("admin"), "/")
    assert "An admin of this site adds cameras" in page(login("viewer"), "/")
    assert "Nothing to review" in page(login("viewer"), "/review")
    assert 'href="/add-camera"' in page(login("admin"), "/review")
    assert 'href="/add-camera"' not in page(login("viewer"), "/review")
    assert "Nowhere yet" in page(login("viewer"), "/system")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.slow
def test_no_page_needs_a_script_or_style_that_stands_in_it(login, events, path):
    text = page(login("admin"), path)

    assert not re.search(r"\sstyle=|\son\w+=|javascript:|<style", text, re.IGNORECASE)
    for attributes in re.findall(r"<script([^>]*)>", text):
        assert 'src="/look/' in attributes or 'type="application/json"' in attributes


def test_the_wall_shows_states_curves_and_what_waits(login, events):
    text = page(login("viewer"), "/")

    assert "frozen: the picture stays the same" in text
    assert re.search(r"the picture has not changed for 30 s</span> .*since \w{3} \d+ \w{3} \d\d:", text)
    assert "1 event right now" in text
    assert text.count('class="curve"') >= 3
    assert '<a href="/review?camera=gate">' in text


def test_a_camera_shows_its_promise_beside_what_was_seen(login, events):
    text = page(login("viewer"), "/cameras/gate?hours=24")

    assert "1 false alarm a day was asked; 26 hours of normal video vouch for at most" in text
    assert re.search(r"\d+ events in 23 h of the last 7 days", text)
    assert "rtsp://10.0.0.2/gate" in text
    assert "s3cret" not in text


def test_who_may_not_change_a_thing_sees_no_button_for_it(login, events):
    viewer, admin = login("viewer"), login("admin")

    for path in ("/", "/cameras/gate", "/cameras/gate/learning", "/cameras/gate/taught", "/review", "/system"):
        orders = re.findall(r'data-send="([^"]*)"', page(viewer, path).split("</header>")[1])
        assert orders == (["POST /api/v1/tokens"] if path == "/system" else [])
    assert viewer.get("/add-camera", headers=HTML).status_code == 403
    assert "Let somebody in" in page(admin, "/system")


def test_what_people_wrote_is_text_and_turns_nothing_round(site, login):
    store = site.store
    store.cameras.put(EVIL, "rtsp://x@10.0.0.2/a", f"rtsp://10.0.0.2/{EVIL}")
    store.cameras.put(TURNED, "rtsp://x@10.0.0.2/a", "rtsp://10.0.0.2/a")
    store.health.changed(EVIL, "offline", f"{EVIL}{TURNED}", datetime.now(UTC) - timedelta(hours=1))
    event = day.happen(store, day.an_event(EVIL, datetime.now(UTC) - timedelta(minutes=5)))
    store.reviews.add(event.id, "ann", "alarm", note=f"</script>{EVIL}{TURNED}", scope={"class": f'"{EVIL}'})
    store.journal.log(EVIL, "changed", TURNED, {"after": {"note": EVIL}})
    site.wrong[f"sink {EVIL}"] = TURNED
    client = login("admin")

    of_evil = client.get(f"/cameras/{quote(EVIL, safe='')}", headers=HTML)
    texts = [page(client, one) for one in ("/", "/review?said=any", f"/events/{event.id}", "/system")]
    for text in (*texts, of_evil.text):
        assert "<img src=x" not in text
        assert "\u202e" not in text.replace(json.dumps("\u202e")[1:-1], "")
    assert "&lt;img src=x onerror=alert(1)&gt;" in texts[0]
    assert "\u27e8U+202E\u27e9" in texts[0]


def test_a_table_of_events_has_no_formulas(site, login, events):
    for note in ("=HYPERLINK(1)", "+1", "@SUM(A1)", "\t=1", "harmless"):
        site.store.reviews.add(events[1].id, f"-{note}", "alarm", note=note)

    answer = login("viewer").get("/events.csv?said=any")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-disposition"].startswith("attachment;")
    assert len(rows) == len(events)
    assert not any(
        cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values()
    )
    assert next(row for row in rows if row["id"] == events[1].id)["notes"].startswith("'=HYPERLINK(1)")


def test_a_table_has_what_its_filters_say(login, events):
    client = login("viewer")

    rows = list(csv.DictReader(io.StringIO(client.get("/events.csv?camera=gate&said=normal").text)))

    assert {(row["camera"], row["verdict"]) for row in rows} <= {("gate", "normal")}
    assert client.get("/events.csv?said=nonsense").status_code == 422


def test_the_queue_has_the_newest_or_the_oddest_first_and_groups_what_is_alike(login, events):
    client = login("reviewer")

    def items(query: str) -> list[dict]:
        return json.loads(re.search(r'id="queue">(.*?)</script>', page(client, f"/review?{query}"), re.DOTALL)[1])

    newest, oddest = items("said=any"), items("said=any&order=oddest")
    assert [one["id"] for one in newest] == [event.id for event in events]
    by_score = sorted(events, key=lambda event: -event.score)
    assert oddest[0]["id"] == by_score[0].id
    gates = {one["group"] for one in newest if one["title"].startswith("gate")}
    assert len(gates) == 1
    assert "No such event" in page(client, "/review?day=1999-01-01")


def test_an_event_whose_evidence_is_gone_says_so(site, login, events):
    text = page(login("viewer"), f"/events/{events[2].id}")

    assert "they were removed to make room" in text


def test_an_event_of_a_camera_that_was_removed_or_renamed_is_still_there(site, login, events):
    gate = next(event for event in events if event.camera == "gate")
    client = login("viewer")
    site.store.cameras.rename("gate", "door")
    assert 'href="/cameras/door"' in page(client, f"/events/{gate.id}")

    site.store.cameras.remove("door")
    assert "This camera is watched no longer" in page(client, f"/events/{gate.id}")
    assert "This camera was removed" in page(client, "/cameras/door")


@pytest.mark.parametrize("path", ["/cameras/nobody", f"/events/{'0' * 36}", "/look/any/none.js", "/?part=none"])
def test_what_is_not_there_is_said_on_a_page(login, events, path):
    answer = login("viewer").get(path, headers=HTML)

    assert answer.status_code == 404
    assert "console.css" in answer.text


def test_a_part_of_a_page_comes_alone(login, events):
    client = login("viewer")

    text = page(client, "/cameras/gate?hours=1&part=camera-curve")
    assert text.lstrip().startswith('<div class="chart')
    assert "<html" not in text
    assert "events to review" in page(client, "/system?part=to-review")


def test_files_of_this_version_are_kept_by_browsers_and_those_of_yesterdays_are_not(nobody):
    now = nobody.get(f"/look/{look_version()}/live.js")
    before = nobody.get("/look/0123456789abcdef/live.js")

    assert "immutable" in now.headers["cache-control"]
    assert now.headers["content-type"].startswith("text/javascript")
    assert before.headers["cache-control"] == "no-store"
    assert before.content == now.content


def test_health_rows_fit_the_strip_of_a_day():
    from oddframe.console.pages.camera import _strip

    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    rows = [
        HealthRecord(camera="gate", state="offline", reason="", since=now - timedelta(hours=6)),
        HealthRecord(
            camera="gate", state="online", reason="", since=now - timedelta(days=9), until=now - timedelta(hours=6)
        ),
    ]

    strip = _strip(rows, now)

    assert [(one.begin, one.width, one.state) for one in strip] == [(0.0, 750.0, "online"), (750.0, 250.0, "offline")]


def test_there_are_words_for_whatever_ends_an_event_and_for_every_state():
    assert set(ENDED_BY) == set(get_args(EndedBy))
    assert set(get_args(EndedBy)) - set(sink_words._ENDED) == set()
    assert set(get_args(EndedBy)) - set(live_screen._ENDED) == {"calm"}  # an event that is over needs no reason there
    assert set(STATES) == set(HealthState)
