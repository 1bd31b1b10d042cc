"""What `bench` measured, as records."""

from __future__ import annotations

from oddframe.origin import HostInfo
from oddframe.records import Record


class Figure(Record):
    """A figure over the repeats: its median and its quartiles."""

    median: float
    lower: float
    upper: float


class Source(Record):
    """The video that was read: (height, width), and frames a second where known."""

    size: tuple[int, int]
    fps: float | None


class Reading(Record):
    """Pictures a second as the first detector wants them.

    Attributes:
        drawn: whether the video was drawn for it. picture: height, width, channels.
        decoded: from the file, resized. stored: from the frame store. peak_memory_mb: of the process.
    """

    drawn: bool
    source: Source
    picture: tuple[int, int, int]
    decoded: Figure
    stored: Figure
    peak_memory_mb: float | None


class Scoring(Record):
    """How fast one detector scores, by one backend, with one batch size.

    Attributes:
        network, scored: frames a second, of the network alone and from the video to scores.
        gflop: of a frame, None where unknown. share: of the limit, None where unknown. peak_memory_mb: of the process.
    """

    of: str
    backend: str
    batch: int
    precision: str
    gflop: float | None
    network: Figure
    scored: Figure
    peak_memory_mb: float | None
    share: float | None


class Training(Record):
    """How long a step of a run's training takes.

    Attributes:
        step: seconds. batch: clips of a step. gflop, share, peak_memory_mb: as of `Scoring`, of a step.
    """

    of: str
    batch: int
    precision: str
    gflop: float
    step: Figure
    peak_memory_mb: float | None
    share: float | None


class Benched(Record):
    """What was measured in one run.

    Attributes:
        limit: precision → GFLOP/s of a matrix product; empty without torch, no "bf16" where there are no units for it.
        frames: of reading video; None where its process was lost. left_out: what was not measured, and why.
        repeats: how often each figure was measured. threads: that were used.
    """

    limit: dict[str, Figure]
    frames: Reading | None
    scoring: tuple[Scoring, ...]
    training: tuple[Training, ...]
    left_out: tuple[str, ...]
    repeats: int
    threads: int
    host: HostInfo
    versions: dict[str, str]
