"""Frames in, raw components out: the one path that judging, scoring, live cameras and exports share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError
from oddframe.scoring.runtimes import Runtime
from oddframe.scoring.scores import Raw
from oddframe.video.motion import motion, oddest
from oddframe.video.source import Frame
from oddframe.video.store import Resize, as_picture


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
        self._held: deque[tuple[Frame, NDArray[np.uint8]]] = deque()
        self.frames = runtime.before + 1 + runtime.after

    def raw(self, frames: Iterable[Frame]) -> Iterator[Raw]:
        """Yield one `Raw` for every frame that has a full window around it, in order.

        Raises:
            CutOffVideoError: the video ends in the middle; all that could be judged was yielded before.
        """
        self._held.clear()
        self._of_video = self._runtime.for_video()
        try:
            for frame in frames:
                yield from self.push(frame)
        except CutOffVideoError:
            yield from self.flush()
            raise
        yield from self.flush()

    def push(self, frame: Frame) -> list[Raw]:
        """Take the next frame; return what can be judged now (with a batch of 1, at once)."""
        self._held.append((self._light(frame), self.picture(frame)))
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

    @staticmethod
    def _light(frame: Frame) -> Frame:
        """The frame without its full-size pixels, so that a window holds small pictures only."""
        return Frame(frame.index, frame.time_s, np.empty((0, 0, 1), np.uint8))

    def _judge(self, held: deque[tuple[Frame, NDArray[np.uint8]]]) -> Iterator[Raw]:
        pictures = np.stack([picture for _, picture in held])
        windows = len(pictures) - self.frames + 1
        clips = np.stack([pictures[first : first + self.frames] for first in range(windows)])
        judged = self._of_video.judge(clips)
        for number in range(windows):
            position = number + self._runtime.before
            frame = held[position][0]
            moved = motion(pictures[position - 1], pictures[position], **self._windows)
            values = {name: float(value[number]) for name, value in judged.values.items()}
            maps = {name: value[number] for name, value in judged.maps.items()}
            yield Raw(
                frame.index, frame.time_s, values | {"motion": oddest(moved, self._share)}, maps | {"motion": moved}
            )
