"""Pages as somebody uses them, in a real browser: by keys, on a phone, while things happen, after a session is lost."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from oddframe.console import stream
from oddframe.site.picture_maker import LivePicture

from . import day
from .browser import Browser, elsewhere
from .conftest import person

pytestmark = pytest.mark.slow

ESCAPE, ENTER, SPACE, END, RIGHT, DOWN = "\ue00c", "\ue007", " ", "\ue010", "\ue014", "\ue015"
PAGES = (
    "/",
    "/cameras/gate",
    "/cameras/gate/learning",
    "/cameras/gate/taught",
    "/review?said=any",
    "/system",
    "/add-camera",
    "/password",
    "/events/{}",
)

TOO_SMALL = """return [...document.querySelectorAll("button, .button, select, input, textarea, summary, .switch")]
  .filter((one) => one.getClientRects().length && !one.matches("[type=checkbox], [type=range]"))
  .filter((one) => one.getBoundingClientRect().height < 44)
  .map((one) => one.outerHTML.slice(0, 80))"""
"""What is seen on a page and too small for fingers. A box to tick is as large as its label."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    return day.film(tmp_path_factory.mktemp("film"))


@pytest.fixture
def events(site, footage):
    return day.fill(site.store, footage)


@pytest.fixture
def people(console, site):
    for role in ("viewer", "reviewer", "admin"):
        person(console.access, site.store, role, role)


@pytest.fixture
def browser(chromium, console, events, people):
    return Browser(chromium, console.settings.url)


def test_the_first_login_leads_to_a_password_and_then_to_the_first_camera(chromium, console, site):
    for name in ("gate", "yard"):
        site.store.cameras.remove(name)
    browser = Browser(chromium, console.settings.url)
    browser.log_in("admin", console.access.first_password())

    browser.reads("was for one time")
    browser.one("[name=old]").send_keys("wrong")
    browser.one("[name=new]").send_keys("correct horse battery")
    browser.one("main button").click()
    browser.reads("The old password is wrong", "#said")
    assert "/password" in chromium.current_url
    assert [one for one in browser.errors if "EventSource" in one] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_its_screen_and_nothing_in_it_is_refused(chromium, console, events, people, width):
    browser = Browser(chromium, console.settings.url, width)
    browser.log_in("admin")

    for path in PAGES:
        browser.see(path.format(events[1].id))
        browser.one("h1")
        wider = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (path, wider) == (path, 0)
        assert (path, browser.run(TOO_SMALL) if width == 390 else []) == (path, [])
    assert [one for one in browser.errors if "/picture" not in one] == []


def test_a_curve_tells_the_time_of_the_site_wherever_the_browser_is(browser, chromium, events):
    elsewhere(chromium)
    browser.log_in("viewer")
    browser.see("/cameras/gate?hours=1")
    browser.one("#score .chart").send_keys(END)
    browser.until(lambda: " · score " in browser.text("#score .readout"))

    told = datetime.strptime(
        f"{datetime.now().year} {browser.text('#score .readout').split(' · ')[0]}", "%Y %a %d %b %H:%M:%S"
    )
    assert abs(datetime.now() - told) < timedelta(minutes=5)


def test_events_are_reviewed_by_keys_and_taken_back(browser, site, events):
    waiting = [event for event in events if site.store.events.get(event.id).verdict is None]
    browser.log_in("reviewer")
    browser.see("/review")
    browser.reads(f"{len(waiting)} of {len(waiting)} not reviewed")
    assert browser.run("return document.querySelector('.screen video').src").endswith(
        f"/api/v1/evidence/{clip_of(site, waiting[0])}"
    )

    browser.press("anu")
    browser.reads(f"{len(waiting) - 3} of")
    browser.press("z")
    browser.reads(f"{len(waiting) - 2} of")

    browser.until(lambda: [site.store.events.get(one.id).verdict for one in waiting[:3]] == ["alarm", "normal", None])
    assert [one.author for one in site.store.events.get(waiting[0].id).reviews] == ["reviewer"]


