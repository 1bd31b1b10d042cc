"""The analysis of a run's memories for its page: what `oddframe analyse` left in the folder, as pictures to draw.

Needs no torch: it reads `analysis.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oddframe.evaluation.analysed import FILE, Analysis, Distances, Kind, MemoryUse, Space

_MOST_ITEMS = 40
"""Of a memory whose items are drawn one by one."""

KINDS = ("normal", "abnormal")


@dataclass(frozen=True)
class DrawnMemory:
    """How a memory is used.

    Attributes:
        size: items. drawn: whether they are drawn one by one. dead: numbers of those that serve next to none.
        most_alike: the largest similarity of two. share: kind of clip → share of its queries by item.
        highest: of these shares. similarity: of each pair of items, where they are drawn.
    """

    name: str
    size: int
    drawn: bool
    dead: Sequence[int]
    most_alike: float | None
    share: Mapping[Kind, Sequence[float]]
    highest: float
    similarity: Sequence[Sequence[float]]


@dataclass(frozen=True)
class DrawnSpace:
    """The points of a space: kind of clip → a path of dots in a picture of 100 x 100. See `Space`."""

    branch: str
    of: str
    dots: Mapping[str, str]


@dataclass(frozen=True)
class DrawnAnalysis:
    """What `Analysis` holds, as pictures to draw."""

    clips: Mapping[Kind, int]
    notes: Sequence[str]
    distances: Mapping[Kind, Distances]
    memories: list[DrawnMemory]
    spaces: list[DrawnSpace]


def drawn_analysis(folder: Path | str) -> DrawnAnalysis | None:
    """What `Analysis.save` left in a folder as the template takes it; None where there is nothing.

    Raises:
        RunError: it is damaged, or of another version.
    """
    if not (Path(folder) / FILE).is_file():
        return None
    found = Analysis.load(folder)
    return DrawnAnalysis(
        clips=found.clips,
        notes=found.notes,
        distances=found.distances,
        memories=[_memory(name, use) for name, use in found.memories.items()],
        spaces=[_space(space) for space in found.spaces],
    )


def _memory(name: str, use: MemoryUse) -> DrawnMemory:
    items = len(use.similarity)
    return DrawnMemory(
        name=name,
        size=items,
        drawn=items <= _MOST_ITEMS,
        dead=use.dead,
        most_alike=use.largest_similarity,
        share=use.share,
        highest=max((max(share) for share in use.share.values()), default=0.0) or 1.0,
        similarity=use.similarity if items <= _MOST_ITEMS else [],
    )


def _space(space: Space) -> DrawnSpace:
    """Points of each kind as a path of dots in a picture of 100 x 100 with a rim; both axes have one scale."""
    points, abnormal = space.points.astype(float), space.abnormal
    low, high = points.min(axis=0), points.max(axis=0)
    places = 50 + 92 * (points - (low + high) / 2) / (float((high - low).max()) or 1.0)
    dots = {kind: _dots(places[abnormal == odd]) for kind, odd in zip(KINDS, (False, True), strict=True)}
    return DrawnSpace(space.branch, space.of, dots)


def _dots(places: Sequence[Any]) -> str:
    """Lines of no length: with round ends they are dots of one size, whatever the size of the picture."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
