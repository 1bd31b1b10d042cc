"""Movers: who is where in each frame, at which step of which figure.

A `Story` is told piece by piece (walk there, wait, fall) and becomes a `Mover`, whose arrays have one value a frame.
Nothing here depends on pictures, so the plan of a video can be made, and checked, without drawing it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.day.figures import FIGURES, STEPS
from oddframe.data.synthetic.day.places import Spot

RATE = 10
"""Frames a second."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Mover:
    """Somebody or something that moves.

    Attributes:
        number: of the look. kind: of the anomaly, "" for what is allowed.
        start: its first frame; it may lie before the video.
        figures: words of `FIGURES`; `which` counts in them.
        x, z, lift: metres; `lift` above the ground. heading: radians, 0 to the right, pi / 2 away.
        step: 0..STEPS-1. odd: whether it is an anomaly.
    """

    number: int
    kind: str
    start: int
    figures: tuple[str, ...]
    which: NDArray[np.uint8]
    x: Numbers
    z: Numbers
    lift: Numbers
    heading: Numbers
    step: NDArray[np.uint8]
    odd: NDArray[np.bool_]

    @property
    def end(self) -> int:
        """The frame after its last one."""
        return self.start + len(self.x)

    def at(self, frame: int) -> Spot:
        """Where it is: x, z."""
        return float(self.x[frame - self.start]), float(self.z[frame - self.start])


@dataclass
class Story:
    """What somebody does, one thing after another, from frame `start` at a point on."""

    start: int
    here: Spot
    number: int
    facing: float = 0.0
    phase: float = 0.0
    _parts: list[tuple[str, Numbers, Numbers, Numbers, Numbers, Numbers]] = field(default_factory=list)
    _odd: list[tuple[int, int]] = field(default_factory=list)

    @property
    def now(self) -> int:
        """The frame at which what is told next begins."""
        return self.start + sum(len(part[1]) for part in self._parts)

    def go(self, points: Sequence[Spot], speed: float, figure: str = "walk") -> Story:
        """Go through points at m/s."""
        spots = np.array([self.here, *points], dtype=np.float64)
        legs = np.hypot(*np.diff(spots, axis=0).T)
        way = np.concatenate([[0.0], np.cumsum(legs)])
        frames = max(1, math.ceil(way[-1] / speed * RATE))
        gone = np.minimum(np.arange(1, frames + 1) * speed / RATE, way[-1])
        x, z = np.interp(gone, way, spots[:, 0]), np.interp(gone, way, spots[:, 1])
        step_x, step_z = np.diff(np.append(spots[0, 0], x)), np.diff(np.append(spots[0, 1], z))
        if frames > 1 and step_x[-1] == 0 == step_z[-1]:
            step_x[-1], step_z[-1] = step_x[-2], step_z[-2]
        if frames > 7:  # nobody turns on the spot
            kernel = np.ones(5) / 5
            step_x = np.convolve(np.pad(step_x, 2, mode="edge"), kernel, "valid")
            step_z = np.convolve(np.pad(step_z, 2, mode="edge"), kernel, "valid")
        heading = np.arctan2(step_z, step_x)
        stride = FIGURES[figure].stride or 1.5
        phase = self.phase + gone / stride
        self.phase, self.facing = float(phase[-1]), float(heading[-1])
        self.here = (float(spots[-1, 0]), float(spots[-1, 1]))
        self._parts.append((figure, x, z, np.zeros(frames), heading, phase))
        return self

    def stay(self, seconds: float, figure: str = "stand", *, pace: float = 0.25, facing: float | None = None) -> Story:
        """Stay where it is; `pace` is how often a second the figure goes through its steps."""
        frames = max(1, round(seconds * RATE))
        self.facing = self.facing if facing is None else facing
        times = np.arange(frames) / RATE
        fixed = np.ones(frames)
        phase = self.phase + pace * times
        self.phase = float(phase[-1])
        self._parts.append((figure, self.here[0] * fixed, self.here[1] * fixed, 0 * fixed, self.facing * fixed, phase))
        return self

    def once(self, seconds: float, figure: str, *, back: bool = False) -> Story:
        """Go through a figure's steps once, from its last to its first if `back`."""
        frames = max(2, round(seconds * RATE))
        phase = np.linspace(0, 1 - 0.5 / STEPS, frames)
        fixed = np.ones(frames)
        if back:
            phase = phase[::-1]
        self._parts.append((figure, self.here[0] * fixed, self.here[1] * fixed, 0 * fixed, self.facing * fixed, phase))
        self.phase = 0.0
        return self

    def flies(self, heading: float, speed: float, climb: float, seconds: float, drag: float = 0.25) -> Story:
        """Be thrown from a hand: fly, bounce, roll on."""
        frames = max(2, round(seconds * RATE))
        gone, lifts, high, up, pace, way = [], [], 1.4, climb, speed, 0.0
        for _ in range(frames):
            for _ in range(5):
                way += pace * 0.02
                high += up * 0.02
                up -= 9.8 * 0.02
                if high < 0:
                    high, up = 0.0, -0.45 * up if up < -0.8 else 0.0
                    pace *= 0.9 if up else 1 - drag * 0.02
            gone.append(way)
            lifts.append(high)
        distance = np.array(gone)
        x, z = self.here[0] + distance * math.cos(heading), self.here[1] + distance * math.sin(heading)
        stride = FIGURES["thing"].stride
        self._parts.append(("thing", x, z, np.array(lifts), np.full(frames, heading), distance / stride))
        self.here = (float(x[-1]), float(z[-1]))
        return self

    def odd_from(self, frame: int, end: int | None = None) -> Story:
        """Say that it is an anomaly from a frame to another, or to the end of what is told so far."""
        self._odd.append((frame, self.now if end is None else end))
        return self

    def told(self, kind: str = "") -> Mover:
        """The mover. With a kind, and nothing said of when, it is an anomaly all the time."""
        figures = tuple(dict.fromkeys(part[0] for part in self._parts))
        count = self.now - self.start
        odd = np.zeros(count, bool)
        spans = self._odd or ([(self.start, self.now)] if kind else [])
        for first, end in spans:
            odd[max(0, first - self.start) : max(0, end - self.start)] = True
        phase = np.concatenate([part[5] for part in self._parts])
        x, z, lift, heading = (np.concatenate([part[k] for part in self._parts]) for k in (1, 2, 3, 4))
        return Mover(
            number=self.number,
            kind=kind,
            start=self.start,
            figures=figures,
            which=np.concatenate([np.full(len(part[1]), figures.index(part[0]), np.uint8) for part in self._parts]),
            x=x,
            z=z,
            lift=lift,
            heading=heading,
            step=(np.floor((phase % 1.0) * STEPS) % STEPS).astype(np.uint8),
            odd=odd,
        )
