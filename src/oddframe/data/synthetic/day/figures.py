"""What people, animals and vehicles look like in one moment of what they do, drawn in metres at one place.

A figure is a word and a step of `STEPS`: "walk" goes through two paces, "fall" from standing to lying. Everything is
drawn about (0, `DISTANCE`) and cut out as a sprite (`sprites.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from oddframe.data.synthetic.actors import Body, Look, Pose, Track, draw_person, running, walking
from oddframe.data.synthetic.things import Car, Cart, Cyclist
from oddframe.data.synthetic.world import FPS, Canvas, Colour, shaded

STEPS = 12
DISTANCE = 12.0

# fmt: off
_PAINTS: tuple[Colour, ...] = (
    (168, 44, 42), (206, 206, 210), (52, 78, 128), (60, 62, 66), (140, 144, 148), (186, 160, 86), (36, 84, 70),
)
_UMBRELLAS: tuple[Colour, ...] = ((38, 40, 48), (150, 40, 48), (44, 72, 120), (60, 98, 70), (170, 140, 60))
_COATS: tuple[Colour, ...] = ((112, 80, 50), (62, 50, 42), (172, 150, 112), (44, 42, 42), (150, 112, 70))
# fmt: on
_DARK: Colour = (30, 30, 32)


@dataclass(frozen=True)
class Figure:
    """How a figure moves.

    Attributes:
        stride: metres in which it goes through all its steps; 0 where its steps are of time.
        reach: metres that it reaches out before its middle.
        wheels: whether it is a vehicle with lights, which looks the same at every step.
    """

    draw: Callable[[Canvas, Look, int, int, float], None]
    stride: float = 0.0
    reach: float = 0.5
    wheels: bool = False


def _body(heading: float, size: float = 1.0, tilt: float = 0.0) -> Body:
    return Body(0.0, DISTANCE, heading, tilt=tilt, size=size)


def _track(gone: float, heading: float) -> Track:
    """A track that is at the sprite's place in frame 1, having gone so many metres."""
    return Track(0, -gone * math.cos(heading), DISTANCE - gone * math.sin(heading), gone * float(FPS), heading)


def _angle(step: int) -> float:
    return math.tau * step / STEPS


def _size(look: Look) -> float:
    return look.height / 1.7


