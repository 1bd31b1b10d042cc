"""Optical flow as a number: squared speed, averaged over cells and windows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from oddframe.video.flow import directions_of, flow, measured_alike, speeds_of, vectors_between
from oddframe.video.picture import as_picture


def texture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 256, (height, width), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), height / 60), np.uint8)[:, :, None]


def test_a_picture_that_shifts_by_two_pixels_of_240_rows_has_a_squared_speed_of_four():
    picture = texture(240, 360)
    found = flow(picture, np.roll(picture, 2, axis=1))

    assert found.shape == (27, 42)  # 30 x 45 cells of 8 x 8 pixels, windows of 4 x 4
    assert np.median(found) == pytest.approx(4.0, abs=0.1)


def test_at_240_rows_pictures_are_compared_as_they_come():
    """What earlier versions did at every size, in the plainest words: the means of 8x8 pixels, and of 4x4 of these."""
    before = texture(240, 360)
    now = np.roll(before, (1, 3), axis=(0, 1))
    vectors = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before[..., 0], now[..., 0], None)
    cells = (vectors.astype(np.float64) ** 2).sum(axis=2).reshape(30, 8, 45, 8).mean(axis=(1, 3))
    wanted = np.lib.stride_tricks.sliding_window_view(cells, (4, 4)).mean(axis=(2, 3))

    np.testing.assert_allclose(flow(before, now), wanted, rtol=1e-5)
    assert measured_alike(1, 2, 240)
    assert not measured_alike(1, 2, 128)


@pytest.mark.parametrize("size", [(96, 144), (128, 192), (160, 240), (192, 288), (480, 720)])
def test_the_same_movement_is_as_fast_in_the_same_places_at_every_size_of_picture(size):
    """Something as large as a person moves by 6 pixels of 240 rows: once in these, once in pictures of another size."""
    still = texture(480, 720)
    moved = still.copy()
    moved[200:280, 300:360] = still[200:280, 288:348]
    known, seen = (flow(*(as_picture(one, each, 1, "area") for one in (still, moved))) for each in ((240, 360), size))

    assert seen.shape == known.shape == (27, 42)
    assert seen.max() == pytest.approx(known.max(), rel=0.35)
    np.testing.assert_allclose(
        np.unravel_index(seen.argmax(), seen.shape), np.unravel_index(known.argmax(), seen.shape), atol=1
    )


def test_a_tiny_picture_is_as_fast_though_it_is_not_enlarged_to_240_rows():
    """2 pixels of 64 rows are 7.5 of 240."""
    picture = texture(64, 96)
    found = flow(picture, np.roll(picture, 2, axis=1))

    assert found.shape == (29, 45)  # at three times its size, of cells of 6 x 6
    assert np.median(found) == pytest.approx(7.5**2, rel=0.05)


def test_only_what_moves_is_fast_and_more_than_one_cell_of_it_counts():
    still = texture(240, 360)
    moved = still.copy()
    moved[:96, :96] = np.roll(still[:96, :96], 2, axis=1)
    found = flow(still, moved)

    assert found[:4, :4].mean() > 3
    assert found[20:, 20:].max() < 0.01


@pytest.mark.parametrize("size", [(16, 16), (10, 40), (8, 8), (1, 1), (600, 8)])
def test_small_pictures_have_one_window_at_least(size):
    found = flow(texture(*size), texture(*size))

    assert found.ndim == 2
    assert found.size >= 1
    assert float(found.max()) == pytest.approx(0.0, abs=1e-6)


def test_colour_counts_as_the_grey_it_has():
    picture = texture(64, 96)
    colour, shifted = (np.repeat(one, 3, axis=2) for one in (picture, np.roll(picture, 2, axis=1)))

    np.testing.assert_allclose(flow(colour, shifted), flow(picture, np.roll(picture, 2, axis=1)), atol=1e-3)


# Direction ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "shift"), [(0, (0, 3)), (1, (2, 2)), (2, (3, 0)), (3, (2, -2)), (4, (0, -3)), (6, (-3, 0))]
)
def test_movement_is_strongest_along_its_own_direction_and_none_against_it(way, shift):
    """Of speed v, v² along its direction, half of it an eighth of a turn to each side, nothing across and against."""
    picture = texture(240, 360)
    found = directions_of(vectors_between(picture, np.roll(picture, shift, axis=(0, 1))))
    squared = float(shift[0] ** 2 + shift[1] ** 2)

    assert found.shape == (27, 42, 8)
    seen = np.roll(np.median(found, axis=(0, 1)), -way)
    np.testing.assert_allclose(seen, squared * np.array([1, 0.5, 0, 0, 0, 0, 0, 0.5]), atol=0.06 * squared)


def test_what_trembles_by_less_than_a_quarter_of_a_pixel_has_no_direction():
    slow, fast = (np.broadcast_to(np.float32([speed, 0]), (240, 360, 2)) for speed in (0.24, 0.26))

    assert directions_of(slow).max() == 0
    assert directions_of(fast).max() == pytest.approx(0.26**2, rel=1e-4)
    assert speeds_of(slow).max() == pytest.approx(0.24**2, rel=1e-4)


def test_two_who_meet_are_seen_both_ways_though_their_mean_stands_still():
    vectors = np.zeros((240, 360, 2), np.float32)
    vectors[96:128, 96:112, 0], vectors[96:128, 112:128, 0] = 2, -2
    found = directions_of(vectors)[12, 12]  # the window of 32x32 pixels that they fill, half each

    assert (found[0], found[4], found[2]) == pytest.approx((2, 2, 0))


@pytest.mark.parametrize("size", [(8, 8), (16, 90), (60, 20), (75, 100)])
def test_every_picture_has_directions_in_the_places_of_its_speeds(size):
    vectors = vectors_between(texture(*size), texture(*size))

    assert directions_of(vectors).shape == (*speeds_of(vectors).shape, 8)
