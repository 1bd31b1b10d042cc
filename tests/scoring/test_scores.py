"""The scores of a video as a table."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from oddframe.errors import MissingExtraError


@pytest.mark.parametrize(("events", "shown"), [([], "0 events"), ([(1, 2)], "1 event"), ([(0, 1), (3, 4)], "2 events")])
def test_scores_are_one_line(scored, events, shown):
    assert repr(scored([4.0] * 5, name="gate", events=events)) == f"<Scores of gate: 5 frames, {shown}>"


class Table(dict):
    """What is asked of a pandas DataFrame; pandas itself is no part of what the tests need."""

    def insert(self, place, name, values):
        before = list(self.items())
        self.clear()
        self.update([*before[:place], (name, values), *before[place:]])


class Spans:
    """What is asked of `pandas.to_timedelta`."""

    def __init__(self, seconds, unit):
        assert unit == "s"
        self.spans = [timedelta(seconds=float(one)) for one in seconds]

    def __radd__(self, began):
        return [began + span for span in self.spans]


def test_a_data_frame_has_the_columns_of_the_table_and_the_time_of_day_where_it_is_known(scored, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=Table, to_timedelta=Spans))
    scores = scored([1.0, 4.0])

    assert list(scores.to_dataframe()) == list(scores.columns())

    table = replace(scores, began=datetime(2026, 11, 28, 14)).to_dataframe()
    assert list(table)[:3] == ["frame", "at", "time_s"]
    assert [at.hour for at in table["at"]] == [14, 14]


def test_without_pandas_the_extra_is_named(scored, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"oddframe\[pandas\]"):
        scored([1.0]).to_dataframe()


def test_a_notebook_shows_from_when_to_when_each_event_lasts(scored):
    shown = scored([1.0] * 10 + [4.0] * 5, name="<gate>", events=[(14, 19)])._repr_html_()

    assert "<b>&lt;gate&gt;</b>: 15 frames judged, 1 event<table>" in shown
    assert "<td>14-18</td><td>1.4 - 1.9 s</td><td>1.4 s</td><td>4.00</td>" in shown


def test_a_notebook_shows_frames_alone_where_times_are_unknown(scored):
    shown = scored([4.0] * 5, fps=None, events=[(4, 9)])._repr_html_()

    assert "<td>4-8</td><td></td><td></td><td>4.00</td>" in shown


def test_the_frames_of_an_event_are_those_before_its_end(scored):
    assert scored([1.0, 4.0, 4.0, 1.0], events=[(5, 7)]).above_line().tolist() == [False, True, True, False]


def test_the_time_of_day_is_told_where_it_is_known(scored):
    scores = scored([1.0])
    timed = replace(scores, began=datetime(2026, 11, 28, 14, 31, 52))

    assert (scores.at(0.4), timed.at(None), timed.at(0.4)) == (None, None, "2026-11-28T14:31:52.400")
    assert (scores.to_dict()["began"], timed.to_dict()["began"]) == (None, "2026-11-28T14:31:52")


def test_frames_begin_anew_where_it_is_said_and_else_where_numbers_leap(scored):
    scores = replace(scored([1.0, 1.0, 1.0]), frame=np.array([4, 5, 7]), anew=None)

    assert scores.begins().tolist() == [False, False, True]
    assert replace(scores, anew=np.array([True, True, False])).begins().tolist() == [True, True, False]
