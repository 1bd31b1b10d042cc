"""Places to watch and to ignore."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from oddframe.errors import SettingsError
from oddframe.scoring.evidence import masked
from oddframe.scoring.places import PlaceNormal, PlaceSums
from oddframe.scoring.regions import Regions

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
TOP = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5))


def test_what_is_watched_is_what_lies_in_a_polygon_to_watch_and_in_none_to_ignore():
    regions = Regions(watch=(LEFT,), ignore=(TOP,))

    assert regions.watched((4, 4)).tolist() == [[False] * 4] * 2 + [[True, True, False, False]] * 2
    assert regions.share == pytest.approx(0.25, abs=0.01)
    assert not Regions()


def test_a_region_smaller_than_a_place_still_watches_that_place():
    tiny = ((0.61, 0.61), (0.64, 0.61), (0.64, 0.64), (0.61, 0.64))

    watched = Regions(watch=(tiny,)).watched((4, 4))

    assert np.argwhere(watched).tolist() == [[2, 2]]


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ({"watch": [[[0, 0], [1.2, 0], [1, 1]]]}, r"watch\[0\] leaves the picture[\s\S]*\[1.2, 0.0\]"),
        ({"ignore": [[[0, 0], [640, 0], [640, 480]]]}, "shares of the picture's width and height, not pixels"),
        ({"ignore": [LEFT, [[0, 0], [1, 1], [1, 0], [0, 1]]]}, r"ignore\[1\] crosses itself"),
        ({"ignore": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "leave nothing to watch"),
        ({"watch": [LEFT], "ignore": [[[0, 0], [0.6, 0], [0.6, 1], [0, 1]]]}, "every place to watch is ignored"),
        ({"watch": [[[0.1, 0.1], [0.9, 0.9]]]}, "is no polygon"),
        ({"watch": [[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]]}, "has no area"),
        ({"watch": [[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9], [0.3, 0.3]]]}, "has no area"),
        ({"whatch": []}, "whatch"),
        ({"watch": [[["a", 0]]]}, r"watch\.0"),
        ([], "damaged"),
    ],
)
def test_what_are_no_regions_is_refused_by_polygon(tmp_path: Path, regions, words: str):
    path = tmp_path / "regions.json"
    path.write_text(json.dumps(regions))

    with pytest.raises(SettingsError, match=words) as caught:
        Regions.read(path)

    assert "regions.json" in str(caught.value)


def test_regions_come_back_from_their_file(tmp_path: Path):
    regions = Regions(watch=(LEFT,), ignore=(TOP,))

    assert Regions.read(regions.write(tmp_path)) == regions


def test_components_are_pooled_from_places_that_count(raw):
    rng = np.random.default_rng(0)
    maps = {name: rng.uniform(0.1, 0.2, (4, 4)) for name in ("local_error", "local_distance", "motion", "flow")}
    for one in maps.values():
        one[:2] = 3.0
    given = raw(3, maps, psnr=1.0, distance=3.0, local_error=3.0, local_distance=3.0, motion=3.0, flow=3.0)

    found = masked(given, Regions(ignore=(TOP,)), share=0.25).values

    below = {name: np.float32(one[2:]) for name, one in maps.items()}
    assert found["psnr"] == pytest.approx(-10 * np.log10(below["local_error"].mean()))
    assert found["distance"] == pytest.approx(below["local_distance"].mean())
    for name in ("local_error", "local_distance", "motion"):
        assert found[name] == pytest.approx(np.sort(below[name], axis=None)[-2:].mean())
    assert found["flow"] == pytest.approx(below["flow"].max())


def test_what_is_ignored_has_no_part_in_what_is_normal_elsewhere():
    rng = np.random.default_rng(0)
    maps = [rng.normal(0, 1, (8, 8)).astype(np.float32) for _ in range(200)]
    busy = [values + np.where(np.arange(8)[:, None] < 4, 50 * rng.normal(), 0).astype(np.float32) for values in maps]
    watched = Regions(ignore=(TOP,)).watched((8, 8))

    calm, lively = (PlaceNormal.of(PlaceSums.of(given), watched) for given in (maps, busy))

    np.testing.assert_allclose(calm.mean[4:], lively.mean[4:], atol=1e-5)
    np.testing.assert_allclose(calm.spread[4:], lively.spread[4:], rtol=1e-5)


SHAPES = {
    "an L, whose edges would cross others if they were longer": [(0, 0), (4, 0), (4, 2), (2, 2), (2, 4), (0, 4)],
    "a roof that touches the floor": [(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)],
    "a comb": [(0, 0), (4, 0), (4, 4), (3, 1), (2, 3), (1, 1), (0, 4)],
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("turned", range(4))
@pytest.mark.parametrize("first", range(5))
def test_hollow_shapes_cross_nothing_however_they_lie_and_wherever_they_begin(name: str, turned: int, first: int):
    corners = [np.array(corner) - 2.0 for corner in SHAPES[name]]
    for _ in range(turned):
        corners = [np.array([-y, x]) for x, y in corners]
    points = [(float(0.625 + x / 16), float(0.75 + y / 16)) for x, y in corners]

    Regions(watch=((*points[first:], *points[:first]),))


@pytest.mark.parametrize("first", range(5))
def test_a_star_drawn_in_one_stroke_crosses_itself_wherever_it_begins(first: int):
    star = [(0.5, 0.1), (0.75, 0.9), (0.1, 0.4), (0.9, 0.4), (0.25, 0.9)]

    with pytest.raises(SettingsError, match=r"watch\[0\] crosses itself"):
        Regions(watch=((*star[first:], *star[:first]),))
