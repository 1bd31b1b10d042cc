"""Optical flow as a number: squared speed, averaged over cells and windows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from oddframe.video.flow import flow


def texture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 256, (height, width), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)[:, :, None]


def test_a_picture_that_shifts_by_two_pixels_has_a_squared_speed_of_four():
    picture = texture(64, 96)
    found = flow(picture, np.roll(picture, 2, axis=1))

    assert found.shape == (5, 9)  # 8 x 12 cells, windows of 4 x 4
    assert np.median(found) == pytest.approx(4.0, abs=0.1)


def test_only_what_moves_is_fast_and_more_than_one_cell_of_it_counts():
    still = texture(64, 96)
    moved = still.copy()
    moved[:32, :32] = np.roll(still[:32, :32], 2, axis=1)
    found = flow(still, moved)

    assert np.unravel_index(found.argmax(), found.shape) == (0, 0)
    assert found[0, 0] > 2
    assert found[4, 8] < 0.01


@pytest.mark.parametrize("size", [(16, 16), (10, 40), (8, 8)])
def test_small_pictures_have_one_window_at_least(size):
    found = flow(texture(*size), texture(*size))

    assert found.ndim == 2
    assert found.size >= 1
    assert float(found.max()) == pytest.approx(0.0, abs=1e-6)


def test_colour_counts_as_the_grey_it_has():
    picture = texture(64, 96)
    colour, shifted = (np.repeat(one, 3, axis=2) for one in (picture, np.roll(picture, 2, axis=1)))

    np.testing.assert_allclose(flow(colour, shifted), flow(picture, np.roll(picture, 2, axis=1)), atol=1e-4)
