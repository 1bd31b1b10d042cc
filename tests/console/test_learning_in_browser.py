"""Somebody lets a camera learn in a browser, and leaves out what is not normal."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.records import write_record
from oddframe.site.learning import asked_of
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.record import CHECK, FILE, Check, Learning, OddPiece, State, learning_folder

from .browser import Browser
from .conftest import person

pytestmark = pytest.mark.slow


def looked_at(folder: Path) -> None:
    """As the site's process leaves a learning whose video was looked at."""
    (folder / "odd").mkdir(parents=True)
    odd = []
    for number in (1, 2, 3):
        names = f"odd/{number}.jpg", f"odd/{number}-heat.jpg"
        for name in names:
            cv2.imwrite(str(folder / name), np.full((120, 160, 3), 60 * number, np.uint8))
        odd.append(
            OddPiece(
                number=number,
                name=f"{number}.mp4",
                scene="",
                began=utc_now(),
                at_s=3,
                seconds=20,
                score=5 - number,
                picture=names[0],
                heat=names[1],
            )
        )
    learning = Learning(
        number=1, camera="gate", state=State.TRAINING, since=utc_now(), began_at=utc_now(), stage="training",
        percent=40.0, left_s=5400.0, seconds=14_400.0, bytes=2 * 10**9, skipped_s={"dark": 1200.0},
    )  # fmt: skip
    write_record(folder / FILE, learning)
    of = {"pieces": 720, "seconds": 14_400, "light": (20.0, 90.0, 140.0), "active": 0.4, "infrared": 0.2}
    notes = ("no normal video is from 22:00 to 5:00: what is usual then will look odd",)
    write_record(folder / CHECK, Check(**of, hours={9: 180.0}, notes=notes, odd=tuple(odd)))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_camera_is_let_learn_and_told_what_is_not_normal(chromium, console, site, width):
    person(console.access, site.store, "admin", "admin")
    gate = site.store.cameras.get("gate")
    browser = Browser(chromium, console.settings.url, width)
    browser.log_in("admin")
    browser.see("/cameras/gate/learning")
    browser.one("#learn [name=for]").send_keys("an hour")
    browser.one("#learn button").click()
    browser.reads("It begins once the site runs")
    asked = asked_of(site.store, gate.id)
    looked_at(learning_folder(site.store.folder, gate.id, asked.number))
    browser.see("/cameras/gate/learning")
    browser.reads("40 %")
    if (folder := os.environ.get("ODDFRAME_SCREENSHOTS")) is not None:
        browser.run("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
        browser.until(lambda: browser.run("return [...document.images].every((one) => one.complete)"))
        Path(folder, f"learning-{width}.png").write_bytes(chromium.get_screenshot_as_png())
    wide = browser.run("return document.documentElement.scrollWidth")
    browser.one("[data-leave-out='2']").click()
    browser.reads("left out")

    assert asked.how.collect_for == 3600
    assert wide <= width
    assert asked_of(site.store, gate.id).left_out == ("2.mp4",)
    assert browser.run("return [...document.images].every((one) => one.naturalWidth > 0)")
