"""What moves on wheels or through the air: cyclists, carts, thrown things, and the cars that belong on the road."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from oddframe.data.synthetic.actors import Body, Look, Pose, Track, draw_person, walking
from oddframe.data.synthetic.world import FPS, Canvas, Colour, shaded

_TYRE: Colour = (28, 28, 30)
_RIM = tuple((math.cos(a), math.sin(a)) for a in (math.tau * k / 14 for k in range(15)))


def _wheel(canvas: Canvas, body: Body, u: float, v: float, radius: float, width: float) -> None:
    """A spoked wheel: a ring in the plane of travel."""
    ring = [body.at(u + radius * c, v, radius + radius * s) for c, s in _RIM]
    for p, q in pairwise(ring):
        canvas.line(p, q, width, _TYRE)


def _box(canvas: Canvas, body: Body, u: tuple[float, float], v: float, h: tuple[float, float], colour: Colour) -> None:
    """A box of half width `v`: top, the end that faces the middle of the picture, then the side that is nearer."""
    near = -v if math.cos(body.heading) > 0 else v
    low, high = h
    canvas.polygon(
        [body.at(u[0], v, high), body.at(u[1], v, high), body.at(u[1], -v, high), body.at(u[0], -v, high)],
        shaded(colour, 1.15),
    )
    ends = [(abs(body.at(end, 0, 0)[0]), end) for end in u]
    inner = min(ends)[1]
    canvas.polygon(
        [body.at(inner, v, low), body.at(inner, v, high), body.at(inner, -v, high), body.at(inner, -v, low)],
        shaded(colour, 0.7),
    )
    canvas.polygon(
        [body.at(u[0], near, low), body.at(u[1], near, low), body.at(u[1], near, high), body.at(u[0], near, high)],
        shaded(colour, 0.92),
    )


@dataclass(frozen=True)
class Cyclist:
    """A bicycle and its rider."""

    look: Look
    track: Track
    frame: Colour
    kind: ClassVar[str] = "cyclist"

    def depth(self, t: int) -> float:
        return self.track.at(t)[1]

    def odd(self, t: int) -> bool:
        return True

    def draw(self, canvas: Canvas, t: int) -> None:
        if not self.track.visible(t, canvas.camera):
            return
        x, z = self.track.at(t)
        size = self.look.height / 1.7
        body = Body(x, z, self.track.heading, size=size)
        pedal = math.tau * self.track.distance(t) / 3.2
        _wheel(canvas, body, -0.52, 0, 0.34, 0.06)
        _wheel(canvas, body, 0.54, 0, 0.34, 0.06)
        crank, saddle, head = body.at(-0.08, 0, 0.32), body.at(-0.24, 0, 0.92), body.at(0.40, 0, 0.88)
        rear, front = body.at(-0.52, 0, 0.34), body.at(0.54, 0, 0.34)
        for p, q in ((crank, saddle), (crank, head), (saddle, head), (crank, rear), (saddle, rear), (head, front)):
            canvas.line(p, q, 0.055, self.frame)
        canvas.line(head, body.at(0.36, 0, 1.05), 0.05, _TYRE)
        s = math.sin(pedal)
        pose = Pose(
            thighs=(0.95 + 0.4 * s, 0.95 - 0.4 * s),
            knees=(1.05 + 0.35 * s, 1.05 - 0.35 * s),
            arms=(0.75, 0.75),
            elbows=(0.35, 0.35),
            lean=0.5,
            seat=0.98,
        )
        rider = body.moved(-0.24, size)
        draw_person(canvas, rider, self.look, pose)


@dataclass(frozen=True)
class Cart:
    """A loaded trolley and the person who pushes it."""

    look: Look
    track: Track
    load: tuple[Colour, Colour]
    kind: ClassVar[str] = "cart"

    def depth(self, t: int) -> float:
        return self.track.at(t)[1]

    def odd(self, t: int) -> bool:
        return True

    def draw(self, canvas: Canvas, t: int) -> None:
        if not self.track.visible(t, canvas.camera):
            return
        x, z = self.track.at(t)
        size = self.look.height / 1.7
        body = Body(x, z, self.track.heading)
        person = body.moved(-1.05, size)
        step = walking(math.tau * self.track.distance(t) / (1.25 * size))
        pose = Pose(step.thighs, step.knees, arms=(0.75, 0.75), elbows=(0.5, 0.5), lean=0.28)
        draw_person(canvas, person, self.look, pose)
        for v in (0.3, -0.3) if math.cos(self.track.heading) < 0 else (-0.3, 0.3):
            for u in (-0.45, 0.45):
                canvas.ball(body.at(u, v, 0.1), 0.1, _TYRE)
            canvas.line(body.at(-0.6, v, 0.2), body.at(-0.72, v, 1.0), 0.05, (120, 120, 126))
        _box(canvas, body, (-0.65, 0.65), 0.36, (0.18, 0.28), (96, 98, 104))
        _box(canvas, body, (-0.55, 0.6), 0.33, (0.28, 0.8), self.load[0])
        _box(canvas, body, (-0.5, 0.25), 0.3, (0.8, 1.25), self.load[1])


@dataclass(frozen=True)
class Thrown:
    """A thing that is thrown at frame `track.start` from 1.4 m, flies along the track, bounces and rolls on."""

    track: Track
    radius: float
    colour: Colour
    climb: float  # m/s upwards at the start
    rolls: float = 0.35  # how much of its speed it keeps after each bounce
    kind: ClassVar[str] = "thrown-object"

    def _state(self, t: int) -> tuple[float, float]:
        """Metres gone and metres above the ground at frame t."""
        left = (t - self.track.start) / float(FPS)
        gone, height, climb, speed = 0.0, 1.4, self.climb, self.track.speed
        for _ in range(3):
            flight = (climb + math.sqrt(climb * climb + 2 * 9.8 * height)) / 9.8
            if left <= flight:
                return gone + speed * left, height + climb * left - 4.9 * left * left
            gone, left = gone + speed * flight, left - flight
            climb, height = 0.5 * math.sqrt(climb * climb + 2 * 9.8 * height), 0.0
            speed *= 0.5 + self.rolls / 2
        # Rolls out with a constant drag of the ground.
        drag = 0.12 if self.rolls > 0.5 else 2.5
        left = min(left, speed / drag)
        return gone + speed * left - 0.5 * drag * left * left, 0.0

    def depth(self, t: int) -> float:
        return self.track.z + self._state(t)[0] * math.sin(self.track.heading)

    def odd(self, t: int) -> bool:
        return t >= self.track.start

    def draw(self, canvas: Canvas, t: int) -> None:
        if t < self.track.start:
            return
        gone, height = self._state(t)
        body = Body(self.track.x + gone * math.cos(self.track.heading), self.depth(t), self.track.heading)
        turn = gone / self.radius
        r, h = self.radius, height + self.radius
        c, s = 0.45 * r * math.cos(turn), 0.45 * r * math.sin(turn)
        # A lumpy bag with a band, so that its turning shows.
        canvas.capsule(body.at(-c, 0, h + s), body.at(c, 0, h - s), 0.85 * r, r, self.colour)
        canvas.capsule(body.at(-s, 0, h - c), body.at(s, 0, h + c), 0.22 * r, 0.22 * r, shaded(self.colour, 0.45))


@dataclass(frozen=True)
class Car:
    """A car on the road."""

    track: Track
    colour: Colour
    long: float = 4.2
    tall: float = 1.45
    kind: ClassVar[None] = None

    def depth(self, t: int) -> float:
        return self.track.z

    def odd(self, t: int) -> bool:
        return False

    def draw(self, canvas: Canvas, t: int) -> None:
        x, z = self.track.at(t)
        if t < self.track.start or abs(x) > canvas.camera.half_width(z) + self.long:
            return
        body = Body(x, z, self.track.heading)
        near = -0.85 if math.cos(self.track.heading) > 0 else 0.85
        back, front, waist = -self.long / 2, self.long / 2, 0.82
        _box(canvas, body, (back, front), 0.85, (0.28, waist), self.colour)
        glass = (52, 60, 70)
        foot, roof = (back + 0.35, front - 1.25), (back + 0.75, front - 1.9)
        for end in (0, 1):
            canvas.polygon(
                [
                    body.at(foot[end], 0.8, waist),
                    body.at(roof[end], 0.7, self.tall),
                    body.at(roof[end], -0.7, self.tall),
                    body.at(foot[end], -0.8, waist),
                ],
                glass,
            )
        canvas.polygon(
            [
                body.at(foot[0], near, waist),
                body.at(foot[1], near, waist),
                body.at(roof[1], near * 0.84, self.tall),
                body.at(roof[0], near * 0.84, self.tall),
            ],
            glass,
        )
        canvas.polygon(
            [body.at(u, v, self.tall) for u, v in ((roof[0], 0.7), (roof[1], 0.7), (roof[1], -0.7), (roof[0], -0.7))],
            shaded(self.colour, 1.2),
        )
        middle = (roof[0] + roof[1]) / 2
        canvas.line(body.at(middle, near, waist), body.at(middle, near * 0.84, self.tall), 0.1, self.colour)
        for u in (back + 0.8, front - 0.8):
            canvas.ball(body.at(u, near, 0.32), 0.33, _TYRE)
            canvas.ball(body.at(u, near, 0.32), 0.16, (150, 152, 156))
        canvas.ball(body.at(front - 0.05, near * 0.7, 0.6), 0.1, (250, 245, 215))
        canvas.ball(body.at(back + 0.05, near * 0.7, 0.62), 0.09, (170, 30, 30))
