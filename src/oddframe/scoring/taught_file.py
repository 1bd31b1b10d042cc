"""What people taught a fitting, on disk, beside the fitting itself, which stays as it is.

taught.json           lessons and reviewed anomalies in words; the line, its promise and weights after them
taught-DIGEST.npz     places, looks, anomalies, and what held-out video scores after them

The first names the second and its digest, and takes its place whole; who forgets everything finds neither.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import time
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from oddframe.arrays import Array, Arrays, ArraySpec, read_arrays, write_arrays
from oddframe.errors import RunError
from oddframe.files import file_digest
from oddframe.records import FileRecord, Record, damaged, read_record, write_record
from oddframe.scoring.calibration import LEARNED_IS_ONLINE, POOLED, Calibration
from oddframe.scoring.calibration_file import WORDS, ComponentName, LineRecord, TailRecord, Weights
from oddframe.scoring.lessons import Lesson, Lessons, Reach
from oddframe.scoring.promise import Promise
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.taught import Reviewed, Said

FILE = "taught.json"
_ARRAYS = re.compile(r"taught-[0-9a-f]{16}\.npz")
_WHAT = "what the fitting was taught"
_PROBLEM = "what the fitting was taught cannot be written"
_HINT = "copy the fitting again; without taught.json it is as it was before anyone taught it"
_MOST_BYTES = 256 * 2**20
_TRIES = 5

Stamp = tuple[int, int, int]

MOST_SAID = 500
"""Reviews that a fitting can hold."""

_SPECS = {
    "online": ArraySpec("f", (None,)),
    "places/*": ArraySpec("b", (None, None)),
    "looks/*": ArraySpec("i", (None, None)),
    "usual/*": ArraySpec("i", (None, None)),
    "values/*": ArraySpec("f", (None,)),
    "placed/*": ArraySpec("f", (None,)),
}


class LessonRecord(Record):
    """What is no array of a `Lesson`. begin, end: time of day, both or neither."""

    number: int = Field(ge=0)
    reach: Reach
    radius: float = Field(gt=0)
    begin: time | None
    end: time | None
    units: dict[ComponentName, Annotated[float, Field(gt=0)]] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.begin is None) != (self.end is None):
            raise ValueError("hours have both a begin and an end, or neither")
        return self


class ReviewedRecord(Record):
    """What is no array of a `Reviewed`."""

    number: int = Field(ge=0)
    scene: str
    values: tuple[ComponentName, ...] = Field(min_length=1)
    placed: tuple[ComponentName, ...]


class LearnedRecord(Record):
    """`learned` after reviewed anomalies: its weights, and its tail by scene."""

    weights: Weights
    tails: dict[str, TailRecord]


class TaughtRecord(FileRecord):
    """What taught.json holds.

    Attributes:
        fitting: digest of the calibration.json that it was taught to.
        file, digest: with the arrays, and its SHA-256.
        line, promise: where alarms begin after it, and what that promises. learned: None without reviewed anomalies.
    """

    fitting: str
    file: str = Field(pattern=f"^{_ARRAYS.pattern}$")
    digest: str
    line: LineRecord
    learned: LearnedRecord | None
    lessons: tuple[LessonRecord, ...] = Field(max_length=MOST_SAID)
    alarms: tuple[ReviewedRecord, ...] = Field(max_length=MOST_SAID)
    promise: Promise


@dataclass(frozen=True)
class Taught:
    """What a fitting was taught, and what came of it.

    Attributes:
        said: by people. line: where alarms begin since. promise: of it.
        learned: weights and tails of `learned`; None where they are the fitting's own.
        online: (N,) of held-out video, on which lines are drawn; None where that is the fitting's own.
    """

    said: Said
    line: AlarmLine
    promise: Promise
    learned: LearnedRecord | None
    online: NDArray[np.float32] | None

    def after(self, own: Calibration) -> Calibration:
        """The calibration after what people said. own: of the fitting.

        Raises:
            ValueError: it is of other scenes.
        """
        changed = replace(own, line=self.line)
        if self.online is not None:
            changed = replace(changed, heldout={**own.heldout, "online": self.online})
        if self.learned is None:
            return changed
        if set(self.learned.tails) != set(own.scenes):
            raise ValueError(f"scenes {sorted(self.learned.tails)}, where there are {sorted(own.scenes)}")
        scenes = {}
        for name, normal in own.scenes.items():
            tail = self.learned.tails[name].tail()
            learned = replace(normal.fused.learned, weights=self.learned.weights, tail=tail, by="sum")
            scenes[name] = replace(normal, fused=replace(normal.fused, learned=learned))
        return replace(changed, scenes=scenes, notes=tuple(one for one in own.notes if LEARNED_IS_ONLINE not in one))


def write_taught(folder: Path, said: Said, calibration: Calibration, promise: Promise) -> None:
    """Write what people said of a fitting in a folder, and what came of it; with nothing said, there is nothing.

    Args:
        calibration, promise: after it.

    Raises:
        StorageError: the folder cannot be written.
    """
    before = {one.name for one in folder.iterdir() if _ARRAYS.fullmatch(one.name)}
    now = None
    if said:
        arrays = _arrays(said)
        if said.lessons:
            arrays["online"] = calibration.heldout["online"]
        words = hashlib.sha256((folder / WORDS).read_bytes())
        for name, one in arrays.items():
            words.update(f"{name} {one.dtype} {one.shape}".encode() + np.ascontiguousarray(one).tobytes())
        now = f"taught-{words.hexdigest()[:16]}.npz"
        fused = {scene: normal.fused.learned for scene, normal in calibration.scenes.items()}
        record = TaughtRecord(
            fitting=file_digest(folder / WORDS),
            file=now,
            digest=write_arrays(folder / now, arrays, _PROBLEM),
            line=LineRecord(**asdict(calibration.line)),
            learned=LearnedRecord(
                weights=dict(fused[POOLED].weights),
                tails={scene: TailRecord.of(learned.tail) for scene, learned in fused.items()},
            )
            if said.alarms
            else None,
            lessons=tuple(map(_lesson, said.lessons.lessons)),
            alarms=tuple(
                ReviewedRecord(number=one.number, scene=one.scene, values=tuple(one.values), placed=tuple(one.placed))
                for one in said.alarms
            ),
            promise=promise,
        )
        write_record(folder / FILE, record, _PROBLEM)
    else:
        (folder / FILE).unlink(missing_ok=True)
    for name in before - {now}:
        (folder / name).unlink(missing_ok=True)


def read_taught(folder: Path) -> Taught | None:
    """Read what `write_taught` wrote; None where nobody taught anything.

    Raises:
        RunError: it is damaged, or was taught to another calibration.
    """
    for tries in range(_TRIES):
        if not (folder / FILE).is_file():
            return None
        with contextlib.suppress(FileNotFoundError):  # it has just gone: nobody teaches any more
            record = read_record(folder / FILE, TaughtRecord, _WHAT, limit_bytes=_MOST_BYTES, hint=_HINT)
            if (folder / record.file).is_file() or tries == _TRIES - 1:  # else another one has just taken its place
                return _read(folder, record)
    return None


def stamp_of(folder: Path) -> Stamp | None:
    """Tells by little work whether what a fitting was taught has changed; None where it was taught nothing."""
    try:
        found = (folder / FILE).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(folder: Path, record: TaughtRecord) -> Taught:
    if record.fitting != file_digest(folder / WORDS):
        raise RunError("the fitting was taught when its calibration was another one", path=folder / FILE, hint=_HINT)
    path = folder / record.file
    arrays = read_arrays(path, _SPECS, _WHAT, limit_bytes=_MOST_BYTES, digest=record.digest, hint=_HINT)
    try:
        lessons = tuple(_lesson_of(one, arrays) for one in record.lessons)
        alarms = tuple(_reviewed_of(one, arrays) for one in record.alarms)
    except ValueError as error:
        raise damaged(_WHAT, error, path=path, hint=_HINT) from None
    online = arrays["online"].astype(np.float32) if lessons else None
    return Taught(Said(Lessons(lessons), alarms), record.line.line(), record.promise, record.learned, online)


def _arrays(said: Said) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for lesson in said.lessons.lessons:
        for kind, one in (("places", lesson.places), ("looks", lesson.looks), ("usual", lesson.usual)):
            arrays[f"{kind}/{lesson.number}"] = one
    for alarm in said.alarms:
        for kind, columns in (("values", alarm.values), ("placed", alarm.placed)):
            arrays |= {f"{kind}/{alarm.number}/{name}": column for name, column in columns.items()}
    return arrays


def _lesson(one: Lesson) -> LessonRecord:
    begin, end = one.hours or (None, None)
    units = dict(one.units)
    return LessonRecord(number=one.number, reach=one.reach, radius=one.radius, begin=begin, end=end, units=units)


def _lesson_of(one: LessonRecord, arrays: Arrays) -> Lesson:
    places = arrays[f"places/{one.number}"]
    looks, usual = (arrays[f"{kind}/{one.number}"].astype(np.int16) for kind in ("looks", "usual"))
    columns = sum(8 if name == "direction" else 1 for name in one.units)
    if looks.shape[1] != columns or not len(looks) or not places.any() or usual.shape != (places.sum(), columns):
        raise ValueError(f"lesson {one.number}: looks of shape {looks.shape}, where {columns} columns are wanted")
    hours = None if one.begin is None or one.end is None else (one.begin, one.end)
    return Lesson(one.number, one.reach, one.radius, hours, places, looks, usual, dict(one.units))


def _reviewed_of(one: ReviewedRecord, arrays: Arrays) -> Reviewed:
    columns: dict[str, Mapping[str, Array]] = {
        kind: {name: arrays[f"{kind}/{one.number}/{name}"].astype(np.float32) for name in names}
        for kind, names in (("values", one.values), ("placed", one.placed))
    }
    if len({len(column) for several in columns.values() for column in several.values()}) != 1:
        raise ValueError(f"review {one.number}: columns of unequal length")
    return Reviewed(one.number, one.scene, columns["values"], columns["placed"])
