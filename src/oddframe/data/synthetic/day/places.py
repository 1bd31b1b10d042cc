"""The street plans: what lies where in front of each camera, in metres, and who goes along it.

x counts to the right of the camera, z away from it. `develop` and `judge` have four plans each, none in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.world import Camera

Role: TypeAlias = Literal["walk", "cycle", "road", "lawn", "other"]
Material: TypeAlias = Literal["paving", "cobbles", "asphalt", "red", "grass", "gravel", "line", "water"]
Spot: TypeAlias = tuple[float, float]
EDGE = math.inf
"""As x of a way's end: just outside the picture."""


@dataclass(frozen=True)
class Strip:
    """A straight piece of ground from `start` to `end`, `half` of its width to either side; later ones lie on top."""

    role: Role
    material: Material
    start: Spot
    end: Spot
    half: float

    def holds(self, x: NDArray[np.float64] | float, z: NDArray[np.float64] | float) -> NDArray[np.bool_]:
        """Whether points lie on it."""
        (x0, z0), (x1, z1) = self.start, self.end
        long = math.hypot(x1 - x0, z1 - z0)
        u, v = (x1 - x0) / long, (z1 - z0) / long
        along = (np.asarray(x) - x0) * u + (np.asarray(z) - z0) * v
        aside = (np.asarray(z) - z0) * u - (np.asarray(x) - x0) * v
        return (along >= 0) & (along <= long) & (np.abs(aside) <= self.half)


def across(role: Role, material: Material, near: float, far: float) -> Strip:
    """Ground from one side of the picture to the other, between two distances."""
    middle = (near + far) / 2
    return Strip(role, material, (-200.0, middle), (200.0, middle), (far - near) / 2)


def along(role: Role, material: Material, left: float, right: float, far: float = 200.0) -> Strip:
    """Ground that leads away from the camera."""
    middle = (left + right) / 2
    return Strip(role, material, (middle, 0.0), (middle, far), (right - left) / 2)


@dataclass(frozen=True)
class Way:
    """Where people, bicycles or cars go, `half` metres to either side of a line; from first to last where `one_way`.

    `share` says how many of all people take it.
    """

    role: Literal["walk", "cycle", "road"]
    points: tuple[Spot, ...]
    half: float
    one_way: bool = False
    share: float = 1.0


@dataclass(frozen=True)
class Plan:
    """A place in front of a camera.

    Attributes:
        sun: metres of shadow (x, z) for each metre of height.
        back: distance of the wall that ends the view. facade: what it is.
        trees: x, z, height of the crown, its spread. poles: x, z, height, radius. lamps: x, z.
        parked: x, z, heading in degrees, number of the look. benches, bins: x, z. flags: x, z, height.
        stops: number of the way of a delivery van, where it stops, and the door that it is for.
        lawns: from where to where somebody may walk on a lawn who should not.
        strays: lines from one edge to the other on which nobody should walk: a road, a cycle lane.
    """

    name: str
    camera: Camera
    sun: tuple[float, float]
    back: float
    facade: Literal["shops", "houses", "hedge", "glass", "bricks", "harbour"]
    strips: tuple[Strip, ...]
    ways: tuple[Way, ...]
    wet: Literal["rain", "snow"]
    trees: tuple[tuple[float, float, float, float], ...] = ()
    poles: tuple[tuple[float, float, float, float], ...] = ()
    lamps: tuple[Spot, ...] = ()
    parked: tuple[tuple[float, float, float, int], ...] = ()
    benches: tuple[Spot, ...] = ()
    bins: tuple[Spot, ...] = ()
    flags: tuple[tuple[float, float, float], ...] = ()
    stops: tuple[tuple[int, Spot, Spot], ...] = ()
    lawns: tuple[tuple[Spot, Spot], ...] = ()
    strays: tuple[tuple[Spot, ...], ...] = ()

    def role(self, x: float, z: float) -> Role:
        """What the ground at a point is there for."""
        found: Role = "other"
        for strip in self.strips:
            if strip.material != "line" and bool(strip.holds(x, z)):
                found = strip.role
        return found

    def walks(self) -> list[Way]:
        """Ways of people on foot."""
        return [way for way in self.ways if way.role == "walk"]


