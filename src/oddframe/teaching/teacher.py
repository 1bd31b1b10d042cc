"""Has the cameras of a site learn, beside the engine that watches: `Teacher`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oddframe.files import CACHE_VARIABLE
from oddframe.plain import Json
from oddframe.processes.cores import THREADS_VARIABLE, usable_cores
from oddframe.processes.workers import Workers
from oddframe.progress import Watcher
from oddframe.site.learning import asked_of
from oddframe.site.recording import FOOTAGE, want
from oddframe.site.schedule import TIME_ZONE
from oddframe.site.store import Store
from oddframe.teaching.footage import made, remove
from oddframe.teaching.improving import Improvement, ImproveTask
from oddframe.teaching.looking import Looking, why_failed
from oddframe.teaching.pupil import Job, Pupil
from oddframe.teaching.record import FOLDER, Learning, Outcome

_LOG = logging.getLogger(__name__)

_MODULE = "oddframe.teaching.working.process"
_PATIENCE_S = 6 * 3600.0
"""Cameras come first: where they need all of the processor, a training may stand still for hours."""


class Teacher(Looking):
    """Has cameras learn for as long as it is entered. What it began before goes on.

    Args:
        store: of the site, opened by this process. may: whether this machine is the one that does it.

    >>> with Teacher(store) as teacher:                                                       # doctest: +SKIP
    ...     print(teacher.learnings())
    """

    def __init__(self, store: Store, may: Callable[[], bool] = lambda: True) -> None:
        super().__init__("learning", may)
        self._store = store
        self._pupils: dict[int, Pupil] = {}
        self._seen: frozenset[int] | None = None
        self._wrong: dict[int, tuple[str, str]] = {}
        """Number of a camera that cannot learn → its name, and why."""
        self._hands = {long: _Hand() for long in (False, True)}

    def rest(self) -> None:
        """See `Looking`."""
        for pupil in self._pupils.values():
            self._break_off(pupil)
        self._pupils.clear()
        self._wrong.clear()
        self._seen = None

    def break_off(self) -> None:
        """Have all jobs end; what they have is kept."""
        for hand in self._hands.values():
            hand.stop()

    def join(self) -> None:
        """Wait until they have."""
        for hand in self._hands.values():
            hand.join()

    def learnings(self) -> dict[str, Learning]:
        """Camera → how its learning stands; of those that learn or have learned."""
        return {pupil.learning.camera: pupil.learning for pupil in list(self._pupils.values())}

    def states(self) -> dict[str, str]:
        """Camera → how far its learning is, in a word."""
        return {name: str(one.state) for name, one in self.learnings().items()}

    def problems(self) -> dict[str, str]:
        """What is wrong with learning, of a camera or as a whole → why, and what to do."""
        found = {
            f"learning of {name}": f"{one.problem}{f'; {one.hint}' if one.hint else ''}"
            for name, one in self.learnings().items()
            if one.problem
        }
        found |= {f"learning of {name}": why for name, why in list(self._wrong.values())}
        return found | ({"learning": self.failed} if self.failed else {})

    def look(self) -> None:
        """Do what is due.

        Raises:
            StoreError: the store cannot be read.
        """
        cameras = {one.id: one.name for one in self._store.cameras.all()}
        self._forget_removed(cameras)
        for number in [number for number in self._wrong if number not in cameras]:
            del self._wrong[number]
        for number in [number for number in self._pupils if number not in cameras]:
            self._break_off(self._pupils.pop(number))
        for number, name in cameras.items():
            try:
                self._look_at(number, name)
            except Exception as error:  # of one camera: the others learn on
                wrong = name, why_failed(error)
                if self._wrong.get(number) != wrong:
                    _LOG.exception("%s cannot learn", name)
                self._wrong[number] = wrong
            else:
                self._wrong.pop(number, None)
        wishes = {number: pupil.wanted() for number, pupil in self._pupils.items()}
        want(self._store, {number: wish for number, wish in wishes.items() if wish is not None})
        for pupil in self._pupils.values():
            self._give(pupil)

    def _look_at(self, number: int, name: str) -> None:
        asked = asked_of(self._store, number)
        if asked is None:
            return
        pupil = self._pupils.get(number)
        if pupil is None or pupil.learning.number != asked.number:
            if pupil is not None:
                self._break_off(pupil)
            pupil = self._pupils[number] = Pupil(self._store, number, asked)
        if pupil.busy and pupil.outdated(asked):
            self._break_off(pupil)
        pupil.look(name, asked)

    def _forget_removed(self, cameras: Mapping[int, str]) -> None:
        """Of a camera that was removed no video is kept, but for that of its events."""
        known = frozenset(cameras)
        if known == self._seen:
            return
        self._seen = known
        learning = self._store.folder / FOLDER
        for folder in learning.iterdir() if learning.is_dir() else ():
            if folder.name.isdecimal() and int(folder.name) not in cameras:
                for one in folder.iterdir():
                    for name in (FOOTAGE, "odd", "cache"):
                        remove(one / name)
                    for attempt in one.glob("attempt-*"):
                        remove(attempt / "normal")
                        remove(attempt / "apart")

    def _give(self, pupil: Pupil) -> None:
        if pupil.job is None or pupil.busy:
            return
        if self._hands[pupil.job.long].take(pupil, pupil.job, _environment(pupil.folder), self._opening(pupil.job)):
            pupil.given()

    def _break_off(self, pupil: Pupil) -> None:
        for hand in self._hands.values():
            hand.break_off(pupil)

    def _opening(self, job: Job) -> Json:
        zone = str((self._store.journal.get(TIME_ZONE) or {}).get("name", ""))
        return {**job.opening, "time_zone": zone}


def improved(task: ImproveTask, watch: Watcher, workers: Workers | None = None) -> Improvement:
    """Improve a detector, in a process that gives way to the cameras; it ends with `workers`, where they are given.

    Raises:
        WorkerError: the process died; asked again, it goes on. OddframeError: what is wrong with it.
    """
    made(task.home)
    environment = _environment(task.home)
    with (workers or Workers()).start(
        _MODULE,
        {"improve": task.to_dict()},
        does="improves a detector",
        patience_s=_PATIENCE_S,
        log=task.home / "work.log",
        environment=environment,
    ) as worker:
        told = worker.ask({"do": "improve"}, watch)
    remove(task.home / "cache")
    return Improvement.model_validate(told)


def _environment(folder: Path) -> dict[str, str]:
    """One thread fewer than there are cores; decoded pictures lie in the learning's own folder, and go with it."""
    return {THREADS_VARIABLE: str(max(1, usable_cores() - 1)), CACHE_VARIABLE: str((folder / "cache").absolute())}


