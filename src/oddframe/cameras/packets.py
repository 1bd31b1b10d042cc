"""The encoded video of the last seconds, bounded in seconds and bytes: what clips are cut from."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from oddframe.cameras.sources.source import Coded, Coding


@dataclass
class Kept:
    """A packet that is kept.

    Attributes:
        time_s: of its picture on the camera's clock; None until that is decoded, and where it never is.
        arrived_s: when it came. follows: whether it goes on from the packet before it; else the decoder begins anew.
    """

    number: int
    coding: Coding
    data: bytes = field(repr=False)
    key: bool
    arrived_s: float
    follows: bool = True
    time_s: float | None = None

    @property
    def about_s(self) -> float:
        """When its picture was taken, as far as that is known."""
        return self.arrived_s if self.time_s is None else self.time_s


class PacketKeep:
    """Packets in order of decoding. They are dropped from the oldest key frame to the next, never in between.

    Safe to use from two threads.

    Args:
        seconds, most_bytes: what is kept at least and at most; the bytes win.
    """

    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._seconds, self._most_bytes = seconds, most_bytes
        self._lock = threading.Lock()
        self._packets: deque[Kept] = deque()
        self._keys: deque[Kept] = deque()
        self._by_number: dict[int, Kept] = {}
        self._bytes = 0
        self._anew = True

    def add(self, coded: Coded, number: int, coding: Coding, arrived_s: float) -> None:
        """Keep a packet."""
        kept = Kept(number, coding, coded.data, coded.key, arrived_s, not self._anew)
        self._anew = False
        with self._lock:
            self._packets.append(kept)
            if kept.key:
                self._keys.append(kept)
            self._by_number[number] = kept
            self._bytes += len(coded.data)
            self._drop()

    def timed(self, number: int, time_s: float) -> None:
        """The picture of a packet was decoded, and was taken then."""
        with self._lock:
            if (kept := self._by_number.get(number)) is not None:
                kept.time_s = time_s

    def begin_anew(self) -> None:
        """What comes next does not go on from what is there: the camera was opened again."""
        self._anew = True

    def packets(self) -> list[Kept]:
        """All that is kept, oldest first."""
        with self._lock:
            return list(self._packets)

    @property
    def size_bytes(self) -> int:
        """What it takes up."""
        return self._bytes

    def _drop(self) -> None:
        newest_s = self._packets[-1].about_s
        while len(self._packets) > 1 and (
            self._bytes > self._most_bytes or newest_s - self._second_start_s() > self._seconds
        ):
            self._drop_first()
            while len(self._packets) > 1 and not self._packets[0].key:
                self._drop_first()

    def _drop_first(self) -> None:
        kept = self._packets.popleft()
        if kept.key:
            self._keys.popleft()
        self._by_number.pop(kept.number, None)
        self._bytes -= len(kept.data)

    def _second_start_s(self) -> float:
        """When the second group of pictures begins: the first may go once what follows it is long enough."""
        second = int(self._packets[0].key)
        return self._keys[second].about_s if len(self._keys) > second else self._packets[-1].about_s
