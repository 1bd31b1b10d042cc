"""One video's rows as Parquet: the one place that calls pyarrow.

A video's files lie in a folder of their day and camera, `day=2026-11-28/camera=gate`, as query engines expect it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from io import RawIOBase
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from oddframe.errors import MissingExtraError, RunError
from oddframe.footage.columns import CAMERA, DAY, EVENTS, SCORES, UNKNOWN, Column
from oddframe.footage.summary import Summary

if TYPE_CHECKING:
    import pyarrow

_BLOCK_BYTES = 8 << 20
"""Of scores.csv, read at a time: what a video takes of memory is some times this, however long it is."""

Opened = Callable[[str], AbstractContextManager[Path]]
"""A file of a table by its way in it, to be written to: whole or not at all."""


@dataclass(frozen=True)
class Judged:
    """A scored video as its rows need it.

    Attributes:
        name: of the video in the tables. camera: None where nothing tells. detector: None where it is not known.
        file: what its files are called, without the ending.
    """

    name: str
    camera: str | None
    detector: str | None
    file: str
    summary: Summary

    def began(self) -> datetime | None:
        """The time of day of its first second, by its own clock."""
        return None if self.summary.began is None else datetime.fromisoformat(self.summary.began)

    def which(self) -> dict[str, str | None]:
        """What stands in each of its rows."""
        began = self.began()
        zone = None if began is None or began.tzinfo is None else began.isoformat()[-6:]
        return {"video": self.name, "scene": self.summary.scene, "detector": self.detector, "zone": zone}


def import_pyarrow() -> Any:
    """Import pyarrow.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingExtraError("scores and events as Parquet", "tables") from None
    return pyarrow


def write_scores(of: Judged, table: IO[bytes] | RawIOBase, opened: Opened) -> list[str]:
    """Write the rows of a video's scores.csv, in files of one day each, and return their ways.

    Args:
        table: scores.csv, which is read bit by bit.

    Raises:
        RunError: it is damaged, or of another scoring than the summary. MissingExtraError: as `import_pyarrow`.
    """
    import_pyarrow()
    schema, began, rows = _schema(SCORES), of.began(), 0
    start = None if began is None else began.replace(tzinfo=None)
    with _Files(of, schema, opened) as files:
        for batch in _batches(table, schema):
            rows += batch.num_rows
            for day, part in _by_day(batch, start):
                files.write(day, _row_group(part, of.which(), schema))
        if rows != of.summary.frames:
            raise _damaged(f"{rows} rows", f"{of.summary.frames}, as scores.json says")
    return files.ways


def write_events(of: Judged, opened: Opened) -> list[str]:
    """Write the rows of a video's events, in files of one day each, and return their ways; without events, none."""
    arrow = import_pyarrow()
    schema = _schema(EVENTS)
    with _Files(of, schema, opened) as files:
        for number, event in enumerate(of.summary.events, 1):
            box = dict.fromkeys(("x", "y", "width", "height")) if event.box is None else event.box.to_dict()
            times = {name: _wall_clock(event[name]) for name in ("start_at", "end_at", "peak_at")}
            frames = {f"{name}_frame": event[name] for name in ("start", "end", "peak")}
            row = event.to_dict() | frames | box | times | of.which() | {"event": number}
            day = times["start_at"].date() if times["start_at"] else None
            files.write(day, arrow.Table.from_pylist([{name: row[name] for name in schema.names}], schema))
    return files.ways


class _Files(contextlib.ExitStack):
    """The files of one video in one table, of which one is open at a time: days follow each other."""

    def __init__(self, of: Judged, schema: pyarrow.Schema, opened: Opened) -> None:
        super().__init__()
        self._of, self._schema, self._opened = of, schema, opened
        self._day: date | None = None
        self._writer: Any = None
        self.ways: list[str] = []

    def write(self, day: date | None, rows: pyarrow.Table) -> None:
        """Add rows of a day."""
        if self._writer is None or day != self._day:
            from pyarrow.parquet import ParquetWriter

            self.close()
            folder = f"{_part(DAY, None if day is None else day.isoformat())}/{_part(CAMERA, self._of.camera)}"
            way = f"{folder}/{self._of.file}.parquet"
            place = self.enter_context(self._opened(way))
            self._writer = self.enter_context(ParquetWriter(place, self._schema, compression="zstd"))
            self._day = day
            self.ways.append(way)
        self._writer.write_table(rows)


