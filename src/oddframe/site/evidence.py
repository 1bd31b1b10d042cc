"""Evidence of events: a picture, the same with heat, a clip. It is made beside the engine, so that no frame waits.

Every file is written beside its place and renamed: under its name there is a whole file or none.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from oddframe.cameras.clip import blackened
from oddframe.detectors.settings import Strict
from oddframe.errors import OddframeError, StorageError
from oddframe.files import write_bytes
from oddframe.site.events import CameraEvent, Change
from oddframe.site.watch import Watch
from oddframe.video.draw import annotated, jpeg

_LOG = logging.getLogger(__name__)

_QUALITY = 85
_MOST_WAITING = 200

SNAPSHOT, HEAT, CLIP = "snapshot", "heat", "clip"
"""Kinds of evidence."""

Kept = Callable[[str, str, Path], None]
"""Told of every file that is there: id of the event, kind, path."""


class Roll(Strict):
    """What a clip shows beside its event. A camera has to keep `before_s + longest_s` and a little more."""

    before_s: float = Field(default=5.0, ge=0, description="a clip begins so many seconds before its event")
    after_s: float = Field(default=5.0, ge=0, description="and goes on so many seconds after it")
    longest_s: float = Field(default=20.0, gt=0, description="of a longer event a clip shows so many seconds")


@dataclass(frozen=True)
class _Job:
    """Evidence that is to be made. `heat`: of the pictures; `end_s`: of the clip, on the camera's clock."""

    event: CameraEvent
    watch: Watch
    heat: NDArray[np.float32] | None = None
    end_s: float | None = None


def place_of_evidence(folder: Path, event: CameraEvent, kind: str) -> Path:
    """Where evidence of an event lies: FOLDER/DAY/ID/KIND.jpg, by the day (UTC) on which the event began."""
    suffix = "mp4" if kind == CLIP else "jpg"
    return folder / f"{event.started_at:%Y-%m-%d}" / event.id / f"{kind}.{suffix}"


class EvidenceMaker:
    """Makes evidence in a thread of its own, from `start` to `stop`.

    Pictures are taken at once, and again where the peak of an event rises; the clip when the event is over, or as long
    as it may be. What waits is bounded: where evidence comes slower than events, what has waited longest is given up.

    Args:
        folder: where it goes. kept: told of each file. roll: what clips show.
        room: whether there is room on the disk; where there is none, nothing is written.

    Attributes:
        skipped: what was given up, by reason: "busy", "no room", "failed".
        trouble: why nothing can be written, as of the last time; "" where it can.
    """

    def __init__(
        self, folder: Path, kept: Kept, *, roll: Roll | None = None, room: Callable[[], bool] = lambda: True
    ) -> None:
        self.folder = folder
        self.skipped: dict[str, int] = {}
        self.trouble = ""
        self._kept, self._roll, self._room = kept, roll or Roll(), room
        self._jobs: list[tuple[float, int, _Job]] = []
        self._clips: dict[str, _Job] = {}
        """Event → the clip of it that is to be made. A job that is no more in here is another one's now."""
        self._order = itertools.count()
        self._changed, self._ended = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name="making evidence", daemon=True)

    @property
    def waiting(self) -> int:
        """How much is yet to be made, clips of events that last among it."""
        return len(self._jobs)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, within_s: float = 4.0) -> None:
        """Make at once what waits, as far as that takes no longer; what is left is given up."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(within_s)

    def happened(self, watch: Watch, changes: Sequence[Change]) -> None:
        """Take what happened to events of a camera; returns at once."""
        roll = self._roll
        for change in changes:
            event = change.event
            if change.kind in ("new", "update"):
                self._add(_Job(event, watch, heat=None if watch.latest is None else watch.latest.heat))
            if change.kind == "new":
                so_far_s = event.end_s - event.start_s
                self._clip(_Job(event, watch, end_s=event.start_s + roll.longest_s), roll.longest_s - so_far_s)
            elif change.kind == "end" and event.id in self._clips:
                end_s = min(event.end_s + roll.after_s, event.start_s + roll.longest_s)
                self._clip(_Job(event, watch, end_s=end_s), roll.after_s)

    def _clip(self, job: _Job, after_s: float) -> None:
        self._clips[job.event.id] = job
        self._add(job, after_s)

    def _add(self, job: _Job, after_s: float = 0.0) -> None:
        with self._changed:
            if len(self._jobs) >= _MOST_WAITING:
                given_up = heapq.heappop(self._jobs)[2]
                if given_up.end_s is not None:
                    self._clips.pop(given_up.event.id, None)
                self._skip("busy")
            heapq.heappush(self._jobs, (time.monotonic() + after_s, next(self._order), job))
            self._changed.notify()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if job.end_s is not None:
                if self._clips.get(job.event.id) is not job:
                    continue
                del self._clips[job.event.id]
            try:
                if not self._room():
                    self._skip("no room")
                    continue
                if job.end_s is None:
                    self._pictures(job)
                else:
                    self._cut(job, job.end_s)
                self.trouble = ""
            except Exception as error:
                self._skip("failed")
                words = error.in_one_line() if isinstance(error, OddframeError) else repr(error)
                _LOG.warning("evidence of an event of %s is missing: %s", job.event.camera, words)
                if isinstance(error, StorageError | OSError):  # what is of a camera says nothing of the next one
                    self.trouble = words

    def _next(self) -> _Job | None:
        """The next job, once it is due; None at the end."""
        with self._changed:
            while True:
                if self._jobs and (self._ended or self._jobs[0][0] <= time.monotonic()):
                    return heapq.heappop(self._jobs)[2]
                if self._ended:
                    return None
                self._changed.wait(self._jobs[0][0] - time.monotonic() if self._jobs else None)

    def _pictures(self, job: _Job) -> None:
        picture = blackened(job.watch.camera.snapshot(job.event.peak_s), job.watch.private)
        drawn = annotated(picture, job.heat, job.event.box, alarm=True)
        for kind, content in ((SNAPSHOT, picture), (HEAT, drawn)):
            path = self._place(job.event, kind)
            write_bytes(path, jpeg(content, _QUALITY), "evidence of an event cannot be written")
            self._kept(job.event.id, kind, path)

    def _cut(self, job: _Job, end_s: float) -> None:
        path = self._place(job.event, CLIP)
        job.watch.camera.clip(job.event.start_s - self._roll.before_s, end_s, path, job.watch.private)
        self._kept(job.event.id, CLIP, path)

    def _place(self, event: CameraEvent, kind: str) -> Path:
        path = place_of_evidence(self.folder, event, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _skip(self, why: str) -> None:
        self.skipped[why] = self.skipped.get(why, 0) + 1
