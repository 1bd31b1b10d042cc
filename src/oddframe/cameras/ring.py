"""A ring of pictures in memory that two processes share: one writes, one takes.

The memory has no name: it is a file descriptor that the reader process inherits, so that nothing is left behind however
a process ends. A record lock, which goes with the process that holds it, guards each copy. Where pictures are not
taken in time, the oldest are written over, and whoever takes learns how many were lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import mmap
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

STATUS_BYTES = 16_384

_HEAD = np.dtype([("written", "<i8"), ("taken", "<i8"), ("beats", "<i8"), ("status_bytes", "<i8")])
_SLOT = np.dtype(
    [
        ("number", "<i8"),
        ("time_s", "<f8"),
        ("taken_at", "<f8"),
        ("settled_s", "<f8"),
        ("gap", "<i4"),
        ("infrared", "<i4"),
    ]
)


@dataclass(frozen=True)
class Shot:
    """A picture of a camera, as a detector sees it.

    Attributes:
        pixels: (h, w, C) uint8 in the detector's size, C = 1 (grey) or 3 (RGB).
        time_s: seconds on the camera's own clock, which rises from `Camera.start` on, whatever the stamps do.
        taken_at: UTC, when it was taken, as far as that is known: the camera's delay is not.
        number: rises by one from picture to picture; numbers that are missing were lost.
        gap: what came before it is not what was seen right before it: a window of frames begins anew here.
        infrared: it has no colour.
        settled_s: up to when the camera is known to have been well, on its clock. What has begun later may have come
            of the camera, which may soon be said to be moved, dark or blinded.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    time_s: float
    taken_at: datetime
    number: int
    gap: bool
    infrared: bool
    settled_s: float = math.inf


class Ring:
    """Shared memory for `slots` pictures, a status and a heartbeat.

    Args:
        size: (height, width) of the pictures. channels: 1 or 3. slots: pictures that it holds.
        handle: file descriptor of a ring that another process has made; None makes one.
    """

    def __init__(self, size: tuple[int, int], channels: int, slots: int, handle: int | None = None) -> None:
        self.slots, self._shape = slots, (*size, channels)
        picture = int(np.prod(self._shape))
        whole = _HEAD.itemsize + STATUS_BYTES + slots * (_SLOT.itemsize + picture)
        self._threads = threading.Lock()  # a record lock holds off other processes, and no thread of this one
        self.handle = memory(whole) if handle is None else handle
        self._map = mmap.mmap(self.handle, whole)
        buffer = memoryview(self._map)
        self._head = np.frombuffer(buffer, _HEAD, 1)
        self._status = np.frombuffer(buffer, np.uint8, STATUS_BYTES, _HEAD.itemsize)
        at = _HEAD.itemsize + STATUS_BYTES
        self._about = np.frombuffer(buffer, _SLOT, slots, at)
        at += slots * _SLOT.itemsize
        self._pixels = np.frombuffer(buffer, np.uint8, slots * picture, at).reshape(slots, *self._shape)

    def put(self, shot: Shot) -> None:
        """Write a picture, over the oldest one where all slots are full."""
        with self._locked():
            written = int(self._head["written"][0])
            slot = written % self.slots
            self._pixels[slot] = shot.pixels
            self._about[slot] = (
                shot.number,
                shot.time_s,
                shot.taken_at.timestamp(),
                shot.settled_s,
                shot.gap,
                shot.infrared,
            )
            self._head["written"] = written + 1

    def take(self) -> tuple[list[Shot], int]:
        """Take what was written since the last call, oldest first, and how many pictures before them are lost."""
        with self._locked():
            written, taken = int(self._head["written"][0]), int(self._head["taken"][0])
            lost = max(0, written - taken - self.slots)
            first = taken + lost
            shots = [self._shot(place % self.slots, lost > 0 and place == first) for place in range(first, written)]
            self._head["taken"] = written
        return shots, lost

    def room(self) -> int:
        """How many pictures can be written before one that was not taken is written over."""
        return self.slots - int(self._head["written"][0] - self._head["taken"][0])

    def last(self) -> tuple[int, float]:
        """Number and time of the newest picture; (0, 0.0) before there is one."""
        with self._locked():
            written = int(self._head["written"][0])
            about = self._about[(written - 1) % self.slots]
            return (int(about["number"]), float(about["time_s"])) if written else (0, 0.0)

    def beat(self) -> None:
        """Show that the writing process is alive and gets on."""
        self._head["beats"] += 1

    @property
    def beats(self) -> int:
        """How often `beat` was called."""
        return int(self._head["beats"][0])

    @property
    def status(self) -> bytes:
        """What the writing process last told of itself; b"" before it did."""
        with self._locked():
            return self._status[: int(self._head["status_bytes"][0])].tobytes()

    @status.setter
    def status(self, content: bytes) -> None:
        if len(content) > STATUS_BYTES:
            raise ValueError(f"a status of {len(content)} bytes; there is room for {STATUS_BYTES}")
        with self._locked():
            self._status[: len(content)] = np.frombuffer(content, np.uint8)
            self._head["status_bytes"] = len(content)

    def close(self) -> None:
        """Let go of the memory; it is gone when all processes have."""
        del self._head, self._status, self._about, self._pixels
        with contextlib.suppress(BufferError):
            self._map.close()
        os.close(self.handle)

    def _shot(self, slot: int, lost: bool) -> Shot:
        about = self._about[slot]
        return Shot(
            self._pixels[slot].copy(),
            float(about["time_s"]),
            datetime.fromtimestamp(float(about["taken_at"]), UTC),
            int(about["number"]),
            bool(about["gap"]) or lost,
            bool(about["infrared"]),
            float(about["settled_s"]),
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self.handle, fcntl.LOCK_EX, 1)
            try:
                yield
            finally:
                fcntl.lockf(self.handle, fcntl.LOCK_UN, 1)


def memory(size_bytes: int) -> int:
    """File descriptor of memory that processes share by inheriting it."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("oddframe")
    else:  # macOS: a file without a name
        with tempfile.TemporaryFile() as file:
            handle = os.dup(file.fileno())
    os.ftruncate(handle, size_bytes)
    return handle
