"""Frames in, raw components out: the one path that judging, scoring, live cameras and exports share."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError
from oddframe.scoring.ahead import ahead
from oddframe.scoring.components import of_places
from oddframe.scoring.pace import Continuity
from oddframe.scoring.runtimes.runtime import Runtime
from oddframe.scoring.scores import Raw
from oddframe.video.flow import directions_of, speeds_of, vectors_between
from oddframe.video.motion import motion, oddest
from oddframe.video.picture import Resize, as_picture
from oddframe.video.source import Frame


class _Prepared(NamedTuple):
    """A frame as the detector sees it; its full-size pixels are let go of."""

    number: int
    time_s: float | None
    picture: NDArray[np.uint8]


@dataclass(frozen=True)
class EvidenceStream:
    """How evidence is gathered. It keeps nothing of any video, so that one serves many at a time.

    Attributes:
        runtime: who computes the evidence.
        resize: how pictures are resized. window, stride, share: windows of `motion`, as the runtime's.
        batch: frames judged at once. Components do not depend on it.
        flow, direction: whether there are the components of these names. Both rest on the same optical flow, which
            takes as long as a small network.
    """

    runtime: Runtime
    resize: Resize
    window: int
    stride: int
    share: float
    batch: int
    flow: bool = False
    direction: bool = False

    @property
    def frames(self) -> int:
        """Frames in a row that one judged frame needs."""
        return self.runtime.before + 1 + self.runtime.after

    def of_video(self) -> EvidenceWindow:
        """What slides over the frames of one video."""
        return EvidenceWindow(self)

    def raw(self, frames: Iterable[Frame], *, read_ahead: bool = False) -> Generator[Raw, None, None]:
        """As `EvidenceWindow.raw`, of a window of its own."""
        return self.of_video().raw(frames, read_ahead=read_ahead)

    def picture(self, frame: Frame) -> NDArray[np.uint8]:
        """The frame as the detector sees it: (h, w, C) uint8."""
        return as_picture(frame.pixels, self.runtime.size, self.runtime.channels, self.resize)


class EvidenceWindow:
    """Slides the detector's window over the frames of one video.

    No window lies across missing frames: where the number of a frame is not the next one, or the clock jumps, another
    begins. So the numbers of judged frames leave gaps there, and nowhere else.

    Args:
        how: the stream that it belongs to.

    Attributes:
        unbroken: how many frames have come since the last missing ones.
    """

    def __init__(self, how: EvidenceStream) -> None:
        self._how = how
        self._runtime = how.runtime.for_video()
        self._continuity = Continuity()
        self._held: deque[_Prepared] = deque()
        self.unbroken = 0

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

    def push(self, frame: Frame) -> list[Raw]:
        """Take the next frame; return what can be judged now (with a batch of 1, at once)."""
        return self._push(self._prepare(frame))

    def flush(self) -> list[Raw]:
        """Judge what is held, as at the video's end."""
        judged = list(self._judge(self._held)) if len(self._held) >= self._how.frames else []
        self._held.clear()
        self.unbroken = 0
        return judged

    def notes(self) -> list[str]:
        """What a reader must know of frames that are missing, in sentences."""
        return self._continuity.notes()

    def _push(self, prepared: _Prepared) -> list[Raw]:
        judged = [] if self._continuity.follows(prepared.number, prepared.time_s) else self.flush()
        self._held.append(prepared)
        self.unbroken += 1
        if len(self._held) == self._how.frames - 1 + self._how.batch:
            judged += self._judge(self._held)
            for _ in range(self._how.batch):
                self._held.popleft()
        return judged

    def _prepared(self, frames: Iterable[Frame]) -> Generator[_Prepared, None, None]:
        with contextlib.closing(frames) if isinstance(frames, Generator) else contextlib.nullcontext():
            for frame in frames:
                yield self._prepare(frame)

    def _prepare(self, frame: Frame) -> _Prepared:
        return _Prepared(frame.index, frame.time_s, self._how.picture(frame))

    def _judge(self, held: deque[_Prepared]) -> Iterator[Raw]:
        pictures = np.stack([one.picture for one in held])
        clips = windows_of(pictures, self._how.frames)
        judged = self._runtime.judge(clips)
        for number in range(len(clips)):
            position = number + self._runtime.before
            before, now = pictures[position - 1], pictures[position]
            moved = motion(before, now, window=self._how.window, stride=self._how.stride)
            values = {name: float(value[number]) for name, value in judged.values.items()}
            maps = {name: value[number] for name, value in judged.maps.items()}
            values["motion"], maps["motion"] = oddest(moved, self._how.share), moved
            if self._how.flow or self._how.direction:
                vectors = vectors_between(before, now)
            if self._how.flow:
                fast = speeds_of(vectors)
                values["flow"], maps["flow"] = float(fast.max()), fast
            if self._how.direction:
                along = directions_of(vectors)
                values["direction"], maps["direction"] = oddest(of_places(along), self._how.share), along
            yield Raw(held[position].number, held[position].time_s, values, maps)


def windows_of(pictures: NDArray[np.uint8], frames: int) -> NDArray[np.uint8]:
    """All windows of neighbouring pictures, as a view: (M, H, W, C) → (M - frames + 1, frames, H, W, C).

    Neighbouring windows share their pictures, so it is for reading only.
    """
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(pictures, frames, axis=0), -1, 1)
