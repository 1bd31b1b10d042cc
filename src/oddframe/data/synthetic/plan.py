"""Who does what in which video: the script of the synthetic set.

Crowds come and go, and anomalies mostly happen while little else moves, so the amount of motion alone says little.
Some kinds of anomaly are known (they have labelled clips to learn from), others are met only in the test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from oddframe.data.synthetic.actors import Actor, Faller, Loiterer, Look, Track, Walker
from oddframe.data.synthetic.scenes import SCENES, Scene
from oddframe.data.synthetic.things import Car, Cart, Cyclist, Thrown
from oddframe.data.synthetic.world import FPS, Colour

KNOWN = ("cart", "cyclist", "thrown-object")
UNKNOWN = ("loiterer", "person-down", "runner", "wrong-way")

Rates = tuple[tuple[int, float], ...]  # (frame, people a second that come into view), linear in between


@dataclass(frozen=True)
class Event:
    """An anomaly that begins at frame `at`, `deep` of the way from the near (0) to the far side (1).

    Those who cross the picture enter it at `at` with `pace` m/s; who falls or stops does so at `at`, and things are
    thrown at `at`, `across` of the way from the left edge (0) to the right one (1).
    """

    kind: str
    at: int
    deep: float
    right: bool = True
    pace: float = 1.3
    across: float = 0.5


@dataclass(frozen=True)
class Clip:
    """One video to render. `part` is normal, abnormal or test."""

    part: str
    scene: str
    number: int
    frames: int
    people: Rates
    traffic: float = 0.0  # cars a second in each lane
    events: tuple[Event, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without extension, unique in the set."""
        return f"{self.scene}-{self.part[0]}{self.number:02}"


_CALM, _BUSY = 0.10, 0.75


def demo() -> tuple[Clip, ...]:
    """The set that people see: three scenes, 30 videos."""
    clips = []
    for scene in SCENES:
        normal: tuple[Rates, ...] = (
            ((0, _BUSY), (120, 0.3), (240, _CALM)),
            ((0, _CALM), (100, 0.5), (160, _BUSY), (240, 0.4)),
            ((0, 0.4), (60, _CALM), (140, _CALM), (240, _BUSY)),
            ((0, 0.25), (80, _BUSY), (160, 0.2), (240, 0.5)),
        )
        for number, people in enumerate(normal, 1):
            clips.append(Clip("normal", scene, number, 240, people, 0.16))
    flat: Rates = ((0, 0.25),)
    for scene, number, frames, event in (
        ("street", 1, 84, Event("cyclist", 8, 0.35, pace=3.0)),
        ("street", 2, 60, Event("thrown-object", 10, 0.5, pace=4.4, across=0.2)),
        ("passage", 1, 100, Event("cart", 6, 0.4, pace=1.3)),
        ("passage", 2, 72, Event("cyclist", 6, 0.7, pace=2.6)),
        ("square", 1, 64, Event("thrown-object", 10, 0.3, right=False, pace=4.0, across=0.85)),
        ("square", 2, 96, Event("cart", 6, 0.6, right=False, pace=1.4)),
    ):
        clips.append(Clip("abnormal", scene, number, frames, flat, 0.12, (event,)))
    rush: Rates = ((0, 0.8), (150, 0.8))
    early: Rates = ((-40, _BUSY), (20, _BUSY), (50, 0.05), (150, 0.05))
    late: Rates = ((-200, 0.05), (60, 0.05), (90, 0.9), (150, 0.9))
    lull: Rates = ((-60, 0.6), (-20, 0.05), (80, 0.1), (110, _BUSY), (150, _BUSY))
    for scene, number, people, traffic, events in (
        ("street", 1, rush, 0.22, ()),
        ("street", 2, lull, 0.08, (Event("cyclist", 22, 0.75, pace=2.2), Event("loiterer", 112, 0.6, across=0.7))),
        ("street", 3, early, 0.12, (Event("person-down", 98, 0.7, right=False, across=0.35),)),
        ("street", 4, late, 0.05, (Event("runner", 12, 0.85, False, 3.2), Event("thrown-object", 116, 0.6, True, 3.6))),
        ("passage", 1, early, 0.0, (Event("wrong-way", 44, 0.6, False, 1.15),)),
        ("passage", 2, rush, 0.0, ()),
        ("passage", 3, early, 0.0, (Event("cart", 66, 0.75, pace=0.95),)),
        ("passage", 4, late, 0.0, (Event("runner", 10, 0.9, pace=3.0), Event("person-down", 116, 0.8, across=0.6))),
        ("square", 1, lull, 0.0, (Event("thrown-object", 20, 0.7, True, 3.4, 0.2), Event("cyclist", 86, 0.9, False))),
        ("square", 2, early, 0.0, (Event("loiterer", 96, 0.55, across=0.3),)),
        ("square", 3, rush, 0.0, ()),
        ("square", 4, late, 0.0, (Event("runner", 24, 0.75, True, 3.1),)),
    ):
        clips.append(Clip("test", scene, number, 150, people, traffic, events))
    return tuple(clips)


