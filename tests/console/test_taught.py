"""What a camera was taught, on pages of a real server: shown, tried before, and forgotten."""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import cv2
import pytest

from oddframe.console.moments import moment
from oddframe.site.engine_process import EVIDENCE
from oddframe.site.evidence import place_of_evidence

from ..teaching import test_teaching_now as street
from . import day
from .browser import Browser, elsewhere
from .conftest import StandingSite, person

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow  # each has a camera show events first

fitting = street.fitting
HTML = {"Accept": "text/html"}
EVIL = "<img src=x onerror=alert(1)>"
TAUGHT = "/cameras/gate/taught"


@pytest.fixture
def seen(tmp_path: Path, fitting: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[street.Site]:
    shutil.copytree(fitting, tmp_path / "fitting")
    opened = street.Site(tmp_path, tmp_path / "fitting", monkeypatch)
    yield opened
    opened.close()


@pytest.fixture
def site(seen: street.Site) -> StandingSite:
    return StandingSite(seen.store)


@pytest.fixture
def lamps(seen: street.Site) -> list[str]:
    """Two events at the same lamp; the first with its picture."""
    found = [*seen.show((street.LAMP, 40)), *seen.show((street.LAMP, 60))]
    first = seen.store.events.get(found[0]).event
    path = place_of_evidence(seen.store.folder / EVIDENCE, first, "snapshot")
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), street.with_odd(40, street.LAMP, 40))
    seen.store.evidence.add(first.id, "snapshot", str(path.relative_to(seen.store.folder)), path.stat().st_size)
    return found


def test_a_lesson_is_tried_taught_shown_and_forgotten(site, login, lamps):
    client, viewer = login("reviewer"), login("viewer")
    assert "Review an event as normal or alarm" in viewer.get(TAUGHT, headers=HTML).text
    assert f'href="{TAUGHT}"' in viewer.get("/cameras/gate", headers=HTML).text

    tried = client.post(f"/api/v1/events/{lamps[0]}/preview", json={"verdict": "normal", "scope": {"reach": "wide"}})
    assert tried.json()["words"] == "2 of the last 2 events would not have come; none of them were called an alarm."
    scope = {"reach": "wide", "begin": "00:00", "end": "23:59"}
    said = client.post(
        f"/api/v1/events/{lamps[0]}/reviews", json={"verdict": "normal", "note": f"</p>{EVIL}", "scope": scope}
    )
    number = said.json()["id"]
    assert client.post(f"/api/v1/events/{lamps[0]}/teach").json()["does"] == "lesson"

    text = client.get(TAUGHT, headers=HTML).text
    assert "<img src=x" not in text
    assert "&lt;/p&gt;&lt;img src=x" in text
    assert "by reviewer" in text
    assert "from 00:00 to 23:59" in text
    assert "wide: also what looks rather like it" in text
    assert "nothing kept quiet yet" in text
    picture = re.search(r'<img src="(/api/v1/evidence/\d+)"', text)
    assert picture
    assert viewer.get(picture[1]).headers["content-type"] == "image/jpeg"
    assert "<rect " in text

    assert f'data-forget="{number}"' in text
    looked = viewer.get(TAUGHT, headers=HTML).text
    assert "by reviewer" in looked
    assert "data-forget" not in looked
    assert "taught.js" not in looked
    forget = f"/api/v1/cameras/gate/lessons/{number}"
    assert viewer.delete(forget).status_code == 403
    assert client.delete(forget, headers={"X-CSRF-Token": "no"}).status_code == 403
    assert client.delete(forget).json()["does"] == "forgets"
    assert "Review an event as normal or alarm" in client.get(TAUGHT, headers=HTML).text


def test_a_lesson_whose_picture_is_gone_says_so_and_what_it_kept_quiet(seen, site, login):
    (event,) = seen.show((street.LAMP, 40))
    client = login("reviewer")
    client.post(f"/api/v1/events/{event}/reviews", json={"verdict": "normal", "scope": {"reach": "wide"}})
    client.post(f"/api/v1/events/{event}/teach")
    assert seen.show((street.LAMP, 30)) == []

    text = client.get(TAUGHT, headers=HTML).text

    assert "Its picture is kept no longer" in text
    assert "1 event kept quiet" in text
    assert "at any time of day" in text


