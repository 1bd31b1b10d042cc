"""Frames in, raw components out: the one path that judging, scoring, live cameras and exports share."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError
from oddframe.scoring.ahead import ahead
from oddframe.scoring.runtimes.runtime import Runtime
from oddframe.scoring.scores import Raw
from oddframe.video.motion import motion, oddest
from oddframe.video.source import Frame
from oddframe.video.store import Resize, as_picture


class _Prepared(NamedTuple):
    """A frame as the detector sees it; its full-size pixels are let go of."""

    number: int
    time_s: float | None
    picture: NDArray[np.uint8]


class EvidenceStream:
    """Slides the detector's window over the frames of one video.

    Args:
        runtime: who computes the evidence.
        resize: how pictures are resized. window, stride, share: windows of `motion`, as the runtime's.
        batch: frames judged at once. Components do not depend on it.
    """

    def __init__(self, runtime: Runtime, *, resize: Resize, window: int, stride: int, share: float, batch: int) -> None:
        self._runtime = runtime
        self._of_video = runtime.for_video()
        self._resize = resize
        self._windows = {"window": window, "stride": stride}
        self._share = share
        self._batch = batch
        self._held: deque[_Prepared] = deque()
        self.frames = runtime.before + 1 + runtime.after

    def raw(self, frames: Iterable[Frame], *, read_ahead: bool = False) -> Generator[Raw, None, None]:
        """Yield one `Raw` for every frame that has a full window around it, in order.

        Args:
            frames: of one video.
            read_ahead: decode and resize the next frames while a batch is judged. Close it if it is left early.

        Raises:
            CutOffVideoError: the video ends in the middle; all that could be judged was yielded before.
        """
        self._held.clear()
        self._of_video = self._runtime.for_video()
        prepared = self._prepared(frames)
        try:
            with ahead(prepared, self._batch + 1) if read_ahead else contextlib.nullcontext(prepared) as coming:
                for one in coming:
                    yield from self._push(one)
        except CutOffVideoError:
            yield from self.flush()
            raise
        yield from self.flush()

    def push(self, frame: Frame) -> list[Raw]:
        """Take the next frame; return what can be judged now (with a batch of 1, at once)."""
        return self._push(self._prepare(frame))

    def _push(self, prepared: _Prepared) -> list[Raw]:
        self._held.append(prepared)
        if len(self._held) < self.frames - 1 + self._batch:
            return []
        judged = list(self._judge(self._held))
        for _ in range(self._batch):
            self._held.popleft()
        return judged

    def flush(self) -> list[Raw]:
        """Judge what is held, as at the video's end."""
        judged = list(self._judge(self._held)) if len(self._held) >= self.frames else []
        self._held.clear()
        return judged

    def picture(self, frame: Frame) -> NDArray[np.uint8]:
        """The frame as the detector sees it: (h, w, C) uint8."""
        return as_picture(frame.pixels, self._runtime.size, self._runtime.channels, self._resize)

    def _prepared(self, frames: Iterable[Frame]) -> Generator[_Prepared, None, None]:
        with contextlib.closing(frames) if isinstance(frames, Generator) else contextlib.nullcontext():
            for frame in frames:
                yield self._prepare(frame)

    def _prepare(self, frame: Frame) -> _Prepared:
        return _Prepared(frame.index, frame.time_s, self.picture(frame))

    def _judge(self, held: deque[_Prepared]) -> Iterator[Raw]:
        pictures = np.stack([one.picture for one in held])
        clips = windows_of(pictures, self.frames)
        judged = self._of_video.judge(clips)
        for number in range(len(clips)):
            position = number + self._runtime.before
            moved = motion(pictures[position - 1], pictures[position], **self._windows)
            values = {name: float(value[number]) for name, value in judged.values.items()}
            maps = {name: value[number] for name, value in judged.maps.items()}
            yield Raw(
                held[position].number,
                held[position].time_s,
                values | {"motion": oddest(moved, self._share)},
                maps | {"motion": moved},
            )


def windows_of(pictures: NDArray[np.uint8], frames: int) -> NDArray[np.uint8]:
    """All windows of neighbouring pictures, as a view: (M, H, W, C) → (M - frames + 1, frames, H, W, C).

    Neighbouring windows share their pictures, so it is for reading only.
    """
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(pictures, frames, axis=0), -1, 1)
