"""The evidence of a run on disk: evidence.npz, from which its calibration can be fitted again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from oddframe.arrays import Array, Arrays, ArraySpec, read_arrays, write_arrays
from oddframe.errors import RunError
from oddframe.records import FileRecord, Record, as_json, damaged, parse_record
from oddframe.scoring.calibration_file import PLACES, ComponentName, arrays_of, place_of
from oddframe.scoring.judged import FILE, Judged, Kind, Stretch
from oddframe.settings import PlaceBy

_WHAT = "the run's evidence"
_MOST_BYTES = 4 * 2**30
"""An hour of held-out video takes some megabytes."""

_SPECS = {
    "about": ArraySpec("u", (None,)),
    "frame": ArraySpec("i", (None,)),
    "time_s": ArraySpec("f", (None,), finite=False),
    "abnormal": ArraySpec("b", (None,)),
    "values/*": ArraySpec("f", (None,)),
    "placed/*": ArraySpec("f", (None,), finite=False),
    **PLACES,
}


class StretchRecord(Record):
    """What is not an array of a `Stretch`. timed: whether it has times. placed: components whose places are known."""

    scene: str
    kind: Kind
    frames: int = Field(ge=0)
    timed: bool
    placed: tuple[ComponentName, ...]


class JudgedRecord(FileRecord):
    """What is not an array of a `Judged`. places: scene → local components. flow: as of a calibration's record."""

    window: int = Field(ge=1)
    stride: int = Field(ge=1)
    local_share: float = Field(gt=0, le=1)
    components: tuple[ComponentName, ...]
    stretches: tuple[StretchRecord, ...]
    places: dict[str, tuple[ComponentName, ...]]
    flow: int = Field(default=1, ge=1)
    place_normal: PlaceBy = "spread"


def save_judged(judged: Judged, folder: Path) -> str:
    """Write evidence.npz and return its SHA-256.

    Raises:
        StorageError: it cannot be written.
    """
    stretches, local = judged.stretches, judged.local_components
    record = JudgedRecord(
        window=judged.window,
        stride=judged.stride,
        local_share=judged.local_share,
        components=judged.components,
        stretches=tuple(
            StretchRecord(
                scene=one.scene,
                kind=one.kind,
                frames=len(one),
                timed=one.time_s is not None,
                placed=tuple(name for name in local if name in one.placed),
            )
            for one in stretches
        ),
        places={scene: tuple(places) for scene, places in judged.places.items()},
        flow=judged.flow,
        place_normal=judged.place_normal,
    )
    arrays: dict[str, Array] = {
        "about": np.frombuffer(as_json(record).encode(), np.uint8),
        "frame": _joined((one.frame for one in stretches), np.int64),
        "time_s": _joined((_or_nan(one.time_s, one) for one in stretches), np.float64),
        "abnormal": _joined((_or_calm(one) for one in stretches), np.bool_),
    }
    for name in judged.components:
        arrays[f"values/{name}"] = _joined((one.values[name] for one in stretches if len(one)), np.float32)
    for name in local:
        arrays[f"placed/{name}"] = _joined((_or_nan(one.placed.get(name), one) for one in stretches), np.float32)
    for scene, places in judged.places.items():
        for name, place in places.items():
            arrays |= arrays_of(f"places/{scene}/{name}", place)
    return write_arrays(folder / FILE, arrays, "the run's evidence cannot be written")


def _joined(parts: Iterable[Array], kind: Any) -> Array:
    return np.concatenate([np.zeros(0, kind), *parts]).astype(kind)


def _or_nan(values: Array | None, stretch: Stretch) -> Array:
    return np.full(len(stretch), np.nan) if values is None else values


def _or_calm(stretch: Stretch) -> Array:
    return np.zeros(len(stretch), bool) if stretch.abnormal is None else stretch.abnormal


def load_judged(folder: Path, digest: str | None) -> Judged:
    """Read what `save_judged` wrote.

    Args:
        digest: what `save_judged` returned; None where nobody knows it.

    Raises:
        RunError: it is missing, damaged, or of another format.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunError(
            "the run keeps no evidence to calibrate with",
            path=path,
            seen="a run of version 0.1, or a part of a run",
            hint="train again with another --out: the settings can be given then",
        )
    hint = "copy the run again, or train again with another --out; what it scores is not touched by this"
    arrays = read_arrays(path, _SPECS, _WHAT, limit_bytes=_MOST_BYTES, digest=digest, hint=hint)
    record = parse_record(arrays["about"].tobytes(), JudgedRecord, _WHAT, path=path, hint=hint)
    try:
        return _judged(record, arrays)
    except ValueError as error:
        raise damaged(_WHAT, error, path=path, hint=hint) from None


def _judged(record: JudgedRecord, arrays: Arrays) -> Judged:
    ends = list(accumulate((one.frames for one in record.stretches), initial=0))
    rows: Mapping[str, Array] = {
        name: arrays[name]
        for name in (
            *("frame", "time_s", "abnormal"),
            *(f"values/{name}" for name in record.components),
            *(f"placed/{name}" for name in {name for one in record.stretches for name in one.placed}),
        )
    }
    for name, values in rows.items():
        if len(values) != ends[-1]:
            raise ValueError(f"array '{name}' has {len(values)} rows, where there are {ends[-1]} frames")
    stretches = []
    for about, (start, stop) in zip(record.stretches, pairwise(ends), strict=True):
        times = rows["time_s"][start:stop].astype(np.float64) if about.timed else None
        placed = {name: rows[f"placed/{name}"][start:stop].astype(np.float32) for name in about.placed}
        checked: list[Array] = [*placed.values(), *([] if times is None else [times])]
        for array in checked:
            if not np.isfinite(array).all():
                raise ValueError("times or values of places that are not finite")
        stretches.append(
            Stretch(
                about.scene,
                about.kind,
                rows["frame"][start:stop].astype(np.int64),
                times,
                {name: rows[f"values/{name}"][start:stop].astype(np.float32) for name in record.components},
                placed,
                rows["abnormal"][start:stop] if about.kind == "known" else None,
            )
        )
    places = {
        scene: {name: place_of(arrays, f"places/{scene}/{name}") for name in names}
        for scene, names in record.places.items()
    }
    judged = Judged(
        tuple(stretches), places, record.window, record.stride, record.local_share, record.flow, record.place_normal
    )
    if not judged.of_kind("heldout"):
        raise ValueError("no held-out frame")
    return judged
