"""Figures cut out once and used for every frame: a picture and its mask, at the size that a distance asks for.

Sizes are made from the cut-out by picking pixels, and everything is whole numbers, so a sprite is the same on every
machine. A store forgets what it has not used for longest; that changes no picture.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.actors import Look
from oddframe.data.synthetic.day.figures import DISTANCE, FIGURES
from oddframe.data.synthetic.world import FACTOR, SIZE, Camera, Canvas, Pixels

HEADINGS = 16
PITCHES = (0.12, 0.2, 0.3, 0.42, 0.56)
"""Slopes at which a camera may look down at a figure."""
METRES = (60, 30)
"""Pixels a metre of cut-outs, for those who are near and those who are far."""

_ROWS, _GROUND = 320, 236  # at METRES[0]
_NOTHING = np.array((255, 0, 255), np.uint8)
"""The colour of what is not drawn on; no figure has it."""
_CUTS, _SPRITES = 12_000, 5000

T = TypeVar("T")


class Store(Generic[T]):
    """Keeps what was made last, so many at most."""

    def __init__(self, most: int) -> None:
        self._most, self._kept = most, OrderedDict[Hashable, T]()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What belongs to a key, made if it is not kept."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


@dataclass(frozen=True)
class Sprite:
    """(h, w, 3) pixels, (h, w) mask of 0 and 255, and the row and column in it that stand on the ground's point."""

    pixels: Pixels
    mask: Pixels
    row: int
    column: int


@dataclass(frozen=True)
class _Cut:
    """(h, w) colours with the mask as fourth byte, so that both are picked at once; row and column as in `Sprite`."""

    packed: NDArray[np.uint32]
    row: int
    column: int


@dataclass(frozen=True)
class Shadow:
    """(h, w) mask of a sprite's shadow on the ground; row and column as in `Sprite`."""

    mask: Pixels
    row: int
    column: int


Key = tuple[str, int, int, int, int]
"""Figure, number of the look, step, heading in 1 / HEADINGS turns, place in PITCHES."""


