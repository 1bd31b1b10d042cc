"""A calibration on disk: calibration.json for numbers and words, calibration.npz for arrays.

Both may come from a stranger: every number is finite and in range, and the one file knows the digest of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from oddframe.arrays import Array, Arrays, ArraySpec, read_arrays, write_arrays
from oddframe.errors import RunError
from oddframe.files import read_bytes
from oddframe.records import FileRecord, Record, damaged, parse_json, parse_record, write_record
from oddframe.scoring.calibration import POOLED, Calibration, SceneNormal
from oddframe.scoring.components import ComponentNormal
from oddframe.scoring.fusion import FusedNormal, Fusion
from oddframe.scoring.places import LEVELS, PlaceNormal
from oddframe.scoring.scores import COMPONENTS, AlarmLine
from oddframe.scoring.tail import Tail
from oddframe.settings import FusedBy
from oddframe.video.discover import printable
from oddframe.video.flow import DIRECTIONS

WORDS, ARRAYS = "calibration.json", "calibration.npz"

_EVIDENCE, _FITTING = "evidence.npz", "fitting.json"
_WHAT = "the calibration"
_MOST_WORDS = 64 * 2**20
_MOST_ARRAYS = 512 * 2**20
_LEAST_SCALE = 1e-9
"""Scales that are fitted are a thousand times larger. What is divided by a smaller one is no number any more."""

PLACES = {
    "places/*/direction/mean": ArraySpec("f", (None, None, DIRECTIONS)),
    "places/*/direction/spread": ArraySpec("f", (None, None, DIRECTIONS)),
    "places/*/direction/rarity": ArraySpec("f", (len(LEVELS) + 1, None, None, DIRECTIONS)),
    "places/*": ArraySpec("f", (None, None)),
}
"""What is normal at each place: scene, component, and which statistic."""

_SPECS = {"heldout/*": ArraySpec("f", (None,)), **PLACES}


def known_component(name: str) -> str:
    """A component by its name.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in COMPONENTS:
        raise ValueError(f"'{name[:50]}' is no component")
    return name


ComponentName = Annotated[str, AfterValidator(known_component)]
Weights = Annotated[dict[ComponentName, Annotated[float, Field(ge=0)]], Field(min_length=1)]


class TailRecord(Record):
    """A `Tail`."""

    knots: tuple[float, ...] = Field(min_length=1, max_length=1000)
    rarities: tuple[float, ...] = Field(min_length=1, max_length=1000)
    start: float
    scale: float = Field(ge=_LEAST_SCALE)
    frames: int = Field(ge=0)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if len(self.knots) != len(self.rarities):
            raise ValueError(f"{len(self.knots)} knots have {len(self.rarities)} rarities")
        if any(after <= before for before, after in pairwise(self.knots)):
            raise ValueError("knots do not rise")
        return self

    @classmethod
    def of(cls, tail: Tail) -> Self:
        """The record of a tail."""
        knots, rarities = tuple(tail.knots.tolist()), tuple(tail.rarities.tolist())
        return cls(knots=knots, rarities=rarities, start=tail.start, scale=tail.scale, frames=tail.frames)

    def tail(self) -> Tail:
        """The tail."""
        return Tail(np.array(self.knots), np.array(self.rarities), self.start, self.scale, self.frames)


class LineRecord(Record):
    """An `AlarmLine`."""

    on: float = Field(gt=0)
    off: float = Field(gt=0)
    per_hour: Annotated[float, Field(ge=0)] | None
    asked_per_hour: float = Field(gt=0)
    note: str = ""

    def line(self) -> AlarmLine:
        """The line."""
        return AlarmLine(**dict(self))


class SceneRecord(Record):
    """A `SceneNormal`, without what all scenes share and without arrays.

    Attributes:
        weights: of `online` in this scene; None where they are those of all scenes.
    """

    places: tuple[ComponentName, ...]
    tails: dict[ComponentName, TailRecord] = Field(min_length=1)
    online: TailRecord
    learned: TailRecord
    weights: Weights | None = None