def _avenue() -> Plan:
    """A pavement in front, a cycle lane, a road, shops behind."""
    return Plan(
        "avenue",
        Camera(16, 5.0, 235),
        (-0.5, 0.45),
        30.0,
        "shops",
        (
            across("walk", "paving", 0, 14.6),
            across("cycle", "red", 14.9, 17.1),
            across("other", "line", 14.6, 14.9),
            across("road", "asphalt", 17.4, 25.4),
            across("other", "line", 17.1, 17.4),
            across("walk", "paving", 25.4, 30),
        ),
        (
            Way("walk", ((-EDGE, 11.6), (EDGE, 11.6)), 2.0, share=2.0),
            Way("walk", ((-EDGE, 27.6), (EDGE, 27.6)), 1.2, share=1.0),
            Way("cycle", ((-EDGE, 16.0), (EDGE, 16.0)), 0.5, one_way=True),
            Way("road", ((-EDGE, 19.4), (EDGE, 19.4)), 0.2, one_way=True),
            Way("road", ((EDGE, 23.2), (-EDGE, 23.2)), 0.2, one_way=True),
        ),
        "rain",
        trees=((-5.6, 14.2, 3.0, 1.5), (5.9, 14.2, 3.1, 1.5)),
        poles=((0.4, 14.4, 5.6, 0.10), (-2.6, 9.4, 1.0, 0.12), (3.4, 9.4, 1.0, 0.12)),
        lamps=((-6.5, 14.4), (0.4, 14.4), (6.8, 14.4), (-3, 26), (9, 26)),
        bins=((2.3, 14.1),),
        flags=((-9.5, 26.0, 5.0),),
        strays=(((-EDGE, 18.5), (EDGE, 18.5)), ((EDGE, 24.4), (-EDGE, 24.4)), ((EDGE, 15.6), (-EDGE, 15.6))),
        stops=((4, (-3.0, 23.2), (-3.4, 28.6)), (3, (3.5, 19.4), (3.2, 13.2))),
    )


def _campus() -> Plan:
    """Paths through lawns; nobody drives here."""
    return Plan(
        "campus",
        Camera(14, 5.6, 240),
        (0.55, 0.4),
        40.0,
        "hedge",
        (
            across("lawn", "grass", 0, 40),
            across("walk", "gravel", 10.6, 14.8),
            Strip("walk", "paving", (-10.5, 15.5), (13.0, 32.0), 1.5),
            across("walk", "gravel", 29.0, 32.0),
        ),
        (
            Way("walk", ((-EDGE, 12.7), (EDGE, 12.7)), 1.7, share=2.0),
            Way("walk", ((-EDGE, 13.6), (-9.5, 15.2), (11.0, 30.6), (EDGE, 30.6)), 0.9, share=1.2),
            Way("walk", ((-EDGE, 30.5), (EDGE, 30.5)), 1.1, share=0.6),
        ),
        "snow",
        trees=((-3.4, 21.0, 2.6, 2.0), (7.0, 18.0, 2.8, 1.9), (-11.5, 26.0, 2.4, 2.2), (2.8, 9.9, 3.6, 1.3)),
        poles=((-5.2, 15.3, 4.6, 0.09), (4.6, 15.4, 4.6, 0.09)),
        lamps=((-5.2, 15.3), (4.6, 15.4), (0.0, 28.0), (12, 28)),
        benches=((-0.5, 15.4), (9.6, 15.6)),
        bins=((1.4, 15.5),),
        flags=((9.5, 26.0, 5.5),),
        lawns=(
            ((-9.0, 24.5), (1.0, 24.0)),
            ((1.0, 17.8), (9.5, 18.2)),
            ((-7.0, 20.5), (-1.0, 27.0)),
            ((5.0, 21.0), (13.5, 25.5)),
        ),
    )


