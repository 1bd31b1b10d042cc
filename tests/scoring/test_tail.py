"""How rare a value is on normal video."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oddframe.scoring.tail import Tail

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def test_rarity_is_the_exponent_of_the_share_that_is_at_least_as_odd():
    tail = Tail.fit(np.linspace(0, 1, 1001))

    assert tail.rarity(0.0) == pytest.approx(0.0)  # all frames
    assert tail.rarity(0.5) == pytest.approx(0.301, abs=1e-3)  # half of them
    assert tail.rarity(0.9) == pytest.approx(1.0, abs=1e-3)  # one in ten
    assert tail.rarity(0.99) == pytest.approx(2.0, abs=0.25)  # one in a hundred, by the smooth tail


def test_the_tail_begins_at_one_in_ten_and_grows_a_decade_every_mean_excess_times_ln_10():
    tail = Tail.fit(np.arange(1, 101) / 100)

    assert tail.start == pytest.approx(0.901)
    assert tail.scale == pytest.approx(0.955 - 0.901)  # the mean of 0.91 to 1.00
    assert tail.rarity(tail.start) == pytest.approx(1.0)
    assert tail.rarity(tail.start + tail.scale * np.log(10)) == pytest.approx(2.0)


def test_the_smooth_tail_is_exact_where_normal_values_fall_off_exponentially():
    shares = (np.arange(20_000) + 0.5) / 20_000
    tail = Tail.fit(-np.log(shares))

    assert tail.rarity(-np.log(1e-2)) == pytest.approx(2.0, abs=0.02)
    assert tail.rarity(-np.log(1e-6)) == pytest.approx(6.0, abs=0.1)  # far past all that was seen


def test_what_was_never_seen_is_rarer_still():
    tail = Tail.fit([1.0, 2.0, 3.0])

    assert tail.rarity(100.0) > tail.rarity(10.0) > tail.rarity(3.0)
    assert tail.rarity(-100.0) < tail.rarity(-10.0) < tail.rarity(1.0)


def test_a_value_that_every_normal_frame_has_is_not_rare():
    tail = Tail.fit(np.full(50, 7.0))

    assert tail.rarity(7.0) == 0.0
    assert tail.rarity(7.1) > 2.0
    assert tail.rarity(6.9) < 0.0


@given(VALUES, VALUES)
def test_odder_is_never_less_rare(normal, asked):
    rarities = Tail.fit(normal).rarity(np.sort(asked))

    assert np.isfinite(rarities).all()
    assert (np.diff(rarities) >= -1e-9).all()


@example([0.0, 2.2250738585e-313, 2.225073858507e-311], 0.0)
@given(VALUES, st.floats(-2e6, 2e6))
def test_one_value_is_as_rare_alone_as_among_others(normal, value):
    tail = Tail.fit(normal)

    for one in (value, *normal, tail.start, *tail.knots):
        assert tail.rarity_of(float(one)) == pytest.approx(float(tail.rarity(one)), rel=1e-9, abs=1e-12)
