"""Arrays are read from files that nobody vouches for: bounded, of the kind that was wanted, or one error."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from oddframe.arrays import ArraySpec, map_array, read_array, read_arrays
from oddframe.errors import RunError

WANTED = {"frame": ArraySpec("iu", (None,)), "tails/*": ArraySpec("f", (None, 2))}


def read(path):
    return read_arrays(path, WANTED, "the file", limit_bytes=100_000)


@pytest.fixture
def path(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **{"frame": np.arange(3), "tails/gate": np.ones((4, 2), ">f4").T.copy().T})
    return tmp_path / "a.npz"


def test_arrays_come_back_as_they_were_written_in_the_byte_order_of_this_machine(path):
    found = read(path)

    assert found["frame"].tolist() == [0, 1, 2]
    assert found["tails/gate"].dtype == np.float32
    assert found["tails/gate"].tolist() == [[1, 1]] * 4
    found["frame"][0] = 7  # not a view of the file


def test_an_array_that_is_not_there_is_the_error_of_a_damaged_file(path):
    with pytest.raises(RunError, match="damaged") as caught:
        read(path)["learned"]

    assert caught.value.seen == "no array 'learned'"


@pytest.mark.parametrize(
    ("arrays", "seen"),
    [
        ({"frame": np.ones(3)}, "array 'frame': type float64"),
        ({"frame": np.ones((3, 1), int)}, "array 'frame': shape (3, 1)"),
        ({"tails/a": np.ones((3, 3))}, "array 'tails/a': shape (3, 3)"),
        ({"tails/a": np.full((3, 2), np.nan)}, "array 'tails/a': values that are not finite"),
        ({"tails/a": np.full((3, 2), np.inf)}, "array 'tails/a': values that are not finite"),
        ({"moon": np.ones(3)}, "an array 'moon' that nobody knows"),
        ({"frame": np.array([{"a": 1}], object)}, "Value"),
        ({"frame": np.zeros(200_000, int)}, "1 arrays of 1,600,128 bytes, where 100,000 is the most"),
    ],
    ids=str,
)
def test_what_was_not_wanted_is_refused(tmp_path, arrays, seen):
    np.savez_compressed(tmp_path / "a.npz", **arrays)

    with pytest.raises(RunError, match="the file is damaged") as caught:
        read(tmp_path / "a.npz")

    assert caught.value.seen.startswith(seen)


def npy(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        npy(b"{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"),
        npy(b"{'descr': '<i8', 'fortran_order': False, 'shape': (10**12,), }", bytes(24)),
        npy(b"{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999,), }", bytes(24)),
        npy(b"{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }", bytes(24)),
        npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", bytes(8)),
        npy(b"{'descr': 'import os', 'fortran_order': False, 'shape': (1,), }", bytes(8)),
        npy(b"{'descr': '<i8', 'fortran_order': False, 'shape': (1L", bytes(8)),  # NumPy tokenizes what Python 2 wrote
        npy(b"(" * 9000, bytes(8)),
        npy(b"\xff" * 60, bytes(8)),
    ],
    ids=lambda content: repr(content[10:60]),
)
def test_a_header_is_not_believed(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as packed:
        packed.writestr("frame.npy", content)

    with pytest.raises(RunError, match="damaged"):
        read_array(tmp_path / "a.npy", WANTED["frame"], "the file", limit_bytes=100_000)
    with pytest.raises(RunError, match="damaged"):
        read(tmp_path / "a.npz")


def test_every_byte_that_rots_is_a_refusal_or_a_file_that_still_holds_what_was_wanted(path):
    whole = path.read_bytes()
    refused = 0
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            assert set(read(path)) <= {"frame", "tails/gate"}
        except RunError:
            refused += 1

    assert refused > len(whole) / 2


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path):
    """The size that a zip file declares may be a lie: what is unpacked is bounded as well."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            "frame.npy", npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", bytes(50_000_000))
        )
    honest = stream.getvalue()
    size = (50_000_000 + 10 + 57).to_bytes(4, "little")
    assert honest.count(size) >= 1
    (tmp_path / "a.npz").write_bytes(honest)
    (tmp_path / "b.npz").write_bytes(honest.replace(size, (80).to_bytes(4, "little")))

    for name in ("a.npz", "b.npz"):
        with pytest.raises(RunError, match="damaged"):
            read(tmp_path / name)


def test_truncated_files_are_said(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match="damaged"):
            read(path)


def test_an_array_is_opened_where_it_lies_and_its_declared_length_must_be_there(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(6, dtype="<i4").reshape(2, 3))
    whole = (tmp_path / "a.npy").read_bytes()

    assert map_array(tmp_path / "a.npy", "the masks").tolist() == [[0, 1, 2], [3, 4, 5]]
    for damaged in (whole[:-1], whole + b"\0", whole.replace(b"(2, 3)", b"(9, 9)"), b"", whole[:50]):
        (tmp_path / "a.npy").write_bytes(damaged)
        with pytest.raises(RunError, match="the masks is damaged"):
            map_array(tmp_path / "a.npy", "the masks")
