"""What is not normal there: seventeen kinds of anomaly, each told as a story at a place of its own choice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from oddframe.data.synthetic.day.figures import FIGURES
from oddframe.data.synthetic.day.moves import RATE, Mover, Story
from oddframe.data.synthetic.day.places import Plan, Spot, Way
from oddframe.data.synthetic.day.script import LOOKS, chosen, directed, line

_SMALLEST = 20.0
"""Metres from the camera up to which a bag or a ball can be seen."""


@dataclass(frozen=True)
class _Stage:
    """Where and when an anomaly happens, and the chance that decides all the rest."""

    plan: Plan
    at: int
    rng: np.random.Generator

    def one(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def look(self) -> int:
        return int(self.rng.integers(LOOKS))

    def spot(self, farthest: float = 27.0) -> tuple[Way, tuple[Spot, ...], Spot, float]:
        """A way, its points in a direction, a point on it in full view, and how far aside it is."""
        for _ in range(400):
            way = chosen(self.plan.walks(), self.rng)
            points = directed(way, self.rng)
            aside = self.one(-way.half, way.half)
            ends = line(self.plan, points, aside)
            leg = int(self.rng.integers(len(ends) - 1))
            share = float(self.rng.random())
            x = ends[leg][0] + share * (ends[leg + 1][0] - ends[leg][0])
            z = ends[leg][1] + share * (ends[leg + 1][1] - ends[leg][1])
            if self.plan.camera.row(z) < 146 and z <= farthest and abs(x) < 0.72 * self.plan.camera.half_width(z):
                return way, points, (x, z), aside
        raise ValueError(f"{self.plan.name} has no walk within {farthest} m")

    def comes(self, points: tuple[Spot, ...], spot: Spot, aside: float, speed: float, number: int) -> Story:
        """Somebody who comes along a way and is at a point on it in frame `at`."""
        before, _ = self._cut(points, spot, aside)
        told = Story(0, before[0], number).go([*before[1:], spot], speed)
        return Story(self.at - told.now, before[0], number).go([*before[1:], spot], speed)

    def leaves(self, story: Story, points: tuple[Spot, ...], spot: Spot, aside: float, speed: float) -> Story:
        """Have somebody go on along the way."""
        return story.go(self._cut(points, spot, aside)[1], speed)

    def _cut(self, points: tuple[Spot, ...], spot: Spot, aside: float) -> tuple[list[Spot], list[Spot]]:
        ends = line(self.plan, points, aside, reach=1.0)

        def off(k: int) -> float:
            (x0, z0), (x1, z1) = ends[k], ends[k + 1]
            dx, dz = x1 - x0, z1 - z0
            share = ((spot[0] - x0) * dx + (spot[1] - z0) * dz) / (dx * dx + dz * dz)
            share = min(1.0, max(0.0, share))
            return math.hypot(spot[0] - x0 - share * dx, spot[1] - z0 - share * dz)

        leg = min(range(len(ends) - 1), key=off)
        return ends[: leg + 1], ends[leg + 1 :]


Told = list[Mover]


def _crosses(stage: _Stage, kind: str, figure: str, low: float, high: float) -> Told:
    """Along a way of people, from one end to the other."""
    way = chosen(stage.plan.walks(), stage.rng)
    points = directed(way, stage.rng)
    half = max(0.0, way.half - (0.6 if FIGURES[figure].wheels else 0.0))
    ends = line(stage.plan, points, stage.one(-half, half), reach=FIGURES[figure].reach, rng=stage.rng, wander=0.08)
    return [Story(stage.at, ends[0], stage.look()).go(ends[1:], stage.one(low, high), figure).told(kind)]


def _cyclist(stage: _Stage) -> Told:
    return _crosses(stage, "cyclist", "bike", 3.0, 6.0)


def _slow_cyclist(stage: _Stage) -> Told:
    return _crosses(stage, "slow-cyclist", "bike", 1.1, 1.7)


def _runner(stage: _Stage) -> Told:
    return _crosses(stage, "runner", "run", 3.0, 5.0)


def _scooter(stage: _Stage) -> Told:
    return _crosses(stage, "scooter", "scooter", 3.0, 6.0)


def _cart(stage: _Stage) -> Told:
    return _crosses(stage, "cart", "cart", 0.8, 1.5)


def _vehicle(stage: _Stage) -> Told:
    return _crosses(stage, "vehicle", "van" if stage.rng.random() < 0.3 else "car", 1.6, 5.5)


def _long_load(stage: _Stage) -> Told:
    return _crosses(stage, "long-load", "ladder", 0.9, 1.4)


def _animal(stage: _Stage) -> Told:
    """A loose animal crosses from edge to edge, not by the ways of people."""
    _, _, (_, near), _ = stage.spot(22.0)
    far = near + stage.one(-1.5, 2.5)
    points = ((-math.inf, near), (math.inf, far))
    ends = line(stage.plan, points if stage.rng.random() < 0.5 else points[::-1], reach=1.2, rng=stage.rng, wander=0.5)
    return [Story(stage.at, ends[0], stage.look()).go(ends[1:], stage.one(2.0, 6.0), "beast").told("animal")]


def _wrong_way(stage: _Stage) -> Told:
    """Walks against a one-way flow."""
    way = chosen([way for way in stage.plan.walks() if way.one_way], stage.rng)
    ends = line(stage.plan, way.points[::-1], stage.one(-way.half, way.half), rng=stage.rng)
    return [Story(stage.at, ends[0], stage.look()).go(ends[1:], stage.one(1.0, 1.6)).told("wrong-way")]


def _off_path(stage: _Stage) -> Told:
    """Walks where nobody walks: on a lawn, a road, a cycle lane."""
    plan = stage.plan
    options = [*plan.strays, *plan.lawns]
    points = options[int(stage.rng.integers(len(options)))]
    speed = stage.one(0.9, 1.6)
    if not math.isfinite(points[0][0]) or points in plan.strays:
        ends = line(plan, points, stage.one(-0.2, 0.2), rng=stage.rng)
        story = Story(stage.at, ends[0], stage.look()).go(ends[1:], speed)
    else:
        over = points if stage.rng.random() < 0.5 else points[::-1]
        way, near = _nearest(plan, over[0])
        _, back = _nearest(plan, over[1])
        along = directed(way, stage.rng)
        number = stage.look()
        story = stage.comes(along, near, 0.0, speed, number)
        story.go([*line(plan, over, rng=stage.rng, wander=0.25), back], speed)
        stage.leaves(story, along, back, 0.0, speed)
    mover = story.told("off-path")
    odd = np.array([plan.role(x, z) != "walk" for x, z in zip(mover.x, mover.z, strict=True)])
    mover.odd[:] = odd
    return [mover]


def _nearest(plan: Plan, spot: Spot) -> tuple[Way, Spot]:
    """The point of a way of people that is nearest to another point."""
    best: tuple[float, Way, Spot] | None = None
    for way in plan.walks():
        ends = line(plan, way.points)
        for (x0, z0), (x1, z1) in pairwise(ends):
            for share in np.linspace(0.05, 0.95, 19):
                there = (x0 + float(share) * (x1 - x0), z0 + float(share) * (z1 - z0))
                far = math.hypot(there[0] - spot[0], there[1] - spot[1])
                if best is None or far < best[0]:
                    best = (far, way, there)
    assert best is not None
    return best[1], best[2]


def _loiterer(stage: _Stage) -> Told:
    """Comes, and does not go on: stands, paces up and down."""
    way, points, spot, aside = stage.spot()
    story = stage.comes(points, spot, aside, stage.one(1.0, 1.4), stage.look())
    begins, until = story.now + 3 * RATE, story.now + int(RATE * stage.one(20, 34))
    while story.now < until:
        story.stay(stage.one(2.0, 5.0), pace=stage.one(0.15, 0.4), facing=stage.one(-math.pi, math.pi))
        limit = way.half
        x = spot[0] + stage.one(-limit, limit)
        z = spot[1] + stage.one(-0.7, 0.7)
        story.go([(x, z)], stage.one(0.6, 1.1))
    story.odd_from(begins)
    return [stage.leaves(story, points, spot, aside, 1.25).told("loiterer")]


def _person_down(stage: _Stage) -> Told:
    """Falls, lies there, and gets up after a while."""
    _, points, spot, aside = stage.spot(25.0)
    story = stage.comes(points, spot, aside, stage.one(0.9, 1.5), stage.look())
    begins = story.now
    story.once(stage.one(0.8, 1.4), "fall").stay(stage.one(12, 30), "lie", pace=stage.one(0.04, 0.25))
    story.once(2.0, "fall", back=True).odd_from(begins)
    return [stage.leaves(story, points, spot, aside, 0.9).told("person-down")]


def _abandoned(stage: _Stage) -> Told:
    """Somebody sets down a bag and goes away; it stays until somebody comes for it."""
    _, points, spot, aside = stage.spot(_SMALLEST)
    owner = stage.comes(points, spot, aside, stage.one(1.1, 1.5), stage.look())
    owner.stay(1.2, "crouch")
    bag = Story(owner.now, (spot[0], spot[1] - 0.25), stage.look(), facing=stage.one(0, math.tau))
    alone = owner.now + 2 * RATE
    stage.leaves(owner, points, spot, aside, stage.one(1.1, 1.6))
    bag.stay(stage.one(20, 36), "bag", pace=0.0).odd_from(alone)
    later = _Stage(stage.plan, bag.now - 10, stage.rng)
    finder = later.comes(points, spot, aside, 1.3, stage.look())
    finder.stay(1.0, "crouch")
    later.leaves(finder, points, spot, aside, 1.3)
    return [owner.told(), bag.told("abandoned-object"), finder.told()]


def _thrown(stage: _Stage) -> Told:
    """Somebody throws something across the place."""
    _, points, spot, aside = stage.spot(_SMALLEST - 2)
    thrower = stage.comes(points, spot, aside, stage.one(1.1, 1.5), stage.look())
    to_right = spot[0] < 0
    heading = stage.one(-0.25, 0.25) + (0.0 if to_right else math.pi)
    thrower.facing = heading
    thrower.once(0.6, "throw")
    thing = Story(thrower.now - 2, (spot[0], spot[1] - 0.2), stage.look())
    thing.flies(heading, stage.one(4.5, 8.0), stage.one(1.5, 3.5), 5.0)
    return [stage.leaves(thrower, points, spot, aside, 1.4).told(), thing.told("thrown-object")]


def _fight(stage: _Stage) -> Told:
    """Two who meet and fight."""
    way, points, spot, aside = stage.spot(25.0)
    other = points if way.one_way else points[::-1]
    left, right = (spot[0] - 0.36, spot[1]), (spot[0] + 0.36, spot[1] + 0.05)
    long = stage.one(7, 14)
    found = []
    for along, side, place, facing in ((points, aside, left, 0.0), (other, aside, right, math.pi)):
        sign = 1.0 if along is points else -1.0
        story = stage.comes(along, place, sign * side, 1.3, stage.look())
        begins = story.now
        shift = np.random.default_rng([stage.at, int(1000 * spot[0]) & 0xFFFF])
        while story.now - begins < long * RATE:
            story.stay(0.6, "fight", pace=1.3 + 0.4 * float(shift.random()), facing=facing)
            dx, dz = float(shift.uniform(-0.3, 0.3)), float(shift.uniform(-0.2, 0.2))
            story.here = (place[0] + dx, place[1] + dz)
        story.odd_from(begins)
        found.append(stage.leaves(story, along, place, sign * side, 1.6).told("fight"))
    return found


def _gathering(stage: _Stage) -> Told:
    """People come from both sides, stand around a place, and go again."""
    way, points, spot, aside = stage.spot(25.0)
    count = int(stage.rng.integers(7, 11))
    until = stage.at + int(RATE * stage.one(16, 28))
    stories = []
    for k in range(count):
        turn = math.tau * k / count
        place = (spot[0] + 1.25 * math.cos(turn), spot[1] + 0.8 * math.sin(turn))
        along = points if way.one_way or k % 2 else points[::-1]
        side = aside if along is points else -aside
        comes = _Stage(stage.plan, stage.at + int(stage.rng.integers(-60, 10)), stage.rng)
        story = comes.comes(along, place, side, stage.one(1.1, 1.5), int(stage.rng.integers(LOOKS)))
        story.stay((until - story.now) / RATE + stage.one(0, 3), pace=stage.one(0.2, 0.6), facing=turn + math.pi)
        story.odd_from(stage.at, until)
        stories.append(stage.leaves(story, along, place, side, stage.one(1.1, 1.5)).told("gathering"))
    return stories


def _smoke(stage: _Stage) -> Told:
    """A litter bin burns."""
    bins = stage.plan.bins
    x, z = bins[int(stage.rng.integers(len(bins)))]
    story = Story(stage.at, (x, z - 0.05), stage.look(), phase=float(stage.rng.random()))
    return [story.stay(stage.one(15, 30), "smoke", pace=0.35).told("smoke")]


KINDS: dict[str, Callable[[_Stage], Told]] = {
    "abandoned-object": _abandoned,
    "animal": _animal,
    "cart": _cart,
    "cyclist": _cyclist,
    "fight": _fight,
    "gathering": _gathering,
    "loiterer": _loiterer,
    "long-load": _long_load,
    "off-path": _off_path,
    "person-down": _person_down,
    "runner": _runner,
    "scooter": _scooter,
    "slow-cyclist": _slow_cyclist,
    "smoke": _smoke,
    "thrown-object": _thrown,
    "vehicle": _vehicle,
    "wrong-way": _wrong_way,
}


def fits(kind: str, plan: Plan) -> bool:
    """Whether a kind is an anomaly at a place: nobody goes the wrong way where there is none."""
    if kind == "wrong-way":
        return any(way.one_way for way in plan.walks())
    if kind == "off-path":
        return bool(plan.lawns or plan.strays)
    return kind != "smoke" or bool(plan.bins)


def happens(kind: str, plan: Plan, at: int, rng: np.random.Generator) -> list[Mover]:
    """All who take part in an anomaly that begins about frame `at`."""
    return KINDS[kind](_Stage(plan, at, rng))
