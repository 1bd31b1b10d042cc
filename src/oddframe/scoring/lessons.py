"""What people called normal: a lesson silences its like at its place, before maps are pooled into numbers.

A lesson holds places, looks and a time of day. A look says how odd, how fast and which way something was at one place,
by all local components; what is within a radius of one of them is the like. Where it is found nothing is odd
in that frame, by any local component. A frame in which it is found nowhere stays what it was, bit for bit; and none is
odder than before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.calibration import SceneNormal
from oddframe.scoring.judged import Judged, home_of
from oddframe.scoring.places import PlaceNormal
from oddframe.scoring.pooling import pooled
from oddframe.scoring.rounded import STEP, Levels, restored, rounded
from oddframe.scoring.scores import COMPONENTS, Raw
from oddframe.video.flow import DIRECTIONS

Mask = NDArray[np.bool_]
Looks = NDArray[np.int16]
Scales = Mapping[str, NDArray[np.int16]]
Hours = tuple[time, time]

Reach = Literal["narrow", "middle", "wide"]
"""How far a lesson goes, in looks and in place."""

FINE = 8
"""A look counts deviations in so many parts: whole numbers, so that what is found depends on no order of sums."""

RADIUS: Mapping[Reach, float] = {"narrow": 0.5, "middle": 1.0, "wide": 2.0}
"""How far from a look its like may be, in deviations of normal places: the lab page on teaching has what each costs."""

MARGIN: Mapping[Reach, int] = {"narrow": 0, "middle": 1, "wide": 2}
"""By how many places a lesson reaches beyond those where something odd was seen."""

ODD = 1.0
"""Rarity from which on a place of the frames of an event is part of what was seen: one in ten."""

UNUSUAL = 2.0
"""Deviations from the usual look of a place, by one component at least, from which on a place can be silenced."""

PART = 0.25
"""And at least so much of the rarity of the oddest place in the same frame."""

MOST_LOOKS = 256
_MOST_DEVIATION = 40
_AT_ONCE = 2**18
"""Products that are added up at once: for more, OpenBLAS starts threads, which wait for each other forty times as long
as they work where cameras keep the processor busy."""
_DEFAULT_UNIT = 12.0
"""Levels that count as one where nothing is known of normal places."""


@dataclass(frozen=True)
class Lesson:
    """What one review says is normal.

    Attributes:
        number: of the review. reach: how far it goes, for people. radius: how far from a look its like may be, in
            deviations of normal places. hours: time of day at which it holds, [begin, end), in the
            camera's time; None for any.
        places: (h, w), where it holds. looks: (K, D), what is normal there. usual: (P, D), how each of the places,
            row by row, looked before anybody said anything: what is hardly odder than that needs no lesson.
        units: local component → levels that count as one deviation; D is 1 for each, and 8 for `direction`.
    """

    number: int
    reach: Reach
    radius: float
    hours: Hours | None
    places: Mask
    looks: Looks
    usual: Looks
    units: Mapping[str, float]

    def holds(self, at: time | None) -> bool:
        """Whether it holds at a time of day; one that is unknown is in no hours."""
        if self.hours is None:
            return True
        begin, end = self.hours
        return at is not None and (begin <= at < end if begin <= end else at >= begin or at < end)

    def found(self, levels: Mapping[str, Levels]) -> Mask:
        """(h, w) places of a frame at which its like is."""
        return np.asarray(self.found_in({name: one[None] for name, one in levels.items()})[0], bool)

    def found_in(self, levels: Mapping[str, Levels]) -> Mask:
        """(N, h, w) of N frames at once. levels: local component → (N, h', w') or (N, h', w', 8)."""
        seen = seen_at(levels, self._scales, self.places.shape, self._inside)
        count = len(next(iter(seen.values())))
        unusual = np.zeros((count, len(self._inside[0])), bool)
        for name, one in seen.items():
            above = one > self._usual_levels[name]
            unusual |= above if above.ndim == 2 else above.view(np.uint64)[:, :, 0] != 0  # by any of eight ways
        frames, places = np.nonzero(unusual)
        near = np.empty(len(frames), bool)
        many = max(1, _AT_ONCE // self._columns.size)
        for first in range(0, len(frames), many):
            part = slice(first, first + many)
            here = {name: one[frames[part], places[part]] for name, one in seen.items()}
            looks = looks_of_seen(here, self._scales)
            wide = np.ones((len(looks), looks.shape[1] + 1), np.float32)
            wide[:, :-1] = looks
            # all of them whole numbers, and sums below 2^24: exact, in whatever order they are added
            nearest = (wide @ self._columns).min(axis=1) + np.einsum("kd,kd->k", wide, wide) - 1
            near[part] = nearest <= (FINE * self.radius) ** 2
        found = np.zeros((count, *self.places.shape), bool)
        rows, columns = self._inside
        found[frames[near], rows[places[near]], columns[places[near]]] = True
        return found

    @cached_property
    def content(self) -> str:
        """A digest of all that it silences by, whatever its number."""
        said = repr((self.radius, self.hours, dict(self.units), self.places.shape))
        digest = hashlib.blake2b(said.encode(), digest_size=16)
        for one in (self.places, self.looks, self.usual):
            digest.update(np.ascontiguousarray(one).tobytes())
        return digest.hexdigest()

    @cached_property
    def _scales(self) -> Scales:
        return scales(self.units)

    @cached_property
    def _usual_levels(self) -> dict[str, Levels]:
        """Component → (P,) or (P, 8): the highest level by which a place is not unusual."""
        found, first = {}, 0
        for name, scaled in self._scales.items():
            many = DIRECTIONS if name == "direction" else 1
            wanted = self.usual[:, first : first + many] + int(FINE * UNUSUAL)
            first_unusual = np.searchsorted(scaled, wanted if many > 1 else wanted[:, 0])
            found[name] = np.maximum(first_unusual - 1, 0).astype(np.uint8)
            first += many
        return found

    @cached_property
    def _inside(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        rows, columns = np.nonzero(self.places)
        return rows, columns

    @cached_property
    def _columns(self) -> NDArray[np.float32]:
        """(D + 1, K): with them, a look and a 1 give the squared distance to each of the looks, less its own square."""
        looks = self.looks.astype(np.float32)
        return np.ascontiguousarray(np.vstack([-2 * looks.T, np.einsum("kd,kd->k", looks, looks)]))


@dataclass(frozen=True)
class Lessons:
    """All lessons of a camera, in the order of their reviews."""

    lessons: tuple[Lesson, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lessons)

    @property
    def content(self) -> frozenset[str]:
        """Tells whether others silence the same."""
        return frozenset(one.content for one in self.lessons)

    def with_one(self, lesson: Lesson) -> Lessons:
        """With one more, in place of that of the same review."""
        others = [one for one in self.lessons if one.number != lesson.number]
        return Lessons(tuple(sorted((*others, lesson), key=lambda one: one.number)))

    def without(self, number: int) -> Lessons:
        """Without that of a review."""
        return Lessons(tuple(one for one in self.lessons if one.number != number))

    def applied(self, raw: Raw, at: time | None, share: float) -> Raw:
        """A frame without what lessons silence; the frame itself where nothing is found.

        Args:
            at: time of day, at the camera. share: of places that local components are taken over.
        """
        holding = [one for one in self.lessons if one.holds(at)]
        if not holding:
            return raw
        levels = rounded(raw.maps)
        silenced, taught_by = None, []
        for one in holding:
            if (found := one.found(levels)).any():
                taught_by.append(one.number)
                silenced = found if silenced is None else silenced | resized(found, silenced.shape)
        if silenced is None:
            return raw
        return replace(without(raw, levels, silenced, share), untaught=raw, taught_by=tuple(taught_by))

    def found_in(self, levels: Mapping[str, Levels], hours: Sequence[time]) -> Mask:
        """(N, h, w) where in N frames their like is. hours: when each was taken, at the camera; as of `Lesson`."""
        grid = grid_of({name: one[0] for name, one in levels.items()})
        found = np.zeros((len(hours), *grid), bool)
        for lesson in self.lessons:
            holding = np.flatnonzero([lesson.holds(at) for at in hours])
            if len(holding):
                every = len(holding) == len(hours)
                some = lesson.found_in(levels if every else {name: one[holding] for name, one in levels.items()})
                found[holding] |= resized(some, grid)
        return found


def without(raw: Raw, levels: Mapping[str, Levels], silenced: Mask, share: float) -> Raw:
    """A frame of which nothing is odd at some places. levels: its maps, rounded."""
    maps = {}
    for name, values in levels.items():
        maps[name] = restored(values)
        maps[name][resized(silenced, (values.shape[0], values.shape[1]))] = 0
    return pooled(replace(raw, maps=maps), raw.watched, share)


def learn(
    number: int,
    frames: Iterable[Raw],
    normal: SceneNormal,
    known: Known,
    *,
    reach: Reach,
    hours: Hours | None = None,
) -> Lesson | None:
    """A lesson of the frames of an event that a person called normal; None where no place of them is odd.

    Args:
        number: of the review. frames: of the event, as they were without any lesson. normal: of the scene.
        known: of normal places of the scene.
    """
    units = known.units
    places: Mask | None = None
    looks = []
    for raw in frames:
        raw = raw.untaught or raw
        levels = rounded(raw.maps)
        odd = odd_places(raw, normal)
        places = odd if places is None else places | odd
        looks.append(looks_of(levels, units, odd))
    if places is None or not places.any():
        return None
    wider = grown(places, MARGIN[reach])
    few = thinned(np.concatenate(looks), MOST_LOOKS)
    return Lesson(number, reach, RADIUS[reach], hours, wider, few, known.usual(wider), dict(units))


def odd_places(raw: Raw, normal: SceneNormal) -> Mask:
    """(h, w) places of a frame that are odd by a local component of `online`, also beside its oddest."""
    shape = grid_of(raw.maps)
    names = [name for name in raw.maps if name in normal.fused.online.weights] or ["motion"]
    maps = {name: normal.components.rarity_map(name, raw) for name in names}
    least = max(ODD, max(float(one.max()) for one in maps.values()) * PART)
    odd = np.zeros(shape, bool)
    for one in maps.values():
        odd |= resized(one >= least, shape)
    return odd


@dataclass(frozen=True)
class Known:
    """What is known of normal places of a scene.

    Attributes:
        places: local component → mean and spread of each place; of some, or of none.
        components: local ones that the detector gives.
    """

    places: Mapping[str, PlaceNormal]
    components: tuple[str, ...]

    @classmethod
    def of(cls, judged: Judged, scene: str) -> Known:
        """By the evidence of a fitting."""
        local = tuple(one for one in judged.components if one not in ("psnr", "distance"))
        return cls(judged.places.get(home_of(scene, judged.places), {}), local)

    @cached_property
    def units(self) -> dict[str, float]:
        """Local component → levels that normal places differ by, in the middle of the picture's places."""
        return {
            name: float(np.median(self.places[name].spread)) / STEP if name in self.places else _DEFAULT_UNIT
            for name in COMPONENTS
            if name in self.components
        }

    def usual(self, places: Mask) -> Looks:
        """(P, D): how these places look on the mean; as if nothing ever were, where nothing is known of a component."""
        height, width = places.shape
        levels = {}
        for name in self.units:
            if name in self.places:
                levels[name] = rounded({name: np.exp(self.places[name].mean)})[name]
            else:
                shape = (height, width, DIRECTIONS) if name == "direction" else (height, width)
                levels[name] = np.zeros(shape, np.uint8)
        return looks_of(levels, self.units, places)