def tiny() -> tuple[Clip, ...]:
    """A set for tests: one scene, six short videos."""
    flow: Rates = ((0, 0.35),)
    return (
        *(Clip("normal", "passage", number, 24, flow) for number in (1, 2, 3)),
        Clip("abnormal", "passage", 1, 20, flow, events=(Event("cyclist", 2, 0.5, pace=4.5),)),
        Clip("test", "passage", 1, 28, flow, events=(Event("cyclist", 6, 0.3, pace=4.5),)),
        Clip("test", "passage", 2, 28, flow, events=(Event("wrong-way", 2, 0.6, False, 1.6),)),
    )


# fmt: off
_TOPS: tuple[Colour, ...] = (
    (176, 58, 52), (58, 88, 146), (226, 220, 206), (52, 60, 64), (120, 96, 74), (84, 120, 86),
    (206, 160, 70), (140, 130, 150), (40, 44, 60), (190, 186, 180), (108, 52, 66), (92, 140, 160),
)
_TROUSERS: tuple[Colour, ...] = ((40, 46, 70), (90, 80, 66), (48, 48, 50), (74, 88, 112), (120, 112, 100), (60, 52, 48))
_SKINS: tuple[Colour, ...] = ((224, 184, 156), (206, 160, 128), (158, 112, 84), (112, 78, 58))
_HAIRS: tuple[Colour, ...] = ((40, 30, 26), (76, 54, 38), (150, 120, 76), (120, 118, 116), (24, 22, 24))
_SHOES: tuple[Colour, ...] = ((30, 28, 28), (86, 60, 42), (200, 198, 194))
_PAINTS: tuple[Colour, ...] = (
    (168, 44, 42), (216, 216, 220), (52, 78, 128), (60, 62, 66), (140, 144, 148), (196, 170, 96),
)
# fmt: on
_LOADS = ("", "", "", "backpack", "bag", "coat")


