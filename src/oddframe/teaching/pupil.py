"""One camera's learning, from the first piece of normal video until its detector watches.

collecting → checking → training → exporting → calibrating → live, or failed, or stopped. A pupil only decides and
remembers (`learning.json`); what takes long is a `Job` for somebody else. Whatever ends this process, it goes on where
it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from oddframe.errors import OddframeError, StorageError, TooShortError, WorkerError
from oddframe.progress import Progress
from oddframe.records import write_record
from oddframe.site.learning import Asked, LearnSettings
from oddframe.site.recording import FOOTAGE, Wanted, recorded
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.footage import made, pieces_of, remove
from oddframe.teaching.installing import has_detector, install, install_stand_in, places_of
from oddframe.teaching.pace import Pace
from oddframe.teaching.record import FILE, FOLDER, Learning, Outcome, StandIn, State, learning_folder, read_learning

_LOG = logging.getLogger(__name__)

Step = Literal["recordings", "stand-in", "check", "train", "export", "calibrate"]

_MOST_DEATHS = 5
"""So often the process may die in a row without having got any further."""
_BEGUN_AGAIN = "; it is begun again"
_AGAIN_S = 60.0
"""What failed for want of room on the disk is tried again after this."""
_WRITE_EVERY_S = 2.0
_LOOK_EVERY_S = 2.0
_FIRST_STAND_IN_S = 60.0
"""Of normal video, from which on a stand-in watches; it is fitted anew each time there is four times as much."""
_STAND_IN_GROWTH = 4.0
_MOST_STAND_IN_S = 4800.0
_KEPT_FITTINGS = 2
_SAME_SIZE = 0.9
"""Pieces are spread so that no more than this share of the room is expected to be filled."""

_STEPS: Mapping[State, Step] = {
    State.CHECKING: "check",
    State.TRAINING: "train",
    State.EXPORTING: "export",
    State.CALIBRATING: "calibrate",
}
_NEXT: Mapping[State, State] = {
    State.CHECKING: State.TRAINING,
    State.TRAINING: State.EXPORTING,
    State.EXPORTING: State.CALIBRATING,
    State.CALIBRATING: State.LIVE,
}


@dataclass(frozen=True)
class Job:
    """Something that takes long. `long`: hours, so that others are not to wait for it."""

    step: Step
    opening: Mapping[str, Any]
    log: Path
    long: bool


class Pupil:
    """A camera that learns. For one thread, but `job_moment` and `job_ended`, which may be called from any.

    Args:
        store: of the site. camera: its number. asked: what is to be done.
    """

    def __init__(self, store: Store, camera: int, asked: Asked) -> None:
        self._store, self._camera, self._asked = store, camera, asked
        self.folder = learning_folder(store.folder, camera, asked.number)
        self.learning = self._known()
        self.job: Job | None = None
        self._given: Job | None = None
        self._result: tuple[Job, Outcome | BaseException | None] | None = None
        self._pace = Pace()
        self._written: Learning | None = None
        self._written_s = self._looked_s = -_LOOK_EVERY_S
        self._again_s = 0.0
        self._lacks_stand_in = self.learning.stand_in is None

    @property
    def busy(self) -> bool:
        """Whether somebody works on a job of it."""
        return self._given is not None

    def wanted(self) -> Wanted | None:
        """What is to be kept of the camera's video; None for nothing."""
        learning, how = self.learning, self._asked.how
        if learning.state is not State.COLLECTING or self._asked.videos:
            return None
        return Wanted(
            folder=f"{FOLDER}/{self._camera}/{self._asked.number}",
            hours=how.hours,
            segment_s=how.segment,
            every_s=self._every_s(how),
            most_bytes=int(how.most_gb * 1e9),
        )

    def look(self, name: str, asked: Asked) -> None:
        """Find out what is to be done: afterwards `job` says it.

        Args:
            name: of the camera, now. asked: what is to be done, now.

        Raises:
            StoreError: the store cannot be read.
        """
        self._asked = asked
        if self.learning.camera != name:
            self._change(camera=name)
        self._take_result()
        if asked.stopped and self.learning.state not in (State.STOPPED, State.LIVE):
            self._go(State.STOPPED)
        self._follow_asked(asked)
        self.job = None if self.busy else self._next_job()
        self._write()

    def outdated(self, asked: Asked) -> bool:
        """Whether a job that is worked on is of no use any more."""
        stopped = asked.stopped and self.learning.state not in (State.STOPPED, State.LIVE)
        return stopped or set(asked.left_out) != set(self.learning.left_out)

    def given(self) -> None:
        """The job was given to somebody."""
        self._given = self.job
        if self.learning.problem.endswith(_BEGUN_AGAIN):
            self._change(problem="", hint="")
        self._pace = Pace()

    def job_moment(self, moment: Progress) -> None:
        """How far the job is."""
        self._pace.take(moment)

    def job_ended(self, job: Job, result: Outcome | BaseException | None) -> None:
        """What came of it; None where it was broken off."""
        self._result = job, result

    def _known(self) -> Learning:
        now = utc_now()
        try:
            known = read_learning(self.folder)
        except OddframeError as error:
            _LOG.warning("%s: what is in the folder is found out anew", error.in_one_line())
            known = None
        if known is not None:
            return known
        return Learning(
            number=self._asked.number, camera="", since=now, began_at=self._asked.at, until=self._until(), attempt=1
        )

    def _until(self) -> datetime | None:
        how = self._asked.how
        if self._asked.videos:
            return None
        return how.until_at or self._asked.at + timedelta(seconds=how.collect_for)

    def _follow_asked(self, asked: Asked) -> None:
        """Begin again what is to be begun again."""
        learning = self.learning
        if asked.retries > learning.retries:
            self._change(retries=asked.retries, deaths=0)
            if learning.state is State.FAILED:
                self._go(learning.failed_in or State.COLLECTING)
        if learning.state is State.STOPPED and not asked.stopped:
            self._go(State.COLLECTING)
        if set(asked.left_out) != set(learning.left_out):
            self._change(left_out=asked.left_out, attempt=learning.attempt + 1, deaths=0)
            if learning.state not in (State.COLLECTING, State.STOPPED):
                self._go(State.CHECKING)

    def _next_job(self) -> Job | None:
        if self.learning.state is State.COLLECTING:
            job = self._collect()
            if job is not None or self.learning.state is State.COLLECTING:
                return job
        step = _STEPS.get(self.learning.state)
        if step is None or time.monotonic() < self._again_s:
            return None
        if step == "check" and self._lacks_stand_in:
            self._lacks_stand_in = False  # once: a training does not wait for it
            if not has_detector(self._store, self.learning.camera):
                return self._job("stand-in")
        return self._job(step)

    def _collect(self) -> Job | None:
        if time.monotonic() - self._looked_s < _LOOK_EVERY_S or time.monotonic() < self._again_s:
            return None
        self._looked_s = time.monotonic()
        pieces = pieces_of(self.folder / FOOTAGE, self._asked.left_out)
        skipped = recorded(self.folder)
        how, learning = self._asked.how, self.learning
        seconds = sum(one.seconds for one in pieces)
        wish = (
            {}
            if not skipped.problem
            else {"problem": skipped.problem, "hint": "see to it; collecting goes on by itself"}
        )
        self._change(
            seconds=round(seconds, 1),
            pieces=len(pieces),
            bytes=sum(one.bytes for one in pieces),
            wanted_s=max(how.least_video, min(how.most_video, how.collect_for)),
            skipped_s=dict(skipped.skipped_s),
            until=self._until(),
            **wish,
        )
        if self._asked.videos:
            return self._job("recordings")
        if seconds >= self._stand_in_due_s() and not has_detector(self._store, learning.camera):
            return self._job("stand-in")
        late = learning.until is not None and utc_now() >= learning.until
        if self._asked.collected or (late and seconds >= how.least_video):
            self._go(State.CHECKING)
        elif late:
            lacking = how.least_video - seconds
            self._change(
                problem=f"the time is over, and {lacking / 60:.0f} min of normal video are lacking still",
                hint="it goes on collecting by itself; see why video was passed over, or choose a smaller least_video",
            )
        elif not skipped.problem:
            self._change(problem="", hint="")
        return None

    def _stand_in_due_s(self) -> float:
        known = self.learning.stand_in
        if known is None:
            return min(_FIRST_STAND_IN_S, self._asked.how.least_video)
        due = known.seconds * _STAND_IN_GROWTH
        return due if due <= _MOST_STAND_IN_S else float("inf")

    def _every_s(self, how: LearnSettings) -> float:
        """From piece to piece, so that they are spread over the time, and no more come than there is room for."""
        learning = self.learning
        segment = how.segment
        if learning.until is None:
            return segment
        left_s = max(segment, (learning.until - utc_now()).total_seconds())
        room_s = max(how.most_video, how.least_video) - learning.seconds
        if learning.pieces and learning.bytes:
            rate = learning.bytes / max(learning.seconds, 1.0)
            room_s = min(room_s, (_SAME_SIZE * how.most_gb * 1e9 - learning.bytes) / rate)
        if learning.seconds < 2 * _FIRST_STAND_IN_S or left_s <= segment:
            return segment  # at first as it comes, so that a stand-in soon knows something
        return max(segment, round(left_s * segment / max(room_s, segment)))

    def _job(self, step: Step) -> Job:
        learning = self.learning
        task = {
            "folder": str(self.folder.absolute()),
            "settings": self._asked.settings,
            "attempt": learning.attempt,
            "left_out": list(self._asked.left_out),
            "videos": list(self._asked.videos),
        }
        task |= places_of(self._store, learning.camera).to_dict()
        return Job(step, task, self.folder / "work.log", long=step == "train")

    def _take_result(self) -> None:
        if self._given is not None:
            stage, percent, left_s = self._pace.told()
            if stage:
                self._change(stage=stage, percent=percent, left_s=left_s)
        if self._result is None:
            return
        (job, result), self._result, self._given = self._result, None, None
        if result is None:
            return
        if isinstance(result, BaseException):
            self._went_wrong(job, result)
            return
        self._change(problem="", hint="", deaths=0)
        try:
            self._went_well(job, result)
        except OddframeError as error:
            self._went_wrong(job, error)

    def _went_well(self, job: Job, result: Outcome) -> None:
        learning = self.learning
        if job.step == "recordings":
            pieces = pieces_of(self.folder / FOOTAGE, self._asked.left_out)
            seconds = sum(one.seconds for one in pieces)
            self._change(pieces=len(pieces), seconds=seconds, wanted_s=seconds, bytes=sum(one.bytes for one in pieces))
            self._go(State.CHECKING)
        elif job.step == "stand-in":
            if learning.state in (State.COLLECTING, State.CHECKING):
                stand_in = StandIn(detector=result.detector, fitting=result.fitting, seconds=result.seconds)
                self._lacks_stand_in = False
                install_stand_in(self._store, learning.camera, stand_in, job.opening)
                self._change(stand_in=stand_in, detector=stand_in.detector, fitting=stand_in.fitting)
        elif _STEPS.get(learning.state) == job.step and job.opening["attempt"] == learning.attempt:
            self._change(notes=tuple(dict.fromkeys((*learning.notes, *result.notes))))
            if job.step == "calibrate":
                install(self._store, learning.camera, result, job.opening, self._asked.number)
                self._change(detector=result.detector, fitting=result.fitting, promise=result.promise)
            self._go(_NEXT[learning.state])
            if job.step == "calibrate":
                self._tidy()

    def _went_wrong(self, job: Job, error: BaseException) -> None:
        """What went wrong: what heals by itself is tried again, all else is for a person."""
        learning = self.learning
        if not isinstance(error, OddframeError):
            _LOG.error("learning of %s", learning.camera, exc_info=error)
            error = WorkerError(f"an unexpected {type(error).__name__}: {error}")
        _LOG.warning("%s, %s: %s", learning.camera, job.step, error.in_one_line())
        problem = error.problem if error.seen is None else f"{error.problem} ({error.seen})"
        hint = "" if isinstance(error, WorkerError) else error.hint or ""
        if isinstance(error, StorageError):
            self._again_s = time.monotonic() + _AGAIN_S
            self._change(problem=problem, hint=hint or "free some space; it goes on by itself")
        elif isinstance(error, WorkerError) and learning.deaths + 1 < _MOST_DEATHS:
            self._again_s = time.monotonic() + 2.0**learning.deaths
            deaths = 0 if self._pace.furthered else learning.deaths
            self._change(deaths=deaths + 1, problem=f"{problem}{_BEGUN_AGAIN}", hint=hint)
        elif job.step == "stand-in":
            self._again_s = time.monotonic() + _AGAIN_S
            self._change(problem=f"nothing watches yet: {problem}", hint=hint)
        elif isinstance(error, TooShortError) and not self._asked.videos and job.step in ("check", "train"):
            self._collect_more(problem)
        else:
            self._change(
                failed_in=State.COLLECTING if job.step == "recordings" else learning.state,
                problem=problem,
                hint=hint or f"see {job.log}; then: oddframe site learn SITE {learning.camera} --retry",
            )
            self._go(State.FAILED)

    def _collect_more(self, problem: str) -> None:
        """What was collected is too little: more is collected, as much again as is there."""
        more = utc_now() + timedelta(seconds=max(2 * self._asked.how.segment, self.learning.seconds))
        self._again_s = time.monotonic() + (more - utc_now()).total_seconds()
        self._change(problem=problem, hint="it goes on collecting by itself", attempt=self.learning.attempt + 1)
        self._go(State.COLLECTING)

    def _tidy(self) -> None:
        """Remove what nobody needs once the detector watches. Its footage stays, to learn from it again, and so does
        the detector that watched before, to go back to it."""
        remove(self.folder / "cache")
        used = [
            Path(place).resolve()
            for one in self._store.cameras.fittings(self.learning.camera)[:_KEPT_FITTINGS]
            for place in (one.detector.folder, one.folder)
            if place is not None
        ]

        def in_use(folder: Path) -> bool:
            return any(place.is_relative_to(folder.resolve()) for place in used)

        for folder in self.folder.parent.iterdir():
            if folder != self.folder and not in_use(folder):
                remove(folder)
                continue
            if folder != self.folder:
                for name in (FOOTAGE, "odd", "cache"):
                    remove(folder / name)
            for attempt in folder.glob("attempt-*"):
                if not in_use(attempt):
                    remove(attempt)

    def _go(self, state: State) -> None:
        if state is not self.learning.state:
            self._again_s = 0.0 if state is not State.COLLECTING else self._again_s
            self._change(state=state, since=utc_now(), stage="", percent=None, left_s=None, deaths=0)
            self._store.journal.log("learning", str(state), f"camera {self.learning.camera}", {})
            self._write(at_once=True)

    def _change(self, **changes: Any) -> None:
        if any(self.learning[name] != value for name, value in changes.items()):
            self.learning = self.learning.changed(**changes)

    def _write(self, *, at_once: bool = False) -> None:
        if self.learning == self._written:
            return
        if not at_once and time.monotonic() - self._written_s < _WRITE_EVERY_S:
            return
        self._written_s = time.monotonic()
        try:
            made(self.folder)
            write_record(self.folder / FILE, self.learning, "how the learning stands cannot be written")
        except StorageError as error:
            _LOG.warning("%s", error.in_one_line())
            return
        self._written = self.learning
