"""What is normal at each place."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.scoring.places import LEAST_FRAMES, PlaceNormal, PlaceSums


def test_too_few_frames_know_nothing_of_places():
    assert PlaceNormal.fit([np.zeros((2, 3), np.float32)] * (LEAST_FRAMES - 1)) is None


def test_values_become_deviations_in_units_of_the_spread():
    normal = PlaceNormal.fit([np.full((1, 1), value, np.float32) for value in [0.0, 2.0] * 50])  # mean 1, spread 1

    assert normal.odd(np.full((1, 1), 4.0, np.float32)) == pytest.approx(3.0)


@pytest.mark.parametrize(("frames", "left"), [(100, 0.25), (300, 0.125)])
def test_places_are_drawn_towards_the_whole_picture_the_less_the_more_frames_there_are(frames, left):
    # left half 0, right half 1, the whole picture 0.5, which counts for 100 frames
    halves = np.repeat(np.float32([[0, 1]]), 24, axis=0).repeat(24, axis=1)

    normal = PlaceNormal.fit([halves] * frames)

    assert normal.mean[12, 0] == pytest.approx(left, abs=1e-3)
    assert normal.mean[12, -1] == pytest.approx(1 - left, abs=1e-3)


def test_a_place_where_nothing_ever_happens_does_not_make_flicker_a_sensation():
    rng = np.random.default_rng(0)
    maps = [np.hstack([np.zeros((24, 24)), rng.normal(0, 1, (24, 24))]).astype(np.float32) for _ in range(200)]

    normal = PlaceNormal.fit(maps)

    assert normal.spread.min() >= 0.4 * normal.spread.max()


def test_a_still_picture_has_a_spread_above_nothing():
    normal = PlaceNormal.fit([np.zeros((4, 6), np.float32)] * 100)

    assert np.isfinite(normal.odd(np.zeros((4, 6), np.float32))).all()


def test_each_of_several_numbers_of_a_place_is_compared_with_itself_alone():
    """One way is taken in every other frame, the opposite one never: there is more in going there."""
    rng = np.random.default_rng(0)
    ways = np.zeros((200, 12, 16, 2), np.float32)
    ways[:, :, :, 0] = rng.choice([0.0, 2.0], (200, 1, 1))

    odd = PlaceNormal.fit(ways).odd(np.ones((12, 16, 2), np.float32) * 2)

    assert odd.shape == (12, 16, 2)
    assert odd[6, 8].tolist() == pytest.approx([1.0, 2.0 / np.sqrt(0.5)], abs=0.15)  # the spread of both is shared


def test_sums_of_two_parts_are_those_of_the_whole_and_a_part_can_be_taken_away_again():
    maps = list(np.random.default_rng(0).normal(3, 1, (5, 2, 3)).astype(np.float32))
    first, second, whole = (PlaceSums.of(some) for some in (maps[:2], maps[2:], maps))

    for made, wanted in ((first + second, whole), (whole - second, first)):
        assert made.count == wanted.count
        np.testing.assert_allclose(made.total, wanted.total)
        np.testing.assert_allclose(made.squares, wanted.squares)


def test_counts_of_two_parts_are_those_of_the_whole_and_a_part_can_be_taken_away_again():
    maps = list(np.random.default_rng(0).normal(0, 3, (5, 2, 3, 8)).astype(np.float32))
    first, second, whole, none = (PlaceSums.of(some, counted=True) for some in (maps[:2], maps[2:], maps, []))

    np.testing.assert_array_equal((first + second).above, whole.above)
    np.testing.assert_array_equal((whole - second + none).above, first.above)
    assert (whole + PlaceSums.of(maps)).above is None


def test_a_rarity_is_how_seldom_a_place_had_so_much():
    """One frame in ten has a speed of 1 everywhere, along one of eight directions; all others have none."""
    maps = np.full((1000, 12, 16, 8), -4.6, np.float32)
    maps[::10, :, :, 0] = 0.0

    rarity = PlaceNormal.fit(maps, counted=True).odd

    assert rarity(np.full((12, 16, 8), -4.6, np.float32)).max() == 0
    along = rarity(np.zeros((12, 16, 8), np.float32))[6, 8]
    shrunk = [(1000 * share + 100 * 0.1 / 8) / 1100 for share in (0.1, 0.0)]  # the whole picture is 100 frames
    assert along[:2].tolist() == pytest.approx([-np.log10(one + 0.001) for one in shrunk], abs=1e-3)
    never = rarity(np.full((12, 16, 8), 3.0, np.float32))
    assert never.min() == never.max() == pytest.approx(3.0)  # once in a thousand frames at most
