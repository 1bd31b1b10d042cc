"""What would have come of events, had their camera been taught otherwise: each is judged again as it was live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime

from oddframe.files import file_digest
from oddframe.records import Record
from oddframe.scoring.alarms import HYSTERESIS, AlarmRule, events
from oddframe.scoring.calibration_file import WORDS
from oddframe.scoring.fitting import Fitting
from oddframe.scoring.lessons import Lesson, Lessons
from oddframe.scoring.many import measures_without
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.sweep import Sweep
from oddframe.scoring.taught import Fitted, Reviewed
from oddframe.scoring.teach import fitted_of
from oddframe.site.remembered import Remembered

_MOST_OUTCOMES = 20_000


class Tried(Record):
    """An event that would have been another matter. verdict: what all who reviewed it say; None of what lessons have
    silenced, and before any review."""

    event: str
    began_at: AwareDatetime
    verdict: str | None


@dataclass(frozen=True)
class Outcome:
    """What would have come of something that is remembered.

    Attributes:
        event: its id. silenced: whether lessons had silenced it, so that it was no event. began_at: when.
        another: whether it would have been the other of both.
    """

    event: str
    silenced: bool
    began_at: datetime
    another: bool


Lines = Mapping[str, tuple[AlarmLine, AlarmLine]]
"""Profile → its line now, and then; "" stands for all that are not there."""


@dataclass(frozen=True)
class Trial:
    """Judges remembered events again.

    Attributes:
        fitted: the fitting, without what it was taught. calibration: a digest of its calibration.
    """

    fitted: Fitted
    calibration: str

    def knows(self, remembered: Remembered) -> bool:
        """Whether it was seen by a detector of the same components: what a stand-in saw cannot be judged by what came
        after it, and teaches it nothing."""
        return set(remembered.values) == set(self.fitted.judged.components)

    def outcome(self, path: Path, before: Lessons, after: Lessons, lines: Lines) -> Outcome | None:
        """What would have come of what is remembered in a file, after other lessons than before; None of what it does
        not know.

        It is not judged again where that was asked before.

        Raises:
            StoreError: the file is missing or damaged.
        """
        differs = Lessons(tuple(differences(before, after)))
        asked = differs.content, after.content, frozenset(lines.items())
        try:
            state = path.stat()
        except OSError:
            state = None
        key = path, None if state is None else (state.st_ino, state.st_mtime_ns, state.st_size), asked
        if key not in self._outcomes:
            if len(self._outcomes) >= _MOST_OUTCOMES:
                self._outcomes.clear()
            remembered = Remembered.load(path)
            known = self.knows(remembered)
            self._outcomes[key] = self._tried(remembered, differs, after, lines) if known else None
        return self._outcomes[key]

    def _tried(self, one: Remembered, differs: Lessons, after: Lessons, lines: Lines) -> Outcome:
        now, then = lines.get(one.profile) or lines[""]
        found = {lesson.content: self._found(one, Lessons((lesson,))) for lesson in differs.lessons}
        touched = any(mask.any() for mask in found.values())
        another = False
        if touched or (one.silenced and then.on < now.on):  # what no lesson touches, comes only where the line is lower
            others = [self._found(one, Lessons((lesson,))) for lesson in after.lessons if lesson.content not in found]
            here = [found[lesson.content] for lesson in after.lessons if lesson.content in found]
            nothing = np.zeros((len(one), 1, 1), bool)
            silenced = np.logical_or.reduce([*here, *others]) if after else nothing
            another = self._raises(one, self._scores(one, silenced), then) == one.silenced
        return Outcome(one.event, one.silenced, one.began_at, another)

    @cached_property
    def _outcomes(self) -> dict[object, Outcome | None]:
        return {}

    def comes(self, remembered: Remembered, lessons: Lessons, line: AlarmLine) -> bool:
        """Whether it would have been an event after these lessons, with this line."""
        return self._raises(remembered, self.scores(remembered, lessons), line)

    def scores(self, remembered: Remembered, lessons: Lessons) -> NDArray[np.float64]:
        """(N,) `online` of each frame after these lessons."""
        return self._scores(remembered, self._found(remembered, lessons))

    def _scores(self, remembered: Remembered, found: NDArray[np.bool_]) -> NDArray[np.float64]:
        fitted, share = self.fitted, self.fitted.judged.local_share
        normal, _ = fitted.calibration.scene(remembered.scene)
        tails, fusion = normal.components.tails, normal.fused.online
        touched = found.any(axis=(1, 2))
        known = remembered.calibration == self.calibration
        nothing = np.zeros(len(remembered))
        measures = {name: (remembered.measures[name] if known else nothing).copy() for name in fusion.weights}
        if not known:  # it was judged by another one than now
            for place in np.flatnonzero(~touched).tolist():
                raw = remembered.raw(place, fitted.regions, share)
                for name, value in normal.components.measures(raw, fusion.weights).items():
                    measures[name][place] = value
        if touched.any():
            levels = {name: one[touched] for name, one in remembered.levels.items()}
            values = {name: one[touched] for name, one in remembered.values.items()}
            watched = self._watched(remembered)
            lower = measures_without(levels, found[touched], values, normal.components, fusion.weights, watched, share)
            for name, one in lower.items():
                measures[name][touched] = one
        rarities = {name: tails[name].rarities_of(one) for name, one in measures.items()}
        cuts = np.flatnonzero(remembered.anew[1:]) + 1
        unbroken = zip(*(np.split(one, cuts) for one in rarities.values()), strict=True)
        sums = [
            fusion.causal(normal.fused.smoothing).of_all(dict(zip(rarities, some, strict=True))) for some in unbroken
        ]
        return fusion.rarities_of(np.concatenate(sums))

    def _watched(self, remembered: Remembered) -> dict[str, NDArray[np.bool_]]:
        regions = self.fitted.regions
        if not regions:
            return {}
        return {name: regions.watched((one.shape[1], one.shape[2])) for name, one in remembered.levels.items()}

    @staticmethod
    def _found(remembered: Remembered, lessons: Lessons) -> NDArray[np.bool_]:
        """(N, h, w) what lessons find; (N, 1, 1) where there are none."""
        if not lessons or not len(remembered):
            return np.zeros((len(remembered), 1, 1), bool)
        hours = [time()] * len(remembered)
        if any(one.hours is not None for one in lessons.lessons):
            hours = [remembered.at(place).astimezone().time() for place in range(len(remembered))]
        return lessons.found_in(remembered.levels, hours)

    def reviewed(self, remembered: Remembered, number: int) -> Reviewed:
        """Its frames at the line or above, as known anomalies of a review."""
        normal, _ = self.fitted.calibration.scene(remembered.scene)
        odd = self.scores(remembered, Lessons()) >= remembered.line
        values = {name: one[odd].astype(np.float32) for name, one in remembered.values.items()}
        placed = {
            name: one[odd].astype(np.float32)
            for name, one in remembered.measures.items()
            if name in normal.components.places
        }
        return Reviewed(number, remembered.scene, values, placed)

    @cached_property
    def _rule(self) -> AlarmRule:
        return replace(AlarmRule.of(self.fitted.score), cool_down_s=0.0)

    def _raises(self, remembered: Remembered, scores: NDArray[np.float64], line: AlarmLine) -> bool:
        """Whether a line raises an event with these scores."""
        # the mean of the first frames lacks those before them, unless a gap was there
        first = 0 if remembered.anew[0] else self.fitted.calibration.pooled.fused.smoothing - 1
        frame, time_s, anew = remembered.frame[first:], remembered.time_s[first:], remembered.anew[first:]
        if not (scores[first:] >= line.on).any():
            return False
        if line.off == line.on * HYSTERESIS:
            return len(Sweep(frame, scores[first:], self._rule, time_s, begins=anew).at(line.on).starts) > 0
        return any(True for _ in events(frame.tolist(), scores[first:], line, self._rule, time_s, begins=anew))


def differences(before: Lessons, after: Lessons) -> list[Lesson]:
    """Lessons that are in one of both alone."""
    there, then = ({one.number: one for one in of.lessons} for of in (before, after))
    return [one for number, one in (there | then).items() if (number in there) != (number in then)]


_held: dict[str, tuple[Fitted, Trial]] = {}


def trial_of(fitting: Fitting) -> Trial:
    """Trial of a fitting, as it is without what it was taught; that of the last one is held, with what it has found.

    Raises:
        RunError: a file of the fitting is damaged.
    """
    fitted, digest = fitted_of(fitting), file_digest(fitting.folder / WORDS)
    held = _held.get(digest)
    if held is None or held[0] is not fitted:
        _held.clear()
        held = _held[digest] = fitted, Trial(fitted, digest)
    return held[1]