def _walk(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    draw_person(canvas, _body(heading, _size(look)), look, walking(_angle(step)))


def _run(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    draw_person(canvas, _body(heading, _size(look)), look, running(_angle(step)))


def _stand(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    wave = math.sin(_angle(step))
    pose = Pose((0.06, -0.04), (0.1, 0.08), arms=(0.35 + 0.2 * wave, 0.1), elbows=(1.5 - 0.3 * wave, 0.4), lean=0.03)
    draw_person(canvas, _body(heading + 0.35 * wave, _size(look)), look, pose)


def _crouch(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    wave = math.sin(_angle(step))
    pose = Pose((1.6, 1.4), (2.2, 2.1), arms=(1.0 + 0.3 * wave, 0.8), elbows=(0.4, 0.5), lean=0.6)
    draw_person(canvas, _body(heading, _size(look)), look, pose)


def _fall(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    down = step / (STEPS - 1)
    down *= down * (3 - 2 * down)
    _lying(canvas, look, heading, down, 0.0)


def _lie(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    _lying(canvas, look, heading, 1.0, math.sin(_angle(step)))


def _lying(canvas: Canvas, look: Look, heading: float, down: float, stir: float) -> None:
    pose = Pose(
        thighs=(0.35 * down + 0.25 * stir, -0.1),
        knees=(0.6 * down + 0.4 * stir, 0.25),
        arms=(1.7 * down + 0.4 * stir, 0.5 * down),
        elbows=(0.5 - 0.3 * stir, 0.9),
    )
    draw_person(canvas, _body(heading, _size(look), down * (math.pi / 2 - 0.06)), look, pose)


def _fight(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    a, b = math.sin(_angle(step)), math.cos(2 * _angle(step))
    pose = Pose(
        thighs=(0.5 + 0.25 * b, -0.35 - 0.2 * a),
        knees=(0.4 + 0.2 * a, 0.3),
        arms=(1.3 + 0.6 * a, 1.3 - 0.6 * a),
        elbows=(0.9 - 0.8 * a, 0.9 + 0.8 * a),
        lean=0.25 + 0.12 * b,
    )
    draw_person(canvas, _body(heading, _size(look)), look, pose)


def _throw(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    turn = step / (STEPS - 1)
    pose = Pose((0.3, -0.3), (0.2, 0.2), arms=(-1.2 + 3.4 * turn, 0.4), elbows=(0.6 - 0.5 * turn, 0.4), lean=0.1)
    draw_person(canvas, _body(heading, _size(look)), look, pose)


def _umbrella(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    size = _size(look)
    body = _body(heading, size)
    pose = walking(_angle(step))
    held = Pose(pose.thighs, pose.knees, (0.5, pose.arms[1]), (1.6, 0.3), lean=0.04)
    draw_person(canvas, body, look, held)
    colour = _UMBRELLAS[number % len(_UMBRELLAS)]
    canvas.line(body.at(0.12, 0.1, 1.1), body.at(0.1, 0.05, 2.1), 0.03, _DARK)
    for radius, high, tone in ((0.56, 1.88, 0.8), (0.46, 1.98, 1.0), (0.28, 2.06, 1.15)):
        rim = [
            body.at(0.1 + radius * math.cos(a), radius * math.sin(a), high)
            for a in (math.tau * k / 14 for k in range(14))
        ]
        canvas.polygon(rim, shaded(colour, tone))


def _carry(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    size = _size(look)
    pose = walking(_angle(step), swing=0.38)
    body = _body(heading, size)
    draw_person(canvas, body, look, Pose(pose.thighs, pose.knees, (0.7, 0.7), (0.9, 0.9), lean=-0.04))
    _slab(canvas, body, (0.22, 0.62), 0.28, (0.95, 1.35), (168, 132, 86))


def _slab(canvas: Canvas, body: Body, u: tuple[float, float], v: float, h: tuple[float, float], colour: Colour) -> None:
    """A box: its top, then its four sides from the far ones to the near ones."""
    corners = [(u[0], -v), (u[1], -v), (u[1], v), (u[0], v)]
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    tones = (0.9, 0.72, 0.9, 0.78)

    def away(side: int) -> float:
        (a, b), (c, d) = sides[side]
        return -body.at((a + c) / 2, (b + d) / 2, 0)[2]

    for side in sorted(range(4), key=away):
        (a, b), (c, d) = sides[side]
        face = [body.at(a, b, h[0]), body.at(c, d, h[0]), body.at(c, d, h[1]), body.at(a, b, h[1])]
        canvas.polygon(face, shaded(colour, tones[side]))
    canvas.polygon([body.at(a, b, h[1]) for a, b in corners], shaded(colour, 1.12))


def _bike(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    Cyclist(look, _track(3.2 * step / STEPS, heading), _PAINTS[number % len(_PAINTS)]).draw(canvas, 1)


def _cart(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    load = (((46, 66, 98), (228, 222, 210)), ((120, 84, 50), (70, 96, 70)), ((90, 92, 98), (170, 60, 50)))[number % 3]
    Cart(look, _track(1.25 * _size(look) * step / STEPS, heading), load).draw(canvas, 1)


def _scooter(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    body = _body(heading, _size(look))
    sway = 0.03 * math.sin(_angle(step))
    for u in (-0.42, 0.48):
        canvas.ball(body.at(u, 0, 0.11), 0.12, _DARK)
    canvas.line(body.at(-0.42, 0, 0.15), body.at(0.4, 0, 0.15), 0.09, (70, 72, 78))
    canvas.line(body.at(0.45, 0, 0.15), body.at(0.36, 0, 1.05), 0.06, (90, 92, 98))
    pose = Pose((0.12, -0.12), (0.14, 0.1), arms=(0.75, 0.75), elbows=(0.45, 0.45), lean=0.06 + sway, seat=1.06)
    draw_person(canvas, _body(heading, _size(look)), look, pose)


def _four_legs(canvas: Canvas, body: Body, step: int, coat: Colour, *, neck: float, gallop: bool) -> None:
    """A beast with a back of 0.62 m height times the body's size."""
    s, c = math.sin(_angle(step)), math.cos(_angle(step))
    lift = 0.07 * abs(s) if gallop else 0.0
    far = 1 if math.cos(body.heading) > 0 else -1
    for side in (far, -far):
        for place, sign in ((-0.34, 1), (0.32, -1)):
            swing = (s if gallop else s * side) * sign * (0.75 if gallop else 0.42)
            v = 0.1 * side
            tone = 0.7 if side == far else 0.92
            knee = body.at(place + 0.22 * math.sin(swing), v, 0.45 + lift - 0.2 * math.cos(swing))
            foot = body.at(place + 0.42 * math.sin(swing), v, 0.03 + lift + 0.08 * max(0.0, c * sign))
            canvas.capsule(body.at(place, v, 0.48 + lift), knee, 0.075, 0.05, shaded(coat, tone))
            canvas.capsule(knee, foot, 0.05, 0.035, shaded(coat, tone * 0.9))
    canvas.capsule(body.at(-0.36, 0, 0.55 + lift), body.at(0.34, 0, 0.56 + lift), 0.15, 0.17, coat)
    head = body.at(0.5, 0, 0.56 + lift + neck)
    canvas.capsule(body.at(0.36, 0, 0.6 + lift), head, 0.11, 0.08, coat)
    canvas.capsule(head, body.at(0.68, 0, 0.52 + lift + neck), 0.09, 0.05, shaded(coat, 1.1))
    wag = 0.12 * math.sin(2 * _angle(step))
    canvas.capsule(body.at(-0.48, 0, 0.58 + lift), body.at(-0.7, wag, 0.72 + lift), 0.045, 0.02, shaded(coat, 0.8))


def _dog_walk(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """A person with a small dog on a lead."""
    size = _size(look)
    body = _body(heading, size)
    dog = body.moved(0.95, 0.62)
    hand = body.at(0.25, 0.2, 0.95)
    pose = walking(_angle(step))
    draw_person(canvas, body, look, Pose(pose.thighs, pose.knees, (0.5, pose.arms[1]), (0.5, 0.3), lean=0.04))
    canvas.line(hand, dog.at(0.3, 0, 0.7), 0.02, _DARK)
    _four_legs(canvas, dog, (2 * step) % STEPS, _COATS[number % len(_COATS)], neck=0.16, gallop=False)


def _beast(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """A loose animal: a large dog, a deer, a boar or a cow, by the number."""
    size, neck = ((1.15, 0.2), (1.7, 0.5), (1.3, -0.05), (2.2, 0.1))[number % 4]
    _four_legs(canvas, _body(heading, size), step, _COATS[number % len(_COATS)], neck=neck, gallop=True)


def _car(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """A car: hull, cabin of glass, wheels and lights, from any side."""
    paint = _PAINTS[number % len(_PAINTS)]
    long, tall = 3.7 + 0.25 * (number % 5), 1.42 + 0.08 * (number % 4)
    if abs(math.sin(heading)) < 0.3:
        near_heading = 0.0 if math.cos(heading) > 0 else math.pi
        Car(_track(0.0, near_heading), paint, long, tall).draw(canvas, 1)
        return
    _vehicle(canvas, _body(heading), long, 0.85, 0.82, tall, (0.2, 0.78), paint)


def _van(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    paint = ((212, 210, 204), (178, 152, 70), (96, 110, 130), (150, 60, 50))[number % 4]
    _vehicle(canvas, _body(heading), 5.2, 0.98, 1.25, 2.35, (0.0, 0.9), paint, cargo=True)


def draw_vehicle(canvas: Canvas, x: float, z: float, heading: float, long: float, paint: Colour) -> None:
    """A car that stands at (x, z), from any side."""
    _vehicle(canvas, Body(x, z, heading), long, 0.85, 0.82, 1.5, (0.2, 0.78), paint)


def _vehicle(
    canvas: Canvas,
    body: Body,
    long: float,
    half: float,
    waist: float,
    tall: float,
    cabin: tuple[float, float],
    paint: Colour,
    *,
    cargo: bool = False,
) -> None:
    back, front = -long / 2, long / 2
    wheels = [(u, v) for u in (back + 0.8, front - 0.8) for v in (-half, half)]
    for u, v in sorted(wheels, key=lambda w: -body.at(w[0], w[1], 0)[2]):
        canvas.ball(body.at(u, v * 0.97, 0.33), 0.34, _DARK)
    _slab(canvas, body, (back, front), half, (0.28, waist), paint)
    u0, u1 = back + cabin[0] * long, back + cabin[1] * long
    if cargo:
        _slab(canvas, body, (u0, u1 - 1.3), half * 0.97, (waist, tall), paint)
        _slab(canvas, body, (u1 - 1.3, u1), half * 0.9, (waist, tall * 0.86), (52, 60, 70))
    else:
        _slab(canvas, body, (u0, u1), half * 0.86, (waist, tall), (52, 60, 70))
        _slab(canvas, body, (u0 + 0.25, u1 - 0.5), half * 0.8, (tall - 0.06, tall), paint)
    for v in (-half * 0.7, half * 0.7):
        ends = ((front, (250, 245, 215)), (back, (170, 30, 30)))
        for u, colour in ends:
            facing = body.at(u, v, 0)[2] < body.at(0, v, 0)[2] + 0.1
            if facing:
                canvas.ball(body.at(u, v, 0.62), 0.1, colour)


def _bag(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """A suitcase, a bag or a box that somebody left."""
    colour = ((48, 50, 60), (128, 46, 44), (60, 92, 66), (150, 118, 78))[number % 4]
    wide, high = ((0.3, 0.62), (0.38, 0.42), (0.3, 0.5), (0.36, 0.5))[number % 4]
    body = _body(heading)
    _slab(canvas, body, (-wide, wide), 0.2, (0.0, high), colour)
    canvas.line(body.at(-wide, 0.2, high * 0.5), body.at(wide, 0.2, high * 0.5), 0.05, shaded(colour, 0.5))
    canvas.line(body.at(-0.1, 0, high + 0.1), body.at(0.1, 0, high + 0.1), 0.05, _DARK)


def _thing(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """What is thrown: a ball, a sack, a crate; it turns."""
    colour = ((170, 60, 40), (54, 56, 64), (150, 118, 78), (40, 80, 150))[number % 4]
    body, radius, turn = _body(heading), 0.26 + 0.03 * (number % 3), _angle(step)
    c, s = 0.45 * radius * math.cos(turn), 0.45 * radius * math.sin(turn)
    canvas.capsule(body.at(-c, 0, radius + s), body.at(c, 0, radius - s), 0.85 * radius, radius, colour)
    canvas.capsule(
        body.at(-s, 0, radius - c), body.at(s, 0, radius + c), 0.22 * radius, 0.22 * radius, shaded(colour, 0.45)
    )


def _ladder(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """Two people who carry a ladder between them."""
    size = _size(look)
    pose = walking(_angle(step), swing=0.36)
    held = Pose(pose.thighs, pose.knees, (1.2, pose.arms[1]), (1.4, 0.3), lean=0.03)
    body = _body(heading)
    ends = sorted((-1.7, 1.7), key=lambda u: -body.at(u, 0, 0)[2])
    draw_person(canvas, body.moved(ends[0], size), look, held)
    for v in (-0.2, 0.2):
        canvas.line(body.at(-2.7, v, 1.32), body.at(2.7, v, 1.32), 0.08, (204, 172, 84))
    for k in range(12):
        u = -2.5 + 5 * k / 11
        canvas.line(body.at(u, -0.2, 1.32), body.at(u, 0.2, 1.32), 0.06, (176, 146, 70))
    draw_person(canvas, body.moved(ends[1], size), look, held)


def _smoke(canvas: Canvas, look: Look, number: int, step: int, heading: float) -> None:
    """Smoke that rises and drifts; `sprites.py` thins it out."""
    for k in range(26):
        part = (0.618034 * k + step / STEPS) % 1.0
        radius = 0.12 + 0.5 * part
        tone = int(96 + 60 * part + 7 * (k % 5))
        drift = 0.9 * part * part + 0.25 * math.sin(5 * part + k)
        canvas.ball((drift, 0.7 + 2.6 * part, DISTANCE + 0.2 * math.cos(k)), radius, (tone, tone, tone + 4))


FIGURES: dict[str, Figure] = {
    "walk": Figure(_walk, 1.45),
    "umbrella": Figure(_umbrella, 1.45),
    "carry": Figure(_carry, 1.3),
    "dog-walk": Figure(_dog_walk, 1.45, 1.5),
    "run": Figure(_run, 2.3),
    "stand": Figure(_stand),
    "crouch": Figure(_crouch),
    "fall": Figure(_fall),
    "lie": Figure(_lie, reach=1.5),
    "fight": Figure(_fight),
    "throw": Figure(_throw),
    "bike": Figure(_bike, 3.2, 1.0),
    "scooter": Figure(_scooter, 4.0, 0.8),
    "cart": Figure(_cart, 1.25, 0.8),
    "beast": Figure(_beast, 1.9, 1.2),
    "car": Figure(_car, 2.1, 2.6, wheels=True),
    "van": Figure(_van, 2.1, 3.0, wheels=True),
    "bag": Figure(_bag),
    "thing": Figure(_thing, 1.6, 0.4),
    "ladder": Figure(_ladder, 1.45, 3.0),
    "smoke": Figure(_smoke, reach=1.5),
}
