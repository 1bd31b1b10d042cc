"""One camera, watched in the calling process: no database, no other service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import Cause, Counts, Health, HealthState
from oddframe.errors import CameraError
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine
from oddframe.site.engine import Engine
from oddframe.site.profiles import Profile
from oddframe.site.recorder import Recorder
from oddframe.site.watch import Latest, Watch

_LOOK_EVERY_S = 0.1
_FIRST_PICTURE_S = 30.0
"""A reader says within ten seconds what is wrong with an address. This is for one that says nothing at all. A folder
may wait for its first picture."""


@dataclass(frozen=True)
class LiveStatus:
    """How a camera is watched now.

    Attributes:
        health: of the camera. latest: of its last judged frame. counts: of the camera.
        judged: frames. dropped: pictures that came and were not judged, or were lost, by reason.
    """

    health: Health
    latest: Latest | None
    counts: Counts
    judged: int
    dropped: dict[str, int]


class Live:
    """A camera that is watched from entering a `with` to leaving it; what lasts is ended there.

    Args:
        address: of the camera. scorer: of the detector. recorder: told of events and of the camera's health.
        name: of the camera; `name_of` its address, if not given. scene: as which of the trained scenes it is judged.
    """

    def __init__(
        self,
        address: Address,
        scorer: Scorer,
        recorder: Recorder,
        *,
        name: str | None = None,
        scene: str = "",
        settings: CameraSettings | None = None,
    ) -> None:
        self.name = name or name_of(address)
        runtime, trained = scorer.runtime, scorer.run.settings
        self._camera = Camera(
            address,
            settings or CameraSettings(),
            runtime.size,
            scorer.rate(scene).fps,
            channels=runtime.channels,
            resize=trained.data.resize,
        )
        self._address = address
        self._watch = Watch(self.name, self._camera, scorer, profiles=(Profile(scene=scene),))
        self._engine = Engine(recorder)
        self._engine.add(self._watch)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="judging", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.stop()
        self._thread.join()

    @property
    def status(self) -> LiveStatus:
        """How it goes now."""
        counts = self._camera.counts
        return LiveStatus(
            self._watch.health,
            self._watch.latest,
            counts,
            self._watch.judged,
            {name: many for name, many in (counts.dropped | self._watch.dropped).items() if many},
        )

    @property
    def line(self) -> AlarmLine:
        """Where alarms begin."""
        return self._watch.line

    @property
    def notes(self) -> tuple[str, ...]:
        """What its owner must know; see `Watch`."""
        return self._watch.notes

    def follow(self, told: Callable[[LiveStatus], None], for_s: float | None = None) -> None:
        """Watch until the camera has come to its end, or for so many seconds since its first picture.

        Args:
            told: how it goes, some ten times a second.

        Raises:
            CameraError: the camera gave no picture at first, and why. Once it has given one, it is waited for for ever.
        """
        began_s = time.monotonic()
        first_s: float | None = None
        while for_s is None or first_s is None or time.monotonic() - first_s < for_s:
            if self._error is not None:
                raise self._error
            status = self.status
            told(status)
            if status.health.state is HealthState.OFF and status.health.cause is Cause.ENDED:
                return
            if first_s is None and status.counts.decoded:
                first_s = time.monotonic()
            if first_s is None:
                self._refuse_silence(status.health, time.monotonic() - began_s)
            time.sleep(_LOOK_EVERY_S)

    def _refuse_silence(self, health: Health, waited_s: float) -> None:
        if health.state is HealthState.OFFLINE:
            raise CameraError(
                f"{self._address} gives no picture",
                cause=health.cause or Cause.OTHER,
                seen=health.reason or "it is offline",
            )
        if waited_s > _FIRST_PICTURE_S and self._address.kind != "folder":
            raise CameraError(
                f"{self._address} gave no picture for {_FIRST_PICTURE_S:g} s",
                cause=Cause.SILENT,
                wanted="a camera that sends video",
                hint="try the address in a video player",
            )

    def _run(self) -> None:
        try:
            self._engine.run()
        except BaseException as error:
            self._error = error


def name_of(address: Address) -> str:
    """What a camera is called whom nobody gave a name: its host, its file, its number.

    >>> name_of(Address.parse("rtsp://me:secret@10.0.0.2/live")), name_of(Address.parse("0"))
    ('10.0.0.2', 'usb0')
    """
    parts = address.open_parts
    if parts.device is not None:
        return f"usb{parts.device}"
    if parts.path is not None:
        return Path(parts.path).stem or "camera"
    return parts.host
