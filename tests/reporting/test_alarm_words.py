"""Figures on alarms as people read them: sentences, tables, the curve, the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddframe.errors import NothingToJudgeError
from oddframe.evaluation.judge import judge
from oddframe.evaluation.stored import JudgedVideo, Span
from oddframe.reporting import alarm_words
from oddframe.reporting.alarm_curve import across, alarm_curve
from oddframe.reporting.pages import report
from oddframe.reporting.plot import plot
from oddframe.scoring.scores import AlarmLine, Event, Scores


def video(
    name: str, *, false: int = 0, found: bool = True, light: str = "", fps: float | None = 1 / 360
) -> JudgedVideo:
    """Thirty normal frames, three hours, and two of a cart; so many false alarms in the first hours."""
    frame, labels = np.arange(33), np.array([False] * 30 + [True] * 2 + [False])
    online = np.zeros(33, np.float32)
    online[2 : 2 + 3 * false : 3] = 4.0
    online[31] = 5.0 if found else 2.0
    alarms = [place for place in range(33) if online[place] >= 3]
    raised = tuple(
        Event(at, at + 1, at, 4.0, *((None, None, None) if fps is None else (at / fps,) * 3), None) for at in alarms
    )
    times = None if fps is None else frame / fps
    line = AlarmLine(3.0, 2.4, 1.0, 1.0)
    scores = Scores(name, (48, 64), fps, frame, times, {}, {}, online, online, online, line, raised)
    in_place = np.where(labels, 1, -1).astype(np.int8)
    return JudgedVideo(name, "", scores, labels, (Span(30, 32, "cart"),), {"light": light} if light else {}, in_place)


@pytest.fixture
def result():
    videos = [video("a", false=3, light="day"), video("b", found=False, light="night")]
    return judge(videos, known_kinds={"cart"})


def test_the_rate_asked_stands_beside_the_rate_seen(result):
    assert alarm_words.promise_in_words(result) == (
        "Asked for: 1 false alarm an hour. Seen: 3 in 6 h 12 min of normal video, 0.48 an hour (95 % interval 0.1 to "
        "1.4), as asked."
    )


def test_more_and_fewer_alarms_than_asked_are_told_apart():
    often = judge([video("a", false=9)])
    never = judge([video(name) for name in "abcd"])

    assert alarm_words.promise_in_words(often).endswith(", more than asked.")
    assert alarm_words.promise_in_words(never).endswith(", fewer than asked.")


def test_of_a_few_minutes_it_is_said_that_they_do_not_tell():
    short = judge([video("a", fps=1.0)])

    assert alarm_words.promise_in_words(short).endswith(", too little video to tell.")
    assert alarm_words.too_short_in_words(short) == (
        "31 s of normal test video is too short for 24, 6, 1 an hour: here that means no false alarm."
    )


def test_a_line_that_vouches_for_less_than_was_asked_says_so():
    one = video("a")
    line = AlarmLine(3.0, 2.4, 64.0, 1.0)

    words = alarm_words.promise_in_words(judge([replace(one, scores=replace(one.scores, line=line))]))

    assert words.endswith("it vouches only for fewer than 64.")


def test_each_line_has_a_row(result):
    table = alarm_words.lines_table(result)

    delay = "360 / 360 / 360"
    assert table.heads[2:4] == ("false an hour", "found %")
    assert table.rows[0] == ("run's own line", "3.00", "0.48", "50.0", "-", "50.0", delay, "4.8")
    assert table.rows[2] == ("at most 6 false an hour", "2.00", "0.48", "100.0", "-", "100.0", delay, "4.8")
    assert table.rows[3] == ("at most 1 false an hour", "2.00", "0.48", "100.0", "-", "100.0", delay, "4.8")


def test_lines_for_other_rates_have_a_row_each():
    lines = [AlarmLine(1.5, 1.2, 20.0, 24.0), AlarmLine(9.0, 7.2, 64.0, 1.0)]

    rows = alarm_words.promises_table(judge([video("a", false=3)], promised=lines)).rows

    assert rows == [
        ("24 false an hour", "20", "1.50", "0.97", "0.2 to 2.8", "no", "100.0", "100.0"),
        ("1 false an hour", "64", "9.00", "0", "0 to 1.2", "yes", "0.0", "0.0"),
    ]


def test_without_times_the_delay_is_in_frames_and_there_is_one_line():
    table = alarm_words.lines_table(judge([video("a", fps=None)]))

    assert table.heads[-2] == "delay frames"
    assert [row[0] for row in table.rows] == ["run's own line"]
    assert table.rows[0][2] == "-"


def test_kinds_and_conditions_have_rows(result):
    kinds, conditions = alarm_words.kinds_table(result), alarm_words.conditions_table(result)

    assert [row[:4] for row in kinds.rows] == [
        ("all known kinds", "2", "50.0", "100.0"),
        ("cart", "2", "50.0", "100.0"),
    ]
    assert [row[:4] for row in conditions.rows] == [
        ("light: day", "1", "3.10", "0.97"),
        ("light: night", "1", "3.10", "0"),
    ]
    assert conditions.rows[0][5:8] == ("yes", "1", "100.0")


def test_results_that_know_no_other_lines_have_no_tables(result):
    older = {name: result.events[name] for name in ("labelled", "found", "missed", "false", "false_per_hour")}
    old = result.changed(events=older)

    assert not alarm_words.lines_table(old)
    assert not alarm_words.kinds_table(old)
    assert not alarm_words.conditions_table(old)
    assert alarm_words.promise_in_words(old) == alarm_words.too_short_in_words(old) == ""
    assert alarm_curve(old) is None


def test_the_curve_goes_in_steps_to_the_right_edge(result):
    curve = alarm_curve(result)

    # nothing false and half found at 0; with three false alarms all is found, up to the edge
    at = across(3 / 6.2)
    assert curve.recall == f"M0.0 50.0L{at} 50.0L{at} 0.0L100.0 0.0"
    assert curve.in_place == curve.recall
    assert curve.band == ""
    assert [(mark.across, mark.down, mark.own) for mark in curve.marks][:2] == [
        (at, 50.0, True),
        (across(24), 0.0, False),
    ]


def test_alarms_are_read_first_on_the_page(result, tmp_path, read):
    text, parsed = read(report(result, tmp_path / "page.html", pictures=None))

    assert parsed.headings.index("anomalies found") < parsed.headings.index("AUC of online")
    assert parsed.headings.index("Alarms") < parsed.headings.index("Every test video")
    assert '<p class="big">1<small>of 2</small></p>' in text
    assert 'aria-label="Share of the anomalies found, by false alarms an hour"' in text
    assert "light: night" in text


def test_a_page_of_an_older_result_has_what_it_knows(result, tmp_path, read):
    older = {name: result.events[name] for name in ("labelled", "found", "missed", "false", "false_per_hour")}

    text, _ = read(report(result.changed(events=older), tmp_path / "page.html", pictures=None))

    assert "1 of 2 abnormal stretches raised an alarm." in text
    assert "Share of the anomalies found" not in text


@pytest.mark.slow
def test_the_plot_of_a_result_is_its_curve_of_alarms(result, tmp_path):
    figure = plot(result, tmp_path / "alarms.png")

    in_place, in_time, own = figure.axes[0].lines
    assert list(in_time.get_xdata()) == pytest.approx([0, 3 / 6.2, 100])
    assert list(in_time.get_ydata()) == [50.0, 100.0, 100.0]
    assert list(in_place.get_ydata()) == [50.0, 100.0, 100.0]
    assert (list(own.get_xdata()), list(own.get_ydata())) == (pytest.approx([3 / 6.2]), [50.0])
    assert (tmp_path / "alarms.png").stat().st_size > 1000


def test_a_result_without_a_curve_says_what_it_lacks():
    with pytest.raises(NothingToJudgeError, match="no curve of alarms"):
        plot(judge([video("a", fps=None)]))
