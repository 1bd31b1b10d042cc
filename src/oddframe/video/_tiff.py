"""Pages of a TIFF file: where they begin, so that each can be decoded without the others.

A page is a directory of tags, and each directory names the place of the next. OpenCV decodes the one that the header
names, so a page is read by mapping the file privately and writing its place into that copy of the header. Only the
pages of the disk that are decoded are read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

SUFFIXES = frozenset({".tif", ".tiff"})

_MOST_PAGES = 5_000_000
_MOST_TAGS = 4096
_MOST_STRIPS = 1 << 20

_SUBFILE, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 254, 273, 279, 324, 325
_NO_FRAME = 0b101
"""Bits of `_SUBFILE`: a smaller copy of another page, or its mask."""

_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""Type of a tag → how `struct` calls it."""


@dataclass(frozen=True)
class Pages:
    """Where the frames of a file begin, in bytes.

    Attributes:
        torn: whether the place of the next page lies outside of the file, which was then cut off.
    """

    places: tuple[int, ...]
    torn: bool = False


@dataclass(frozen=True)
class _Kind:
    """How a file writes its numbers: byte order, and classic (4-byte places) or BigTIFF (8-byte places)."""

    order: str
    big: bool

    @property
    def place(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def header_at(self) -> int:
        """Where the header names the first page."""
        return 8 if self.big else 4


_Tags = Mapping[int, Sequence[Any]]
"""Tag → type, count, and the value, or its place where it is longer than a place."""


def pages_of(path: Path) -> Pages:
    """Find the pages that are frames, without thumbnails; none where the file is no TIFF or its list is damaged.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        kind = _kind_of(file.read(16))
        if kind is None:
            return Pages(())
        size = file.seek(0, 2)
        file.seek(kind.header_at)
        place = _unpack(kind.place, file.read(struct.calcsize(kind.place)))
        found: list[int] = []
        seen: set[int] = set()
        while place and place not in seen and len(seen) < _MOST_PAGES:
            seen.add(place)
            directory = _directory(file, kind, place) if place < size else None
            if directory is None:
                return Pages(tuple(found), torn=True)
            tags, after = directory
            kinds = _values(file, kind, tags, _SUBFILE, size)
            if not found or not any(one & _NO_FRAME for one in kinds):
                found.append(place)
            place = after
        return Pages(tuple(found))


def page_bytes(path: Path, place: int) -> NDArray[np.uint8] | None:
    """Return the file as it would be if this page were its first one; None where the page's data are not all there.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        kind = _kind_of(file.read(16))
        size = file.seek(0, 2)
        directory = None if kind is None else _directory(file, kind, place)
        if kind is None or directory is None:
            return None
        tags, _ = directory
        for starts, lengths in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
            ends = [
                start + length
                for start, length in zip(
                    _values(file, kind, tags, starts, size), _values(file, kind, tags, lengths, size), strict=False
                )
            ]
            if ends and max(ends) > size:
                return None
    mapped = np.memmap(path, np.uint8, mode="c")
    named = np.frombuffer(struct.pack(kind.place, place), np.uint8)
    mapped[kind.header_at : kind.header_at + len(named)] = named
    return np.asarray(mapped)


def _kind_of(header: bytes) -> _Kind | None:
    order = {b"II": "<", b"MM": ">"}.get(header[:2])
    if order is None or len(header) < 8:
        return None
    version = _unpack(f"{order}H", header[2:4])
    if version == 43 and len(header) == 16:
        return _Kind(order, big=True)
    return _Kind(order, big=False) if version == 42 else None


def _directory(file: BinaryIO, kind: _Kind, place: int) -> tuple[_Tags, int] | None:
    """Read the tags of a page and the place of the next one; None where it is cut off or no directory."""
    file.seek(place)
    counter, one = (f"{kind.order}Q", 20) if kind.big else (f"{kind.order}H", 12)
    head = file.read(struct.calcsize(counter))
    if len(head) < struct.calcsize(counter) or not 0 < (count := _unpack(counter, head)) <= _MOST_TAGS:
        return None
    rest = struct.calcsize(kind.place)
    body = file.read(count * one + rest)
    if len(body) < count * one + rest:
        return None
    entries = struct.iter_unpack(f"{kind.order}HHQ8s" if kind.big else f"{kind.order}HHI4s", body[: count * one])
    return {tag: entry for tag, *entry in entries}, _unpack(kind.place, body[count * one :])


def _values(file: BinaryIO, kind: _Kind, tags: _Tags, tag: int, size: int) -> list[int]:
    """Values of a tag of integers; none where it is missing or lies."""
    type_, count, value = tags.get(tag, (0, 0, b""))
    letter = _INTEGERS.get(type_)
    if letter is None or not 0 < count <= _MOST_STRIPS:
        return []
    wanted = count * struct.calcsize(f"={letter}")
    if wanted > len(value):
        place = _unpack(kind.place, value)
        if place + wanted > size:
            return []
        file.seek(place)
        value = file.read(wanted)
    return list(struct.unpack(f"{kind.order}{count}{letter}", value[:wanted]))


def _unpack(layout: str, value: bytes) -> int:
    return int(struct.unpack(layout, value)[0])
