from __future__ import annotations

import json
import os

import numpy as np
import pytest

from oddframe.errors import MissingPathError, RunError
from oddframe.evaluation.judge import judge
from oddframe.evaluation.result import Result, percent


@pytest.fixture
def result(judged):
    return judge(
        [
            judged("a", "0011", [0, 1, 2, 3], events=[(6, 8)], kinds=[(6, 8, "cart")], psnr=[30, 29, 28, 27]),
            judged("b", "11", [1, 2], paper=False, fps=None, psnr=[30, 20]),
        ],
        known_kinds={"cart"},
        heldout={"online": np.array([0.0, 1.0])},
    )


def test_json_round_trip(result):
    assert Result.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def test_a_saved_result_comes_back_with_its_scores(result, tmp_path):
    path = result.save(tmp_path)

    back = Result.load(tmp_path)

    assert path.name == "eval-standard.json"
    assert back == result == Result.load(path)
    first, second = back.scored
    np.testing.assert_array_equal(first.scores.online, [0, 1, 2, 3])
    np.testing.assert_array_equal(first.labels, [False, False, True, True])
    assert first.scores.events == result.scored[0].scores.events
    assert first.kinds == result.scored[0].kinds
    assert second.scores.paper is None
    assert second.scores.time_s is None
    assert judge(back.scored, known_kinds={"cart"}, heldout={"online": [0.0, 1.0]}) == result


def test_judging_by_the_other_ground_truth_leaves_the_first_result_alone(result, tmp_path):
    for truth in ("masks", "frames"):
        result.changed(data={"ground_truth": truth}).save(tmp_path)

    assert sorted(path.name for path in tmp_path.glob("*.json")) == [
        "eval-standard-frames.json",
        "eval-standard-masks.json",
    ]


def test_a_result_without_its_scores_is_still_a_result(result, tmp_path):
    result.save(tmp_path)
    (tmp_path / "eval-standard-scores.npz").unlink()

    assert Result.load(tmp_path).scored == ()


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(MissingPathError, match="oddframe eval"):
        Result.load(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_or_newer_result_is_refused(text, tmp_path):
    (tmp_path / "eval-standard.json").write_text(text)

    with pytest.raises(RunError):
        Result.load(tmp_path)


def test_damaged_scores_are_refused(result, tmp_path):
    result.save(tmp_path)
    scores = tmp_path / "eval-standard-scores.npz"
    scores.write_bytes(scores.read_bytes()[:-40])

    with pytest.raises(RunError, match="damaged"):
        Result.load(tmp_path)


def test_a_pickle_in_the_scores_is_refused(result, tmp_path):
    result.save(tmp_path)
    np.savez(tmp_path / "eval-standard-scores.npz", videos=np.array([{"evil": 1}], dtype=object))

    with pytest.raises(RunError):
        Result.load(tmp_path)


def test_a_notebook_shows_the_figures(result):
    shown = result._repr_html_()

    assert "<td>online</td>" in shown
    assert "Alarms: 1 of 2 anomalies found, 0 false" in shown


def test_undefined_is_a_dash():
    assert percent(None) == "-"


def test_a_folder_gives_its_main_result_and_the_newest_where_there_is_none(result, tmp_path):
    made = {"backend": "torch", "device": "cpu"}
    seeds = [result.changed(judging={**made, "seed": n, "apart": (f"seed{n}",)}) for n in (1, 2)]
    result.save(tmp_path)
    for number, one in enumerate(seeds):
        os.utime(one.save(tmp_path), (2e9 + number, 2e9 + number))

    assert Result.load(tmp_path) == result
    (tmp_path / "eval-standard.json").unlink()
    assert Result.load(tmp_path).judging.seed == 2
