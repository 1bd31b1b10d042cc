"""A log that a process of ours writes into, kept from growing without bound."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

MOST_BYTES = 4 * 2**20
KEPT = 3
"""So many older parts are kept: LOG.1 is the latest of them."""


def rotate(log: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> bool:
    """Begin a log anew where it has become too long; what was in it is kept as LOG.1, and older parts move on.

    The file itself stays, since a process has it open: it must have been opened for appending.

    Returns:
        whether it was begun anew. Where it cannot be, it goes on growing until it can.
    """
    with contextlib.suppress(OSError):
        if log.stat().st_size <= most_bytes:
            return False
        for number in range(kept - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                _part(log, number).replace(_part(log, number + 1))
        shutil.copy(log, _part(log, 1))
        os.truncate(log, 0)
        return True
    return False


def _part(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
