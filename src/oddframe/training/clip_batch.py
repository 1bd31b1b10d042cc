"""The clips of one training step, and the part of them that is one rank's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from oddframe.training.clip_sources import Pixels, Places

_Clips = TypeVar("_Clips", Pixels, Places)


@dataclass(frozen=True)
class ClipBatch:
    """Clips of one step: (B, T, H, W, C) uint8; places (B, H, W) bool mark what is abnormal in them.

    `still` counts the pseudo-anomalies that are lacking, since nothing moved in what they were to be made of.
    """

    normal: Pixels
    second: Pixels | None
    abnormal: Pixels | None
    places: Places | None
    still: int = 0

    def part(self, rank: int, ranks: int) -> ClipBatch:
        """The clips of one of several ranks that share the batch: as many as each of the others has.

        What does not share out among the ranks is left out: abnormal clips, where some could not be made.
        """
        if ranks == 1:
            return self

        def mine(clips: _Clips | None) -> _Clips | None:
            each = 0 if clips is None else len(clips) // ranks
            return clips[rank * each : (rank + 1) * each] if clips is not None and each else None

        normal = mine(self.normal)
        assert normal is not None
        return ClipBatch(normal, mine(self.second), mine(self.abnormal), mine(self.places), self.still)
