"""Frames in, raw components out: the one path that judging, scoring, live cameras and exports share."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError
from oddframe.origin import Rate
from oddframe.scoring.ahead import ahead
from oddframe.scoring.components import of_places
from oddframe.scoring.lessons import Lessons
from oddframe.scoring.pace import Continuity
from oddframe.scoring.pooling import pooled
from oddframe.scoring.regions import Regions
from oddframe.scoring.runtimes.runtime import Judged, Runtime
from oddframe.scoring.scores import Raw
from oddframe.video.flow import directions_of, speeds_of, vectors_between
from oddframe.video.motion import motion, oddest
from oddframe.video.picture import Resize, as_picture
from oddframe.video.resample import Resampler
from oddframe.video.source import Frame

AS_IT_COMES = Rate()
"""Every frame is judged."""

EVERYWHERE = Regions()
"""Every place counts."""

RESTARTED = "what the detector carries over a video, or learns of it, began anew"
"""How a note begins that tells of a detector with a state, and of a stream that was rewound or has gaps."""

NOTHING_TAUGHT = Lessons()
"""Nothing odd is normal."""


class Prepared(NamedTuple):
    """A frame as the detector sees it; its full-size pixels are let go of. anew: no window lies across what is before
    it. at: time of day, at the camera, where it is known."""

    number: int
    time_s: float | None
    picture: NDArray[np.uint8]
    anew: bool
    at: time | None = None


class Stamp(NamedTuple):
    """What number and time of a frame say: whether the detector sees it, and whether no window lies across what is
    before it."""

    seen: bool
    anew: bool


@dataclass(frozen=True)
class EvidenceStream:
    """How evidence is gathered. It keeps nothing of any video, so that one serves many at a time.

    Attributes:
        runtime: who computes the evidence.
        resize: how pictures are resized. window, stride, share: windows of `motion`, as the runtime's.
        batch: frames judged at once. Components do not depend on it.
        regions: which places of the picture count. lessons: what people called normal.
        flow, direction: whether there are the components of these names. Both rest on the same optical flow, which
            takes as long as a small network.
    """

    runtime: Runtime
    resize: Resize
    window: int
    stride: int
    share: float
    batch: int
    regions: Regions = EVERYWHERE
    flow: bool = False
    direction: bool = False
    lessons: Lessons = NOTHING_TAUGHT

    @property
    def frames(self) -> int:
        """Frames in a row that one judged frame needs."""
        return self.runtime.before + 1 + self.runtime.after

    def of_video(self, rate: Rate = AS_IT_COMES) -> EvidenceWindow:
        """What slides over the frames of one video, resampled to a rate."""
        return EvidenceWindow(self, rate)

    def raw(
        self, frames: Iterable[Frame], rate: Rate = AS_IT_COMES, *, read_ahead: bool = False
    ) -> Generator[Raw, None, None]:
        """As `EvidenceWindow.raw`, of a window of its own."""
        return self.of_video(rate).raw(frames, read_ahead=read_ahead)

    def ways(self, frames: Iterable[Frame], step: int) -> Iterator[NDArray[np.float32]]:
        """Which way things move in one frame of so many, and nothing else: the map of `direction`, by no network.

        Args:
            frames: of one video, with no frame left out for another rate. step: 2 or more.

        Yields:
            (h, w, 8); nothing at all where there is no `direction`.
        """
        before: Frame | None = None
        for place, frame in enumerate(frames if self.direction else ()):
            if place % step == 0:
                before = frame
            elif place % step == 1 and before is not None and frame.index == before.index + 1:
                yield directions_of(vectors_between(self.picture(before), self.picture(frame)))

    def picture(self, frame: Frame) -> NDArray[np.uint8]:
        """The frame as the detector sees it: (h, w, C) uint8, never the pixels that were given, which may change."""
        made = as_picture(frame.pixels, self.runtime.size, self.runtime.channels, self.resize)
        return made.copy() if np.may_share_memory(made, frame.pixels) else made


class Intake:
    """Says of each frame of one video, in order, whether the detector sees it, and where a window begins anew: where
    the number of a frame is not the next one, and where the clock jumps.

    Args:
        how: the stream that pictures are made for. rate: that the video is resampled to.
    """

    def __init__(self, how: EvidenceStream, rate: Rate) -> None:
        self._how, self._rate = how, rate
        self._continuity = Continuity()
        self._resampler = None if rate.fps is None else Resampler(rate.fps)
        self._timed = self._untimed = False

    def take(self, frame: Frame) -> Prepared | None:
        """The next frame as the detector sees it; None where it is left out."""
        stamp = self.pass_by(frame.index, frame.time_s)
        return Prepared(frame.index, frame.time_s, self._how.picture(frame), stamp.anew) if stamp.seen else None

    def pass_by(self, number: int, time_s: float | None) -> Stamp:
        """Take the next frame by its number and its time alone."""
        anew = not self._continuity.follows(number, time_s)
        if time_s is None:
            self._untimed = True
            return Stamp(True, anew)
        self._timed = True
        return Stamp(self._resampler is None or self._resampler.takes(time_s, anew=anew), anew)

    def notes(self) -> list[str]:
        """What a reader must know of frames that are missing or left out, and of the rate, in sentences."""
        notes = self._continuity.notes()
        if self._resampler is None:
            return [*notes, self._rate.why] if self._timed and self._rate.why else notes
        if self._untimed:
            notes.append(
                f"the detector was trained at {self._resampler.fps:.4g} frames a second, and these have no times: "
                "every one is judged"
            )
        return [*notes, *self._resampler.notes()]


class EvidenceWindow:
    """Slides the detector's window over the frames of one video that the detector sees; see `Intake`.

    Args:
        how: the stream that it belongs to. rate: as of `Intake`.
    """

    def __init__(self, how: EvidenceStream, rate: Rate) -> None:
        self._how = how
        self._runtime = how.runtime.for_video()
        self._intake = Intake(how, rate)
        self._held: deque[Prepared] = deque()
        self._anew, self._restarts = True, 0

    def raw(self, frames: Iterable[Frame], *, read_ahead: bool = False) -> Generator[Raw, None, None]:
        """Yield one `Raw` for every frame that has a full window around it, in order.

        Args:
            frames: of one video.
            read_ahead: decode and resize the next frames while a batch is judged. Close it if it is left early.

        Raises:
            CutOffVideoError: the video ends in the middle; all that could be judged was yielded before.
        """
        prepared = self._prepared(frames)
        try:
            with ahead(prepared, self._how.batch + 1) if read_ahead else contextlib.nullcontext(prepared) as coming:
                for one in coming:
                    yield from self._push(one)
        except CutOffVideoError:
            yield from self.flush()
            raise
        yield from self.flush()

    def pass_by(self, stamps: Iterable[tuple[int, float | None]]) -> None:
        """Go on as if the frames with these numbers and times had come and had been judged."""
        for number, time_s in stamps:
            self._intake.pass_by(number, time_s)
            self._anew = False

    def push(self, frame: Frame) -> list[Raw]:
        """Take the next frame; return what can be judged now: with a batch of 1, one frame or none."""
        prepared = self._intake.take(frame)
        return [] if prepared is None else self._push(prepared)

    def flush(self) -> list[Raw]:
        """Judge what is held, as at the video's end. What comes next is another video to the detector."""
        judged = self._judge() if len(self._held) >= self._how.frames else []
        self._held.clear()
        self._anew, self._runtime = True, self._how.runtime.for_video()
        return judged

    def notes(self) -> list[str]:
        """As of `Intake`, and where what a detector carries over a video began anew."""
        notes = self._intake.notes()
        if self._restarts and self._runtime is not self._how.runtime:
            times = "once" if self._restarts == 1 else f"{self._restarts} times"
            notes.append(f"{RESTARTED} {times}, where frames are missing or the clock jumps")
        return notes

    def _push(self, prepared: Prepared) -> list[Raw]:
        judged = []
        if prepared.anew:
            judged, self._restarts = self.flush(), self._restarts + 1
        self._held.append(prepared)
        if len(self._held) == self._how.frames - 1 + self._how.batch:
            judged += self._judge()
            for _ in range(self._how.batch):
                self._held.popleft()
        return judged

    def _prepared(self, frames: Iterable[Frame]) -> Generator[Prepared, None, None]:
        with contextlib.closing(frames) if isinstance(frames, Generator) else contextlib.nullcontext():
            for frame in frames:
                if (prepared := self._intake.take(frame)) is not None:
                    yield prepared

    def _judge(self) -> list[Raw]:
        judged = []
        for raw in judge_held(self._how, self._runtime, self._held):
            judged.append(replace(raw, anew=True) if self._anew else raw)
            self._anew = False
        return judged


