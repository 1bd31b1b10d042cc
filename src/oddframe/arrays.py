"""Arrays from files that a stranger may have made: bounded, checked, and never a pickle.

NumPy's own reader believes what a file declares: sizes, types, and a header that is Python text. Here a file says what
it holds, and is taken at its word only where that is what was wanted.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import lzma
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import OddframeError, RunError
from oddframe.files import atomic_write, read_bytes
from oddframe.records import damaged

Array = NDArray[Any]

_MOST_ARRAYS = 200_000
_MOST_HEADER = 10_000

_ERRORS = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, SyntaxError, RecursionError),
    *(MemoryError, OverflowError, NotImplementedError, RuntimeError, struct.error, tokenize.TokenError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What the readers of zip files, of streams and of NumPy's headers raise on files that are damaged."""


@dataclass(frozen=True)
class ArraySpec:
    """What an array must be.

    Attributes:
        kinds: its kind of number, letters of NumPy's `dtype.kind`: "f" floats, "iu" integers, "b" truth, "U" text.
        shape: length of each axis, None where any will do.
        finite: whether a number that is not finite is refused.
    """

    kinds: str
    shape: tuple[int | None, ...]
    finite: bool = True

    def misfit(self, array: Array) -> str | None:
        """What is wrong with an array, in words; None where nothing is."""
        if array.dtype.kind not in self.kinds:
            return f"type {array.dtype}"
        if len(array.shape) != len(self.shape) or any(
            wanted not in (None, seen) for seen, wanted in zip(array.shape, self.shape, strict=True)
        ):
            return f"shape {array.shape}"
        if self.finite and array.dtype.kind in "fc" and not np.isfinite(array).all():
            return "values that are not finite"
        return None


class Arrays(dict[str, Array]):
    """The arrays of a file by name; asking for one that is not there is the error of a damaged file."""

    def __init__(self, arrays: Mapping[str, Array], missing: Any) -> None:
        super().__init__(arrays)
        self._missing = missing

    def __missing__(self, name: str) -> Array:
        raise self._missing(f"no array '{name}'")


def write_arrays(path: Path, arrays: Mapping[str, Array], problem: str) -> str:
    """Write an `.npz`, compressed, whole or not at all.

    Returns:
        Its SHA-256, for `read_arrays`.

    Raises:
        StorageError: with this problem, where the file cannot be written.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    with atomic_write(path, problem) as place:
        place.write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def read_arrays(
    path: Path,
    wanted: Mapping[str, ArraySpec],
    what: str,
    *,
    limit_bytes: int,
    digest: str | None = None,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> Arrays:
    """Read an `.npz`.

    Args:
        path: the file.
        wanted: name → what it must be. A name may be a pattern, "tails/*"; the first one that fits counts.
        what: what the file is, as an error begins: "the calibration".
        limit_bytes: of the file, and of what it unpacks to. digest: SHA-256 that it must have; None for any.
        error: class of the error. hint: what to do about a damaged file.

    Raises:
        `error`: the file cannot be read, is too large, is damaged, or holds something else than was wanted.
    """

    def refused(seen: object) -> OddframeError:
        return damaged(what, seen, path=path, error=error, hint=hint)

    content = read_bytes(path, limit_bytes, what, error=error, hint=hint)
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise refused("it is another file than the one that was written")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > limit_bytes or len(entries) > _MOST_ARRAYS:
                raise refused(f"{len(entries):,} arrays of {unpacked:,} bytes, where {limit_bytes:,} is the most")
            found = {}
            for entry in entries:
                name = entry.filename.removesuffix(".npy")
                with packed.open(entry) as file:
                    array = _parsed(file.read(entry.file_size + 1))
                found[name] = _checked(name, array, wanted, refused)
    except OddframeError:
        raise
    except _ERRORS as failed:
        raise refused(f"{type(failed).__name__}: {failed}") from None
    return Arrays(found, refused)


def read_array(
    path: Path,
    wanted: ArraySpec,
    what: str,
    *,
    limit_bytes: int,
    error: type[OddframeError] = RunError,
    hint: str | None = None,
) -> Array:
    """Read an `.npy`; arguments and errors are those of `read_arrays`."""

    def refused(seen: object) -> OddframeError:
        return damaged(what, seen, path=path, error=error, hint=hint)

    content = read_bytes(path, limit_bytes, what, error=error, hint=hint)
    try:
        array = _parsed(content)
    except _ERRORS as failed:
        raise refused(f"{type(failed).__name__}: {failed}") from None
    return _checked("", array, {"": wanted}, refused)


def map_array(path: Path, what: str, *, error: type[OddframeError] = RunError, hint: str | None = None) -> Array:
    """Open an `.npy` that may be large without reading it into memory; it cannot be written to.

    Args:
        path: the file.
        what, error, hint: as of `read_arrays`.

    Raises:
        `error`: the file cannot be read or is damaged.
    """
    try:
        if not path.is_file():
            raise error(f"{what} is not there", path=path, wanted="a file", hint=hint)
        with path.open("rb") as file:
            shape, column_major, dtype, count = _declared(file, os.fstat(file.fileno()).st_size)
            start = file.tell()
        if not count:
            return np.empty(shape, dtype)
        return np.memmap(path, dtype, "r", start, shape, "F" if column_major else "C")
    except OddframeError:
        raise
    except _ERRORS as failed:
        raise damaged(what, f"{type(failed).__name__}: {failed}", path=path, error=error, hint=hint) from None


def same_length(arrays: Sequence[Array]) -> bool:
    """Whether arrays have as many rows as each other."""
    return len({len(array) for array in arrays}) <= 1


def _checked(name: str, array: Array, wanted: Mapping[str, ArraySpec], refused: Any) -> Array:
    spec = wanted.get(name) or next((one for key, one in wanted.items() if fnmatch.fnmatchcase(name, key)), None)
    if spec is None:
        raise refused(f"an array '{name}' that nobody knows")
    if (wrong := spec.misfit(array)) is not None:
        raise refused(f"array '{name}': {wrong}" if name else wrong)
    return array


def _parsed(content: bytes) -> Array:
    """An array from the bytes of an `.npy`, whose length has to be what its header says."""
    stream = io.BytesIO(content)
    shape, column_major, dtype, count = _declared(stream, len(content))
    array = np.frombuffer(content, dtype, count, stream.tell()) if dtype.itemsize else np.empty(count, dtype)
    array = array.reshape(shape, order="F" if column_major else "C")
    return array.astype(dtype.newbyteorder("="))  # a copy, that may be written to


def _declared(stream: BinaryIO, size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Read the header of an `.npy` of `size` bytes: shape, whether columns come first, type, and count of numbers."""
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format")
    shape, column_major, dtype = readers[version](stream, max_header_size=_MOST_HEADER)
    if dtype.hasobject or dtype.kind not in "biufcUS" or any(not side >= 0 for side in shape):
        raise ValueError(f"no array of numbers: {dtype} {shape}")
    count = math.prod(shape)
    if count * dtype.itemsize != size - stream.tell():
        raise ValueError(f"{size - stream.tell()} bytes for shape {shape} of {dtype}")
    return shape, column_major, dtype, count
