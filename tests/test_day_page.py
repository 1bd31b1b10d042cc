"""The lab page on alarms of a day of drawn video: what it makes of figures that are known."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from oddframe.evaluation.event_figures import (
    AtLine,
    Condition,
    Events,
    FalseRate,
    Found,
    Promise,
    Quartiles,
)
from oddframe.evaluation.figures import FrameCounts, Named
from oddframe.evaluation.result import Result
from oddframe.records import write_record

EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"


@pytest.fixture
def day_page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    import day_page

    return day_page


def _at(found: int, false: int, *, own: bool = False, interval: tuple[float, float] = (0.2, 3.0)) -> AtLine:
    """Ten stretches, two of them smoke, and four hours, one of them by night."""
    stretches = Found(
        labelled=10,
        found=found,
        recall=found / 10,
        interval=(found / 10 - 0.1, min(1.0, found / 10 + 0.1)),
        delay_s=Quartiles(low=0.5, median=1.0, high=found),
        masked=10,
        in_place=found - 1,
        recall_in_place=(found - 1) / 10,
    )
    alarms = FalseRate(
        false=false,
        hours=4.0,
        per_hour=false / 4,
        interval=interval if own else None,
        asked_within=interval[0] <= 1 <= interval[1] if own else None,
    )
    night = Condition(videos=1, alarms=alarms.changed(hours=0.5, per_hour=2.0 * false), stretches=stretches)
    return AtLine(
        asked_per_hour=None if own else 1.0,
        line=3.0,
        alarms=alarms,
        normal_share=0.01,
        stretches=stretches,
        kinds=Named[Found](
            {"runner": Found(labelled=8, found=6, recall=0.75), "smoke": Found(labelled=2, found=0, recall=0.0)}
        ),
        conditions=Named[Named[Condition]]({"light": Named[Condition]({"night": night})}),
    )


def _write(folder: Path, way: str, seed: int, at_one: int, interval: tuple[float, float] = (0.2, 3.0)) -> None:
    own = _at(4, 3, own=True, interval=interval)
    lines = {"own": own, "24": _at(10, 96), "6": _at(9, 24), "1": _at(at_one, 4)}
    events = Events(
        labelled=10,
        found=4,
        missed=6,
        recall=0.4,
        false=3,
        normal_hours=4.0,
        false_per_hour=0.75,
        promise=Promise(asked_per_hour=1.0, vouched_per_hour=7.5),
        at=Named[AtLine](lines),
    )
    result = Result(auc=Named({}), table=(), events=events, frames=FrameCounts(videos=2, judged=9, abnormal=1))
    write_record(folder / f"judge-{way}-{seed}.json", result)


def _row(page: str, head: str, beginning: str) -> list[str]:
    """Cells of the first row below a heading that begins so."""
    part = page.split(f"## {head}")[1]
    row = next(line for line in part.splitlines() if line.startswith(f"| {beginning}"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_what_was_wanted_is_reached_by_the_mean_of_seeds_that_are_close(day_page, tmp_path) -> None:
    _write(tmp_path, "flow", 2020, 8)
    _write(tmp_path, "cpu", 2020, 9)
    _write(tmp_path, "cpu", 2, 9)
    _write(tmp_path, "cpu-known", 2020, 10)
    page = day_page.make_page(tmp_path)
    wanted = "Is it what was wanted?"
    assert _row(page, wanted, "preset `cpu`")[1:] == ["90.0", "85", "reached", "0.0", "4", "reached"]
    assert _row(page, wanted, "no network: optical flow")[1:] == ["80.0", "85", "not reached", "no seed", "", ""]
    assert "with known anomalies |" not in page.split("## What is found")[0]
    assert "What was wanted is reached." in page
    assert "finds 10.0 points more than optical flow alone" in page


def test_seeds_that_are_far_apart_and_one_seed_alone_are_said(day_page, tmp_path) -> None:
    _write(tmp_path, "tiny", 2020, 7)
    _write(tmp_path, "cpu", 2020, 9)
    _write(tmp_path, "cpu", 2, 8)
    page = day_page.make_page(tmp_path)
    wanted = "Is it what was wanted?"
    assert _row(page, wanted, "preset `cpu`")[4:] == ["10.0", "4", "not reached"]
    assert _row(page, wanted, "preset `tiny`")[4:] == ["-", "4", "one seed tells nothing"]
    found = _row(page, "What is found", "preset `cpu`")
    assert found[1:] == ["2", "100.0 [90.0, 100.0]", "90.0 [80.0, 100.0]", "85.0 [75.0, 95.0]", "75.0", "10.0"]
    assert _row(page, "How late", "preset `cpu`")[-1] == "0.5 / 1.0 / 8.5"


def test_short_of_what_was_wanted_the_page_says_by_how_much(day_page, tmp_path) -> None:
    _write(tmp_path, "flow", 2020, 6)
    page = day_page.make_page(tmp_path)
    assert "Most is found by optical flow: 60.0 %. That is 25.0 points short" in page
    assert "No network has been judged yet." in page


@pytest.mark.parametrize(
    ("interval", "word"), [((0.2, 3.0), "as asked"), ((1.5, 3.0), "more than asked"), ((0.1, 0.9), "fewer than asked")]
)
def test_each_training_says_whether_its_promise_is_kept(day_page, tmp_path, interval, word) -> None:
    _write(tmp_path, "flow", 2020, 6, interval)
    page = day_page.make_page(tmp_path)
    low, high = interval
    line = _row(page, "Is the promise", "no network: optical flow")
    assert line[1:] == ["40.0 [30.0, 50.0]", "7.5", "4.00", "3", f"0.8 [{low:.1f}, {high:.1f}]", word]
    by_night = "too little video to tell" if word == "as asked" else word  # half an hour cannot tell one an hour
    assert _row(page, "By day", "no network: optical flow")[1:] == [
        "night", "0.50", "3", f"6.0 [{low:.1f}, {high:.1f}]", by_night, "40.0", "60.0",
    ]  # fmt: skip


def test_kinds_that_only_this_set_has_are_marked(day_page, tmp_path) -> None:
    _write(tmp_path, "flow", 2020, 6)
    page = day_page.make_page(tmp_path)
    assert _row(page, "Which kinds", "`smoke`") == ["`smoke` *", "2", "0.0"]
    assert _row(page, "Which kinds", "`runner`") == ["`runner`", "8", "75.0"]
