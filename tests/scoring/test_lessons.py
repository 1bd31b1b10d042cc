"""What people call normal is silenced at its place, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from oddframe.scoring.lessons import FINE, RADIUS, Lesson, Lessons, looks_of, resized, thinned
from oddframe.scoring.rounded import LEAST_VALUE, MOST_VALUE, restored, rounded
from oddframe.scoring.scores import Raw

UNITS = {"local_distance": 10.0, "motion": 10.0, "direction": 10.0}
SHARE = 0.05
HERE = (slice(2, 5), slice(3, 6))


def frame(spot: tuple[slice, slice] | None = None, odd: float = 1.0, noise: int = 0) -> Raw:
    rng = np.random.default_rng(noise)
    distance = rng.uniform(0.01, 0.02, (8, 12)).astype(np.float32)
    motion = rng.uniform(1e-4, 2e-4, (9, 14)).astype(np.float32)
    direction = np.zeros((7, 11, 8), np.float32)
    if spot is not None:
        distance[spot], motion[spot], direction[(*spot, 2)] = odd, odd / 50, 4 * odd
    values = {
        "distance": float(distance.mean()),
        "local_distance": float(distance.max()),
        "motion": float(motion.max()),
    }
    values["direction"] = float(direction.max())
    return Raw(0, None, values, {"local_distance": distance, "motion": motion, "direction": direction})


def lesson(of: Raw, spot: tuple[slice, slice] = HERE, **changes: object) -> Lesson:
    places = np.zeros((8, 12), bool)
    places[spot] = True
    wider = np.zeros((8, 12), bool)
    wider[1:6, 2:7] = True
    looks = looks_of(rounded(of.maps), UNITS, places)
    changes = {"usual": np.zeros((int(changes.get("places", wider).sum()), 10), np.int16)} | changes
    return replace(Lesson(7, "middle", RADIUS["middle"], None, wider, looks, looks, UNITS), **changes)  # type: ignore[arg-type]


def test_its_like_at_its_place_is_silenced_and_only_there():
    said = Lessons((lesson(frame(HERE)),))
    elsewhere = (slice(2, 5), slice(8, 11))

    again, there = frame(HERE, noise=1), frame(elsewhere, noise=1)
    taught = said.applied(again, None, SHARE)

    assert taught.untaught is again
    assert taught.values["local_distance"] < 0.03 < again.values["local_distance"]
    assert taught.values["distance"] < again.values["distance"]
    assert said.applied(there, None, SHARE) is there
    assert said.applied(frame(noise=2), None, SHARE).untaught is None


def test_what_is_much_odder_at_the_same_place_is_not_its_like():
    said = Lessons((lesson(frame(HERE, odd=0.1)),))

    for odd, silenced in ((0.1, True), (0.11, True), (0.5, False), (4.0, False)):
        assert (said.applied(frame(HERE, odd=odd), None, SHARE).untaught is not None) is silenced


def test_something_else_in_the_same_frame_stays_as_odd_as_it_was():
    both = frame(HERE)
    other = (slice(6, 8), slice(9, 12))
    both.maps["local_distance"][other] = 3.0

    taught = Lessons((lesson(frame(HERE)),)).applied(both, None, SHARE)

    assert taught.values["local_distance"] == pytest.approx(3.0, rel=0.08)


def test_a_wider_reach_silences_whatever_a_narrower_one_does():
    seen = frame(HERE)
    for odd in np.geomspace(0.2, 5, 40):
        silenced = [
            Lessons((lesson(seen, radius=RADIUS[reach]),)).applied(frame(HERE, odd=float(odd)), None, SHARE).untaught
            is not None
            for reach in ("narrow", "middle", "wide")
        ]
        assert silenced == sorted(silenced)


def test_a_lesson_with_hours_holds_in_them_alone_and_never_where_the_hour_is_unknown():
    seen = frame(HERE)
    for begin, end, inside, outside in ((8, 17, 12, 20), (20, 6, 23, 12)):
        said = Lessons((lesson(seen, hours=(time(begin), time(end))),))

        assert said.applied(seen, time(inside), SHARE).untaught is seen
        assert said.applied(seen, time(outside), SHARE) is seen
        assert said.applied(seen, None, SHARE) is seen
        assert said.applied(seen, time(begin), SHARE).untaught is seen
        assert said.applied(seen, time(end), SHARE) is seen


def test_places_that_regions_leave_out_stay_out():
    seen = frame(HERE)
    watched = {name: np.ones(one.shape[:2], bool) for name, one in seen.maps.items()}
    for one in watched.values():
        one[:, :7] = False
    seen = replace(seen, watched=watched)

    taught = Lessons((lesson(seen),)).applied(seen, None, SHARE)

    assert taught.watched is seen.watched
    assert taught.values["local_distance"] < 0.03


maps = arrays(np.float32, (6, 9), elements=st.floats(0, 4, width=32))


@given(maps, maps, st.integers(0, 2**31 - 1))
@pytest.mark.slow
def test_no_frame_is_odder_for_a_lesson_and_one_without_its_like_is_the_same_object(distance, motion, seed):
    rng = np.random.default_rng(seed)
    raw = Raw(
        3,
        None,
        {"distance": float(distance.mean()), "local_distance": float(distance.max()), "motion": float(motion.max())},
        {"local_distance": distance, "motion": motion},
    )
    units = {"local_distance": float(rng.uniform(2, 30)), "motion": float(rng.uniform(2, 30))}
    looks = rng.integers(0, 255 * FINE, (5, 2)).astype(np.int16)
    places = rng.random((6, 9)) < 0.5
    usual = rng.integers(0, 20 * FINE, (int(places.sum()), 2)).astype(np.int16)
    one = Lesson(1, "wide", RADIUS["wide"], None, places, looks, usual, units)

    taught = Lessons((one,)).applied(raw, None, 0.1)

    if not one.found(rounded(raw.maps)).any():
        assert taught is raw
    for name in raw.maps:
        assert (taught.maps[name] <= np.maximum(raw.maps[name], np.float32(LEAST_VALUE))).all()
        assert taught.values[name] <= raw.values[name] * (1 + 1e-6) + LEAST_VALUE
    assert taught.values["distance"] <= raw.values["distance"] * (1 + 1e-6) + LEAST_VALUE


@given(arrays(np.float32, (5, 4), elements=st.floats(0, 1e6, width=32)))
def test_a_map_in_levels_is_never_more_than_it_was_and_stays_what_it_is(values):
    levels = rounded({"motion": values})["motion"]
    back = restored(levels)

    inside = (values >= LEAST_VALUE) & (values <= MOST_VALUE)
    assert (back[inside] <= values[inside]).all()
    assert (back[inside] > values[inside] / 1.08).all()
    assert (rounded({"motion": back})["motion"] == levels).all()


def test_what_is_found_is_the_same_one_by_one_and_by_a_slow_loop():
    rng = np.random.default_rng(5)
    raw = frame(HERE, noise=3)
    one = lesson(
        raw,
        radius=RADIUS["wide"],
        looks=rng.integers(0, 40 * FINE, (17, 10)).astype(np.int16),
        places=np.ones((8, 12), bool),
    )
    looks = looks_of(rounded(raw.maps), UNITS, np.ones((8, 12), bool)).reshape(8, 12, -1).astype(np.int64)
    near = np.zeros((8, 12), bool)
    for y in range(8):
        for x in range(12):
            near[y, x] = (
                min(((looks[y, x] - look) ** 2).sum() for look in one.looks.astype(np.int64))
                <= (FINE * RADIUS["wide"]) ** 2
            )

    assert (one.found(rounded(raw.maps)) == near).all()


def test_looks_that_are_thinned_are_near_to_all_that_there_were():
    rng = np.random.default_rng(1)
    looks = (rng.normal(size=(3000, 3)) * 4).round().astype(np.int16)

    few = thinned(looks, 40)

    assert len(few) == 40
    away = np.sqrt(((looks[:, None].astype(float) - few[None]) ** 2).sum(2).min(1))
    assert away.max() < 10 < np.abs(looks).max() + 4


def test_masks_of_other_shapes_take_the_nearest_place():
    mask = np.zeros((4, 6), bool)
    mask[1, 2] = True

    assert resized(mask, (8, 12)).sum() == 4
    assert resized(resized(mask, (8, 12)), (4, 6)).tolist() == mask.tolist()


def test_what_is_hardly_odder_than_usual_at_a_place_is_left_alone():
    seen, calm = frame(HERE), frame()
    places = np.zeros((8, 12), bool)
    places[HERE] = True
    usual = looks_of(rounded(calm.maps), UNITS, places)
    of_calm = lesson(seen, places=places, looks=usual, usual=usual)

    assert Lessons((of_calm,)).applied(frame(noise=4), None, SHARE).untaught is None
