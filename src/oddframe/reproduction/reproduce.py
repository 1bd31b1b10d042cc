"""One command a table or figure: train and judge the cells that are missing, then lay all of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oddframe.data.open import opened
from oddframe.data.source import DataSource
from oddframe.data.videoset import VideoSet
from oddframe.errors import SettingsError, nearest
from oddframe.files import write_text
from oddframe.processes.engines import Where
from oddframe.progress import Watcher, unwatched
from oddframe.reproduction.cases import draw_cases
from oddframe.reproduction.cells import Budget, Part, Work, fill, fold_part, rate_part, set_key, settle_plan, work_on
from oddframe.reproduction.layout import Style, Table
from oddframe.reproduction.rates import RATES, draw_rates, rates_table
from oddframe.reproduction.rows import ROWS, Row, rows_of
from oddframe.reproduction.sizes import sizes_table
from oddframe.reproduction.spaces import analyses, draw_feature_spaces, ratios_table
from oddframe.reproduction.table import figures_table, read_cells
from oddframe.settings_layers import load_settings

if TYPE_CHECKING:
    from oddframe.evaluation.analysed import Analysis

WHAT = ("table1", "table2", "table3", "table4", "fig5", "fig6", "fig7")
_FILES: dict[Style, str] = {"markdown": ".md", "latex": ".tex", "html": ".html", "csv": ".csv"}


@dataclass(frozen=True)
class Reproduction:
    """What a call made.

    Attributes:
        table: all cells that are done, beside what the paper prints.
        open_cells: names of what is not done. failed: name → why, of what was tried in this call.
        pictures: files beside the table.
    """

    table: Table
    open_cells: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    pictures: tuple[Path, ...] = ()


def reproduce(
    what: str,
    data: Path | str | DataSource | VideoSet | Sequence[Path | str | DataSource | VideoSet] = (),
    *,
    out: Path | str,
    preset: str = "cpu",
    overrides: Sequence[str] = (),
    rows: Sequence[str] = (),
    folds: Sequence[int] | None = None,
    jobs: int | None = None,
    engine: str = "local",
    address: str | None = None,
    device: str = "auto",
    train: bool = True,
    watch: Watcher = unwatched,
) -> Reproduction:
    """Make the counterpart of a table or figure, and write it beside its cells as Markdown, LaTeX, HTML and CSV.

    Interrupted or killed, the same call goes on where it was. One folder can hold all tables and figures.

    Args:
        what: one of `WHAT`.
        data: one or more sets of videos, or recipes for them; none for "table1".
        out: folder for runs, cells and logs; cells of other settings in it are refused.
        preset, overrides: of every training: all rows have the same budget.
        rows: keys of rows; all if empty. folds: which of the `data.folds` folds, where there are folds; if None, all,
            or the first for a figure.
        jobs: cells that are made at the same time, each in processes of its own; without it one at a time here, and
            one for each core of a cluster.
        engine: "local", processes of this machine; or "ray", those of a Ray cluster, whose machines see data and `out`
            under the same paths. address: of the cluster's head, HOST:PORT; without it, a Ray of this machine alone.
        device: as everywhere. train: False computes nothing and lays out what is there.
        watch: told after each cell.

    Raises:
        SettingsError: an unknown table, row, preset or fold, no data, or data that cannot be told apart.
        RunError: the folder holds cells of other settings or data, or damaged ones. DataError: as `open_videoset`.
        Cells that fail raise nothing: see `Reproduction.failed`.
    """
    if what not in WHAT:
        raise SettingsError("no such table or figure", seen=what, wanted=" | ".join(WHAT), hint=nearest(what, WHAT))
    out = Path(out)
    if what == "table1":
        return Reproduction(_written(out, what, sizes_table()))
    where = Where(engine, address, jobs)
    given = [data] if isinstance(data, (str, Path, DataSource, VideoSet)) else list(data)
    if not given:
        raise SettingsError(f"{what} needs data", wanted="one or more sets of videos")
    chosen = rows_of(what, tuple(rows))
    budget = Budget(preset, tuple(overrides), device)
    parts = _parts(what, folds, _folds_in_all(budget, chosen))
    sets = [opened(one) for one in given]
    keys = _keys(sets)
    settle_plan(out, budget, sets)
    work = work_on(sets, chosen, parts)
    read_cells(out, work, budget)  # what cannot be laid out is said before hours of training
    failed = fill(out, work, budget, where=where, watch=watch).failed if train else {}
    cells = read_cells(out, work, budget)
    pictures: tuple[Path, ...] = ()
    looked_into = analyses(out, work, device, watch, make=train) if what in ("table4", "fig6") else []
    if what == "fig5":
        table = rates_table(chosen, keys, cells, tuple(failed))
        pictures = (draw_rates(out / "fig5.png", chosen, keys, cells),)
    elif what == "table4":
        table = ratios_table(keys, looked_into)
    else:
        table = figures_table(what, chosen, keys, cells, len(parts), tuple(failed))
        if what == "fig6":
            pictures = draw_feature_spaces(out / "fig6.png", looked_into)
        elif what == "fig7" and train:
            pictures = draw_cases(out / "fig7.png", out, work, device)
        elif what == "fig7" and (out / "fig7.png").is_file():
            pictures = (out / "fig7.png",)
    if what in ("table4", "fig6") and not train:
        table = _with_unanalysed(table, out, work, looked_into)
    open_cells = tuple(one.cell(out, part).stem for one in work for part in one.open_parts(out))
    return Reproduction(_written(out, what, table), open_cells, failed, pictures)


def _with_unanalysed(table: Table, out: Path, work: Sequence[Work], found: Sequence[tuple[Work, Analysis]]) -> Table:
    """A table with a note on what is trained and judged, but was never looked into."""
    there = {one.name for one, _ in found}
    lacking = [one.name for one in work if not one.open_parts(out) and one.name not in there]
    if not lacking:
        return table
    return replace(table, notes=(*table.notes, f"not analysed yet, which showing does not do: {', '.join(lacking)}"))


def _written(out: Path, what: str, table: Table) -> Table:
    out.mkdir(parents=True, exist_ok=True)
    for style, ending in _FILES.items():
        write_text(out / f"{what}{ending}", table.render(style))
    return table


def _keys(sets: Sequence[VideoSet]) -> list[str]:
    keys = [set_key(one) for one in sets]
    for one, key in zip(sets, keys, strict=True):
        if one.root is None:
            raise SettingsError("loose video files have no test videos", seen=one.name, wanted="a set of videos")
        if keys.count(key) > 1:
            raise SettingsError(
                "two sets of one name would share their cells", seen=key, wanted="each set once, under its own name"
            )
    return keys


def _parts(what: str, folds: Sequence[int] | None, in_all: int) -> list[Part]:
    if what == "fig5":
        if folds is not None:
            raise SettingsError("fig5 has rates instead of folds", seen=f"folds {list(folds)}", hint="leave them out")
        return [rate_part(rate) for rate in RATES]
    wanted = folds if folds is not None else range(1 if what in ("fig6", "fig7") else in_all)
    if beyond := [fold for fold in wanted if not 0 <= fold < in_all]:
        raise SettingsError("no such fold", seen=beyond[0], wanted=f"0 to {in_all - 1}")
    return [fold_part(fold) for fold in wanted]


def _folds_in_all(budget: Budget, rows: Sequence[Row]) -> int:
    """Build every row's settings, so that what is wrong with them is said before hours of training."""
    trained = [row for row in rows if row.detector is not None]
    if not trained:
        raise SettingsError("none of these rows can be trained", seen=", ".join(row.key for row in rows))
    built = [load_settings(budget.preset, detector=r.detector, overrides=budget.overrides_for(r)) for r in trained]
    every = [row for table in ROWS.values() for row in table if row.detector is not None]  # a folder's budget is of all
    taken = {override for row in every for override in budget.overrides_for(row)}
    for override in budget.overrides:
        if override not in taken:  # then the settings of any row say what is wrong with it
            load_settings(budget.preset, detector=trained[-1].detector, overrides=[override])
    return built[0].data.folds
