"""What the paper prints, as data: to stand beside what was measured, never to be mixed with it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _printed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("oddframe.reproduction").joinpath("published.json").read_text("utf-8"))
    return found


def published_auc(table: str, row: str, kind: str) -> float | None:
    """AUC in per cent as printed; None where the paper prints a dash, or knows no such row or set.

    Args:
        table: "table2", "table2_own_test" (there, on all test videos instead of the folds') or "table3".
        row: key of a row. kind: of data.

    >>> published_auc("table2", "dream-unet", "ucsd-ped2")
    97.8
    """
    columns = list(_printed()["columns"])
    values = _printed()[table].get(row)
    return None if values is None or kind not in columns else values[columns.index(kind)]


def published_ratio(which: str, kind: str) -> float | None:
    """A ratio of Table IV, "normal" or "abnormal"; None for a set that it does not have."""
    columns = list(_printed()["columns"])
    return float(_printed()["table4"][which][columns.index(kind)]) if kind in columns else None


def published_millions(detector: str) -> float | None:
    """Parameters of Table I in millions. The figures of the ConvLSTM detectors are three times plain counts."""
    value: float | None = _printed()["table1"].get(detector)
    return value
