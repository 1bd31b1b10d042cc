"""How soon is a wall of thirty cameras seen, what does it cost while it is open, and how long does a review take?

    python benchmarks/look_at_the_console.py --json benchmarks/results/look_at_the_console.json

A console in a process of its own has a store with thirty cameras, a day of their scores, and two hundred events with
pictures and clips. A browser opens the wall again and again, then leaves it open while an event comes every fifteen
seconds; every tile asks for its picture, which is made for it. Last, somebody reviews all events by keys: a review
takes from the key until the clip of the next event can be seen. It takes Linux, Chromium with its driver, and selenium.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from load_a_site import draw_clip
from oddframe.benchmarking.drawn import made_frames
from oddframe.console.pages.events import QUEUE
from oddframe.console.server import Console
from oddframe.console.settings import ConsoleSettings
from oddframe.errors import NoPictureError
from oddframe.runs import host
from oddframe.scoring.scores import Box
from oddframe.site.commands import Carried, Command, carry_out
from oddframe.site.engine_process import EVIDENCE, SCORES
from oddframe.site.events import CameraEvent, Change, event_id
from oddframe.site.evidence import place_of_evidence
from oddframe.site.picture_maker import LivePicture
from oddframe.site.score_history import SLOT_S, Peak, ScoreHistory
from oddframe.site.store import Store
from oddframe.site.trial import Trials
from oddframe.video.draw import fit, jpeg

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PASSWORD = "correct horse battery"
LINE = 3.4
SIZE, FPS, FRAMES = (360, 640), 12.5, 75
SMALL = 320
EVENT_EVERY_S = 15.0
KEYS = "anu"
PATIENCE_S = 300
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print what came of it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cameras", type=int, default=30)
    asked.add_argument("--events", type=int, default=200)
    asked.add_argument("--loads", type=int, default=11, help="so often the wall is opened")
    asked.add_argument("--seconds", type=float, default=60.0, help="so long it is left open, and nobody looks before")
    asked.add_argument("--json", type=Path)
    asked.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.serve:
        serve(given.serve, given.cameras, given.events)
        return
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), given)
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    if given.json:
        given.json.write_text(text, "utf-8")


# The site -------------------------------------------------------------------------------------------------------


class Standing:
    """A site whose cameras always show the same; pictures are made of it as the engine makes them."""

    def __init__(self, store: Store) -> None:
        self.store, self.status, self.restarts, self.trials = store, None, 0, Trials()
        self._seen = next(iter(made_frames(1, SIZE))).pixels

    def carry_out(self, command: Command, author: str) -> Carried:
        return carry_out(command, self.store, author)

    def picture(self, camera: str, *, heat: bool = False, wide: str = "large") -> LivePicture:
        if heat:
            raise NoPictureError(f"there is no heat of '{camera}'")
        shown = fit(self._seen, SMALL) if wide == "small" else self._seen
        return LivePicture(at=datetime.now(UTC), jpeg=jpeg(shown, 80), score=1.0, alarm=False, heated=False)

    def problems(self) -> dict[str, str]:
        return {}

    def wake(self) -> None:
        """Nothing is sent."""


def serve(folder: Path, cameras: int, events: int) -> None:
    """Serve a site with so many cameras and events until standard input ends; events come for each line of it."""
    names = [f"camera {one:02}" for one in range(cameras)]
    clip = draw_clip(folder / "clip.mp4", SIZE, FPS, FRAMES).read_bytes()
    with Store.open(folder / "site") as store:
        now = datetime.now(UTC)
        files = {"clip": clip, "snapshot": jpeg(next(iter(made_frames(1, SIZE))).pixels, 85)}
        for number, name in enumerate(names):
            store.cameras.put(name, f"rtsp://10.0.0.{number}/live", f"rtsp://10.0.0.{number}/live")
            store.health.changed(name, "online", "", now - timedelta(hours=20))
            add_scores(store, name, now)
        for number in range(events):
            happen(store, names[number % cameras], now - timedelta(minutes=3 * number + 1), files)
        with Console(Standing(store), ConsoleSettings(port=0)) as console:
            told = {"url": console.settings.url, "password": console.access.first_password(), "process": os.getpid()}
            print(json.dumps(told), flush=True)
            for number, _ in enumerate(sys.stdin):
                happen(store, names[number % cameras], datetime.now(UTC), files)


def add_scores(store: Store, name: str, now: datetime) -> None:
    """A day of scores below the line."""
    chance = np.random.default_rng(len(name))
    peaks = [
        Peak(now - timedelta(seconds=SLOT_S * back), float(chance.gamma(2, 0.4)), LINE)
        for back in range(24 * 3600 // SLOT_S)
    ]
    ScoreHistory(store.folder / SCORES).add(store.cameras.get(name).id, peaks)


def happen(store: Store, camera: str, at: datetime, files: dict[str, bytes]) -> None:
    """An event of some seconds, with its picture and clip."""
    event = CameraEvent(
        id=event_id(at), camera=camera, profile="", started_at=at, peak_at=at + timedelta(seconds=2),
        ended_at=at + timedelta(seconds=6), start_s=100, peak_s=102, end_s=106, start_frame=1000, peak_frame=1025,
        end_frame=1075, score=4.5, line=LINE, box=Box(200, 100, 60, 90), picture=SIZE, ended_by="calm",
    )  # fmt: skip
    began = event.changed(ended_at=None, ended_by=None)
    store.events.write([Change(kind="new", number=0, at=at, event=began)])
    store.events.write([Change(kind="end", number=1, at=at, event=event)])
    for kind, content in files.items():
        path = place_of_evidence(store.folder / EVIDENCE, event, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        store.evidence.add(event.id, kind, str(path.relative_to(store.folder)), len(content))


# Who looks at it ------------------------------------------------------------------------------------------------


def measure(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """The figures."""
    load_before = os.getloadavg()[0]
    with served(folder, given.cameras, given.events) as (told, site), opened() as browser:
        log_in(browser, told)
        loads = [wall_seen(browser, told["url"]) for _ in range(given.loads)]
        browser.get("about:blank")
        nobody = share_of_a_core(told["process"], given.seconds)
        browser.get(told["url"])
        coming = Coming(site)
        coming.start()
        open_wall = share_of_a_core(told["process"], given.seconds)
        coming.stop()
        came = coming.sent
        reviews, stored_s = review_all(browser, told["url"], given.events + came)
    return {
        "cameras": given.cameras,
        "first_paint_s": summary([one[0] for one in loads]),
        "answer_s": summary([one[1] for one in loads]),
        "open_s": given.seconds,
        "events_while_open": came,
        "core_share": {"nobody looks": nobody, "the wall is open": open_wall},
        "reviews": len(reviews),
        "review_s": summary(reviews),
        "reviews_in_all_s": round(sum(reviews), 2),
        "stored_after_s": stored_s,
        "load_average": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "host": host().to_dict(),
    }


@contextlib.contextmanager
def served(folder: Path, cameras: int, events: int) -> Iterator[tuple[dict[str, Any], Any]]:
    """The site, in a process of its own: what it says, and what has an event come for each line."""
    command = [sys.executable, __file__, "--serve", str(folder), "--cameras", str(cameras), "--events", str(events)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            sys.exit("the site did not start")
        yield json.loads(line), process.stdin
        process.stdin.close()


@contextlib.contextmanager
def opened() -> Iterator[Chrome]:
    """A browser without a window."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(word)
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        browser.set_script_timeout(PATIENCE_S)
        yield browser
    finally:
        browser.quit()


