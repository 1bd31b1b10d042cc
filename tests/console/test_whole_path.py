"""A newcomer's whole path in a real browser: from the first password to a camera that was taught, and has forgotten;
by keys in front of a large screen, and by taps on a telephone.

The site is a real one: a camera that sends video, its reader, the engine, events with what is remembered of them.
Learning begins on its page and is stopped there, as it takes minutes (`teaching/test_working.py` has all of it); what
watches from then on is the detector that comes with the package, fitted to the camera. With ODDFRAME_LEARN=1 learning
is waited for.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.cameras.streams import RtspServer, missing, published

import oddframe as odd
from oddframe.console.server import Console
from oddframe.console.settings import ConsoleSettings
from oddframe.instant import MODEL
from oddframe.site.events import CameraEvent
from oddframe.site.serving import Serving
from oddframe.site.shapes import WatchSettings
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.installing import watch_by
from oddframe.teaching.teacher import Teacher

from . import street
from .browser import Browser
from .conftest import PASSWORD

pytestmark = pytest.mark.slow

ENTER, SPACE, UP, RIGHT = "\ue007", " ", "\ue013", "\ue014"
LOOP = timedelta(seconds=street.LOOP / street.FPS)
LEARNED_WITHIN_S = 3600.0
PHONE = 390
"""Pixels from left to right."""


@pytest.fixture
def address(tmp_path) -> Iterator[str]:
    """A camera that sends a street with two odd things in a loop: by RTSP, or as a file where no server can run."""
    video = street.film(tmp_path / "camera.mp4", street.LOOP / street.FPS, odd=True)
    if missing():
        yield str(video)
        return
    server = RtspServer(tmp_path, {"/street": published(video, tmp_path)})
    yield server.url("/street")
    server.kill()


@pytest.fixture
def serving(tmp_path) -> Iterator[Serving]:
    pytest.importorskip("onnxruntime")
    with Serving.of_folder(tmp_path / "site", backend="onnxruntime") as opened, Teacher(opened.store):
        yield opened


@pytest.fixture
def console(serving) -> Iterator[Console]:
    with Console(serving, ConsoleSettings(port=0)) as opened:
        yield opened


@pytest.mark.long
def test_from_the_first_password_to_a_camera_that_was_taught_and_has_forgotten(
    chromium, serving, console, address, tmp_path
):
    store, normal = serving.store, street.film(tmp_path / "normal.mp4", 60, odd=False)
    comes_in(Browser(chromium, console.settings.url, PHONE), console)
    browser = Browser(chromium, console.settings.url)
    browser.log_in("admin")
    adds_the_camera(browser, address, "gate")
    draws_a_place(browser, store)
    lets_it_learn(browser, store, normal)
    lamp, door = sees_events_come(browser, store)
    untaught = fitting_of(store)
    told = teaches_by_keys(browser, door, "n", "would not have come")
    teaches_by_keys(browser, lamp, "a", "known anomalies")
    taught_at = utc_now()

    assert not told.startswith("0 of")
    browser.until(lambda: only_the_lamp_is_told_of(store, taught_at))
    forgets(browser, 2)
    forgotten_at = utc_now()
    at_the_door = browser.until(lambda: [one for one in events(store, forgotten_at) if not is_lamp(one)])
    assert fitting_of(store) == untaught

    phone = Browser(chromium, console.settings.url, PHONE)
    phone.log_in("admin")
    adds_the_camera(phone, address, "telephone")
    reviews_by_taps(phone, store)
    teaches_by_taps(phone, at_the_door[0])
    forgets(phone, 1)

    assert fitting_of(store) == untaught


def comes_in(browser: Browser, console: Console) -> None:
    """Somebody logs in with the password that was printed, takes one of his own, and sees what comes first."""
    given = console.access.first_password()
    browser.log_in("admin", given)
    browser.one("[name=old]").send_keys(given)
    browser.one("[name=new]").send_keys(PASSWORD + ENTER)
    browser.reads("No camera yet")
    fits(browser)


def adds_the_camera(browser: Browser, address: str, name: str) -> None:
    """He sees its picture before he adds it, and goes on seeing it."""
    browser.one("main a[href='/add-camera']").click()
    browser.one("[name=address]").send_keys(address)

    def tried() -> bool:  # a busy computer may take longer than the ten seconds that it is given
        browser.one("#add-camera [value=try]").click()
        browser.one("#trial img, #trial .bad")
        return bool(browser.all("#trial img"))

    browser.until(tried)
    fits(browser)
    browser.one("[name=name]").send_keys(name + ENTER)
    browser.reads(name, "h1")
    browser.one("#live:not([hidden])")
    fits(browser)


def draws_a_place(browser: Browser, store: Store) -> None:
    """He draws, by keys, what is to be ignored: a window of the house."""
    browser.one("#draw-places").send_keys(ENTER)
    browser.press(10 * UP + SPACE + 10 * RIGHT + SPACE + 10 * UP + SPACE + ENTER)
    browser.reads("1: ignored, 3 corners", "#list-of-places")
    browser.one("#save-places").send_keys(ENTER)
    browser.until(lambda: store.cameras.get("gate").settings.get("regions"))


def lets_it_learn(browser: Browser, store: Store, normal: Path) -> None:
    """He lets it learn from a recording, and goes to the page of all cameras while it does."""
    browser.see("/cameras/gate/learning")
    browser.one("#learn [name=preset]").send_keys("tiny")
    browser.one("#learn [name=recordings]").send_keys(str(normal))
    browser.one("#learn button").click()
    browser.reads("Checking")
    if os.environ.get("ODDFRAME_LEARN"):
        browser.until(lambda: "live" in browser.text("[data-live=learning-state]"), LEARNED_WITHIN_S)
        return
    browser.one("[data-do=stop]").click()
    browser.reads("Go on")
    regions = WatchSettings.of("gate", store.cameras.get("gate").settings).regions
    assert regions is not None
    fitting = odd.calibrate(
        MODEL, normal, out=store.folder / "fitting", regions=regions.regions(), backend="onnxruntime"
    )
    watch_by(store, "gate", "comes with the package", str(MODEL), str(fitting.folder), {})


def sees_events_come(browser: Browser, store: Store) -> tuple[CameraEvent, CameraEvent]:
    """They appear on the open page; one at the lamp and one at the door are over."""
    browser.see("/")
    browser.run("window.ofBefore = true")
    browser.reads("to review", "[data-key=gate]")
    browser.until(lambda: {is_lamp(one) for one in events(store) if not one.lasts} == {True, False})
    assert browser.run("return window.ofBefore")
    over = [one for one in events(store) if not one.lasts]
    return next(one for one in over if is_lamp(one)), next(one for one in over if not is_lamp(one))


def teaches_by_keys(browser: Browser, event: CameraEvent, key: str, would: str) -> str:
    """He says what an event was; is told what that would do; and has it done. Returns what he was told."""
    browser.see(f"/events/{event.id}")
    browser.one("#teach")
    browser.press(key)
    browser.reads(would, "#told")
    told = browser.text("#told")
    browser.one("[data-teach]").send_keys(ENTER)
    browser.reads("Taught.", "#told")
    return told


def reviews_by_taps(browser: Browser, store: Store) -> None:
    """He says what the newest event was that nobody has reviewed, without scrolling, and takes it back."""
    browser.see("/review?camera=gate")
    browser.until(lambda: "gate" in browser.text("#title"))
    fits(browser)
    queue = "return JSON.parse(document.getElementById('queue').textContent)[0].id"
    newest, button = browser.run(queue), browser.one(".verdicts [data-verdict=alarm]")
    assert browser.run("return arguments[0].getBoundingClientRect().bottom < innerHeight", button)
    button.click()
    browser.until(lambda: store.events.get(newest).verdict == "alarm")
    browser.one(".verdicts [data-undo]").click()
    browser.until(lambda: store.events.get(newest).verdict is None)


def teaches_by_taps(browser: Browser, event: CameraEvent) -> None:
    """He says that an event was normal, is told what that would do, and has it done."""
    browser.see(f"/events/{event.id}")
    browser.one("#teach")
    fits(browser)
    browser.one("[data-verdict=normal]").click()
    browser.reads("would not have come", "#told")
    browser.one("[data-teach]").click()
    browser.reads("Taught.", "#told")


def forgets(browser: Browser, lessons: int) -> None:
    """He has all forgotten that it was taught."""
    browser.see("/cameras/gate/taught")
    for left in range(lessons, 0, -1):
        browser.until(lambda left=left: len(browser.all("[data-forget]")) == left)
        browser.one("[data-forget]").click()
        browser.until(browser.asked).accept()
    browser.reads("Nothing yet")
    fits(browser)


def fits(browser: Browser) -> None:
    """Nobody has to scroll sideways."""
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def events(store: Store, since: datetime | None = None) -> list[CameraEvent]:
    """Those that began since then and whose place is known, the first one first."""
    found = [one.event for one in store.events.page(limit=200).events if one.event.box is not None]
    return [one for one in found[::-1] if since is None or one.started_at > since]


def is_lamp(event: CameraEvent) -> bool:
    """Whether it is at the left, where the lamp is, and not at the door."""
    assert event.box is not None
    return event.box.x + event.box.width / 2 < street.SIZE[1] / 2


def only_the_lamp_is_told_of(store: Store, since: datetime) -> bool:
    """Whether two events at the lamp follow each other within a loop: something was at the door between them."""
    found = events(store, since)
    return any(
        is_lamp(one) and is_lamp(other) and other.started_at - one.started_at < 1.5 * LOOP
        for one, other in itertools.pairwise(found)
    )


def fitting_of(store: Store) -> dict[str, bytes]:
    """The files by which the camera is judged."""
    folder = store.cameras.fittings("gate")[0].folder
    assert folder is not None
    files = [one for one in Path(folder).rglob("*") if one.is_file() and one.name != ".lock"]
    return {str(one.relative_to(folder)): one.read_bytes() for one in files}
