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


_CALM, _BUSY = 0.10, 0.55


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
    rush: Rates = ((0, 0.45), (150, 0.45))
    early: Rates = ((-40, 0.5), (20, 0.5), (50, 0.05), (150, 0.05))
    late: Rates = ((-200, 0.05), (60, 0.05), (90, 0.5), (150, 0.5))
    lull: Rates = ((-60, 0.4), (-20, 0.05), (80, 0.1), (110, 0.45), (150, 0.45))
    for scene, number, people, traffic, events in (
        ("street", 1, rush, 0.2, ()),
        ("street", 2, lull, 0.08, (Event("cyclist", 22, 0.5, pace=2.6), Event("loiterer", 118, 0.5, across=0.7))),
        ("street", 3, early, 0.12, (Event("cart", 82, 0.5, False, 1.25),)),
        ("street", 4, late, 0.05, (Event("runner", 12, 0.5, False, 3.5), Event("person-down", 112, 0.4, across=0.4))),
        ("passage", 1, early, 0.0, (Event("wrong-way", 76, 0.4, False, 1.3),)),
        ("passage", 2, rush, 0.0, ()),
        ("passage", 3, early, 0.0, (Event("cart", 68, 0.45, pace=1.2),)),
        ("passage", 4, late, 0.0, (Event("runner", 10, 0.6, pace=3.4), Event("cyclist", 106, 0.5, pace=2.6))),
        (
            "square",
            1,
            lull,
            0.0,
            (Event("thrown-object", 20, 0.3, True, 4.0, 0.2), Event("cyclist", 92, 0.4, False, 2.8)),
        ),
        ("square", 2, early, 0.0, (Event("person-down", 106, 0.4, across=0.3),)),
        ("square", 3, rush, 0.0, ()),
        (
            "square",
            4,
            late,
            0.0,
            (Event("runner", 14, 0.4, True, 3.4), Event("thrown-object", 116, 0.3, False, 3.8, 0.8)),
        ),
    ):
        clips.append(Clip("test", scene, number, 150, people, traffic, events))
    return tuple(clips)


def slow() -> tuple[Clip, ...]:
    """`demo` with another test: cyclists no faster than the people around them, to be told by their looks alone."""
    trained = [clip for clip in demo() if clip.part != "test"]
    steady: Rates = ((0, 0.3), (150, 0.3))
    test = []
    for scene in SCENES:
        traffic = 0.1 if scene == "street" else 0.0
        one_way = scene == "passage"
        for number, deep, right, pace in ((1, 0.3, True, 1.2), (2, 0.6, one_way, 1.5), (3, 0.5, True, 1.3)):
            test.append(Clip("test", scene, number, 150, steady, traffic, (Event("cyclist", 30, deep, right, pace),)))
        test.append(Clip("test", scene, 4, 150, steady, traffic))
    return (*trained, *test)


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
# Colours of much the same brightness: people differ, but none stands out by the dress alone.
_TOPS: tuple[Colour, ...] = (
    (176, 58, 52), (58, 88, 146), (44, 112, 108), (66, 110, 70), (114, 72, 132), (148, 104, 36),
    (92, 92, 98), (50, 62, 108), (118, 84, 58), (150, 62, 96), (84, 100, 60), (72, 78, 88),
)
_TROUSERS: tuple[Colour, ...] = ((40, 46, 70), (72, 62, 52), (48, 48, 50), (54, 66, 92), (60, 52, 48), (66, 70, 66))
_SKINS: tuple[Colour, ...] = ((224, 184, 156), (206, 160, 128), (158, 112, 84), (112, 78, 58))
_HAIRS: tuple[Colour, ...] = ((40, 30, 26), (76, 54, 38), (150, 120, 76), (120, 118, 116), (24, 22, 24))
_SHOES: tuple[Colour, ...] = ((30, 28, 28), (62, 46, 36))
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
            if rng.random() < 0.2:
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
            return [Cart(look, crossing, ((46, 66, 98), (238, 232, 220)))]
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
            colour = ((44, 46, 54), (44, 70, 140), (160, 36, 44))[int(rng.integers(3))]
            throw = Track(event.at, x, z, event.pace, heading)
            return [Walker(look, thrower), Thrown(throw, 0.3, colour, climb=2.6, rolls=0.8)]
    raise ValueError(f"no such anomaly: {event.kind}")


def cast(scene: Scene, clip: Clip, rng: np.random.Generator) -> list[Actor]:
    """Everybody and everything that appears in a clip, scenery excepted."""
    actors = _crowd(scene, clip, rng)
    for event in clip.events:
        actors += _act(event, scene, rng)
    return actors
