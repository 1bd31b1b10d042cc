"""What can be drawn into a clip: who rides, pushes, runs, lies there, and what rolls or flies; and walkers.

Everything is drawn grey, as the synthetic world draws its people: the scene gives it its levels (`drawn.py`). These are
not the figures of the day set, on purpose: that set judges detectors, and must not have taught them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from oddframe.data.synthetic.actors import Body, Look, Pose, draw_person, running, walking
from oddframe.data.synthetic.world import Canvas, Colour

PERSON_M = 1.7
"""Metres that a person is high."""
_DARK: Colour = (28, 28, 30)


class Draws(Protocol):
    def __call__(self, canvas: Canvas, body: Body, gone: float) -> None:
        """Draw it at a place, after so many metres of its way."""


@dataclass(frozen=True)
class Thing:
    """Something that can be drawn.

    Attributes:
        make: draws its particulars and says how it is drawn.
        long, tall: metres that it takes at most. paces: metres a frame, slowest and fastest.
    """

    make: Callable[[np.random.Generator], Draws]
    long: float
    tall: float
    paces: tuple[float, float]


def _walker(rng: np.random.Generator) -> Draws:
    look, phase = _look(rng), float(rng.uniform(0, math.tau))

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        draw_person(canvas, body, look, walking(phase + math.tau * gone / 1.45))

    return draw


def _runner(rng: np.random.Generator) -> Draws:
    look, phase = _look(rng), float(rng.uniform(0, math.tau))

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        draw_person(canvas, body, look, running(phase + math.tau * gone / 2.3))

    return draw


def _cyclist(rng: np.random.Generator) -> Draws:
    look, phase, frame = _look(rng), float(rng.uniform(0, math.tau)), _colour(rng)
    lean, radius = float(rng.uniform(0.1, 0.65)), float(rng.uniform(0.28, 0.38))

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        for u in (-0.52, 0.54):
            _wheel(canvas, body, u, radius)
        crank, saddle, head = body.at(-0.08, 0, 0.32), body.at(-0.24, 0, 0.92), body.at(0.40, 0, 0.88)
        rear, front = body.at(-0.52, 0, radius), body.at(0.54, 0, radius)
        for p, q in ((crank, saddle), (crank, head), (saddle, head), (crank, rear), (saddle, rear), (head, front)):
            canvas.line(p, q, 0.055, frame)
        s = 0.4 * math.sin(phase + math.tau * gone / 3.2)
        pose = Pose((0.95 + s, 0.95 - s), (1.05 + s, 1.05 - s), (0.75, 0.75), (0.35, 0.35), lean, seat=0.98)
        draw_person(canvas, body.moved(-0.24, body.size), look, pose)

    return draw


def _glider(rng: np.random.Generator) -> Draws:
    """Somebody who stands on what rolls: a board, a scooter."""
    look = _look(rng)
    bend, handle = float(rng.uniform(0, 0.5)), rng.random() < 0.5
    left = right = 0.85
    if not handle:
        left, right = float(rng.uniform(-0.6, 0.9)), float(rng.uniform(-0.6, 0.9))
    pose = Pose((bend + 0.25, bend - 0.25), (2 * bend + 0.05, 2 * bend + 0.05), (left, right), (0.3, 0.3), 0.3 * bend)
    dark = _colour(rng)

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        canvas.line(body.at(-0.4, 0, 0.1), body.at(0.45, 0, 0.1), 0.07, dark)
        for u in (-0.36, 0.42):
            canvas.ball(body.at(u, 0, 0.06), 0.07, _DARK)
        if handle:
            canvas.line(body.at(0.42, 0, 0.1), body.at(0.36, 0, 1.0), 0.05, dark)
        draw_person(canvas, body, look, pose)

    return draw


def _cart(rng: np.random.Generator) -> Draws:
    look, phase = _look(rng), float(rng.uniform(0, math.tau))
    long, tall = float(rng.uniform(0.8, 1.6)), float(rng.uniform(0.6, 1.4))
    load, rim = _colour(rng), _colour(rng)

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        step = walking(phase + math.tau * gone / 1.25)
        pose = Pose(step.thighs, step.knees, (0.75, 0.75), (0.5, 0.5), 0.25)
        draw_person(canvas, body.moved(-long / 2 - 0.4, body.size), look, pose)
        for u in (-0.35 * long, 0.35 * long):
            canvas.ball(body.at(u, 0, 0.12), 0.12, _DARK)
        corners = [(-long / 2, 0.2), (long / 2, 0.2), (long / 2, tall), (-long / 2, tall)]
        canvas.polygon([body.at(u, 0, h) for u, h in corners], load)
        canvas.line(body.at(-long / 2, 0, tall), body.at(long / 2, 0, tall), 0.08, rim)

    return draw


def _vehicle(rng: np.random.Generator) -> Draws:
    long, tall = float(rng.uniform(1.8, 3.4)), float(rng.uniform(1.2, 2.0))
    paint, glass = _colour(rng), _colour(rng)
    cab = float(rng.uniform(0.25, 0.7))

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        low = [(-long / 2, 0.25), (long / 2, 0.25), (long / 2, 0.55 * tall), (-long / 2, 0.55 * tall)]
        canvas.polygon([body.at(u, 0, h) for u, h in low], paint)
        high = [
            (-cab * long / 2, 0.55 * tall),
            (cab * long / 2, 0.55 * tall),
            (cab * long / 3, tall),
            (-cab * long / 3, tall),
        ]
        canvas.polygon([body.at(u, 0, h) for u, h in high], glass)
        for u in (-0.32 * long, 0.32 * long):
            canvas.ball(body.at(u, 0, 0.3), 0.3, _DARK)

    return draw


def _animal(rng: np.random.Generator) -> Draws:
    size, phase, coat = float(rng.uniform(0.5, 1.1)), float(rng.uniform(0, math.tau)), _colour(rng)

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        swing = 0.5 * math.sin(phase + math.tau * gone / (0.9 * size))
        for u, sign in ((-0.35, 1), (-0.28, -1), (0.35, -1), (0.28, 1)):
            foot = body.at(size * (u + 0.25 * sign * swing), 0, 0.02)
            canvas.capsule(body.at(size * u, 0, 0.4 * size), foot, 0.08 * size, 0.05 * size, coat)
        canvas.capsule(
            body.at(-0.4 * size, 0, 0.5 * size), body.at(0.4 * size, 0, 0.52 * size), 0.15 * size, 0.17 * size, coat
        )
        canvas.capsule(
            body.at(0.42 * size, 0, 0.58 * size), body.at(0.62 * size, 0, 0.72 * size), 0.1 * size, 0.1 * size, coat
        )
        canvas.capsule(
            body.at(-0.45 * size, 0, 0.52 * size), body.at(-0.7 * size, 0, 0.68 * size), 0.05 * size, 0.03 * size, coat
        )

    return draw


def _bag(rng: np.random.Generator) -> Draws:
    radius, height, colour = float(rng.uniform(0.15, 0.4)), float(rng.uniform(0, 1.6)), _colour(rng)
    flat = float(rng.uniform(0.5, 1.0))

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        turn = gone / radius
        c, s = radius * math.cos(turn), radius * math.sin(turn)
        middle = height + radius
        canvas.capsule(body.at(-c, 0, middle + s), body.at(c, 0, middle - s), flat * radius, radius, colour)

    return draw


def _lying(rng: np.random.Generator) -> Draws:
    look = _look(rng)
    bends = [float(one) for one in rng.uniform(-0.2, 1.2, 4)]
    pose = Pose((bends[0], bends[1]), (bends[0], bends[1]), (bends[2], bends[3]), (0.4, 0.4))

    def draw(canvas: Canvas, body: Body, gone: float) -> None:
        flat = Body(body.x, body.z, body.heading, tilt=math.pi / 2 - 0.08, size=body.size)
        draw_person(canvas, flat, look, pose)

    return draw


WALKER = Thing(_walker, 1.2, 2.0, (0.02, 0.16))
THINGS = (
    Thing(_cyclist, 2.2, 2.0, (0.06, 0.5)),
    Thing(_cyclist, 2.2, 2.0, (0.04, 0.25)),
    Thing(_glider, 1.4, 2.2, (0.06, 0.45)),
    Thing(_cart, 3.4, 2.0, (0.03, 0.16)),
    Thing(_vehicle, 3.6, 2.2, (0.06, 0.6)),
    Thing(_runner, 1.8, 2.1, (0.18, 0.45)),
    Thing(_animal, 2.0, 1.3, (0.03, 0.35)),
    Thing(_bag, 1.6, 2.6, (0.0, 0.5)),
    Thing(_lying, 4.2, 1.2, (0.0, 0.02)),
)


def _wheel(canvas: Canvas, body: Body, u: float, radius: float) -> None:
    rim = [body.at(u + radius * math.cos(a), 0, radius + radius * math.sin(a)) for a in np.linspace(0, math.tau, 15)]
    for p, q in pairwise(rim):
        canvas.line(p, q, 0.07, _DARK)


def _colour(rng: np.random.Generator) -> Colour:
    grey = int(rng.integers(20, 230))
    return grey, grey, grey


def _look(rng: np.random.Generator) -> Look:
    top, trousers, shoes = _colour(rng), _colour(rng), _colour(rng)
    skin, hair = int(rng.integers(120, 210)), int(rng.integers(20, 120))
    load = ("", "", "", "backpack", "bag", "coat")[int(rng.integers(6))]
    return Look(PERSON_M, (skin, skin, skin), (hair, hair, hair), top, trousers, shoes, load)