def judge_held(how: EvidenceStream, runtime: Runtime, held: Sequence[Prepared]) -> Iterator[Raw]:
    """Judge every frame of an unbroken stretch that has a full window around it."""
    pictures = np.stack([one.picture for one in held])
    clips = windows_of(pictures, how.frames)
    judged = runtime.judge(clips)
    for number, clip in enumerate(clips):
        yield _raw(how, judged, number, clip, held[number + runtime.before])


def judge_windows(runtime: Runtime, windows: Sequence[tuple[EvidenceStream, Sequence[Prepared]]]) -> list[Raw]:
    """Judge the frame number `before` of each of some full windows, of one video or of several, at once.

    Where the runtime carries something over a video, they are windows of that video alone, in order.

    Args:
        windows: each with the stream of its video, all of which compute by this runtime.
    """
    clips = np.stack([np.stack([one.picture for one in window]) for _, window in windows])
    judged = runtime.judge(clips)
    return [
        _raw(how, judged, number, clip, window[runtime.before])
        for number, (clip, (how, window)) in enumerate(zip(clips, windows, strict=True))
    ]


def _raw(how: EvidenceStream, judged: Judged, number: int, clip: NDArray[np.uint8], frame: Prepared) -> Raw:
    """The components of the frame that was judged in a clip (T, h, w, C), which is that number of a batch."""
    before, now = clip[how.runtime.before - 1], clip[how.runtime.before]
    moved = motion(before, now, window=how.window, stride=how.stride)
    values = {name: float(value[number]) for name, value in judged.values.items()}
    maps = {name: value[number] for name, value in judged.maps.items()}
    values["motion"], maps["motion"] = oddest(moved, how.share), moved
    if how.flow or how.direction:
        vectors = vectors_between(before, now)
    if how.flow:
        fast = speeds_of(vectors)
        values["flow"], maps["flow"] = float(fast.max()), fast
    if how.direction:
        along = directions_of(vectors)
        values["direction"], maps["direction"] = oddest(of_places(along), how.share), along
    raw = Raw(frame.number, frame.time_s, values, maps)
    raw = masked(raw, how.regions, how.share) if how.regions else raw
    return how.lessons.applied(raw, frame.at, how.share) if how.lessons else raw


def masked(raw: Raw, regions: Regions, share: float) -> Raw:
    """The components of a frame by the places that regions leave; see `pooled`, and `unmasked`."""
    watched = {name: regions.watched((one.shape[0], one.shape[1])) for name, one in raw.maps.items()}
    return pooled(raw, watched, share)


def unmasked(wanted: Iterable[str], components: Collection[str]) -> list[str]:
    """Components that regions do not change, since the detector does not give the local one that they are the mean of.

    >>> unmasked(("psnr", "distance"), ("psnr", "local_error", "distance"))
    ['distance']
    """
    made_of = {"psnr": "local_error", "distance": "local_distance"}
    return [name for name in wanted if made_of.get(name, name) not in components]


def windows_of(pictures: NDArray[np.uint8], frames: int) -> NDArray[np.uint8]:
    """All windows of neighbouring pictures, as a view: (M, H, W, C) → (M - frames + 1, frames, H, W, C).

    Neighbouring windows share their pictures, so it is for reading only.
    """
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(pictures, frames, axis=0), -1, 1)
