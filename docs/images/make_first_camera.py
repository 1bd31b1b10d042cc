"""Picture the pages of a first camera, docs/images/first-camera-*.jpg, in a real browser.

    PYTHONPATH=. python docs/images/make_first_camera.py

A drawn street stands in for what a camera sees; pages are opened as the tests open them.
It takes Chromium with its driver, and selenium.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from selenium import webdriver
from tests.console import street
from tests.console.browser import Browser
from tests.console.conftest import StandingSite, person

from oddframe.console.server import Console
from oddframe.console.settings import ConsoleSettings
from oddframe.records import write_record
from oddframe.site.picture_maker import LivePicture
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.asking import start
from oddframe.teaching.record import CHECK, FILE, Check, Learning, OddPiece, State, learning_folder
from oddframe.video.draw import annotated, jpeg

HERE = Path(__file__).resolve().parent
_QUALITY = 74
_WIDE, _SEEN = 960, (320, 480)
_PATIENCE_S = 100.0
"""Of a machine that has much else to do."""
SPACE, ENTER, RIGHT, DOWN = " ", "\ue007", "\ue014", "\ue015"


def main() -> None:
    """Open the pages one after the other."""
    with tempfile.TemporaryDirectory() as folder, console_of(Path(folder)) as (site, console):
        video = street.film(Path(folder) / "gate.mp4", street.LOOP / street.FPS, odd=False)
        browser = Browser(opened_browser(), console.settings.url)
        browser.log_in("ann")
        try:
            adds(browser, site, video)
            draws(browser, site)
            learns(browser, site)
        finally:
            browser.chromium.quit()


@contextmanager
def console_of(folder: Path) -> Iterator[tuple[StandingSite, Console]]:
    """A site without cameras, and somebody called ann."""
    with Store.open(folder / "site") as store:
        site = StandingSite(store)
        with Console(site, ConsoleSettings(port=0)) as console:
            person(console.access, store, "ann", "admin")
            yield site, console


def opened_browser() -> webdriver.Chrome:
    """A browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))


def adds(browser: Browser, site: StandingSite, video: Path) -> None:
    """The picture of a camera, before it is added."""
    site.trials.attempt = partial(site.trials.attempt, within_s=_PATIENCE_S)  # type: ignore[method-assign]
    browser.see("/add-camera")
    browser.one("[name=address]").send_keys(str(video))
    browser.one("#add-camera [value=try]").click()
    browser.one("#trial img")
    browser.run("document.querySelector('[name=address]').value = 'rtsp://viewer:password@10.0.0.5/live'")
    browser.one("[name=name]").send_keys("gate")
    keep(browser, "add")


def draws(browser: Browser, site: StandingSite) -> None:
    """A place that is ignored."""
    site.store.cameras.put("gate", "rtsp://me:s3cret@10.0.0.5/live", "rtsp://10.0.0.5/live")
    site.store.health.changed("gate", "online", "", datetime.now(UTC) - timedelta(minutes=2))
    site.pictures["gate"] = LivePicture(at=utc_now(), jpeg=seen(5), score=1.0, alarm=False, heated=False)
    browser.see("/cameras/gate")
    browser.one("#live:not([hidden])")
    browser.one("#draw-places").click()
    browser.run("document.getElementById('polygons').focus()")
    browser.press(14 * RIGHT + SPACE + 16 * RIGHT + SPACE + 18 * DOWN + SPACE + ENTER)
    browser.reads("1: ignored", "#list-of-places")
    keep(browser, "places")


def learns(browser: Browser, site: StandingSite) -> None:
    """A learning whose video was looked at."""
    start(site.store, "gate", {"preset": "tiny"}, "ann")
    folder = learning_folder(site.store.folder, site.store.cameras.get("gate").id, 1)
    (folder / "odd").mkdir(parents=True)
    odd = []
    for number, (frame, score) in enumerate(((64, 4.9), (8, 2.8), (47, 2.6)), 1):
        names = f"odd/{number}.jpg", f"odd/{number}-heat.jpg"
        for name, content in zip(names, (seen(frame), seen(frame, heat=number == 1)), strict=True):
            (folder / name).write_bytes(content)
        odd.append(
            OddPiece(number=number, name=f"{number}.mp4", scene="", began=utc_now() - timedelta(hours=number), at_s=3,
                     seconds=20, score=score, picture=names[0], heat=names[1])
        )  # fmt: skip
    write_record(
        folder / FILE,
        Learning(number=1, camera="gate", state=State.TRAINING, since=utc_now(), began_at=utc_now(), stage="training",
                 percent=40.0, left_s=540.0, seconds=14_400.0, bytes=2 * 10**9),
    )  # fmt: skip
    of = {"pieces": 720, "seconds": 14_400, "light": (20.0, 90.0, 140.0), "active": 0.4, "infrared": 0.0, "notes": ()}
    write_record(folder / CHECK, Check(**of, hours={9: 180.0}, odd=tuple(odd)))
    browser.see("/cameras/gate/learning")
    browser.reads("40 %")
    keep(browser, "learning")


def seen(number: int, *, heat: bool = False) -> bytes:
    """What the camera sees, as a JPEG."""
    pixels = cv2.resize(street.picture(number, odd=True), _SEEN[::-1], interpolation=cv2.INTER_CUBIC)
    if heat:
        hot = np.zeros(_SEEN, np.float32)
        hot[200:280, 360:450] = 2.0
        pixels = annotated(pixels, cv2.GaussianBlur(hot, (0, 0), 12))
    return jpeg(pixels, 85)


def keep(browser: Browser, name: str) -> None:
    """The screen as a small JPEG beside this script."""
    browser.run("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
    browser.until(lambda: browser.run("return [...document.images].every((one) => one.hidden || one.complete)"))
    pixels = cv2.imdecode(np.frombuffer(browser.chromium.get_screenshot_as_png(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    size = (_WIDE, round(pixels.shape[0] * _WIDE / pixels.shape[1]))
    place = HERE / f"first-camera-{name}.jpg"
    cv2.imwrite(
        str(place), cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    )
    print(f"{place.name}: {place.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
