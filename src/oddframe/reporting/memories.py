"""The analysis of a run's memories for its page: what `oddframe analyse` left in the folder, as pictures to draw.

Needs no torch: it reads `analysis.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oddframe.errors import RunError

FILE = "analysis.json"
_FORMAT = 1
_MOST_BYTES = 64_000_000

_MOST_ITEMS = 40
"""Of a memory whose items are drawn one by one."""

KINDS = ("normal", "abnormal")


def drawn_analysis(folder: Path | str) -> dict[str, Any] | None:
    """What `Analysis.save` left in a folder as the template takes it; None where there is nothing.

    Raises:
        RunError: it is damaged, or of another version.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    if path.stat().st_size > _MOST_BYTES:
        raise RunError("too large for an analysis", path=path, seen=f"{path.stat().st_size} bytes", wanted=_MOST_BYTES)
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["format"] != _FORMAT:
            raise RunError("the analysis is of another version", path=path, seen=found["format"], wanted=_FORMAT)
        return {
            "clips": found["clips"],
            "notes": found["notes"],
            "distances": found["distances"],
            "memories": [_memory(name, use) for name, use in found["memories"].items()],
            "spaces": [_space(space) for space in found["spaces"]],
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError("the analysis is damaged", path=path, seen=error) from None


def _memory(name: str, use: Mapping[str, Any]) -> dict[str, Any]:
    items = len(use["similarity"])
    return {
        "name": name,
        "size": items,
        "drawn": items <= _MOST_ITEMS,
        "dead": use["dead"],
        "most_alike": use["largest_similarity"],
        "share": use["share"],
        "highest": max((max(share) for share in use["share"].values()), default=0.0) or 1.0,
        "similarity": use["similarity"] if items <= _MOST_ITEMS else [],
    }


def _space(space: Mapping[str, Any]) -> dict[str, Any]:
    """Points of each kind as a path of dots in a picture of 100 x 100 with a rim; both axes have one scale."""
    points, abnormal = np.array(space["points"], float).reshape(-1, 2), np.array(space["abnormal"], bool)
    low, high = points.min(axis=0), points.max(axis=0)
    places = 50 + 92 * (points - (low + high) / 2) / (float((high - low).max()) or 1.0)
    dots = {kind: _dots(places[abnormal == odd]) for kind, odd in zip(KINDS, (False, True), strict=True)}
    return {"branch": space["branch"], "of": space["of"], "dots": dots}


def _dots(places: Sequence[Any]) -> str:
    """Lines of no length: with round ends they are dots of one size, whatever the size of the picture."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
