"""A fitting after lessons: the line that they leave of held-out video, and weights of `learned` by reviewed anomalies.

What is rare stays what it was. So a frame in which no lesson finds anything has the score that it had, bit for bit; and
all of it follows from the fitting and its lessons, whatever their order, so that one that is forgotten leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.calibrate import Rarities
from oddframe.scoring.calibration import LEARNED_IS_ONLINE, Calibration, SceneNormal
from oddframe.scoring.heldout import HeldOut, columns_of, rarities_of, sums_of
from oddframe.scoring.judged import Judged, Stretch, home_of
from oddframe.scoring.kept import KeptMaps
from oddframe.scoring.lessons import Lessons
from oddframe.scoring.line import draw_line
from oddframe.scoring.lively import as_lively
from oddframe.scoring.promise import HOURS, Promise
from oddframe.scoring.regions import Regions
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.tail import Tail
from oddframe.scoring.weights import fit_weights
from oddframe.settings import ScoreSettings

_MOST_LINES = 100

MOST_CALM = 20_000
"""Normal frames by which weights are fitted, spread over all: neighbours are nearly the same."""


@dataclass(frozen=True)
class Reviewed:
    """An event that people called an alarm: known anomalies, frame by frame.

    Attributes:
        number: of the review. scene: of the calibration by which it was judged.
        values, placed: as of a `Stretch`; without any lesson.
    """

    number: int
    scene: str
    values: Mapping[str, NDArray[np.float32]]
    placed: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(next(iter(self.values.values()), ()))


@dataclass(frozen=True)
class Said:
    """All that people said: lessons of what is normal, and reviewed anomalies; both in the order of their reviews."""

    lessons: Lessons = field(default_factory=Lessons)
    alarms: tuple[Reviewed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lessons or self.alarms)

    def with_alarm(self, alarm: Reviewed) -> Said:
        """With one more alarm, in place of that of the same review."""
        others = [one for one in self.alarms if one.number != alarm.number]
        return replace(self, alarms=tuple(sorted((*others, alarm), key=lambda one: one.number)))

    def without(self, number: int) -> Said:
        """Without what a review said."""
        return Said(self.lessons.without(number), tuple(one for one in self.alarms if one.number != number))

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of all reviews that it holds."""
        lessons = [one.number for one in self.lessons.lessons]
        return tuple(sorted([*lessons, *(one.number for one in self.alarms)]))


@dataclass(frozen=True)
class Fitted:
    """What a fitting was made of.

    Attributes:
        calibration: as it was fitted. judged: on which. score: settings by which.
        maps: of the oddest held-out frames; none of a fitting that was made before there were lessons, whose line no
            lesson lowers. regions: which places count.
    """

    calibration: Calibration
    judged: Judged
    score: ScoreSettings
    maps: KeptMaps = field(default_factory=KeptMaps)
    regions: Regions = field(default_factory=Regions)

    def after(self, said: Said) -> tuple[Calibration, Promise]:
        """The calibration after what people said, and what its line promises.

        Raises:
            MissingExtraError: weights are to be fitted, and scipy is not installed.
        """
        calibration = self.calibration
        if said.lessons:
            line = self.line(said.lessons, self.score.false_alarms_per_hour)
            online = np.concatenate([one.scores for one in self._heldout.after(said.lessons)]).astype(np.float32)
            calibration = replace(calibration, line=line, heldout={**calibration.heldout, "online": online})
        if said.alarms:
            notes = tuple(one for one in calibration.notes if LEARNED_IS_ONLINE not in one)
            calibration = replace(calibration, scenes=self._with_weights(said.alarms), notes=notes)
        return promised(calibration, self.judged, self.score.false_alarms_per_hour * HOURS)

    def promise(self, line: AlarmLine) -> Promise:
        """What another line promises."""
        return Promise.of(replace(self.calibration, line=line), self.judged, line.asked_per_hour * HOURS)

    def line(self, lessons: Lessons, per_hour: float) -> AlarmLine:
        """Where alarms begin after lessons, for a rate of false alarms an hour on held-out video."""
        key = lessons.content, per_hour
        if key not in self._lines:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            self._lines[key] = draw_line(self._heldout.after(lessons), per_hour, AlarmRule.of(self.score))
        return self._lines[key]

    @cached_property
    def _heldout(self) -> HeldOut:
        return HeldOut(self.calibration, self.judged, self.maps, self.regions)

    @cached_property
    def _lines(self) -> dict[tuple[frozenset[str], float], AlarmLine]:
        """What lessons silence, and the rate → the line: a preview, and what comes of it, ask for the same one."""
        return {}

    def _with_weights(self, alarms: Sequence[Reviewed]) -> dict[str, SceneNormal]:
        """Each scene with `learned` by these anomalies and those that were known before."""
        scenes = self.calibration.scenes
        calm = [self._at_home(one) for one in self.judged.of_kind("heldout")]
        known = [(one, self._at_home(one)) for one in self.judged.of_kind("known")]
        odd = [{name: values[one.abnormal] for name, values in rare.items()} for one, rare in known]
        odd += [self._at_home(_as_stretch(one)) for one in alarms]
        step = max(1, sum(len(one["motion"]) for one in calm) // MOST_CALM)
        learned = self.calibration.pooled.fused.learned
        weights = fit_weights(
            {name: np.concatenate([one[name] for one in calm])[::step] for name in calm[0]},
            {name: np.concatenate([one[name] for one in odd]) for name in calm[0]},
            learned.weights if learned.by == "sum" else dict.fromkeys(learned.weights, 1.0),
        )
        fitted = {}
        for scene, normal in scenes.items():
            here, count = self.judged.normal_of(scene)
            learned = replace(normal.fused.learned, weights=weights, by="sum")
            scores = [sums_of(rarities_of(columns_of(one, normal), normal), learned, normal) for one in here]
            learned = replace(learned, tail=Tail.fit(np.concatenate(as_lively(scores, count))))
            fitted[scene] = replace(normal, fused=replace(normal.fused, learned=learned))
        return fitted

    def _at_home(self, stretch: Stretch) -> Rarities:
        scenes = self.calibration.scenes
        normal = scenes[home_of(stretch.scene, scenes)]
        return rarities_of(columns_of(stretch, normal), normal)


def promised(calibration: Calibration, judged: Judged, asked_per_day: float) -> tuple[Calibration, Promise]:
    """The calibration with what its line promises in the note of the line, where that is less than was asked."""
    promise = Promise.of(calibration, judged, asked_per_day)
    line = replace(calibration.line, note="" if promise.kept else promise.in_words())
    return replace(calibration, line=line), promise


def _as_stretch(alarm: Reviewed) -> Stretch:
    frames = np.arange(len(alarm))
    return Stretch(alarm.scene, "known", frames, None, alarm.values, alarm.placed, np.ones(len(alarm), bool))