def clip_of(site, event) -> int:
    return next(one.id for one in site.store.events.get(event.id).evidence if one.kind == "clip")


def test_what_is_alike_is_said_at_once_with_a_class_and_a_note(browser, site, events):
    browser.log_in("reviewer")
    browser.see("/review")
    alike = [one for one in events if one.camera == "gate" and site.store.events.get(one.id).verdict is None]
    browser.reads(f"say the same of {len(alike) - 1} more at the same place")

    browser.press("c")
    browser.press("postman" + ESCAPE + "t")
    browser.press("every day" + ESCAPE + "b" + "n")

    browser.until(lambda: all(site.store.events.get(one.id).verdict == "normal" for one in alike))
    (first,) = site.store.events.get(alike[0].id).reviews
    assert (first.scope, first.note) == ({"class": "postman"}, "every day")
    browser.see("/review?said=any")
    assert browser.run("return [...document.querySelectorAll('#classes option')].map((one) => one.value)")[0] in (
        "cyclist",
        "postman",
    )


def test_a_note_is_kept_where_the_session_is_lost_in_the_middle_of_it(browser, site, events):
    event = events[1]
    browser.log_in("reviewer")
    browser.see(f"/events/{event.id}")
    browser.one("[name=note]").send_keys("he climbs over the fence")
    site.store.sessions.end_all("reviewer", author="admin")
    browser.one("[data-verdict=alarm]").click()
    browser.reads("You are logged out", "#connection")

    browser.one("#connection a").click()
    browser.log_in_here("reviewer")

    browser.reads("what you had typed and not sent")
    assert browser.one("[name=note]").get_attribute("value") == "he climbs over the fence"
    browser.one("[data-verdict=alarm]").click()
    browser.until(lambda: site.store.events.get(event.id).verdict == "alarm")
    assert site.store.events.get(event.id).reviews[0].note == "he climbs over the fence"


def test_what_comes_and_what_others_say_appears_in_the_queue(browser, site, events):
    browser.log_in("reviewer")
    browser.see("/review")
    browser.reads("7 of 7 not reviewed")
    browser.one("[data-heard]")

    site.store.reviews.add(events[1].id, "bob", "normal")
    browser.reads("6 of 7 not reviewed")
    day.happen(site.store, day.an_event("yard", datetime.now(UTC)))
    browser.reads("7 of 8 not reviewed")


def test_a_review_of_an_event_that_was_removed_says_so_and_the_queue_goes_on(browser, site, events):
    browser.log_in("reviewer")
    browser.see("/review")
    browser.reads("7 of 7 not reviewed")
    second = browser.text("#title")
    gone = browser.run("return JSON.parse(document.getElementById('queue').textContent)[0].id")
    site.store.reviews.add = refusing(site.store.reviews.add, gone)

    browser.press("a")

    browser.reads("there is no event", "#said")
    assert browser.text("#title") != second
    browser.press("a")
    browser.reads("5 of 7 not reviewed")


def refusing(add, event: str):
    """The store after retention has removed an event."""
    from oddframe.errors import UnknownNameError

    def added(of: str, *words: object, **more: object):
        if of == event:
            raise UnknownNameError(f"there is no event '{of}'")
        return add(of, *words, **more)

    return added


def test_an_event_appears_on_an_open_page_and_so_does_what_another_one_says(browser, site, events, footage):
    browser.log_in("viewer")
    browser.reads("4 to review", "[data-key=gate]")
    browser.one("[data-heard]")

    event = day.happen(site.store, day.an_event("gate", datetime.now(UTC), ended_at=None), footage["gate"])
    browser.reads("5 to review", "[data-key=gate]")
    browser.reads("8", ".badge")
    browser.see(f"/events/{event.id}")
    browser.reads("Nobody has said anything of it")
    assert browser.one("#clip").get_attribute("src").endswith(f"/{clip_of(site, event)}")
    browser.one("[data-heard]")
    site.store.reviews.add(event.id, "bob", "unsure")
    browser.reads("unsure", "[data-live=event-facts]")


