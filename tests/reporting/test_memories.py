from __future__ import annotations

import json

import pytest

from oddframe.errors import RunError
from oddframe.evaluation.judge import judge
from oddframe.reporting.memories import drawn_analysis
from oddframe.reporting.pages import report


@pytest.fixture
def found():
    """An analysis of two items and four clips, as `analyse` leaves it."""
    return {
        "format": 1,
        "detector": "dream-unet",
        "run": "runs/gate",
        "clips": {"normal": 2, "abnormal": 2},
        "distances": {"normal": {"clips": 2, "own": 0.5, "other": 2.0, "ratio": 0.25, "inverse": 4.0}},
        "memories": {
            "normality": {
                "share": {"normal": [0.75, 0.25], "abnormal": [0.5, 0.5]},
                "dead": [1],
                "similarity": [[1.0, -0.5], [-0.5, 1.0]],
                "largest_similarity": -0.5,
            }
        },
        "spaces": [
            {
                "branch": "normality",
                "of": "clips",
                "points": [[0.0, 0.0], [2.0, 1.0]],
                "abnormal": [False, True],
            }
        ],
        "notes": ["<b>bold</b>"],
    }


@pytest.fixture
def run_page(judged, tmp_path):
    """The page of a run with this analysis.json in its folder."""

    def make(analysis: str | None):
        if analysis is not None:
            (tmp_path / "analysis.json").write_text(analysis)
        result = judge([judged("0011", [1.0, 3.0, 2.0, 4.0])]).changed(run=str(tmp_path), detector="dream-unet")
        return report(result, pictures=None)

    return make


def test_where_nothing_was_left_nothing_is_drawn(tmp_path):
    assert drawn_analysis(tmp_path) is None


def test_points_fill_the_picture_with_one_scale_for_both_axes(found, tmp_path):
    (tmp_path / "analysis.json").write_text(json.dumps(found))

    (space,) = drawn_analysis(tmp_path).spaces

    # the middle is (1, 0.5), and 2 across become 92 of 100
    assert space.dots == {"normal": "M4.0 27.0h0", "abnormal": "M96.0 73.0h0"}


def test_many_items_are_counted_and_not_drawn(found, tmp_path):
    use = found["memories"]["normality"]
    use["share"], use["similarity"] = {"normal": [0.02] * 50}, [[1.0] * 50] * 50
    (tmp_path / "analysis.json").write_text(json.dumps(found))

    (memory,) = drawn_analysis(tmp_path).memories

    assert (memory.size, memory.drawn, memory.similarity) == (50, False, [])


@pytest.mark.parametrize("broken", ["{", "[]", '{"format": 1}', '{"format": 2}'])
def test_what_cannot_be_read_is_said(broken, tmp_path):
    (tmp_path / "analysis.json").write_text(broken)

    with pytest.raises(RunError, match=r"the analysis (is|has)"):
        drawn_analysis(tmp_path)


def test_the_page_of_a_run_shows_both_ratios_bars_and_dots(found, run_page, read):
    text, parsed = read(run_page(json.dumps(found)))

    assert "What is in the memories" in parsed.headings
    assert '<td class="n">0.25</td><td class="n">4.00</td>' in text
    assert 'height="58.0"' in text  # the tallest bar, 0.75
    assert "item 1, normal clips: 25.0 % of queries" in text
    assert "1 dead</span> (1)" in text
    assert "items 0 and 1: -0.50" in text
    assert 'class="dots abnormal" d="M96.0 73.0h0"' in text
    assert "<b>bold</b>" not in text


def test_without_an_analysis_the_page_says_which_command_makes_it(run_page, read):
    page = run_page(None)

    assert f"<code>oddframe analyse {page.parent}</code>" in read(page)[0]


def test_a_damaged_analysis_is_a_note_and_no_end_of_the_page(run_page, read):
    text, _ = read(run_page("{"))

    assert "The analysis is damaged; <code>oddframe analyse" in text