class _Calibration(FileRecord):
    """What both formats hold.

    Attributes:
        flow: see `Calibration`; files that do not say are older than the second way.
        fusion, learned_fusion: see `Fusion.by`; files that do not say are older than the second way.
    """

    scenes: dict[str, SceneRecord]
    online_weights: Weights
    learned_weights: Weights
    smoothing: int = Field(ge=1, le=10**6)
    local_share: float = Field(gt=0, le=1)
    line: LineRecord
    notes: tuple[str, ...]
    flow: int = Field(default=1, ge=1)
    fusion: FusedBy = "sum"
    learned_fusion: FusedBy = "sum"

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if POOLED not in self.scenes:
            raise ValueError("the pooled scene is missing")
        for name, scene in self.scenes.items():
            wanted = {*scene.places, *self.online_weights, *self.learned_weights, *(scene.weights or ())}
            if lacking := wanted - set(scene.tails):
                raise ValueError(f"scene '{name}' has no tail of {', '.join(sorted(lacking))}")
        return self


class CalibrationRecord1(_Calibration):
    """What version 0.1 wrote."""

    format: int = 1


class CalibrationRecord(_Calibration):
    """What calibration.json holds.

    Attributes:
        arrays: SHA-256 of calibration.npz. frames: see `Fusion`. filmed: see `Calibration`.
    """

    format: int = 2
    arrays: str
    frames: int = Field(ge=1)
    filmed: tuple[str, ...]


def save_calibration(calibration: Calibration, folder: Path) -> None:
    """Write calibration.json and calibration.npz.

    Raises:
        StorageError: the folder cannot be written.
    """
    problem = "the calibration cannot be written"
    arrays: dict[str, Array] = {f"heldout/{name}": values for name, values in calibration.heldout.items()}
    for scene, normal in calibration.scenes.items():
        for name, place in normal.components.places.items():
            arrays |= arrays_of(_at(scene, name), place)
    fused = calibration.pooled.fused
    record = CalibrationRecord(
        arrays=write_arrays(folder / ARRAYS, arrays, problem),
        scenes={
            scene: SceneRecord(
                places=tuple(sorted(normal.components.places)),
                tails={name: TailRecord.of(tail) for name, tail in normal.components.tails.items()},
                online=TailRecord.of(normal.fused.online.tail),
                learned=TailRecord.of(normal.fused.learned.tail),
                weights=_own(normal.fused.online.weights, fused.online.weights),
            )
            for scene, normal in calibration.scenes.items()
        },
        online_weights=dict(fused.online.weights),
        learned_weights=dict(fused.learned.weights),
        smoothing=fused.smoothing,
        local_share=calibration.pooled.components.local_share,
        frames=fused.online.frames or 1,
        filmed=calibration.filmed or (),
        line=LineRecord(**asdict(calibration.line)),
        notes=calibration.notes,
        flow=calibration.flow,
        fusion=fused.online.by,
        learned_fusion=fused.learned.by,
    )
    write_record(folder / WORDS, record, problem)