def _schema(columns: Iterable[Column]) -> pyarrow.Schema:
    arrow = import_pyarrow()
    kinds = {
        "name": arrow.dictionary(arrow.int32(), arrow.string()),
        "bool": arrow.bool_(),
        "int32": arrow.int32(),
        "int64": arrow.int64(),
        "float32": arrow.float32(),
        "float64": arrow.float64(),
        "timestamp[ms]": arrow.timestamp("ms"),
    }
    fields = [
        arrow.field(one.name, kinds[one.kind], metadata={"unit": one.unit, "about": one.about}) for one in columns
    ]
    return arrow.schema(fields, metadata={"oddframe": version("oddframe")})


def _batches(table: IO[bytes] | RawIOBase, schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    """The rows of scores.csv, with types, a block at a time.

    Raises:
        RunError: it is damaged, or has a column that no table has.
    """
    arrow = import_pyarrow()
    from pyarrow import csv

    try:
        with csv.open_csv(
            table,
            csv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
            convert_options=csv.ConvertOptions(column_types={one.name: one.type for one in schema}),
        ) as reader:
            if unknown := [name for name in reader.schema.names if name not in schema.names]:
                raise _damaged(f"a column '{unknown[0]}'", "columns that this version writes")
            if lacking := [name for name in ("frame", "online", "alarm", "learned") if name not in reader.schema.names]:
                raise _damaged(f"no column '{lacking[0]}'", "columns that this version writes")
            yield from reader
    except arrow.ArrowInvalid as error:
        raise _damaged(" ".join(str(error).split()), "rows of numbers") from None


def _by_day(
    batch: pyarrow.RecordBatch, began: datetime | None
) -> Iterator[tuple[date | None, Mapping[str, pyarrow.Array]]]:
    """Rows that follow each other on one day, with their time of day where it is known."""
    arrow = import_pyarrow()
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    if began is None or "time_s" not in columns:
        yield None, columns
        return
    import numpy as np

    seconds = columns["time_s"].to_numpy(zero_copy_only=False)
    at = np.datetime64(began, "ms") + np.round(1000 * seconds).astype("timedelta64[ms]")
    days = at.astype("datetime64[D]")
    edges = [0, *(np.flatnonzero(days[1:] != days[:-1]) + 1).tolist(), len(days)]
    columns["taken_at"] = arrow.array(at, arrow.timestamp("ms"))
    for begin, end in pairwise(edges):
        if end > begin:
            yield days[begin].item(), {name: values.slice(begin, end - begin) for name, values in columns.items()}


def _row_group(
    columns: Mapping[str, pyarrow.Array], which: Mapping[str, str | None], schema: pyarrow.Schema
) -> pyarrow.Table:
    """All columns of a table: those that are there, what is the same in each row, and null for the rest."""
    arrow = import_pyarrow()
    rows = len(columns["frame"])

    def column(field: pyarrow.Field) -> pyarrow.Array:
        if field.name in columns:
            return columns[field.name]
        if (word := which.get(field.name)) is None:
            return arrow.nulls(rows, field.type)
        return arrow.DictionaryArray.from_arrays(arrow.repeat(arrow.scalar(0, arrow.int32()), rows), [word])

    return arrow.Table.from_arrays([column(field) for field in schema], schema=schema)


def _wall_clock(moment: str | None) -> datetime | None:
    return None if moment is None else datetime.fromisoformat(moment).replace(tzinfo=None)


def _part(name: str, value: str | None) -> str:
    """A folder of a partition.

    >>> _part("camera", "gate/north"), _part("day", None)
    ('camera=gate%2Fnorth', 'day=unknown')
    """
    return f"{name}={quote(value or UNKNOWN, safe='')}"


def _damaged(seen: str, wanted: str) -> RunError:
    return RunError(
        "the scored video's scores.csv is damaged",
        seen=seen if len(seen) < 200 else f"{seen[:200]}...",
        wanted=wanted,
        hint="remove the folder, and the video is scored again",
    )
