"""Many frames at once are, bit for bit, what each of them is alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from oddframe.scoring.components import ComponentNormal, log_scale
from oddframe.scoring.lessons import without
from oddframe.scoring.many import measures_without
from oddframe.scoring.places import PlaceNormal
from oddframe.scoring.pooling import pooled
from oddframe.scoring.rounded import restored, rounded
from oddframe.scoring.scores import COMPONENTS, Raw
from oddframe.scoring.tail import Tail

SHARE = 0.07
SHAPES = {"local_error": (9, 13), "local_distance": (12, 18), "motion": (11, 17), "flow": (11, 17)}
MANY = 150


@pytest.fixture
def frames() -> list[Raw]:
    chance = np.random.default_rng(3)
    shapes = {**SHAPES, "direction": (11, 17, 8)}
    found = []
    for number in range(MANY):
        maps = {name: np.exp(chance.normal(-4, 2, shape)).astype(np.float32) for name, shape in shapes.items()}
        whole = {name: restored(one) for name, one in rounded(maps).items()}
        found.append(pooled(Raw(number, None, {"psnr": 30.0, "distance": 0.1}, whole), {}, SHARE))
    return found


def normal(frames: list[Raw], per_place: tuple[str, ...]) -> ComponentNormal:
    places = {name: PlaceNormal.fit(log_scale(name, raw.maps[name]) for raw in frames) for name in per_place}
    tails = {name: Tail.fit(np.arange(5.0)) for name in COMPONENTS}
    return ComponentNormal(places, tails, SHARE)


@pytest.mark.parametrize("per_place", [(), ("local_distance", "direction"), ("motion", "flow", "local_error")])
@pytest.mark.parametrize("ignored", [False, True])
def test_what_tails_take_of_many_frames_is_what_they_take_of_each(frames, per_place, ignored):
    components = normal(frames, per_place)
    silenced = np.random.default_rng(4).uniform(size=(MANY, 12, 18)) < 0.3
    watched = {}
    if ignored:
        frames = [
            pooled(
                raw,
                {name: np.arange(one.shape[1]) > np.zeros((one.shape[0], 1)) + 3 for name, one in raw.maps.items()},
                SHARE,
            )
            for raw in frames
        ]
        watched = frames[0].watched
    levels = [rounded(raw.maps) for raw in frames]
    alone = [
        components.measures(without(raw, of, one, SHARE)) for raw, of, one in zip(frames, levels, silenced, strict=True)
    ]

    found = measures_without(
        {name: np.stack([one[name] for one in levels]) for name in levels[0]},
        silenced,
        {name: np.array([raw.values[name] for raw in frames]) for name in COMPONENTS},
        components,
        COMPONENTS,
        watched,
        SHARE,
    )

    assert set(found) == set(COMPONENTS)
    for name, values in found.items():
        assert values.tolist() == [one[name] for one in alone], name


def test_what_has_no_map_stays_what_it_was(frames):
    components = normal(frames, ())
    motion = np.stack([rounded(raw.maps)["motion"] for raw in frames])
    psnr = np.linspace(20, 40, MANY)
    alone = [
        replace(raw, maps={"motion": raw.maps["motion"]}, values={**raw.values, "psnr": psnr[n]})
        for n, raw in enumerate(frames)
    ]

    found = measures_without(
        {"motion": motion}, np.zeros((MANY, 11, 17), bool), {"psnr": psnr}, components, ("psnr", "motion"), {}, SHARE
    )

    assert found["psnr"].tolist() == [components.measures(raw)["psnr"] for raw in alone]


@pytest.mark.parametrize(
    "values", [np.random.default_rng(5).gumbel(2, 1, 900), np.full(200, 3.0), np.repeat([1.0, 2.0], 60)]
)
def test_the_rarities_of_many_values_are_those_of_each(values):
    tail = Tail.fit(values)
    asked = np.concatenate([np.random.default_rng(6).normal(2, 4, 500), tail.knots, [tail.start, -1e9, 1e9]])

    assert tail.rarities_of(asked).tolist() == [tail.rarity_of(one) for one in asked.tolist()]
