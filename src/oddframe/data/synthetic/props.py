"""What stands in a scene and may move there without going anywhere: trees, a flag, a fountain, a screen, posts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from oddframe.data.synthetic.world import FPS, Canvas, Colour, Point, shaded


@dataclass(frozen=True)
class _Prop:
    """Something that stands at (x, z) and is never an anomaly."""

    x: float
    z: float
    kind: ClassVar[None] = None

    def depth(self, t: int) -> float:
        return self.z

    def odd(self, t: int) -> bool:
        return False


@dataclass(frozen=True)
class Post(_Prop):
    """A bollard, a lamp post or a pillar."""

    height: float
    radius: float
    colour: Colour
    cap: Colour | None = None

    def draw(self, canvas: Canvas, t: int) -> None:
        top = self.height - self.radius
        canvas.capsule((self.x, 0.02, self.z), (self.x, top, self.z), self.radius, self.radius, self.colour)
        light = self.x - 0.35 * self.radius
        canvas.line((light, 0.05, self.z), (light, top, self.z), 0.5 * self.radius, shaded(self.colour, 1.3))
        if self.cap is not None:
            canvas.line((self.x, top - 0.18, self.z), (self.x, top - 0.1, self.z), 2.2 * self.radius, self.cap)


@dataclass(frozen=True)
class Bin(_Prop):
    """A round litter bin with a lid."""

    colour: Colour

    def draw(self, canvas: Canvas, t: int) -> None:
        def ring(h: float, radius: float) -> list[Point]:
            turns = (math.tau * k / 12 for k in range(12))
            return [(self.x + radius * math.cos(a), h, self.z + radius * math.sin(a)) for a in turns]

        low, high = ring(0.04, 0.25), ring(0.84, 0.25)
        front = [*low[6:], low[0], high[0], *reversed(high[6:])]
        canvas.polygon(front, self.colour)
        canvas.polygon([*low[7:9], *reversed(high[7:9])], shaded(self.colour, 1.2))
        canvas.polygon(ring(0.84, 0.29), shaded(self.colour, 0.7))
        canvas.polygon(ring(0.87, 0.17), (24, 26, 26))


@dataclass(frozen=True)
class Bench(_Prop):
    """A bench seen from the front."""

    colour: Colour

    def draw(self, canvas: Canvas, t: int) -> None:
        for side in (-0.75, 0.75):
            x = self.x + side
            canvas.line((x, 0, self.z), (x, 0.45, self.z), 0.09, (50, 52, 54))
            canvas.line((x, 0, self.z + 0.45), (x, 0.85, self.z + 0.45), 0.09, (50, 52, 54))
        for h, z in ((0.62, 0.45), (0.8, 0.45), (0.46, 0.3), (0.46, 0.12), (0.44, 0.0)):
            tone = 1.0 if h < 0.5 else 0.85
            ends: tuple[Point, Point] = ((self.x - 0.9, h, self.z + z), (self.x + 0.9, h, self.z + z))
            canvas.line(*ends, 0.11, shaded(self.colour, tone))


@dataclass(frozen=True)
class Tree(_Prop):
    """A tree whose leaves move in gusts. `leaves` holds dx, h, dz, radius, tone and phase of each tuft."""

    height: float
    leaves: tuple[tuple[float, float, float, float, float, float], ...]
    colour: Colour
    wind: float

    @classmethod
    def grow(
        cls, rng: np.random.Generator, x: float, z: float, *, height: float, spread: float, colour: Colour, wind: float
    ) -> Tree:
        """A tree with its crown above `height`."""
        leaves = []
        for _ in range(64):
            a, b, c, d, e = (float(v) for v in rng.random(5))
            angle, far = math.tau * a, math.sqrt(b) * spread
            tone = 0.62 + 0.5 * c + 0.14 * math.cos(angle)
            dx, dz, h = far * math.cos(angle), far * math.sin(angle), height + spread * (0.2 + 1.1 * c)
            leaves.append((dx, h, dz, 0.28 + 0.3 * d, tone, math.tau * e))
        leaves.sort(key=lambda leaf: leaf[4])
        return cls(x, z, height, tuple(leaves), colour, wind)

    def draw(self, canvas: Canvas, t: int) -> None:
        time = t / float(FPS)
        gust = 0.6 + 0.4 * math.sin(0.31 * time) + 0.3 * math.sin(0.83 * time + 1)
        push = self.wind * gust * (1 + 0.7 * math.sin(1.9 * time) + 0.35 * math.sin(3.7 * time + 2))
        trunk = (84, 66, 50)
        fork = (self.x + 0.25 * push, self.height + 0.5, self.z)
        canvas.capsule((self.x, 0.02, self.z), (self.x, 0.6 * self.height, self.z), 0.17, 0.12, trunk)
        canvas.capsule((self.x, 0.6 * self.height, self.z), fork, 0.12, 0.09, trunk)
        for dx, h, dz, radius, tone, phase in self.leaves:
            flutter = 0.35 * self.wind * gust * math.sin(5.1 * time + phase)
            centre = (self.x + dx + push + flutter, h + 0.5 * flutter, self.z + dz)
            canvas.ball(centre, radius, shaded(self.colour, tone))


@dataclass(frozen=True)
class Flag(_Prop):
    """A striped flag on a pole."""

    height: float
    colours: tuple[Colour, Colour]

    def draw(self, canvas: Canvas, t: int) -> None:
        time = t / float(FPS)
        canvas.line((self.x, 0, self.z), (self.x, self.height, self.z), 0.1, (190, 190, 194))
        edges = []
        for k in range(11):
            u = k / 10
            wave = u * 0.16 * math.sin(6.5 * u - 5.2 * time)
            edges.append((self.x + 1.9 * u * (0.93 + 0.07 * math.sin(1.1 * time)), wave - 0.12 * u))
        for k, ((x0, d0), (x1, d1)) in enumerate(pairwise(edges)):
            tone = 0.9 + 0.2 * math.cos(6.5 * k / 10 - 5.2 * time)
            for stripe, colour in enumerate((self.colours[0], self.colours[1], self.colours[0])):
                high = self.height - 0.4 * stripe
                canvas.polygon(
                    [
                        (x0, high + d0, self.z),
                        (x1, high + d1, self.z),
                        (x1, high + d1 - 0.4, self.z),
                        (x0, high + d0 - 0.4, self.z),
                    ],
                    shaded(colour, tone),
                )


@dataclass(frozen=True)
class Fountain(_Prop):
    """A round basin with jets of water."""

    def draw(self, canvas: Canvas, t: int) -> None:
        rim = [(self.x + 2.1 * math.cos(a), self.z + 1.6 * math.sin(a)) for a in (math.tau * k / 24 for k in range(24))]
        canvas.polygon([(x, 0.5, z) for x, z in rim], (168, 164, 156))
        front = [p for p in rim if p[1] <= self.z + 0.01]
        front.sort()
        canvas.polygon(
            [(x, 0.5, z) for x, z in front] + [(x, 0.0, z) for x, z in reversed(front)],
            (142, 138, 130),
        )
        water = [((x - self.x) * 0.86 + self.x, 0.5, (z - self.z) * 0.86 + self.z) for x, z in rim]
        canvas.polygon(water, (96, 132, 146))
        if canvas.light is not None:
            return
        canvas.line((self.x, 0.4, self.z), (self.x, 1.0, self.z), 0.3, (150, 146, 138))
        strength = 1 + 0.2 * math.sin(0.5 * t / float(FPS))
        for k in range(84):
            # The golden angle spreads the drops over the jets and over their way.
            part = (0.618034 * k + t * (0.062 + 0.004 * (k % 5))) % 1.0
            angle = math.tau * (k % 7) / 7 + 0.3 * math.sin(k)
            out = 1.5 * part * strength
            h = 1.0 + (5.2 * part - 5.8 * part * part) * strength * 0.9
            tone = 205 + 9 * (k % 6)
            centre = (self.x + out * math.cos(angle), max(0.5, h), self.z + 0.7 * out * math.sin(angle))
            canvas.ball(centre, 0.06 + 0.05 * part, (tone - 14, tone - 4, tone))


@dataclass(frozen=True)
class Screen(_Prop):
    """An advertising screen on a wall: its pictures change every few seconds and move all the while."""

    low: float
    width: float
    height: float

    def draw(self, canvas: Canvas, t: int) -> None:
        if canvas.light is not None:
            return
        slide, since = divmod(t, 55)
        grounds = ((196, 72, 58), (40, 92, 150), (226, 196, 90), (58, 130, 92))
        ground, other = grounds[slide % 4], grounds[(slide + 2) % 4]
        left, right, low, high = self.x, self.x + self.width, self.low, self.low + self.height
        for edge, colour in ((0.08, (30, 30, 34)), (0.0, ground)):
            a, b, c, d = left - edge, right + edge, low - edge, high + edge
            canvas.polygon([(a, c, self.z), (b, c, self.z), (b, d, self.z), (a, d, self.z)], colour)
        radius = 0.26 * self.height
        swing = 0.5 + 0.5 * math.sin(0.16 * since + slide)
        centre_x = left + radius + (self.width - 2 * radius) * swing
        canvas.ball((centre_x, low + 0.58 * self.height, self.z), radius, other)
        bar = left + (self.width - 0.1) * min(1.0, since / 50)
        canvas.line((left + 0.05, low + 0.14, self.z), (bar, low + 0.14, self.z), 0.12, (244, 244, 240))
