"""Every command that a message, a docstring or a page names is one that can be typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from oddframe.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
_COMMAND = re.compile(r"(?<![\w./-])oddframe ((?:[a-z]+ ?)[^`\n;|#,]*)")
_NO_COMMAND = re.compile(r"(made by|version of|import) oddframe |oddframe (has|itself)")


def texts(path: Path) -> Iterator[str]:
    """Every text of a source file; what is put into a text is written as X."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


@cache
def _program() -> TyperGroup:
    return typer.main.get_command(app)


def wrong(command: str) -> str | None:
    """What is wrong with the words after `oddframe`; None where nothing is."""
    group, words = _program(), command.split()
    while words and hasattr(group, "commands"):
        if words[0] not in group.commands:
            return f"no verb '{words[0]}'"
        group = group.commands[words.pop(0)]
    known = {name for one in group.params for name in (*one.opts, *one.secondary_opts)} | {"--help", "-h"}
    options = (word.partition("=")[0].rstrip(".,:)'\"") for word in words if re.match(r"--?[a-z]", word))
    return next((f"no option {option} of {group.name}" for option in options if option not in known), None)


def faults(said: Iterator[tuple[Path, str]]) -> list[str]:
    """What is wrong with commands, each told with its file."""
    found = [(path, command, wrong(command.partition(" #")[0])) for path, command in said]
    assert len(found) > 100
    return [f"{path.relative_to(ROOT)}: oddframe {command}: {fault}" for path, command, fault in found if fault]


def named() -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / "src").rglob("*.py")):
        for text in texts(path):
            yield from ((path, found[1]) for found in _COMMAND.finditer(_NO_COMMAND.sub("", text)))


def shown() -> Iterator[tuple[Path, str]]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        blocks = re.findall(r"^```(?:sh|bash|text)?\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            if re.match(r"(\$ )?oddframe ", line):
                yield path, line.removeprefix("$ ").removeprefix("oddframe ")


@pytest.mark.slow
def test_every_command_that_the_program_names_exists():
    assert faults(named()) == []


def test_every_command_that_a_page_shows_exists():
    assert faults(shown()) == []


def test_a_command_that_does_not_exist_would_be_found():
    assert wrong("scor VIDEO --run RUN") == "no verb 'scor'"
    assert wrong("data chek FOLDER") == "no verb 'chek'"
    assert wrong("score VIDEO --runn RUN") == "no option --runn of score"
    assert wrong("score VIDEO --run RUN") is None
