"""The page on the paper names what there is, and all of the paper."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from oddframe.settings_layers import load_settings

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/equations.md").read_text("utf-8")


def tables(page: str) -> Iterator[list[dict[str, str]]]:
    """Every table as rows: head of the column → cell."""
    for table in re.findall(r"(?:^\|.*\n)+", page, re.M):
        heads, _, *rows = ([cell.strip() for cell in line.strip("|\n").split(" |")] for line in table.splitlines())
        yield [dict(zip(heads, (cell.strip("| ") for cell in row), strict=True)) for row in rows]


ROWS = [row for table in tables(PAGE) for row in table]


def places() -> list[tuple[str, str]]:
    """(file, name) of all columns "Where": a file, and the names that follow it."""
    found = set()
    for row in ROWS:
        file = ""
        for word in re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", row.get("Where", ""))):
            if word.endswith(".py"):
                file = word
            else:
                found.add((file, word))
    return sorted(found)


@cache
def names_in(file: str) -> set[str]:
    """What a file defines: "function", "Class", "Class.method", "CONSTANT"."""
    found = set()
    for node in ast.parse((ROOT / "src/oddframe" / file).read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return found


@pytest.mark.parametrize(("file", "name"), places())
def test_what_the_page_names_is_there(file, name):
    assert name in names_in(file)


def test_every_row_says_where():
    assert all("`" in row["Where"] for row in ROWS if "Where" in row)
    assert len(places()) > 50


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        ("Eq.", [str(number) for number in range(1, 19)]),
        ("", ["Table I", "Table II", "Table III", "Table IV", "Fig. 5", "Fig. 6", "Fig. 7"]),
        ("Section", ["III-A", "III-B", "III-C", "III-D", "III-E", *(f"IV-{part}" for part in "ABCDEFGH")]),
    ],
)
def test_all_of_the_paper_is_there(column, wanted):
    given = [row[column] for row in ROWS if column in row and "Where" in row]

    assert list(dict.fromkeys(given)) == wanted


def test_readings_of_the_presets_are_those_of_the_code():
    heads = ("`reading=text`", "`reading=code`")
    told = {row["Setting"].strip("`"): tuple(row[head] for head in heads) for row in ROWS if heads[0] in row}
    paper, authors = (dict(leaves(load_settings(preset).to_dict())) for preset in ("paper", "authors"))
    differing = {key: (paper[key], authors[key]) for key in paper if paper[key] != authors[key]}

    assert differing.pop("model.reading") == ("text", "code")
    assert told == differing


def test_settings_on_the_page_can_be_given():
    given = re.findall(r"`((?:\w+\.)?\w+=[^`]+)`", PAGE)
    assert len(given) > 8
    for setting in given:
        key = setting.partition("=")[0]
        detector = "mnad" if key == "test_update" else "mlep" if "224" in setting or key == "train.lr" else "dream-unet"
        load_settings("paper", detector=detector, overrides=[setting if "." in key else f"model.{setting}"])


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Setting → value as it is typed."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value if isinstance(value, str) else json.dumps(value)
