"""Cells become lines of a table; every figure can be checked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from oddframe.errors import SettingsError
from oddframe.evaluation.figures import Auc
from oddframe.reproduction.cells import Cell
from oddframe.reproduction.layout import Table
from oddframe.reproduction.rates import rates_table
from oddframe.reproduction.rows import rows_of
from oddframe.reproduction.sizes import sizes_table
from oddframe.reproduction.table import figures_table

PED2 = ["ucsd-ped2"]


def cell(
    online: float | None,
    minutes: float = 12.0,
    *,
    abnormal: int = 40,
    unsaid: Sequence[str] = (),
    given: Sequence[str] = ("psnr", "distance"),
    found: int = 0,
    false: int = 0,
    hours: float | None = None,
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
        events={
            "labelled": 12 if found else 0,
            "found": found,
            "missed": 12 - found if found else 0,
            "false": false,
            "false_per_hour": None,
            "normal_hours": hours,
        },
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


def test_alarms_of_all_folds_stand_together_in_the_table():
    both = {"fold0": cell(0.9, found=10, false=3, hours=2.0), "fold1": cell(0.9, found=12, false=0, hours=4.0)}
    cells = {("ucsd-ped2", "mem"): both, ("ucsd-ped2", "disc"): {"fold0": cell(0.9, found=12, false=1)}}

    table = figures_table("table3", rows_of("table3"), PED2, cells, 10)

    together, untimed = line(table, "UNet+Mem"), line(table, "UNet+Disc")
    assert (together["anomalies found"], together["false alarms an hour"]) == ("22 of 24", "0.5")
    assert (untimed["anomalies found"], untimed["false alarms an hour"]) == ("12 of 12", "")
    assert any(note.startswith("anomalies found: labelled stretches") for note in table.notes)


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
    avenue = figures_table("table2", rows_of("table2"), ["avenue"], {}, 10)
    ped2 = figures_table("table2", rows_of("table2"), PED2, {}, 10)

    assert line(avenue, "Contrast")["folds"] == "printed only"
    assert "Contrast" not in {row[1] for row in ped2.rows}  # the paper has no figure of it on this set


def test_a_row_that_stands_apart_is_judged_on_its_own_frames_and_leaves_the_others_theirs():
    own = cell(0.90)
    own = own.changed(cell=own.cell.changed(row="unmasking", common={}))

    table = figures_table(
        "table2", rows_of("table2", ("memae", "unmasking")), PED2, {("ucsd-ped2", "unmasking"): {"fold0": own}}, 10
    )

    assert line(table, "unmasking")["online"].startswith("90.0")
    assert "All are judged on the same frames: without the first 9 and the last 7 of each video." in table.notes
    assert any(
        note.startswith("unmasking: judged on the frames that it scores: without the first 23 ") for note in table.notes
    )


def test_an_unknown_row_names_the_nearest():
    with pytest.raises(SettingsError, match="mnad"):
        rows_of("table2", ("mnat",))


SHOWN = Table(
    "A < B at 5 %",
    ("data", "method", "online", "folds"),
    (
        ("ped2", "UNet_Mem", "92.0 ± 2.8", "2 of 10"),
        ("ped2", "DREAM", "97.1 [96.0, 98.2]", "1 of 10"),
        ("avenue", "DREAM", "80.0", ""),
    ),
    ("mind the `local_error`",),
    label="table3",
    compared=("online",),
)


def test_a_table_in_markdown():
    assert SHOWN.render("markdown") == (
        "### A < B at 5 %\n\n"
        "| data   | method   | online            | folds   |\n"
        "|--------|----------|-------------------|---------|\n"
        "| ped2   | UNet_Mem | 92.0 ± 2.8        | 2 of 10 |\n"
        "| ped2   | DREAM    | 97.1 [96.0, 98.2] | 1 of 10 |\n"
        "| avenue | DREAM    | 80.0              |         |\n"
        "\nmind the `local_error`\n"
    )


def test_a_table_in_latex_goes_into_a_paper_as_it_is():
    assert SHOWN.render("latex") == (
        "% \\usepackage{booktabs}\n"
        "\\begin{table*}[t]\n"
        "\\centering\n"
        "\\caption{A \\textless{} B at 5 \\%}\n"
        "\\label{tab:oddframe-table3}\n"
        "\\begin{tabular}{llrr}\n"
        "\\toprule\n"
        "data & method & online & folds \\\\\n"
        "\\midrule\n"
        "ped2 & UNet\\_Mem & 92.0 $\\pm$ 2.8 & 2 of 10 \\\\\n"
        "ped2 & DREAM & \\textbf{97.1} [96.0, 98.2] & 1 of 10 \\\\\n"
        "\\midrule\n"
        "avenue & DREAM & 80.0 &  \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\par\\smallskip\\raggedright\\footnotesize\n"
        "mind the \\texttt{local\\_error}\n"
        "\\end{table*}\n"
    )


def test_columns_without_an_entry_take_no_room_in_a_paper():
    text = Table("", ("data", "learned", "online"), (("ped2", "", "90.0"),)).render("latex")

    assert "\\begin{tabular}{lr}" in text
    assert "learned" not in text


def test_a_page_has_figures_flush_right_and_the_best_of_each_set_in_bold():
    page = SHOWN.render("html")

    assert "<h1>A &lt; B at 5 %</h1>" in page
    assert '<td data-head="online" class="n">92.0 ± 2.8</td>' in page
    assert '<td data-head="online" class="n strong">97.1 [96.0, 98.2]</td>' in page
    assert '<td data-head="online" class="n">80.0</td>' in page  # alone, it is not the best of anything
    assert "Mind the <code>local_error</code>" in page


def test_a_table_as_csv_has_one_line_a_row():
    assert SHOWN.render("csv").splitlines()[1:3] == [
        "ped2,UNet_Mem,92.0 ± 2.8,2 of 10",
        'ped2,DREAM,"97.1 [96.0, 98.2]",1 of 10',
    ]


def test_only_scores_are_compared_and_not_steps_or_what_the_paper_prints():
    cells = {("ucsd-ped2", "mem"): {"fold0": cell(0.90)}, ("ucsd-ped2", "disc"): {"fold0": cell(0.95)}}
    table = figures_table("table3", rows_of("table3"), PED2, cells, 10)

    best = {(table.rows[row][table.columns.index("method")], table.columns[column]) for row, column in table.best()}
    assert ("UNet+Disc", "online") in best
    assert {column for _, column in best} <= {"online", "learned", "paper", "psnr", "distance", "local error",
                                              "local distance", "motion"}  # fmt: skip


def test_rates_stand_in_columns_and_what_is_not_done_is_empty():
    cells = {("ucsd-ped2", "mlep"): {"rate5": cell(0.90), "rate25": cell(0.95)}}

    table = rates_table(rows_of("fig5", ("mlep",)), PED2, cells)

    shown = dict(zip(table.columns, table.rows[1], strict=True))
    assert (shown["score"], shown["1 %"], shown["5 %"], shown["25 %"]) == ("online", "", "90.0", "95.0")


@pytest.mark.slow
def test_parameters_stand_beside_the_printed_millions():
    pytest.importorskip("torch")
    lines = {row[0]: row for row in sizes_table().rows}

    assert lines["dream-unet"] == ("dream-unet", "16,830,979", "14,471,171", "16.83")
    assert "framediff" not in lines