def test_pictures_of_an_event_appear_on_its_open_page_when_they_are_made(browser, site, footage):
    event = day.happen(site.store, day.an_event("gate", datetime.now(UTC), ended_at=None))
    browser.log_in("viewer")
    browser.see(f"/events/{event.id}")
    browser.reads("Its picture is being made")
    browser.one("[data-heard]")

    day.happen(site.store, event, footage["gate"])

    browser.one("#clip")
    browser.run("document.getElementById('clip').ofBefore = true")
    site.store.reviews.add(event.id, "bob", "unsure")
    browser.reads("unsure", "[data-live=event-facts]")
    assert browser.run("return document.getElementById('clip').ofBefore")  # it plays on


def test_a_page_of_yesterdays_version_loads_itself_anew(browser, monkeypatch):
    browser.log_in("viewer")
    with monkeypatch.context() as patch:
        patch.setattr(stream, "look_version", lambda: "another")
        browser.see("/system")
        browser.run("window.ofYesterday = true")
        browser.until(lambda: browser.run("return document.readyState == 'complete' && !window.ofYesterday"))
    browser.see("/system")
    browser.reads("Where events go")


def test_a_page_that_was_cut_off_says_so_and_is_right_again_afterwards(browser, site, events, chromium):
    browser.log_in("viewer")
    browser.reads("4 to review", "[data-key=gate]")
    chromium.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    chromium.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    chromium.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    day.happen(site.store, day.an_event("gate", datetime.now(UTC)))
    chromium.execute_cdp_cmd("Network.emulateNetworkConditions", offline | {"offline": False})
    chromium.execute_script("document.dispatchEvent(new Event('visibilitychange'))")

    browser.reads("5 to review", "[data-key=gate]")


@pytest.fixture
def seen(site, footage):
    """All cameras show a picture."""
    for name, of in footage.items():
        site.pictures[name] = LivePicture(at=datetime.now(UTC), jpeg=of.snapshot, score=1.0, alarm=False, heated=False)


def test_a_place_is_drawn_by_keys_alone(browser, site, seen):
    browser.log_in("admin")
    browser.see("/cameras/gate")
    browser.one("#live:not([hidden])")
    browser.one("#draw-places").send_keys(ENTER)

    browser.press(SPACE + 10 * RIGHT + SPACE + 10 * DOWN + SPACE + ENTER)
    browser.reads("1: ignored, 3 corners", "#list-of-places")
    browser.one("#save-places").send_keys(ENTER)

    browser.reads("The places are kept", "#said")
    (place,) = site.store.cameras.get("gate").settings["regions"]["ignore"]
    assert [[round(one, 2) for one in corner] for corner in place] == [[0.5, 0.5], [0.6, 0.5], [0.6, 0.6]]
    browser.see("/cameras/gate")
    browser.one("#draw-places").click()
    browser.one("#list-of-places button").click()
    browser.one("#save-places").click()
    browser.until(lambda: not (site.store.cameras.get("gate").settings.get("regions") or {}).get("ignore"))