class _Hand:
    """Works on one job at a time, in a thread, by a process for each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pupil: Pupil | None = None
        self._workers: Workers | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def take(self, pupil: Pupil, job: Job, environment: Mapping[str, str], opening: Mapping[str, Any]) -> bool:
        """Begin to work on a job; False where there is one already."""
        with self._lock:
            if self._pupil is not None or self._stopped:
                return False
            self._pupil, self._workers = pupil, Workers()
            self._thread = threading.Thread(
                target=self._work,
                args=(self._workers, pupil, job, environment, opening),
                name=f"{job.step} of {pupil.learning.camera}",
                daemon=True,
            )
            self._thread.start()
            return True

    def break_off(self, pupil: Pupil) -> None:
        """Work on a job of this pupil no longer; what it has is kept."""
        with self._lock:
            if self._pupil is pupil and self._workers is not None:
                self._workers.stop()

    def stop(self) -> None:
        """Work on nothing any more."""
        with self._lock:
            self._stopped = True
            if self._workers is not None:
                self._workers.stop()

    def join(self) -> None:
        """Wait until it has stopped."""
        if self._thread is not None:
            self._thread.join()

    def _work(
        self,
        workers: Workers,
        pupil: Pupil,
        job: Job,
        environment: Mapping[str, str],
        opening: Mapping[str, Any],
    ) -> None:
        result: Outcome | BaseException | None
        try:
            Path(opening["folder"]).mkdir(parents=True, exist_ok=True)
            with workers.start(
                _MODULE, opening, does="learns", patience_s=_PATIENCE_S, log=job.log, environment=environment
            ) as worker:
                result = Outcome.model_validate(worker.ask({"do": job.step}, pupil.job_moment))
        except BaseException as error:
            result = None if workers.stopped else error
        with self._lock:
            self._pupil = self._workers = None
        pupil.job_ended(job, result)
