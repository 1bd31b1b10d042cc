"""A camera, from the side of whoever wants its pictures: `Camera`."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from oddframe.cameras.address import Address
from oddframe.cameras.backoff import Backoff
from oddframe.cameras.clip import Clip, Polygon
from oddframe.cameras.process import Opening
from oddframe.cameras.ring import Ring, Shot, memory
from oddframe.cameras.segment import Segment
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import Cause, Counts, Health, HealthState, Status, StreamInfo, now
from oddframe.errors import CameraError, OddframeError
from oddframe.plain import Json
from oddframe.processes.cores import THREADS_VARIABLE
from oddframe.processes.workers import Worker, Workers
from oddframe.video.picture import Resize

_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.25
_SLACK_S = 10.0
_ORDER_PATIENCE_S = 60.0
_DIRECT = {"http_proxy": "", "https_proxy": "", "HTTP_PROXY": "", "HTTPS_PROXY": "", "all_proxy": "", "ALL_PROXY": ""}
"""A camera's password is sent to the camera, and to no proxy."""


class Camera:
    """A camera that is read by a process of its own, from `start` to `stop`. Use it in a `with`, or call these.

    Nothing that a camera does raises an error here: what is wrong stands in `health`. All may be called from any
    thread.

    Args:
        address: where it is. settings: patience, health, what is kept.
        size: (height, width) of the pictures. fps: rate of the pictures; None gives all of them.
        channels: 1 or 3. resize: see `as_picture`.
        view: file in which is kept where the camera looks, so that one that was moved while nobody read it is noticed.
    """

    def __init__(
        self,
        address: Address,
        settings: CameraSettings,
        size: tuple[int, int],
        fps: float | None,
        *,
        channels: int = 3,
        resize: Resize = "area",
        view: Path | None = None,
    ) -> None:
        self.address, self.settings, self._view = address, settings, view
        self._size, self._fps, self._channels, self._resize = size, fps, channels, resize
        self._lock, self._asking, self._stopping = threading.Lock(), threading.Lock(), threading.Event()
        self._ring: Ring | None = None
        self._picture = -1
        self._keeper: threading.Thread | None = None
        self._worker: Worker | None = None
        self._health = Health(state=HealthState.OFF, since=now())
        self._trouble: Health | None = None
        self._before, self._restarted, self._late = Counts(), 0, 0
        self._began_s = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to read. Returns at once; `health` tells how it goes. Does nothing where it has begun."""
        with self._lock:
            if self._keeper is not None:
                return
            self._ring = Ring(self._size, self._channels, self.settings.hold_pictures)
            self._picture = memory(0)
            self._began_s = time.monotonic()
            self._before, self._restarted, self._late = Counts(), 0, 0
            self._health, self._trouble = Health(state=HealthState.STARTING, since=now()), None
            self._stopping.clear()
            self._keeper = threading.Thread(target=self._keep, name="keeping a camera", daemon=True)
            self._keeper.start()

    def stop(self) -> None:
        """End reading, and wait until the process is gone. Pictures that were not taken are lost."""
        self._stopping.set()
        if self._keeper is not None:
            self._keeper.join()
        with self._lock, self._asking:
            if self._ring is not None:
                self._before = self._counts()
                self._ring.close()
                os.close(self._picture)
                self._ring, self._keeper = None, None
                self._health, self._trouble = Health(state=HealthState.OFF, since=now()), None

    def pictures(self) -> list[Shot]:
        """Take the pictures that came since the last call, oldest first; does not wait for any."""
        with self._lock:
            if self._ring is None:
                return []
            shots, lost = self._ring.take()
            self._late += lost
            return shots

    @property
    def health(self) -> Health:
        """Its state, since when, and why."""
        with self._lock:
            if self._ring is None:
                return self._health
            status = self._status()
            if status is None or (self._trouble is not None and status.health.state is HealthState.STARTING):
                return self._trouble or self._health
            return status.health

    @property
    def counts(self) -> Counts:
        """What has been counted since `start`."""
        with self._lock:
            return self._before if self._ring is None else self._counts()

    @property
    def stream(self) -> StreamInfo | None:
        """What it sends; None before the first picture."""
        with self._lock:
            status = self._status()
            return None if status is None else status.stream

    @property
    def infrared(self) -> bool | None:
        """Whether the last picture had no colour, as at night; None before the first."""
        with self._lock:
            status = self._status()
            return None if status is None else status.infrared

    def snapshot(self, at_s: float | None = None) -> NDArray[np.uint8]:
        """A picture, (H, W, 1) or (H, W, 3) RGB uint8, as large as the camera sends it.

        Args:
            at_s: on the clock of `Shot.time_s`, within the last `keep_s` seconds: the picture of about then. The last
                one without it, and where nothing is kept of that time.

        Raises:
            CameraError: there is none yet. WorkerError: the camera's process ended meanwhile.
        """
        with self._asking:
            done = self._ask({"do": "snapshot", "at_s": at_s})
            shape = tuple(int(side) for side in done["shape"])
            content = bytearray(int(np.prod(shape)))
            view, at = memoryview(content), 0
            while at < len(content):
                if not (read := os.preadv(self._picture, [view[at:]], at)):
                    raise CameraError("the last picture of this camera is gone", cause=Cause.PROCESS)
                at += read
            os.ftruncate(self._picture, 0)
        return np.frombuffer(content, np.uint8).reshape(shape)

    def clip(self, begin_s: float, end_s: float, path: Path, private: Sequence[Polygon] = ()) -> Clip:
        """Write what was seen in a stretch of the last `keep_s` seconds as an mp4 that browsers play.

        What a browser plays is not encoded anew; the clip then begins at the key frame before.

        Args:
            begin_s, end_s: on the clock of `Shot.time_s`. path: it appears whole or not at all.
            private: places that are black in it; the clip is then always encoded anew.

        Raises:
            CameraError: nothing is kept of that time, or the camera is not being read. StorageError: the file cannot be
                written. WorkerError: the camera's process ended meanwhile.
        """
        corners = [[(float(x), float(y)) for x, y in polygon] for polygon in private]
        with self._asking:
            done = self._ask(
                {"do": "clip", "begin_s": begin_s, "end_s": end_s, "path": str(path.absolute()), "private": corners}
            )
        return Clip(**done)

    def segment(
        self,
        path: Path,
        *,
        after_s: float,
        online_s: float,
        back_s: float,
        seconds: float,
        private: Sequence[Polygon] = (),
    ) -> Segment:
        """Write the next segment of what was seen, where there is one; see `write_segment`.

        Args:
            after_s: on the clock of `Shot.time_s`. online_s: nothing that came longer ago than this is in it.

        Raises:
            CameraError: the camera is not being read. StorageError: the file cannot be written. WorkerError: the
                camera's process ended meanwhile.
        """
        corners = [[(float(x), float(y)) for x, y in polygon] for polygon in private]
        order: Json = {
            "after_s": after_s,
            "online_s": online_s,
            "back_s": back_s,
            "seconds": seconds,
            "private": corners,
        }
        with self._asking:
            done = self._ask({"do": "segment", "path": str(path.absolute()), **order})
        return Segment(**done)

    def accept_view(self) -> None:
        """Say that a camera that was moved looks where it shall: what it shows now is its still background from now on.

        Raises:
            CameraError: it is not being read. WorkerError: its process ended meanwhile.
        """
        with self._asking:
            self._ask({"do": "accept view"})

    def _ask(self, order: Json) -> Any:
        worker = self._worker
        if worker is None:
            raise CameraError(
                "this camera is not being read", cause=Cause.PROCESS, hint="start it, or ask again in a moment"
            )
        return worker.ask(order, patience_s=_ORDER_PATIENCE_S)

    def _keep(self) -> None:
        """Start the process, watch over it, and start it again where it ends, until `stop`."""
        pauses = Backoff(self.settings.reopen_first_s, self.settings.reopen_most_s, random.Random().random)
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._trouble_of(self._run())
            except OddframeError as error:
                self._trouble_of(self.address.scrub(error.in_one_line()))
            except Exception as error:  # no memory for a process, or a bug: the camera is read again all the same
                self._trouble_of(self.address.scrub(f"it cannot be read: {error!r}"))
                _LOG.error("%s", self.address.scrub(traceback.format_exc()))
            if self._stopping.is_set():
                return
            _LOG.warning("%s: %s", self.address, self._trouble.reason if self._trouble else "its process ended")
            if time.monotonic() - began_s > self.settings.reopen_most_s:
                pauses.reset()
            self._stopping.wait(pauses.next())

    def _run(self) -> str:
        """Run the process to its end, and say how that came."""
        ring = self._ring
        if ring is None:
            return ""
        number, time_s = ring.last()
        opening = Opening(
            address=self.address.reveal(),
            settings=self.settings,
            view=None if self._view is None else str(self._view.absolute()),
            size=self._size,
            channels=self._channels,
            resize=self._resize,
            fps=self._fps,
            ring=ring.handle,
            picture=self._picture,
            began_s=self._began_s,
            start_s=time_s,
            start_number=number,
        )
        with Workers().start(
            "oddframe.cameras.process",
            opening.to_dict(),
            does="reads a camera",
            environment={THREADS_VARIABLE: "1", **_DIRECT},
            handles=(ring.handle, self._picture),
        ) as worker:
            self._worker = worker
            try:
                return self._watch(worker, ring)
            finally:
                self._worker = None
                with self._lock:
                    self._before = self._counts()
                    ring.status = b""

    def _watch(self, worker: Worker, ring: Ring) -> str:
        """Wait until the process ends, or hangs and is ended. Looks are counted, not seconds, since computers sleep."""
        settings = self.settings
        most = int((2 * settings.open_timeout_s + settings.read_timeout_s + _SLACK_S) / _LOOK_EVERY_S)
        beats, silent = ring.beats, 0
        while not self._stopping.wait(_LOOK_EVERY_S):
            if worker.ended:
                said = self.address.scrub(worker.said())
                return f"the process that reads this camera ended: {said or 'it said nothing'}"
            if ring.beats != beats:
                beats, silent = ring.beats, 0
                continue
            silent += 1
            if silent > most and self.health.state is not HealthState.OFF:
                worker.kill()
                return "the decoder made no progress, and its process was ended"
        return ""

    def _trouble_of(self, reason: str) -> None:
        with self._lock:
            if reason:
                self._restarted += 1
                self._trouble = Health(state=HealthState.OFFLINE, since=now(), reason=reason, cause=Cause.PROCESS)

    def _status(self) -> Status | None:
        content = self._ring.status if self._ring is not None else b""
        return Status.model_validate_json(content) if content else None

    def _counts(self) -> Counts:
        """The caller holds the lock."""
        status, before = self._status(), self._before
        told = Counts() if status is None else status.counts
        dropped = {
            name: before.dropped.get(name, 0) + told.dropped.get(name, 0) for name in (*before.dropped, *told.dropped)
        }
        return Counts(
            received=before.received + told.received,
            decoded=before.decoded + told.decoded,
            given=before.given + told.given,
            opened=before.opened + told.opened,
            dropped=dropped | ({"late": self._late} if self._late else {}),
            restarted=self._restarted,
        )
