"""The three places: their ground, walls and props, painted once per scene.

`street`: a pavement in front of shops, cars on the road behind it. `passage`: an underground passage with a
one-way rule, an advertising screen on the wall. `square`: a paved square by a lawn, with trees, a flag and a fountain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from oddframe.data.synthetic.actors import Actor
from oddframe.data.synthetic.paint import Painter, rectangle
from oddframe.data.synthetic.props import Bench, Bin, Flag, Fountain, Post, Screen, Tree
from oddframe.data.synthetic.world import Camera, Pixels


@dataclass(frozen=True)
class Scene:
    """A place: `lit` and `shade` are the empty scene in sun and in shadow, (H, W, 3) uint8 at `FACTOR` times the size.

    People walk between `near` and `far` metres from the camera; cars drive at the distances `lanes`, to the left in
    the first and to the right in the second. Where `one_way` holds, all people walk to the right; where `diagonal`
    does, half of them cross slantwise.
    """

    name: str
    camera: Camera
    light: tuple[float, float]
    lit: Pixels
    shade: Pixels
    near: float
    far: float
    props: tuple[Actor, ...] = ()
    lanes: tuple[float, ...] = ()
    one_way: bool = False
    diagonal: bool = False


def street(rng: np.random.Generator) -> Scene:
    """A shopping street."""
    camera, back = Camera(18, 4.2, 240), 25.0
    paint = Painter(camera, rng)
    x, z = paint.x, paint.z
    grain = 0.05 * paint.noise(x, z, 0.05) + 0.05 * paint.noise(x, z, 1.7)
    tone, joints = paint.slabs(x, z, 0.9, 0.6, 0.03)
    paint.fill(z < 16, (172, 162, 148), 0.075 * tone + grain - 0.22 * joints)
    kerb = (z >= 15.55) & (z < 15.85)
    paint.fill(kerb, (196, 192, 184), grain)
    asphalt = 0.09 * paint.noise(x, z, 0.08) + 0.06 * paint.noise(x, z, 3)
    paint.fill((z >= 15.85) & (z < 22.6), (92, 93, 97), asphalt)
    paint.fill((z >= 15.85) & (z < 16.15), (70, 70, 72), asphalt)
    dashes = (abs(z - 19.2) < 0.12) & (np.floor(x / 1.5) % 2 == 0)
    paint.fill(dashes, (210, 208, 198), grain)
    paint.fill((z >= 22.6) & (z < back), (160, 154, 144), grain)
    wall_x, wall_h = paint.wall(back)
    bricks, mortar = paint.slabs(wall_x, wall_h, 0.5, 0.22, 0.03)
    behind = (paint.below <= 0) | (z >= back)
    paint.fill(behind & (wall_x < -4.6), (168, 96, 76), 0.12 * bricks + 0.18 * mortar)
    paint.fill(behind & (wall_x >= -4.6) & (wall_x < 3.6), (206, 190, 158), 0.06 * paint.noise(wall_x, wall_h, 0.9))
    paint.fill(behind & (wall_x >= 3.6), (140, 148, 152), 0.08 * bricks + 0.1 * mortar)
    canvas = paint.canvas()
    for left, right, sign, awning in (
        (-12.3, -5.2, (44, 84, 66), (52, 112, 82)),
        (-4.0, 3.0, (122, 40, 44), (176, 58, 52)),
        (4.2, 12.4, (38, 60, 104), (70, 96, 150)),
    ):
        rectangle(canvas, back, (left, right), (0.0, 2.7), (58, 56, 54))
        middle = left + 0.62 * (right - left)
        rectangle(canvas, back, (left + 0.2, middle - 0.2), (0.5, 2.4), (112, 132, 140))
        rectangle(canvas, back, (left + 0.2, middle - 0.9), (0.5, 1.2), (150, 138, 112))
        rectangle(canvas, back, (middle, middle + 1.1), (0.0, 2.4), (84, 64, 48))
        rectangle(canvas, back, (middle + 0.15, middle + 0.95), (0.9, 2.2), (120, 136, 140))
        rectangle(canvas, back, (middle + 1.4, right - 0.2), (0.5, 2.4), (104, 124, 134))
        rectangle(canvas, back, (left, right), (2.7, 3.5), sign)
        for k in range(6):
            rectangle(canvas, back, (left + 1.2 + 0.6 * k, left + 1.5 + 0.6 * k), (2.9, 3.3), (236, 228, 204))
        stripes = 10
        for k in range(stripes):
            a, b = (left + 0.1 + (middle - left - 0.2) * (k + d) / stripes for d in (0, 1))
            colour = awning if k % 2 else (232, 228, 216)
            canvas.polygon([(a, 2.75, back), (b, 2.75, back), (b, 2.35, back - 1.1), (a, 2.35, back - 1.1)], colour)
        for k in range(4):
            w = left + 0.7 + 1.7 * k
            if w + 1.0 < right:
                rectangle(canvas, back, (w - 0.08, w + 1.08), (4.1, 6.1), (222, 216, 204))
                rectangle(canvas, back, (w, w + 1.0), (4.2, 6.1), (78, 94, 106))
    lit, shade = paint.plates(104)
    props: list[Actor] = [
        Tree.grow(rng, -4.9, 15.1, height=2.9, spread=1.5, colour=(96, 138, 66), wind=0.10),
        Tree.grow(rng, 4.6, 15.1, height=3.0, spread=1.4, colour=(104, 142, 62), wind=0.10),
        Post(0.6, 15.2, 5.5, 0.09, (66, 70, 74)),
        *(Post(k, 15.3, 0.95, 0.11, (74, 76, 80), (214, 206, 190)) for k in (-6.8, -2.8, 2.7, 6.9)),
        Bin(-2.75, 8.35, (62, 92, 70)),
    ]
    return Scene("street", camera, (-0.55, 0.5), lit, shade, 8.7, 14.6, tuple(props), lanes=(20.9, 17.5))


def passage(rng: np.random.Generator) -> Scene:
    """An underground passage in which everybody walks to the right."""
    camera, back = Camera(30, 3.6, 230), 17.0
    paint = Painter(camera, rng)
    x, z = paint.x, paint.z
    tone, joints = paint.slabs(x, z, 0.8, 0.8, 0.025, bond=0.0)
    gleam = 0.05 * np.cos(x * 0.9) * (z > 6) + 0.03 * paint.noise(x, z, 2.2)
    check = 0.05 * ((np.floor(x / 0.8) + np.floor(z / 0.8)) % 2)
    paint.fill(z < back, (150, 152, 156), 0.05 * tone + check + gleam - 0.18 * joints)
    for edge in (14.3, 6.75):
        paint.fill(abs(z - edge) < 0.14, (206, 176, 70), gleam + 0.04 * tone)
    wall_x, wall_h = paint.wall(back)
    tiles, grout = paint.slabs(wall_x, wall_h, 0.42, 0.22, 0.022)
    behind = (paint.below <= 0) | (z >= back)
    falloff = -0.035 * abs(wall_h - 3.2)
    paint.fill(behind, (206, 210, 204), 0.05 * tiles - 0.16 * grout + falloff)
    paint.fill(behind & (wall_h < 0.35), (72, 80, 88), falloff)
    paint.fill(behind & (abs(wall_h - 3.3) < 0.16), (54, 104, 140), falloff)
    paint.fill(behind & (wall_h > 5.0), (246, 244, 230), 0.02 * tiles)
    canvas = paint.canvas()
    for left, ground, band in ((-7.9, (222, 210, 176), (170, 72, 60)), (4.6, (86, 120, 142), (232, 226, 206))):
        rectangle(canvas, back, (left, left + 2.4), (0.9, 2.8), (60, 60, 64))
        rectangle(canvas, back, (left + 0.12, left + 2.28), (1.0, 2.7), ground)
        rectangle(canvas, back, (left + 0.3, left + 2.1), (1.9, 2.4), band)
        rectangle(canvas, back, (left + 0.3, left + 1.5), (1.2, 1.4), band)
    for row, count in ((12.4, 4), (10.4, 3), (8.6, 3)):
        half = camera.half_width(row)
        for k in range(count):
            a = -half + (2 * half) * (k + 0.5) / count - 0.6
            shaft = ((a, -0.09), (a + 0.8, -0.09), (a + 0.8, 0.09), (a, 0.09))
            for outline in (shaft, ((a + 0.75, -0.3), (a + 1.3, 0.0), (a + 0.75, 0.3))):
                canvas.polygon([(right, 0.0, row + away) for right, away in outline], (236, 236, 232))
    lit, shade = paint.plates(64)
    props: list[Actor] = [
        Screen(-2.6, back, 1.0, 4.2, 1.75),
        *(Post(k, 15.3, 7.0, 0.34, (176, 172, 160)) for k in (-6.4, -3.6, 3.6, 6.4)),
        Bin(1.9, 7.05, (92, 98, 108)),
    ]
    return Scene("passage", camera, (0.16, -0.1), lit, shade, 7.6, 13.6, tuple(props), one_way=True)


def square(rng: np.random.Generator) -> Scene:
    """A square with a fountain, people cross it in all directions."""
    camera, hedge = Camera(12, 5.0, 250), 31.0
    paint = Painter(camera, rng)
    x, z = paint.x, paint.z
    grain = 0.05 * paint.noise(x, z, 0.06) + 0.06 * paint.noise(x, z, 2.3)
    tone, joints = paint.slabs(x + 0.5 * z, z - 0.5 * x, 0.45, 0.45, 0.035)
    paint.fill(z < 18, (178, 158, 140), 0.1 * tone + grain - 0.16 * joints)
    band = (abs(z - 16.9) < 0.25) | (abs(z - 11.4) < 0.2)
    paint.fill(band, (198, 190, 178), 0.04 * tone + grain)
    paint.fill((z >= 17.7) & (z < 18.0), (150, 148, 142), grain)
    lawn = 0.16 * paint.noise(x, z, 0.16) + 0.1 * paint.noise(x, z, 1.4) + 0.05 * (np.floor(x / 1.6 + z / 9) % 2)
    paint.fill((z >= 18.0) & (z < hedge), (104, 136, 72), lawn)
    path = abs(x + 6.2 - 0.12 * (z - 18)) < 0.9
    paint.fill(path & (z >= 18.0) & (z < hedge), (190, 174, 144), grain)
    wall_x, wall_h = paint.wall(hedge)
    behind = (paint.below <= 0) | (z >= hedge)
    leaves = 0.28 * paint.noise(wall_x, wall_h, 0.3) + 0.16 * paint.noise(wall_x, wall_h, 1.1)
    paint.fill(behind, (150, 172, 190), 0.05 * paint.noise(wall_x, wall_h, 3))
    house, mortar = paint.slabs(wall_x, wall_h, 0.6, 0.3, 0.03)
    paint.fill(behind & (abs(wall_x - 7.5) < 5.4), (184, 150, 120), 0.06 * house + 0.08 * mortar)
    crown = 2.1 + 0.5 * paint.noise(wall_x, wall_h * 0, 1.3)
    for left in (3.2, 5.4, 7.6, 9.8):
        pane = behind & (abs(wall_x - left - 0.55) < 0.55) & (abs(wall_h - 4.3) < 1.1)
        paint.fill(pane, (86, 104, 118), 0 * grain)
    paint.fill(behind & (wall_h < crown), (66, 98, 54), leaves)
    paint.canvas()
    lit, shade = paint.plates(110)
    props: list[Actor] = [
        Tree.grow(rng, -10.0, 27.0, height=2.2, spread=2.3, colour=(92, 132, 60), wind=0.16),
        Tree.grow(rng, 9.4, 24.0, height=2.4, spread=2.2, colour=(110, 140, 58), wind=0.16),
        Tree.grow(rng, -5.9, 17.6, height=2.8, spread=1.7, colour=(100, 144, 64), wind=0.13),
        Flag(6.2, 19.5, 5.2, ((206, 60, 50), (240, 236, 226))),
        Fountain(0.8, 22.0),
        Bench(-2.2, 17.6, (142, 104, 66)),
        Bench(4.3, 17.6, (142, 104, 66)),
        Post(-0.2, 17.3, 4.4, 0.09, (60, 64, 66)),
        Post(3.55, 9.3, 1.0, 0.13, (70, 72, 76), (220, 214, 196)),
    ]
    return Scene("square", camera, (0.5, 0.45), lit, shade, 9.4, 16.4, tuple(props), diagonal=True)


SCENES: dict[str, Callable[[np.random.Generator], Scene]] = {"street": street, "passage": passage, "square": square}
