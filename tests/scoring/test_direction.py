"""Which way things move is odd or not by where they do: the component `direction`, from maps to alarms and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.scoring.conftest import Told, fit, footage, score_settings

from oddframe.scoring import collect
from oddframe.scoring.calibration import POOLED
from oddframe.scoring.calibration_file import load_calibration, save_calibration
from oddframe.scoring.collect import Footage, judge
from oddframe.scoring.components import placed_value
from oddframe.scoring.heat import heat_of
from oddframe.scoring.judged_file import load_judged, save_judged
from oddframe.scoring.scores import Raw

RIGHT, LEFT = 0, 4
PATH, LAWN = slice(6, 8), slice(0, 4)
"""Rows of a picture of 12x16 places."""


@pytest.fixture
def walks(raw) -> Callable[..., Raw]:
    """walks(7, way=RIGHT, rows=PATH, column=3) -> frame 7, in which someone fills two by two places, at speed 2."""

    def make(frame: int, way: int, rows: slice, column: int) -> Raw:
        along = np.zeros((12, 16, 8), np.float32)
        along[rows.start : rows.start + 2, column : column + 2, way] = 4.0
        motion = np.full((2, 2), 0.01)
        return raw(frame, {"direction": along, "motion": motion}, psnr=30.0, motion=0.01, direction=4.0)

    return make


@pytest.fixture
def one_way(walks) -> Callable[..., Footage]:
    """one_way("gate", frames=300) -> held-out video in which all walk along the path to the right, again and again."""

    def make(scene: str = "", frames: int = 300) -> Footage:
        shown = [walks(frame, RIGHT, PATH, frame % 15) for frame in range(frames)]
        return footage("heldout", shown, scene=scene)

    return make


@pytest.fixture
def enough(monkeypatch) -> None:
    """A hundred frames are enough to count how often there is how much."""
    monkeypatch.setattr(collect, "LEAST_COUNTED", 100)


@pytest.fixture(params=["spread", "rarity"])
def direction(request, enough) -> dict[str, Any]:
    """Settings under which nothing but `direction` counts, by either way of telling what is normal at a place."""
    return {"online": ("direction",), "local_share": 0.02, "place_normal": request.param}


def test_the_wrong_way_is_odd_where_everybody_goes_the_other_way(walks, one_way, direction):
    components = fit([one_way()], **direction).pooled.components

    usual, wrong = (components.rarities(walks(0, way, PATH, 7))["direction"] for way in (RIGHT, LEFT))

    assert usual < 1
    assert wrong > usual + 2


def test_movement_is_odd_where_nothing_ever_moves(walks, one_way, direction):
    components = fit([one_way()], **direction).pooled.components

    assert components.rarities(walks(0, RIGHT, LAWN, 7))["direction"] > 3


def test_direction_is_compared_place_by_place_whatever_the_settings_say_of_others(one_way, direction):
    assert list(fit([one_way()], **direction, per_place=()).pooled.components.places) == ["direction"]


def test_heat_lies_on_who_goes_the_wrong_way(walks, one_way, direction):
    made = fit([one_way()], **direction)
    both = walks(0, RIGHT, PATH, 2)
    both.maps["direction"][...] += walks(0, LEFT, PATH, 11).maps["direction"]

    heat = heat_of(made, made.pooled, both)

    assert heat.shape == (12, 16)
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    assert (y in (6, 7), x in (11, 12)) == (True, True)


def test_scenes_have_their_own_ways_and_a_scene_never_seen_has_none(walks, one_way, direction):
    made = fit([one_way("gate"), one_way("lane")], **direction)
    wrong = walks(0, LEFT, PATH, 7)

    assert made.scenes["gate"].components.rarities(wrong)["direction"] > 3
    assert made.scenes[POOLED].components.rarities(wrong)["direction"] < 1  # as fast as all others
    assert any("judged without statistics per place" in note for note in made.notes)


def test_directions_come_back_from_files_as_they_were(one_way, tmp_path, direction):
    settings = score_settings(**direction)
    judged = judge(Told(), [one_way("gate"), one_way("lane")], settings, lambda _: None)
    made = fit([one_way("gate"), one_way("lane")], **direction)
    save_calibration(made, tmp_path)

    stored = load_judged(tmp_path, save_judged(judged, tmp_path))
    back = load_calibration(tmp_path)

    for scene in ("gate", "lane"):
        wanted = made.scenes[scene].components.places["direction"]
        assert wanted.mean.shape == (12, 16, 8)
        for found in (back.scenes[scene].components.places["direction"], stored.places[scene]["direction"]):
            np.testing.assert_array_equal(found.mean, wanted.mean)
            np.testing.assert_array_equal(found.spread, wanted.spread)
            assert (found.rarity is None) is (direction["place_normal"] == "spread")
            np.testing.assert_array_equal(found.rarity, wanted.rarity)
    assert stored.place_normal == direction["place_normal"]


def test_a_held_out_stretch_is_compared_with_what_is_normal_in_the_others(walks, one_way, direction):
    """Somebody crosses the lawn in one of three stretches: as odd there as they will be in video to come."""
    lawn = footage("heldout", [walks(frame, RIGHT, LAWN, frame % 15) for frame in range(150)])
    crossing = walks(0, RIGHT, LAWN, 7)
    settings = score_settings(**direction)

    def judged(*stretches: Footage) -> list[float]:
        found = judge(Told(), list(stretches), settings, lambda _: None)
        return [float(one.placed["direction"].max()) for one in found.stretches]

    lonely, shared = judged(one_way(), one_way(), lawn)[-1], judged(one_way(), one_way(), lawn, lawn)[-1]
    alone = fit([one_way(), one_way()], **direction).pooled.components.places["direction"]

    assert lonely == pytest.approx(placed_value("direction", alone, crossing, 0.02), rel=0.05)
    assert shared < 0.75 * lonely


@pytest.mark.parametrize("kind", ["judged", "seen"])
def test_where_directions_are_counted_trained_video_tells_of_them_too(walks, one_way, enough, kind):
    """Nothing of it is trained: who crosses the lawn in what was trained on may cross it in what was held out."""
    lawn = footage("trained", [walks(frame, RIGHT, LAWN, frame % 15) for frame in range(600)])
    crossing = walks(0, RIGHT, LAWN, 7)
    odd = {}

    for place_normal in ("spread", "rarity"):
        settings = score_settings(online=("direction",), local_share=0.02, place_normal=place_normal)
        alone = judge(Told(), [one_way(), one_way()], settings, lambda _: None)
        if kind == "judged":
            beside = judge(Told(), [one_way(), one_way(), lawn], settings, lambda _: None)
            assert beside.stretches[2].placed["direction"].max() > 1  # compared with the others alone
        else:
            beside = judge(Told(), [one_way(), one_way()], settings, lambda _: None, seen=[lawn])
        odd[place_normal] = [
            placed_value("direction", one.places[POOLED]["direction"], crossing, 0.02) for one in (alone, beside)
        ]

    assert odd["rarity"][1] < 0.75 * odd["rarity"][0]
    assert odd["spread"][1] == odd["spread"][0]


def test_of_little_video_directions_are_not_counted(one_way):
    settings = score_settings(online=("direction",), local_share=0.02, place_normal="rarity")

    few, many = (judge(Told(), [one_way(frames=frames)], settings, lambda _: None) for frames in (4000, 5000))

    assert few.places[POOLED]["direction"].rarity is None
    assert many.places[POOLED]["direction"].rarity is not None


def test_by_how_rare_it_is_what_races_by_now_and_then_is_less_odd_than_the_wrong_way(walks, enough):
    """Every fifteenth frame something races along the whole lawn."""

    def racing(frame: int) -> Raw:
        one = walks(frame, RIGHT, PATH, frame % 15)
        if frame % 15 == 0:
            one.maps["direction"][LAWN.start : LAWN.start + 2, :, RIGHT] = 60.0
        return one

    road = footage("heldout", [racing(frame) for frame in range(300)])
    settings = {"online": ("direction",), "local_share": 0.02, "place_normal": "rarity"}
    places = fit([road], **settings).pooled.components.places["direction"]

    race, wrong = (placed_value("direction", places, one, 0.02) for one in (racing(15), walks(0, LEFT, PATH, 7)))

    assert race == pytest.approx(-np.log10(1 / 15), abs=0.35)  # the path lends the lawn some, and the other way round
    assert wrong > race + 0.5


def test_many_maps_at_once_are_as_odd_as_one_after_another(walks, one_way, direction):
    places = fit([one_way()], **direction).pooled.components.places["direction"]
    several = np.stack([walks(0, way, PATH, 7).maps["direction"] for way in range(8)])

    together = places.odd(several)

    np.testing.assert_array_equal(together, np.stack([places.odd(one) for one in several]))