def test_what_was_taught_follows_a_review_that_nobody_carries_out(seen, site, login):
    (event,) = seen.show((street.LAMP, 40))
    untaught, reviews = seen.files(), f"/api/v1/events/{event}/reviews"
    ann, bob = login("reviewer", "ann"), login("reviewer", "bob")
    ann.post(reviews, json={"verdict": "normal", "scope": {"reach": "wide"}})
    assert seen.files() == untaught  # nothing was taught so far, and nothing is by a review alone
    ann.post(f"/api/v1/events/{event}/teach")
    ann.post(reviews, json={"verdict": "normal", "scope": {"reach": "narrow"}})
    assert [one.reach for one in street.lessons_of(seen.store, "gate")] == ["narrow"]
    ann.delete(reviews)
    assert [one.reach for one in street.lessons_of(seen.store, "gate")] == ["wide"]

    said = bob.post(reviews, json={"verdict": "alarm"})

    assert said.status_code == 201
    assert seen.files() == untaught


def test_a_camera_that_cannot_be_taught_says_why(site, login):
    client = login("viewer")
    site.store.cameras.fit("gate", "tiny", None)
    shared = client.get(TAUGHT, headers=HTML).text
    assert "It cannot be taught yet" in shared
    assert 'href="/cameras/gate/learning">Let it learn</a>' in shared
    site.store.cameras.put("barn", "0", "USB 0")
    assert "It has no detector yet" in client.get("/cameras/barn/taught", headers=HTML).text
    assert client.get("/cameras/nobody/taught", headers=HTML).status_code == 404


def test_an_event_offers_to_teach_to_those_who_review(site, login):
    event = day.happen(site.store, day.an_event("gate", street.NOON + timedelta(hours=1)))
    site.store.reviews.add(event.id, "reviewer", "normal", scope={"reach": "wide", "begin": f'"{EVIL}', "end": "08:00"})

    text = login("reviewer").get(f"/events/{event.id}", headers=HTML).text

    assert 'id="teach"' in text
    assert '<option value="wide" selected>' in text
    assert "<img src=x" not in text
    assert 'id="teach"' not in login("viewer").get(f"/events/{event.id}", headers=HTML).text
    site.store.cameras.remove("gate")
    assert 'id="teach"' not in login("reviewer").get(f"/events/{event.id}", headers=HTML).text


def shoot(browser: Browser, name: str) -> None:
    if (folder := os.environ.get("ODDFRAME_SCREENSHOTS")) is not None:
        shot = browser.chromium.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        Path(folder, f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


@pytest.mark.parametrize("width", [1280, 390])
def test_somebody_teaches_and_forgets_in_a_browser(chromium, console, site, lamps, width):
    person(console.access, site.store, "ann", "reviewer")
    browser = Browser(chromium, console.settings.url, width)
    elsewhere(chromium)
    browser.log_in("ann")
    browser.see(f"/events/{lamps[0]}")
    browser.one("#teach [name=reach]").send_keys("wide")
    browser.run("document.activeElement.blur()")
    browser.press("n")
    browser.reads("2 of the last 2 events would not have come", "#told")
    begun = site.store.events.get(lamps[0]).event.started_at
    browser.reads(moment(begun, begun), "#told")
    untaught = site.store.reviews.numbered([1])[0].scope
    shoot(browser, f"teach-{width}")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.one("[data-teach]").click()
    browser.reads("Taught.", "#told")
    browser.see(TAUGHT)
    browser.reads("also what looks rather like it")
    shoot(browser, f"taught-{width}")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    browser.one("[data-forget]").click()
    alert = browser.until(browser.asked)
    assert "No event would be another one. Forget it?" in alert.text  # both had come before it was taught
    alert.accept()
    browser.reads("Nothing yet")

    assert untaught == {"reach": "wide"}
    assert [one for one in browser.errors if "/picture?" not in one] == []  # nobody films here


def test_the_queue_tries_and_what_was_taught_follows_what_is_said_there(chromium, console, seen, site, lamps):
    site.store.reviews.add(lamps[0], "bob", "normal", scope={"reach": "wide"})
    street.Teaching(seen.store, "gate").carry_out(lamps[0])
    person(console.access, site.store, "ann", "reviewer")
    browser = Browser(chromium, console.settings.url)
    browser.log_in("ann")
    browser.see("/review?said=normal")
    browser.one("#try").click()
    browser.reads("of the last 2 events", "#tried")
    browser.press("a")
    browser.until(lambda: street.lessons_of(seen.store, "gate") == [])
    browser.press("z")
    browser.until(lambda: len(street.lessons_of(seen.store, "gate")) == 1)
