"""One command a table: train and judge the cells that are missing, then lay all of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oddframe.data import open_videoset
from oddframe.data.videoset import VideoSet
from oddframe.errors import SettingsError, nearest
from oddframe.progress import Watcher, unwatched
from oddframe.reproduce.cells import Budget, fill, settle_plan, work_on
from oddframe.reproduce.rows import TABLES, Row, rows_of
from oddframe.reproduce.table import Style, Table, figures_table, read_cells
from oddframe.scoring.scores import write_beside
from oddframe.settings import load_settings

_FILES: dict[Style, str] = {"markdown": ".md", "latex": ".tex", "html": ".html"}


@dataclass(frozen=True)
class Reproduction:
    """What a call made.

    Attributes:
        table: all cells that are done, beside what the paper prints.
        open_cells: names of what is not done. failed: name → why, of what was tried in this call.
    """

    table: Table
    open_cells: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


def reproduce(
    table: str,
    data: Path | str | VideoSet | Sequence[Path | str | VideoSet],
    out: Path | str,
    *,
    preset: str = "cpu",
    overrides: Sequence[str] = (),
    rows: Sequence[str] = (),
    folds: Sequence[int] | None = None,
    jobs: int = 1,
    device: str = "auto",
    train: bool = True,
    watch: Watcher = unwatched,
) -> Reproduction:
    """Make the counterpart of a table, and write it beside its cells as Markdown, LaTeX and HTML.

    Interrupted or killed, the same call goes on where it was.

    Args:
        table: one of `TABLES`.
        data: one or more sets of videos.
        out: folder for runs, cells and logs; cells of other settings in it are refused.
        preset, overrides: of every training: all rows have the same budget.
        rows: keys of rows; all if empty. folds: which of the `data.folds` folds; all if None.
        jobs: cells that are made at the same time, each in processes of its own.
        device: as everywhere. train: False lays out what is there.
        watch: told after each cell.

    Raises:
        SettingsError: an unknown table, row, preset or fold. RunError: the folder holds cells of other settings.
        DataError: as `open_videoset`. Cells that fail raise nothing: see `Reproduction.failed`.
    """
    if table not in TABLES:
        raise SettingsError("no such table", seen=table, wanted=" | ".join(TABLES), hint=nearest(table, TABLES))
    if jobs < 1:
        raise SettingsError("at least one cell is made at a time", seen=f"jobs {jobs}", wanted="1 or more")
    chosen = rows_of(table, tuple(rows))
    budget = Budget(preset, tuple(overrides), device)
    in_all = _folds_in_all(budget, chosen)
    wanted = tuple(range(in_all)) if folds is None else tuple(folds)
    if beyond := [fold for fold in wanted if not 0 <= fold < in_all]:
        raise SettingsError("no such fold", seen=beyond[0], wanted=f"0 to {in_all - 1}")
    given = [data] if isinstance(data, (str, Path, VideoSet)) else list(data)
    sets = [one if isinstance(one, VideoSet) else open_videoset(one) for one in given]
    out = Path(out)
    settle_plan(out, budget, sets)
    work = work_on(sets, chosen, wanted)
    failed = fill(out, work, budget, jobs=jobs, watch=watch).failed if train else {}
    laid_out = figures_table(TABLES[table][0], table, chosen, sets, read_cells(out, work), wanted, tuple(failed))
    for style, ending in _FILES.items():
        write_beside(out / f"{table}{ending}", laid_out.render(style))
    open_cells = tuple(one.cell(out, fold).stem for one in work for fold in one.open_folds(out))
    return Reproduction(laid_out, open_cells, failed)


def _folds_in_all(budget: Budget, rows: Sequence[Row]) -> int:
    """Build every row's settings, so that what is wrong with them is said before hours of training."""
    trained = [row for row in rows if row.detector is not None]
    if not trained:
        raise SettingsError("none of these rows can be trained", seen=", ".join(row.key for row in rows))
    built = [load_settings(budget.preset, detector=r.detector, overrides=budget.overrides_for(r)) for r in trained]
    taken = {override for row in trained for override in budget.overrides_for(row)}
    for override in budget.overrides:
        if override not in taken:  # then the settings of any row say what is wrong with it
            load_settings(budget.preset, detector=trained[-1].detector, overrides=[override])
    return built[0].data.folds
