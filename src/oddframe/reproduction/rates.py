"""Fig. 5: detection over the share of known anomalies in the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from oddframe.outside import new_figure
from oddframe.reproduction.cells import Cell, rate_part
from oddframe.reproduction.layout import Table
from oddframe.reproduction.rows import Row
from oddframe.reproduction.table import Cells, figures_of, gaps

RATES = (0.01, 0.05, 0.10, 0.15, 0.20, 0.25)
"""Shares of abnormal clips in the training of Fig. 5."""

_SCORES = ("paper", "online")
_NOTE = (
    "Half of the anomalous test videos, drawn at random, is judged; known anomalies are drawn from the other half. "
    "AUC micro in per cent. The paper prints curves and no figures. A method that is given normal video only is the "
    "same at every rate."
)


def rates_table(rows: Sequence[Row], keys: Sequence[str], cells: Cells, failed: Sequence[str] = ()) -> Table:
    """One line a set, row and score; a column for each rate. What a cell has no figure for stands as a note."""
    lines = []
    for key in keys:
        for row in rows:
            done = cells.get((key, row.key), {})
            for score in _SCORES:
                figures = [_micro(done, rate, score) for rate in RATES]
                shown = ["" if value is None else f"{value:.1f}" for value in figures]
                lines.append((key, row.label, row.given, score, *shown))
    heads = ("data", "method", "given", "score", *(f"{100 * rate:g} %" for rate in RATES))
    notes = (_NOTE, *gaps("fig5", rows, keys, cells), *(f"failed: {name}" for name in failed))
    return Table("Fig. 5: rates of known anomalies", heads, tuple(lines), notes, label="fig5")


def draw_rates(path: Path, rows: Sequence[Row], keys: Sequence[str], cells: Cells) -> Path:
    """Draw a panel for each set and score, a curve for each row.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure("a picture", (4.2 * len(_SCORES), 3.2 * len(keys)))
    panels = figure.subplots(len(keys), len(_SCORES), squeeze=False)
    for line, key in zip(panels, keys, strict=True):
        for axes, score in zip(line, _SCORES, strict=True):
            for row in rows:
                done = cells.get((key, row.key), {})
                points = [(100 * rate, value) for rate in RATES if (value := _micro(done, rate, score)) is not None]
                if points:
                    axes.plot(*zip(*points, strict=True), marker=".", label=row.label)
            axes.set(title=f"{key}: {score}", xlabel="known anomalies in training, per cent")
            axes.spines[["top", "right"]].set_visible(False)
        line[0].set_ylabel("AUC micro, per cent")
    if panels[0][0].has_data():
        panels[0][-1].legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    return path


def _micro(done: Mapping[str, Cell], rate: float, score: str) -> float | None:
    """AUC in per cent of a cell; None where it is not done, or has no such score."""
    cell = done.get(rate_part(rate).name)
    figures = None if cell is None else figures_of(cell, "fig5").get(score)
    return None if figures is None or figures.micro is None else 100 * figures.micro
