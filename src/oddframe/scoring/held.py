"""Judged frames that are held in memory until it is known what is normal at each place."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from oddframe.scoring.components import ALWAYS_PER_PLACE
from oddframe.scoring.scores import Raw, Values


@dataclass(frozen=True)
class Held:
    """The judged frames of a stretch, each of which can be had again, bit for bit, as often as it is wanted.

    Which way things move has eight numbers a place, and at nearly all places nothing moves: these maps are packed into
    some hundreds of bytes, where they would take more than all others together.
    """

    _frames: tuple[tuple[Raw, Mapping[str, _Packed]], ...]

    @classmethod
    def of(cls, raws: Iterable[Raw]) -> Held:
        """Hold these."""
        return cls(tuple(_held(raw) for raw in raws))

    def __iter__(self) -> Iterator[Raw]:
        for raw, packed in self._frames:
            maps = {name: packed[name].map() if name in packed else raw.maps[name] for name in raw.maps}
            yield replace(raw, maps=maps)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def most_bytes(self) -> int:
        """Bytes that the maps of the largest frame take; 0 of no frames."""
        return max((_bytes(raw, packed) for raw, packed in self._frames), default=0)


@dataclass(frozen=True)
class _Packed:
    shape: tuple[int, ...]
    content: bytes

    @classmethod
    def of(cls, values: Values) -> _Packed:
        return cls(values.shape, zlib.compress(np.ascontiguousarray(values, np.float32).tobytes(), 1))

    def map(self) -> Values:
        return np.frombuffer(zlib.decompress(self.content), np.float32).reshape(self.shape)


_NO_MAP = np.zeros((0, 0), np.float32)


def _held(raw: Raw) -> tuple[Raw, dict[str, _Packed]]:
    packed = {name: _Packed.of(raw.maps[name]) for name in ALWAYS_PER_PLACE if name in raw.maps}
    return replace(raw, maps={**raw.maps, **dict.fromkeys(packed, _NO_MAP)}), packed


def _bytes(raw: Raw, packed: Mapping[str, _Packed]) -> int:
    return sum(one.nbytes for one in raw.maps.values()) + sum(len(one.content) for one in packed.values())
