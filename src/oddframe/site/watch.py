"""One camera as the engine sees it: its window, its normal, its events. A few frames make all of it again."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from oddframe.cameras.clip import Polygon, blackened
from oddframe.cameras.ring import Shot
from oddframe.cameras.state import Cause, Counts, Health, HealthState, StreamInfo, now
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.backgrounds import Still
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.evidence import AS_IT_COMES, EvidenceStream, Intake, Prepared
from oddframe.scoring.heat import place_of, shown_heat
from oddframe.scoring.runtimes.runtime import Runtime
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine, Raw
from oddframe.scoring.session import Fusing
from oddframe.site.events import Change, EndedBy, EventFollower, Telling
from oddframe.site.holding import Holding
from oddframe.site.profiles import Profile, profile_at
from oddframe.site.remembering import Remembering, Scribe, Shown
from oddframe.site.score_history import Peak
from oddframe.site.tally import Tally
from oddframe.video.source import Frame

_FIRST_REST_S, _MOST_REST_S = 1.0, 60.0
"""How long a camera is let alone whose pictures could not be judged: twice as long each time, up to the second."""

_KNOWN_AFTER = 50
"""Of fewer pictures nobody knows what stands still."""


_STAND_IN = "a stand-in watches, by frame differences, until it has learned what is normal"


class CameraLike(Protocol):
    """What the engine needs of a `cameras.camera.Camera`."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def pictures(self) -> list[Shot]: ...

    def snapshot(self, at_s: float | None = None) -> NDArray[np.uint8]: ...

    def clip(self, begin_s: float, end_s: float, path: Path, private: Sequence[Polygon] = ()) -> object: ...

    @property
    def health(self) -> Health: ...

    @property
    def counts(self) -> Counts: ...

    @property
    def stream(self) -> StreamInfo | None: ...


@dataclass(frozen=True)
class Clip:
    """A full window of a camera that waits to be judged.

    Attributes:
        window: as many frames as the detector needs. at: when the judged one was taken, UTC.
        profile: that it belongs to. anew: whether it is the first one after a gap.
    """

    window: tuple[Prepared, ...] = field(repr=False)
    at: datetime
    profile: Profile
    anew: bool


@dataclass(frozen=True)
class Latest:
    """What is known of the last judged frame.

    Attributes:
        at: when it was taken, UTC. score: higher is odder. alarm: whether it belongs to an event that was told of.
        heat: (h, w) of the oddest frame of the event that lasts, or that was last; None before there is one.
    """

    at: datetime
    score: float
    alarm: bool
    heat: NDArray[np.float32] | None = field(default=None, repr=False)


