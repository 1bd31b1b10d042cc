"""How much a place changes from frame to frame."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.video.motion import motion, oddest, window_means


def test_every_window_has_its_mean():
    values = np.arange(16, dtype=np.float32).reshape(4, 4)

    assert window_means(values, 2, 2).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_windows_overlap_where_the_step_is_smaller_than_their_side():
    values = np.arange(16, dtype=np.float32).reshape(4, 4)

    assert window_means(values, 2, 1).tolist() == [[2.5, 3.5, 4.5], [6.5, 7.5, 8.5], [10.5, 11.5, 12.5]]


def test_a_picture_smaller_than_a_window_is_one_window_on_that_side():
    values = np.array([[1, 2, 3, 4], [3, 4, 5, 6]], np.float32)

    assert window_means(values, 16, 8).tolist() == [[3.5]]
    assert window_means(values, 2, 2).tolist() == [[2.5, 4.5]]


def test_what_moves_at_the_far_edge_is_seen_where_the_steps_do_not_fit_the_picture():
    values = np.zeros((20, 23), np.float32)
    values[:, 22] = 1

    means = window_means(values, 16, 8)

    assert means.shape == (2, 2)
    assert means[:, 0].tolist() == [0, 0]
    assert means[:, 1] == pytest.approx([1 / 16, 1 / 16])


def test_a_change_from_black_to_white_counts_as_one_and_only_where_it_is():
    before = np.zeros((32, 32, 1), np.uint8)
    after = before.copy()
    after[:16, 16:] = 255

    assert motion(before, after, window=16, stride=16) == pytest.approx(np.array([[0, 1], [0, 0]]))


def test_a_change_of_a_part_of_a_window_or_of_one_channel_counts_by_its_share():
    before = np.zeros((16, 16, 3), np.uint8)
    half, red = before.copy(), before.copy()
    half[:8] = 255
    red[..., 0] = 255

    assert motion(before, half) == pytest.approx(np.array([[1 / 2]]))
    assert motion(before, red) == pytest.approx(np.array([[1 / 3]]))


def test_darker_counts_as_much_as_brighter():
    dark, bright = np.full((16, 16, 1), 10, np.uint8), np.full((16, 16, 1), 61, np.uint8)

    assert motion(dark, bright) == pytest.approx(np.array([[0.04]]))  # (51 / 255) squared
    assert motion(bright, dark) == pytest.approx(np.array([[0.04]]))


def test_a_still_picture_does_not_move():
    picture = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)

    assert not motion(picture, picture).any()


def test_the_oddest_places_are_the_given_share_with_the_largest_values():
    values = np.array([[1, 9, 2, 7], [0, 3, 8, 4]], np.float32)

    assert oddest(values, 0.25) == 8.5
    assert oddest(values, 1.0) == 4.25


def test_at_least_one_place_is_taken():
    assert oddest(np.array([[1, 9], [2, 7]], np.float32), 0.03) == 9.0


@pytest.mark.parametrize("channels", [1, 3])
def test_motion_is_what_one_would_write_down_window_by_window(channels):
    random = np.random.default_rng(0)
    before, after = random.integers(0, 256, (2, 40, 56, channels), np.uint8)
    squares = ((after.astype(float) - before.astype(float)) / 255) ** 2

    wanted = [[squares[y : y + 16, x : x + 16].mean() for x in range(0, 41, 8)] for y in range(0, 25, 8)]

    np.testing.assert_allclose(motion(before, after, window=16, stride=8), wanted, rtol=1e-5)
