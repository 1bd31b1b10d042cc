"""What a process that works for a learning is told, and where its results lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oddframe.records import Record
from oddframe.scoring.regions import Regions, RegionsRecord
from oddframe.site.learning import LearnSettings
from oddframe.site.recording import FOOTAGE
from oddframe.teaching.footage import Piece, pieces_of


class Task(Record):
    """A learning, as it is worked on.

    Attributes:
        folder: of the learning. settings: as `LearnSettings.kept`. attempt: number of the attempt.
        left_out: names of pieces. videos: recordings. regions: places that count.
        private: polygons that are black in the footage. time_zone: of the site; "" for the computer's.
    """

    folder: str
    settings: dict[str, Any]
    attempt: int
    left_out: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    regions: RegionsRecord | None = None
    private: tuple[tuple[tuple[float, float], ...], ...] = ()
    time_zone: str = ""

    @property
    def how(self) -> LearnSettings:
        """The settings in full."""
        return LearnSettings.model_validate(self.settings)

    @property
    def home(self) -> Path:
        """The folder of the learning."""
        return Path(self.folder)

    @property
    def footage(self) -> Path:
        """Where the normal video lies."""
        return self.home / FOOTAGE

    @property
    def here(self) -> Path:
        """The folder of the attempt."""
        return self.home / f"attempt-{self.attempt}"

    @property
    def watched(self) -> Regions:
        """The places that count."""
        return Regions() if self.regions is None else Regions(self.regions.watch, self.regions.ignore)

    def pieces(self) -> list[Piece]:
        """The normal video, without what was left out."""
        return pieces_of(self.footage, self.left_out)
