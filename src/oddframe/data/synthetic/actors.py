"""Who moves through the scene: walkers and runners, cyclists, carts, people who fall or hang about, things, cars.

An actor is a frozen description; where it is and how it stands at frame t is computed from t alone, so frames can
be drawn in any order. The gait's phase follows the distance walked, so feet do not slide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

from oddframe.data.synthetic.world import FPS, Camera, Canvas, Colour, Point, shaded


class Actor(Protocol):
    """Something that is drawn. `kind` is the class name of an anomaly, None for what is allowed."""

    @property
    def kind(self) -> str | None: ...

    def depth(self, t: int) -> float:
        """Metres from the camera."""

    def odd(self, t: int) -> bool:
        """Whether the actor is an anomaly in frame t (a walker who will fall is none before)."""

    def draw(self, canvas: Canvas, t: int) -> None:
        """Draw it as it is in frame t."""


@dataclass(frozen=True)
class Track:
    """A straight way: at frame `start` at (x, z), from there at `speed` m/s along `heading` (0 right, pi left)."""

    start: int
    x: float
    z: float
    speed: float
    heading: float

    def distance(self, t: int) -> float:
        """Metres gone since `start`."""
        return self.speed * (t - self.start) / float(FPS)

    def at(self, t: int) -> tuple[float, float]:
        """Where it is: x, z."""
        gone = self.distance(t)
        return self.x + gone * math.cos(self.heading), self.z + gone * math.sin(self.heading)

    def visible(self, t: int, camera: Camera) -> bool:
        """Whether it is in the picture or near its edge."""
        x, z = self.at(t)
        return t >= self.start and z > 1 and abs(x) < camera.half_width(z) + 45 / camera.scale(z)


@dataclass(frozen=True)
class Body:
    """A local frame on the ground: u forward, v to the left, h up; `tilt` leans everything forward about the feet."""

    x: float
    z: float
    heading: float
    tilt: float = 0.0
    size: float = 1.0

    def moved(self, u: float, size: float) -> Body:
        """A frame of another size, `u` further forward."""
        x, _, z = self.at(u, 0, 0)
        return Body(x, z, self.heading, size=size)

    def at(self, u: float, v: float, h: float) -> Point:
        """World coordinates of a local point."""
        u, v, h = u * self.size, v * self.size, h * self.size
        if self.tilt:
            c, s = math.cos(self.tilt), math.sin(self.tilt)
            u, h = u * c + h * s, h * c - u * s
        c, s = math.cos(self.heading), math.sin(self.heading)
        return self.x + u * c - v * s, h, self.z + u * s + v * c


@dataclass(frozen=True)
class Look:
    """How a person is built and dressed. `height` in metres; `load` is "", "backpack", "bag" or "coat"."""

    height: float
    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    shoes: Colour
    load: str = ""


@dataclass(frozen=True)
class Pose:
    """Angles in radians; pairs are (left, right). Legs and arms swing forward for positive values."""

    thighs: tuple[float, float]
    knees: tuple[float, float]
    arms: tuple[float, float]
    elbows: tuple[float, float]
    lean: float = 0.0
    lift: float = 0.0
    seat: float | None = None  # height of the hip where the feet do not carry the body


def walking(phase: float, *, swing: float = 0.46, flex: float = 0.95) -> Pose:
    """One moment of a walk; `phase` goes through 2 pi in two steps."""
    s, c = math.sin(phase), math.cos(phase)
    return Pose(
        thighs=(swing * s, -swing * s),
        knees=(0.12 + flex * max(0.0, c), 0.12 + flex * max(0.0, -c)),
        arms=(-0.8 * swing * s, 0.8 * swing * s),
        elbows=(0.3, 0.3),
        lean=0.04,
    )


def running(phase: float) -> Pose:
    """One moment of a run: long legs, bent arms, both feet off the ground twice a stride."""
    s, c = math.sin(phase), math.cos(phase)
    return Pose(
        thighs=(0.2 + 0.85 * s, 0.2 - 0.85 * s),
        knees=(0.3 + 1.6 * max(0.0, c), 0.3 + 1.6 * max(0.0, -c)),
        arms=(-0.9 * s, 0.9 * s),
        elbows=(1.6, 1.6),
        lean=0.22,
        lift=0.07 * abs(c),
    )


def draw_person(canvas: Canvas, body: Body, look: Look, pose: Pose) -> None:
    """Draw a person of 1.7 m times `body.size`, the far side first."""
    lean_s, lean_c = math.sin(pose.lean), math.cos(pose.lean)
    legs = []
    for thigh, knee in zip(pose.thighs, pose.knees, strict=True):
        ku, kh = 0.45 * math.sin(thigh), -0.45 * math.cos(thigh)
        au, ah = ku + 0.44 * math.sin(thigh - knee), kh - 0.44 * math.cos(thigh - knee)
        legs.append((ku, kh, au, ah, thigh - knee))
    # The lower foot carries the body, which gives the walk its bob.
    hip = 0.07 - min(leg[3] for leg in legs) + pose.lift if pose.seat is None else pose.seat
    su, sh = 0.50 * lean_s, hip + 0.50 * lean_c
    far = 1 if math.cos(body.heading) > 0 else -1

    def leg(side: int) -> None:
        ku, kh, au, ah, shank = legs[0 if side > 0 else 1]
        tone = 0.78 if side == far else 1.0
        v = 0.09 * side
        canvas.capsule(body.at(0, v, hip), body.at(ku, v, hip + kh), 0.095, 0.07, shaded(look.trousers, tone))
        canvas.capsule(body.at(ku, v, hip + kh), body.at(au, v, hip + ah), 0.07, 0.05, shaded(look.trousers, tone))
        if canvas.light is not None:
            return
        toe_u, toe_h = 0.17 * math.cos(shank), 0.17 * math.sin(shank) - 0.02
        heel = body.at(au - 0.03, v, hip + ah - 0.02)
        canvas.capsule(heel, body.at(au + toe_u, v, hip + ah + toe_h), 0.055, 0.045, shaded(look.shoes, tone))

    def arm(side: int) -> None:
        index = 0 if side > 0 else 1
        tone = 0.74 if side == far else 0.9
        swing = pose.arms[index]
        v = 0.21 * side
        eu, eh = su + 0.28 * math.sin(swing), sh - 0.28 * math.cos(swing)
        fore = swing + pose.elbows[index]
        hu, hh = eu + 0.26 * math.sin(fore), eh - 0.26 * math.cos(fore)
        canvas.capsule(body.at(su, v * 0.9, sh), body.at(eu, v, eh), 0.065, 0.052, shaded(look.top, tone))
        canvas.capsule(body.at(eu, v, eh), body.at(hu, v, hh), 0.05, 0.04, shaded(look.top, tone))
        if canvas.light is None:
            canvas.ball(body.at(hu, v, hh), 0.05, shaded(look.skin, tone))
        if look.load == "bag" and side != far:
            canvas.capsule(body.at(hu - 0.1, v, hh - 0.2), body.at(hu + 0.1, v, hh - 0.2), 0.12, 0.12, (70, 50, 40))

    arm(far)
    leg(far)
    leg(-far)
    for side in (far, -far):
        tone = 0.86 if side == far else 1.0
        chest, pelvis = body.at(su, 0.09 * side, sh - 0.03), body.at(0, 0.07 * side, hip + 0.02)
        canvas.capsule(pelvis, chest, 0.12, 0.125, shaded(look.top, tone))
        if look.load == "coat":
            canvas.capsule(pelvis, body.at(0, 0.07 * side, hip - 0.38), 0.13, 0.17, shaded(look.top, tone * 0.95))
    if look.load == "backpack":
        canvas.capsule(body.at(-0.17, 0, hip + 0.16), body.at(su - 0.18, 0, sh - 0.06), 0.13, 0.12, (60, 74, 60))
    head_u, head_h = su + 0.22 * lean_s, sh + 0.23
    canvas.ball(body.at(head_u + 0.015, 0, head_h), 0.115, look.skin)
    if canvas.light is None:
        neck = body.at(head_u, 0, head_h - 0.05)
        canvas.capsule(body.at(su, 0, sh), neck, 0.06, 0.06, shaded(look.skin, 0.85))
        back = body.at(head_u - 0.05, 0, head_h + 0.01)
        canvas.capsule(back, body.at(head_u, 0, head_h + 0.05), 0.10, 0.10, look.hair)
    arm(-far)


@dataclass(frozen=True)
class Walker:
    """A person who walks (or, with `runs`, runs) along a track; an anomaly where `kind` says so."""

    look: Look
    track: Track
    phase: float = 0.0
    runs: bool = False
    kind: str | None = None

    def depth(self, t: int) -> float:
        return self.track.at(t)[1]

    def odd(self, t: int) -> bool:
        return self.kind is not None

    def draw(self, canvas: Canvas, t: int) -> None:
        if not self.track.visible(t, canvas.camera):
            return
        x, z = self.track.at(t)
        size = self.look.height / 1.7
        phase = self.phase + math.tau * self.track.distance(t) / ((2.3 if self.runs else 1.45) * size)
        pose = running(phase) if self.runs else walking(phase)
        draw_person(canvas, Body(x, z, self.track.heading, size=size), self.look, pose)


@dataclass(frozen=True)
class Faller:
    """A walker who falls at frame `falls` and stays on the ground."""

    look: Look
    track: Track
    falls: int
    kind: ClassVar[str] = "person-down"

    def depth(self, t: int) -> float:
        return self.track.at(min(t, self.falls))[1]

    def odd(self, t: int) -> bool:
        return t >= self.falls

    def draw(self, canvas: Canvas, t: int) -> None:
        now = min(t, self.falls)
        if not self.track.visible(now, canvas.camera):
            return
        x, z = self.track.at(now)
        size = self.look.height / 1.7
        phase = math.tau * self.track.distance(now) / (1.45 * size)
        if t < self.falls:
            draw_person(canvas, Body(x, z, self.track.heading, size=size), self.look, walking(phase))
            return
        down = min(1.0, (t - self.falls) / 9)
        down *= down * (3 - 2 * down)
        # Not quite still: an arm reaches out and a knee draws up every few seconds.
        stir = down * math.sin((t - self.falls) * 0.13)
        pose = Pose(
            thighs=(0.35 + 0.25 * stir, -0.1),
            knees=(0.6 + 0.5 * stir, 0.25),
            arms=(1.7 * down + 0.5 * stir, 0.5 * down),
            elbows=(0.5 - 0.3 * stir, 0.9),
        )
        tilt = down * (math.pi / 2 - 0.06)
        draw_person(canvas, Body(x, z, self.track.heading, tilt=tilt, size=size), self.look, pose)


@dataclass(frozen=True)
class Loiterer:
    """Somebody who walks in, stops at frame `stops` and does not go on: looks round, shifts, squats, paces a step."""

    look: Look
    track: Track
    stops: int
    kind: ClassVar[str] = "loiterer"

    def depth(self, t: int) -> float:
        return self.track.at(min(t, self.stops))[1]

    def odd(self, t: int) -> bool:
        return t >= self.stops

    def draw(self, canvas: Canvas, t: int) -> None:
        now = min(t, self.stops)
        if not self.track.visible(now, canvas.camera):
            return
        x, z = self.track.at(now)
        size = self.look.height / 1.7
        if t < self.stops:
            phase = math.tau * self.track.distance(now) / (1.45 * size)
            draw_person(canvas, Body(x, z, self.track.heading, size=size), self.look, walking(phase))
            return
        since = (t - self.stops) / float(FPS)
        turn = self.track.heading + 1.3 * math.sin(0.9 * since)
        squat = max(0.0, math.sin(0.75 * since - 0.6)) ** 0.5 * min(1.0, since)
        wave = math.sin(3.1 * since)
        pose = Pose(
            thighs=(0.1 + 1.5 * squat, 0.1 + 1.35 * squat),
            knees=(0.15 + 2.1 * squat, 0.15 + 2.0 * squat),
            arms=(0.5 + 0.6 * squat + 0.25 * wave, 0.4 + 0.5 * squat - 0.2 * wave),
            elbows=(1.7 - 1.0 * squat, 1.5 - 0.9 * squat),
            lean=0.1 + 0.55 * squat,
        )
        sway = 0.25 * math.sin(0.5 * since)
        draw_person(canvas, Body(x + sway, z, turn, size=size), self.look, pose)
