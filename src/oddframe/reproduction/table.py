"""Cells side by side with what the paper prints."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from oddframe.errors import RunError, SettingsError
from oddframe.evaluation.figures import Auc, Named
from oddframe.records import read_record
from oddframe.reporting.alarm_words import rate
from oddframe.reporting.words import listed
from oddframe.reproduction.cells import Budget, Cell, Work, set_key
from oddframe.reproduction.frames import common_window, window_key, window_of
from oddframe.reproduction.layout import Table
from oddframe.reproduction.published import published_auc
from oddframe.reproduction.rows import ROWS, Row
from oddframe.settings import differences, given_online
from oddframe.settings_layers import settings_from_dict, without_removed

_MOST_BYTES = 64_000_000

_GIVEN = (
    "given: what a method learns from; normal video only, or known anomalies as well. printed: the paper's figure, "
    "over all its folds, with the score of the column `paper`. AUC micro in per cent."
)

_ALARMS = (
    "anomalies found: labelled stretches that an alarm at the run's own line meets, of all folds together; false "
    "alarms an hour: alarms that meet none, by the length of all normal test video. They are of all frames that a "
    "detector scores."
)

_FRAMES = "All are judged on the same frames: without the first {} and the last {} of each video."
_APART = "{}: judged on the frames that it scores: without the first {} and the last {} of each video."

SCORES = ("online", "learned", "paper", "psnr", "distance", "local_error", "local_distance", "motion", "flow")

Cells = Mapping[tuple[str, str], Mapping[str, Cell]]
"""(set, row) → part → the cell's JSON, as far as there are any."""


def read_cells(out: Path, work: Sequence[Work], budget: Budget) -> Cells:
    """Read what is done.

    Raises:
        RunError: a cell is damaged, or is not of the data and settings that this folder's plan asks for.
    """
    found: dict[tuple[str, str], dict[str, Cell]] = {}
    for one in work:
        for part in one.parts:
            path = one.cell(out, part)
            if path.is_file():
                cell = read_record(
                    path, Cell, "the cell", limit_bytes=_MOST_BYTES, hint="remove it and call again: its run is kept"
                )
                _refuse_other(cell, path, one, budget)
                found.setdefault((set_key(one.videos), one.row.key), {})[part.name] = cell
    return found


def _refuse_other(cell: Cell, path: Path, work: Work, budget: Budget) -> None:
    """Presets change from version to version, and files are copied: a table must not mix what comes of that."""
    try:
        differing = differences(settings_from_dict(without_removed(cell.settings)[0]), work.settings(budget))
    except SettingsError as error:
        differing = [error.problem]
    if cell.data.fingerprint != work.videos.fingerprint():
        differing.append("data: other videos or labels there than now")
    if differing:
        raise RunError(
            "a cell is not what this folder's plan.json asks for, as this version reads it",
            path=path,
            seen="; ".join(differing[:5]),
            wanted=f"preset {budget.preset} with {', '.join(work.overrides(budget)) or 'nothing else'}",
            hint=f"remove it and its run {work.run_folder(path.parents[1])}, and call again; or give another --out",
        )


TITLES = {
    "table2": "Table II: detectors",
    "table3": "Table III: memories and discriminators",
    "fig6": "Fig. 6: the runs that are drawn",
    "fig7": "Fig. 7: the run that is drawn",
}
"""Of what is laid out by `figures_table`."""


def figures_of(cell: Cell, what: str) -> Named[Auc]:
    """AUC of each score of a cell, on the frames that all detectors of a table or figure score.

    Those of a row that stands apart are of the frames that it scores itself.
    """
    if any(row.apart and row.key == cell.cell.row for row in ROWS[what]):
        return cell.auc
    return cell.cell.common.get(window_key(common_window(what)), Named[Auc]({}))


def gaps(what: str, rows: Sequence[Row], keys: Sequence[str], cells: Cells) -> tuple[str, ...]:
    """Sentences on what cells that are done have no figure for, each with the rows that it is true of."""
    found: dict[str, list[str]] = {}
    for key, row in itertools.product(keys, rows):
        for part, cell in cells.get((key, row.key), {}).items():
            if reason := _gap(cell, figures_of(cell, what)):
                found.setdefault(f"{key}, {part}: {reason}", []).append(row.label)
    return tuple(f"{sentence}: {', '.join(labels)}." for sentence, labels in found.items())


