"""Faults that `benchmarks/mutants.py` puts into the code are the ones that it says, and each is another."""

from __future__ import annotations

import pytest
from tests.shared import benchmark

CODE = "def f(a, b):\n    if a < 3:\n        return a + b\n    return True and b\n"


@pytest.fixture(scope="module")
def mutants():
    return benchmark("mutants")


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
