"""Faults that `benchmarks/mutants.py` puts into the code are the ones that it says, and each is another."""

from __future__ import annotations

import contextlib
import json

import pytest
from tests.shared import benchmark

CODE = "def f(a, b):\n    if a < 3:\n        return a + b\n    return True and b\n"


@pytest.fixture(scope="module")
def mutants():
    return benchmark("mutants")


@pytest.fixture
def tried(mutants, tmp_path, monkeypatch):
    """A tree with one file and its tests; of the faults that are put into it, those named survive."""
    for part in ("src", "tests", "benchmarks"):
        (tmp_path / part).mkdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "src/code.py").write_text(CODE)
    (tmp_path / "tests/test_code.py").write_text("")
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    monkeypatch.setattr(mutants, "RESULTS", tmp_path / "mutants.json")

    def run(most: int, *survive: str, stop_after: int = 1000) -> tuple[list[str], dict]:
        """What was tried, and what is known then."""
        seen = []

        def passes(tree, tests, seconds) -> bool:
            shown = (tree / "src/code.py").read_text()
            if shown == CODE:
                return True
            if len(seen) == stop_after:
                raise KeyboardInterrupt
            number = next(at for at in range(7) if mutants.mutant(CODE, at)[0] == shown)
            seen.append(mutants.mutant(CODE, number)[1])
            return seen[-1] in survive

        monkeypatch.setattr(mutants, "passes", passes)
        with contextlib.suppress(KeyboardInterrupt):
            mutants._try_file(
                "src/code.py", ["tests/test_code.py"], most, 0, 9, tmp_path / str(len(list(tmp_path.iterdir())))
            )
        return seen, mutants._known()["src/code.py"]

    return run


def test_who_is_stopped_goes_on_and_tries_no_fault_twice(tried):
    first, _ = tried(5, stop_after=2)
    second, _ = tried(5)
    third, known = tried(7)

    assert (len(first), len(second), len(third)) == (2, 3, 2)
    assert len({*first, *second, *third}) == known["tried"] == 7


def test_survivors_are_tried_again_once_there_are_other_tests(tried, mutants):
    whole, known = tried(7, "2: 3 -> 4", "4: True -> False")
    assert sorted(known["survivors"]) == ["2: 3 -> 4", "4: True -> False"]
    assert tried(7) == ([], known)
    known["without_effect"] = {"4: True -> False": "it is so", "2: 3 -> 4": "a mistake"}
    mutants.RESULTS.write_text(json.dumps({"src/code.py": known}))
    (mutants.ROOT / "tests/test_code.py").write_text("more")

    again, now = tried(7, "4: True -> False")

    assert len(whole) == now["tried"] == 7
    assert sorted(again) == ["2: 3 -> 4", "4: True -> False"]
    assert now["survivors"] == ["4: True -> False"]
    assert now["without_effect"] == {"4: True -> False": "it is so"}


def test_every_place_is_changed_once_and_nothing_else_is(mutants):
    count = sum(1 for _ in mutants.places(mutants.ast.parse(CODE)))
    made = [mutants.mutant(CODE, number) for number in range(count)]

    assert sorted(what for _, what in made) == [
        "2: 3 -> 4",
        "2: a < 3 -> a <= 3",
        "3: a + b -> a - b",
        "3: return a + b -> return None",
        "4: True -> False",
        "4: True and b -> True or b",
        "4: return True and b -> return None",
    ]
    assert len({text for text, _ in made}) == count
    assert all(len(set(text.splitlines()) - set(CODE.splitlines())) == 1 for text, _ in made)
