"""Whether the box around the oddest place of a frame meets its mask, one frame after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import DataError
from oddframe.evaluation.regions import Map
from oddframe.scoring.heat import box_of

if TYPE_CHECKING:
    from oddframe.data.videoset import LabelledVideo

UNKNOWN, ELSEWHERE, MEETS = -1, 0, 1


class Pointing:
    """Follows the maps of one labelled video; what it finds is `JudgedVideo.in_place`.

    Only frames that are labelled abnormal and have a mask with an odd pixel are looked at: of the others nobody knows
    where they are odd.
    """

    def __init__(self, video: LabelledVideo) -> None:
        self._video = video
        self._found: dict[int, int] = {}
        self._trouble = ""

    @property
    def wanted(self) -> bool:
        """Whether the video has masks at all."""
        return self._video.masks is not None

    def take(self, frame: int, maps: Mapping[str, Map]) -> None:
        """Take the next judged frame (its number in the source) and its maps, of which "online" is the heat."""
        video, position = self._video, frame - self._video.video.first_index
        if video.masks is None or video.labels is None or self._trouble or not video.labels[position]:
            return
        try:
            mask = video.masks.read(position)
        except DataError as error:
            self._trouble = f"{error.problem} ({error.path})"
            return
        if mask is not None and mask.any():
            x, y, width, height = box_of(maps["online"], video.video.size)
            self._found[frame] = MEETS if mask[y : y + height, x : x + width].any() else ELSEWHERE

    def of(self, frames: NDArray[np.int64]) -> NDArray[np.int8] | None:
        """(N,) int8 for these judged frames, see `JudgedVideo.in_place`; None where no mask was met."""
        if not self._found or self._trouble:
            return None
        return np.array([self._found.get(frame, UNKNOWN) for frame in frames.tolist()], np.int8)

    def notes(self) -> list[str]:
        """What a reader must know."""
        if not self._trouble:
            return []
        return [f"Whether alarms of '{self._video.name}' point at the odd places is not judged: {self._trouble}."]
