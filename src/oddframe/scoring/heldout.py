"""What held-out video scores after lessons: of a day it is a million frames, and a lesson changes few of them.

All that does not depend on lessons is computed once. Then only stretches are judged again in which a lesson finds
something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.calibrate import Rarities, Values, by_scene, column
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.fusion import Fusion, of_stretch
from oddframe.scoring.judged import Judged, Stretch, home_of
from oddframe.scoring.kept import KeptMaps
from oddframe.scoring.lessons import Lessons, Mask
from oddframe.scoring.line import Timed
from oddframe.scoring.lively import as_lively
from oddframe.scoring.many import measures_without
from oddframe.scoring.regions import Regions


@dataclass(frozen=True)
class HeldOut:
    """The held-out video of a calibration.

    Attributes:
        calibration: fitted on it. judged: all that it was fitted on. maps: of its oddest frames.
        regions: which places count.
    """

    calibration: Calibration
    judged: Judged
    maps: KeptMaps
    regions: Regions

    def after(self, lessons: Lessons) -> list[Timed]:
        """`online` of each stretch after lessons, on which lines are drawn."""
        timed = [one.timed for one in self._before]
        found = self._found(lessons)
        touched = found.any(axis=(1, 2))
        places = {id(one): place for place, one in enumerate(self._stretches)}
        for number in np.unique(self.maps.stretch[touched]).tolist():
            stretch = self.judged.stretches[number]
            place = places[id(stretch)]
            before = self._before[place]
            online = before.normal.fused.online
            changed = np.flatnonzero(touched & (self.maps.stretch == number))
            rarities = rarities_of(self._columns(stretch, before.normal, changed, found[changed]), before.normal)
            # as much livelier as it was; exactly so where nothing has changed
            moved = sums_of(rarities, online, before.normal) - before.sums + before.moved
            timed[place] = Timed(online.rarity(moved), stretch.time_s, stretch.seconds)
        return timed

    @cached_property
    def _stretches(self) -> list[Stretch]:
        return self.judged.of_kind("heldout")

    @cached_property
    def _before(self) -> list[_Before]:
        """Each stretch without any lesson."""
        groups = by_scene(self._stretches)
        found: dict[int, _Before] = {}
        for scene in groups:
            normal = self.calibration.scenes[scene]
            online = normal.fused.online
            here, count = self.judged.normal_of(scene)
            ends = np.cumsum([len(one) for one in here])
            columns = {
                name: np.concatenate([column(one, name, normal.components) for one in here]) for name in online.weights
            }
            split = {name: np.split(one, ends[:-1]) for name, one in rarities_of(columns, normal).items()}
            sums = [
                sums_of({name: several[place] for name, several in split.items()}, online, normal)
                for place in range(len(here))
            ]
            lively = as_lively(sums, count)[:count]
            scores = np.split(online.rarity(np.concatenate(lively)), ends[: count - 1])
            for stretch, own, moved, score in zip(here, sums, lively, scores, strict=False):
                if home_of(stretch.scene, groups) == scene:
                    found[id(stretch)] = _Before(normal, own, moved, Timed(score, stretch.time_s, stretch.seconds))
        return [found[id(one)] for one in self._stretches]

    def _found(self, lessons: Lessons) -> Mask:
        """(M, h, w) what lessons find in the kept maps; nobody knows at which time of day they were taken."""
        always = Lessons(tuple(one for one in lessons.lessons if one.hours is None))
        if not always or not len(self.maps):
            return np.zeros((len(self.maps), 1, 1), bool)
        return always.found_in(self.maps.levels, [time()] * len(self.maps))

    def _columns(
        self, stretch: Stretch, normal: SceneNormal, kept: NDArray[np.intp], silenced: Mask
    ) -> dict[str, NDArray[np.float32]]:
        """What the tails take of a stretch. kept: which of the kept maps are of it and are changed; silenced: in each
        of them, these places."""
        rows, weights = self.maps.row[kept], normal.fused.online.weights
        levels = {name: one[kept] for name, one in self.maps.levels.items()}
        watched: dict[str, Mask] = {}
        if self.regions:
            watched = {name: self.regions.watched((one.shape[1], one.shape[2])) for name, one in levels.items()}
        values = {name: one[rows] for name, one in stretch.values.items()}
        share = self.judged.local_share
        measures = measures_without(levels, silenced, values, normal.components, weights, watched, share)
        columns = {name: column(stretch, name, normal.components).copy() for name in weights}
        for name, lower in measures.items():
            columns[name][rows] = np.minimum(columns[name][rows], lower)
        return columns


@dataclass(frozen=True)
class _Before:
    """A stretch without any lesson. normal: of its scene. sums: as they are; moved: as they count, see `as_lively`."""

    normal: SceneNormal
    sums: Values
    moved: Values
    timed: Timed


def columns_of(stretch: Stretch, normal: SceneNormal) -> dict[str, NDArray[np.float32]]:
    """Component → (N,), what its tail takes of each frame of a stretch."""
    return {name: column(stretch, name, normal.components) for name in normal.components.tails}


def rarities_of(columns: Mapping[str, NDArray[np.float32]], normal: SceneNormal) -> Rarities:
    """Component → (N,), what its tail says of that."""
    return {name: normal.components.tails[name].rarity(values) for name, values in columns.items()}


def sums_of(rarities: Rarities, fusion: Fusion, normal: SceneNormal) -> Values:
    """(N,) rarities joined, of an unbroken stretch."""
    return of_stretch(rarities, fusion.weights, normal.fused.smoothing, fusion.by)
