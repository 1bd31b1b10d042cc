from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from oddframe.evaluation.judge import judge
from oddframe.reporting.detection import WorkingPoint, detection_curve, detection_curves, thinned


@pytest.fixture
def mixed(judged):
    """Two normal frames at 1 and 3, two abnormal ones at 2 and 4; the alarm line is at 3."""

    def make(**options):
        return judge([judged("0011", [1.0, 3.0, 2.0, 4.0])], **options)

    return make


def corners(path: str) -> list[tuple[float, float]]:
    """Where a path of M, L, H and V goes: (across, down)."""
    x = y = 0.0
    found = []
    for letter, numbers in re.findall(r"([MLHV])([^MLHV]+)", path):
        values = [float(number) for number in numbers.split()]
        x, y = (values[0], y) if letter == "H" else (x, values[0]) if letter == "V" else values
        found.append((x, y))
    return found


def test_a_roc_curve_passes_every_line_from_the_highest_down(mixed):
    online = detection_curves(mixed())[0]

    # 4 is abnormal: up; 3 is normal: across; 2 is abnormal: up; 1 is normal: across
    assert (online.name, online.tone, online.shown, online.auc) == ("online", 0, True, 0.75)
    assert corners(online.roc) == [(0, 100), (0, 50), (50, 50), (50, 0), (100, 0)]


def test_a_precision_curve_is_made_of_steps_whose_area_is_the_average_precision(mixed):
    online = detection_curves(mixed())[0]

    # of the frames above each line: 1 of 1, 1 of 2, 2 of 3, 2 of 4
    assert online.precision == "M0 0V0H50V50H50V33.33H100V50H100"
    assert online.ap == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_the_alarm_line_and_the_strict_line_are_marked_where_they_work(mixed):
    online, learned, *_ = detection_curves(mixed(heldout={"online": np.full(300, 3.5), "learned": np.full(300, 9.0)}))

    assert online.alarm == WorkingPoint(0.5, 0.5, 0.5)  # a frame on the alarm line raises it
    assert online.strict == WorkingPoint(0.0, 0.5, 1.0)
    assert learned.alarm is None
    assert learned.strict == WorkingPoint(0.0, 0.0, None)


def test_components_have_their_colour_and_the_less_quoted_ones_wait_to_be_asked_for(mixed):
    assert [(one.name, one.tone, one.shown) for one in detection_curves(mixed())] == [
        ("online", 0, True), ("learned", 2, False), ("psnr", 3, True), ("motion", 7, True),
    ]  # fmt: skip


def test_the_papers_curve_leaves_out_the_videos_on_which_it_is_undefined(judged):
    first, second = judged("01", [1.0, 2.0], name="a"), judged("01", [2.0, 1.0], name="b")
    first = replace(first, scores=replace(first.scores, paper=np.array([0.0, 1.0], np.float32)))

    paper = detection_curve(judge([first, second]), "paper", tone=1)

    assert corners(paper.roc) == [(0, 100), (0, 0), (100, 0)]


def test_frames_of_one_kind_or_figures_alone_have_no_curve(judged, mixed):
    assert detection_curves(judge([judged("000", [0.0, 1.0, 2.0])])) == []
    assert detection_curves(mixed().with_scores(())) == []


def test_a_long_curve_is_thinned_and_keeps_its_ends_and_its_area():
    across = np.linspace(0, 1, 10_001)
    up = across**0.25  # steep at first: most of the way is up

    fewer, height = thinned(across, up)

    assert len(fewer) <= 300
    assert (fewer[0], fewer[-1], height[-1]) == (0.0, 1.0, 1.0)
    assert np.trapezoid(height, fewer) == pytest.approx(0.8, abs=1e-3)


def test_a_short_curve_is_left_as_it_is():
    across, up = thinned(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))

    assert (across.tolist(), up.tolist()) == ([0.0, 0.0, 1.0], [0.0, 1.0, 1.0])
