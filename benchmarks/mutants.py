"""Small faults put into the code one at a time: which do the tests notice?

    python benchmarks/mutants.py
    python benchmarks/mutants.py src/oddframe/scoring/line.py tests/scoring/test_line.py --most 10

A comparison, an operation of arithmetic, a number or what is returned is changed in a copy of the tree, and the tests
named are run there. What no test notices is a survivor: a test is missing, or the change has no effect. Faults are
drawn by a seed. Without a file, all of `SUITE` are tried. Results join those of other files in
`benchmarks/results/mutants.json`, one fault after another: who starts again goes on. Where code has changed since, it
begins anew; where tests have, survivors are tried again. `without_effect` is written by hand: survivor → why nobody
could notice it. Each run is a fork of a process that has what the tests import already, but nothing of the tree: that
saves most of its time. Linux and macOS only.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import importlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

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


SUITE: dict[str, tuple[str, ...]] = {
    "nn/memory": ("nn/test_memory",),
    "scoring/alarms": ("scoring/test_alarms",),
    "scoring/backgrounds": ("scoring/test_backgrounds",),
    "scoring/calibrate": ("scoring/test_calibrate", "scoring/test_calibration"),
    "scoring/calibration": ("scoring/test_calibration",),
    "scoring/calibration_file": ("scoring/test_calibration_file",),
    "scoring/collect": ("scoring/test_collect", "training/test_calibrate"),
    "scoring/components": ("scoring/test_direction", "scoring/test_fusion", "scoring/test_calibration"),
    "scoring/evidence": ("scoring/test_evidence", "scoring/test_session"),
    "scoring/fit": ("scoring/test_fit",),
    "scoring/fusion": ("scoring/test_fusion",),
    "scoring/heat": ("scoring/test_heat",),
    "scoring/judged_file": ("scoring/test_judged_file",),
    "scoring/lessons": ("scoring/test_lessons",),
    "scoring/line": ("scoring/test_line",),
    "scoring/lively": ("scoring/test_lively",),
    "scoring/many": ("scoring/test_many",),
    "scoring/places": ("scoring/test_places", "scoring/test_calibrate"),
    "scoring/promise": ("scoring/test_promise",),
    "scoring/recalibrate": ("scoring/test_recalibrate",),
    "scoring/regions": ("scoring/test_regions",),
    "scoring/scenes": ("scoring/test_scenes",),
    "scoring/scorer": ("scoring/test_session", "scoring/test_scorer"),
    "scoring/scores": ("scoring/test_scores", "scoring/test_scorer"),
    "scoring/session": ("scoring/test_session",),
    "scoring/sweep": ("scoring/test_sweep",),
    "scoring/tail": ("scoring/test_tail",),
    "scoring/taught": ("scoring/test_taught",),
    "scoring/weights": ("scoring/test_weights",),
    "site/line_choices": ("site/test_line_choices",),
    "training/budget": ("training/test_budget",),
    "training/calibrate": ("training/test_calibrate",),
    "training/clip_sources": ("training/test_clips",),
    "training/clips": ("training/test_clips", "training/test_loop", "training/test_drawn"),
    "training/drawn": ("training/test_drawn",),
    "training/drawn_things": ("training/test_drawn",),
    "training/enough": ("training/test_enough",),
    "training/loop": ("training/test_loop", "training/test_resume"),
    "training/moving": ("training/test_clips",),
    "training/pace": ("training/test_budget",),
    "training/resume": ("training/test_resume",),
}
"""Code → the tests that concern it; what takes least time comes first, since one that notices is enough."""

MOST_WALL = 10
"""A run that waits for others may take so many times the seconds of processor time that it is given."""


def main() -> None:
    """Draw the faults, run the tests on each, and leave one JSON."""
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", help="the code, from the root of the repository")
    parser.add_argument("tests", nargs="*", help="what to run, as pytest takes it; default: those of SUITE")
    parser.add_argument("--most", type=int, default=10, help="faults tried in a file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--seconds", type=int, default=120, help="of processor time for one run of the tests; more counts as noticed"
    )
    given = parser.parse_args()
    suite = {f"src/oddframe/{name}.py": [f"tests/{one}.py" for one in tests] for name, tests in SUITE.items()}
    if given.file is not None:
        suite = {str(given.file): given.tests or suite[str(given.file)]}
    for file, tests in suite.items():
        with tempfile.TemporaryDirectory(prefix="oddframe-mutants-") as folder:
            _try_file(file, tests, given.most, given.seed, given.seconds, Path(folder) / "tree")


def _try_file(file: str, tests: list[str], most: int, seed: int, seconds: int, tree: Path) -> None:
    """Put faults into one file, those that have not been tried yet, and add what is found to the JSON."""
    text = (ROOT / file).read_text("utf-8")
    order = list(range(sum(1 for _ in places(ast.parse(text)))))
    random.Random(seed).shuffle(order)
    known = _known().get(file, {})
    code, by = _digest(file), _digest(*(one.split("::")[0] for one in tests))
    if (known.get("code"), known.get("seed")) != (code, seed):
        known = {"tried": 0, "survivors": [], "without_effect": known.get("without_effect", {})}
    survivors = known["survivors"] if known.get("by") == by else []
    again = [number for number in order[: known["tried"]] if mutant(text, number)[1] in known["survivors"]]
    left = [*([] if survivors else again), *order[known["tried"] : most]]
    if not left:
        return
    for part in ("src", "tests", "benchmarks"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__", "results"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    if not passes(tree, tests, seconds):
        said = (tree.parent / "said").read_text("utf-8", "replace")
        sys.exit(f"the tests fail, or take too long, without any fault:\n{said}")
    for place, number in enumerate(left):
        changed, what = mutant(text, number)
        (tree / file).write_text(changed, "utf-8")
        survived = passes(tree, tests, seconds)
        print(f"{'SURVIVED' if survived else 'noticed '} {file}:{what}", flush=True)
        survivors = [*survivors, what] if survived else survivors
        waiting = [mutant(text, one)[1] for one in left[place + 1 :] if one in again]
        _keep(
            file,
            {
                "tests": tests,
                "code": code,
                "by": "" if waiting else by,  # stopped before all survivors were tried again: they are, next time
                "seed": seed,
                "places": len(order),
                "tried": known["tried"] + sum(one not in again for one in left[: place + 1]),
                "survivors": [*waiting, *survivors],
                "without_effect": known.get("without_effect", {}),
            },
        )


def _known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return found


def _keep(file: str, one: dict[str, Any]) -> None:
    one["without_effect"] = {what: why for what, why in one["without_effect"].items() if what in one["survivors"]}
    place = RESULTS.with_suffix(f".{os.getpid()}")  # another file may be tried at the same time
    place.write_text(json.dumps(dict(sorted((_known() | {file: one}).items())), indent=1) + "\n", "utf-8")
    place.replace(RESULTS)


def _digest(*files: str) -> str:
    return hashlib.sha256(b"".join((ROOT / file).read_bytes() for file in files)).hexdigest()[:12]


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
        elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
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


def passes(tree: Path, tests: list[str], seconds: int) -> bool:
    """Whether the tests pass in the copy; a run that takes too long does not."""
    for name in ("torch", "cv2", "av", "scipy.stats", "sqlalchemy", "hypothesis"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    said, began = tree.parent / "said", time.monotonic()
    if not (child := os.fork()):
        _run(tree, tests, said, seconds)
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() - began > MOST_WALL * seconds:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.05)
    # a fault that breaks the import of the tests ends pytest before it runs any, and is noticed by that
    return os.waitstatus_to_exitcode(ended[1]) == 0


def _run(tree: Path, tests: list[str], said: Path, seconds: int) -> NoReturn:
    """Run the tests in this process, on the copy, and end it. Waiting for a busy machine is no fault of the code."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.chdir(tree)
    sys.path[:] = [str(tree), str(tree / "src"), *(one for one in sys.path if not one.endswith("/src"))]
    os.environ |= {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    os._exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *tests]))


if __name__ == "__main__":
    main()
