"""Teaching now: what people say of an event changes what its camera alarms of, within seconds and without training.

Reviews are the truth, and what a fitting was taught follows from them: `carry_out` makes it so for one event, whatever
was said of it, changed or taken back. `preview` says what that would do before anybody says it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from oddframe.artefact import open_trained
from oddframe.errors import ConflictError, StoreError
from oddframe.processes.cores import usable_cores
from oddframe.scoring.fitting import Fitting
from oddframe.scoring.lessons import Known, Lesson, Lessons, learn
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.taught import Reviewed, Said
from oddframe.scoring.taught_file import FILE as TAUGHT
from oddframe.scoring.teach import teach
from oddframe.site.cast import as_line
from oddframe.site.commands.line import line_of_fitting
from oddframe.site.remembered import REMEMBERED, all_remembered, counts_of, remembered_of
from oddframe.site.store import Store
from oddframe.site.store.records import LineRecord, StoredEvent, Verdict
from oddframe.teaching.lesson_records import Preview, Scope, TaughtLesson
from oddframe.teaching.trial import Lines, Outcome, Trial, Tried, trial_of

_PREVIEWED = 2**62
"""Number of a review that nobody has given yet."""


class Teaching:
    """What the fitting of a camera is taught by the reviews of its events.

    Args:
        store: of the site. camera: its name.

    Raises:
        StoreError: there is no such camera, or it has no fitting of its own. RunError: that is damaged.

    >>> teaching = Teaching(store, "gate")                                                     # doctest: +SKIP
    >>> print(teaching.preview(event, "normal", Scope(reach="narrow")).in_words())             # doctest: +SKIP
    6 of the last 20 events would not have come; none of them were called an alarm
    >>> store.reviews.add(event, "ada", "normal", scope={"reach": "narrow"})                   # doctest: +SKIP
    >>> teaching.carry_out(event)                                                              # doctest: +SKIP
    """

    def __init__(self, store: Store, camera: str) -> None:
        self._store, self.camera = store, store.cameras.get(camera)
        fittings = store.cameras.fittings(camera)
        if not fittings or fittings[0].retired_at is not None:
            raise ConflictError(f"camera '{camera}' has no detector yet, and nothing to teach")
        detector, folder = fittings[0].detector, fittings[0].folder
        if folder is None:
            raise ConflictError(
                f"camera '{camera}' is judged by its detector's own calibration, which may be that of others, too",
                wanted="a fitting of its own, which can be taught",
                hint=f"oddframe calibrate {detector.folder} NORMAL_VIDEO --out FITTING",
            )
        self._folder, self._trained = Path(folder), open_trained(detector.folder)
        self.fitting = Fitting.open(self._folder, self._trained)

    @property
    def said(self) -> Said:
        """What it was taught so far."""
        return Said() if self.fitting.taught is None else self.fitting.taught.said

    def preview(self, event: str, verdict: Verdict, scope: Scope | None = None) -> Preview:
        """What a review of an event would do; nothing is changed.

        Raises:
            StoreError: there is no such event, or its evidence is damaged.
        """
        stored = self._store.events.get(event)
        change = self._change(stored, verdict, scope or Scope(), _PREVIEWED)
        return self._preview(stored.event.id, self._taught_by(stored.event.id), change)

    def preview_forgetting(self, number: int) -> Preview:
        """What it would do to forget what a review taught; nothing is changed."""
        return self._preview("", {number} & {*self.said.numbers}, _Change(None, "it taught nothing"))

    def has_taught(self, event: str) -> bool:
        """Whether a review of an event taught something that is still known, whatever is said now."""
        return bool(self._taught_by(event))

    def carry_out(self, event: str) -> Preview:
        """Have the fitting know of an event what the reviews that hold say of it; return what that does.

        To be called after a review, a change of one, and an undo; again, it does nothing. Who wants something
        forgotten that is said rightly, says it again with `teach: false` in its scope.

        Raises:
            StoreError: there is no such event, or its evidence is damaged.
            MissingExtraError: weights are to be fitted, and scipy is not installed.
        """
        stored = self._store.events.get(event)
        numbers, change = self._taught_by(stored.event.id), self._wanted(stored)
        if change.said is not None and numbers == {change.said.number}:
            return Preview(event=event, does="nothing", note="this was taught already")
        done = self._preview(event, numbers, change)
        if done.does != "nothing":
            self._teach(lambda said: _changed(said, numbers, change))
        return done

    def forget(self, number: int) -> Preview:
        """Forget what a review taught, whatever it says; return what that does.

        Raises:
            StoreError: it taught nothing.
        """
        if number not in self.said.numbers:
            raise ConflictError(f"review {number} has taught camera '{self.camera.name}' nothing")
        done = self.preview_forgetting(number)
        self._teach(lambda said: said.without(number))
        return done

    def lessons(self) -> list[TaughtLesson]:
        """All that it was taught, the latest first."""
        silenced = counts_of(self._store.folder / REMEMBERED, self.camera.id)
        lessons = {one.number: one for one in self.said.lessons.lessons}
        found = []
        for review in self._store.reviews.numbered(self.said.numbers):
            lesson = lessons.get(review.id)
            begin, end = (None, None) if lesson is None or lesson.hours is None else lesson.hours
            picture = self._store.picture(review.event)
            found.append(
                TaughtLesson(
                    number=review.id,
                    does="weights" if lesson is None else "lesson",
                    camera=self.camera.name,
                    event=review.event,
                    author=review.author,
                    at=review.at,
                    note=review.note,
                    reach=None if lesson is None else lesson.reach,
                    begin=begin,
                    end=end,
                    picture=None if picture is None else str(picture.relative_to(self._store.folder)),
                    silenced=None if lesson is None else silenced[review.id],
                )
            )
        return found[::-1]

    # What is wanted ----------------------------------------------------------------------------------------------

    def _taught_by(self, event: str) -> set[int]:
        """Numbers of reviews of an event that taught something that is still known."""
        return {one.id for one in self._store.reviews.history(event)} & {*self.said.numbers}

    def _wanted(self, stored: StoredEvent) -> _Change:
        """What the reviews of an event that hold teach together: they have to agree, and the latest one says how."""
        reviews = sorted(stored.reviews, key=lambda one: one.id)
        if not reviews:
            return _Change(None, "nobody says anything of it")
        if len({one.verdict for one in reviews}) > 1:
            return _Change(None, "those who reviewed it do not agree")
        return self._change(stored, reviews[-1].verdict, Scope.of(reviews[-1].scope), reviews[-1].id)

    def _change(self, stored: StoredEvent, verdict: Verdict, scope: Scope, number: int) -> _Change:
        if verdict == "unsure":
            return _Change(None, "whoever is unsure teaches nothing")
        if not scope.teach:
            return _Change(None, "nothing is to be learned of it")
        event = stored.event
        remembered = remembered_of(self._store.folder / REMEMBERED, self.camera.id, event.id)
        if remembered is None:
            return _Change(None, "it still goes on" if event.lasts else "its evidence is not remembered any more")
        if not self._trial.knows(remembered):
            return _Change(None, "another detector than the one that watches now had seen it")
        if verdict == "alarm":
            return _Change(self._trial.reviewed(remembered, number))
        fitted = self._trial.fitted
        during = (event.start_frame <= remembered.frame) & (remembered.frame < event.end_frame)
        share = fitted.judged.local_share
        lesson = learn(
            number,
            (remembered.raw(place, fitted.regions, share) for place in np.flatnonzero(during).tolist()),
            fitted.calibration.scene(remembered.scene)[0],
            Known.of(fitted.judged, remembered.scene),
            reach=scope.reach,
            hours=None if scope.begin is None or scope.end is None else (scope.begin, scope.end),
        )
        return _Change(lesson, "no single place of it is odd: it is odd as a whole" if lesson is None else "")

    # What comes of it --------------------------------------------------------------------------------------------

    @cached_property
    def _trial(self) -> Trial:
        return trial_of(self.fitting)

    def _preview(self, event: str, numbers: Set[int], change: _Change) -> Preview:
        """What it does to put something in place of what some reviews taught."""
        if change.said is None and not numbers:
            return Preview(event=event, does="nothing", note=change.note)
        if isinstance(change.said, Reviewed) and not numbers & {one.number for one in self.said.lessons.lessons}:
            return Preview(event=event, does="weights")
        before, after = self.said.lessons, _changed(self.said, numbers, change).lessons
        fitted = self._trial.fitted
        lines = {profile: (line, self._line_after(profile, line, after)) for profile, line in self._lines().items()}
        silenced: list[Tried] = []
        back: list[Tried] = []
        outcomes = self._outcomes(before, after, lines)
        for one in outcomes:
            if one.another:
                (back if one.silenced else silenced).append(self._tried(one))
        silenced.sort(key=lambda one: (one.verdict != "alarm", one.began_at))
        promise = fitted.promise(lines[""][1])
        return Preview(
            event=event,
            does="lesson" if isinstance(change.said, Lesson) else "forgets",
            note=change.note,
            remembered=sum(not one.silenced for one in outcomes),
            silenced=tuple(silenced),
            lost=sum(one.verdict == "alarm" for one in silenced),
            back=tuple(back),
            line={profile: (now.on, then.on) for profile, (now, then) in lines.items()},
            promise=promise.in_words(),
        )

    def _outcomes(self, before: Lessons, after: Lessons, lines: Lines) -> list[Outcome]:
        """Of all that is remembered, the oldest first."""
        trial = self._trial

        def tried(path: Path) -> Outcome | None:
            try:
                return trial.outcome(path, before, after, lines)
            except StoreError:
                if path.is_file():
                    raise
                return None  # it was the oldest, and has just gone

        paths = all_remembered(self._store.folder / REMEMBERED, self.camera.id)
        with ThreadPoolExecutor(usable_cores()) as hands:  # unpacking and comparing hold no other thread up
            return [one for one in hands.map(tried, paths) if one is not None]

    def _tried(self, remembered: Outcome) -> Tried:
        verdict = None
        if not remembered.silenced:
            with contextlib.suppress(StoreError):  # it was doubted, and never told of
                verdict = self._store.events.get(remembered.event).verdict
        return Tried(event=remembered.event, began_at=remembered.began_at, verdict=verdict)

    def _lines(self) -> dict[str, AlarmLine]:
        """Profile → its line now; that of "" is the fitting's own where no other was set."""
        kept = {profile: self._kept_line(profile) for profile in ("", *self._store.cameras.profiles(self.camera.name))}
        return {profile: self.fitting.line if line is None else as_line(line) for profile, line in kept.items()}

    def _kept_line(self, profile: str) -> LineRecord | None:
        return self._store.cameras.line(self.camera.name, profile)

    def _line_after(self, profile: str, line: AlarmLine, after: Lessons) -> AlarmLine:
        return self._trial.fitted.line(after, line.asked_per_hour)

    def _teach(self, change: Callable[[Said], Said]) -> None:
        """Teach the fitting, and draw the lines of its profiles anew. Whoever watches sees it within a second."""
        self.fitting = teach(self._folder, self._trained, change)
        for profile in ("", *self._store.cameras.profiles(self.camera.name)):
            kept = self._kept_line(profile)
            if kept is None:
                continue
            drawn = line_of_fitting(self.fitting, kept.asked_per_day).record(kept.camera, profile, kept.author)
            if drawn.changed(since=kept.since) != kept:
                self._store.cameras.set_line(drawn)


