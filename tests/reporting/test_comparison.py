from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from oddframe.errors import MissingPathError
from oddframe.evaluation.judge import judge
from oddframe.reporting.comparison import names_of, settings_that_differ
from oddframe.reporting.pages import report

WORSE = {"a": ("01", [1.0, 0.0]), "b": ("01", [3.0, 2.0])}
BETTER = {"a": ("01", [0.0, 1.0]), "b": ("01", [2.0, 3.0])}


@pytest.fixture
def run(judged):
    """`run("runs/a", {"video": ("01", [0, 1])}, ...)`: the result of a run; fold, fingerprint, ... may be given."""

    def make(folder, videos, *, fingerprint="f", **options):
        told = judge([judged(labels, values, name=name) for name, (labels, values) in videos.items()])
        own = {"detector": "dream-unet", "parameters": 1234, "seconds_training": 90.0, "folds": 2}
        own["trained_on"] = {"normal": ["n", "m"], "known": ["k"]}
        return told.changed(run=folder, data={"fingerprint": fingerprint, "name": "gate"}, **(own | options))

    return make


@pytest.fixture
def page(read, tmp_path):
    """`page(runs)`: text and tags of their page."""
    return lambda runs: read(report(runs, tmp_path / "compare.html"))


def test_several_runs_stand_on_one_page_that_asks_for_nothing_from_outside(run, page):
    text, parsed = page([run("runs/first", WORSE), run("runs/second", BETTER)])

    assert parsed.headings == [
        "2 runs on gate", "The runs", "Alarms", "How well, by each score", "Differences to first",
        "What a line finds, and what it costs", "The same videos, run by run",
    ]  # fmt: skip
    assert not re.search(r"https?:|url\(|@import", text)
    links = [value for name, value in parsed.attributes if name in ("src", "href", "srcset", "action")]
    assert all(link.startswith("data:") for link in links)
    assert '<td class="wordy">2 normal videos, 1 with known anomalies</td>' in text
    assert '<td class="n">1,234</td><td class="n">1.5</td>' in text


def test_the_difference_is_second_less_first_with_its_words(run, page):
    text, _ = page([run("runs/first", WORSE), run("runs/second", BETTER)])

    # of four pairs only (b odd, a normal) is right in the first, all but (a odd, b normal) in the second
    assert "second is 50.0 points better than first; so few videos do not say how sure that is." in text
    assert '<span class="">+50.0</span></td>' in text


def test_a_difference_that_holds_for_nearly_all_draws_is_bold_and_called_more_than_luck(run, page):
    worse, better = (
        {f"{copy}{name}": said for copy in range(3) for name, said in one.items()} for one in (WORSE, BETTER)
    )

    text, _ = page([run("runs/first", worse), run("runs/second", better)])

    assert re.search(
        r"second is 50\.0 points better than first \(95 % interval \+50\.0 to \+\d+\.0\): more than the luck", text
    )
    assert '<span class="strong">+50.0</span><small>+50.0 to +' in text


def test_runs_that_do_not_fit_the_first_are_named_and_the_others_still_compared(run, page):
    first, same = run("runs/first", WORSE, fold=0), run("runs/same", WORSE, fold=0)
    fold, data = run("runs/fold", BETTER, fold=1), run("runs/data", BETTER, fold=0, fingerprint="g")

    text, _ = page([first, fold, data, same])

    assert (
        "&#39;fold&#39; is not compared with &#39;first&#39;: runs of different folds cannot be compared (0 and 1)."
        in text
    )
    assert (
        "&#39;data&#39; is not compared with &#39;first&#39;: runs of different data cannot be compared (f and g)."
        in text
    )
    assert "same and first reach the same." in text
    assert "2 videos that only one run has judged" in text  # a and b of the other data


def test_strips_of_one_video_stand_under_each_other_on_one_scale(run, page, embedded):
    late = run("runs/late", {"a": ("1", [1.0]), "b": ("01", [2.0, 3.0])})
    video = late.scored[0]
    moved = replace(video, scores=replace(video.scores, frame=np.array([5]), time_s=np.array([0.5])))
    late = late.with_scores((moved, late.scored[1]))

    text, _ = page([run("runs/early", WORSE), late])

    strips = embedded(text)
    assert [one["name"] for one in strips] == ["early", "late", "early", "late"]
    assert [(one["frame"], one["first"], one["last"]) for one in strips[:2]] == [([4, 5], 4, 5), ([5], 4, 5)]
    assert re.findall(r'data-video="(\d)"', text) == ["0", "1", "2", "3"]


def test_a_run_without_its_scores_has_figures_and_a_note(run, page):
    text, parsed = page([run("runs/first", WORSE), run("runs/bare", BETTER).with_scores(())])

    assert "The scores of single frames of &#39;bare&#39; are not beside its result" in text
    assert "a result without its scores cannot be compared" in text
    assert "No other run can be compared with first frame by frame." in text
    assert "The same videos, run by run" not in parsed.headings


def test_names_cannot_break_out_of_the_page(run, page):
    text, _ = page([run("runs/<script>alert(1)", WORSE), run("runs/b", BETTER, detector="<img src=x>")])

    assert "<script>alert" not in text
    assert "<img" not in text


def test_one_run_in_a_list_has_its_own_page(run, tmp_path):
    run("", BETTER).save(tmp_path)

    assert report([tmp_path], pictures=None) == tmp_path / "report.html"


def test_a_run_that_was_not_judged_and_no_run_at_all_are_said(run, tmp_path):
    with pytest.raises(MissingPathError, match=r"has not been judged(.|\n)*oddframe eval"):
        report([run("runs/a", BETTER), tmp_path])
    with pytest.raises(MissingPathError, match="no run is named"):
        report([])


@pytest.mark.slow
def test_runs_have_as_much_of_their_path_as_tells_them_apart(run):
    def names(*folders):
        return names_of([run(folder, BETTER) for folder in folders])

    assert names("x/runs/a", "x/runs/b") == ["a", "b"]
    assert names("x/one/run", "x/two/run") == ["one/run", "two/run"]
    assert names("x/run", "run") == ["x/run", "run"]
    assert names("run", "run") == ["run (1)", "run (2)"]
    assert names("", "run") == ["dream-unet", "run"]


def test_only_settings_on_which_two_runs_differ_are_told(run):
    settings = [
        {"detector": "dream-unet", "model": {"size": [96, 144], "items": 10}, "train": {"epochs": 3}},
        {"detector": "dream-unet", "model": {"size": [48, 64], "items": 10}, "train": {"epochs": 3}},
        {"detector": "framediff", "model": {"size": [48, 64]}, "train": {"epochs": 3}},
        {"detector": "framediff", "model": {}, "train": {"epochs": 3}},
    ]

    told = settings_that_differ([run("r", BETTER, settings=one) for one in settings])

    assert told == [("model.size", ["96, 144", "48, 64", "48, 64", "-"])]
