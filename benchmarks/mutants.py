"""Small faults put into the code one at a time: which do the tests notice?

    python benchmarks/mutants.py src/oddframe/scoring/line.py tests/scoring/test_line.py --most 10

A comparison, an operation of arithmetic, a number or what is returned is changed in a copy of the tree, and the tests
named are run there. What no test notices is a survivor: a test is missing, or the change has no effect. Faults are
drawn by a seed; results join those of other files in `benchmarks/results/mutants.json`. Each run is a fork of a process
that has what the tests import already, but nothing of the tree: that saves most of its time. Linux and macOS only.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "mutants.json"

_OTHER: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def main() -> None:
    """Draw the faults, run the tests on each, and leave one JSON."""
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the code, from the root of the repository")
    parser.add_argument("tests", nargs="+", help="what to run, as pytest takes it")
    parser.add_argument("--most", type=int, default=10, help="faults tried")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=120, help="of one run of the tests; longer counts as noticed")
    given = parser.parse_args()
    text = (ROOT / given.file).read_text("utf-8")
    count = sum(1 for _ in places(ast.parse(text)))
    drawn = sorted(random.Random(given.seed).sample(range(count), min(given.most, count)))
    survivors = []
    with tempfile.TemporaryDirectory(prefix="oddframe-mutants-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "tests", tree / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "benchmarks", tree / "benchmarks", ignore=shutil.ignore_patterns("results"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        if not passes(tree, given.tests, given.seconds):
            sys.exit("the tests fail, or take too long, without any fault")
        for number in drawn:
            changed, what = mutant(text, number)
            (tree / given.file).write_text(changed, "utf-8")
            survived = passes(tree, given.tests, given.seconds)
            print(f"{'SURVIVED' if survived else 'noticed '} {given.file}:{what}", flush=True)
            if survived:
                survivors.append(what)
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    found[str(given.file)] = {
        "tests": given.tests,
        "seed": given.seed,
        "places": count,
        "tried": len(drawn),
        "survivors": survivors,
    }
    RESULTS.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", "utf-8")


def places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, int]]:
    """(node, its field, index in the field or -1) of everything that can be changed, in the order of the text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from ((node, "ops", index) for index, one in enumerate(node.ops) if type(one) in _OTHER)
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _OTHER:
            yield node, "op", -1
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, int | float):
                yield node, "value", -1
        elif isinstance(node, ast.Return) and node.value is not None:
            yield node, "value", -1


def mutant(text: str, number: int) -> tuple[str, str]:
    """The code with its place `number` changed, and what was changed, as "12: a < b -> a <= b".

    >>> mutant("x = 1 < y", 0)[1]
    '1: 1 < y -> 1 <= y'
    >>> mutant("x = 1 < y", 1)[1]
    '1: 1 -> 2'
    """
    tree = ast.parse(text)
    node, field, index = list(places(tree))[number]
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops[index] = _OTHER[type(node.ops[index])]()  # type: ignore[call-overload]
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        node.op = _OTHER[type(node.op)]()  # type: ignore[assignment]
    elif isinstance(node, ast.Constant):
        node.value = (not node.value) if isinstance(node.value, bool) else node.value + 1  # type: ignore[operator]
    else:
        setattr(node, field, ast.Constant(None))
    return ast.unparse(tree), f"{node.lineno}: {before} -> {ast.unparse(node)}"  # type: ignore[attr-defined]


def passes(tree: Path, tests: list[str], seconds: float) -> bool:
    """Whether the tests pass in the copy; a run that takes too long does not."""
    for name in ("torch", "cv2", "av", "scipy.stats", "sqlalchemy", "hypothesis"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    said, began = tree.parent / "said", time.monotonic()
    if not (child := os.fork()):
        _run(tree, tests, said)
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() - began > seconds:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.05)
    code = os.waitstatus_to_exitcode(ended[1])
    if code not in (0, 1, 2):
        sys.exit(
            f"pytest ended with {code} after {time.monotonic() - began:.0f} s:\n{said.read_text('utf-8', 'replace')}"
        )
    return code == 0


def _run(tree: Path, tests: list[str], said: Path) -> NoReturn:
    """Run the tests in this process, on the copy, and end it."""
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.chdir(tree)
    sys.path[:] = [str(tree), str(tree / "src"), *(one for one in sys.path if not one.endswith("/src"))]
    os.environ |= {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    os._exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests]))


if __name__ == "__main__":
    main()
