"""Frames of all cameras become scores, and scores become events.

One thread does all of it: takes what has come from every camera, judges it in batches, follows the events of each, and
tells what happened. What is slow (evidence, databases, networks) is done by those whom it tells.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from oddframe.errors import OddframeError
from oddframe.records import Record
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine
from oddframe.site.events import Change, EndedBy
from oddframe.site.latency import Latencies
from oddframe.site.recorder import Recorder
from oddframe.site.together import judge_together
from oddframe.site.watch import Clip, Watch

_LOG = logging.getLogger(__name__)

_TICK_S = 0.04
"""So long the engine waits for more frames: with several cameras they fill a batch, and nobody sees the delay."""
_BATCH = 8


class EngineCounts(Record):
    """What the engine has done.

    Attributes:
        judged: frames. latency_s: from when frames were taken until they were judged, of the last thousand: the median,
            and what 95 of 100 stay below; None before the first.
    """

    judged: int
    latency_s: tuple[float, float] | None


class Engine:
    """Judges the frames of cameras; `run` it in a thread, or `step` by step.

    Cameras may be added, removed and changed from any thread while it runs. Nothing that a camera does ends it.

    Args:
        recorder: told what happens.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._watches: dict[str, Watch] = {}
        self._orders: deque[Callable[[], None]] = deque()
        self._stopping = threading.Event()
        self._latencies = Latencies()
        self._judged = 0

    @property
    def watches(self) -> list[Watch]:
        """The cameras that are watched."""
        return list(self._watches.values())

    @property
    def counts(self) -> EngineCounts:
        """What has been done so far."""
        return EngineCounts(judged=self._judged, latency_s=self._latencies.told)

    def add(self, watch: Watch) -> None:
        """Watch a camera from now on, in place of one of the same name; where that one reads the same `CameraLike`, it
        is read on without a gap."""
        self._orders.append(lambda: self._add(watch))

    def rename(self, names: Mapping[str, str]) -> None:
        """Watch cameras on under other names: name so far → new one, all at once. What lasts goes on."""
        given = dict(names)
        self._orders.append(lambda: self._rename(given))

    def remove(self, name: str, ended_by: EndedBy = "stop") -> None:
        """Watch a camera no longer; what lasts is ended."""
        self._orders.append(lambda: self._remove(name, ended_by))

    def set_line(self, name: str, profile: str, line: AlarmLine) -> None:
        """Have alarms of a camera begin elsewhere from now on."""
        self._orders.append(lambda: self._set_line(name, profile, line))

    def teach(self, name: str, scorer: Scorer) -> None:
        """Judge a camera by the same fitting from now on, after what people have taught it."""
        self._orders.append(lambda: self._teach(name, scorer))

    def then(self, done: Callable[[], None]) -> None:
        """Call this once all that was asked for before is done."""
        self._orders.append(done)

    def run(self, for_s: float | None = None) -> None:
        """Work until `stop` is called, or so many seconds; then end what lasts, and the cameras."""
        until_s = None if for_s is None else time.monotonic() + for_s
        try:
            while not self._stopping.is_set():
                began_s = time.monotonic()
                if until_s is not None and began_s >= until_s:
                    return
                self.step()
                self._stopping.wait(max(0.0, _TICK_S - (time.monotonic() - began_s)))
        finally:
            self.end()

    def stop(self) -> None:
        """End `run` soon; from any thread."""
        self._stopping.set()

    def step(self) -> int:
        """One round; return how many frames were judged."""
        while self._orders:
            self._orders.popleft()()
        waiting = [(watch, clips) for watch in self._watches.values() if (clips := self._taken(watch))]
        judged, failed = 0, set[str]()
        for watch, clip, raw in judge_together(waiting, _BATCH):
            if watch.name in failed:
                continue
            try:
                if isinstance(raw, Exception):
                    raise raw
                self._tell(watch, watch.take_raw(clip, raw))
            except Exception as error:
                failed.add(watch.name)
                self._failed(watch, error)
                continue
            self._latencies.add((datetime.now(UTC) - clip.at).total_seconds())
            judged += 1
        self._judged += judged
        return judged

    def end(self) -> None:
        """End what lasts first, and then the cameras, all at once: one that hangs keeps no other waiting."""
        for watch in self._watches.values():
            self._tell(watch, watch.interrupt("stop"))
        self._recorder.ending()
        if self._watches:
            with ThreadPoolExecutor(len(self._watches)) as pool:
                list(pool.map(lambda watch: watch.camera.stop(), self._watches.values()))
        self._watches.clear()

    def _taken(self, watch: Watch) -> Sequence[Clip]:
        try:
            clips, changes, health = watch.take()
        except Exception as error:
            self._failed(watch, error)
            return ()
        self._tell(watch, changes)
        if health is not None:
            self._recorder.health_changed(watch, health)
        return clips

    def _failed(self, watch: Watch, error: Exception) -> None:
        """Whatever is wrong with one camera, the others go on."""
        words = error.in_one_line() if isinstance(error, OddframeError) else f"{type(error).__name__}: {error}"
        _LOG.exception("%s cannot be judged", watch.name, exc_info=error)
        self._tell(watch, watch.fail(words))

    def _tell(self, watch: Watch, changes: Sequence[Change]) -> None:
        if changes:
            self._recorder.happened(watch, changes)

    def _add(self, watch: Watch) -> None:
        before = self._watches.pop(watch.name, None)
        if before is not None:
            self._leave(before, "changed", stop=before.camera is not watch.camera)
        self._watches[watch.name] = watch
        watch.camera.start()

    def _remove(self, name: str, ended_by: EndedBy) -> None:
        watch = self._watches.pop(name, None)
        if watch is not None:
            self._leave(watch, ended_by, stop=True)

    def _leave(self, watch: Watch, ended_by: EndedBy, *, stop: bool) -> None:
        self._tell(watch, watch.interrupt(ended_by))
        if stop:  # a camera may hang for some seconds, and the others are not to wait
            threading.Thread(target=watch.camera.stop, name="stopping a camera", daemon=True).start()

    def _rename(self, names: Mapping[str, str]) -> None:
        for watch in self._watches.values():
            watch.rename(names.get(watch.name, watch.name))
        self._watches = {watch.name: watch for watch in self._watches.values()}

    def _set_line(self, name: str, profile: str, line: AlarmLine) -> None:
        if (watch := self._watches.get(name)) is not None:
            self._tell(watch, watch.set_line(profile, line))

    def _teach(self, name: str, scorer: Scorer) -> None:
        if (watch := self._watches.get(name)) is not None:
            self._tell(watch, watch.teach(scorer))
