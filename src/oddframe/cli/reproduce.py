"""The verb that makes the tables and figures of the paper again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oddframe.bars import watching
from oddframe.cli import options
from oddframe.cli.screen import on_a_terminal, print_json, print_table, say

if TYPE_CHECKING:
    from oddframe.reproduction.layout import Table

_FILES_ONLY = ("learned", "psnr", "local error", "local distance", "motion", "flow", "steps", "min")
"""Columns that would not fit on a terminal; the files have them, and so has what is piped."""
_WIDE = ("table2", "table3", "fig6", "fig7")


@options.spread
def reproduce(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="table1 (parameters), table2 (detectors), table3 (memories), table4 (distances to them), fig5 (rates "
            "of anomalies), fig6 (feature spaces) or fig7 (cases).",
        ),
    ],
    data: Annotated[
        list[Path] | None, typer.Argument(metavar="DATA...", help="Sets of videos; none for table1.")
    ] = None,
    *,
    opening: options.Opening,
    out: Annotated[Path, typer.Option("--out", help="Where runs, cells and the table go.")],
    preset: options.Preset = "cpu",
    overrides: options.Overrides = None,
    rows: Annotated[list[str] | None, typer.Option("--row", help="Only this row; may be repeated.")] = None,
    folds: Annotated[
        str | None, typer.Option("--folds", help="Which folds, e.g. 0,1 or 0-4.", show_default="all")
    ] = None,
    jobs: options.JobsAnywhere = None,
    engine: options.Engine = "local",
    address: options.Address = None,
    show: Annotated[bool, typer.Option("--show", help="Compute nothing; lay out what is there.")] = False,
    device: options.Device = "auto",
    json: options.Json = False,
) -> None:
    """Make a table or figure of the paper again: train and judge what is missing, with one budget for all rows.

    Interrupted, the same command goes on. Cells that are not done stand as open in the table.

    \b
    Examples:
      oddframe reproduce table1 --out runs/paper
      oddframe reproduce table3 ped2 --folds 0,1 --out runs/paper
      oddframe reproduce table2 ped2 --row mnad --set train.epochs=2 --jobs 2 --out runs/paper
      oddframe reproduce table2 ped2 --engine ray --address 10.0.0.5:6379 --out runs/paper
      oddframe reproduce table3 ped2 --folds 0,1 --show --out runs/paper
    """
    from oddframe.data.open import source_at
    from oddframe.reproduction.reproduce import reproduce

    sets = [source_at(one).instead(**opening.said()) for one in data or ()]
    with watching() as watch:
        made = reproduce(
            what, sets, out=out, preset=preset, overrides=overrides or (), rows=rows or (), folds=_numbers(folds),
            jobs=jobs, engine=engine, address=address, device=device, train=not show, watch=watch,
        )  # fmt: skip
    laid_out = made.table
    if json:
        rest = {"open": list(made.open_cells), "failed": made.failed}
        lines = [dict(zip(laid_out.columns, row, strict=True)) for row in laid_out.rows]
        print_json({"title": laid_out.title, "rows": lines, "notes": list(laid_out.notes), **rest})
    else:
        say(laid_out.title)
        left_out = (
            {*_FILES_ONLY, *(() if _sets(laid_out) > 1 else ("data",))} if what in _WIDE and on_a_terminal() else set()
        )
        shown = [place for place, head in enumerate(laid_out.columns) if head not in left_out]
        print_table(
            [laid_out.columns[place] for place in shown], [[row[place] for place in shown] for row in laid_out.rows]
        )
        for note in laid_out.notes:
            say(f"note: {note}")
        if made.open_cells:
            say(f"open: {len(made.open_cells)} cells ({', '.join(made.open_cells[:6])}"
                f"{' ...' if len(made.open_cells) > 6 else ''})")  # fmt: skip
        say(f"The table: {out / what}.md, .tex, .html and .csv")
        for picture in made.pictures:
            say(f"The picture: {picture}")
    if made.failed:
        raise typer.Exit(1)


def _sets(laid_out: Table) -> int:
    """How many sets of videos a table has lines of."""
    place = laid_out.columns.index("data")
    return len({row[place] for row in laid_out.rows})


def _numbers(text: str | None) -> list[int] | None:
    """Numbers and ranges, both ends included.

    >>> _numbers("0,2-4")
    [0, 2, 3, 4]
    """
    if text is None:
        return None
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.strip().isdigit() or (last and not last.strip().isdigit()):
            raise typer.BadParameter(f"{part!r} is no number and no range", param_hint="--folds")
        found += range(int(first), int(last or first) + 1)
    return found
