"""How much a place changes."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.video.motion import motion, oddest, window_means


def test_windows_are_averaged_step_by_step():
    values = np.arange(16, dtype=np.float32).reshape(4, 4)

    assert window_means(values, 2, 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert window_means(values, 2, 1).shape == (3, 3)


def test_a_picture_smaller_than_a_window_is_one_window():
    assert window_means(np.full((4, 6), 3.0, np.float32), 16, 8).tolist() == [[3.0]]


def test_motion_is_the_mean_squared_change_of_pictures_from_0_to_1():
    still = np.zeros((32, 32, 3), np.uint8)
    flash = still.copy()
    flash[:16, :16] = 255  # a whole window
    flash[16:, 16:, 0] = 51  # a fifth, in one of three channels

    change = motion(still, flash, window=16, stride=16)

    assert change == pytest.approx(np.array([[1, 0], [0, 0.2**2 / 3]]))
    assert (motion(flash, still, window=16, stride=16) == change).all()


def test_a_still_picture_does_not_move():
    picture = np.random.default_rng(0).integers(0, 255, (40, 50, 1), np.uint8)

    assert not motion(picture, picture).any()


def test_the_oddest_share_of_places_is_averaged():
    values = np.arange(100, dtype=np.float32).reshape(10, 10)

    assert oddest(values, 0.03) == 98.0  # of 97, 98, 99
    assert oddest(values, 0.001) == 99.0  # at least one place
    assert oddest(values, 1.0) == 49.5
