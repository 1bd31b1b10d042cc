"""The oddest held-out frames, map by map: what a lesson would silence of the video that drew the line.

A lesson changes frames that are odd at some place, and the line lies among the oddest frames: of all others no map is
needed, and a day of video has a million of them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.arrays import Array, ArraySpec, read_arrays, write_arrays
from oddframe.errors import RunError
from oddframe.records import damaged
from oddframe.scoring.rounded import Levels, restored, rounded
from oddframe.scoring.scores import COMPONENTS, Raw

FILE = "maps.npz"

MOST_FRAMES, MOST_BYTES = 3000, 32 * 2**20
"""Frames that are kept at most, and bytes that their maps take in memory; a third of it on disk."""

LEVELS = {"levels/direction": ArraySpec("u", (None, None, None, None)), "levels/*": ArraySpec("u", (None, None, None))}
"""Maps of several frames in a file."""

_SPECS = {"stretch": ArraySpec("i", (None,)), "row": ArraySpec("i", (None,)), **LEVELS}
_WHAT = "the fitting's file of maps"


@dataclass(frozen=True)
class KeptMaps:
    """Maps of held-out frames.

    Attributes:
        stretch, row: (M,) which frame: number of a held-out stretch with frames, and of a frame in it.
        levels: local component → (M, h, w) or (M, h, w, 8).
    """

    stretch: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    row: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    levels: Mapping[str, Levels] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row)

    def frames(self) -> Iterator[tuple[int, int, dict[str, NDArray[np.float32]]]]:
        """(stretch, row, maps) of each."""
        for place, (stretch, row) in enumerate(zip(self.stretch.tolist(), self.row.tolist(), strict=True)):
            yield stretch, row, {name: restored(one[place]) for name, one in self.levels.items()}

    def save(self, folder: Path) -> str:
        """Write maps.npz; return its SHA-256.

        Raises:
            StorageError: it cannot be written.
        """
        arrays: dict[str, Array] = {"stretch": self.stretch, "row": self.row}
        arrays |= {f"levels/{name}": one for name, one in self.levels.items()}
        return write_arrays(folder / FILE, arrays, "the fitting cannot be written")

    @classmethod
    def load(cls, folder: Path, digest: str) -> KeptMaps:
        """Read what `save` wrote.

        Raises:
            RunError: it is missing, damaged, or another one.
        """
        arrays = read_arrays(folder / FILE, _SPECS, _WHAT, limit_bytes=2**30, digest=digest)
        levels = levels_of_file(arrays)
        if any(len(one) != len(arrays["row"]) for one in (arrays["stretch"], *levels.values())):
            raise damaged(_WHAT, "arrays of unequal length", path=folder / FILE, error=RunError)
        return cls(arrays["stretch"].astype(np.int64), arrays["row"].astype(np.int64), levels)


class Keeping:
    """Gathers the oddest frames while they come, stretch by stretch."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, int, Mapping[str, Levels]]] = []
        self._order = count()

    def take(self, stretch: int, row: int, odd: float, raw: Raw) -> None:
        """Take a frame, with a number that is larger for an odder one."""
        full = len(self._heap) >= self._most(raw)
        if full and odd <= self._heap[0][0]:
            return
        one = (odd, next(self._order), stretch, row, rounded(raw.maps))
        if full:
            heapq.heapreplace(self._heap, one)
        else:
            heapq.heappush(self._heap, one)

    @staticmethod
    def _most(raw: Raw) -> int:
        return min(MOST_FRAMES, max(1, MOST_BYTES // max(1, sum(one.size for one in raw.maps.values()))))

    def kept(self) -> KeptMaps:
        """What was gathered, in the order of the video."""
        heap = sorted(self._heap, key=lambda one: one[2:4])
        if not heap:
            return KeptMaps()
        return KeptMaps(
            np.array([one[2] for one in heap], np.int64),
            np.array([one[3] for one in heap], np.int64),
            {name: np.stack([one[4][name] for one in heap]) for name in heap[0][4]},
        )


def levels_of_file(arrays: Mapping[str, Array]) -> dict[str, Levels]:
    """The maps in a file, by component.

    Raises:
        RunError: of a component that nobody knows.
    """
    levels = {name.removeprefix("levels/"): one for name, one in arrays.items() if name.startswith("levels/")}
    if strange := set(levels) - set(COMPONENTS):
        raise damaged(_WHAT, f"maps of '{min(strange)[:50]}'")
    return {name: one.astype(np.uint8) for name, one in levels.items()}
