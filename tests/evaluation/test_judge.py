from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from oddframe.errors import NothingToJudgeError
from oddframe.evaluation.figures import Classes
from oddframe.evaluation.judge import judge


def test_figures_pool_the_frames_of_all_videos(judged):
    result = judge([judged("a", "01", [0, 1]), judged("b", "01", [2, 3])])

    assert result.auc["online"]["micro"] == 0.75
    assert result.auc["online"]["macro"] == 1.0
    assert result.frames.to_dict() == {"videos": 2, "judged": 4, "abnormal": 2}


def test_psnr_counts_as_odder_when_it_falls(judged):
    result = judge([judged("a", "01", [0, 1], psnr=[30, 20], motion=[0.3, 0.2])])

    assert result.auc["psnr"]["micro"] == 1.0
    assert result.auc["motion"]["micro"] == 0.0


def test_a_video_on_which_paper_is_undefined_is_left_out_of_paper_only(judged):
    result = judge([judged("a", "01", [0, 1]), judged("b", "01", [1, 0], paper=False)])

    assert result.undefined_videos.paper == ("b",)
    assert result.auc["paper"]["micro"] == 1.0
    assert result.auc["online"]["micro"] == 0.5  # of four pairs one is won, one lost, two tied
    assert any("undefined on 1 of 2" in note for note in result.notes)


def test_videos_of_one_class_are_named(judged):
    result = judge([judged("a", "01", [0, 1]), judged("b", "11", [5, 6]), judged("c", "00", [5, 6])])

    assert result.undefined_videos.macro == ("b", "c")
    assert result.auc["online"]["macro"] == 1.0


def test_threshold_is_the_99_percent_quantile_of_heldout_normal_video(judged):
    video = judged("a", "00001", [0.5, 0.5, 0.5, 2.0, 3.0])

    threshold = judge([video], heldout={"online": [i / 100 for i in range(101)]}).threshold["online"]

    assert threshold.to_dict() == {
        "quantile": pytest.approx(0.99),
        "heldout_frames": 101,
        "normal_above": 0.25,  # promised was 0.01
        "recall": 1.0,
    }


def test_known_and_unknown_kinds_are_judged_apart(judged):
    kinds = [(6, 7, "cart"), (7, 9, "runner")]
    video = judged("a", "00111", [0, 2, 3, 1, 1], kinds=kinds)

    classes = judge([video], known_kinds={"cart"}).classes

    assert classes.known.to_dict() == {
        "online": 1.0,
        "paper": 1.0,
        "distance": None,
        "recall": None,
        "frames": 1,
        "kinds": ["cart"],
    }
    assert classes["unknown"]["online"] == 0.5
    assert classes.each["runner"].to_dict() == {"auc": 0.5, "recall": None, "frames": 2, "known": False}


def test_each_kind_has_its_own_share_above_the_line(judged):
    kinds = [(6, 7, "cart"), (7, 9, "runner")]
    video = judged("a", "00111", [0, 2, 3, 1, 4], kinds=kinds)

    classes = judge([video], known_kinds={"cart"}, heldout={"online": [2.5, 2.5]}).classes

    assert classes["known"]["recall"] == 1.0
    assert classes["unknown"]["recall"] == classes["each"]["runner"]["recall"] == 0.5


def test_without_named_kinds_there_are_no_classes(judged):
    assert judge([judged("a", "01", [0, 1])]).classes == Classes()


def test_a_stretch_is_found_when_any_alarm_overlaps_it(judged):
    # frames 4..11: stretches [5, 7) and [9, 11); alarms on 6, and on 4 alone
    video = judged("a", "01100110", [0] * 8, events=[(4, 5), (6, 8)])

    events = judge([video]).events

    assert (events["labelled"], events["found"], events["missed"], events["false"]) == (2, 1, 1, 1)
    assert events["normal_hours"] == pytest.approx(4 / 3600)
    assert events["false_per_hour"] == pytest.approx(900)
    assert events["normal_frames"] == 4
    assert (events["delay_frames"], events["delay_s"]) == (1, 1.0)
    assert (events["recall"], events["alarms"], events["precision"]) == (0.5, 2, 0.5)


def test_an_alarm_that_is_already_on_comes_without_delay_and_the_median_is_over_all_videos(judged):
    # frames from 4: stretches [6, 9); alarms from before it, three frames in, and none
    early = judged("a", "00111", [0] * 5, events=[(5, 7)])
    late = judged("b", "0011111", [0] * 7, events=[(10, 11)])
    never = judged("c", "00111", [0] * 5)

    assert judge([early, late, never]).events["delay_frames"] == 2
    assert judge([never]).events["delay_frames"] is None