def _gap(cell: Cell, figures: Named[Auc]) -> str:
    """Why some figures of a cell are not defined; "" where all are."""
    frames, unsaid = cell.frames, len(cell.undefined_videos.paper)
    if not figures:
        return "no test video is so long that all detectors score a frame of it"
    if figures["online"].micro is None:
        kinds = {0: "normal", frames.judged: "abnormal"}
        kind = kinds.get(frames.abnormal, "of one kind where all detectors score them")
        return f"all judged frames are {kind}, so that no AUC is defined and no mean counts this part"
    if unsaid:
        return f"the figures of `paper` leave out {unsaid} of {frames.videos} videos, whose values are all equal"
    return ""


def made_of(rows: Sequence[Row], keys: Sequence[str], cells: Cells) -> tuple[str, ...]:
    """Sentences on which components count in `online`, each with the rows that it is true of."""
    found: dict[tuple[str, ...], list[str]] = {}
    for key, row in itertools.product(keys, rows):
        for cell in cells.get((key, row.key), {}).values():
            labels = found.setdefault(given_online(cell.setting("score.online"), list(cell.auc)), [])
            labels += [row.label] if row.label not in labels else []
    return tuple(f"online is made of {listed(names)}: {', '.join(labels)}." for names, labels in found.items())


def figures_table(
    what: str,
    rows: Sequence[Row],
    keys: Sequence[str],
    cells: Cells,
    folds: int,
    failed: Sequence[str] = (),
) -> Table:
    """One line a row and set: AUC micro in per cent of every score, mean ± standard deviation over the folds done.

    A single fold stands with its 95 % interval over test videos instead; figures that no fold defines stand as
    "undefined", with a note. `printed` is the paper's figure, which is offline and over all its folds: `paper` is the
    column to hold it against.

    Args:
        what: "table2", "table3", or a figure that is drawn from such cells. rows: its rows. keys: of the sets.
        folds: how many there are to do. failed: names of work that failed.
    """
    lines: list[tuple[str, ...]] = []
    window = common_window(what)
    notes = [_GIVEN, _FRAMES.format(window.before, window.after)]
    for row in rows:
        if row.apart and row.detector is not None:
            own = window_of(row.detector)
            notes.append(_APART.format(row.label, own.before, own.after))
    for key in keys:
        for row in rows:
            done = cells.get((key, row.key), {})
            printed = published_auc("table2" if what == "table2" else "table3", row.key, key)
            if row.detector is None and printed is None:
                continue
            state = "printed only" if row.detector is None else f"{len(done)} of {folds}"
            figures = [_over_folds([figures_of(cell, what).get(score) for cell in done.values()]) for score in SCORES]
            printed_text = "" if printed is None else f"{printed:.1f}"
            alarms = _alarms(list(done.values()))
            lines.append((key, row.label, row.given, printed_text, *alarms, *figures, *_budget(done), state))
    notes += [f"{row.label}: {row.note}." for row in rows if row.note and row.detector is not None]
    notes += [_ALARMS] if cells else []
    notes += made_of(rows, keys, cells)
    notes += gaps(what, rows, keys, cells)
    notes += [f"failed: {name}" for name in failed]
    heads = (
        "data",
        "method",
        "given",
        "printed",
        "anomalies found",
        "false alarms an hour",
        *(score.replace("_", " ") for score in SCORES),
        "steps",
        "min",
        "folds",
    )
    compared = tuple(head for head in heads if head in SCORES or head.replace(" ", "_") in SCORES)
    return Table(TITLES[what], heads, tuple(lines), tuple(notes), label=what, compared=compared)


def _over_folds(figures: Sequence[Auc | None]) -> str:
    there = [one for one in figures if one is not None]
    values = [100 * one.micro for one in there if one.micro is not None]
    if not values:
        return "undefined" if there else ""
    if len(values) > 1:
        return f"{mean(values):.1f} ± {stdev(values):.1f}"
    interval = next(one.interval for one in there if one.micro is not None)
    return f"{values[0]:.1f}" + ("" if interval is None else f" [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]")


def _alarms(done: Sequence[Cell]) -> tuple[str, str]:
    """Anomalies found of those labelled, and false alarms an hour, of all folds together; "" where there is none."""
    events = [cell.events for cell in done]
    labelled = sum(one.labelled for one in events)
    hours = [one.normal_hours for one in events if one.normal_hours is not None]
    found = f"{sum(one.found for one in events)} of {labelled}" if labelled else ""
    if len(hours) < len(events) or not sum(hours):
        return found, ""
    return found, rate(sum(one.false for one in events) / sum(hours))


def _budget(done: Mapping[str, Cell]) -> tuple[str, str]:
    """Steps and minutes of a training, which are the mean over folds where they differ."""
    if not done:
        return "", ""
    steps = mean(cell.cell.steps for cell in done.values())
    minutes = mean((cell.seconds_training or 0) / 60 for cell in done.values())
    return f"{steps:.0f}", f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.1f}"
