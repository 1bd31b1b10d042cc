"""What a reader process does: it opens a camera again and again, decodes it, and puts pictures into the ring.

It runs in a thread, beside the one that takes orders. All that may go wrong with a camera is a state of its health and
a count; nothing that a camera sends ends it.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from oddframe.cameras.backoff import Backoff
from oddframe.cameras.clock import StreamClock
from oddframe.cameras.packets import PacketKeep
from oddframe.cameras.ring import Ring, Shot
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.source import Coded, DamagedError, Source, Still
from oddframe.cameras.state import Cause, Counts, Health, HealthState, Status, StreamInfo, now
from oddframe.cameras.watching.look import look_at
from oddframe.cameras.watching.view import View
from oddframe.cameras.watching.watch import Watch
from oddframe.errors import CameraError, OddframeError
from oddframe.records import as_json
from oddframe.video.picture import Resize, as_picture
from oddframe.video.resample import Resampler

_WELL_S = 10.0
"""Pictures for so long, and the next pause before opening is the shortest again."""
_IDLE_S = 0.2
_TOLD_EVERY_S = 0.25
_LOOK_EVERY_S = 0.24
_SAVED_EVERY_S = 600.0
_KEY_FRAME_WITHIN_S = 10.0
"""How long a key frame is waited for. Some cameras refresh their picture bit by bit, and never send one."""
_MOST_BEHIND_S = 60.0
_GREY, _COLOURFUL = 3.0, 5.0
"""Below and above this strength of colour, in levels, a picture is infrared or not; in between it stays what it was."""


@dataclass
class Wanted:
    """What pictures are wanted: see `Camera`."""

    size: tuple[int, int]
    channels: int
    resize: Resize
    fps: float | None


@dataclass
class Clocks:
    """Time and chance, so that tests need neither.

    Attributes:
        rising: seconds since the camera was started. wall: seconds since the epoch. wait: sleeps for so many seconds,
            or until told to stop. chance: numbers from 0 up to 1.
    """

    rising: Callable[[], float]
    wall: Callable[[], float] = time.time
    wait: Callable[[float], object] = time.sleep
    chance: Callable[[], float] = field(default_factory=lambda: random.Random().random)


class Reader:
    """Reads one camera until it is stopped.

    Args:
        open_source: opens the camera; raises `CameraError`.
        view: where the camera looks.
        start_s, start_number: where the camera's clock and numbers go on, if another process has read it before.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        settings: CameraSettings,
        wanted: Wanted,
        ring: Ring,
        clocks: Clocks,
        *,
        view: View | None = None,
        start_s: float = 0.0,
        start_number: int = 0,
    ) -> None:
        self._open, self._settings, self._wanted, self._ring, self._clocks = open_source, settings, wanted, ring, clocks
        self.keep = PacketKeep(settings.keep_s, int(settings.keep_mb * 1e6))
        self.latest: tuple[Still, float] | None = None
        self._stop = threading.Event()
        self._started_at = clocks.wall() - clocks.rising()
        self._backoff = Backoff(settings.reopen_first_s, settings.reopen_most_s, clocks.chance)
        self._start_s, self._clock = start_s, StreamClock(settings.gap_s, start_s=start_s)
        self._resampler = None if wanted.fps is None else Resampler(wanted.fps)
        self._view = View() if view is None else view
        self._watch = Watch(settings.health, self._view)
        self._accepts_view = threading.Event()
        self._looked_s = self._saved_s = -float("inf")
        self._settled_s = start_s
        self._health = Health(state=HealthState.STARTING, since=now())
        self._counted: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._info: StreamInfo | None = None
        self._infrared: bool | None = None
        self._number, self._packet = start_number, 0
        self._stamps: dict[int, tuple[float | None, float]] = {}
        self._gap, self._told_s = True, 0.0
        self._heard_s = clocks.rising()
        self._distrusted_since: float | None = None
        self._pictures_since: float | None = None
        self._began: tuple[float, float] | None = None
        self._live = True

    def stop(self) -> None:
        """End `run` soon; from any thread."""
        self._stop.set()

    def accept_view(self) -> None:
        """Where the camera looks now is where it shall look; from any thread."""
        self._accepts_view.set()

    def run(self) -> None:
        """Read the camera until `stop`, or until a file that is not looped has ended."""
        self._tell(at_once=True)
        while not self._stop.is_set():
            self._pictures_since = None
            failed: CameraError | None = None
            try:
                self._counted["opened"] += 1
                with self._open() as source:
                    try:
                        self._play(source)
                    except CameraError as error:
                        self._offline(error)  # before it is closed, which takes a while where nothing answers
                        raise
            except CameraError as error:
                failed = error
            if self._stop.is_set():
                break
            if failed is None and not self._settings.loop:
                self._state(HealthState.OFF, "the file has ended", Cause.ENDED)
                break
            if failed is None and self._pictures_since is None:
                failed = CameraError("nothing in this file decodes", cause=Cause.UNDECODABLE)
            if failed is not None:
                self._rest(failed)
        if self._health.state is not HealthState.OFF:
            self._state(HealthState.OFF)
        self._save_view(self._clocks.rising())

    def status(self) -> Status:
        """What there is to say of the camera now."""
        counts = Counts(
            received=self._counted["received"],
            decoded=self._counted["decoded"],
            given=self._counted["given"],
            opened=self._counted["opened"],
            dropped=dict(+self._dropped),
        )
        return Status(health=self._health, counts=counts, stream=self._info, infrared=self._infrared)

    def _play(self, source: Source) -> None:
        """Read an open camera to its end. Raises `CameraError` where it is lost."""
        self._live = source.live
        follows = source.live or self._settings.pace == "clock"
        if self._clock.follows != follows:
            self._clock = StreamClock(self._settings.gap_s, follows=follows, start_s=self._clock.time_s)
        self._clock.begin_anew()
        self._watch.begin_anew()
        self.keep.begin_anew()
        self._stamps.clear()
        self._began, self._distrusted_since = None, self._clocks.rising()
        skipping = False
        for coded in source.packets():
            self._ring.beat()
            if self._stop.is_set():
                return
            if coded is None:
                self._idle(source)
                continue
            number, arrived_s = self._received(coded, source)
            skipping = self._skips(coded, arrived_s, skipping, source)
            if skipping:
                self._dropped["behind"] += 1
                continue
            try:
                stills = source.decode(coded, number)
            except DamagedError:
                self._damaged()
                continue
            for still in stills:
                self._picture(still, source)
        for still in source.flush():
            self._picture(still, source)

    def _idle(self, source: Source) -> None:
        """Wait for the next picture of a folder."""
        self._dropped["torn"] += source.torn
        source.torn = 0
        silent_s = self._settings.health.silent_folder_s
        if self._clocks.rising() - self._heard_s > silent_s:
            self._state(HealthState.OFFLINE, f"no picture has come for {silent_s:g} s", Cause.SILENT)
        self._clocks.wait(_IDLE_S)
        self._tell()

    def _received(self, coded: Coded, source: Source) -> tuple[int, float]:
        self._packet += 1
        self._counted["received"] += 1
        self._heard_s = self._clocks.rising()
        arrived_s = self._heard_s if self._clock.follows else self._clock.time_s
        self.keep.add(coded, self._packet, source.coding, arrived_s)
        self._stamps[self._packet] = (coded.stamp_s, arrived_s)
        if len(self._stamps) > 512:
            del self._stamps[next(iter(self._stamps))]
        self._tell()
        return self._packet, arrived_s

    def _skips(self, coded: Coded, arrived_s: float, skipping: bool, source: Source) -> bool:
        """Whether to leave out packets until a key frame that is in time, since decoding is too slow for all."""
        if not self._live:
            return False
        behind_s = self._clock.behind_s(coded.stamp_s, arrived_s)
        if not skipping:
            # More than a minute is no slow decoder, but a stamp that has jumped.
            return self._settings.late_s < behind_s < _MOST_BEHIND_S
        if coded.key and not self._settings.late_s / 4 < behind_s < _MOST_BEHIND_S:
            source.flush()
            self._clock.begin_anew()
            return False
        return True

    def _damaged(self) -> None:
        self._dropped["damaged"] += 1
        if self._distrusted_since is None:
            self._distrusted_since = self._clocks.rising()
        self._gap = True

    def _picture(self, still: Still, source: Source) -> None:
        stamp_s, arrived_s = self._stamps.pop(still.number, (None, self._clocks.rising()))
        if not still.whole:
            self._damaged()
        if self._distrusted_since is not None:
            waited_s = self._clocks.rising() - self._distrusted_since
            if not (still.key and still.whole) and waited_s < _KEY_FRAME_WITHIN_S:
                self._dropped["before key frame"] += 1
                return
            self._distrusted_since = None
        self._counted["decoded"] += 1
        if not self._live and self._clock.follows:
            arrived_s = self._paced(stamp_s)
        moment = self._clock.next(stamp_s, arrived_s)
        self.keep.timed(still.number, moment.time_s)
        self._gap = self._gap or moment.gap
        self.latest = still, moment.time_s
        infrared = self._is_infrared(still)
        self._seen(still, source, moment.time_s, infrared)
        if self._resampler is not None and not self._resampler.takes(moment.time_s, anew=self._gap):
            return
        try:
            pixels = as_picture(still.pixels, self._wanted.size, self._wanted.channels, self._wanted.resize)
        except DamagedError:
            self._damaged()
            return
        if not self._clock.follows and not self._room():
            return
        self._number += 1
        taken_at, number = self._taken_at(moment.time_s), self._number
        self._ring.put(Shot(pixels, moment.time_s, taken_at, number, self._gap, infrared, self._settled_s))
        self._counted["given"] += 1
        self._gap = False

    def _taken_at(self, time_s: float) -> datetime:
        if not self._clock.follows:
            return datetime.fromtimestamp(self._started_at + time_s, UTC)
        return datetime.fromtimestamp(self._clocks.wall() - (self._clocks.rising() - time_s), UTC)

    def _paced(self, stamp_s: float | None) -> float:
        """Wait until a picture of a file is due, and return that moment."""
        now_s = self._clocks.rising()
        if stamp_s is None:
            due_s = self._clock.time_s + self._clock.usual_s
        else:
            if (
                self._began is None
                or not -1 <= stamp_s - self._began[0] + self._began[1] - now_s <= self._settings.gap_s
            ):
                self._began = (stamp_s, now_s)
            due_s = stamp_s - self._began[0] + self._began[1]
        while (left_s := due_s - self._clocks.rising()) > 0 and not self._stop.is_set():
            self._ring.beat()
            self._clocks.wait(min(left_s, 1.0))
        return max(due_s, now_s)

    def _room(self) -> bool:
        """Wait until a picture has been taken, where none is to be dropped. False where it is over."""
        while self._ring.room() < 1:
            if self._stop.is_set():
                return False
            self._ring.beat()
            self._tell()
            self._clocks.wait(0.005)
        return True

    def _seen(self, still: Still, source: Source, time_s: float, infrared: bool) -> None:
        """What a picture says of the camera."""
        if time_s - self._looked_s < _LOOK_EVERY_S and self._pictures_since is not None:
            return
        self._looked_s, now_s = time_s, self._clocks.rising()
        if self._pictures_since is None:
            self._pictures_since = now_s
        elif now_s - self._pictures_since > _WELL_S:
            self._backoff.reset()
        self._info = source.info(still, self._clock.fps)
        if self._accepts_view.is_set():
            self._accepts_view.clear()
            self._view.accept()
        try:
            luma = still.luma()
        except DamagedError:
            return
        before = self._health.state
        state, reason = self._watch.look(
            look_at(luma, time_s, full_range=still.full_range, key=still.key, infrared=infrared)
        )
        if state is HealthState.ONLINE and not self._watch.doubted:
            self._settled_s = time_s
        if state is not before or state is HealthState.ONLINE:
            self._state(state, reason)
        if state is HealthState.ONLINE and before not in (HealthState.ONLINE, HealthState.STARTING):
            self._gap = True
        if now_s - self._saved_s > _SAVED_EVERY_S:
            self._save_view(now_s)

    def _save_view(self, now_s: float) -> None:
        self._saved_s = now_s
        try:
            self._view.save()
        except OddframeError as error:
            print(error.in_one_line(), file=sys.stderr, flush=True)  # the process's log

    def _is_infrared(self, still: Still) -> bool:
        strength = still.colourfulness
        before = self._infrared
        if before is None:
            self._infrared = strength < (_GREY + _COLOURFUL) / 2
        elif strength < _GREY or strength > _COLOURFUL:
            self._infrared = strength < _GREY
        if before is not None and before != self._infrared:
            self._gap = True  # what moves between the two is the light
        return bool(self._infrared)

    def _rest(self, failed: CameraError) -> None:
        """Say why there is no video, and wait before the camera is opened again."""
        self._offline(failed)
        pause_s = self._backoff.next(rarely=Cause(failed.cause) is Cause.LOGIN)
        until_s = self._clocks.rising() + pause_s
        while (left_s := until_s - self._clocks.rising()) > 0 and not self._stop.is_set():
            self._ring.beat()
            self._clocks.wait(min(left_s, 1.0))

    def _offline(self, failed: CameraError) -> None:
        self._state(HealthState.OFFLINE, failed.in_one_line(), Cause(failed.cause))

    def _state(self, state: HealthState, reason: str = "", cause: Cause | None = None) -> None:
        if (state, reason) != (self._health.state, self._health.reason):
            same = state is self._health.state
            self._health = Health(state=state, since=self._health.since if same else now(), reason=reason, cause=cause)
            self._tell(at_once=True)

    def _tell(self, *, at_once: bool = False) -> None:
        now_s = self._clocks.rising()
        if at_once or now_s - self._told_s >= _TOLD_EVERY_S:
            self._told_s = now_s
            self._ring.status = as_json(self.status()).encode()