def _lane() -> Plan:
    """A street that leads away from the camera, parked cars, a cross street at its end."""
    return Plan(
        "lane",
        Camera(24, 6.0, 230),
        (-0.6, -0.25),
        46.0,
        "houses",
        (
            across("lawn", "grass", 0, 46),
            along("walk", "paving", -6.6, -1.8, 37),
            along("road", "asphalt", -1.5, 7.2, 46),
            along("other", "line", -1.8, -1.5, 37),
            along("walk", "paving", 7.4, 10.2, 37),
            across("road", "asphalt", 37.5, 43.5),
            across("walk", "paving", 43.5, 46),
            across("walk", "paving", 34.6, 37.4),
            along("road", "asphalt", -1.5, 7.2, 40),
        ),
        (
            Way("walk", ((-4.2, 4.6), (-4.2, 35.6), (-EDGE, 35.8)), 1.7, share=2.0),
            Way("walk", ((8.8, 4.6), (8.8, 35.8), (EDGE, 35.8)), 0.8, share=0.8),
            Way("road", ((5.4, 3.2), (5.4, 39.0), (7.5, 41.8), (EDGE, 42.0)), 0.2, one_way=True),
            Way("road", ((-EDGE, 39.2), (1.0, 39.2), (2.6, 37.0), (2.6, 3.2)), 0.2, one_way=True),
        ),
        "snow",
        trees=((-7.6, 17.0, 2.8, 1.8), (-7.4, 29.0, 2.6, 2.0), (11.6, 21.0, 2.6, 1.8)),
        poles=((-2.1, 12.0, 5.6, 0.10), (-2.1, 25.0, 5.6, 0.10)),
        lamps=((-2.1, 12.0), (-2.1, 25.0), (7.6, 18.0), (7.6, 33.0)),
        parked=((-0.4, 15.5, 90, 3), (-0.4, 21.5, 90, 4), (-0.4, 31.0, 90, 1)),
        bins=((-6.3, 15.0),),
        strays=(((1.2, 4.0), (1.2, 36.6), (-EDGE, 36.6)),),
        stops=((3, (2.6, 25.0), (-5.6, 24.0)),),
        lawns=(((-9.6, 21.0), (-8.4, 30.0)), ((-7.4, 16.5), (-8.6, 24.0)), ((11.4, 26.0), (13.5, 33.0))),
    )


def _gate() -> Plan:
    """The way out of a works: everybody goes to the right; a yard with parked cars behind it."""
    return Plan(
        "gate",
        Camera(20, 4.8, 230),
        (0.45, 0.5),
        34.0,
        "glass",
        (
            across("other", "asphalt", 0, 34),
            across("walk", "paving", 8.6, 14.4),
            across("other", "line", 14.4, 14.65),
            across("other", "line", 8.35, 8.6),
            across("lawn", "grass", 14.9, 17.6),
            across("road", "asphalt", 18, 30),
            across("walk", "paving", 30, 34),
        ),
        (
            Way("walk", ((-EDGE, 11.6), (EDGE, 11.6)), 2.1, one_way=True, share=2.4),
            Way("walk", ((-EDGE, 32.0), (EDGE, 32.0)), 1.2, share=0.6),
            Way("road", ((-EDGE, 20.2), (EDGE, 20.2)), 0.3, one_way=True),
        ),
        "rain",
        trees=((-8.4, 16.4, 2.6, 1.5), (9.2, 16.6, 2.6, 1.5)),
        poles=((-3.4, 8.9, 1.0, 0.13), (1.8, 8.9, 1.0, 0.13), (-2.2, 14.8, 5.4, 0.1), (4.6, 14.8, 5.4, 0.1)),
        lamps=((-2.2, 14.8), (4.6, 14.8), (-9, 29), (9, 29)),
        parked=((-9.2, 27.2, 80, 2), (-5.6, 27.2, 95, 6), (2.2, 27.2, 88, 5), (9.6, 27.2, 90, 0)),
        bins=((-5.8, 14.7),),
        stops=((2, (-1.5, 20.2), (-1.2, 32.6)),),
        lawns=(((-6.6, 16.3), (1.0, 16.2)), ((0.0, 16.2), (7.4, 16.3))),
    )


