"""Cells of a MATLAB 5 file, one array at a time.

Such a file is a list of elements, each a kind, a length and that many bytes; arrays are elements made of elements, and
those on the outermost level may be packed by zlib. Little-endian files only, which is what MATLAB writes today.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import LabelError
from oddframe.files import read_bytes

_MATRIX, _PACKED = 14, 15
_CELL, _NUMBERS = 1, range(6, 16)
_DTYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8", 12: "<i8", 13: "<u8"}
"""MATLAB's number of a kind of number -> how it is stored."""

_SMALL_BYTES = 256
"""Lengths, flags and names are no longer than this."""

_FED_BYTES = 16 << 10

_FILE_LIMIT_BYTES = 4 << 30


def open_cell(path: Path, name: str, most_bytes: int) -> tuple[int, Iterator[NDArray[np.generic]]]:
    """Find a cell of two-dimensional arrays of numbers.

    Args:
        path: a MATLAB 5 file.
        name: of the cell.
        most_bytes: what one array may take.

    Returns:
        How many arrays it holds, and the arrays one by one, each (rows, columns).

    Raises:
        LabelError: no such file or cell. Also while arrays are read: one is damaged, larger, or of another form.
    """
    raw = memoryview(read_bytes(path, _FILE_LIMIT_BYTES, "this MATLAB file", error=LabelError))
    if bytes(raw[:10]) != b"MATLAB 5.0" or bytes(raw[126:128]) != b"IM":
        raise LabelError(
            "this is no MATLAB 5 file",
            path=path,
            seen=repr(bytes(raw[:16])),
            wanted=f"a MATLAB 5 file with the cell {name}",
            hint="copy it again; from MATLAB, save it with -v7",
        )
    place = 128
    while place + 8 <= len(raw):
        kind, length = np.frombuffer(raw, "<u4", 2, place).tolist()
        inside = raw[place + 8 : place + 8 + length]
        stream = _Stream(path, inside, packed=True) if kind == _PACKED else _Stream(path, raw[place:], packed=False)
        what, shape, called = stream.header()
        if called == name and what == _CELL:
            return prod(shape), (stream.array(most_bytes) for _ in range(prod(shape)))
        place += 8 + length
    raise LabelError("there is no such cell in this MATLAB file", path=path, wanted=f"a cell {name}")


class _Stream:
    """Bytes in order, unpacked as they are asked for."""

    def __init__(self, path: Path, raw: memoryview, *, packed: bool) -> None:
        self._path, self._left, self._fed = path, raw, b""
        self._unpack = zlib.decompressobj() if packed else None

    def header(self) -> tuple[int, tuple[int, ...], str]:
        """Read the beginning of an array: its class, shape and name."""
        kind, _ = np.frombuffer(self._take(8), "<u4").tolist()
        flags, shape, name = (self._element(_SMALL_BYTES)[1] for _ in range(3))
        if kind != _MATRIX or len(flags) < 4 or len(shape) % 4:
            raise self._damaged("something else than an array")
        lengths = tuple(max(0, length) for length in np.frombuffer(shape, "<i4").tolist())
        return flags[0], lengths, name.decode("latin-1")

    def array(self, most_bytes: int) -> NDArray[np.generic]:
        """Read an array of numbers with two dimensions."""
        what, shape, _ = self.header()
        if what not in _NUMBERS or len(shape) != 2:
            raise self._damaged(f"an array of class {what} and shape {shape}")
        kind, raw = self._element(most_bytes)
        dtype = np.dtype(_DTYPES.get(kind, "V1"))
        if dtype.kind == "V" or len(raw) != prod(shape) * dtype.itemsize:
            raise self._damaged(f"{len(raw)} bytes of kind {kind} for an array of {shape}")
        return np.frombuffer(raw, dtype).reshape(shape, order="F")

    def _element(self, most_bytes: int) -> tuple[int, bytes]:
        """Read an element without elements in it: its kind and its bytes."""
        tag = self._take(8)
        kind, length = np.frombuffer(tag, "<u4").tolist()
        if kind >> 16:  # up to four bytes stand in the tag itself
            return kind & 0xFFFF, tag[4 : 4 + min(4, kind >> 16)]
        if length > most_bytes:
            raise self._damaged(f"{length} bytes where at most {most_bytes} fit")
        raw = self._take(length)
        self._take(-length % 8)
        return kind, raw

    def _take(self, count: int) -> bytes:
        if count == 0:
            return b""
        try:
            piece = self._stored(count) if self._unpack is None else self._unpacked(self._unpack, count)
        except zlib.error as error:
            raise self._damaged(str(error)) from None
        if len(piece) < count:
            raise self._damaged("its end in the middle of an array")
        return piece

    def _stored(self, count: int) -> bytes:
        piece, self._left = bytes(self._left[:count]), self._left[count:]
        return piece

    def _unpacked(self, unpack: zlib._Decompress, count: int) -> bytes:
        """Unpack no more than `count` bytes. What was not needed is handed back by zlib as a copy: it gets little."""
        piece = bytearray(unpack.decompress(self._fed, count))
        self._fed = unpack.unconsumed_tail
        while len(piece) < count and self._left and not unpack.eof:
            self._fed += self._stored(_FED_BYTES)
            piece += unpack.decompress(self._fed, count - len(piece))
            self._fed = unpack.unconsumed_tail
        return bytes(piece)

    def _damaged(self, seen: str) -> LabelError:
        return LabelError(
            "this MATLAB file is damaged or of another form",
            path=self._path,
            seen=seen,
            wanted="a cell of arrays of numbers",
            hint="copy it again",
        )