class Sprites:
    """All sprites of those who appear at a place.

    Args:
        looks: of all people, by number. sun: metres of shadow (x, z) for each metre of height where the sun shines.
    """

    def __init__(self, looks: tuple[Look, ...], sun: tuple[float, float]) -> None:
        self._looks, self._sun = looks, sun
        self._cuts: Store[_Cut] = Store(_CUTS)
        self._sized: Store[tuple[Sprite, Shadow]] = Store(_SPRITES)

    def get(self, key: Key, size: int, sunny: bool) -> tuple[Sprite, Shadow]:
        """A sprite and its shadow; `size` in pixels a metre."""
        return self._sized.get((key, size, sunny), lambda: self._make(key, size, sunny))

    def _make(self, key: Key, size: int, sunny: bool) -> tuple[Sprite, Shadow]:
        metre = METRES[0] if size > METRES[1] else METRES[1]
        sprite = _resized(self._cuts.get((key, metre), lambda: self._cut(key, metre)), size, metre)
        return sprite, _shadow(sprite, self._sun if sunny else None, PITCHES[key[4]])

    def _cut(self, key: Key, metre: int) -> _Cut:
        figure, number, step, heading, pitch = key
        height = DISTANCE * PITCHES[pitch]
        ground = _GROUND * metre // METRES[0]
        camera = Camera((ground - height * metre) / FACTOR, height, metre * DISTANCE / FACTOR)
        pixels = np.full((_ROWS * metre // METRES[0], SIZE[1] * FACTOR, 3), _NOTHING, np.uint8)
        canvas = Canvas(camera, pixels)
        look = self._looks[number % len(self._looks)]
        FIGURES[figure].draw(canvas, look, number, step, math.tau * heading / HEADINGS)
        drawn = np.asarray(cv2.bitwise_not(cv2.inRange(pixels, _NOTHING, _NOTHING)), dtype=np.uint8)
        x, y, wide, high = cv2.boundingRect(drawn)
        four = np.empty((high, wide, 4), np.uint8)
        mask = drawn[y : y + high, x : x + wide]
        cut = pixels[y : y + high, x : x + wide]
        if figure == "smoke":
            grid = np.random.default_rng(step).random(mask.shape)
            mask = np.where(grid > 0.6, np.uint8(0), mask)
        elif not FIGURES[figure].wheels:
            cut = _textured(cut, number)
        four[..., :3], four[..., 3] = cut, mask
        return _Cut(four.view(np.uint32)[..., 0], ground - y, SIZE[1] * FACTOR // 2 - x)


@lru_cache(maxsize=64)
def _folds(number: int) -> NDArray[np.int16]:
    """Light and dark patches of the clothes of a look, in hundredths; every third top is striped."""
    rng = np.random.default_rng(number)
    grid = rng.integers(-14, 15, (_ROWS // 5, SIZE[1] * FACTOR // 5), dtype=np.int16)
    patches = np.repeat(np.repeat(grid, 5, axis=0), 5, axis=1)
    if number % 3 == 0:
        patches = patches + np.where(np.arange(_ROWS) // 4 % 2, 10, -10).astype(np.int16)[:, None]
    return np.repeat(patches[..., None], 3, axis=2)


def _textured(pixels: Pixels, number: int) -> Pixels:
    """Folds and patterns, which go with the body."""
    rows, columns = pixels.shape[:2]
    changed = pixels + (pixels.astype(np.int16) * _folds(number)[:rows, :columns]) // 100
    return np.clip(changed, 0, 255).astype(np.uint8)


def _resized(cut: _Cut, size: int, metre: int) -> Sprite:
    """Of `size` pixels a metre where the cut-out has `metre`."""
    rows, columns = (_picked(length, size, metre) for length in cut.packed.shape)
    picked = np.ascontiguousarray(cut.packed[rows][:, columns])
    four = picked.view(np.uint8).reshape(len(rows), len(columns), 4)
    pixels, mask = np.ascontiguousarray(four[..., :3]), np.ascontiguousarray(four[..., 3])
    return Sprite(pixels, mask, cut.row * size // metre, cut.column * size // metre)


def _picked(length: int, size: int, metre: int) -> NDArray[np.int64]:
    count = max(1, length * size // metre)
    return np.minimum((2 * np.arange(count) + 1) * metre // (2 * size), length - 1)


def _shadow(sprite: Sprite, sun: tuple[float, float] | None, pitch: float) -> Shadow:
    """A sprite's mask laid on the ground, or what darkens the ground under it where there is no sun."""
    high, wide = sprite.mask.shape
    if sun is None:
        deep = max(2, int(wide * pitch * 0.4))
        there = np.flatnonzero(sprite.mask[max(0, sprite.row - high // 3) :].any(axis=0))
        reach = (int(there[-1] - there[0]) + 1 if len(there) else wide) // 2 + 1
        middle = int(there[0] + there[-1]) // 2 if len(there) else wide // 2
        down, over = np.ogrid[-deep : deep + 1, -reach : reach + 1]
        inside = down * down * reach * reach + over * over * deep * deep <= deep * deep * reach * reach
        return Shadow(np.where(inside, np.uint8(255), np.uint8(0)), deep, sprite.column - middle + reach)
    aside, away = sun[0], sun[1] * pitch
    tall = max(1, sprite.row)
    rows = max(1, int(abs(away) * tall))
    lean = int(abs(aside) * tall)
    mask = np.zeros((rows + 1, wide + lean), np.uint8)
    for k in range(rows + 1):
        up = min(tall - 1, int(k * tall / rows))
        source = sprite.row - up
        if not 0 <= source < high:
            continue
        shift = int(aside * up)
        start = shift if aside >= 0 else lean + shift
        mask[rows - k if away > 0 else k, start : start + wide] = sprite.mask[source]
    return Shadow(mask, rows if away > 0 else 0, sprite.column if aside >= 0 else sprite.column + lean)
