"""Light and weather: by day, dusk and night, in rain, snow and wind, as a camera sees it.

All of it works on whole numbers: a picture is multiplied by 256ths of light, and noise is added and taken away.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.day.places import Plan
from oddframe.data.synthetic.world import SIZE, Pixels

Light: TypeAlias = Literal["day", "dusk", "night"]
Weather: TypeAlias = Literal["clear", "wind", "rain", "snow"]
LIGHTS: tuple[Light, ...] = ("day", "dusk", "night")
WEATHERS: tuple[Weather, ...] = ("clear", "wind", "rain", "snow")

_NOISE = {"day": 1.5, "dusk": 2.8, "night": 4.4}
"""Standard deviation of the camera's noise in grey levels."""
_AMBIENT = {"dusk": (0.60, 0.55, 0.56), "night": (0.25, 0.27, 0.34)}
_LAMP = {"dusk": 0.30, "night": 0.78}
_WARM = np.array((1.0, 0.88, 0.68))
_TABLES = 6
_PAD = (72, 96)


class Sky:
    """What light and weather make of a drawn frame (H, W, 3); one object a video.

    Args:
        glow: (H, W) 0..255, where windows are lit. sunny: whether there are shadows of the sun.
    """

    def __init__(
        self, plan: Plan, light: Light, weather: Weather, glow: Pixels, frames: int, rng: np.random.Generator
    ) -> None:
        self.light, self.weather = light, weather
        self._rng, self._frames = rng, frames
        rows, columns = SIZE
        spread = (rows + _PAD[0], columns + _PAD[1])
        grain = np.rint(rng.normal(0, _NOISE[light], (_TABLES, *spread, 3)) * (0.75, 1.0, 0.9)).astype(np.int16)
        grain += np.rint(rng.normal(0, _NOISE[light] * 0.7, (_TABLES, *spread, 1))).astype(np.int16)
        self._plus, self._minus = np.maximum(grain, 0).astype(np.uint8), np.maximum(-grain, 0).astype(np.uint8)
        self.map: Pixels | None = None if light == "day" else _light_map(plan, light, glow)
        self._clouds = _clouds(rng) if light == "day" and weather in ("wind", "clear") else None
        self._phases = rng.random(3) * math.tau
        self._drops = _rain(rng) if weather == "rain" else None
        self._flakes = [_snow(rng, size) for size in (1, 1, 2)] if weather == "snow" else []
        self._slant = float(rng.uniform(-0.6, 0.6))
        self._fades = float(rng.choice([-1.0, 1.0])) if light == "dusk" else 0.0

    def sun(self, time: float) -> float:
        """Strength of the sun, 0..1: clouds pass before it."""
        a, b = self._phases[:2]
        return 0.72 + 0.28 * math.sin(time / 11 + a) * math.sin(time / 19 + b)

    def expose(self, pixels: Pixels, t: int, time: float, lit: Pixels | None) -> Pixels:
        """Give a frame its light, weather and noise. `lit` stands for `map` where something shines."""
        if self._clouds is not None:
            y = int(7 * time) % 320
            x = int((16 if self.weather == "wind" else 5) * time) % 480
            # The sky's clouds pass over the ground at a slant.
            shade = self._clouds[y : y + SIZE[0], x : x + SIZE[1]]
            pixels = _times(pixels, shade)
        light = self.map if lit is None else lit
        if light is not None:
            pixels = _times(pixels, light)
        gain = 1.0 + 0.035 * math.sin(time / 13 + self._phases[2])
        gain *= 1.0 + self._fades * 0.22 * (t / max(1, self._frames) - 0.5)
        if self.light == "day" and self.weather in ("rain", "snow"):
            gain *= 0.86
        pixels = _scaled(pixels, int(256 * gain))
        if self._drops is not None:
            y, x = int(self._rng.integers(200)), int(self._rng.integers(240))
            drops = self._drops[y : y + SIZE[0], x : x + SIZE[1]]
            pixels = _plus(pixels, drops if self.light == "day" else _scaled(drops, 190))
        for layer, flakes in enumerate(self._flakes):
            fall = (2.2 + 1.6 * layer) * t
            y = int(-fall) % 320
            x = int(fall * self._slant + 5 * math.sin(time / 3 + layer)) % 480
            crop = flakes[y : y + SIZE[0], x : x + SIZE[1]]
            pixels = _plus(pixels, crop if self.light == "day" else _scaled(crop, 150))
        y, x = int(self._rng.integers(_PAD[0])), int(self._rng.integers(_PAD[1]))
        k, j = (int(v) for v in self._rng.integers(_TABLES, size=2))
        pixels = _plus(pixels, self._plus[k, y : y + SIZE[0], x : x + SIZE[1]])
        return np.asarray(cv2.subtract(pixels, self._minus[j, y : y + SIZE[0], x : x + SIZE[1]]), dtype=np.uint8)