def load_calibration(folder: Path) -> Calibration:
    """Read what `save_calibration` wrote, or what version 0.1 did.

    Raises:
        RunError: files are missing, damaged, or of another format.
    """
    path, arrays_path = folder / WORDS, folder / ARRAYS
    for one in (path, arrays_path):
        if not one.is_file():
            raise RunError(
                "the run has no calibration",
                path=one,
                hint="its training has not finished: run the same `oddframe train` command again",
            )
    hint = "copy the folder again, or train again with another --out"
    if (folder / _FITTING).is_file():
        hint = f"fit the detector again: oddframe calibrate RUN NORMAL_VIDEO --out {folder}"
    elif (folder / _EVIDENCE).is_file():
        hint = f"make it again, from what the run keeps: oddframe calibrate {folder}"
    content = read_bytes(path, _MOST_WORDS, _WHAT, hint=hint)
    plain = parse_json(content, _WHAT, path=path, hint=hint)
    record: CalibrationRecord | CalibrationRecord1
    if isinstance(plain, dict) and plain.get("format") == 1:
        record, digest = parse_record(content, CalibrationRecord1, _WHAT, path=path, hint=hint), None
    else:
        record = parse_record(content, CalibrationRecord, _WHAT, path=path, hint=hint)
        digest = record.arrays
    arrays = read_arrays(arrays_path, _SPECS, _WHAT, limit_bytes=_MOST_ARRAYS, digest=digest, hint=hint)
    try:
        return _calibration(record, arrays)
    except ValueError as error:
        raise damaged(_WHAT, error, path=arrays_path, hint=hint) from None


def _calibration(record: CalibrationRecord | CalibrationRecord1, arrays: Arrays) -> Calibration:
    known = (record.frames, record.filmed) if isinstance(record, CalibrationRecord) else (None, None)
    frames, filmed = known
    scenes = {}
    for scene, stored in record.scenes.items():
        places = {name: place_of(arrays, _at(scene, name)) for name in stored.places}
        scenes[scene] = SceneNormal(
            ComponentNormal(places, {name: tail.tail() for name, tail in stored.tails.items()}, record.local_share),
            FusedNormal(
                Fusion(stored.weights or record.online_weights, stored.online.tail(), frames, record.fusion),
                _learned(record, stored, frames),
                record.smoothing,
            ),
        )
    heldout = {name: arrays[f"heldout/{name}"] for name in (*scenes[POOLED].components.tails, "online", "learned")}
    if len({len(values) for values in heldout.values()}) != 1:
        raise ValueError("values on held-out video are of unequal length")
    return Calibration(scenes, record.line.line(), heldout, filmed, record.notes, record.flow)


def _learned(record: _Calibration, stored: SceneRecord, frames: int | None) -> Fusion:
    """`learned` of a scene. Where the highest component counts alone, it is what `online` is."""
    if record.learned_fusion == "sum":
        return Fusion(record.learned_weights, stored.learned.tail(), frames)
    return Fusion(stored.weights or record.online_weights, stored.learned.tail(), frames, record.learned_fusion)


def _own(weights: Mapping[str, float], shared: Mapping[str, float]) -> dict[str, float] | None:
    return None if dict(weights) == dict(shared) else dict(weights)


def _at(scene: str, component: str) -> str:
    """Where the statistics of places lie among the arrays, whose names are UTF-8."""
    return f"places/{printable(scene)}/{component}"


def arrays_of(way: str, place: PlaceNormal) -> dict[str, Array]:
    """Statistics of places as arrays of a file, for `place_of`."""
    arrays: dict[str, Array] = {f"{way}/mean": place.mean, f"{way}/spread": place.spread}
    return arrays if place.rarity is None else arrays | {f"{way}/rarity": place.rarity}


def place_of(arrays: Arrays, way: str) -> PlaceNormal:
    """Statistics of places out of a file.

    Raises:
        ValueError: they do not fit each other, a spread is 0, or a rarity is below it.
    """
    mean, spread, rarity = arrays[f"{way}/mean"], arrays[f"{way}/spread"], arrays.get(f"{way}/rarity")
    if mean.shape != spread.shape or not mean.size or not (spread >= _LEAST_SCALE).all():
        raise ValueError(f"statistics of places: shapes {mean.shape} and {spread.shape}, or a spread of 0")
    if rarity is not None and (rarity.shape[1:] != mean.shape or not (rarity >= 0).all()):
        raise ValueError(f"rarities of places: shapes {rarity.shape} and {mean.shape}, or one below 0")
    return PlaceNormal(
        mean.astype(np.float32), spread.astype(np.float32), None if rarity is None else rarity.astype(np.float32)
    )
