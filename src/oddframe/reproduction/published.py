"""What the paper prints, as data: to stand beside what was measured, never to be mixed with it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pydantic import BaseModel

Row = tuple[float | None, ...]
"""A figure for each column."""


class Printed(BaseModel):
    """What published.json holds. `columns`: kind of data → as the paper calls it."""

    columns: dict[str, str]
    table1: dict[str, float]
    table2: dict[str, Row]
    table2_own_test: dict[str, Row]
    table3: dict[str, Row]
    table4: dict[str, tuple[float, ...]]

    def table(self, name: str) -> dict[str, Row]:
        """A table of AUCs."""
        return {"table2": self.table2, "table2_own_test": self.table2_own_test, "table3": self.table3}[name]


@cache
def _printed() -> Printed:
    text = files("oddframe.reproduction").joinpath("published.json").read_text("utf-8")
    return Printed.model_validate_json(text)


def published_auc(table: str, row: str, kind: str) -> float | None:
    """AUC in per cent as printed; None where the paper prints a dash, or knows no such row or set.

    Args:
        table: "table2", "table2_own_test" (there, on all test videos instead of the folds') or "table3".
        row: key of a row. kind: of data.

    >>> published_auc("table2", "dream-unet", "ucsd-ped2")
    97.8
    """
    columns = list(_printed().columns)
    values = _printed().table(table).get(row)
    return None if values is None or kind not in columns else values[columns.index(kind)]


def published_ratio(which: str, kind: str) -> float | None:
    """A ratio of Table IV, "normal" or "abnormal"; None for a set that it does not have."""
    columns = list(_printed().columns)
    return _printed().table4[which][columns.index(kind)] if kind in columns else None


def published_millions(detector: str) -> float | None:
    """Parameters of Table I in millions. The figures of the ConvLSTM detectors are three times plain counts."""
    return _printed().table1.get(detector)
