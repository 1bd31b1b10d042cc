"""Improves detectors of a site's cameras where people ask for it, one at a time, beside the engine that watches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from oddframe.errors import OddframeError, WorkerError
from oddframe.processes.workers import Workers
from oddframe.progress import Watcher
from oddframe.records import write_record
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.asking_better import (
    AskedImprovement,
    Improving,
    ImprovingState,
    better_asked_of,
    improving_file,
    read_improving,
)
from oddframe.teaching.footage import made
from oddframe.teaching.improving import Improvement, ImproveTask, gather
from oddframe.teaching.looking import Looking
from oddframe.teaching.pace import Pace
from oddframe.teaching.teacher import improved

_LOG = logging.getLogger(__name__)

_MOST_DEATHS = 3
"""So often the process may die in a row without having got any further."""
_HINT = "begin again: it goes on where it was; work.log in the folder of the learning says more"

Improves = Callable[[ImproveTask, Watcher, Workers], Improvement]


class Improver(Looking):
    """Improves detectors for as long as it is entered. What it began before goes on.

    Args:
        store: of the site, opened by this process. improve: does it, in a process of `Workers`.
        may: whether this machine is the one that does it.

    >>> with Improver(store) as improver:                                                     # doctest: +SKIP
    ...     print(improver.states())
    """

    def __init__(self, store: Store, improve: Improves = improved, may: Callable[[], bool] = lambda: True) -> None:
        super().__init__("improving", may)
        self._store, self._improve = store, improve
        self._told: dict[str, Improving] = {}
        self._work: _Work | None = None

    def rest(self) -> None:
        """See `Looking`."""
        self.join()
        self._work = None
        self._told.clear()

    def join(self) -> None:
        """Have the work end, and wait for it: nobody looks any more, so that it is gone on with at the next start."""
        if self._work is not None:
            self._work.break_off()
            self._work.join()

    def states(self) -> dict[str, str]:
        """Camera → how far the improvement of its detector is, in a word."""
        return {name: str(one.state) for name, one in list(self._told.items())}

    def problems(self) -> dict[str, str]:
        """What is wrong with the improvement of a camera's detector → why, and what to do."""
        found = {
            f"improvement of {name}": f"{one.problem}{f'; {one.hint}' if one.hint else ''}"
            for name, one in list(self._told.items())
            if one.problem
        }
        return found | ({"improving": self.failed} if self.failed else {})

    def look(self) -> None:
        """Do what is due.

        Raises:
            StoreError: the store cannot be read. StorageError: the folder of the site cannot be written.
        """
        cameras = self._store.cameras.all()
        if self._work is not None and self._work.camera not in {one.id for one in cameras}:
            self._work.break_off()
            if self._work.ended:
                self._work = None
        for camera in cameras:
            asked = better_asked_of(self._store, camera.id)
            if asked is None:
                continue
            told = read_improving(self._store.folder, camera.id)
            if told is not None:
                self._told[camera.name] = told
            work = self._work
            if work is not None and work.camera == camera.id:
                self._follow(work, camera.name, asked)
            elif told is None or told.number != asked.number or told.state is ImprovingState.TRAINING:
                self._begin(camera.id, camera.name, asked, told)

    def _begin(self, camera: int, name: str, asked: AskedImprovement, told: Improving | None) -> None:
        goes_on = told is not None and told.number == asked.number
        if asked.stopped:
            self._tell(camera, name, self._at(ImprovingState.STOPPED, asked, told if goes_on else None))
            return
        if self._work is not None:
            return
        now = told if goes_on else None
        if now is None or now.task is None:
            try:
                now = self._at(ImprovingState.TRAINING, asked, now, task=gather(self._store, name))
            except OddframeError as error:
                self._failed(camera, name, self._at(ImprovingState.FAILED, asked, now), error)
                return
        assert now.task is not None
        self._tell(camera, name, now)
        self._work = _Work(camera, now, now.task, self._improve)

    def _follow(self, work: _Work, name: str, asked: AskedImprovement) -> None:
        """Tell how far it is, and what came of it."""
        if asked.stopped or asked.number != work.told.number:
            work.break_off()
        stage, percent, left_s = work.pace.told()
        now = work.told.changed(stage=stage, percent=percent, left_s=left_s)
        if not work.ended:
            if now != work.told:
                work.told = now
                self._tell(work.camera, name, now)
            return
        work.join()
        self._work, result = None, work.result
        if work.broken_off:
            self._tell(work.camera, name, self._at(ImprovingState.STOPPED, asked, now))
        elif isinstance(result, WorkerError) and now.deaths + 1 < _MOST_DEATHS:
            deaths = 0 if work.pace.furthered else now.deaths
            _LOG.warning("%s: %s", name, result.in_one_line())
            self._tell(work.camera, name, now.changed(deaths=deaths + 1))
        elif isinstance(result, BaseException):
            self._failed(work.camera, name, self._at(ImprovingState.FAILED, asked, now), result)
        else:
            self._store.journal.log("learning", "improved", f"camera {name}", {})
            self._tell(work.camera, name, self._at(ImprovingState.MADE, asked, now))

    def _failed(self, camera: int, name: str, now: Improving, error: BaseException) -> None:
        if not isinstance(error, OddframeError):
            _LOG.error("improving the detector of %s", name, exc_info=error)
            error = WorkerError(f"an unexpected {type(error).__name__}: {error}")
        _LOG.warning("%s: %s", name, error.in_one_line())
        problem = error.problem if error.seen is None else f"{error.problem} ({error.seen})"
        self._store.journal.log("learning", "failed to improve", f"camera {name}", {"problem": problem})
        self._tell(camera, name, now.changed(problem=problem, hint=error.hint or _HINT))

    @staticmethod
    def _at(state: ImprovingState, asked: AskedImprovement, told: Improving | None, **more: Any) -> Improving:
        known = told or Improving(number=asked.number, state=state, since=utc_now())
        return known.changed(
            state=state, since=utc_now(), stage="", percent=None, left_s=None, problem="", hint="", deaths=0, **more
        )

    def _tell(self, camera: int, name: str, now: Improving) -> None:
        self._told[name] = now
        path = improving_file(self._store.folder, camera)
        made(path.parent)
        write_record(path, now, "how an improvement stands cannot be written")


class _Work:
    """One improvement, in a thread of its own.

    Attributes:
        camera: its number. told: how it stands. pace: how far it is. result: what came of it, or what went wrong.
    """

    def __init__(self, camera: int, told: Improving, task: ImproveTask, improve: Improves) -> None:
        self.camera, self.told, self.pace = camera, told, Pace()
        self.result: Improvement | BaseException | None = None
        self._workers, self._broken_off = Workers(), False
        self._thread = threading.Thread(
            target=self._run, args=(task, improve), name="improving a detector", daemon=True
        )
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self.result is not None

    @property
    def broken_off(self) -> bool:
        """Whether it was told to end before it had."""
        return self._broken_off and isinstance(self.result, BaseException)

    def break_off(self) -> None:
        """End it; what it has is kept."""
        if not self._broken_off:
            self._broken_off = True
            self._workers.stop()

    def join(self) -> None:
        self._thread.join()

    def _run(self, task: ImproveTask, improve: Improves) -> None:
        try:
            self.result = improve(task, self.pace.take, self._workers)
        except BaseException as error:
            self.result = error
