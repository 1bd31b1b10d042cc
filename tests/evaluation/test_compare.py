from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddframe.errors import NothingToJudgeError, RunError
from oddframe.evaluation.compare import compare
from oddframe.evaluation.judge import judge


@pytest.fixture
def result(judged):
    """`result(a=("01", [0, 1]), ...)`: the result of videos by name; fold, protocol and data may be given."""

    def make(fold=None, protocol="standard", fingerprint="f", detector="d", **videos):
        told = judge([judged(name, labels, values) for name, (labels, values) in videos.items()])
        return told.changed(fold=fold, protocol=protocol, data={"fingerprint": fingerprint}, detector=detector)

    return make


def test_a_run_does_not_differ_from_itself(result):
    one = result(a=("0101", [0, 2, 1, 3]), b=("01", [1, 0]), c=("01", [0, 1]), d=("01", [2, 3]), e=("01", [3, 2]))

    online = compare(one, one).differences["online"]

    assert (online["difference"], online["interval"]) == (0.0, [0.0, 0.0])


def test_the_difference_is_second_less_first(result):
    worse = result(a=("01", [1, 0]), b=("01", [3, 2]))
    better = result(a=("01", [0, 1]), b=("01", [2, 3]))

    online = compare(worse, better).differences["online"]

    # worse: of four pairs only (b odd, a normal) is right; better: all but (a odd, b normal)
    assert (online["first"], online["second"], online["difference"]) == (0.25, 0.75, 0.5)


def test_a_comparison_is_one_line(result):
    worse, better = result(a=("01", [1, 0]), b=("01", [3, 2])), result(a=("01", [0, 1]), b=("01", [2, 3]))

    shown = repr(compare(worse.changed(run="runs/worse"), better.changed(run="runs/better")))

    assert shown == "<Comparison of runs/worse and runs/better: standard, online AUC +50.0 points>"


def test_both_sides_are_judged_on_the_same_draws(result):
    # one of five abnormal frames more stands above the normal ones in every video; the videos differ more than that
    labels = "1" * 5 + "0" * 2
    hard, easy = [1, 1, 1, 0, 0, 0.5, 0.5], [1, 1, 1, 1, 1, 0.5, 0.5]
    harder, easier = [1, 1, 0, 0, 0, 0.5, 0.5], [1, 1, 1, 1, 0, 0.5, 0.5]
    first = result(a=(labels, harder), b=(labels, easier), c=(labels, easier), d=(labels, harder), e=(labels, harder))
    second = result(a=(labels, hard), b=(labels, easy), c=(labels, easy), d=(labels, hard), e=(labels, hard))

    online = compare(first, second).differences["online"]

    assert online["difference"] == pytest.approx(0.2)
    assert online["interval"] == pytest.approx([0.2, 0.2])
    low, high = first.auc["online"]["interval"]
    assert high - low > 0.3


def test_folds_are_matched_by_number_and_their_mean_is_the_figure(result):
    def fold(number, *values):
        return result(fold=number, protocol="kfold", a=("01", list(values)), b=("01", [0, 1]))

    good, bad = [0, 1], [1, 0]
    found = compare([fold(1, *bad), fold(0, *good)], [fold(0, *good), fold(1, *good)])

    # fold 1 of the first: of four pairs (1 > 0, 0 = 0, 1 = 1, 0 < 1) half are right
    assert found.folds == [0, 1]
    assert found.differences["online"]["first"] == 0.75
    assert found.differences["online"]["second"] == pytest.approx(1.0)


def test_frames_that_only_one_side_has_take_no_part(result):
    early, late = result(a=("0011", [0, 9, 1, 2])), result(a=("0111", [0, 1, 2, 3]))
    (video,) = late.scored
    late = late.with_scores([replace(video, scores=replace(video.scores, frame=np.arange(5, 9)))])

    found = compare(early, late)

    # frames 5 to 7 are shared; the normal one of them has 9 on the first side, above both abnormal ones
    assert found.frames == 3
    assert (found.differences["online"]["first"], found.differences["online"]["second"]) == (0.0, 1.0)


def test_a_video_on_which_paper_is_undefined_is_left_out_of_it_on_both_sides(judged):
    fine = [judged("a", "01", [0, 1]), judged("b", "01", [1, 0])]
    lame = [judged("a", "01", [0, 1]), judged("b", "01", [1, 0], paper=False)]

    found = compare(judge(fine), judge(lame)).differences

    assert found["paper"]["left_out"] == ["b"]
    assert found["paper"]["first"] == found["paper"]["second"] == 1.0
    assert found["online"]["left_out"] == []


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"fold": 1}, "folds"),
        ({"protocol": "kfold"}, "protocol"),
        ({"fingerprint": "g"}, "data"),
    ],
)
def test_results_of_other_folds_or_data_are_refused(result, changed, word):
    videos = {"a": ("01", [0, 1])}

    with pytest.raises(RunError, match=f"different {word}"):
        compare(result(**videos), result(**videos, **changed))


