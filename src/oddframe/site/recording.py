"""Normal video of cameras that learn, kept piece by piece, while they are watched.

Who wants some says so in the store (`want`); the process that reads the cameras writes it. A piece lies under its final
name once it is whole. What is kept waits until its camera's health is known to have been well all the time: that
somebody covers or turns a camera is noticed some seconds later.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime

from oddframe.cameras.camera import Camera
from oddframe.cameras.clip import Polygon
from oddframe.cameras.settings import HealthSettings
from oddframe.cameras.state import HealthState, now
from oddframe.errors import OddframeError, StorageError
from oddframe.records import FileRecord, Record, read_record, write_record
from oddframe.site.profiles import Profile, profile_at
from oddframe.site.rounds import Rounds
from oddframe.site.schedule import Hours, holds
from oddframe.site.store import Store

_LOG = logging.getLogger(__name__)

FILE = "recording.json"
FOOTAGE = "footage"

_SETTING = "recordings"
_LOOK_EVERY_S = 1.0
_TOLD_EVERY_S = 10.0
_SURE_S = 1.0
"""Beside the time that a camera needs to notice that something is wrong."""
_FULL_LOOK_S = 10.0
"""So often it is found out whether there is room again."""
_GROUP_S = 15.0
"""The longest group of pictures that is waited for."""


class Wanted(Record):
    """What is to be kept of a camera.

    Attributes:
        folder: below the site's; pieces go into its `footage`, in a folder for each scene.
        until: no longer than this; None is until it is wanted no more. hours: in these alone.
        segment_s: length of a piece. every_s: from the begin of one to the begin of the next.
        most_bytes: of all pieces together.
    """

    folder: str
    until: AwareDatetime | None = None
    hours: tuple[Hours, ...] = ()
    segment_s: float
    every_s: float
    most_bytes: int


class Recorded(FileRecord):
    """What `recording.json` holds, beside the pieces.

    Attributes:
        skipped_s: why nothing was kept → for how many seconds. problem: why nothing can be written; "" for nothing.
    """

    skipped_s: Mapping[str, float] = {}
    problem: str = ""


@dataclass(frozen=True)
class Source:
    """A camera that is read, as pieces of it are kept.

    Attributes:
        camera: it. profiles: each has its scene; none for the scene "". private: places that are black in all pieces.
    """

    name: str
    camera: Camera
    profiles: Sequence[Profile]
    private: Sequence[Polygon]


def wanted(store: Store) -> dict[int, Wanted]:
    """Camera's number → what is to be kept of it."""
    return {int(name): Wanted(**one) for name, one in (store.journal.get(_SETTING) or {}).items()}


def want(store: Store, what: Mapping[int, Wanted]) -> None:
    """Have this kept from now on, and nothing else."""
    told = {str(camera): one.to_dict() for camera, one in sorted(what.items())}
    if (store.journal.get(_SETTING) or {}) != told:
        store.journal.set(_SETTING, told)


def keeps_s(wish: Wanted, health: HealthSettings) -> float:
    """Seconds of encoded video that a camera must hold, so that pieces can be cut from them."""
    return noticed_s(health) + wish.segment_s + 2 * _GROUP_S


def noticed_s(health: HealthSettings) -> float:
    """So long after a picture was taken it is known whether all was well with the camera."""
    return _SURE_S + max(health.frozen_s, health.moved_s, health.dark_s, health.blinded_s)


class Recordings:
    """Keeps the pieces that are wanted, in a thread of its own, from `start` to `stop`.

    Args:
        store: of the site. sources: camera's number → it, of those that are read now.
        room: whether the disk has room. machine: of whose cameras, where several share the store.
    """

    def __init__(
        self,
        store: Store,
        sources: Callable[[], Mapping[int, Source]],
        room: Callable[[], bool] = lambda: True,
        *,
        machine: str | None = None,
    ) -> None:
        self._store, self._sources, self._room, self._machine = store, sources, room, machine
        self._held: dict[int, _Recording] = {}
        self._rounds = Rounds("keeping normal video", self.look, _LOOK_EVERY_S)

    def start(self) -> None:
        """Begin to work."""
        self._rounds.start()

    def stop(self) -> None:
        """Keep nothing more."""
        self._rounds.stop()

    def look(self) -> None:
        """Write the pieces that are due.

        Raises:
            StoreError: the store cannot be read.
        """
        wishes, sources = wanted(self._store), self._sources()
        if self._machine is not None:
            mine = self._store.leases.held(self._machine)
            wishes = {camera: wish for camera, wish in wishes.items() if mine.get(camera) is False}
        self._held = {camera: one for camera, one in self._held.items() if camera in wishes}
        for camera, wish in wishes.items():
            held = self._held.get(camera)
            if held is None or held.folder != self._store.folder / wish.folder:
                held = self._held[camera] = _Recording(self._store.folder / wish.folder)
            try:
                held.look(wish, sources.get(camera), self._room())
            except OddframeError as error:
                held.problem(error.in_one_line())
            except Exception as error:  # of one camera: the others go on
                _LOG.exception("video of a camera cannot be kept")
                held.problem(f"an unexpected {type(error).__name__}")


