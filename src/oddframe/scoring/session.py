"""Frames in as they come, scores out: one video, or one live camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError
from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.backgrounds import Backgrounds, Still
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.evidence import EvidenceWindow
from oddframe.scoring.scores import FrameScore, Raw
from oddframe.video.source import Frame

Picture = Frame | NDArray[np.uint8]
"""A frame with its number and time, or its pixels alone: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, uint8."""


class Session:
    """Scores the frames of one video or camera, one after another; `Scorer.session` opens it.

    It holds all that changes from frame to frame, so that one `Scorer` serves many sessions at the same time. A session
    is for one thread.

    Args:
        window: over the frames that come, one at a time; `before` of them stand before the judged one.
        calibration, backgrounds, rule: of the run.
        scene: which of the trained scenes it shows; "" for none. fps: frames a second of frames that carry no times.

    >>> scorer = Scorer("runs/gate")                                                          # doctest: +SKIP
    >>> session = scorer.session(fps=10)                                                      # doctest: +SKIP
    >>> for pixels in camera:                                                                 # doctest: +SKIP
    ...     for one in session.push(pixels):
    ...         print(one.frame, one.online, one.alarm)
    """

    def __init__(
        self,
        window: EvidenceWindow,
        before: int,
        calibration: Calibration,
        backgrounds: Backgrounds,
        rule: AlarmRule,
        scene: str,
        fps: float | None,
    ) -> None:
        normal, self._note = calibration.scene(scene)
        self._window, self._before = window, before
        self._backgrounds, self._scene, self._fps = backgrounds, scene, fps
        self._fusing = Fusing(normal)
        self._tracker = EventTracker(calibration.line, rule, fps)
        self._still = Still()
        self._waiting: deque[FrameScore] = deque()
        self._count = 0

    def push(self, frame: Picture, time_s: float | None = None) -> list[FrameScore]:
        """Take the next frame; return the scores that are known now, in order.

        Every frame gets one score. Where a detector looks ahead, it comes so many frames later; else with its frame.
        Frames without a full window around them (the first ones, and the first ones after missing frames) have no
        number in it: their `online` is None.

        Args:
            frame: a `Frame`, or pixels: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, uint8. Numbers of frames go up by one;
                where they do not, frames are missing, and no window lies across that.
            time_s: seconds on any clock that goes on evenly, for pixels; without it, by `fps`.

        Raises:
            DataError: these are no pixels of a picture.
        """
        taken = self._as_frame(frame, time_s)
        self._count = taken.index + 1
        self._still.take(taken.pixels)
        judged = self._window.push(taken)
        scored = [one for raw in judged for one in self._scored(raw)]
        if self._window.unbroken == 1:  # nothing that came before can be judged any more
            scored += self._left()
        unscored = FrameScore(taken.index, taken.time_s, None, {}, None, False)
        if self._window.unbroken <= self._before:
            return [*scored, unscored]
        if not (judged and judged[-1].frame == taken.index):
            self._waiting.append(unscored)
        return scored

    def flush(self) -> list[FrameScore]:
        """End the video; return the scores of the frames that still wait for one. What is pushed then begins anew."""
        scored = [one for raw in self._window.flush() for one in self._scored(raw)]
        return [*scored, *self._left()]

    @property
    def notes(self) -> list[str]:
        """What a reader must know so far: scenes, missing frames, a background that is not that of the training."""
        told = [self._note, *self._window.notes(), *self._backgrounds.notes(self._scene, self._still.picture())]
        return [note for note in told if note]

    def __repr__(self) -> str:
        return f"<Session: {self._count} frames>"

    def _scored(self, raw: Raw) -> Iterator[FrameScore]:
        while self._waiting and self._waiting[0].frame <= raw.frame:
            waited = self._waiting.popleft()
            if waited.frame < raw.frame:
                yield waited
        calibrated, online, _ = self._fusing.take(raw)
        self._tracker.update(raw.frame, raw.time_s, online)
        yield FrameScore(raw.frame, raw.time_s, raw, calibrated, online, self._tracker.alarm)

    def _left(self) -> list[FrameScore]:
        left = list(self._waiting)
        self._waiting.clear()
        return left

    def _as_frame(self, frame: Picture, time_s: float | None) -> Frame:
        if isinstance(frame, Frame):
            return frame
        if time_s is None and self._fps is not None:
            time_s = self._count / self._fps
        return Frame(self._count, time_s, as_pixels(frame))


class Fusing:
    """The evidence of one video's frames, one after another, becomes causal scores; they begin anew where frames are
    missing."""

    def __init__(self, normal: SceneNormal) -> None:
        self._normal, self._stream = normal, normal.fused.stream()
        self._frame: int | None = None

    def take(self, raw: Raw) -> tuple[dict[str, float], float, float]:
        """Return (rarities of the components, online, learned) of the next frame."""
        if self._frame is not None and raw.frame != self._frame + 1:
            self._stream = self._normal.fused.stream()
        self._frame = raw.frame
        rarities = self._normal.components.rarities(raw)
        return rarities, *self._stream.take(rarities)


def as_pixels(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture as (H, W, 1 | 3).

    Raises:
        DataError: it has another type or shape.

    >>> as_pixels(np.zeros((48, 64), np.uint8)).shape
    (48, 64, 1)
    """
    array = np.asarray(picture)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3)):
        raise DataError(
            "this is no picture",
            seen=f"{array.dtype} of shape {array.shape}",
            wanted="uint8 of shape (height, width), (height, width, 1) or (height, width, 3)",
            hint="pictures in [0, 1]: (255 * picture).astype(np.uint8)" if array.dtype.kind == "f" else None,
        )
    if not array.size:
        raise DataError("this picture is empty", seen=f"shape {array.shape}", wanted="at least one pixel")
    return array[:, :, None] if array.ndim == 2 else array