class Watch:
    """A camera and the detector that judges it.

    Args:
        name: of the camera. camera: where pictures come from, in the size and at the rate of the detector.
        scorer: of the detector, with the calibration for this camera.
        profiles: in the order in which they are asked; at least one.
        lines: profile → where alarms begin, in place of the calibration's.
        telling: how often events that last are told of. fitting: number of the calibration in the store.
        private: places that are black in all that is kept of its pictures; it may be set anew while it is watched.
        notes: what its owner must know beside what is found here.
        blackened: places that were black in what the detector learned from; so it sees them here.
        stand_in: whether it watches only until the camera has learned what is normal: its health says so.
        scribe: writes what is remembered of its events; None where nothing is. number: of the camera in the store.
        clock: rising seconds, for tests.

    Attributes:
        dropped: pictures that came and were not judged, by reason: "not online" (of a camera that is frozen, dark and
            the like), "failed" (judging failed).
        judged: pictures that were. tally: what they were like lately.
        doubted: events that were never told of, see `holding.Holding`.
        notes: what its owner must know: the scene, the rate, a background that is not that of the training.
    """

    def __init__(
        self,
        name: str,
        camera: CameraLike,
        scorer: Scorer,
        *,
        profiles: Sequence[Profile] = (Profile(),),
        lines: Mapping[str, AlarmLine] | None = None,
        telling: Telling | None = None,
        fitting: int | None = None,
        private: Sequence[Polygon] = (),
        notes: Sequence[str] = (),
        blackened: Sequence[Polygon] = (),
        stand_in: bool = False,
        scribe: Scribe | None = None,
        number: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.camera, self.scorer, self.private = name, camera, scorer, private
        self._blackened, self.stand_in = blackened, stand_in
        self.how: EvidenceStream = scorer.evidence(batch=1)
        self.runtime: Runtime = scorer.runtime.for_video()
        self.dropped: Counter[str] = Counter()
        self.judged = 0
        self.tally = Tally()
        self.latest: Latest | None = None
        self._seen: tuple[Calibration, SceneNormal, Raw] | None = None
        self.health = Health(state=HealthState.OFF, since=now())
        self._profiles, self._profile = tuple(profiles), profiles[0]
        self._lines: dict[str, AlarmLine] = dict(lines or {})
        self._clock = clock
        self._rule = AlarmRule.of(scorer.run.settings.score)
        self._number = 0
        self._holding = Holding()
        self._failed: Health | None = None
        self._rest_s, self._rests_until_s = _FIRST_REST_S, 0.0
        self._calibration, self._normal = self._of_profile(self._profile)
        self._follower = EventFollower(
            name,
            self._calibration.line,
            self._rule,
            profile=self._profile.name,
            telling=telling,
            fps=scorer.rate(self._profile.judged_as).fps,
            fitting=fitting,
        )
        fps = scorer.rate(self._profile.judged_as).fps
        self._memory = None if scribe is None else Remembering(number, scribe, self._rule, self._shown(), fps)
        self._heat: NDArray[np.float32] | None = None
        self._still = Still()
        self._broken, self._note_at, self._told = True, _KNOWN_AFTER, tuple(notes)
        self.notes = self._noted()
        self._begin_anew()

    @property
    def shared(self) -> bool:
        """Whether its frames may be judged together with those of other cameras."""
        return self.runtime is self.scorer.runtime

    def begin_video(self) -> None:
        """Let go of what the detector carries: the window that is judged next follows none before it."""
        self.runtime = self.scorer.runtime.for_video()

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All profiles, in the order in which they are asked."""
        return self._profiles

    @property
    def profile(self) -> str:
        """The name of the profile that holds."""
        return self._profile.name

    @property
    def line(self) -> AlarmLine:
        """Where alarms begin now."""
        return self._follower.line

    @property
    def doubted(self) -> int:
        """Events that were never told of, since they came of the camera."""
        return self._holding.dropped

    def line_of(self, profile: str) -> AlarmLine:
        """Where alarms begin in a profile."""
        return self._lines.get(profile, self.scorer.calibration.line)

    def take(self) -> tuple[list[Clip], list[Change], Health | None]:
        """Take what has come from the camera.

        Returns:
            windows to be judged, in order; what happened to events; the camera's health, if its state is another one.
        """
        shots, before, health = self.camera.pictures(), self.health, self._failed or self.camera.health
        if self._failed is not None and self._clock() >= self._rests_until_s:
            self._failed = None
            health = self.camera.health
        self.health = health
        changes: list[Change] = []
        ended = health.state is HealthState.OFF and health.cause is Cause.ENDED
        well = health.state is HealthState.ONLINE or ended
        for shot in shots:
            changes += self._holding.settle(shot.settled_s)
        if well and before.state in (HealthState.ONLINE, HealthState.STARTING, HealthState.OFF):
            clips = [clip for shot in shots if (clip := self._take(shot)) is not None]
        else:
            self.dropped["not online"] += len(shots)
            clips = []
            self._begin_anew()
            if not well:
                changes += self._holding.take(self._follower.interrupt("gap"))
                changes += self._holding.end(health.state)
                self._pause()
        return clips, changes, self.told if health.state is not before.state else None

    @property
    def told(self) -> Health:
        """Its health as others are told it: of a camera that learns, and that a stand-in watches well, just that."""
        if not self.stand_in or self.health.state is not HealthState.ONLINE:
            return self.health
        return self.health.changed(state=HealthState.LEARNING, reason=_STAND_IN)

    def take_raw(self, clip: Clip, raw: Raw) -> list[Change]:
        """Take what the detector found in a window; return what happened to events."""
        changes: list[Change] = []
        if clip.profile.name != self._profile.name:
            self._profile = clip.profile
            self._calibration, self._normal = self._of_profile(clip.profile)
            self._fusing = Fusing(self._normal)
            changes += self._follower.change(self._calibration.line, clip.profile.name)
            if self._memory is not None:
                self._memory.change(self._shown())
        raw = replace(raw, anew=True) if clip.anew else raw
        _, online, _ = self._fusing.take(raw)
        time_s = clip.window[self.runtime.before].time_s
        assert time_s is not None, "pictures of a camera have times"
        box = None
        if self._follower.wants_box(raw.frame, time_s, online):
            stream = self.camera.stream
            self._follower.picture = size = self.runtime.size if stream is None else stream.size
            self._heat, box = place_of(self._calibration, self._normal, raw, size)
        told = self._follower.take(raw.frame, time_s, clip.at, online, box)
        if self._memory is not None:
            self._memory.take(clip.at, raw, told)
        changes = self._holding.take(changes + told)
        self.tally.take(Peak(clip.at, online, self.line.on), self._profile.name, time_s, anew=clip.anew)
        self.judged += 1
        self._seen = self._calibration, self._normal, raw
        self.latest = Latest(clip.at, online, self._follower.alarm and not self._holding.holds, self._heat)
        self._rest_s = _FIRST_REST_S
        if self.judged >= self._note_at:
            self.notes, self._note_at = self._noted(), 2 * self.judged
        return changes

    def heat(self) -> NDArray[np.float32] | None:
        """(h, w) how odd each place of the last judged frame is, for the eye: 1 is the alarm line; None where none is
        judged. It is made when it is asked for, from any thread."""
        seen = self._seen
        return None if seen is None else shown_heat(*seen)

    def rename(self, name: str) -> None:
        """Go on under another name."""
        self.name = name
        self._follower.rename(name)

    def set_line(self, profile: str, line: AlarmLine) -> list[Change]:
        """Have alarms begin elsewhere from now on; return what happened to events. Nothing where that is so already."""
        if self._lines.get(profile) == line:
            return []
        self._lines[profile] = line
        if profile != self._profile.name:
            return []
        self._calibration, self._normal = self._of_profile(self._profile)
        if self._memory is not None:
            self._memory.change(self._shown())
        return self._holding.take(self._follower.change(line))

    def teach(self, scorer: Scorer) -> list[Change]:
        """Judge by the same fitting from now on, after what people have taught it; return what happened to events.

        What lasts goes on where alarms begin where they did; the line of the fitting itself may be another one.
        """
        self.scorer, self.how = scorer, scorer.evidence(batch=1)
        self._calibration, self._normal = self._of_profile(self._profile)
        moved = self._calibration.line != self._follower.line
        if self._memory is not None and moved:
            self._memory.change(self._shown())
        elif self._memory is not None:
            self._memory.go_on(self._shown())
        return self._holding.take(self._follower.change(self._calibration.line)) if moved else []

    def fail(self, why: str) -> list[Change]:
        """Judging its pictures failed: let it alone for a while; return what happened to events."""
        self.dropped["failed"] += 1
        self._begin_anew()
        self._failed = Health(
            state=HealthState.OFFLINE,
            since=now(),
            reason=f"its pictures cannot be judged: {why}",
            cause=Cause.OTHER,
        )
        self._rests_until_s = self._clock() + self._rest_s
        self._rest_s = min(2 * self._rest_s, _MOST_REST_S)
        self._pause()
        return self._over("gap")

    def interrupt(self, ended_by: EndedBy) -> list[Change]:
        """End what lasts; return what happened to events."""
        self._begin_anew()
        self._pause()
        return self._over(ended_by)

    def _over(self, ended_by: EndedBy) -> list[Change]:
        """End what lasts, and tell what is held back: how the camera is will not be known any more."""
        changes = self._holding.take(self._follower.interrupt(ended_by))
        return changes + self._holding.end()

    def _take(self, shot: Shot) -> Clip | None:
        pixels = blackened(shot.pixels, self._blackened)
        self._still.take(pixels)
        if shot.gap or self._broken:
            self._number += 1  # a number that is missing, so that nothing goes on across it
            self._broken = False
        prepared = self._intake.take(Frame(self._number, shot.time_s, pixels))
        self._number += 1
        if prepared is None:
            return None
        if prepared.anew:
            self._held.clear()
            self._anew = True
        profile = profile_at(self._profiles, shot.taken_at, infrared=shot.infrared)
        prepared = prepared._replace(at=shot.taken_at.astimezone().time())
        self._held.append((prepared, shot.taken_at, profile))
        if len(self._held) < self.how.frames:
            return None
        _, at, profile = self._held[self.runtime.before]
        clip = Clip(tuple(one for one, _, _ in self._held), at, profile, self._anew)
        self._anew = False
        return clip

    def _begin_anew(self) -> None:
        """Forget the frames that came: what comes next does not follow them."""
        self._intake = Intake(self.how, AS_IT_COMES)
        self._held: deque[tuple[Prepared, datetime, Profile]] = deque(maxlen=self.how.frames)
        self._fusing = Fusing(self._normal)
        self._seen = None
        self._anew = self._broken = True

    def _pause(self) -> None:
        if self._memory is not None:
            self._memory.interrupt()

    def _shown(self) -> Shown:
        profile = self._profile
        return Shown(profile.name, profile.judged_as, self._normal, self._calibration.line, self.scorer.fitted_by)

    def _noted(self) -> tuple[str, ...]:
        scene = self._profile.judged_as
        seen = self._still.picture() if self.judged >= _KNOWN_AFTER else None
        told = [*self._told, self.scorer.calibration.scene(scene)[1] if scene else "", self.scorer.rate(scene).why]
        return tuple(note for note in (*told, *self.scorer.backgrounds.notes(scene, seen)) if note)

    def _of_profile(self, profile: Profile) -> tuple[Calibration, SceneNormal]:
        calibration = self.scorer.calibration
        return replace(calibration, line=self.line_of(profile.name)), calibration.scene(profile.judged_as)[0]
