"""A street as a camera on a pole sees it: a pinhole without tilt, and a canvas that draws in metres.

World axes: x to the right, h up from the ground, z away from the camera, all in metres. Everything is drawn
at `FACTOR` times the picture's size and averaged down, which smooths edges and keeps masks exact. Coordinates
are rounded to sixteenths of a pixel before anything is drawn, and drawing is OpenCV's integer drawing without
anti-aliasing, so the last bit of a sine never decides what a picture looks like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float, float]  # x, h, z in metres

SIZE = (160, 240)
FPS = Fraction(25, 2)
FACTOR = 2

_SHIFT = 4
_ONE = 1 << _SHIFT
_ARC = [(math.cos(a), math.sin(a)) for a in (math.radians(d) for d in (-90, -54, -18, 18, 54, 90))]
# A capsule's outline: half a circle about q, then half a circle about p, as weights of what `capsule` stacks.
_HULL = np.array([(c, s, 1, 0, 0, 0) for c, s in _ARC] + [(0, 0, 0, c, s, 1) for c, s in _ARC])


@dataclass(frozen=True)
class Camera:
    """A level pinhole: `horizon` is its row in picture pixels, `height` its metres above ground, `focal` in pixels."""

    horizon: float
    height: float
    focal: float

    def scale(self, z: float) -> float:
        """Picture pixels a metre at distance `z`."""
        return self.focal / z

    def row(self, z: float) -> float:
        """The picture row at which the ground at distance `z` is seen."""
        return self.horizon + self.focal * self.height / z

    def half_width(self, z: float) -> float:
        """Metres from the middle of the picture to its edge at distance `z`."""
        return SIZE[1] / 2 / self.scale(z)


class Canvas:
    """Draws shapes given in metres into `pixels` ((H, W, 3) or (H, W) uint8) of `factor` times the picture's size.

    With `light` = (x, z) metres of shadow for each metre of height, all shapes are laid flat on the ground in 255:
    the canvas then collects shadows. Where `tags` ((H, W) uint8) is set, each shape also writes `tag` there, so
    that it always holds the number of the thing that is seen at a pixel.
    """

    def __init__(
        self, camera: Camera, pixels: Pixels, factor: int = FACTOR, light: tuple[float, float] | None = None
    ) -> None:
        self.camera, self.pixels, self.factor, self.light = camera, pixels, factor, light
        self.tags: Pixels | None = None
        self.tag = 0

    def project(self, point: Point) -> tuple[float, float, float]:
        """Column, row and pixels a metre of a point, in this canvas's pixels."""
        x, h, z = point
        if self.light is not None:
            x, z, h = x + h * self.light[0], z + h * self.light[1], 0.0
        scale = self.camera.focal / z * self.factor
        return (
            SIZE[1] / 2 * self.factor + x * scale,
            self.camera.horizon * self.factor + (self.camera.height - h) * scale,
            scale,
        )

    def capsule(self, p: Point, q: Point, p_radius: float, q_radius: float, colour: Colour) -> None:
        """A limb: the hull of two balls."""
        px, py, ps = self.project(p)
        qx, qy, qs = self.project(q)
        # A shadow lies on the ground, which the camera sees at a slant.
        flat = 1.0 if self.light is None else 0.45
        dx, dy = qx - px, (qy - py) / flat
        length = math.sqrt(dx * dx + dy * dy)
        ux, uy = (dx / length, dy / length) if length > 1e-6 else (1.0, 0.0)
        a, b = q_radius * qs, p_radius * ps
        self._fill(
            _HULL
            @ (
                (a * ux, a * uy * flat),
                (-a * uy, a * ux * flat),
                (qx, qy),
                (-b * ux, -b * uy * flat),
                (b * uy, -b * ux * flat),
                (px, py),
            ),
            colour,
        )

    def ball(self, centre: Point, radius: float, colour: Colour) -> None:
        """A ball."""
        if self.light is not None:
            self.capsule(centre, centre, radius, radius, colour)
            return
        x, y, scale = self.project(centre)
        middle = (math.floor(x * _ONE - _ONE / 2 + 0.5), math.floor(y * _ONE - _ONE / 2 + 0.5))
        wide = math.floor(radius * scale * _ONE + 0.5)
        cv2.circle(self.pixels, middle, wide, colour, cv2.FILLED, cv2.LINE_8, _SHIFT)
        if self.tags is not None:
            cv2.circle(self.tags, middle, wide, (self.tag,), cv2.FILLED, cv2.LINE_8, _SHIFT)

    def polygon(self, points: list[Point], colour: Colour) -> None:
        """A convex face."""
        self._fill(np.array([self.project(p)[:2] for p in points]), colour)

    def line(self, p: Point, q: Point, width: float, colour: Colour) -> None:
        """A bar of `width` metres."""
        self.capsule(p, q, width / 2, width / 2, colour)

    def _fill(self, corners: NDArray[np.float64], colour: Colour) -> None:
        # Pixel centres stand at whole numbers in OpenCV, at halves here.
        fixed = np.floor(corners * _ONE - (_ONE / 2 - 0.5)).astype(np.int32)
        cv2.fillConvexPoly(self.pixels, fixed, colour if self.light is None else (255,), cv2.LINE_8, _SHIFT)
        if self.tags is not None:
            cv2.fillConvexPoly(self.tags, fixed, (self.tag,), cv2.LINE_8, _SHIFT)


def shaded(colour: Colour, factor: float) -> Colour:
    """A colour, darker (`factor` < 1) or lighter."""
    r, g, b = (min(255, int(c * factor + 0.5)) for c in colour)
    return r, g, b
