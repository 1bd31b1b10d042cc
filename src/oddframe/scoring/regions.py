"""Regions of a picture: polygons to watch, and polygons to ignore.

They are laid over the maps of a frame before these are pooled into numbers, in calibration as in scoring: what happens
in an ignored place raises neither a score nor the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Annotated, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from oddframe.errors import SettingsError
from oddframe.files import read_bytes
from oddframe.records import FileRecord, parse_as, write_record

FILE = "regions.json"

_MOST_BYTES = 2**20
_WHAT = "the file of regions"
_FINE = 720
"""Points that a side of the picture is divided into, to know how much of a place lies inside."""

Point = tuple[float, float]
Polygon = tuple[Point, ...]
Mask = NDArray[np.bool_]


class RegionsRecord(FileRecord):
    """What regions.json holds: polygons of (x, y), from (0, 0) at the upper left to (1, 1) at the lower right."""

    watch: tuple[Annotated[Polygon, Field(max_length=500)], ...] = Field(default=(), max_length=100)
    ignore: tuple[Annotated[Polygon, Field(max_length=500)], ...] = Field(default=(), max_length=100)


@dataclass(frozen=True)
class Regions:
    """Which places of a picture count: those in a polygon to watch, or all where there is none, but for those in a
    polygon to ignore.

    Attributes:
        watch, ignore: polygons of three points (x, y) or more, in shares of the picture's width and height.

    Raises:
        SettingsError: a polygon leaves the picture, crosses itself or has no area; or nothing is left to watch.

    >>> Regions(ignore=(((0, 0), (1, 0), (1, 0.5), (0, 0.5)),)).watched((4, 2)).tolist()
    [[False, False], [False, False], [True, True], [True, True]]
    """

    watch: tuple[Polygon, ...] = ()
    ignore: tuple[Polygon, ...] = ()

    def __post_init__(self) -> None:
        for name, polygons in (("watch", self.watch), ("ignore", self.ignore)):
            for number, polygon in enumerate(polygons):
                _refuse(polygon, f"{name}[{number}]")
        if not self._inside.any():
            raise SettingsError(
                "the regions leave nothing to watch",
                seen="all of the picture is ignored" if not self.watch else "every place to watch is ignored",
                wanted="some of the picture outside of `ignore`",
            )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of regions.

        Raises:
            SettingsError: it cannot be read, is no such file, or as of the class.
        """
        content = read_bytes(path, _MOST_BYTES, _WHAT, error=SettingsError)
        hint = '{"watch": [[[0, 0.5], [1, 0.5], [1, 1], [0, 1]]], "ignore": []}'
        record = parse_as(content, RegionsRecord, _WHAT, path=path, error=SettingsError, hint=hint)
        try:
            return cls(record.watch, record.ignore)
        except SettingsError as error:
            raise SettingsError(error.problem, path=path, seen=error.seen, wanted=error.wanted) from None

    def write(self, folder: Path) -> Path:
        """Write regions.json into a folder.

        Raises:
            StorageError: it cannot be written.
        """
        return write_record(folder / FILE, RegionsRecord(watch=self.watch, ignore=self.ignore))

    def __bool__(self) -> bool:
        return bool(self.watch or self.ignore)

    @property
    def share(self) -> float:
        """How much of the picture is watched, 0..1."""
        return float(self._inside.mean())

    def watched(self, shape: tuple[int, int]) -> Mask:
        """Which places of a map count, (h, w): those of which at least half is watched; never none."""
        if shape not in self._known:
            height, width = shape
            shares = cv2.resize(self._inside.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
            self._known[shape] = shares >= min(0.5, float(shares.max()))
        return self._known[shape]

    @cached_property
    def _known(self) -> dict[tuple[int, int], Mask]:
        return {}

    @cached_property
    def _inside(self) -> Mask:
        """(720, 720): which points of the picture are watched."""
        watched = _filled(self.watch) if self.watch else np.ones((_FINE, _FINE), bool)
        return watched & ~_filled(self.ignore)


def _filled(polygons: tuple[Polygon, ...]) -> Mask:
    inside = np.zeros((_FINE, _FINE), np.uint8)
    for polygon in polygons:
        # a point on the far edge belongs to the last row or column
        corners = np.rint(np.array(polygon) * _FINE - 0.5).astype(np.int32)
        cv2.fillPoly(inside, [corners], 1)
    return inside.astype(bool)


def _refuse(polygon: Polygon, name: str) -> None:
    """Refuse what is no polygon within the picture."""
    if len(polygon) < 3:
        raise SettingsError(f"{name} is no polygon", seen=f"{len(polygon)} points", wanted="three or more")
    outside = [point for point in polygon if not all(0 <= value <= 1 for value in point)]
    if outside:
        raise SettingsError(
            f"{name} leaves the picture",
            seen=f"the point {list(outside[0])}",
            wanted="numbers from 0 to 1: shares of the picture's width and height, not pixels",
        )
    if (crossing := _crossing(polygon)) is not None:
        one, other = crossing
        raise SettingsError(
            f"{name} crosses itself",
            seen=f"its edge from {list(polygon[one])} and its edge from {list(polygon[other])}",
            wanted="points in order along the edge; two polygons, where there are two places",
        )
    if abs(_area(polygon)) < 1 / _FINE**2:
        seen = [list(point) for point in polygon]
        raise SettingsError(f"{name} has no area", seen=seen, wanted="a part of the picture")


def _area(polygon: Polygon) -> float:
    x, y = np.array(polygon, np.float64).T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def _crossing(polygon: Polygon) -> tuple[int, int] | None:
    """Two edges, by the numbers of their first points, that cross each other; neighbours only touch."""
    count = len(polygon)
    for one, other in combinations(range(count), 2):
        if _cross(polygon[one], polygon[one + 1], polygon[other], polygon[(other + 1) % count]):
            return one, other
    return None


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the line from a to b crosses that from c to d; to touch is not to cross."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