@dataclass
class _Recording:
    """The pieces of one camera."""

    folder: Path
    _skipped: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _camera: Camera | None = None
    _after_s: float = -1.0
    _due_s: float = 0.0
    _problem: str = ""
    _looked_s: float = field(default_factory=time.monotonic)
    _told_s: float = -_TOLD_EVERY_S
    _told: Recorded | None = None

    def __post_init__(self) -> None:
        known = recorded(self.folder)
        self._skipped.update(known.skipped_s)

    def look(self, wish: Wanted, source: Source | None, room: bool) -> None:
        """Write the next piece, if it is due and there."""
        looked_s, self._looked_s = self._looked_s, time.monotonic()
        why = self._why_not(wish, source, room)
        if why:
            self._skipped[why] += self._looked_s - looked_s
            self._tell()
            return
        assert source is not None
        if source.camera is not self._camera:  # another one has another clock
            self._camera, self._after_s, self._due_s = source.camera, -1.0, 0.0
        if self._looked_s >= self._due_s:
            if _size(self.folder / FOOTAGE) < wish.most_bytes:
                self._write(wish, source)
            else:
                self._skipped["there is enough"] += self._looked_s - looked_s
                self._due_s = self._looked_s + _FULL_LOOK_S
        self._tell()

    def problem(self, words: str) -> None:
        """Nothing can be written, and why."""
        self._problem = words
        self._tell()

    def _why_not(self, wish: Wanted, source: Source | None, room: bool) -> str:
        at = now()
        if not room:
            return "the disk is nearly full"
        if wish.until is not None and at >= wish.until:
            return "the time is over"
        if not holds(wish.hours, at):
            return "not at this hour"
        if source is None:
            return "not read"
        health = source.camera.health
        if health.state is not HealthState.ONLINE:
            return str(health.state)
        return ""

    def _write(self, wish: Wanted, source: Source) -> None:
        camera = source.camera
        health = camera.health
        online_s = (now() - health.since).total_seconds()
        began = now()
        place = self.folder / ".next.mp4"
        self._made_folder(self.folder)
        made = camera.segment(
            place,
            after_s=self._after_s,
            online_s=online_s,
            back_s=noticed_s(camera.settings.health),
            seconds=wish.segment_s,
            private=source.private,
        )
        self._after_s = max(self._after_s, made.next_after_s)
        if made.begin_s is None or made.end_s is None:
            return
        if camera.health.state is not HealthState.ONLINE:
            place.unlink(missing_ok=True)
            return
        taken = began - timedelta(seconds=made.newest_s - made.begin_s)
        infrared = bool(camera.infrared)
        scene = profile_at(source.profiles, taken, infrared=infrared).judged_as if source.profiles else ""
        folder = self.folder / FOOTAGE / scene
        self._made_folder(folder)
        place.rename(folder / piece_name(taken, made.end_s - made.begin_s))
        self._problem = ""
        if wish.every_s > wish.segment_s:
            self._due_s = self._looked_s + wish.every_s - wish.segment_s
            self._after_s = max(self._after_s, made.begin_s + wish.every_s)

    @staticmethod
    def _made_folder(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError.of(error, "normal video cannot be kept", folder) from None

    def _tell(self) -> None:
        told = Recorded(skipped_s={why: round(many, 1) for why, many in self._skipped.items()}, problem=self._problem)
        urgent = self._told is None or self._told.problem != told.problem
        if told == self._told or not (urgent or self._looked_s - self._told_s >= _TOLD_EVERY_S):
            return
        self._told_s = self._looked_s
        try:
            self._made_folder(self.folder)
            write_record(self.folder / FILE, told)
            self._told = told
        except OddframeError as error:
            _LOG.warning("%s", error.in_one_line())


def recorded(folder: Path) -> Recorded:
    """What `recording.json` of a folder says; nothing where there is none, or it is damaged: it will be anew."""
    try:
        return read_record(folder / FILE, Recorded, "what was recorded")
    except OddframeError:
        return Recorded()


def piece_name(began: datetime, seconds: float) -> str:
    """The file of a piece.

    >>> from datetime import UTC
    >>> piece_name(datetime(2026, 11, 30, 10, 15, 2, tzinfo=UTC), 20.04)
    '20261130T101502.000Z-20040ms.mp4'
    """
    return f"{began:%Y%m%dT%H%M%S}.{began.microsecond // 1000:03d}Z-{round(1000 * seconds)}ms.mp4"


def _size(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.rglob("*.mp4")) if folder.is_dir() else 0
