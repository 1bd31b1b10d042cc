"""Scores on disk while a video is scored, so that hours are not lost when something ends the scoring."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from oddframe.errors import StorageError
from oddframe.scoring.scores import in_digits

FLUSHED_S = 5.0
"""Seconds of scoring that are lost at most when the process dies."""


class RowFile:
    """A CSV file that grows by a row a frame. It has the columns of `Scores.to_csv` but `alarm` and `paper`, which need
    the video's end, and `time_s` also where it is unknown.

    Args:
        path: the file. What stood there is gone with the first row.

    Raises:
        StorageError: from each method: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._flushed = 0.0

    def add(self, row: Mapping[str, float | None]) -> None:
        """Write the row of the next frame: column → value."""
        try:
            if self._file is None:
                self._file = self._path.open("w", encoding="utf-8", newline="")
                self._writer = csv.writer(self._file, lineterminator="\n")
                self._writer.writerow(row)
            self._writer.writerow(in_digits(row))
            if time.monotonic() - self._flushed >= FLUSHED_S:
                self._file.flush()
                self._flushed = time.monotonic()
        except OSError as error:
            raise self._error(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._file is not None:
            try:
                self._file.close()
            except OSError as error:
                raise self._error(error) from None

    def _error(self, error: OSError) -> StorageError:
        return StorageError.of(error, "scores cannot be written", self._path)
