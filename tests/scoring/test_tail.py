"""How rare a value is on normal video."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddframe.scoring.tail import Tail

HUNDREDTHS = np.arange(1, 101) / 100


def test_one_normal_frame_in_two_is_at_least_as_odd_as_the_median():
    assert Tail.fit(HUNDREDTHS).rarity(0.505) == pytest.approx(np.log10(2), abs=0.01)


def test_the_tail_begins_at_one_frame_in_ten_and_grows_a_decade_every_mean_excess_times_ln_10():
    tail = Tail.fit(HUNDREDTHS)

    assert tail.rarity(tail.start) == pytest.approx(1.0)
    assert tail.rarity(tail.start + tail.scale * np.log(10)) == pytest.approx(2.0)
    assert tail.scale == pytest.approx(np.mean(HUNDREDTHS[HUNDREDTHS > tail.start] - tail.start))


def test_video_whose_frames_are_all_the_same_gives_numbers():
    tail = Tail.fit(np.full(50, 3.0))

    assert np.isfinite(tail.rarity([2.0, 3.0, 3.1])).all()
    assert tail.rarity(3.1) > tail.rarity(3.0)


values = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60)


@given(values, values)
def test_an_odder_value_is_never_less_rare(normal: list[float], asked: list[float]):
    rarities = Tail.fit(normal).rarity(np.sort(asked))

    assert np.isfinite(rarities).all()
    assert (np.diff(rarities) >= -1e-9).all()


def test_a_tail_survives_being_written_down():
    tail = Tail.fit(HUNDREDTHS)

    assert Tail.from_dict(tail.to_dict()).rarity([0.1, 0.95, 7.0]).tolist() == tail.rarity([0.1, 0.95, 7.0]).tolist()
