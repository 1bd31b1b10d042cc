"""How odd each camera was over the last days: the highest score of every ten seconds, with the line that held then.

It lies in files of a fixed size, one a camera and day (UTC), so that an hour of it is read in no time, and months of it
never are: SITE/scores/CAMERA/DAY.f4, CAMERA being the camera's number, 8640 pairs (score, line) of float32, little
endian, NaN where nothing was judged.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import StorageError

SLOT_S = 10
"""Seconds that share one value."""

KEPT_DAYS = 14

_SLOTS = 24 * 3600 // SLOT_S
_PAIR = np.dtype("<f4").itemsize * 2


class Peak(NamedTuple):
    """The oddest frame of some seconds.

    Attributes:
        at: when, UTC. score: higher is odder. line: where alarms began then.
    """

    at: datetime
    score: float
    line: float


class ScoreHistory:
    """Keeps and gives scores of cameras; one process adds, any may read.

    Args:
        folder: of it; it is made when something is added.

    >>> import tempfile
    >>> history, noon = ScoreHistory(Path(tempfile.mkdtemp())), datetime(2026, 11, 30, 12, tzinfo=UTC)
    >>> history.add(1, [Peak(noon, 0.5, 3.0), Peak(noon + timedelta(seconds=9), 4.0, 3.0)])
    >>> history.between(1, noon, noon + timedelta(seconds=20))
    array([[ 4.,  3.],
           [nan, nan]], dtype=float32)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, camera: int, peaks: Iterable[Peak]) -> None:
        """Keep scores; of ten seconds the highest counts.

        Args:
            camera: its number in the store.

        Raises:
            StorageError: they cannot be written.
        """
        by_day: dict[date, list[Peak]] = {}
        for peak in peaks:
            by_day.setdefault(peak.at.astimezone(UTC).date(), []).append(peak)
        for day, of_day in by_day.items():
            path = self._place(camera, day)
            try:
                self._write(path, of_day)
            except OSError as error:
                raise StorageError.of(error, "scores cannot be kept", path) from None

    def between(self, camera: int, since: datetime, until: datetime) -> NDArray[np.float32]:
        """Scores of [since, until), both taken back to the ten seconds in which they lie.

        Returns:
            (N, 2): the highest score of each ten seconds, and the line; NaN where nothing was judged.
        """
        first, last = slot_of(since), slot_of(until)
        found = np.full((max(0, last - first), 2), np.nan, np.float32)
        for number in range(first // _SLOTS, -(-last // _SLOTS)):
            of_day = self._day(camera, date(1970, 1, 1) + timedelta(days=number))
            if of_day is None:
                continue
            begin, end = max(first, number * _SLOTS), min(last, (number + 1) * _SLOTS)
            found[begin - first : end - first] = of_day[begin - number * _SLOTS : end - number * _SLOTS]
        return found

    def tidy(self, today: date) -> None:
        """Remove what is older than `KEPT_DAYS`."""
        oldest = f"{today - timedelta(days=KEPT_DAYS)}.f4"
        for path in self._folder.glob("*/*.f4"):
            if path.name < oldest:
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # it is not empty
                    path.parent.rmdir()

    def _write(self, path: Path, peaks: list[Peak]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("r+b" if path.exists() else "w+b") as file:
            size = file.seek(0, os.SEEK_END) // _PAIR  # of a file that was cut short, the end is made again
            file.seek(size * _PAIR)
            file.write(np.full((_SLOTS - size, 2), np.nan, "<f4").tobytes())
            for peak in peaks:
                place = slot_of(peak.at) % _SLOTS * _PAIR
                file.seek(place)
                if not np.frombuffer(file.read(_PAIR), "<f4")[0] >= peak.score:
                    file.seek(place)
                    file.write(np.array([peak.score, peak.line], "<f4").tobytes())

    def _day(self, camera: int, day: date) -> NDArray[np.float32] | None:
        try:
            with self._place(camera, day).open("rb") as file:
                content = file.read(_SLOTS * _PAIR)
        except OSError:
            return None
        found = np.full(_SLOTS * 2, np.nan, np.float32)  # a file that was cut short lacks its end
        values = np.frombuffer(content[: len(content) // _PAIR * _PAIR], "<f4")
        found[: len(values)] = values
        return found.reshape(_SLOTS, 2)

    def _place(self, camera: int, day: date) -> Path:
        return self._folder / str(camera) / f"{day}.f4"


def slot_of(at: datetime) -> int:
    """The number of the ten seconds in which a moment lies, since 1970."""
    return int(at.timestamp()) // SLOT_S