def test_a_place_that_is_drawn_off_the_picture_ends_at_its_edge(browser, site, seen, chromium):
    browser.log_in("admin")
    browser.see("/cameras/yard")
    browser.one("#live:not([hidden])")
    browser.one("#draw-places").click()
    browser.run("document.getElementById('kind').value = 'private'")
    box = browser.run("return document.getElementById('polygons').getBoundingClientRect().toJSON()")
    for x, y in ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6)):
        click(chromium, box["x"] + x * box["width"], box["y"] + y * box["height"])
    drag(chromium, (box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"]), (box["right"] + 90, box["y"] - 40))
    browser.run("document.getElementById('polygons').focus()")
    browser.press(ENTER)
    browser.one("#save-places").click()

    browser.reads("The places are kept", "#said")
    (place,) = site.store.cameras.get("yard").settings["private"]
    assert [[round(one, 1) for one in corner] for corner in place] == [[0.2, 0.2], [0.6, 0.2], [1.0, 0.0]]


def test_a_place_that_crosses_itself_is_refused_in_words_and_stays_to_be_mended(browser, site, seen, chromium):
    browser.log_in("admin")
    browser.see("/cameras/gate")
    browser.one("#live:not([hidden])")
    browser.one("#draw-places").click()
    box = browser.run("return document.getElementById('polygons').getBoundingClientRect().toJSON()")
    for x, y in ((0.2, 0.2), (0.6, 0.6), (0.6, 0.2), (0.2, 0.6)):
        click(chromium, box["x"] + x * box["width"], box["y"] + y * box["height"])
    browser.press(ENTER)
    browser.one("#save-places").click()

    browser.reads("cross", "#place-said")
    browser.reads("1: ignored, 4 corners", "#list-of-places")
    assert "regions" not in site.store.cameras.get("gate").settings


def click(chromium, x: float, y: float) -> None:
    for kind in ("mousePressed", "mouseReleased"):
        mouse(chromium, kind, x, y)


def drag(chromium, begin: tuple[float, float], end: tuple[float, float]) -> None:
    mouse(chromium, "mousePressed", *begin)
    for step in range(1, 6):
        mouse(chromium, "mouseMoved", *(a + (b - a) * step / 5 for a, b in zip(begin, end, strict=True)))
    mouse(chromium, "mouseReleased", *end)


def mouse(chromium, kind: str, x: float, y: float) -> None:
    about = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
    chromium.execute_cdp_cmd("Input.dispatchMouseEvent", about)


def test_a_camera_is_seen_before_it_is_added(browser, site, make_video, tmp_path):
    video = make_video(tmp_path / "street.mp4", frames=50, fps=12.5, size=(96, 144))
    browser.log_in("admin")
    browser.see("/add-camera")
    browser.one("[name=address]").send_keys("rtsp://127.0.0.1:1/none" + ENTER)
    browser.one("#trial .bad")
    assert not browser.one("#keep").is_displayed()

    browser.one("[name=address]").clear()
    browser.one("[name=address]").send_keys(str(video) + ENTER)
    browser.one("#trial img")
    browser.reads("144x96", "#trial")
    browser.one("[name=name]").send_keys("street" + ENTER)

    browser.reads("street", "h1")
    browser.reads("nothing yet: it has to learn first")
    assert "street" in [one.name for one in site.store.cameras.all()]


def axe() -> str | None:
    """axe-core's script, where it is: ODDFRAME_AXE names it, or npm has put it beside the sources."""
    places = (os.environ.get("ODDFRAME_AXE", ""), "node_modules/axe-core/axe.min.js")
    return next((Path(one).read_text("utf-8") for one in places if one and Path(one).is_file()), None)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_any_page(browser, events, chromium, scheme):
    script = axe()
    if script is None:
        pytest.skip("axe-core is not there (npm install --no-save axe-core, or ODDFRAME_AXE)")
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    chromium.set_script_timeout(300)
    browser.see("/login")
    faults = found_by_axe(browser, script, "/login")
    browser.log_in("admin")
    for path in PAGES:
        browser.see(path.format(events[8].id))
        browser.one("h1")
        faults += found_by_axe(browser, script, path)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    assert faults == []


def found_by_axe(browser: Browser, script: str, path: str) -> list[str]:
    browser.run(script)
    found = browser.chromium.execute_async_script(
        "const done = arguments[0];"
        "axe.run().then((found) => done(JSON.stringify(found.violations)), (error) => done(String(error)));"
    )
    return [
        f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}: {one['nodes'][0]['failureSummary'][:300]}"
        for one in json.loads(found)
        if one["impact"] in ("serious", "critical")
    ]
