"""The empty place: its ground and walls as plates in sun and shadow, and what stands in front of people as sprites."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from oddframe.data.synthetic.actors import Actor, Track
from oddframe.data.synthetic.day.figures import draw_vehicle
from oddframe.data.synthetic.day.light import Light, Weather
from oddframe.data.synthetic.day.places import Plan
from oddframe.data.synthetic.paint import Field, Painter, rectangle
from oddframe.data.synthetic.props import Bench, Bin, Flag, Post, Tree
from oddframe.data.synthetic.things import Car
from oddframe.data.synthetic.world import FACTOR, SIZE, Canvas, Colour, Pixels

SWAYS = 64
"""Moments of a tree or flag; they are gone through to and fro."""

_WIND = {"clear": 0.05, "rain": 0.07, "snow": 0.03, "wind": 0.2}
_SNOWED: Colour = (226, 229, 234)


@dataclass(frozen=True)
class Standing:
    """Something that stands there: distance, and its moments as (row, column, pixels, mask)."""

    z: float
    moments: tuple[tuple[int, int, Pixels, Pixels], ...]


@dataclass(frozen=True)
class Scenery:
    """An empty place. `lit` and `shade` are (H, W, 3) at `FACTOR` times the size, `glow` is (H, W)."""

    lit: Pixels
    shade: Pixels
    glow: Pixels
    standing: tuple[Standing, ...]


def paint(plan: Plan, light: Light, weather: Weather, seed: int) -> Scenery:
    """Paint a place. The same seed paints the same stones and leaves."""
    rng = np.random.default_rng([seed, 7])
    painter = Painter(plan.camera, rng)
    _ground(painter, plan, weather)
    glow = np.zeros((SIZE[0] * painter.factor, SIZE[1] * painter.factor), np.uint8)
    _walls(painter, plan, glow, light, weather)
    lit, _ = painter.plates(0)
    dim = 96 if light == "day" and weather in ("clear", "wind") else 46
    keep = np.array([256 - dim, 256 - dim, 256 - dim * 7 // 8], dtype=np.uint16)
    shade = ((lit.astype(np.uint16) * keep) >> 8).astype(np.uint8)
    props = _props(plan, weather, rng)
    if light == "day" and weather in ("clear", "wind"):
        still = np.zeros(lit.shape[:2], np.uint8)
        caster = Canvas(plan.camera, still, light=plan.sun)
        for prop in props:
            prop.draw(caster, 0)
        lit = np.where(still[..., None] > 0, shade, lit)
    standing = tuple(_standing(plan, prop) for prop in props)
    small = np.asarray(cv2.resize(glow, (SIZE[1], SIZE[0]), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Scenery(np.ascontiguousarray(lit), shade, small, standing)


def _ground(painter: Painter, plan: Plan, weather: Weather) -> None:
    x, z = painter.x, painter.z
    fine, broad = painter.noise(x, z, 0.06), painter.noise(x, z, 2.3)
    patches = painter.noise(x, z, 0.7)
    grain = 0.05 * fine + 0.05 * broad
    wet = 0.72 if weather == "rain" else 1.0
    painter.fill(np.ones(x.shape, bool), (128, 124, 118), grain)
    stones = {
        "paving": painter.slabs(x, z, 0.9, 0.6, 0.035),
        "cobbles": painter.slabs(x + 0.5 * z, z - 0.5 * x, 0.4, 0.4, 0.04),
    }
    for strip in plan.strips:
        where = strip.holds(x, z)
        if strip.material in ("paving", "cobbles"):
            tone, joints = stones[strip.material]
            colour: Colour = (170, 162, 150) if strip.material == "paving" else (160, 146, 132)
            how: Field = 0.08 * tone + grain - 0.2 * joints
        elif strip.material == "grass":
            colour, how = (98, 132, 68), 0.14 * painter.noise(x, z, 0.18) + 0.1 * patches + 0.05 * broad
        elif strip.material == "gravel":
            colour, how = (182, 168, 140), grain + 0.04 * patches
        elif strip.material == "red":
            colour, how = (150, 88, 74), grain
        elif strip.material == "line":
            colour, how = (208, 206, 198), grain
        elif strip.material == "water":
            colour, how = (84, 108, 122), 0.1 * painter.noise(x * 0.3, z, 0.5) + 0.04 * broad
        else:
            colour, how = (92, 93, 97), 0.08 * fine + 0.06 * broad
            leads_away = strip.start[0] == strip.end[0]
            aside, ahead = (x - strip.start[0], z) if leads_away else (z - strip.start[1], x)
            if 3 < strip.half < 5:  # two lanes
                how = np.where((np.abs(aside) < 0.09) & (np.floor(ahead / 1.6) % 2 == 0), 1.15, how)
        if weather == "snow" and strip.material not in ("water",):
            share = {"grass": 0.95, "asphalt": 0.4, "line": 0.3}.get(strip.material, 0.5)
            cover = np.clip(share + 0.35 * patches + 0.2 * broad, 0, 1) * np.where(how > 1, 0.6, 1.0)
            colours = np.array(colour) * (1 + how[where][:, None])
            white = np.array(_SNOWED) * (1 + 0.04 * fine[where][:, None])
            part = cover[where][:, None]
            painter.rgb[where] = colours * (1 - part) + white * part
        else:
            damp = wet * (1 + (0.12 * patches if weather == "rain" else 0.0))
            painter.fill(where, colour, (1 + how) * damp - 1)


def _walls(painter: Painter, plan: Plan, glow: Pixels, light: Light, weather: Weather) -> None:
    back, rng = plan.back, painter.rng
    x, h = painter.wall(back)
    behind = (painter.below <= 0) | (painter.z >= back)
    half = plan.camera.half_width(back) + 2
    grain = 0.05 * painter.noise(x, h, 0.9)
    sky: Colour = (176, 190, 204) if weather in ("clear", "wind") else (168, 172, 176)
    painter.fill(behind, sky, 0.05 * painter.noise(x, h, 6.0))
    bricks, mortar = painter.slabs(x, h, 0.6, 0.26, 0.03)
    if plan.facade == "hedge":
        crown = 2.6 + 0.9 * painter.noise(x, h * 0, 1.9)
        leaves = 0.26 * painter.noise(x, h, 0.35) + 0.16 * painter.noise(x, h, 1.2)
        painter.fill(behind & (h < crown), (66, 96, 54), leaves)
        painter.fill(behind & (h < 7.5) & (np.abs(x - 9) < 6.5) & (h >= crown), (176, 148, 122), 0.06 * bricks)
    elif plan.facade == "harbour":
        painter.fill(behind & (h < 1.2), (112, 112, 108), 0.1 * bricks)
        hull = behind & (h >= 0.2) & (h < 2.4 + 0.3 * np.cos(x * 0.4)) & (np.abs(x - 5) < 7)
        painter.fill(hull, (126, 52, 46), grain)
        painter.fill(behind & (h >= 2.2) & (h < 5.2) & (np.abs(x - 8) < 3), (214, 212, 204), grain)
        painter.fill(behind & (h < 5.5) & (h >= 1.2) & (x < -4), (132, 120, 104), 0.1 * bricks + 0.12 * mortar)
    else:
        edge, number = -half, 0
        while edge < half:
            wide = float(rng.uniform(7, 12))
            high = float(rng.uniform(8, 14))
            shades: dict[str, tuple[Colour, ...]] = {
                "shops": ((176, 110, 86), (206, 190, 158), (146, 150, 154)),
                "houses": ((204, 186, 150), (184, 132, 104), (196, 200, 196)),
                "bricks": ((158, 92, 72), (168, 104, 80), (146, 86, 70)),
                "glass": ((150, 162, 168), (132, 146, 156), (166, 170, 170)),
            }
            colours = shades[plan.facade]
            part = behind & (x >= edge) & (x < edge + wide) & (h < high)
            painter.fill(part, colours[number % len(colours)], 0.1 * bricks + 0.14 * mortar + grain)
            edge, number = edge + wide, number + 1
    canvas = painter.canvas()
    shine = Canvas(plan.camera, glow, painter.factor)
    if plan.facade in ("shops", "houses", "bricks", "glass"):
        _windows(plan, canvas, shine, rng, half, light)


def _windows(plan: Plan, canvas: Canvas, shine: Canvas, rng: np.random.Generator, half: float, light: Light) -> None:
    back, left = plan.back, -half
    step = 1.9 if plan.facade == "glass" else 3.1
    while left < half:
        for floor in range(4):
            low = 0.7 + 3.1 * floor
            wide, high = (1.5, 2.2) if plan.facade == "glass" else (1.3, 1.7)
            lit = float(rng.random()) < 0.4
            if floor == 0 and plan.facade == "shops":
                wide, high, low, lit = 2.5, 2.0, 0.5, True
            if floor == 0 and plan.facade in ("houses", "bricks") and rng.random() < 0.35:
                rectangle(canvas, back, (left + 0.3, left + 1.3), (0.0, 2.2), (92, 62, 46))
                continue
            rectangle(canvas, back, (left + 0.12, left + wide + 0.28), (low - 0.08, low + high + 0.08), (214, 208, 198))
            tone = int(rng.integers(-14, 14))
            rectangle(
                canvas, back, (left + 0.2, left + 0.2 + wide), (low, low + high), (92 + tone, 108 + tone, 120 + tone)
            )
            rectangle(
                canvas, back, (left + 0.2, left + 0.2 + wide / 2), (low, low + high * 0.6),
                (112 + tone, 126 + tone, 134 + tone),
            )  # fmt: skip
            if lit and light != "day":
                warm = (232, 204 + tone, 146 + tone)
                rectangle(canvas, back, (left + 0.2, left + 0.2 + wide), (low, low + high), warm)
                rectangle(shine, back, (left + 0.2, left + 0.2 + wide), (low, low + high), (255, 255, 255))
        if plan.facade == "shops":
            sign = ((44, 84, 66), (122, 40, 44), (38, 60, 104), (150, 110, 40))[int(rng.integers(4))]
            rectangle(canvas, back, (left, left + 2.9), (2.65, 3.35), sign)
        left += step


def _props(plan: Plan, weather: Weather, rng: np.random.Generator) -> list[Actor]:
    wind = _WIND[weather]
    leaf: Colour = (96, 136, 64) if weather != "snow" else (168, 178, 166)
    props: list[Actor] = [
        Tree.grow(rng, x, z, height=height, spread=spread, colour=leaf, wind=wind)
        for x, z, height, spread in plan.trees
    ]
    props += [Post(x, z, high, radius, (72, 74, 78), (206, 200, 186)) for x, z, high, radius in plan.poles]
    props += [Bench(x, z, (140, 104, 68)) for x, z in plan.benches]
    props += [Bin(x, z, (62, 88, 70)) for x, z in plan.bins]
    props += [Flag(x, z, high, ((196, 60, 52), (236, 232, 220))) for x, z, high in plan.flags]
    paints: tuple[Colour, ...] = (
        (150, 46, 44), (200, 200, 204), (56, 80, 124), (64, 66, 70), (140, 144, 148), (178, 156, 88), (44, 84, 72),
    )  # fmt: skip
    for x, z, degrees, number in plan.parked:
        props.append(_Parked(x, z, degrees, paints[number % len(paints)], 3.9 + 0.1 * number))
    return props


@dataclass(frozen=True)
class _Parked:
    """A car that stands there for good; one that is seen from its end is drawn as boxes."""

    x: float
    z: float
    degrees: float
    colour: Colour
    long: float
    kind: None = None

    def depth(self, t: int) -> float:
        return self.z

    def odd(self, t: int) -> bool:
        return False

    def draw(self, canvas: Canvas, t: int) -> None:
        heading = math.radians(self.degrees)
        if abs(math.sin(heading)) < 0.3:
            Car(Track(0, self.x, self.z, 0.0, heading), self.colour, self.long).draw(canvas, 0)
        else:
            draw_vehicle(canvas, self.x, self.z, heading, self.long, self.colour)


def _standing(plan: Plan, prop: Actor) -> Standing:
    moving = isinstance(prop, Tree | Flag)
    moments = []
    for k in range(SWAYS if moving else 1):
        pixels = np.zeros((SIZE[0] * FACTOR, SIZE[1] * FACTOR, 3), np.uint8)
        canvas = Canvas(plan.camera, pixels)
        canvas.tags, canvas.tag = np.zeros(pixels.shape[:2], np.uint8), 255
        prop.draw(canvas, k)
        x, y, wide, high = cv2.boundingRect(canvas.tags)
        cut = np.s_[y : y + high, x : x + wide]
        moments.append((y, x, pixels[cut].copy(), canvas.tags[cut].copy()))
    return Standing(prop.depth(0), tuple(moments))
