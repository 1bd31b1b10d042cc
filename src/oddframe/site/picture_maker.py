"""Live pictures of cameras, in the engine's process: made while somebody asks for them, and not else.

Each camera that is looked at has a thread, so that one that hangs keeps nobody else's picture. What is private is black
in all of them.
"""

from __future__ import annotations

import base64
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.clip import Polygon, blackened
from oddframe.cameras.state import Health, HealthState, now
from oddframe.errors import OddframeError, UnknownNameError
from oddframe.plain import Json
from oddframe.records import Record
from oddframe.site.recording import Source
from oddframe.site.shapes import WatchSettings
from oddframe.site.store import Store
from oddframe.site.watch import Watch
from oddframe.video.draw import annotated, fit, jpeg

_LOG = logging.getLogger(__name__)

EVERY_S = 0.5
"""So often at most a picture of a camera is made."""
_ASKED_S = 2.0
"""A kind of picture for which nobody asked for so long is not made any more."""
_LEAVE_S = 15.0
"""A camera for which nobody asked for so long is not looked at any more."""
_TICK_S = 0.05
_READ_SIZE, _READ_FPS = (48, 64), 1.0
"""Of the pictures for a detector, of a camera that has none."""
_QUALITY = 80

Wide = Literal["small", "large"]
"""How large a picture is: for a wall of cameras, or for one of them."""

WIDTHS: dict[Wide, int] = {"small": 320, "large": 1280}
"""Pixels, at most."""


class Asked(Record):
    """A kind of picture. `heat`: with how odd each place is laid over it."""

    camera: str
    heat: bool = False
    wide: Wide = "large"


class LivePicture(Record):
    """A picture of a camera.

    Attributes:
        at: when it was made, UTC. jpeg: a JPEG. score: of the last judged frame; None where none is judged.
        alarm: whether that belongs to an event. heated: whether heat is laid over it.
    """

    at: datetime
    jpeg: bytes
    score: float | None
    alarm: bool
    heated: bool

    def sent(self) -> Json:
        """As plain JSON values, for `received`."""
        return {**self.changed(jpeg=b"").to_dict(), "jpeg": base64.b64encode(self.jpeg).decode("ascii")}

    @classmethod
    def received(cls, plain: Mapping[str, Any]) -> LivePicture:
        """What another process has `sent`."""
        return cls.model_validate({**plain, "jpeg": base64.b64decode(plain["jpeg"])})


class _Looking:
    """A camera that is looked at."""

    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name
        self.asked_s: dict[tuple[bool, Wide], float] = {}
        self.made: dict[tuple[bool, Wide], tuple[float, LivePicture]] = {}
        self.trouble: tuple[float, str] | None = None
        self.camera: Camera | None = None
        """Opened for the pictures alone; None where the engine watches it."""


