"""The process that watches all cameras of a site; `supervisor.Supervisor` starts it.

The opening is an `Opening`; it comes through a pipe, for the URL of a database may hold a password. Addresses of
cameras come from the store. Orders are answered at once: {"do": "status"} with an `EngineStatus`, {"do": "picture",
"asked": an `Asked`, "fresh_s"} with {"picture": a `LivePicture`, or None; "why": ...}. When the pipe ends, because
whoever started it is no more, it ends what lasts and then itself.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from oddframe.cameras.state import Counts, Health
from oddframe.errors import OddframeError
from oddframe.plain import Json
from oddframe.processes.worker import Order, Work, serve
from oddframe.progress import Watcher
from oddframe.records import Record
from oddframe.site.cast import Cast
from oddframe.site.engine import Engine, EngineCounts
from oddframe.site.evidence import EvidenceMaker
from oddframe.site.keeper import Keeper
from oddframe.site.picture_maker import Asked, PictureMaker
from oddframe.site.recording import Recordings
from oddframe.site.remembered import REMEMBERED
from oddframe.site.remembering import Scribe
from oddframe.site.retention import DiskGuard, Retention, retention_of
from oddframe.site.schedule import TIME_ZONE, use_time_zone
from oddframe.site.score_history import ScoreHistory
from oddframe.site.store import Store
from oddframe.site.store.leases import SITE

_LOG = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_TIDY_EVERY_S = 60.0
_ADOPT_EVERY_S, _STILL_S, _FORGOTTEN_S = 3600.0, 900.0, 6 * 3600.0
"""Of several machines: so often files of one that died are looked for, see `Retention.adopt`."""
EVIDENCE = "evidence"
"""The folder of evidence, in that of the site."""
SCORES = "scores"
"""The folder of what cameras scored over the last days, in that of the site."""


class Opening(Record):
    """What the process begins with.

    Attributes:
        url: of the database, where it is not in the site's folder. machine: whose cameras are watched, where several
            share the database.
    """

    folder: str
    url: str | None = None
    backend: str = "auto"
    machine: str | None = None


class CameraStatus(Record):
    """How a camera is.

    Attributes:
        score, scored_at: of its last judged frame. lately: what 50, 90 and 99 of 100 scores of the last thousand frames
            stay below. judged: frames. dropped: pictures that came and were not judged.
        counts: of what was read. doubted: events that were not told of, since they came of the camera: it was moved,
            darkened or blinded just then.
    """

    name: str
    health: Health
    profile: str
    line: float
    score: float | None
    scored_at: datetime | None
    lately: tuple[float, float, float] | None
    alarm: bool
    judged: int
    dropped: dict[str, int]
    doubted: int
    counts: Counts
    notes: tuple[str, ...]


class EngineStatus(Record):
    """How the engine is.

    Attributes:
        waiting: what is yet to be written to the database. lost: what could not be. left_out: what was not, since
            another machine watches the camera now.
        evidence_waiting: pictures and clips that are yet to be made. without_evidence: those given up, by reason.
        disk_full: no evidence is made. trouble: what else is not as it should be → why: "database" (it takes nothing),
            "events" (some were lost), "evidence", "upkeep" (cameras do not follow the store, or nothing is tidied).
        stored_s: from when the frame was taken that began an event until that stood in the store, of the last thousand:
            the median, and what 95 of 100 stay below; None before the first.
    """

    engine: EngineCounts
    cameras: tuple[CameraStatus, ...]
    stored_s: tuple[float, float] | None = None
    waiting: int
    lost: int
    left_out: int = 0
    evidence_waiting: int
    without_evidence: dict[str, int]
    disk_full: bool
    trouble: dict[str, str]


class SiteEngine:
    """Engine, store and evidence of a site together, from `start` to `stop`.

    Args:
        store: joined, with its key. opening: see `Opening`.
    """

    def __init__(self, store: Store, opening: Opening) -> None:
        folder = store.folder / EVIDENCE
        folder.mkdir(exist_ok=True)
        self._store, self._machine = store, opening.machine
        retention = retention_of(store)
        self._guard = DiskGuard(folder, retention.least_free_gb, self._told)
        self._scores = ScoreHistory(store.folder / SCORES)
        self._undone: dict[str, str] = {}
        """Pieces of upkeep that went wrong → why."""
        self._keeper = Keeper(store, machine=opening.machine)
        self._evidence = self._keeper.evidence = EvidenceMaker(folder, self._keeper.made, room=self._guard.room)
        self._engine = Engine(self._keeper)
        self._scribe = Scribe(store.folder / REMEMBERED, int(retention.remembered_mb * 1e6), self._guard.room)
        self._cast = Cast(store, self._engine, backend=opening.backend, scribe=self._scribe, machine=opening.machine)
        self._recordings = Recordings(store, self._cast.sources, self._guard.room, machine=opening.machine)
        self._retention = Retention(store, retention, folder)
        self.pictures = PictureMaker(store, lambda: self._engine.watches, lambda: self._cast.sources())
        self._leaving = frozenset[int]()
        self._adopted_s = -math.inf
        self._stopping = threading.Event()
        self._judging = threading.Thread(target=self._judge, name="judging", daemon=True)
        self._looking = threading.Thread(target=self._look, name="looking after", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        if self._machine is None:
            self._retention.adopt()
        self._cast.look()
        self._keeper.start()
        self._scribe.start()
        self._evidence.start()
        self._judging.start()
        self._looking.start()
        self._recordings.start()

    def stop(self) -> None:
        """End what lasts, write it, and stop."""
        self._stopping.set()
        self.pictures.stop()
        watched = [watch.name for watch in self._engine.watches]
        self._engine.stop()
        self._judging.join()
        for name in watched:
            self._keeper.stopped(name)
        self._keeper.stop()
        self._scribe.stop()
        self._looking.join()
        self._recordings.stop()
        self._cast.close()

    def status(self) -> EngineStatus:
        """How it is."""
        cameras = []
        for watch in self._engine.watches:
            latest = watch.latest
            cameras.append(
                CameraStatus(
                    name=watch.name,
                    health=watch.told,
                    profile=watch.profile,
                    line=watch.line.on,
                    score=None if latest is None else latest.score,
                    scored_at=None if latest is None else latest.at,
                    lately=watch.tally.lately,
                    alarm=latest is not None and latest.alarm,
                    judged=watch.judged,
                    dropped=dict(watch.dropped),
                    doubted=watch.doubted,
                    counts=watch.camera.counts,
                    notes=watch.notes,
                )
            )
        return EngineStatus(
            engine=self._engine.counts,
            cameras=tuple(cameras),
            stored_s=self._keeper.latencies.told,
            waiting=self._keeper.waiting,
            lost=self._keeper.lost,
            left_out=self._keeper.left_out,
            evidence_waiting=self._evidence.waiting,
            without_evidence=dict(self._evidence.skipped),
            disk_full=self._guard.full,
            trouble=self._trouble(),
        )

    def _trouble(self) -> dict[str, str]:
        lost = self._keeper.lost
        found = {
            "database": self._keeper.trouble,
            "events": f"{lost} entries of events, health and evidence could not be kept" if lost else "",
            "evidence": self._evidence.trouble,
            "upkeep": next(iter(self._undone.values()), ""),
        }
        return {subject: why for subject, why in found.items() if why}

    def _judge(self) -> None:
        try:
            self._engine.run()
        except BaseException:
            _LOG.exception("the engine ends")
            logging.shutdown()
            os._exit(1)  # whoever started this process starts another one

    def _look(self) -> None:
        tidied_s = time.monotonic() - _TIDY_EVERY_S
        while not self._stopping.wait(_LOOK_EVERY_S):
            self._try(self._cast.look)
            self._try(self._let_go)
            self._try(self._keep_scores)
            if time.monotonic() - tidied_s >= _TIDY_EVERY_S:
                tidied_s = time.monotonic()
                for upkeep in (self._count, self._settings, self._guard.room, self._tidy):
                    self._try(upkeep)
        self._try(self._keep_scores)
        self._try(self._count)

    def _try(self, upkeep: Callable[[], object]) -> None:
        """Do a piece of upkeep. What goes wrong with one keeps no other from being done, and is tried again."""
        name = upkeep.__name__
        try:
            upkeep()
        except Exception as error:  # a bug here must not leave cameras without anybody who looks after them
            told = error.in_one_line() if isinstance(error, OddframeError) else repr(error)
            if self._undone.get(name) != told:
                _LOG.warning("%s: tried again", told, exc_info=not isinstance(error, OddframeError))
            self._undone[name] = told
        else:
            self._undone.pop(name, None)

    def _keep_scores(self) -> None:
        """Keep what was scored; where the disk takes no more, curves have a gap."""
        numbers = {one.name: one.id for one in self._store.cameras.all()}
        for watch in self._engine.watches:
            if watch.name in numbers:
                self._scores.add(numbers[watch.name], watch.tally.take_peaks())

    def _let_go(self) -> None:
        """Let go of cameras that another machine is to watch, once what there is of them is written."""
        if self._machine is None:
            return
        for number in self._cast.leaving - self._leaving:
            done = partial(self._store.leases.let_go, str(number), self._machine)
            self._engine.then(partial(self._keeper.write, done))
        self._leaving = self._cast.leaving

    def _tidy(self) -> None:
        """Remove what is old; one machine does that for all."""
        if self._machine is not None:
            if self._store.leases.holder(SITE) != self._machine:
                return
            if time.monotonic() - self._adopted_s >= _ADOPT_EVERY_S:
                self._retention.adopt(still_s=_STILL_S, forgotten_s=_FORGOTTEN_S)
                self._adopted_s = time.monotonic()
        self._retention.tidy()
        self._retention.forget()
        self._scores.tidy(datetime.now(UTC).date())

    def _settings(self) -> None:
        """Have the time of day, and evidence as long, as the store says now."""
        use_time_zone(str((self._store.journal.get(TIME_ZONE) or {}).get("name", "")))
        self._retention.settings = retention = retention_of(self._store)
        self._guard.least_free_gb = retention.least_free_gb

    def _count(self) -> None:
        """Keep how long lines have watched."""
        day = datetime.now(UTC).date()
        for watch in self._engine.watches:
            for profile, seconds in watch.tally.take_watched().items():
                asked = watch.line_of(profile).asked_per_hour * 24
                self._store.watched.add(watch.name, profile, seconds, asked, day)

    def _told(self, sentence: str) -> None:
        self._keeper.write(lambda: self._store.journal.log("oddframe", "disk", EVIDENCE, {"note": sentence}))


@contextlib.contextmanager
def begin(opening: Order, _: Watcher) -> Iterator[Work]:
    """Watch until there are no orders any more."""
    told = Opening(**opening)
    with Store.join(Path(told.folder), told.url, secrets=True) as store:
        use_time_zone(str((store.journal.get(TIME_ZONE) or {}).get("name", "")))
        site = SiteEngine(store, told)
        site.start()

        def work(order: Order, _: Watcher) -> Json:
            if order["do"] == "picture":
                picture, why = site.pictures.ask(Asked(**order["asked"]), order["fresh_s"])
                return {"picture": None if picture is None else picture.sent(), "why": why}
            return site.status().to_dict()

        try:
            yield work
        finally:
            site.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager may tell all processes to end
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    serve(begin)
    sys.stdout.flush()
    os._exit(0)  # nothing waits for a thread that hangs
