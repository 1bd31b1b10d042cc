"""Painting what does not move: the ground, and walls, of an empty scene, pixel by pixel in metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.world import FACTOR, SIZE, Camera, Canvas, Colour, Pixels

Field: TypeAlias = NDArray[np.float64]

_OVER = 2  # plates are painted at this many times the canvas's size


@dataclass
class Painter:
    """A plate in the making: the ground's X and Z and a wall's X and H for every pixel."""

    camera: Camera
    rng: np.random.Generator
    factor: int = FACTOR * _OVER
    rgb: Field = field(init=False)
    x: Field = field(init=False)
    z: Field = field(init=False)

    def __post_init__(self) -> None:
        rows, columns = np.mgrid[0 : SIZE[0] * self.factor, 0 : SIZE[1] * self.factor].astype(np.float64)
        self.below = (rows + 0.5) / self.factor - self.camera.horizon
        self.aside = (columns + 0.5) / self.factor - SIZE[1] / 2
        self.z = self.camera.focal * self.camera.height / np.maximum(self.below, 0.5)
        self.x = self.aside * self.z / self.camera.focal
        self.rgb = np.zeros((*rows.shape, 3))

    def wall(self, z: float) -> tuple[Field, Field]:
        """X and height above ground of every pixel, taken to lie on a wall at distance z."""
        return self.aside * z / self.camera.focal, self.camera.height - self.below * z / self.camera.focal

    def noise(self, x: Field, y: Field, cell: float) -> Field:
        """Smooth noise in [-1, 1] with features of `cell` metres."""
        lattice = self.rng.random((61, 67)) * 2 - 1
        u, v = x / cell, y / cell
        i, j = np.floor(u), np.floor(v)
        a, b = u - i, v - j
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        i0, j0 = i.astype(np.int64) % 67, j.astype(np.int64) % 61
        i1, j1 = (i0 + 1) % 67, (j0 + 1) % 61
        top = lattice[j0, i0] * (1 - a) + lattice[j0, i1] * a
        bottom = lattice[j1, i0] * (1 - a) + lattice[j1, i1] * a
        return top * (1 - b) + bottom * b

    def slabs(
        self, x: Field, y: Field, wide: float, deep: float, joint: float, *, bond: float = 0.5
    ) -> tuple[Field, NDArray[np.bool_]]:
        """A tone in [-1, 1] for every stone of a pavement or brick of a wall, and where the joints are."""
        tones = self.rng.random((61, 67)) * 2 - 1
        v = y / deep
        row = np.floor(v)
        u = x / wide + bond * (row % 2)
        column = np.floor(u)
        joints = ((u - column) * wide < joint) | ((v - row) * deep < joint)
        return tones[row.astype(np.int64) % 61, column.astype(np.int64) % 67], joints

    def fill(self, where: NDArray[np.bool_], colour: Colour, tone: Field) -> None:
        """Paint a region in a colour times 1 + tone."""
        self.rgb[where] = np.array(colour, dtype=np.float64) * (1 + tone[where][:, None])

    def canvas(self) -> Canvas:
        """Round what is painted so far and go on with shapes."""
        self.pixels: Pixels = np.clip(np.floor(self.rgb + 0.5), 0, 255).astype(np.uint8)
        return Canvas(self.camera, self.pixels, self.factor)

    def plates(self, shadow: int) -> tuple[Pixels, Pixels]:
        """The finished plate in sun and in shadow; `shadow` of 256 parts of the light are missing there."""
        size = (SIZE[1] * FACTOR, SIZE[0] * FACTOR)
        lit: Pixels = np.asarray(cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        # Shadow is bluer than sun.
        keep = np.array([256 - shadow, 256 - shadow, 256 - shadow * 7 // 8], dtype=np.uint16)
        shade = ((lit.astype(np.uint16) * keep) >> 8).astype(np.uint8)
        return lit, shade


def rectangle(canvas: Canvas, z: float, x: tuple[float, float], h: tuple[float, float], colour: Colour) -> None:
    canvas.polygon([(x[0], h[0], z), (x[1], h[0], z), (x[1], h[1], z), (x[0], h[1], z)], colour)
