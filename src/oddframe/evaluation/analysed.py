"""What an analysis of queries and memories found, as a record; `analysis.py` makes it. Needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainSerializer, PlainValidator, model_validator

from oddframe.records import FileRecord, Record, read_record, write_record

FILE = "analysis.json"
_MOST_BYTES = 64_000_000

Share = Annotated[float, Field(ge=0, le=1)]
Kind = Literal["normal", "abnormal"]
"""Of clips."""


def _points(given: Any) -> NDArray[np.float32]:
    try:
        points = np.asarray(given, np.float32).reshape(-1, 2)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("no list of points") from None
    if not np.isfinite(points).all():
        raise ValueError("a point is not finite")
    return points


def _truths(given: Any) -> NDArray[np.bool_]:
    if isinstance(given, list) and not all(isinstance(one, bool) for one in given):
        raise ValueError("no list of true and false")
    return np.asarray(given, bool).reshape(-1)


_AS_LIST = PlainSerializer(lambda array: array.tolist(), return_type=list)
Points = Annotated[NDArray[np.float32], PlainValidator(_points), _AS_LIST]
Truths = Annotated[NDArray[np.bool_], PlainValidator(_truths), _AS_LIST]


class Distances(Record):
    """Distances of one kind of clip's queries to the items of its own and of the other memory.

    Attributes:
        own, other: mean over clips of d, 0..2. ratio: own over other, as Eqs. 15 and 18. inverse: other over own.
    """

    clips: int
    own: float
    other: float
    ratio: float
    inverse: float


class MemoryUse(Record):
    """How one memory is used.

    Attributes:
        share: kind of clip ("normal", "abnormal") → per item, the share of queries that it is nearest to.
        dead: items that get less than a tenth of an equal share from either kind.
        similarity: (M, M) cosines between items. largest_similarity: between two of them; None for one item.
    """

    share: dict[Kind, tuple[Share, ...]]
    dead: tuple[int, ...]
    similarity: tuple[tuple[float, ...], ...]
    largest_similarity: float | None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        items = len(self.similarity)
        rows = (*self.similarity, *self.share.values())
        if any(len(row) != items for row in rows) or not all(0 <= item < items for item in self.dead):
            raise ValueError(f"rows that do not fit {items} items")
        return self


class Space(Record):
    """Points of one branch's queries, laid out by t-SNE (distances between far points mean nothing).

    Attributes:
        branch: "normality", ... of: "clips" for the mean query of each clip, "places" for one query of each.
        points: (N, 2). abnormal: (N,).
    """

    branch: str
    of: Literal["clips", "places"]
    points: Points
    abnormal: Truths

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.points) != len(self.abnormal) or not len(self.points):
            raise ValueError(f"{len(self.points)} points and {len(self.abnormal)} kinds")
        return self


class Analysis(FileRecord):
    """What was found.

    Attributes:
        clips: kind → how many were looked at.
        distances: "normal" (Eqs. 13-15) and "abnormal" (Eqs. 16-18), where there are both memories and such clips.
        memories: branch → its use. spaces: two a branch. notes: what a reader must know.
    """

    detector: str
    run: str
    clips: dict[Kind, int]
    distances: dict[Kind, Distances]
    memories: dict[str, MemoryUse]
    spaces: tuple[Space, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        clips = ", ".join(f"{count} {kind}" for kind, count in self.clips.items())
        return f"<Analysis {self.run}: {self.detector}, {clips} clips, memories {', '.join(self.memories) or 'none'}>"

    def save(self, folder: Path | str) -> Path:
        """Write `analysis.json` into a folder; return its path.

        Raises:
            StorageError: the folder cannot be written.
        """
        return write_record(Path(folder) / FILE, self)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read an analysis back: its JSON, or that in a run's folder.

        Raises:
            RunError: there is none, or it is damaged or of another version.
        """
        path = Path(path)
        path = path / FILE if path.is_dir() else path
        hint = "make it again: oddframe analyse RUN"
        return read_record(path, cls, "the analysis", limit_bytes=_MOST_BYTES, hint=hint)