def _market() -> Plan:
    """A paved square that people cross in all directions."""
    return Plan(
        "market",
        Camera(12, 5.4, 245),
        (-0.45, 0.5),
        36.0,
        "houses",
        (
            across("walk", "cobbles", 0, 36),
            across("lawn", "grass", 20.4, 24.4),
            Strip("walk", "cobbles", (-2.4, 19.0), (-2.4, 26.0), 2.2),
            across("road", "asphalt", 26.8, 32.4),
            across("walk", "paving", 32.4, 36),
        ),
        (
            Way("walk", ((-EDGE, 12.4), (EDGE, 12.4)), 2.2, share=1.4),
            Way("walk", ((-EDGE, 11.0), (EDGE, 17.6)), 1.5, share=0.8),
            Way("walk", ((EDGE, 11.5), (-1.8, 18.0), (-2.4, 25.0), (-EDGE, 25.6)), 0.8, share=0.8),
            Way("road", ((-EDGE, 28.4), (EDGE, 28.4)), 0.2, one_way=True),
            Way("road", ((EDGE, 31.0), (-EDGE, 31.0)), 0.2, one_way=True),
        ),
        "rain",
        trees=((-8.8, 22.4, 2.8, 1.8), (4.6, 22.2, 2.6, 1.9), (11.5, 22.6, 2.8, 1.8)),
        poles=((3.6, 10.2, 1.0, 0.13), (-4.6, 10.2, 1.0, 0.13), (0.8, 19.6, 5.2, 0.1)),
        lamps=((-7.5, 19.6), (0.8, 19.6), (8.5, 19.6), (-8, 33), (6, 33)),
        benches=((-6.0, 19.5), (5.0, 19.5)),
        bins=((2.2, 19.5),),
        flags=((9.8, 25.6, 5.2),),
        stops=((3, (3.0, 28.4), (2.4, 34.6)),),
        lawns=(((-10.5, 22.0), (-5.2, 22.6)), ((0.6, 21.8), (9.6, 22.4)), ((6.0, 23.6), (12.5, 21.8))),
    )


def _quay() -> Plan:
    """A promenade along the water, bicycles between it and the grass."""
    return Plan(
        "quay",
        Camera(26, 4.6, 225),
        (0.6, 0.3),
        44.0,
        "harbour",
        (
            across("cycle", "red", 0, 10.2),
            across("other", "line", 10.2, 10.45),
            across("walk", "paving", 10.45, 16.8),
            across("other", "line", 16.8, 17.2),
            across("other", "water", 17.2, 44),
        ),
        (
            Way("walk", ((-EDGE, 13.6), (EDGE, 13.6)), 2.4, share=2.2),
            Way("cycle", ((EDGE, 9.3), (-EDGE, 9.3)), 0.4, one_way=True),
        ),
        "rain",
        trees=((-6.2, 10.9, 3.2, 1.2),),
        poles=((-3.2, 16.4, 1.0, 0.16), (2.6, 16.4, 1.0, 0.16), (8.2, 16.4, 1.0, 0.16), (4.2, 10.6, 5.4, 0.1)),
        lamps=((4.2, 10.6), (-4.4, 16.6), (11, 16.6)),
        benches=((-0.8, 15.9), (6.4, 15.9)),
        bins=((-7.2, 16.2),),
        flags=((-8.6, 16.6, 5.4),),
        strays=(((EDGE, 9.7), (-EDGE, 9.7)), ((-EDGE, 9.4), (EDGE, 9.6))),
    )