def log_in(browser: Chrome, told: dict[str, Any]) -> None:
    """Somebody who has taken a password of his own."""
    with httpx.Client(base_url=told["url"], timeout=PATIENCE_S) as client:
        me = client.post("/api/v1/session", json={"name": "admin", "password": told["password"]}).json()
        client.headers["X-CSRF-Token"] = me["csrf"]
        client.put("/api/v1/session/password", json={"old": told["password"], "new": PASSWORD}).raise_for_status()
        browser.get(f"{told['url']}/login")
        for one in client.cookies.jar:
            browser.add_cookie({"name": one.name, "value": one.value, "path": "/"})


SEEN = """
const done = arguments[0];
const look = () => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const [page] = performance.getEntriesByType("navigation");
  if (paint && page.responseEnd) done([paint.startTime / 1000, (page.responseEnd - page.requestStart) / 1000]);
  else setTimeout(look, 20);
};
look();
"""


def wall_seen(browser: Chrome, url: str) -> tuple[float, float]:
    """Seconds until something of the wall is painted, and those in which the console answered."""
    browser.get(url)
    paint_s, answer_s = browser.execute_async_script(SEEN)
    if len(browser.find_elements("css selector", ".tile")) < 1:
        sys.exit("there is no wall")
    return paint_s, answer_s


class Coming(threading.Thread):
    """Has an event come again and again."""

    def __init__(self, site: Any) -> None:
        super().__init__(daemon=True)
        self._site, self._ended, self.sent = site, threading.Event(), 0

    def run(self) -> None:
        while not self._ended.wait(EVENT_EVERY_S):
            self._site.write("\n")
            self._site.flush()
            self.sent += 1

    def stop(self) -> None:
        """No more."""
        self._ended.set()
        self.join()


def share_of_a_core(process: int, seconds: float) -> float:
    """The share of a core that a process takes, over some time."""
    before, began_s = cpu_s(process), time.monotonic()
    time.sleep(seconds)
    return round((cpu_s(process) - before) / (time.monotonic() - began_s), 4)


def cpu_s(process: int) -> float:
    """Seconds of a core that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


PRESSED = """
addEventListener("keydown", () => {
  window.pressed = performance.now();
  window.before = document.getElementById("link").href;
}, true);
"""
NEXT = """
const done = arguments[0];
const look = () => {
  const over = document.getElementById("progress").textContent.startsWith("All of these");
  const other = document.getElementById("link").href !== window.before;
  if (over || (other && document.querySelector(".screen video").readyState >= 2))
    done([(performance.now() - window.pressed) / 1000, over]);
  else requestAnimationFrame(look);
};
look();
"""
LEFT = """
const done = arguments[0];
fetch("/review?part=queue").then((answer) => answer.json()).then((left) => done(left.length), () => done(-1));
"""


def review_all(browser: Chrome, url: str, events: int) -> tuple[list[float], float]:
    """Seconds of each review by key, and those after the last one until all of them stood in the store."""
    found: list[float] = []
    while len(found) < events:
        browser.get(f"{url}/review")
        browser.execute_script(PRESSED)
        over = False
        while not over and len(found) < events:
            browser.switch_to.active_element.send_keys(KEYS[len(found) % len(KEYS)])
            took_s, over = browser.execute_async_script(NEXT)
            found.append(took_s)
        ended_s = time.monotonic()
        while browser.execute_async_script(LEFT) not in (0, min(QUEUE, events - len(found))):
            time.sleep(0.05)
    return found, round(time.monotonic() - ended_s, 2)


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median, what 95 of 100 stay below, the least and the most."""
    ordered = sorted(values)
    of = {"median": statistics.median(ordered), "p95": ordered[int(0.95 * (len(ordered) - 1))]}
    return {name: round(one, 4) for name, one in (of | {"least": ordered[0], "most": ordered[-1]}).items()}


if __name__ == "__main__":
    main()
