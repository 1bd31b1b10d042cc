"""What is remembered of an event: all evidence of its frames, by which a lesson can be learned and tried.

It is kept without any lesson, so that what people forget can be had again. One file an event,
FOLDER/CAMERA/EVENT.npz; events that lessons have silenced have files, too, under ids of their own. Maps take a byte a
place; two minutes of events an hour are some hundred megabytes a day.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import AwareDatetime, Field

from oddframe.arrays import Array, Arrays, ArraySpec, read_arrays, write_arrays
from oddframe.errors import StoreError
from oddframe.files import read_bytes
from oddframe.records import FileRecord, Record, as_json, damaged, parse_record
from oddframe.scoring.calibration_file import ComponentName
from oddframe.scoring.kept import LEVELS, levels_of_file
from oddframe.scoring.pooling import pooled
from oddframe.scoring.regions import Regions
from oddframe.scoring.rounded import Levels, restored
from oddframe.scoring.scores import Raw

REMEMBERED = "remembered"
"""The folder of all of it, in that of the site."""

_WHAT = "what is remembered of an event"
SILENCED = "silenced.jsonl"
_MOST_BYTES = 512 * 2**20
_MOST_SILENCED = 256 * 2**20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SPECS = {
    "about": ArraySpec("u", (None,)),
    "at_us": ArraySpec("i", (None,)),
    "frame": ArraySpec("i", (None,)),
    "time_s": ArraySpec("f", (None,)),
    "anew": ArraySpec("b", (None,)),
    "values/*": ArraySpec("f", (None,)),
    "measures/*": ArraySpec("f", (None,)),
    **LEVELS,
}


class RememberedRecord(FileRecord):
    """What is not an array of a `Remembered`."""

    event: str
    silenced: bool
    profile: str
    scene: str
    calibration: str
    line: float
    began_at: AwareDatetime
    every: int = Field(ge=1)
    components: tuple[ComponentName, ...]


class SilencedRecord(Record):
    """A line of the list of what lessons silenced, in FOLDER/CAMERA/silenced.jsonl."""

    event: str
    at: AwareDatetime
    score: float
    lessons: tuple[int, ...]


@dataclass(frozen=True)
class Remembered:
    """The frames of an event, and some before it.

    Attributes:
        event: its id. silenced: whether lessons had silenced it, so that it is no event.
        profile: of the camera. scene: of the calibration that it was judged by. calibration: a digest of that.
        line: at which it began. began_at: when.
        every: of a long event, one frame of so many is kept.
        at_us: (N,) when frames were taken, microseconds since 1970, UTC. frame, time_s, anew: (N,), as of `Raw`.
        values: component → (N,), raw. measures: component → (N,), what its tail takes (`ComponentNormal.measures`).
        levels: local component → (N, h, w) or (N, h, w, 8). All of it as it was without any lesson.
    """

    event: str
    silenced: bool
    profile: str
    scene: str
    calibration: str
    line: float
    began_at: datetime
    every: int
    at_us: NDArray[np.int64]
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    anew: NDArray[np.bool_]
    values: Mapping[str, NDArray[np.float64]]
    measures: Mapping[str, NDArray[np.float64]]
    levels: Mapping[str, Levels]

    def __len__(self) -> int:
        return len(self.frame)

    def at(self, place: int) -> datetime:
        """When a frame was taken, UTC."""
        return _EPOCH + timedelta(microseconds=int(self.at_us[place]))

    def raw(self, place: int, regions: Regions, share: float) -> Raw:
        """A frame as it was, but for what is lost by rounding.

        Args:
            regions: of its camera. share: of places that local components are taken over.
        """
        maps = {name: restored(one[place]) for name, one in self.levels.items()}
        values = {name: float(one[place]) for name, one in self.values.items()}
        raw = Raw(int(self.frame[place]), float(self.time_s[place]), values, maps, bool(self.anew[place]))
        if not regions:
            return raw
        watched = {name: regions.watched((one.shape[0], one.shape[1])) for name, one in maps.items()}
        return pooled(raw, watched, share)

    def save(self, path: Path) -> int:
        """Write it; return how many bytes that took.

        Raises:
            StorageError: it cannot be written.
        """
        record = RememberedRecord(
            event=self.event,
            silenced=self.silenced,
            profile=self.profile,
            scene=self.scene,
            calibration=self.calibration,
            line=self.line,
            began_at=self.began_at,
            every=self.every,
            components=tuple(self.values),
        )
        arrays: dict[str, Array] = {
            "about": np.frombuffer(as_json(record).encode(), np.uint8),
            **{"at_us": self.at_us, "frame": self.frame, "time_s": self.time_s, "anew": self.anew},
            **{f"values/{name}": one for name, one in self.values.items()},
            **{f"measures/{name}": one for name, one in self.measures.items()},
            **{f"levels/{name}": one for name, one in self.levels.items()},
        }
        write_arrays(path, arrays, "what is remembered of an event cannot be written")
        return path.stat().st_size

    @classmethod
    def load(cls, path: Path) -> Remembered:
        """Read what `save` wrote.

        Raises:
            StoreError: it is missing or damaged.
        """
        arrays = read_arrays(path, _SPECS, _WHAT, limit_bytes=_MOST_BYTES, error=StoreError)
        about = parse_record(arrays["about"].tobytes(), RememberedRecord, _WHAT, path=path, error=StoreError)
        levels = levels_of_file(arrays)
        rows = {name: arrays[name] for name in ("at_us", "frame", "time_s", "anew")}
        columns = {kind: _columns(arrays, kind) for kind in ("values", "measures")}
        several = [*rows.values(), *levels.values(), *(one for of in columns.values() for one in of.values())]
        if len({len(one) for one in several}) != 1 or set(columns["values"]) != set(about.components):
            raise damaged(_WHAT, "arrays of unequal length, or not of all components", path=path, error=StoreError)
        return cls(
            about.event,
            about.silenced,
            about.profile,
            about.scene,
            about.calibration,
            about.line,
            about.began_at,
            about.every,
            rows["at_us"].astype(np.int64),
            rows["frame"].astype(np.int64),
            rows["time_s"].astype(np.float64),
            rows["anew"],
            columns["values"],
            columns["measures"],
            levels,
        )


def _columns(arrays: Arrays, kind: str) -> dict[str, NDArray[np.float64]]:
    begin = f"{kind}/"
    return {name.removeprefix(begin): one.astype(np.float64) for name, one in arrays.items() if name.startswith(begin)}


def folder_of(home: Path, camera: int) -> Path:
    """Where what is remembered of a camera lies. camera: its number in the store."""
    return home / str(camera)


def remembered_of(home: Path, camera: int, event: str) -> Remembered | None:
    """What is remembered of an event of a camera; None where nothing is, or no more.

    Raises:
        StoreError: it is damaged.
    """
    path = folder_of(home, camera) / f"{event}.npz"
    return Remembered.load(path) if path.parent.name == str(camera) and path.is_file() else None


def counts_of(home: Path, camera: int) -> Counter[int]:
    """Review → how many events its lesson has silenced so far, alone or with others.

    Raises:
        StoreError: the list of them cannot be read.
    """
    path = folder_of(home, camera) / SILENCED
    if not path.is_file():
        return Counter()
    found = Counter[int]()
    for line in read_bytes(path, _MOST_SILENCED, "the list of silenced events", error=StoreError).splitlines():
        with contextlib.suppress(ValueError):  # the last one was cut off by a crash
            found.update(SilencedRecord.model_validate_json(line).lessons)
    return found


def all_remembered(home: Path, camera: int) -> list[Path]:
    """Files of all that is remembered of a camera, the oldest first: ids sort by when events began."""
    return sorted(folder_of(home, camera).glob("*.npz"))
