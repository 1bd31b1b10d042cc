"""A table of figures as text: Markdown, LaTeX for a paper, a page, and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from oddframe.reporting.render import render

Style = Literal["markdown", "latex", "html", "csv"]

_FIGURE = re.compile(r"[-+]?\d[\d,]*(\.\d+)?")
_ESCAPES = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "±": r"$\pm$", "→": r"$\to$",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table of figures.

    Attributes:
        title: what it shows. columns: heads. rows: one list of texts each. notes: what its reader must know.
        label: how a paper refers to it, after "tab:oddframe-".
        compared: columns in which the highest figure is the best, among the rows that the first column says are alike.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    label: str = "table"
    compared: tuple[str, ...] = ()

    def render(self, style: Style) -> str:
        """The table as text."""
        return _STYLES[style](self)

    def filled(self) -> list[int]:
        """Places of the columns that have an entry."""
        return [place for place in range(len(self.columns)) if any(row[place] for row in self.rows)]

    def figures(self) -> list[bool]:
        """Which columns hold figures, and are flush right."""
        cells = [[row[place] for row in self.rows if row[place]] for place in range(len(self.columns))]
        return [bool(column) and all(_FIGURE.match(cell) for cell in column) for column in cells]

    def best(self) -> set[tuple[int, int]]:
        """(row, column) of the best figures, where there is more than one to choose from."""
        found = set()
        for place, column in enumerate(self.columns):
            if column not in self.compared:
                continue
            groups: dict[str, list[tuple[float, int]]] = {}
            for number, row in enumerate(self.rows):
                if figure := _FIGURE.match(row[place]):
                    groups.setdefault(row[0], []).append((float(figure[0].replace(",", "")), number))
            for group in groups.values():
                highest = max(value for value, _ in group)
                found |= {(number, place) for value, number in group if value == highest and len(group) > 1}
        return found


def _markdown(table: Table) -> str:
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]

    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    notes = [f"\n{note}" for note in table.notes]
    return "\n".join([f"### {table.title}\n", line(table.columns), rule, *map(line, table.rows), *notes]) + "\n"


def _latex(table: Table) -> str:
    """A table of two columns' width, for `\\usepackage{booktabs}`. Columns without a single entry are left out."""
    kept = table.filled()
    figures, best = table.figures(), table.best()
    lines = []
    for number, row in enumerate(table.rows):
        if number and row[0] != table.rows[number - 1][0] and table.compared:
            lines.append(r"\midrule")
        cells = (_latex_cell(row[place], bold=(number, place) in best) for place in kept)
        lines.append(" & ".join(cells) + r" \\")
    heads = " & ".join(_escaped(table.columns[place]) for place in kept)
    notes = [r"\par\smallskip\raggedright\footnotesize", *map(_escaped, table.notes)] if table.notes else []
    return "\n".join(
        [
            r"% \usepackage{booktabs}",
            r"\begin{table*}[t]",
            r"\centering",
            rf"\caption{{{_escaped(table.title)}}}",
            rf"\label{{tab:oddframe-{table.label}}}",
            rf"\begin{{tabular}}{{{''.join('r' if figures[place] else 'l' for place in kept)}}}",
            r"\toprule",
            rf"{heads} \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            *notes,
            r"\end{table*}",
            "",
        ]
    )


def _latex_cell(text: str, *, bold: bool) -> str:
    figure = _FIGURE.match(text)
    if bold and figure is not None:
        return rf"\textbf{{{figure[0]}}}" + _escaped(text[figure.end() :])
    return ("{}" if text.startswith("[") else "") + _escaped(text)  # after \\, a bracket would be an argument


def _escaped(text: str) -> str:
    """Text as LaTeX prints it; what stands in backquotes as code.

    >>> _escaped("50 % of `local_error`")
    '50 \\\\% of \\\\texttt{local\\\\_error}'
    """
    plain = "".join(_ESCAPES.get(mark, mark) for mark in text)
    return re.sub(r"`([^`]+)`", r"\\texttt{\1}", plain)


def _html(table: Table) -> str:
    """A page. Columns without a single entry are left out."""
    return render(
        "table.html.jinja",
        curves=[],
        title=table.title,
        table=table,
        kept=table.filled(),
        figures=table.figures(),
        best=table.best(),
    )


def _csv(table: Table) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.columns, *table.rows])
    return text.getvalue()


_STYLES: Mapping[Style, Callable[[Table], str]] = {"markdown": _markdown, "latex": _latex, "html": _html, "csv": _csv}
