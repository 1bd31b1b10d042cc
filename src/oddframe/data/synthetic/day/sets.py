"""The two frozen sets: which videos they have, what happens in them, and what it must come out as.

`develop` is for choosing, `judge` only for telling how good what was chosen is: it has other places, another seed, and
two kinds of anomaly that `develop` lacks.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Literal, get_args

import numpy as np

from oddframe.data.synthetic.day.anomalies import KINDS, fits, happens
from oddframe.data.synthetic.day.light import Light, Weather
from oddframe.data.synthetic.day.moves import Mover
from oddframe.data.synthetic.day.places import PLANS, Plan
from oddframe.data.synthetic.day.script import normal

SetName = Literal["develop", "judge"]
SETS: tuple[SetName, ...] = get_args(SetName)
KNOWN = ("cyclist", "cart", "thrown-object", "vehicle")
"""Kinds of which there are clips to learn from."""
ONLY_IN_JUDGE = ("long-load", "smoke")

TEST_FRAMES, NORMAL_FRAMES, KNOWN_FRAMES = 2400, 750, 300
_SEEDS = {"develop": 20_261, "judge": 90_127}
_TESTS, _NORMALS, _QUIET = 22, 12, (5, 15)
_SLOTS = (170, 720, 1270, 1820)
_KNOWN_CLIPS = (("cyclist", 0), ("cyclist", 1), ("cart", 2), ("thrown-object", 3), ("vehicle", 1))
_PARTS = ("normal", "abnormal", "test")


@dataclass(frozen=True)
class Script:
    """One video of a set.

    Attributes:
        seed: of the place. place: number of its plan in the set. part: "normal", "abnormal" or "test".
        events: kind and about which frame it begins.
    """

    seed: int
    plan: Plan
    place: int
    part: str
    number: int
    frames: int
    light: Light
    weather: Weather
    events: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """The file's name without extension, unique in the set."""
        return f"{self.plan.name}-{self.part[0]}{self.number:02}"

    def rng(self, use: int) -> np.random.Generator:
        """Chance of this video, for one of its uses."""
        return np.random.default_rng([self.seed, self.place, _PARTS.index(self.part), self.number, use])

    @cached_property
    def movers(self) -> tuple[Mover, ...]:
        """Everybody who appears in it."""
        found = normal(self.plan, self.light, self.weather, self.frames, self.rng(0))
        for index, (kind, at) in enumerate(self.events):
            found += happens(kind, self.plan, at, self.rng(10 + index))
        return tuple(mover for mover in found if mover.end > 0 and mover.start < self.frames)

    def digest(self) -> str:
        """What is known of the video before it is drawn, to the centimetre, as SHA-256."""
        sha = hashlib.sha256(repr((self.name, self.frames, self.light, self.weather, self.events)).encode())
        for one in self.movers:
            sha.update(repr((one.number, one.kind, one.start, one.figures)).encode())
            for array in (one.x, one.z, one.lift):
                sha.update(np.rint(array * 100).astype("<i4").tobytes())
            sha.update(one.which.tobytes() + one.step.tobytes() + np.packbits(one.odd).tobytes())
        return sha.hexdigest()


def scripts(name: SetName) -> tuple[Script, ...]:
    """All videos of a set, in order."""
    kinds = [kind for kind in KINDS if name == "judge" or kind not in ONLY_IN_JUDGE]
    seed, plans = _SEEDS[name], PLANS[name]
    found: list[Script] = []
    for place, plan in enumerate(plans):
        skies = _skies(plan)
        # What is held out of a place's normal video is the one in its middle: another light at each place.
        turn = (0, 4, 2, 3)[place]
        for number in range(_NORMALS):
            light, weather = skies[(number + turn) % len(skies)]
            found.append(Script(seed, plan, place, "normal", number + 1, NORMAL_FRAMES, light, weather))
    for number, (kind, place) in enumerate(_KNOWN_CLIPS, 1):
        found.append(Script(seed, plans[place], place, "abnormal", number, KNOWN_FRAMES, "day", "clear", ((kind, 60),)))
    deal = np.random.default_rng([seed, 99])
    dealt: list[str] = []
    for place, plan in enumerate(plans):
        skies = _skies(plan)
        there = [kind for kind in kinds if fits(kind, plan)]
        for number in range(_TESTS):
            light, weather = skies[number % len(skies)]
            events: list[tuple[str, int]] = []
            if number not in _QUIET:
                for slot in _SLOTS:
                    # The kind that has been dealt least; wherever it is, people do not know what comes next.
                    order = [there[k] for k in deal.permutation(len(there))]
                    kind = min(order, key=lambda one: dealt.count(one) + 3 * [e[0] for e in events].count(one))
                    dealt.append(kind)
                    events.append((kind, slot + int(deal.integers(0, 120))))
            found.append(Script(seed, plan, place, "test", number + 1, TEST_FRAMES, light, weather, tuple(events)))
    return tuple(found)


def _skies(plan: Plan) -> tuple[tuple[Light, Weather], ...]:
    """Light and weather that a place has, in normal video and in the test alike."""
    return (
        ("day", "clear"), ("night", "clear"), ("day", plan.wet), ("dusk", "clear"), ("day", "wind"),
        ("night", plan.wet),
    )  # fmt: skip


def frozen_digest(name: SetName) -> str:
    """What `set_digest` must give: sets that figures were made on do not change."""
    return str(json.loads((files("oddframe.data.synthetic.day") / "frozen.json").read_text("utf-8"))[name]["plan"])


def set_digest(name: SetName) -> str:
    """What is drawn where and when in all of a set, as SHA-256."""
    sha = hashlib.sha256()
    for script in scripts(name):
        sha.update(script.digest().encode())
    return sha.hexdigest()