def test_one_alarm_may_find_several_stretches_and_several_alarms_find_one_once(judged):
    # frames from 4: stretches [5, 6), [7, 8) under one alarm, [9, 13) under two
    video = judged("a", "010101111", [0] * 9, events=[(5, 8), (9, 10), (11, 12)])

    events = judge([video]).events

    assert (events["labelled"], events["found"], events["alarms"], events["false"]) == (3, 3, 3, 0)
    assert (events["recall"], events["precision"], events["delay_frames"]) == (1.0, 1.0, 0)


def test_an_alarm_that_ends_where_a_stretch_begins_is_false(judged):
    events = judge([judged("a", "00110", [0] * 5, events=[(4, 6), (8, 9)])]).events  # the stretch is [6, 8)

    assert (events["found"], events["false"]) == (0, 2)


def test_delay_in_seconds_follows_the_clock_of_each_video(judged):
    slow = judged("a", "00111", [0] * 5, events=[(8, 9)], fps=2.0)
    unknown = judged("b", "00111", [0] * 5, events=[(8, 9)], fps=None)

    assert judge([slow]).events["delay_s"] == 1.0
    assert judge([slow, unknown]).events["delay_s"] is None
    assert judge([slow, unknown]).events["delay_frames"] == 2


def test_what_is_not_there_has_no_share(judged):
    events = judge([judged("a", "000", [0] * 3)]).events

    assert events["recall"] is events["precision"] is events["delay_s"] is None
    assert events["false_per_hour"] == 0.0


def test_a_video_without_normal_frames_needs_no_clock_for_the_rate(judged):
    timed = judged("a", "001", [0] * 3, events=[(4, 5)])

    assert judge([timed, judged("b", "11", [0] * 2, fps=None)]).events["false_per_hour"] == 1800.0


def test_missing_frames_are_no_normal_time(judged):
    video = judged("a", "0000", [1, 2, 3, 4])
    frame = np.array([4, 5, 3605, 3606])
    scores = replace(video.scores, frame=frame, time_s=frame / 1.0)

    result = judge([replace(video, scores=scores)])

    assert result.events.normal_hours == pytest.approx(4 / 3600)  # not the hour in which nothing decoded


def test_a_note_of_one_video_among_several_says_which(judged):
    torn, whole = judged("torn", "01", [0, 1]), judged("whole", "01", [2, 3])
    torn = replace(torn, scores=replace(torn.scores, notes=("of all", "30 of 200 frames do not decode (79-108)")))
    whole = replace(whole, scores=replace(whole.scores, notes=("of all",)))

    notes = judge([torn, whole]).notes

    assert "'torn': 30 of 200 frames do not decode (79-108)" in notes
    assert "of all" in notes


def test_rates_per_hour_need_times(judged):
    assert judge([judged("a", "01", [0, 1], fps=None)]).events["false_per_hour"] is None


def test_a_test_set_without_anomalies_still_counts_false_alarms(judged):
    result = judge([judged("a", "000", [0, 9, 0], events=[(5, 6)])])

    assert result.auc["online"]["micro"] is None
    assert result.events["false"] == 1
    assert any("false alarms can" in note for note in result.notes)


def test_nothing_to_judge_is_said():
    with pytest.raises(NothingToJudgeError):
        judge([])


def test_the_table_has_a_row_a_video(judged):
    row = judge([judged("a", "011", [0, 1, 7], events=[(5, 7)])]).table[0]

    assert row.to_dict() == {
        "name": "a",
        "scene": "",
        "frames": 3,
        "abnormal": 2,
        "online": 1.0,
        "paper": 1.0,
        "highest": 7.0,
        "events_found": 1,
        "events_missed": 0,
        "false_events": 0,
    }


@pytest.mark.slow
def test_judging_stored_scores_needs_no_torch():
    code = (
        "import sys, oddframe.evaluation.judge, oddframe.evaluation.result; "
        "sys.exit(' '.join(m for m in ('torch', 'sklearn', 'matplotlib') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_scenes_are_judged_by_themselves_where_there_are_several(judged):
    gate = replace(judged("a", "0011", [1, 2, 3, 4]), scene="gate")
    road = replace(judged("b", "0011", [1, 4, 3, 2]), scene="road")

    assert not judge([gate]).scenes
    assert judge([gate, road, replace(gate, name="c")]).scenes.model_dump() == {
        "gate": {"videos": 2, "frames": 8, "abnormal": 4, "online": 1.0},
        "road": {"videos": 1, "frames": 4, "abnormal": 2, "online": 0.5},
    }


def test_labels_that_are_the_wrong_way_round_are_named(judged):
    right = judged("a", "00001111", [1, 2, 3, 4, 5, 6, 7, 8])
    wrong = judged("a", "11110000", [1, 2, 3, 4, 5, 6, 7, 8])

    assert not any("inverted" in note for note in judge([right]).notes)
    assert any("labels look inverted" in note for note in judge([wrong]).notes)
