"""Cells become lines of a table; every figure can be checked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from oddframe.errors import SettingsError
from oddframe.evaluation.figures import Auc
from oddframe.reproduction.cells import Cell
from oddframe.reproduction.rates import rates_table
from oddframe.reproduction.rows import rows_of
from oddframe.reproduction.sizes import sizes_table
from oddframe.reproduction.table import Table, figures_table

PED2 = ["ucsd-ped2"]


def cell(
    online: float | None,
    minutes: float = 12.0,
    *,
    abnormal: int = 40,
    unsaid: Sequence[str] = (),
    given: Sequence[str] = ("psnr", "distance"),
):
    """Of two videos with 100 judged frames."""
    interval = None if online is None else (online - 0.1, min(online + 0.05, 1.0))
    figures = Auc(micro=online, macro=None, interval=interval, ap=None, eer=None)
    common = {key: {"online": figures} for key in ("4-0", "9-7")}  # the widest windows of Tables III and II
    about = {"set": "ucsd-ped2", "part": "fold0", "row": "mem", "label": "UNet+Mem", "given": "normal", "steps": 100}
    return Cell(
        cell=about | {"common": common},
        seconds_training=60 * minutes,
        frames={"videos": 2, "judged": 100, "abnormal": abnormal},
        settings={"score": {"online": ["distance", "local_distance"]}},
        auc=dict.fromkeys(("online", *given), figures),
        undefined_videos={"macro": [], "paper": unsaid},
        table=(),
        events={"labelled": 0, "found": 0, "missed": 0, "false": 0, "false_per_hour": None},
    )


def line(table: Table, label: str) -> dict[str, str]:
    return next(
        dict(zip(table.columns, row, strict=True)) for row in table.rows if row[table.columns.index("method")] == label
    )


def test_several_folds_stand_as_mean_and_standard_deviation_beside_the_printed_figure():
    cells = {("ucsd-ped2", "mem"): {"fold0": cell(0.90, 10), "fold1": cell(0.94, 14)}}

    table = figures_table("table3", rows_of("table3"), PED2, cells, 10)

    shown = line(table, "UNet+Mem")
    assert shown["online"] == "92.0 ± 2.8"  # half the difference times the root of two
    assert (shown["printed"], shown["given"], shown["folds"]) == ("94.4", "normal", "2 of 10")
    assert (shown["steps"], shown["min"]) == ("100", "12")


def test_a_table_says_what_online_is_made_of():
    cells = {
        ("ucsd-ped2", "mem"): {"fold0": cell(0.90), "fold1": cell(0.94)},
        ("ucsd-ped2", "dual-disc"): {"fold0": cell(0.90)},
        ("ucsd-ped2", "framediff"): {"fold0": cell(0.90, given=("psnr", "local_error", "motion"))},
    }

    notes = figures_table("table3", rows_of("table3"), PED2, cells, 10).notes

    assert "online is made of distance: UNet+Mem, UNet+DualMem+Disc." in notes
    assert "online is made of local_error: frame differences." in notes


def test_one_fold_stands_with_its_interval_and_an_open_row_is_empty():
    cells = {("ucsd-ped2", "mem"): {"fold3": cell(0.90)}}

    table = figures_table("table3", rows_of("table3"), PED2, cells, 10)

    assert line(table, "UNet+Mem")["online"] == "90.0 [80.0, 95.0]"
    assert line(table, "UNet+Disc")["online"] == ""
    assert line(table, "UNet+Disc")["folds"] == "0 of 10"


@pytest.mark.parametrize(("abnormal", "kind"), [(0, "normal"), (100, "abnormal")])
def test_a_fold_with_frames_of_one_kind_only_is_named_and_counts_in_no_mean(abnormal, kind):
    odd = cell(None, abnormal=abnormal)
    cells = {
        ("ucsd-ped2", "mem"): {"fold0": cell(0.90), "fold1": odd},
        ("ucsd-ped2", "disc"): {"fold1": odd},
    }

    table = figures_table("table3", rows_of("table3"), PED2, cells, 10)

    assert line(table, "UNet+Mem")["online"] == "90.0 [80.0, 95.0]"
    assert line(table, "UNet+Disc")["online"] == "undefined"
    (note,) = [one for one in table.notes if one.startswith("ucsd-ped2, fold1: ")]
    assert f"all judged frames are {kind}" in note
    assert note.endswith("UNet+Mem, UNet+Disc.")


def test_a_fold_without_a_frame_that_all_detectors_score_is_named():
    short = cell(0.90)
    short["cell"]["common"]["4-0"] = {}

    table = figures_table("table3", rows_of("table3"), PED2, {("ucsd-ped2", "mem"): {"fold0": short}}, 10)

    assert line(table, "UNet+Mem")["online"] == ""
    assert "ucsd-ped2, fold0: no test video is so long that all detectors score a frame of it: UNet+Mem." in table.notes


def test_videos_on_which_the_papers_score_is_undefined_are_counted():
    cells = {("ucsd-ped2", "mlep"): {"rate5": cell(0.90, unsaid=["01"])}}

    table = rates_table(rows_of("fig5", ("mlep",)), PED2, cells)

    assert "ucsd-ped2, rate5: the figures of `paper` leave out 1 of 2 videos" in table.notes[1]


def test_a_method_that_is_not_trained_here_is_marked_as_printed_only():
    table = figures_table("table2", rows_of("table2"), PED2, {}, 10)

    assert line(table, "OGNet")["folds"] == "printed only"
    assert "Contrast" not in {row[1] for row in table.rows}  # the paper has no figure of it on this set


def test_an_unknown_row_names_the_nearest():
    with pytest.raises(SettingsError, match="mnad"):
        rows_of("table2", ("mnat",))


@pytest.mark.parametrize(
    ("style", "wanted"),
    [
        ("markdown", ["### A < B", "| 92.0 ± 2.8 |", "\nmind the gap"]),
        ("latex", ["% A < B", "92.0 ± 2.8 \\\\", "\\toprule", "% mind the gap"]),
        ("html", ["<h3>A &lt; B</h3>", "<td>92.0 ± 2.8</td>", "<p>mind the gap</p>"]),
        ("text", ["A < B", "92.0 ± 2.8", "mind the gap"]),
    ],
)
def test_styles(style, wanted):
    text = Table("A < B", ("online",), (("92.0 ± 2.8",),), ("mind the gap",)).render(style)

    assert all(part in text for part in wanted), text


def test_rates_stand_in_columns_and_what_is_not_done_is_empty():
    cells = {("ucsd-ped2", "mlep"): {"rate5": cell(0.90), "rate25": cell(0.95)}}

    table = rates_table(rows_of("fig5", ("mlep",)), PED2, cells)

    shown = dict(zip(table.columns, table.rows[1], strict=True))
    assert (shown["score"], shown["1 %"], shown["5 %"], shown["25 %"]) == ("online", "", "90.0", "95.0")


def test_parameters_stand_beside_the_printed_millions():
    pytest.importorskip("torch")
    lines = {row[0]: row for row in sizes_table().rows}

    assert lines["dream-unet"] == ("dream-unet", "16,830,979", "14,471,171", "16.83")
    assert "framediff" not in lines