def _one(rng: np.random.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(rng.random())


def _look(rng: np.random.Generator) -> Look:
    """Somebody."""

    def pick(colours: tuple[Colour, ...]) -> Colour:
        return colours[int(rng.integers(len(colours)))]

    return Look(
        height=_one(rng, 1.56, 1.88),
        skin=pick(_SKINS),
        hair=pick(_HAIRS),
        top=pick(_TOPS),
        trousers=pick(_TROUSERS),
        shoes=pick(_SHOES),
        load=_LOADS[int(rng.integers(len(_LOADS)))],
    )


def _crossing(scene: Scene, start: int, right: bool, z0: float, z1: float, pace: float, margin: float = 1.3) -> Track:
    """A way from just outside one edge of the picture at z0 to just outside the other at z1."""
    side = -1 if right else 1
    x0 = side * (scene.camera.half_width(z0) + margin)
    x1 = -side * (scene.camera.half_width(z1) + margin)
    return Track(start, x0, z0, pace, math.atan2(z1 - z0, x1 - x0))


def _rate(rates: Rates, t: int) -> float:
    return float(np.interp(t, [frame for frame, _ in rates], [rate for _, rate in rates]))


def _crowd(scene: Scene, clip: Clip, rng: np.random.Generator) -> list[Actor]:
    """Everybody who just walks, alone or in twos, and the cars; those already on their way at frame 0 too."""
    people: list[Actor] = []
    for t in range(-220, clip.frames):
        if rng.random() < _rate(clip.people, t) / float(FPS):
            right = scene.one_way or rng.random() < 0.5
            z0 = _one(rng, scene.near, scene.far)
            z1 = z0 + _one(rng, -0.5, 0.5)
            if scene.diagonal and rng.random() < 0.5:
                z1 = _one(rng, scene.near, scene.far)
            z1 = min(max(z1, scene.near), scene.far)
            track = _crossing(scene, t, right, z0, z1, _one(rng, 1.0, 1.55))
            people.append(Walker(_look(rng), track, phase=_one(rng, 0, math.tau)))
            if rng.random() < 0.3:
                beside = Track(track.start, track.x - 0.1, track.z + 0.55, track.speed, track.heading)
                people.append(Walker(_look(rng), beside, phase=_one(rng, 0, math.tau)))
    for lane, z in enumerate(scene.lanes):
        t = -120
        while t < clip.frames and clip.traffic > 0:
            right = lane == 1
            x = (-1 if right else 1) * (scene.camera.half_width(z) + 2.2)
            paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
            track = Track(t, x, z, _one(rng, 5.5, 8.5), 0.0 if right else math.pi)
            tall = _one(rng, 1.4, 1.75)
            people.append(Car(track, paint, long=_one(rng, 3.7, 4.7), tall=tall))
            # Gaps are long and short by turns, and never so short that cars touch.
            t += 28 - int(float(FPS) / clip.traffic * math.log(1 - 0.98 * float(rng.random())))
    return people


def _act(event: Event, scene: Scene, rng: np.random.Generator) -> list[Actor]:
    """The actors of an anomaly."""
    z = scene.near + event.deep * (scene.far - scene.near)
    look = _look(rng)
    # Those who cross are at the very edge at `at`, less what they reach out in front.
    crossing = _crossing(scene, event.at, event.right, z, z, event.pace, margin=0.5)
    half = scene.camera.half_width(z)
    x = (2 * event.across - 1) * half
    heading = 0.0 if event.right else math.pi
    came = event.pace * event.at / float(FPS) * (1 if event.right else -1)
    arriving = Track(0, x - came, z, event.pace, heading)
    match event.kind:
        case "cyclist":
            return [Cyclist(look, crossing, _PAINTS[int(rng.integers(3))])]
        case "cart":
            return [Cart(look, crossing, ((150, 110, 70), (190, 160, 112)))]
        case "runner":
            return [Walker(look, crossing, phase=_one(rng, 0, math.tau), runs=True, kind="runner")]
        case "wrong-way":
            return [Walker(look, crossing, phase=_one(rng, 0, math.tau), kind="wrong-way")]
        case "person-down":
            return [Faller(look, arriving, event.at)]
        case "loiterer":
            return [Loiterer(look, arriving, event.at)]
        case "thrown-object":
            # The thrower passes by a moment before, behind what is thrown.
            walk = 1.3 * (1 if event.right else -1)
            thrower = Track(-200, x - walk * (event.at + 200) / float(FPS), z + 0.3, 1.3, heading)
            colour = ((206, 112, 40), (60, 96, 160), (190, 50, 60))[int(rng.integers(3))]
            throw = Track(event.at, x, z, event.pace, heading)
            return [Walker(look, thrower), Thrown(throw, 0.3, colour, climb=2.6, rolls=0.8)]
    raise ValueError(f"no such anomaly: {event.kind}")


def cast(scene: Scene, clip: Clip, rng: np.random.Generator) -> list[Actor]:
    """Everybody and everything that appears in a clip, scenery excepted."""
    actors = _crowd(scene, clip, rng)
    for event in clip.events:
        actors += _act(event, scene, rng)
    return actors
