"""Where a frame is odd."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from oddframe.scoring.heat import REACH, SPREAD, box_of, laid_on_motion
from oddframe.scoring.scores import Box

STILL = 0.01


def blob(centre: tuple[int, int], reach: int, value: float = 2.0) -> np.ndarray:
    """(16, 24): so odd within the reach of a place."""
    odd = np.zeros((16, 24), np.float32)
    y, x = centre
    odd[y - reach : y + reach + 1, x - reach : x + reach + 1] = value
    return odd


def test_what_is_odd_beside_something_that_moves_is_laid_on_it():
    motion = np.zeros((16, 24), np.float32)
    motion[8, 14] = 1.0

    heat = laid_on_motion(blob((8, 12), 1), motion, STILL)

    assert np.unravel_index(heat.argmax(), heat.shape) == (8, 14)
    heat[8, 14] = 0
    assert heat.max() < 0.05


def test_what_is_odd_all_around_is_hotter_than_what_walks_past_it():
    motion = np.zeros((16, 24), np.float32)
    motion[8, 12] = motion[8, 12 + SPREAD + 1] = 1.0
    odd = blob((8, 12), SPREAD)
    odd[8, 12] = 1.0  # as a query has it: no larger in the middle than around it

    heat = laid_on_motion(odd, motion, STILL)

    assert heat[8, 12] > 1.2 * heat[8, 12 + SPREAD + 1]


def test_where_nothing_moves_it_stays():
    odd = blob((8, 12), 2)

    np.testing.assert_array_equal(laid_on_motion(odd, np.zeros((16, 24), np.float32), STILL), odd)


def test_what_moves_out_of_reach_takes_nothing_away():
    motion = np.zeros((16, 24), np.float32)
    motion[8, 12 + 2 + REACH + SPREAD + 1] = 1.0
    odd = blob((8, 12), 2)

    np.testing.assert_array_equal(laid_on_motion(odd, motion, STILL), odd)


def test_maps_of_other_sizes_fit():
    motion = np.zeros((8, 12), np.float32)
    motion[4, 6] = 1.0

    heat = laid_on_motion(blob((8, 11), 2), motion, STILL)

    assert heat.shape == (16, 24)
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    assert (y, x) in {(8, 12), (8, 13), (9, 12), (9, 13)}


@given(
    arrays.arrays(np.float32, (5, 7), elements=st.floats(0, 8, width=32)),
    arrays.arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32)),
)
def test_no_place_becomes_odder_than_its_neighbours(odd, motion):
    heat = laid_on_motion(odd, motion, STILL)

    assert (heat >= 0).all()
    side = 2 * SPREAD + 1
    assert (heat <= cv2.dilate(odd, np.ones((side, side), np.uint8)) * (1 + 1e-6)).all()


def test_a_box_is_the_region_that_is_half_as_hot():
    heat = np.zeros((4, 6), np.float32)
    heat[1, 2], heat[1, 3], heat[2, 3], heat[3, 0] = 1.0, 0.5, 0.4, 0.9

    assert box_of(heat, (40, 120)) == Box(40, 10, 40, 10)
