"""Things drawn into clips: their size, their place, their light; and walkers that are nothing odd."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from oddframe.settings import TrainSettings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.training.drawn import SceneScale, draw_into, learn_scale
from oddframe.training.drawn_things import THINGS, WALKER

GROUND = 150


def walkers(frames: int, *, level: int = 60, seed: int = 0) -> np.ndarray:
    """(N, 120, 160, 1): bars as high as a quarter of their lowest row, which walk by at different rows."""
    rng = np.random.default_rng(seed)
    pixels = np.full((frames, 120, 160, 1), GROUND, np.uint8)
    for foot in (44, 70, 104):
        begin = int(rng.integers(160))
        for frame in range(frames):
            x = (begin + 5 * frame) % 150
            pixels[frame, foot - foot // 4 : foot, x + 2 : x + 2 + foot // 10] = level
    return pixels


def source(pixels: np.ndarray, name: str = "one") -> ClipSource:
    return ClipSource(name, pixels, np.zeros(len(pixels), bool), 0, len(pixels))


@pytest.fixture(scope="module")
def scale() -> SceneScale:
    found = learn_scale([walkers(15, seed=seed) for seed in range(4)])
    assert found is not None
    return found


def test_height_is_learned_row_by_row_and_people_on_foot_are_known(scale: SceneScale) -> None:
    for foot in (60, 90):
        assert scale.height_at(foot / 120) == pytest.approx(foot / 4, abs=3)
    assert scale.upright
    assert scale.brightness == pytest.approx(GROUND, abs=1)


def test_things_wider_than_high_are_no_people() -> None:
    turned = [cv2.resize(np.rot90(one)[..., 0], (160, 120)) for one in walkers(15)]
    found = learn_scale([np.stack(turned)[..., None]])
    assert found is not None
    assert not found.upright


def test_a_scene_in_which_nothing_moves_has_no_scale() -> None:
    assert learn_scale([np.full((15, 120, 160, 1), GROUND, np.uint8)]) is None


@pytest.mark.parametrize("number", range(len(THINGS)))
def test_what_changes_is_what_is_marked_or_its_shadow_on_the_ground(scale: SceneScale, number: int) -> None:
    calm = np.full((5, 120, 160, 1), GROUND, np.uint8)
    drawn = next(
        one
        for seed in range(20)
        if (one := draw_into(np.random.default_rng(seed), calm, scale, THINGS[number], np.arange(5))) is not None
    )
    pixels, places = drawn
    near = cv2.dilate(places.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    changed = (pixels != calm).any(axis=(0, 3))
    assert places.sum() >= 10
    assert (changed & near).any()
    beside = pixels.astype(int)[:, ~near]
    assert beside.max(initial=0) <= GROUND, "a shadow only darkens"
    assert changed[:, :].mean() < 0.35


def test_a_drawn_walker_is_as_high_as_those_who_walk_there(scale: SceneScale) -> None:
    calm = np.full((1, 120, 160, 1), GROUND, np.uint8)
    shares = []
    for seed in range(40):
        drawn = draw_into(np.random.default_rng(seed), calm, scale, WALKER, np.arange(1))
        if drawn is None:
            continue
        rows = np.flatnonzero(drawn[1].any(axis=1))
        if rows[0] > 0 and rows[-1] < 119:
            shares.append((rows[-1] + 1 - rows[0]) / scale.height_at((rows[-1] + 1) / 120))
    assert len(shares) > 10
    assert np.median(shares) == pytest.approx(1.0, abs=0.2)


def test_by_night_things_are_as_dark_as_the_night(scale: SceneScale) -> None:
    night = np.full((5, 120, 160, 1), GROUND // 5, np.uint8)
    for seed in range(10):
        drawn = draw_into(np.random.default_rng(seed), night, scale, THINGS[0], np.arange(5))
        if drawn is not None:
            assert drawn[0].max() <= GROUND // 5 + 5


def test_what_would_hardly_be_seen_is_not_drawn(scale: SceneScale) -> None:
    pale = replace(scale, levels=np.full(256, GROUND + 5.0))
    calm = np.full((5, 120, 160, 1), GROUND, np.uint8)
    rng = np.random.default_rng(3)
    assert all(draw_into(rng, calm, pale, thing, np.arange(5)) is None for thing in THINGS)


def test_batches_with_drawn_things_are_the_same_whenever_they_are_made() -> None:
    settings = TrainSettings(batch=2, abnormal_batch=3, pseudo_anomalies=("draw",), drawn_walkers=0.5, slowed=0.25)
    sources = [source(walkers(20, seed=seed), str(seed)) for seed in range(3)]
    one, other = (ClipSampler(sources, 5, settings, ("normal", "abnormal")).batch(0, 1) for _ in range(2))
    assert one.abnormal is not None
    assert other.abnormal is not None
    assert np.array_equal(one.abnormal, other.abnormal)
    assert np.array_equal(one.normal, other.normal)
    assert one.places is not None
    assert one.places.any(axis=(1, 2)).all()


@pytest.mark.parametrize("kinds", [("draw",), ()], ids=["with-draw", "without"])
def test_walkers_are_drawn_into_normal_clips_of_people(kinds: tuple[str, ...]) -> None:
    settings = TrainSettings(batch=4, pseudo_anomalies=kinds, drawn_walkers=1.0)
    plain = TrainSettings(batch=4, pseudo_anomalies=kinds)
    sources = [source(walkers(20, seed=seed), str(seed)) for seed in range(3)]
    with_walkers = ClipSampler(sources, 5, settings, ("normal",)).batch(0, 0).normal
    without = ClipSampler(sources, 5, plain, ("normal",)).batch(0, 0).normal
    assert not np.array_equal(with_walkers, without)


def test_where_nothing_moves_things_cannot_be_drawn_and_are_counted() -> None:
    settings = TrainSettings(batch=2, abnormal_batch=2, pseudo_anomalies=("draw",))
    still = source(np.full((20, 120, 160, 1), GROUND, np.uint8))
    batch = ClipSampler([still], 5, settings, ("normal", "abnormal")).batch(0, 0)
    assert batch.abnormal is None
    assert batch.still == 2
