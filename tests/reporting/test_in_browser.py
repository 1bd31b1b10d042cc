"""Pages as somebody sees them: in a real browser, on a wide screen and on a phone."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.evaluation.judge import judge
from oddframe.reporting.pages import report

WIDTHS = (1280, 390)


@pytest.fixture
def result_page(judged, drawn, tmp_path):
    videos = [
        judged("0" * 20 + "1" * 20, [1.0] * 10 + [5.0] * 20 + [0.5] * 10, events=[(14, 34)]),
        judged("1" * 12, [1.0] * 12, name="alley"),
    ]
    figures = judge(videos, heldout={"online": np.linspace(0, 3, 300)})
    return report(figures, tmp_path / "page.html", pictures=drawn())


@pytest.fixture
def scores_page(scored, drawn, tmp_path):
    return report(scored([0.0, 1.0, 4.0, 4.0, 1.0], events=[(6, 8)]), tmp_path / "gate.html", pictures=drawn())


def opened(browser, page, width=1280):
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get("about:blank")
    browser.get_log("browser")  # of pages of other tests
    browser.get(page.as_uri())
    return browser


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["result_page", "scores_page"])
def test_a_page_fits_its_screen_and_its_script_has_no_errors(chromium, kind, width, request):
    browser = opened(chromium, request.getfixturevalue(kind), width)

    overflow = browser.execute_script(
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.slow
def test_alarms_stand_below_the_headline_and_the_curves_below_them(chromium, result_page):
    browser = opened(chromium, result_page)

    sections = [found.text for found in browser.find_elements("css selector", "section > h2")]
    assert sections[:2] == ["Alarms", "Every test video"]


@pytest.mark.slow
def test_arrow_keys_move_along_a_curve_and_say_where_they_are(chromium, scores_page):
    browser = opened(chromium, scores_page)
    chart = browser.find_element("css selector", ".chart")
    chart.send_keys("\ue011")  # Home
    chart.send_keys("\ue014\ue014")  # two steps to the right

    assert browser.find_element("css selector", ".readout").text.startswith("frame 6 · 0:00.6 · online 4")


@pytest.mark.slow
def test_a_picture_that_is_clicked_is_shown_larger_and_goes_away_again(chromium, scores_page):
    browser = opened(chromium, scores_page)
    small, large = browser.find_element("css selector", ".zoom img"), browser.find_element("css selector", "dialog")
    width = small.size["width"]
    browser.execute_script("arguments[0].scrollIntoView()", small)
    small.click()

    assert large.find_element("css selector", "img").size["width"] > 2 * width
    large.find_element("css selector", "button").click()
    assert not large.is_displayed()
