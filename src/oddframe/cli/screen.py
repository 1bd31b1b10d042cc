"""What people and programs see: results on standard output. Progress and warnings are in `bars.py`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def say(text: object = "") -> None:
    """Print text as it is, without markup."""
    Console(soft_wrap=True, highlight=False).print(str(text), markup=False)


def print_json(content: Any) -> None:
    """Print one JSON object."""
    print(json.dumps(content, indent=1, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; all columns but the first are flush right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=number > 0)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False).print(table)
