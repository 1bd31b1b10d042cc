"""What is normal: walkers alone and in groups, people with dogs, crowds, cars, bicycles on their lane, deliveries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from oddframe.data.synthetic.actors import Look
from oddframe.data.synthetic.day.figures import FIGURES
from oddframe.data.synthetic.day.light import Light, Weather
from oddframe.data.synthetic.day.moves import RATE, Mover, Story
from oddframe.data.synthetic.day.places import Plan, Spot, Way
from oddframe.data.synthetic.world import Colour

LOOKS = 48
_LEAD = 400
"""Frames before the video in which people may have set out."""

# fmt: off
_TOPS: tuple[Colour, ...] = (
    (176, 58, 52), (58, 88, 146), (44, 112, 108), (66, 110, 70), (114, 72, 132), (148, 104, 36), (206, 204, 198),
    (92, 92, 98), (50, 62, 108), (118, 84, 58), (150, 62, 96), (84, 100, 60), (72, 78, 88), (34, 36, 42),
    (196, 160, 70),
)
_TROUSERS: tuple[Colour, ...] = (
    (40, 46, 70), (72, 62, 52), (48, 48, 50), (54, 66, 92), (60, 52, 48), (104, 96, 80), (30, 30, 34),
)
_SKINS: tuple[Colour, ...] = ((224, 184, 156), (206, 160, 128), (158, 112, 84), (112, 78, 58))
_HAIRS: tuple[Colour, ...] = ((40, 30, 26), (76, 54, 38), (150, 120, 76), (120, 118, 116), (24, 22, 24))
_SHOES: tuple[Colour, ...] = ((30, 28, 28), (62, 46, 36), (150, 148, 144))
# fmt: on
_LOADS = ("", "", "", "backpack", "bag", "coat", "coat")


def people(seed: int) -> tuple[Look, ...]:
    """All who may be seen at a place."""
    rng = np.random.default_rng([seed, 11])

    def pick(colours: tuple[Colour, ...]) -> Colour:
        return colours[int(rng.integers(len(colours)))]

    looks = []
    for k in range(LOOKS):
        child = k % 9 == 4
        looks.append(
            Look(
                height=float(rng.uniform(1.15, 1.4) if child else rng.uniform(1.54, 1.92)),
                skin=pick(_SKINS),
                hair=pick(_HAIRS),
                top=pick(_TOPS),
                trousers=pick(_TROUSERS),
                shoes=pick(_SHOES),
                load="" if child else _LOADS[int(rng.integers(len(_LOADS)))],
            )
        )
    return tuple(looks)


def line(
    plan: Plan,
    points: Sequence[Spot],
    aside: float = 0.0,
    *,
    reach: float = 0.5,
    rng: np.random.Generator | None = None,
    wander: float = 0.12,
) -> list[Spot]:
    """The points of a way, `aside` metres to its left, with ends just outside the picture.

    With `rng`, it is not walked like a ruled line: every few metres it is `wander` metres beside.
    """
    ends = [(_edge(plan, x, z, reach), z) for x, z in points]
    legs = [math.atan2(b[1] - a[1], b[0] - a[0]) for a, b in pairwise(ends)]
    turned = []
    for k, (x, z) in enumerate(ends):
        before, after = legs[max(0, k - 1)], legs[min(k, len(legs) - 1)]
        u, v = math.cos(before) + math.cos(after), math.sin(before) + math.sin(after)
        long = max(math.hypot(u, v), 1e-6)
        turned.append((x - aside * v / long, max(3.0, z + aside * u / long)))
    if rng is None:
        return turned
    walked = [turned[0]]
    for (x0, z0), (x1, z1) in pairwise(turned):
        long = math.hypot(x1 - x0, z1 - z0)
        pieces = max(1, int(long / 4.0))
        for k in range(1, pieces):
            off = float(rng.normal(0, wander))
            share = k / pieces
            walked.append(
                (x0 + (x1 - x0) * share - off * (z1 - z0) / long, z0 + (z1 - z0) * share + off * (x1 - x0) / long)
            )
        walked.append((x1, z1))
    return walked


def _edge(plan: Plan, x: float, z: float, reach: float) -> float:
    if math.isfinite(x):
        return x
    return math.copysign(plan.camera.half_width(z) + reach + 0.4, x)


def chosen(ways: Sequence[Way], rng: np.random.Generator) -> Way:
    """One of the ways, the more often the greater its share."""
    shares = np.array([way.share for way in ways])
    return ways[int(rng.choice(len(ways), p=shares / shares.sum()))]


def directed(way: Way, rng: np.random.Generator) -> tuple[Spot, ...]:
    """The points of a way in the direction in which somebody takes it."""
    return way.points if way.one_way or rng.random() < 0.5 else way.points[::-1]


def normal(plan: Plan, light: Light, weather: Weather, frames: int, rng: np.random.Generator) -> list[Mover]:
    """Everybody who belongs there in a video of so many frames."""
    delivery, blocked = _delivery(plan, light, frames, rng)
    movers = [*delivery, *_walkers(plan, light, weather, frames, rng)]
    for number, way in enumerate(plan.ways):
        if way.role == "road":
            movers += _traffic(plan, way, light, frames, blocked.get(number, ()), rng)
        elif way.role == "cycle":
            movers += _cyclists(plan, way, light, weather, frames, rng)
    return [mover for mover in movers if mover.end > 0 and mover.start < frames]


def _walkers(plan: Plan, light: Light, weather: Weather, frames: int, rng: np.random.Generator) -> list[Mover]:
    knots = np.arange(-_LEAD, frames + 400, 400)
    # Crowds come and go: from nobody for half a minute to a dozen at once.
    rates = np.exp(rng.uniform(math.log(0.03), math.log(0.34), len(knots)))
    rates *= {"day": 1.0, "dusk": 0.9, "night": 0.55}[light] * (0.75 if weather in ("rain", "snow") else 1.0)
    movers: list[Mover] = []
    ways = plan.walks()
    for t in range(-_LEAD, frames):
        if rng.random() < float(np.interp(t, knots, rates)) / RATE:
            movers += _party(plan, chosen(ways, rng), t, weather, rng)
    if rng.random() < 0.4:  # a class, a bus that has come
        way, start = chosen(ways, rng), int(rng.integers(-50, frames))
        points, speed = directed(way, rng), float(rng.uniform(1.0, 1.35))
        for _ in range(int(rng.integers(6, 13))):
            begins = start + int(rng.integers(0, 60))
            movers.append(_walker(plan, way, points, begins, speed * float(rng.uniform(0.96, 1.04)), weather, rng))
    return movers


def _party(plan: Plan, way: Way, start: int, weather: Weather, rng: np.random.Generator) -> list[Mover]:
    points = directed(way, rng)
    speed = float(np.clip(rng.normal(1.28, 0.22), 0.7, 1.8))
    size = 1 + int(rng.random() < 0.25) + int(rng.random() < 0.08)
    if size == 1:
        return [_walker(plan, way, points, start, speed, weather, rng)]
    aside = float(rng.uniform(-way.half, max(-way.half, way.half - 0.6 * size)))
    return [
        _walker(plan, way, points, start + int(rng.integers(0, 4)), speed, weather, rng, aside + 0.6 * k, alone=False)
        for k in range(size)
    ]


def _walker(
    plan: Plan,
    way: Way,
    points: Sequence[Spot],
    start: int,
    speed: float,
    weather: Weather,
    rng: np.random.Generator,
    aside: float | None = None,
    *,
    alone: bool = True,
) -> Mover:
    aside = float(rng.uniform(-way.half, way.half)) if aside is None else aside
    chance = float(rng.random())
    figure = "walk"
    if weather == "rain" and chance < 0.45:
        figure = "umbrella"
    elif alone and chance > 0.94:
        figure, speed = "dog-walk", min(speed, 1.3)
    way_points = line(plan, points, aside, reach=FIGURES[figure].reach, rng=rng)
    story = Story(start, way_points[0], int(rng.integers(LOOKS)), phase=float(rng.random()))
    if alone and figure == "walk" and rng.random() < 0.05 and len(way_points) > 3:
        # Looks at a telephone, for less time than a loiterer.
        middle = int(rng.integers(1, len(way_points) - 1))
        story.go(way_points[1 : middle + 1], speed).stay(float(rng.uniform(1.5, 5.0)))
        return story.go(way_points[middle + 1 :], speed).told()
    return story.go(way_points[1:], speed, figure).told()


def _traffic(
    plan: Plan, way: Way, light: Light, frames: int, blocked: Sequence[tuple[int, int]], rng: np.random.Generator
) -> list[Mover]:
    gap = float({"day": 11.0, "dusk": 12.0, "night": 24.0}[light] * rng.uniform(0.7, 1.6))
    speed = float(rng.uniform(5.0, 8.0))
    movers = []
    t = -100.0
    while t < frames:
        figure = "van" if rng.random() < 0.15 else "car"
        points = line(plan, way.points, float(rng.uniform(-way.half, way.half)), reach=FIGURES[figure].reach)
        car = Story(int(t), points[0], int(rng.integers(LOOKS))).go(points[1:], speed, figure).told()
        if not any(car.start < end and begin < car.end for begin, end in blocked):
            movers.append(car)
        # All of a lane drive at one speed, and never so near to each other that they touch.
        t += RATE * (2.4 + float(rng.exponential(gap)))
    return movers


def _cyclists(
    plan: Plan, way: Way, light: Light, weather: Weather, frames: int, rng: np.random.Generator
) -> list[Mover]:
    gap = float((9.0 if light == "day" else 20.0) * rng.uniform(0.7, 1.6) * (1.5 if weather != "clear" else 1.0))
    movers = []
    t = -60.0
    while t < frames:
        points = line(plan, way.points, float(rng.uniform(-way.half, way.half)), reach=1.0, rng=rng, wander=0.06)
        speed = float(np.clip(rng.normal(4.4, 0.8), 2.8, 6.5))
        movers.append(Story(int(t), points[0], int(rng.integers(LOOKS))).go(points[1:], speed, "bike").told())
        t += RATE * (1.5 + float(rng.exponential(gap)))
    return movers


def _delivery(
    plan: Plan, light: Light, frames: int, rng: np.random.Generator
) -> tuple[list[Mover], dict[int, tuple[tuple[int, int], ...]]]:
    """A van that stops, and somebody who carries parcels to a door; and when its way is taken."""
    if not plan.stops or frames < 700 or rng.random() > (0.2 if light == "night" else 0.45):
        return [], {}
    number, spot, door = plan.stops[int(rng.integers(len(plan.stops)))]
    points = line(plan, plan.ways[number].points, reach=FIGURES["van"].reach)
    leg = min(range(len(points) - 1), key=lambda k: _off(spot, points[k], points[k + 1]))
    start = int(rng.integers(0, frames - 500))
    van = Story(start, points[0], int(rng.integers(LOOKS))).go([*points[1 : leg + 1], spot], 5.0, "van")
    arrived = van.now
    side = -1.0 if door[1] < spot[1] else 1.0
    beside = (spot[0] + 0.8, spot[1] + 1.3 * side)
    courier = Story(arrived + 20, beside, int(rng.integers(LOOKS)))
    for _ in range(int(rng.integers(1, 4))):
        courier.go([door], 1.15, "carry").stay(float(rng.uniform(1.0, 3.0))).go([beside], 1.35)
        courier.stay(1.0, "crouch")
    van.stay((courier.now + 15 - arrived) / RATE, "van", pace=0.0)
    van.go(points[leg + 1 :], 5.0, "van")
    return [van.told(), courier.told()], {number: ((van.start - 30, van.now + 30),)}


def _off(spot: Spot, a: Spot, b: Spot) -> float:
    """Distance of a point from a line between two others."""
    dx, dz = b[0] - a[0], b[1] - a[1]
    share = min(1.0, max(0.0, ((spot[0] - a[0]) * dx + (spot[1] - a[1]) * dz) / (dx * dx + dz * dz)))
    return math.hypot(spot[0] - a[0] - share * dx, spot[1] - a[1] - share * dz)
