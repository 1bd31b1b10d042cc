"""Health from pictures: what is wrong is noticed in time, and what only looks wrong is not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from oddframe.cameras.settings import HealthSettings
from oddframe.cameras.state import HealthState
from oddframe.cameras.watching.look import look_at
from oddframe.cameras.watching.view import View
from oddframe.cameras.watching.watch import Watch

SIZE = (240, 320)
STEP_S = 0.5
NOISE = np.random.default_rng(3).normal(0, 3, (7, *SIZE)).astype(np.float32)
Picture = Callable[[int], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    """A still background with things in it."""
    random = np.random.default_rng(7)
    ground = cv2.resize(
        random.integers(60, 190, (12, 16)).astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_CUBIC
    )
    for _ in range(25):
        top, left = random.integers(0, 200), random.integers(0, 280)
        ground[top : top + random.integers(8, 40), left : left + random.integers(8, 40)] += random.integers(-50, 50)
    return np.clip(ground, 0, 235).astype(np.uint8)


def noisy(scene: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    return np.clip(scene + NOISE[number % len(NOISE)], 0, 255).astype(np.uint8)


def with_walker(scene: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    picture = scene.copy()
    left = 5 * number % 300
    picture[120:150, left : left + 12] = 30
    return picture


class Seen:
    """A camera that is watched; `see` shows it pictures for some seconds and returns the states it was in, in order."""

    def __init__(self, view: View | None = None, **given: object) -> None:
        self.watch, self.number, self.reason = Watch(HealthSettings(**given), view or View()), 0, ""

    def see(self, picture: Picture, seconds: float, *, key_every: int = 1, infrared: bool = False) -> list[str]:
        states: list[str] = []
        for _ in range(round(seconds / STEP_S)):
            key = self.number % key_every == 0
            look = look_at(picture(self.number), self.number * STEP_S, full_range=True, key=key, infrared=infrared)
            state, self.reason = self.watch.look(look)
            self.number += 1
            if not states or states[-1] != state:
                states.append(state)
        return states


ONLINE, FROZEN = [HealthState.ONLINE], [HealthState.ONLINE, HealthState.FROZEN]


def test_a_picture_that_stays_the_same_is_frozen_after_ten_seconds(scene):
    seen = Seen()
    assert seen.see(lambda number: noisy(scene, number), 20) == ONLINE
    last = np.maximum(noisy(scene, 1), noisy(scene, 2))
    assert seen.see(lambda _: last, 9) == ONLINE
    assert seen.see(lambda _: last, 3) == FROZEN
    assert "the same for 12 s" in seen.reason
    assert seen.see(lambda number: noisy(scene, number), 2) == ONLINE


def test_a_clock_that_goes_on_does_not_hide_it(scene):
    def with_clock(number: int) -> NDArray[np.uint8]:
        picture = noisy(scene, 1)
        cv2.putText(picture, f"12:00:{number // 2 % 60:02d}", (200, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
        return picture

    seen = Seen()
    seen.see(lambda number: noisy(scene, number), 10)

    assert seen.see(with_clock, 15) == FROZEN


def test_nor_does_what_an_encoder_makes_of_the_same_picture_between_key_frames(scene):
    def pumped(number: int) -> NDArray[np.uint8]:
        """Coarse at each key frame, and finer until the next."""
        coarse = 8 >> min(3, number % 4)
        return noisy(scene, 1) // coarse * coarse

    seen = Seen()
    seen.see(lambda number: noisy(scene, number), 10)

    assert FROZEN[-1] in seen.see(pumped, 15, key_every=4)


@pytest.mark.slow
def test_a_still_scene_without_noise_is_not_frozen_once_its_habits_are_known(scene):
    def visited(number: int) -> NDArray[np.uint8]:
        """Somebody walks by for 5 s, then nothing moves for 8 s, up to 20 s."""
        return with_walker(scene, number) if number % 26 < 10 else scene

    seen = Seen()
    assert seen.see(visited, 120) == ONLINE
    assert seen.see(lambda _: scene, 20) == ONLINE
    assert seen.see(lambda _: scene, 20) == FROZEN  # and now for five times as long as ever


def test_where_nothing_has_ever_moved_it_takes_longer(scene):
    assert Seen().see(lambda _: scene, 25) == ONLINE
    assert Seen().see(lambda _: scene, 35) == FROZEN


def test_no_light_and_a_covered_lens_are_dark(scene):
    seen = Seen()
    assert seen.see(lambda number: noisy(np.full_like(scene, 8), number), 10) == [HealthState.ONLINE, HealthState.DARK]
    assert "dark" in seen.reason
    assert seen.see(lambda number: noisy(scene, number), 10) == [HealthState.DARK, HealthState.ONLINE]
    assert seen.see(lambda number: noisy(np.full_like(scene, 120), number), 10)[-1] is HealthState.DARK
    assert "covered" in seen.reason


def test_a_night_with_lamps_is_not_dark(scene):
    night = scene // 12
    night[40:80, 60:90] = night[100:140, 200:240] = 200

    assert Seen().see(lambda number: noisy(night, number), 20) == ONLINE


def test_the_sun_blinds_and_a_lightning_does_not(scene):
    white = scene.copy()
    white[:200] = 255
    seen = Seen()
    seen.see(lambda number: noisy(scene, number), 10)
    assert seen.see(lambda number: white if number % 20 < 2 else noisy(scene, number), 20) == ONLINE
    assert seen.see(lambda number: np.maximum(white, noisy(white, number)), 5)[-1] is HealthState.BLINDED
    assert "saturated" in seen.reason


def moved_by(scene: NDArray[np.uint8], right: float, turned: float = 0.0) -> NDArray[np.uint8]:
    how = cv2.getRotationMatrix2D((160, 120), turned, 1.0)
    how[0, 2] += right
    return np.asarray(cv2.warpAffine(scene, how, SIZE[::-1], borderMode=cv2.BORDER_REFLECT), np.uint8)


@pytest.mark.parametrize(("right", "turned"), [(12, 0), (-60, 0), (0, 6)])
@pytest.mark.slow
def test_a_camera_that_is_pushed_or_turned_has_moved_and_goes_back(scene, right, turned):
    pushed = moved_by(scene, right, turned)
    seen = Seen(moved_s=4)
    assert seen.see(lambda number: noisy(scene, number), 20) == ONLINE
    assert seen.see(lambda number: noisy(pushed, number), 28) == [HealthState.ONLINE, HealthState.MOVED]
    assert "not where it was" in seen.reason
    assert seen.see(lambda number: noisy(scene, number), 28)[-1] is HealthState.ONLINE


@pytest.mark.slow
def test_another_view_has_moved_until_somebody_says_that_it_is_right(scene):
    other = np.ascontiguousarray(scene[::-1, ::-1])
    view = View()
    seen = Seen(view, moved_s=4)
    seen.see(lambda number: noisy(scene, number), 20)
    assert seen.see(lambda number: noisy(other, number), 28)[-1] is HealthState.MOVED

    view.accept()
    assert seen.see(lambda number: noisy(other, number), 28)[-1] is HealthState.ONLINE
    assert seen.see(lambda number: noisy(other, number), 28) == ONLINE


@pytest.mark.slow
def test_light_a_parked_lorry_shaking_and_infrared_are_no_move(scene):
    seen = Seen(moved_s=4)
    seen.see(lambda number: noisy(scene, number), 20)

    def brighter(number: int) -> NDArray[np.uint8]:
        return noisy(np.clip(scene * 1.3 + 10, 0, 240).astype(np.uint8), number)

    def parked(number: int) -> NDArray[np.uint8]:
        picture = scene.copy()
        picture[60:200, 40:170] = 90
        return noisy(picture, number)

    def shaken(number: int) -> NDArray[np.uint8]:
        return noisy(moved_by(scene, 2 * np.sin(number)), number)

    for picture in (brighter, lambda number: noisy(scene // 3, number), parked, shaken):
        assert seen.see(picture, 26) == ONLINE
    assert seen.see(lambda number: noisy(255 - scene, number), 28, infrared=True) == ONLINE


@pytest.mark.slow
def test_a_camera_that_was_moved_while_nobody_read_it_is_noticed(scene, tmp_path):
    place = tmp_path / "view.npz"
    view = View(place)
    Seen(view, moved_s=4).see(lambda number: noisy(scene, number), 20)
    view.save()

    seen = Seen(View(place), moved_s=4)
    assert seen.see(lambda number: noisy(moved_by(scene, 40), number), 28)[-1] is HealthState.MOVED

    place.write_bytes(b"PK damaged")
    assert Seen(View(place), moved_s=4).see(lambda number: noisy(moved_by(scene, 40), number), 28) == ONLINE


def test_each_of_them_can_be_switched_off(scene):
    off = {"dark_span": 0.0, "blinded_share": 1.0, "moved_share": 1.0}
    seen = Seen(**off)
    for picture in (scene, np.full_like(scene, 255), np.full_like(scene, 5), moved_by(scene, 80)):
        assert seen.see(lambda number, picture=picture: noisy(picture, number), 20) == ONLINE


def doubts(seen: Seen, picture: Picture, seconds: float) -> list[bool]:
    """Whether the camera is in doubt at each look."""
    found = []
    for _ in range(round(seconds / STEP_S)):
        seen.see(picture, STEP_S)
        found.append(seen.watch.doubted)
    return found


@pytest.mark.parametrize("level", [8, 128, 255])
def test_a_picture_without_anything_in_it_is_in_doubt_at_once_until_it_is_over(scene, level):
    seen = Seen()
    assert not any(doubts(seen, lambda number: noisy(scene, number), 20))

    assert all(doubts(seen, lambda _: np.full(SIZE, level, np.uint8), 2))
    assert not any(doubts(seen, lambda number: noisy(scene, number), 2))


@pytest.mark.slow
def test_a_camera_that_is_turned_is_in_doubt_at_once_and_counts_as_moved_later(scene):
    seen = Seen()
    doubts(seen, lambda number: noisy(scene, number), 20)
    turned = np.roll(scene, 40, axis=1)

    assert all(doubts(seen, lambda number: noisy(turned, number), 10))
    assert HealthState.MOVED in seen.see(lambda number: noisy(turned, number), 40)


def test_somebody_who_walks_by_is_no_reason_to_doubt(scene):
    seen = Seen()

    assert not any(doubts(seen, lambda number: noisy(with_walker(scene, number), number), 60))


def test_a_doubt_that_is_never_confirmed_ends(scene):
    seen = Seen(moved_s=5, moved_share=0.5)
    doubts(seen, lambda number: noisy(scene, number), 20)
    seen.watch._view.differs = lambda look, share: True

    found = doubts(seen, lambda number: noisy(scene, number), 60)

    assert found[0]
    assert not any(found[-20:])
