"""What people and programs see: results on standard output. Progress and warnings are in `bars.py`."""

from __future__ import annotations

import io
import json
import os
import sys
import webbrowser
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_WIDEST = 100_000
_NARROWEST = 16
"""Characters to which the first column of a table is folded on a narrow terminal."""


def let_printing_never_fail() -> None:
    """Have standard output show as an escape what it cannot encode: names in an older encoding, or older consoles."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def on_a_terminal() -> bool:
    """Whether people read what is printed, rather than a file or a program."""
    return sys.stdout.isatty()


def show_page(page: Path) -> None:
    """Open a page in a browser, where somebody sits before a screen. A browser of the terminal would take it over."""
    screen = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen and on_a_terminal():
        webbrowser.open(page.resolve().as_uri())


def say(text: object = "") -> None:
    """Print text as it is, without markup."""
    Console(soft_wrap=True, highlight=False).print(str(text), markup=False)


def print_json(content: Any) -> None:
    """Print one JSON object."""
    print(json.dumps(content, indent=1, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; all columns but the first are flush right. Columns without name and content are left out.

    No column and no name is cut. On a terminal that is too narrow the first column is folded; where that does not do,
    and where there is no terminal, lines are as long as they are.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    listed = list(rows)
    kept = [number for number, column in enumerate(columns) if column or any(row[number] for row in listed)]
    for number in kept:  # rich takes a column without content to be no part of the width, and still gives it some
        table.add_column(columns[number], justify="right" if number else "left", no_wrap=number > 0, overflow="fold")
    for row in listed:
        table.add_row(*(row[number] for number in kept))
    console = Console(highlight=False, markup=False)
    wide = Console(width=_WIDEST, markup=False)
    whole, first = wide.measure(table).maximum, wide.measure(_first_column(table)).maximum
    if not console.is_terminal or console.width < whole - max(0, first - _NARROWEST):
        console.width = max(whole, 1)
    console.print(table, crop=False)


def _first_column(table: Table) -> Table:
    alone = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    alone.add_column(table.columns[0].header)
    for cell in table.columns[0].cells:
        alone.add_row(cell)
    return alone