def lessons_of(store: Store, camera: str) -> list[TaughtLesson]:
    """All that reviews have taught a camera, the latest first; nothing of one that cannot be taught.

    Raises:
        StoreError: there is no such camera. RunError: its fitting is damaged.
    """
    now = store.cameras.fittings(camera)[:1]
    taught = [one for one in now if one.retired_at is None and one.folder is not None]
    return Teaching(store, camera).lessons() if taught else []


def follow(store: Store, event: str) -> Preview | None:
    """Have what was taught of an event follow what is said of it now; None where nothing was taught.

    Raises:
        StoreError, RunError, MissingExtraError: as `Teaching`, and as `Teaching.carry_out`.
    """
    camera = store.events.get(event).event.camera
    now = [one.folder for one in store.cameras.fittings(camera)[:1] if one.retired_at is None]
    if not any(folder is not None and (Path(folder) / TAUGHT).is_file() for folder in now):
        return None
    teaching = Teaching(store, camera)
    return teaching.carry_out(event) if teaching.has_taught(event) else None


@dataclass(frozen=True)
class _Change:
    """What is to be known; None where nothing is, and why."""

    said: Lesson | Reviewed | None
    note: str = ""


def _changed(said: Said, numbers: Set[int], change: _Change) -> Said:
    for number in numbers:
        said = said.without(number)
    if isinstance(change.said, Lesson):
        return replace(said, lessons=said.lessons.with_one(change.said))
    return said if change.said is None else said.with_alarm(change.said)
