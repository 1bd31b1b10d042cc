"""Frames in as they come, scores out: one video, or one live camera."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError
from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.backgrounds import Backgrounds, Still
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.evidence import EvidenceWindow
from oddframe.scoring.fusion import raised
from oddframe.scoring.heat import place_of
from oddframe.scoring.scores import FrameScore, Raw
from oddframe.video.source import Frame

Picture = Frame | NDArray[np.uint8]
"""A frame with its number and time, or its pixels alone: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, uint8."""


class Session:
    """Scores the frames of one video or camera, one after another; `Scorer.session` opens it.

    It holds all that changes from frame to frame, so that one `Scorer` serves many sessions at the same time; its
    memory does not grow. A session is for one thread.

    Frames come at whatever rate they do: by their times they are resampled to the rate that the detector was trained
    at. After a gap, or where the clock jumps, the window begins anew, so that neither is an anomaly.

    Args:
        window: over the frames that come, one at a time.
        calibration, backgrounds, rule: of the run.
        scene: which of the trained scenes it shows; "" for none. fps: frames a second of frames that carry no times.

    >>> scorer = Scorer("runs/gate")                                                          # doctest: +SKIP
    >>> session = scorer.session()                                                            # doctest: +SKIP
    >>> while True:                                                                           # doctest: +SKIP
    ...     score = session.push(camera.read(), time.monotonic())
    ...     if score is not None and score.alarm:
    ...         print(score.time_s, score.online, score.box)
    """

    def __init__(
        self,
        window: EvidenceWindow,
        calibration: Calibration,
        backgrounds: Backgrounds,
        rule: AlarmRule,
        scene: str,
        fps: float | None,
    ) -> None:
        self._normal, self._note = calibration.scene(scene)
        self._window, self._calibration = window, calibration
        self._backgrounds, self._scene, self._fps = backgrounds, scene, fps
        self._fusing = Fusing(self._normal)
        self._tracker = EventTracker(calibration.line, rule, fps)
        self._still = Still()
        self._count = 0

    def push(self, frame: Picture, time_s: float | None = None) -> FrameScore | None:
        """Take the next frame; return the score that is known now.

        It is that of this frame; of a detector that looks ahead, that of the frame so many frames ago: `frame` and
        `time_s` of the score say which. None where there is no score: until the detector's window is full, at the
        start and after a gap, and for a frame that is left out since more come than the detector was trained at.

        Args:
            frame: pixels: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, uint8; or a `Frame`. Numbers of `Frame`s go up by
                one; where they do not, frames are missing, and no window lies across that.
            time_s: seconds of pixels, on any clock that goes on evenly; without it, by `fps`.

        Raises:
            DataError: these are no pixels of a picture, or `time_s` is no time.
        """
        taken = self._as_frame(frame, time_s)
        self._count = taken.index + 1
        self._still.take(taken.pixels)
        for raw in self._window.push(taken):
            calibrated, online, _ = self._fusing.take(raw)
            self._tracker.update(raw.frame, raw.time_s, online, anew=raw.anew)
            height, width = taken.pixels.shape[:2]
            look = partial(place_of, self._calibration, self._normal, raw, (height, width))
            return FrameScore(raw.frame, raw.time_s, raw, calibrated, online, self._tracker.alarm, look)
        return None

    @property
    def notes(self) -> list[str]:
        """What a reader must know so far: scenes, frames that are missing or left out, the rate, a background that is
        not that of the training."""
        told = [self._note, *self._window.notes(), *self._backgrounds.notes(self._scene, self._still.picture())]
        return [note for note in told if note]

    def __repr__(self) -> str:
        return f"<Session: {self._count} frames>"

    def _as_frame(self, frame: Picture, time_s: float | None) -> Frame:
        if not isinstance(frame, Frame):
            frame = Frame(self._count, time_s, as_pixels(frame))
        if frame.time_s is None and self._fps is not None:
            frame = replace(frame, time_s=frame.index / self._fps)
        if frame.time_s is not None and not math.isfinite(frame.time_s):
            raise DataError("this is no time", seen=frame.time_s, wanted="seconds on a clock that goes on evenly")
        return frame


class Fusing:
    """The evidence of one video's frames, one after another, becomes causal scores; they begin anew after a gap."""

    def __init__(self, normal: SceneNormal) -> None:
        self._normal, self._stream = normal, normal.fused.stream()

    def take(self, raw: Raw) -> tuple[dict[str, float], float, float]:
        """Return (rarities of the components, online, learned) of the next frame, none of them below 0."""
        rarities = self._normal.components.rarities(raw)
        return as_shown(rarities), *self.fuse(rarities, anew=raw.anew)

    def fuse(self, rarities: Mapping[str, float], *, anew: bool) -> tuple[float, float]:
        """Return (online, learned) of the next frame, of which the rarities are known."""
        if anew:
            self._stream = self._normal.fused.stream()
        return self._stream.take(rarities)


def as_shown(rarities: Mapping[str, float]) -> dict[str, float]:
    """Rarities as people see them, none below 0. They are fused as they are, so that what is calmer than all footage
    still weighs."""
    return {name: raised(rarity) for name, rarity in rarities.items()}


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
    return np.ascontiguousarray(array[:, :, None] if array.ndim == 2 else array)