def _close() -> Plan:
    """A road in front, parked cars at its far kerb, a pavement behind them, gardens and houses."""
    return Plan(
        "close",
        Camera(22, 5.2, 250),
        (-0.4, 0.55),
        38.0,
        "bricks",
        (
            across("road", "asphalt", 0, 17.0),
            across("other", "line", 17.0, 17.25),
            across("walk", "paving", 17.25, 21.4),
            across("lawn", "grass", 21.4, 38),
            Strip("walk", "gravel", (-1.5, 21.0), (1.5, 38.0), 0.9),
        ),
        (
            Way("walk", ((-EDGE, 19.4), (EDGE, 19.4)), 1.5, share=2.2),
            Way("road", ((EDGE, 14.0), (-EDGE, 14.0)), 0.2, one_way=True),
            Way("road", ((-EDGE, 11.0), (EDGE, 11.0)), 0.2, one_way=True),
        ),
        "snow",
        trees=((-9.0, 24.5, 2.4, 1.9), (6.0, 26.0, 2.6, 2.1), (12.5, 24.5, 2.4, 1.7)),
        poles=((-5.4, 17.4, 5.6, 0.1), (5.2, 17.4, 5.6, 0.1)),
        lamps=((-5.4, 17.4), (5.2, 17.4), (0, 30), (14, 28)),
        parked=((-8.6, 16.1, 0, 1), (2.0, 16.1, 0, 4), (8.2, 16.1, 180, 6)),
        bins=((-3.4, 17.7),),
        strays=(((-EDGE, 12.4), (EDGE, 12.4)), ((EDGE, 15.2), (-EDGE, 15.2))),
        stops=((1, (-2.4, 14.0), (-2.2, 20.6)),),
        lawns=(((-7.5, 25.0), (-2.6, 23.0)), ((2.6, 23.6), (11.0, 23.2)), ((-9.5, 28.0), (-3.0, 28.5))),
    )


def _ramp() -> Plan:
    """A broad way that everybody takes towards the camera, lawns at its sides, a street at its far end."""
    return Plan(
        "ramp",
        Camera(20, 6.4, 235),
        (0.5, -0.3),
        48.0,
        "glass",
        (
            across("lawn", "grass", 0, 40),
            along("walk", "paving", -4.2, 3.6, 38),
            along("other", "line", -4.45, -4.2, 38),
            along("other", "line", 3.6, 3.85, 38),
            across("walk", "paving", 34.4, 38.4),
            across("road", "asphalt", 38.8, 45.0),
            across("walk", "paving", 45, 48),
        ),
        (
            Way("walk", ((-EDGE, 36.4), (-0.3, 35.6), (-0.3, 4.4)), 2.6, one_way=True, share=2.6),
            Way("road", ((-EDGE, 40.6), (EDGE, 40.6)), 0.2, one_way=True),
            Way("road", ((EDGE, 43.4), (-EDGE, 43.4)), 0.2, one_way=True),
        ),
        "snow",
        trees=((-7.4, 17.0, 2.6, 1.7), (7.2, 14.5, 2.6, 1.5), (8.8, 27.0, 2.6, 2.1), (-9.5, 29.0, 2.6, 2.2)),
        poles=((-4.7, 12.5, 5.4, 0.1), (4.1, 21.0, 5.4, 0.1), (-4.7, 29.0, 5.4, 0.1)),
        lamps=((-4.7, 12.5), (4.1, 21.0), (-4.7, 29.0), (10, 37)),
        benches=((6.0, 18.5),),
        bins=((4.3, 16.0),),
        flags=((-8.6, 34.0, 5.6),),
        lawns=(
            ((-8.4, 20.5), (-6.4, 27.5)),
            ((5.0, 12.5), (7.0, 23.0)),
            ((-5.9, 14.0), (-6.4, 22.0)),
            ((6.4, 29.0), (12.0, 24.0)),
        ),
    )


PLANS: dict[str, tuple[Plan, ...]] = {
    "develop": (_avenue(), _campus(), _lane(), _gate()),
    "judge": (_market(), _quay(), _close(), _ramp()),
}
