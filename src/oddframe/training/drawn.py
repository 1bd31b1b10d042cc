"""Things that nobody filmed, drawn into a scene: what they look like, how large they are there, how they move.

A cyclist, a cart, an animal or a bag is drawn as the synthetic world draws it, at the height that things have at that
row of the picture, and gets the grey levels of what moves in the scene. Only its shape and its manner of moving are
odd then. Nobody knows what is allowed in a scene; so where upright things move in it, drawn walkers are put into
normal clips as well. Otherwise a network would learn to see what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.data.synthetic.actors import Body
from oddframe.data.synthetic.world import SIZE, Camera, Canvas
from oddframe.training.clip_sources import ClipSource, Pixels, Places
from oddframe.training.drawn_things import PERSON_M, THINGS, WALKER, Draws, Thing

SAMPLED_VIDEOS, SAMPLED_FRAMES = 24, 15
"""Videos of a scene, and pictures of each, from which is learned how large things are there."""

_BANDS = 12
_LEAST_AREA, _LEAST_THINGS = 16, 20
_STANDS_OUT = 15.3
"""Grey levels by which a 3x3 neighbourhood differs from the still picture if something is there."""
_UPRIGHT = 1.25
"""Height over width of what moves, at the median, from which on it is taken for people on foot."""
_ALONE = (1.4, 4.0)
"""Height over width of one who walks alone."""
_GAIN = (0.2, 3.0)
"""How much darker and lighter than all of its scene's footage a clip may be taken for, by night and by day."""
_TRIES = 8
_SEEN = 30.0
"""Grey levels by which what is drawn differs from what is behind it, at least; walkers of Ped2 do by 50 in the mean."""
_FACTOR = 2
_AWAY = 24.0
"""Metres from which everything is drawn: far enough that its near and its far side are of one size."""


@dataclass(frozen=True)
class SceneScale:
    """What moves in a scene.

    Attributes:
        feet: (N,) rows of the lowest points of what moved, as a share of the picture's height.
        high, taller: how high things are at the top of the picture, in pixels, and how much more at its bottom: on
            level ground, height rises evenly with the row. least: the lowest height that was seen at any row.
        levels: (256,) quantiles of the grey levels of what moves.
        brightness: mean grey level of the pictures that this was learned from. noise: standard deviation of a still
            pixel, in grey levels.
        upright: whether most of it is higher than wide.
    """

    feet: NDArray[np.float64]
    high: float
    taller: float
    least: float
    levels: NDArray[np.float64]
    brightness: float
    noise: float
    upright: bool

    def height_at(self, row: float) -> float:
        """Pixels that things are high whose lowest point is at this share of the picture's rows."""
        return max(self.high + self.taller * row, self.least)


