"""Frames and masks of a video: sprites laid over the empty place from far to near, then light, weather and noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.day.figures import FIGURES
from oddframe.data.synthetic.day.light import Light, Sky
from oddframe.data.synthetic.day.moves import RATE, Mover
from oddframe.data.synthetic.day.places import Plan
from oddframe.data.synthetic.day.scenery import SWAYS, Scenery, Standing, paint
from oddframe.data.synthetic.day.script import people
from oddframe.data.synthetic.day.sets import Script
from oddframe.data.synthetic.day.sprites import HEADINGS, PITCHES, Sprites, Store
from oddframe.data.synthetic.world import FACTOR, SIZE, Pixels

MASK_PIXELS = 20
"""An anomaly of which fewer pixels are seen is not labelled."""
Mask = NDArray[np.bool_]

_HIGH, _WIDE = SIZE[0] * FACTOR, SIZE[1] * FACTOR
_LEVELS = 8
_TAGS = tuple(np.full((_HIGH, _WIDE), tag, np.uint8) for tag in range(12))


class Places:
    """The places of a set with all that is the same from video to video, kept while there is room."""

    def __init__(self) -> None:
        self._scenery: Store[Scenery] = Store(6)
        self._sprites: Store[Sprites] = Store(1)

    def scenery(self, script: Script) -> Scenery:
        """The empty place."""
        key = (script.seed, script.place, script.light == "day", script.weather)
        return self._scenery.get(
            key, lambda: paint(script.plan, script.light, script.weather, script.seed + script.place)
        )

    def sprites(self, script: Script) -> Sprites:
        """Everybody who may appear there."""
        key = (script.seed, script.place)
        return self._sprites.get(key, lambda: Sprites(people(script.seed + script.place), script.plan.sun))


@dataclass(frozen=True)
class _Seen:
    """A mover as the camera sees it; arrays have one value a frame of it."""

    mover: Mover
    row: list[int]
    column: list[int]
    ground: list[int]
    size: list[int]
    heading: list[int]
    pitch: list[int]
    step: list[int]
    which: list[int]
    z: list[float]
    odd: list[bool]
    wheels: bool


def _seen(mover: Mover, plan: Plan) -> _Seen:
    camera = plan.camera
    z = np.maximum(mover.z, 2.0)
    scale = camera.focal * FACTOR / z
    ground = camera.horizon * FACTOR + camera.height * scale
    heading = mover.heading + np.arctan2(mover.x, z)
    slope = camera.height / z
    wheels = all(FIGURES[figure].wheels for figure in mover.figures)  # these look the same at every step
    pitches = np.abs(np.log(slope[:, None] / np.array(PITCHES))).argmin(axis=1)
    return _Seen(
        mover,
        np.floor(ground - mover.lift * scale).astype(int).tolist(),
        np.floor(_WIDE / 2 + mover.x * scale).astype(int).tolist(),
        np.floor(ground).astype(int).tolist(),
        np.rint(scale).astype(int).tolist(),
        (np.rint(heading / math.tau * HEADINGS).astype(int) % HEADINGS).tolist(),
        pitches.tolist(),
        [0] * len(z) if wheels else mover.step.tolist(),
        mover.which.tolist(),
        mover.z.tolist(),
        mover.odd.tolist(),
        wheels,
    )


def frames(script: Script, places: Places | None = None, *, every: int = 1) -> Iterator[tuple[Pixels, dict[str, Mask]]]:
    """Yield each frame ((H, W, 3) uint8 RGB) and, for every kind of anomaly seen in it, its (H, W) mask.

    Args:
        every: yield the first of every so many frames, for a camera that sends fewer a second; others cost nothing.
    """
    places = places or Places()
    scenery, sprites = places.scenery(script), places.sprites(script)
    rng = script.rng(1)
    sky = Sky(script.plan, script.light, script.weather, scenery.glow, script.frames, rng)
    sunny = script.light == "day" and script.weather in ("clear", "wind")
    shades = _shades(scenery, _LEVELS if sunny else 1)
    waiting = sorted((_seen(mover, script.plan) for mover in script.movers), key=lambda one: -one.mover.start)
    there: list[_Seen] = []
    kinds = sorted({mover.kind for mover in script.movers if mover.kind})
    standing = sorted(scenery.standing, key=lambda one: -one.z)
    clock = int(rng.integers(10_000))
    pace = 1.6 if script.weather == "wind" else 0.7
    for t in range(script.frames):
        while waiting and waiting[-1].mover.start <= t:
            there.append(waiting.pop())
        there = [one for one in there if one.mover.end > t]
        if t % every:
            continue
        now = sorted(((one.z[t - one.mover.start], one) for one in there), key=lambda pair: -pair[0])
        time = t / RATE
        shade = shades[int(sky.sun(time) * (len(shades) - 1) + 0.5)]
        pixels, tags = _lay(scenery, standing, now, sprites, sunny, shade, t, clock + int(pace * t), kinds)
        lit = None if sky.map is None else _headlights(sky.map, now, t, script.light)
        small = _shrink(pixels)
        yield sky.expose(small, t, time, lit), _masks(tags, kinds)


def _shades(scenery: Scenery, levels: int) -> list[Pixels]:
    """The place in shadow, from a weak one to the full one."""
    if levels == 1:
        return [scenery.shade]
    lit, shade = scenery.lit.astype(np.uint16), scenery.shade.astype(np.uint16)
    last = levels - 1
    return [((lit * (last - k) + shade * k + last // 2) // last).astype(np.uint8) for k in range(levels)]


def _lay(
    scenery: Scenery,
    standing: list[Standing],
    now: list[tuple[float, _Seen]],
    sprites: Sprites,
    sunny: bool,
    shade: Pixels,
    t: int,
    clock: int,
    kinds: list[str],
) -> tuple[Pixels, Pixels | None]:
    """Lay everybody over the empty place. Returns it, and the numbers of the kinds that are seen at each pixel."""
    pixels = scenery.lit.copy()
    drawn = []
    odd = False
    for z, one in now:
        k = t - one.mover.start
        key = (one.mover.figures[one.which[k]], one.mover.number, one.step[k], one.heading[k], one.pitch[k])
        sprite, shadow = sprites.get(key, one.size[k], sunny)
        row, column = one.row[k], one.column[k]
        _copy(shade, shadow.mask, pixels, one.ground[k] - shadow.row, column - shadow.column, whole=True)
        tag = kinds.index(one.mover.kind) + 1 if one.mover.kind and one.odd[k] else 0
        odd = odd or tag > 0
        drawn.append((z, row - sprite.row, column - sprite.column, sprite.pixels, sprite.mask, tag))
    place = clock % (2 * SWAYS - 2)
    place = place if place < SWAYS else 2 * SWAYS - 2 - place
    for prop in standing:
        row, column, part, mask = prop.moments[place if len(prop.moments) > 1 else 0]
        drawn.append((prop.z, row, column, part, mask, 0))
    drawn.sort(key=lambda one: -one[0])
    tags = np.zeros((_HIGH, _WIDE), np.uint8) if odd else None
    for _, row, column, part, mask, tag in drawn:
        _copy(part, mask, pixels, row, column)
        if tags is not None:
            _copy(_TAGS[tag][: mask.shape[0], : mask.shape[1]], mask, tags, row, column)
    return pixels, tags


def _copy(source: Pixels, mask: Pixels, onto: Pixels, row: int, column: int, *, whole: bool = False) -> None:
    """Copy where a mask is set, to a place that may lie partly outside; a `whole` source is as large as the target."""
    high, wide = mask.shape
    top, left, bottom, right = max(0, row), max(0, column), min(_HIGH, row + high), min(_WIDE, column + wide)
    if top >= bottom or left >= right:
        return
    inside = np.s_[top - row : bottom - row, left - column : right - column]
    target = onto[top:bottom, left:right]
    cv2.copyTo(source[top:bottom, left:right] if whole else source[inside], mask[inside], target)


def _headlights(light: Pixels, now: list[tuple[float, _Seen]], t: int, when: Light) -> Pixels:
    """The light of a place with that of cars in it."""
    wheels = [one for _, one in now if one.wheels]
    if not wheels:
        return light
    lit: Pixels = light.copy()
    for one in wheels:
        k = t - one.mover.start
        mover = one.mover
        turn = float(mover.heading[k])
        scale = one.size[k] / FACTOR
        # A pool of light on the ground before it, and its lamps.
        ahead = 5.0 * scale * math.cos(turn)
        column = one.column[k] // FACTOR + int(ahead)
        drop = int(3.0 * scale * 0.25 * (1 if math.sin(turn) <= 0.3 else -1) * abs(math.sin(turn)))
        row = one.ground[k] // FACTOR + drop
        _shine(lit, row, column, max(3, int(4.2 * scale)), max(2, int(1.4 * scale)), 150 if when == "night" else 60)
        nose = one.column[k] // FACTOR + int(2.0 * scale * math.cos(turn))
        _shine(lit, row - int(0.6 * scale), nose, max(2, int(1.0 * scale)), max(2, int(0.8 * scale)), 220)
    return lit


_POOLS: Store[Pixels] = Store(400)


def _shine(lit: Pixels, row: int, column: int, wide: int, high: int, strength: int) -> None:
    def make() -> Pixels:
        y, x = np.ogrid[-high : high + 1, -wide : wide + 1]
        fall = np.clip(1 - (y / (high + 1)) ** 2 - (x / (wide + 1)) ** 2, 0, 1) ** 1.5
        pool: Pixels = np.rint(fall[..., None] * strength * np.array((1.0, 0.95, 0.8))).astype(np.uint8)
        return pool

    pool = _POOLS.get((wide, high, strength), make)
    top, left = max(0, row - high), max(0, column - wide)
    bottom, right = min(SIZE[0], row + high + 1), min(SIZE[1], column + wide + 1)
    if top < bottom and left < right:
        part = lit[top:bottom, left:right]
        inside = pool[top - row + high : bottom - row + high, left - column + wide : right - column + wide]
        part[:] = cv2.add(part, inside)


def _masks(tags: Pixels | None, kinds: list[str]) -> dict[str, Mask]:
    if tags is None:
        return {}
    x, y, wide, high = cv2.boundingRect(tags)
    # To whole pixels of the picture; what is nearer than an anomaly has number 0.
    top, left, bottom, right = y // FACTOR, x // FACTOR, -(-(y + high) // FACTOR), -(-(x + wide) // FACTOR)
    part = tags[top * FACTOR : bottom * FACTOR, left * FACTOR : right * FACTOR]
    masks = {}
    for tag in np.flatnonzero(np.bincount(part.ravel(), minlength=len(kinds) + 1)[1:]) + 1:
        seen = np.where(part == tag, np.uint8(255), np.uint8(0))
        small = np.asarray(cv2.resize(seen, (right - left, bottom - top), interpolation=cv2.INTER_AREA)) > 127
        if int(small.sum()) >= MASK_PIXELS:
            mask = np.zeros(SIZE, bool)
            mask[top:bottom, left:right] = small
            masks[kinds[tag - 1]] = mask
    return masks


def _shrink(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.resize(pixels, (SIZE[1], SIZE[0]), interpolation=cv2.INTER_AREA), dtype=np.uint8)
