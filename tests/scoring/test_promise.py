"""What a line promises, and the quantiles that it rests on."""

from __future__ import annotations

import pytest

from oddframe.errors import SettingsError
from oddframe.scoring.promise import Promise, per_hour
from oddframe.scoring.quantiles import poisson_bounds, student_quantile


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 9, 30, 1001])
def test_quantiles_of_student_are_those_of_scipy(degrees: int):
    special = pytest.importorskip("scipy.special")

    assert student_quantile(degrees, 0.95) == pytest.approx(special.stdtrit(degrees, 0.95), rel=1e-9)


@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_poisson_bounds_are_those_of_scipy(count: int):
    special = pytest.importorskip("scipy.special")
    low, high = poisson_bounds(count, 0.975)

    assert low == pytest.approx(special.gammaincinv(count, 0.025) if count else 0.0, rel=1e-6)
    assert high == pytest.approx(special.gammaincinv(count + 1, 0.975), rel=1e-6)


@pytest.mark.parametrize(
    ("asked", "alarms", "hours", "words"),
    [
        (1, 0, 26, "1 false alarm a day was asked; 26 hours of normal video vouch for at most 2.8 a day"),
        (24, 0, 0.5, "30 minutes of normal video vouch for at most 144 a day (none came in that time)"),
        (24, 26, 26, "vouch for at most 33 a day (26 came in that time)"),
    ],
)
def test_a_promise_says_what_the_footage_vouches_for(asked: float, alarms: int, hours: float, words: str):
    promise = Promise.measured(asked, alarms, hours)

    assert words in promise.in_words()
    assert not promise.kept
    assert promise.low <= alarms / hours * 24 <= promise.high


def test_enough_footage_keeps_a_promise():
    assert Promise.measured(1, 0, 24 * 3).kept
    assert not Promise(asked_per_day=1).kept
    assert "without times" in Promise(asked_per_day=1).in_words()


@pytest.mark.parametrize("asked", [0, -1, float("nan"), float("inf")])
def test_no_line_gives_no_false_alarms_at_all(asked: float):
    with pytest.raises(SettingsError, match="no rate of false alarms"):
        per_hour(asked)