def looks_of(levels: Mapping[str, Levels], units: Mapping[str, float], places: Mask) -> Looks:
    """(K, D): how each of some places of a frame looks."""
    rows, columns = np.nonzero(places)
    stacked, scaled = {name: one[None] for name, one in levels.items()}, scales(units)
    seen = seen_at(stacked, scaled, places.shape, (rows, columns))
    return looks_of_seen({name: one[0] for name, one in seen.items()}, scaled)


def seen_at(
    levels: Mapping[str, Levels],
    scaled: Scales,
    shape: tuple[int, ...],
    inside: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> dict[str, Levels]:
    """Local component → (N, K) or (N, K, 8): its levels at some places of N frames. shape: of the map in which the
    places are counted."""
    found = {}
    for name in scaled:
        if name in levels:
            one = levels[name]
            rows, across = (_nearest(one.shape[1 + axis], shape[axis])[inside[axis]] for axis in (0, 1))
            flat = one.reshape(len(one), -1, *one.shape[3:])
            found[name] = np.take(flat, rows * one.shape[2] + across, axis=1)
    return found


def looks_of_seen(seen: Mapping[str, Levels], scaled: Scales) -> Looks:
    """(K, D): looks of K places. seen: local component → (K,) or (K, 8), its levels there."""
    looks = [scaled[name][one] for name, one in seen.items()]
    return np.concatenate([one if one.ndim == 2 else one[:, None] for one in looks], axis=1)


def scales(units: Mapping[str, float]) -> Scales:
    """Local component → (256,): what each level is in a look, in parts of a deviation. In the order of columns."""
    found = {}
    for name in COMPONENTS:
        if name in units:
            unit = units[name] / FINE * (DIRECTIONS**0.5 if name == "direction" else 1)
            found[name] = np.minimum(np.rint(np.arange(256) / unit), _MOST_DEVIATION * FINE).astype(np.int16)
    return found


def thinned(looks: Looks, most: int) -> Looks:
    """So many looks at most, as far from each other as can be: each of the others is near one of them."""
    distinct = np.unique(looks, axis=0)
    if len(distinct) <= most:
        return np.asarray(distinct, np.int16)
    wide = distinct.astype(np.float32)
    chosen, nearest, coming = [], np.full(len(wide), np.inf, np.float32), int(np.argmax(wide.sum(axis=1)))
    for _ in range(most):
        chosen.append(coming)
        away = wide - wide[coming]
        nearest = np.minimum(nearest, np.einsum("kd,kd->k", away, away))
        coming = int(np.argmax(nearest))
    return np.asarray(distinct[np.sort(chosen)], np.int16)


def grid_of(maps: Mapping[str, NDArray[np.generic]]) -> tuple[int, int]:
    """The places that lessons speak of: those of the first local component."""
    first = next(maps[name] for name in COMPONENTS if name in maps)
    return first.shape[0], first.shape[1]


def resized(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """A mask of places, or several, (..., h, w), for a map of another shape (h', w'), each place as the nearest one."""
    if mask.shape[-2:] == shape:
        return mask
    rows, columns = (_nearest(mask.shape[axis], shape[axis]) for axis in (-2, -1))
    return np.asarray(mask[..., rows[:, None], columns], bool)


def grown(mask: Mask, places: int) -> Mask:
    """A mask with so many places around it, each way."""
    square = np.ones((2 * places + 1, 2 * places + 1), np.uint8)
    return cv2.dilate(mask.astype(np.uint8), square).astype(bool)


def _nearest(there: int, wanted: int) -> NDArray[np.intp]:
    """Along one axis, which of `there` places is the nearest one to each of `wanted`."""
    return (2 * np.arange(wanted) + 1) * there // (2 * wanted)
