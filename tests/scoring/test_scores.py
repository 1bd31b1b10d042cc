"""The scores of a video as a table."""

from __future__ import annotations


def test_a_notebook_shows_from_when_to_when_each_event_lasts(scored):
    shown = scored([1.0] * 10 + [4.0] * 5, name="<gate>", events=[(14, 19)])._repr_html_()

    assert "<b>&lt;gate&gt;</b>: 15 frames judged, 1 event<table>" in shown
    assert "<td>14-18</td><td>1.4 - 1.9 s</td><td>1.4 s</td><td>4.00</td>" in shown


def test_a_notebook_shows_frames_alone_where_times_are_unknown(scored):
    shown = scored([4.0] * 5, fps=None, events=[(4, 9)])._repr_html_()

    assert "<td>4-8</td><td></td><td></td><td>4.00</td>" in shown
