"""The walls of the house, and what every file keeps to."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_each_layer_imports_only_those_below_it():
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed beside this Python")
    done = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_no_module_imports_itself_through_others():
    """Inside functions or not, and also where type checkers alone read it."""
    modules = {
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__"): path
        for path in SOURCES
    }
    imports = {name: _imported(tree(path), modules) - {name} for name, path in modules.items()}
    imports.pop("oddframe")  # names its children, which are loaded when they are asked for

    list(TopologicalSorter(imports).static_order())  # a circle is a CycleError, which names it


def _imported(tree: ast.AST, modules: Collection[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if inside in modules else str(node.module))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        else:
            found |= _imported(node, modules)
    return found & set(modules)


def test_no_file_holds_more_than_one_room():
    long = {path.name: lines for path in SOURCES if (lines := len(path.read_text("utf-8").splitlines())) > 420}

    assert not long


def test_every_module_says_what_it_is():
    silent = [path.name for path in SOURCES if not ast.get_docstring(tree(path))]

    assert not silent


def test_nothing_ever_unpickles():
    """torch.load, pickle and allow_pickle=True run what a stranger's file says.

    One file is read so: weights of a package, which come in no other form. Their SHA-256 is compared before.
    """
    known = ("efficientnet.py", "torch.load(io.BytesIO(content), map_location='cpu', weights_only=True)")
    found = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                found += [path.name for alias in node.names if alias.name in ("pickle", "joblib", "shelve", "dill")]
            elif isinstance(node, ast.ImportFrom):
                found += [path.name] if node.module in ("pickle", "joblib", "shelve", "dill") else []
            elif isinstance(node, ast.Call):
                name = ".".join(_words(node.func))
                open_to_pickle = any(
                    word.arg == "allow_pickle" and ast.unparse(word.value) != "False" for word in node.keywords
                )
                no_word = name == "np.load" and not any(word.arg == "allow_pickle" for word in node.keywords)
                loads = name == "torch.load" and (path.name, ast.unparse(node)) != known
                found += [path.name] if loads or open_to_pickle or no_word else []

    assert not found


def _words(node: ast.AST) -> list[str]:
    """["torch", "load"] of torch.load; nothing of what is no plain name."""
    if isinstance(node, ast.Attribute):
        return [*before, node.attr] if (before := _words(node.value)) else []
    return [node.id] if isinstance(node, ast.Name) else []


def test_no_command_goes_through_a_shell():
    found = [
        path.name for path in SOURCES if "shell=True" in path.read_text("utf-8") or "os.system" in path.read_text()
    ]

    assert not found