def learn_scale(videos: Iterable[Pixels]) -> SceneScale | None:
    """Look at what comes and goes in normal video of one scene.

    Args:
        videos: some pictures of each, (N, H, W, C) uint8, N >= 3, apart in time. What differs from their median is
            taken for things.

    Returns:
        None where too little comes and goes.
    """
    feet: list[float] = []
    heights: list[float] = []
    widths: list[float] = []
    levels: list[NDArray[np.float64]] = []
    noises: list[float] = []
    brightness: list[float] = []
    for pixels in videos:
        grey = pixels.mean(axis=3).astype(np.float32)
        ground = np.median(grey, axis=0)
        brightness.append(float(ground.mean()))
        tall, wide = ground.shape
        for picture in grey:
            apart = cv2.blur(np.abs(picture - ground), (3, 3))
            noises.append(1.4826 * float(np.median(np.abs(picture - ground))))
            things = (apart > _STANDS_OUT).astype(np.uint8)
            levels.append(np.quantile(picture[things > 0], np.linspace(0, 1, 256)) if things.any() else np.zeros(0))
            _, _, boxes, _ = cv2.connectedComponentsWithStats(things, connectivity=8)
            for x, y, w, h, area in boxes[1:]:
                inside = x > 0 and y > 0 and x + w < wide and y + h < tall
                if area >= _LEAST_AREA and inside and h < tall / 2:
                    feet.append((y + h) / tall)
                    heights.append(float(h))
                    widths.append(float(w))
    if len(feet) < _LEAST_THINGS:
        return None
    foot, height, aspect = np.array(feet), np.array(heights), np.array(heights) / np.array(widths)
    upright = float(np.median(aspect)) >= _UPRIGHT
    # Groups and shadows are wider than one who walks alone.
    alone = (aspect > _ALONE[0]) & (aspect < _ALONE[1]) if upright else np.ones(len(foot), bool)
    order = np.flatnonzero(alone)[np.argsort(foot[alone], kind="stable")]
    bands = np.array_split(order, min(_BANDS, max(1, len(order) // 5)))
    rows = np.array([np.median(foot[band]) for band in bands])
    sizes = np.array([np.median(height[band]) for band in bands])
    # The median of all slopes between bands: one band of odd things does not turn it (Theil, Sen).
    first, second = np.triu_indices(len(bands), 1)
    apart = rows[second] - rows[first] > 1e-3
    slopes = (sizes[second] - sizes[first])[apart] / (rows[second] - rows[first])[apart]
    taller = max(0.0, float(np.median(slopes))) if len(slopes) else 0.0
    return SceneScale(
        foot[order],
        float(np.median(sizes - taller * rows)),
        taller,
        float(sizes.min()),
        np.mean([one for one in levels if len(one)], axis=0),
        float(np.mean(brightness)),
        float(np.median(noises)),
        upright,
    )


@dataclass(frozen=True)
class _Sprite:
    """A thing in one frame: where it stands, its grey levels and how far it covers each pixel (high, long); `here` is
    where it meets the picture, `there` the same part of the sprite."""

    number: int
    x: float
    y: float
    grey: NDArray[np.uint8]
    cover: NDArray[np.float32]
    here: tuple[slice, slice]
    there: tuple[slice, slice]


class Drawer:
    """Draws into clips of several scenes.

    Args:
        scenes: scene → what comes and goes in it; None where too little does for its sizes to be known.
    """

    def __init__(self, scenes: Mapping[str, SceneScale | None]) -> None:
        self._scenes = scenes

    @classmethod
    def of(cls, sources: Sequence[ClipSource], normal: NDArray[np.int64], seed: int) -> Self:
        """Look at normal clips, rows of (source, first frame), a few videos of each scene."""
        rng = np.random.default_rng(seed)
        sampled: dict[str, list[Pixels]] = {}
        for number in rng.permutation(np.unique(normal[:, 0])):
            source = sources[number]
            videos = sampled.setdefault(source.scene, [])
            frames = normal[normal[:, 0] == number, 1]
            chosen = frames[np.unique(np.linspace(0, len(frames) - 1, SAMPLED_FRAMES).astype(int))]
            if len(videos) < SAMPLED_VIDEOS and len(chosen) >= 3:
                videos.append(np.stack([source.pixels[frame] for frame in chosen]))
        return cls({scene: learn_scale(videos) for scene, videos in sampled.items()})

    def walker(self, rng: np.random.Generator, pixels: Pixels, scene: str, frames: NDArray[np.int64]) -> Pixels:
        """Add a walker where people walk; elsewhere the clip comes back as it was. Arguments as of `draw_into`."""
        scale = self._scenes.get(scene)
        drawn = None if scale is None or not scale.upright else draw_into(rng, pixels, scale, WALKER, frames)
        return pixels if drawn is None else drawn[0]

    def thing(
        self, rng: np.random.Generator, pixels: Pixels, scene: str, frames: NDArray[np.int64]
    ) -> tuple[Pixels, Places] | None:
        """Add one of `THINGS`; None where sizes are unknown, or it does not fit. Arguments as of `draw_into`."""
        scale = self._scenes.get(scene)
        return None if scale is None else draw_into(rng, pixels, scale, THINGS[rng.integers(len(THINGS))], frames)


def draw_into(
    rng: np.random.Generator, pixels: Pixels, scale: SceneScale, thing: Thing, frames: NDArray[np.int64]
) -> tuple[Pixels, Places] | None:
    """Draw a thing into a clip.

    Args:
        pixels: (T, H, W, C) uint8, left as it is. thing: what. frames: (T,) which moments of its way the frames show.

    Returns:
        The clip, and where the thing is in any of its frames (H, W); None where it would be out of the picture.
    """
    count, tall, wide = pixels.shape[:3]
    row = float(scale.feet[rng.integers(len(scale.feet))] + rng.normal(0, 0.02)) * tall
    metre = scale.height_at(row / tall) * float(rng.uniform(0.85, 1.2)) / PERSON_M
    high, long = math.ceil(thing.tall * metre) + 2, math.ceil(thing.long * metre) + 2
    if metre * PERSON_M < 6 or high > tall or long > wide:
        return None
    draw = thing.make(rng)
    heading = float(rng.choice([0.0, math.pi])) + float(rng.normal(0, 0.25))
    pace, slant = float(rng.uniform(*thing.paces)), float(rng.normal(0, 0.12))
    across = float(rng.uniform(0, wide))
    direction = 1 if math.cos(heading) > 0 else -1
    sprites = []
    for number in range(count):
        gone = pace * float(frames[number])
        x = across + direction * (gone - pace * count / 2) * metre
        y = row + slant * (gone - pace * count / 2) * metre
        grey, cover = _sprite(draw, metre, high, long, heading, gone, x % 1.0, y % 1.0)
        inside = _inside(math.floor(x) - long // 2, math.floor(y) - high + 1, cover.shape, (tall, wide))
        if inside is not None:
            sprites.append(_Sprite(number, x, y, grey, cover, *inside))
    table = _levels_of(rng, scale, pixels, sprites)
    if table is None:
        return None
    sharp = float(rng.uniform(0.3, 0.9))
    made, places = pixels.astype(np.float32), np.zeros((tall, wide), bool)
    shadow = float(rng.uniform(0, 0.35))
    for one in sprites:
        alpha = cv2.GaussianBlur(one.cover, (0, 0), sharp)[one.there]
        value = cv2.GaussianBlur(table[one.grey], (0, 0), sharp)[one.there]
        value += rng.normal(0, scale.noise, value.shape).astype(np.float32)
        if shadow > 0.1:
            _shade(made[one.number], one.x, one.y, metre * min(thing.long, 1.6), shadow)
        part = made[one.number][one.here]
        part += (value[:, :, None] - part) * alpha[:, :, None]
        places[one.here] |= alpha > 0.5
    if not places.any():
        return None
    return np.rint(np.clip(made, 0, 255)).astype(np.uint8), places


def _sprite(
    draw: Draws, metre: float, high: int, long: int, heading: float, gone: float, dx: float, dy: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Grey levels (high, long) of a thing as it is drawn, and how far it covers each pixel, 0..1."""
    factor = _FACTOR
    pixels: Pixels = np.zeros((high * factor, long * factor, 3), np.uint8)
    tags: Pixels = np.zeros(pixels.shape[:2], np.uint8)
    camera = Camera(horizon=high - 1 + dy - metre * 2.0, height=2.0, focal=metre * _AWAY)
    canvas = Canvas(camera, pixels, factor)
    canvas.tags, canvas.tag = tags, 255
    middle = (long // 2 + dx - SIZE[1] / 2) / metre
    draw(canvas, Body(middle, _AWAY, heading), gone)
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (long, high), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(tags, (long, high), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    full = np.where(cover > 0.05, np.minimum(grey / np.maximum(cover, 0.05), 255), grey)
    return np.asarray(full, np.uint8), np.asarray(cover, np.float32)


def _levels_of(
    rng: np.random.Generator, scale: SceneScale, pixels: Pixels, sprites: Sequence[_Sprite]
) -> NDArray[np.float32] | None:
    """A table from drawn grey levels to some of those that moving things have here, at this hour; None where the thing
    would hardly be seen: what is not seen teaches that nothing is odd."""
    gain = np.clip(float(pixels[0].mean()) / max(scale.brightness, 1.0), *_GAIN)
    for _ in range(_TRIES):
        low, high = np.sort(rng.uniform(0, 255, 2))
        low, high = min(low, 127.0), max(high, 128.0)
        ranks = np.clip(low + (high - low) * np.arange(256) / 220, 0, 255)
        table: NDArray[np.float32] = np.clip(gain * np.interp(ranks, np.arange(256), scale.levels), 0, 255).astype(
            np.float32
        )
        if _apart(pixels, sprites, table) > _SEEN * gain:
            return table
    return None


def _apart(pixels: Pixels, sprites: Sequence[_Sprite], table: NDArray[np.float32]) -> float:
    """By how many grey levels a thing differs from what is behind it, in the mean over its places."""
    differences = [np.zeros(0)]
    for one in sprites:
        solid = one.cover[one.there] > 0.5
        behind = pixels[one.number][one.here].mean(axis=2)
        differences.append(np.abs(table[one.grey[one.there]] - behind)[solid])
    found = np.concatenate(differences)
    return float(found.mean()) if len(found) else 0.0


def _shade(picture: NDArray[np.float32], x: float, y: float, wide: float, strength: float) -> None:
    """Darken the ground below a thing, softly."""
    tall, across = picture.shape[:2]
    reach = max(2, math.ceil(0.7 * wide))
    top, stop = max(0, math.floor(y) - reach // 2), min(tall, math.ceil(y) + reach // 2 + 1)
    left, end = max(0, math.floor(x) - reach), min(across, math.ceil(x) + reach + 1)
    if top >= stop or left >= end:
        return
    rows, columns = np.mgrid[top:stop, left:end]
    far = ((columns - x) / (0.55 * wide)) ** 2 + ((rows - y) / (0.18 * wide)) ** 2
    picture[top:stop, left:end] *= (1 - strength * np.exp(-far))[:, :, None].astype(np.float32)


def _inside(
    left: int, top: int, shape: tuple[int, ...], picture: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a sprite meets the picture, in the picture and in the sprite."""
    high, long = shape[:2]
    y0, y1 = max(0, top), min(picture[0], top + high)
    x0, x1 = max(0, left), min(picture[1], left + long)
    if y0 >= y1 or x0 >= x1:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