class PictureMaker:
    """Makes pictures of cameras; for many threads.

    Args:
        store: of the site, with its key. watches: the cameras that are watched now.
        sources: camera's number → it, of those that are read for their video; also where nothing judges them.
    """

    def __init__(
        self,
        store: Store,
        watches: Callable[[], Sequence[Watch]],
        sources: Callable[[], Mapping[int, Source]] = dict,
    ) -> None:
        self._store, self._watches, self._sources = store, watches, sources
        self._looking: dict[int, _Looking] = {}
        self._lock, self._ended = threading.Lock(), threading.Event()

    def ask(self, asked: Asked, fresh_s: float) -> tuple[LivePicture | None, str]:
        """The latest picture; returns at once. Where there is none that is fresh, one is made: ask again.

        Args:
            fresh_s: an older picture is none.

        Returns:
            the picture, or None and why there is none: "" where one is on its way.

        Raises:
            UnknownNameError: there is no such camera. StoreError: the store cannot be read.
        """
        record = self._store.cameras.get(asked.camera)
        if record.removed_at is not None:
            raise UnknownNameError(f"camera '{record.name}' was removed")
        kind, asked_s = (asked.heat, asked.wide), time.monotonic()
        with self._lock:
            looking = self._looking.get(record.id)
            if looking is None:
                looking = self._looking[record.id] = _Looking(record.id, record.name)
                threading.Thread(target=self._look, args=(looking,), name="looking at a camera", daemon=True).start()
            looking.name, looking.asked_s[kind] = record.name, asked_s
            made, trouble = looking.made.get(kind), looking.trouble
        if made is not None and asked_s - made[0] <= fresh_s:
            return made[1], ""
        return None, trouble[1] if trouble is not None and asked_s - trouble[0] <= max(fresh_s, 2 * EVERY_S) else ""

    def stop(self) -> None:
        """Make no more pictures."""
        self._ended.set()

    def _look(self, looking: _Looking) -> None:
        """Make pictures of a camera until nobody asks for any."""
        try:
            made_s = -EVERY_S
            while not self._ended.is_set():
                began_s = time.monotonic()
                with self._lock:
                    latest_s = max(looking.asked_s.values())
                    if began_s - latest_s > _LEAVE_S:
                        del self._looking[looking.number]
                        return
                    wanted = [kind for kind, asked_s in looking.asked_s.items() if began_s - asked_s <= _ASKED_S]
                    due = latest_s > made_s and began_s - made_s >= EVERY_S
                if due:
                    made_s = began_s
                    self._make(looking, wanted)
                self._ended.wait(_TICK_S)
        finally:
            if looking.camera is not None:
                looking.camera.stop()

    def _make(self, looking: _Looking, wanted: Sequence[tuple[bool, Wide]]) -> None:
        try:
            pictures = self._pictures(looking, wanted)
        except OddframeError as error:
            self._keep(looking, {}, error.problem)
        except Exception:  # a bug must not end the looking without a word
            _LOG.exception("a picture of %s cannot be made", looking.name)
            self._keep(looking, {}, "a picture of it cannot be made")
        else:
            self._keep(looking, pictures, "")

    def _keep(self, looking: _Looking, pictures: dict[tuple[bool, Wide], LivePicture], trouble: str) -> None:
        with self._lock:
            done_s = time.monotonic()
            looking.trouble = (done_s, trouble) if trouble else None
            looking.made = {kind: (done_s, picture) for kind, picture in pictures.items()}

    def _pictures(self, looking: _Looking, wanted: Sequence[tuple[bool, Wide]]) -> dict[tuple[bool, Wide], LivePicture]:
        watch = next((one for one in self._watches() if one.name == looking.name), None)
        source = self._sources().get(looking.number)
        if looking.camera is not None and (watch is not None or source is not None):
            looking.camera.stop()
            looking.camera = None
        if watch is not None:
            _refuse_offline(watch.health)
            picture, private = watch.camera.snapshot(), watch.private
        else:
            camera, private = self._opened(looking) if source is None else (source.camera, source.private)
            _refuse_offline(camera.health)
            picture = camera.snapshot()
        found = watch.heat() if watch is not None and any(heat for heat, _ in wanted) else None
        black, latest = blackened(picture, private), None if watch is None else watch.latest
        made = {}
        for heat, wide in wanted:
            small = fit(black, min(WIDTHS[wide], picture.shape[1]))
            if heat and found is not None:
                small = annotated(small, found)
            made[heat, wide] = LivePicture(
                at=now(),
                jpeg=jpeg(small, _QUALITY),
                score=None if latest is None else latest.score,
                alarm=latest is not None and latest.alarm,
                heated=heat and found is not None,
            )
        return made

    def _opened(self, looking: _Looking) -> tuple[Camera, Sequence[Polygon]]:
        """A camera that the engine does not watch, opened to look at it."""
        record = self._store.cameras.get(looking.name)
        settings = WatchSettings.of(record.name, record.settings)
        address = self._store.cameras.address(record.name).get_secret_value()
        if looking.camera is not None and looking.camera.address.reveal() != address:
            looking.camera.stop()
            looking.camera = None
        if looking.camera is None:
            looking.camera = Camera(Address.parse(address), settings.camera, _READ_SIZE, _READ_FPS)
            looking.camera.start()
        return looking.camera, settings.private


def _refuse_offline(health: Health) -> None:
    """What a camera showed before it went away is no live picture."""
    if health.state in (HealthState.OFFLINE, HealthState.OFF):
        raise _NoPictureError(health.reason or f"it is {health.state}")


class _NoPictureError(OddframeError):
    """There is no picture now, and why."""
