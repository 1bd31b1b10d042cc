"""TensorBoard events of a training. The history has the same figures, so nothing is lost where it is not installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from oddframe.errors import StorageError
from oddframe.outside import hidden


class Board:
    """Writes scalars into a run's folder; closed when its `with` block is left.

    Args:
        folder: the run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None
        self._installed = True

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        try:
            self._writer.close()
        except OSError as full:
            if error is None:  # what is on its way already says more
                raise self._storage_error(full) from None

    def add(self, scalars: Mapping[str, float], step: int) -> None:
        """Add one point to each curve. The first one hides what a killed training wrote from this step on.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        if self._writer is None and self._installed:
            self._open(step)
        if self._writer is not None:
            try:
                for name, value in scalars.items():
                    self._writer.add_scalar(name, value, step)
            except OSError as error:
                raise self._storage_error(error) from None

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        if self._writer is not None:
            try:
                self._writer.flush()
            except OSError as error:
                raise self._storage_error(error) from None

    def _open(self, step: int) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        try:
            with hidden("boto3"):
                from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._installed = False
            return
        try:
            self._writer = SummaryWriter(str(self._folder), purge_step=step)
        except OSError as error:
            raise self._storage_error(error) from None

    def _storage_error(self, error: OSError) -> StorageError:
        return StorageError.of(error, "TensorBoard events cannot be written", self._folder)
