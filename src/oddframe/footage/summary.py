"""What is kept of a scored video as JSON: its events, the line, and what all of it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field

from oddframe.records import FileRecord, Record, read_record, write_record
from oddframe.scoring.calibration_file import LineRecord
from oddframe.scoring.scores import Scores

FILE = "scores.json"

_MOST_BYTES = 64 * 2**20
_HINT = "remove the folder, and the video is scored again"


class BoxRecord(Record):
    """A `Box`."""

    x: int
    y: int
    width: int
    height: int


class EventRecord(Record):
    """An `Event`, with the times of day of its frames where they are known ("2026-11-28T14:31:52.400")."""

    start: int
    end: int
    peak: int
    score: float
    start_s: float | None
    end_s: float | None
    peak_s: float | None
    box: BoxRecord | None
    repeats: int
    start_at: str | None
    end_at: str | None
    peak_at: str | None


class Summary(Record):
    """What `Scores.to_dict` gives.

    Attributes:
        began: the time of day of the video's first second, where it is known. frames: how many were judged.
        size: (height, width) of the source. above_line: the share of the judged frames that belong to an event.
    """

    video: str
    scene: str
    began: str | None
    frames: int = Field(ge=0)
    size: tuple[int, int]
    fps: float | None
    line: LineRecord
    above_line: float = Field(ge=0, le=1)
    events: tuple[EventRecord, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """The summary of the scores of a video."""
        return cls.model_validate(scores.to_dict())


class Making(Record):
    """What the files of a scored video were made from.

    Attributes:
        run: a digest of the detector with its settings and its calibration. oddframe: the version.
        start, end, fps, scene, heat_video, clips, start_time: what was asked, see `Asked`.
        video: a digest of how the video's files look, see `looks_of`.
    """

    run: str
    backend: str
    oddframe: str
    start: str | None
    end: str | None
    fps: float | None
    scene: str
    heat_video: bool
    clips: int
    start_time: str | None
    video: str


class SummaryFile(Summary, FileRecord):
    """`scores.json`. made: None where the video was open already. lacking: files that could not be made, and why."""

    made: Making | None
    lacking: dict[str, str]

    def summary(self) -> Summary:
        """What it says of the video."""
        return Summary(**{name: getattr(self, name) for name in Summary.model_fields})


def write_summary(folder: Path, summary: Summary, made: Making | None, lacking: dict[str, str]) -> None:
    """Write scores.json.

    Raises:
        StorageError: it cannot be written.
    """
    write_record(folder / FILE, SummaryFile(**dict(summary), made=made, lacking=lacking))


def read_summary(folder: Path) -> SummaryFile:
    """Read scores.json.

    Raises:
        RunError: it is not there, or it is damaged or of another format; the entry is named.
    """
    return read_record(folder / FILE, SummaryFile, f"the scored video's {FILE}", limit_bytes=_MOST_BYTES, hint=_HINT)