def test_results_on_other_videos_or_labels_are_refused(result):
    one = result(a=("01", [0, 1]))

    with pytest.raises(RunError, match="different test videos"):
        compare(one, result(b=("01", [0, 1])))
    with pytest.raises(RunError, match="those of 'a' differ"):
        compare(one, result(a=("11", [0, 1])))


def test_scores_are_needed_and_one_result_a_fold(result):
    one = result(a=("01", [0, 1]))

    with pytest.raises(RunError, match="without its scores"):
        compare(one, one.with_scores(()))
    with pytest.raises(RunError, match="two results of the same fold"):
        compare([one, one], one)


def test_frames_of_one_kind_cannot_be_compared(result):
    one = result(a=("00", [0, 1]))

    with pytest.raises(NothingToJudgeError):
        compare(one, one)


def test_stored_results_are_read_from_a_run_a_file_or_a_folder_of_runs(result, tmp_path):
    for fold in (0, 1):
        (tmp_path / "folds" / f"fold-{fold}").mkdir(parents=True)
        result(fold=fold, protocol="kfold", a=("01", [0, 1])).save(tmp_path / "folds" / f"fold-{fold}")
    single = tmp_path / "folds" / "fold-0"

    assert compare(tmp_path / "folds", str(tmp_path / "folds")).folds == [0, 1]
    assert compare(single, single / "eval-kfold.json").folds == [0]


# Alarms ----------------------------------------------------------------------------------------------------------

SLOW = 1 / 360
"""Frames a second: ten normal frames are an hour."""


def alarmed(judged, fold=None, **videos):
    """The result of videos by name: labels, scores, alarms."""
    told = judge([judged(name, *about, events=raised, fps=SLOW) for name, (*about, raised) in videos.items()])
    return told.changed(fold=fold, protocol="standard" if fold is None else "kfold", data={"fingerprint": "f"})


def test_the_second_runs_alarms_find_more_or_less_than_the_firsts(judged):
    labels = "0" * 10 + "1" + "0" * 10 + "1"
    one = alarmed(judged, a=(labels, [0] * 5 + [4] + [0] * 4 + [5] + [0] * 10 + [2], [(14, 15)]))
    other = alarmed(judged, a=(labels, [0] * 10 + [5] + [0] * 10 + [4], [(9, 10), (14, 15), (25, 26)]))

    events = compare(one, other).events

    own, six, single = (events[name] for name in ("own", "6", "1"))
    assert (own["first"], own["second"], own["difference"], own["interval"]) == (0.5, 1.0, 0.5, None)
    assert own["false_per_hour"] == pytest.approx([0.0, 0.5])  # one in two hours
    assert (six["first"], six["second"]) == (1.0, 1.0)  # below the false alarm at 4 the first one finds the other, too
    assert (single["first"], single["false_per_hour"]) == (1.0, pytest.approx([0.5, 0.0]))


def test_alarms_are_compared_on_the_same_draws(judged):
    hit, miss = ("0010", [0, 0, 5, 0], [(6, 7)]), ("0010", [0, 0, 0, 0], [])
    one = alarmed(judged, a=hit, b=miss, c=hit, d=miss, e=hit, f=miss)
    other = alarmed(judged, a=hit, b=hit, c=hit, d=hit, e=hit, f=hit)

    own = compare(one, other).events["own"]
    same = compare(one, one).events["own"]

    low, high = own["interval"]
    assert own["difference"] == 0.5
    assert 0 < low < 0.5 < high < 1  # how many of the drawn videos the first one misses
    assert same["interval"] == [0.0, 0.0]  # though its own recall varies as much


def test_alarms_of_several_folds_are_the_mean_of_them(judged):
    hit, miss = ("0010", [0, 0, 5, 0], [(6, 7)]), ("0010", [0, 0, 0, 0], [])
    one = [alarmed(judged, fold=0, a=hit), alarmed(judged, fold=1, b=miss)]
    other = [alarmed(judged, fold=0, a=hit), alarmed(judged, fold=1, b=hit)]

    own = compare(one, other).events["own"]

    assert (own["first"], own["second"]) == (0.5, 1.0)


def test_the_alarm_rule_is_the_runs_own(judged):
    result = alarmed(judged, a=("01", [0, 1], []))

    assert result.rule.shortest_s == 0.2
    told = result.changed(settings={"score": {"shortest_event_s": 3, "cool_down_s": 60.0}})
    assert (told.rule.shortest_s, told.rule.merge_s, told.rule.cool_down_s) == (3, 1.0, 60.0)