def _times(pixels: Pixels, light: Pixels) -> Pixels:
    """Pixels times light / 256. A power of two: no rounding depends on the machine."""
    return np.asarray(cv2.multiply(pixels, light, scale=1 / 256), dtype=np.uint8)


def _plus(pixels: Pixels, more: Pixels) -> Pixels:
    return np.asarray(cv2.add(pixels, more), dtype=np.uint8)


def _scaled(pixels: Pixels, parts: int) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(pixels, alpha=parts / 256), dtype=np.uint8)


def ground(plan: Plan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and z of the ground, or of the wall behind it, that is seen at each pixel."""
    rows, columns = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float64)
    below = np.maximum(rows + 0.5 - plan.camera.horizon, 0.5)
    z = np.minimum(plan.camera.focal * plan.camera.height / below, plan.back)
    return (columns + 0.5 - SIZE[1] / 2) * z / plan.camera.focal, z


def _light_map(plan: Plan, light: Light, glow: Pixels) -> Pixels:
    x, z = ground(plan)
    bright = np.zeros((*SIZE, 3)) + np.array(_AMBIENT[light])
    for lamp_x, lamp_z in plan.lamps:
        near = np.exp(-((x - lamp_x) ** 2 + (z - lamp_z) ** 2) / 22.0)
        bright += _LAMP[light] * near[..., None] * _WARM
    bright += (0.85 if light == "night" else 0.4) * (glow[..., None] / 255.0) * _WARM
    light_map: Pixels = np.rint(np.clip(bright, 0, 0.996) * 256).astype(np.uint8)
    return light_map


def _smooth(rng: np.random.Generator, shape: tuple[int, int], cell: int) -> NDArray[np.float64]:
    """Smooth noise in [0, 1] that goes on at its edges."""
    rows, columns = shape[0] // cell, shape[1] // cell
    lattice = rng.random((rows, columns))
    y, x = np.arange(shape[0]) / cell, np.arange(shape[1]) / cell
    i, j = y.astype(int), x.astype(int)
    a, b = (y - i)[:, None], (x - j)[None]
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    i1, j1 = (i + 1) % rows, (j + 1) % columns
    top = lattice[np.ix_(i, j)] * (1 - b) + lattice[np.ix_(i, j1)] * b
    bottom = lattice[np.ix_(i1, j)] * (1 - b) + lattice[np.ix_(i1, j1)] * b
    return np.asarray(top * (1 - a) + bottom * a)


def _clouds(rng: np.random.Generator) -> Pixels:
    """Shadows of clouds, twice over in each direction so that a window may slide."""
    cover = 0.7 * _smooth(rng, (320, 480), 80) + 0.3 * _smooth(rng, (320, 480), 20)
    shade = np.clip((cover - 0.42) * 5, 0, 1)
    once = np.rint(255 - 62 * shade).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(np.tile(once, (2, 2))[..., None], 3, axis=2))


def _rain(rng: np.random.Generator) -> Pixels:
    """Streaks of falling rain."""
    picture = np.zeros((SIZE[0] + 200, SIZE[1] + 240, 3), np.uint8)
    lean = int(rng.integers(-3, 4))
    for _ in range(900):
        x, y = int(rng.integers(picture.shape[1])), int(rng.integers(picture.shape[0]))
        long = int(rng.integers(5, 13))
        tone = int(rng.integers(22, 58))
        cv2.line(picture, (x, y), (x + lean * long // 12, y + long), (tone, tone, tone + 4), 1, cv2.LINE_8)
    return picture


def _snow(rng: np.random.Generator, size: int) -> Pixels:
    """Flakes, twice over in each direction so that a window may slide."""
    picture = np.zeros((320, 480, 3), np.uint8)
    for _ in range(420 // size):
        x, y = int(rng.integers(480 - size)), int(rng.integers(320 - size))
        tone = int(rng.integers(60, 130))
        picture[y : y + size, x : x + size] = tone
    return np.ascontiguousarray(np.tile(picture, (2, 2, 1)))
