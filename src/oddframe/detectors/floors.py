"""What the detectors without a network can be told: the floors that every network has to clear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from oddframe.detectors.settings import Compared, DetectorSettings


class FrameDiffSettings(DetectorSettings):
    """Frame differences: nothing to train, nothing to set."""

    @property
    def gives_distance(self) -> bool:
        return False

    @property
    def compared(self) -> Compared:
        return "frame before"


class FlowSettings(FrameDiffSettings):
    """Optical flow alone: nothing to train, nothing to set."""

    scored_by: ClassVar[Mapping[str, object]] = {"online": ["flow"], "per_place": [], "smoothing": 3}
