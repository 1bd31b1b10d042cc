"""MATLAB's cells, compared with what scipy writes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from oddframe.data.matlab import open_cell
from oddframe.errors import LabelError

savemat = pytest.importorskip("scipy.io").savemat

MOST = 1 << 20


@pytest.fixture
def cells() -> np.ndarray:
    made = np.empty((1, 3), object)
    for number in range(3):
        made[0, number] = np.arange(6).reshape(2, 3) + 10 * number
    return made


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float64, bool])
def test_a_cell_gives_its_arrays_in_order(tmp_path, cells, packed, kind):
    for number in range(3):
        cells[0, number] = cells[0, number].astype(kind)
    savemat(tmp_path / "a.mat", {"other": np.ones(9), "volLabel": cells}, do_compression=packed)

    count, arrays = open_cell(tmp_path / "a.mat", "volLabel", MOST)

    assert count == 3
    for got, wanted in zip(arrays, cells[0], strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_an_array_that_fits_into_a_tag_is_read(tmp_path):
    cell = np.empty((1, 1), object)
    cell[0, 0] = np.array([[1, 0]], np.uint8)
    savemat(tmp_path / "a.mat", {"volLabel": cell})

    _, arrays = open_cell(tmp_path / "a.mat", "volLabel", MOST)

    assert next(arrays).tolist() == [[1, 0]]


def test_one_array_is_held_at_a_time(tmp_path):
    cell = np.empty((1, 200), object)
    for number in range(200):
        cell[0, number] = np.zeros((100, 1000), np.uint8)
    savemat(tmp_path / "a.mat", {"volLabel": cell}, do_compression=True)

    tracemalloc.start()
    _, arrays = open_cell(tmp_path / "a.mat", "volLabel", MOST)
    assert sum(array.size for array in arrays) == 20_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2_000_000


def test_an_array_larger_than_may_be_is_not_unpacked(tmp_path, cells):
    cells[0, 1] = np.zeros((1000, 1000), np.uint8)
    savemat(tmp_path / "a.mat", {"volLabel": cells}, do_compression=True)

    _, arrays = open_cell(tmp_path / "a.mat", "volLabel", 999_999)

    next(arrays)
    with pytest.raises(LabelError, match="1000000 bytes where at most 999999 fit"):
        next(arrays)


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_that_is_cut_off_is_damaged_wherever_it_ends(tmp_path, cells, packed):
    savemat(tmp_path / "a.mat", {"volLabel": cells}, do_compression=packed)
    raw = (tmp_path / "a.mat").read_bytes()

    for length in range(0, len(raw) - 8, 7):
        (tmp_path / "cut.mat").write_bytes(raw[:length])
        with pytest.raises(LabelError):
            list(open_cell(tmp_path / "cut.mat", "volLabel", MOST)[1])


def test_a_file_with_any_byte_changed_is_read_or_refused_and_nothing_else(tmp_path, cells):
    savemat(tmp_path / "a.mat", {"volLabel": cells})
    raw = (tmp_path / "a.mat").read_bytes()
    refused = 0

    for place in range(128, len(raw)):
        (tmp_path / "changed.mat").write_bytes(raw[:place] + b"\xff" + raw[place + 1 :])
        try:
            list(open_cell(tmp_path / "changed.mat", "volLabel", MOST)[1])
        except LabelError:
            refused += 1

    assert refused > 50


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"gt": np.zeros(3)}, "no such cell"),
        ({"volLabel": np.zeros((2, 3))}, "no such cell"),
        ({"volLabel": np.array([["text", np.zeros(2)]], object)}, "damaged or of another form"),
    ],
)
def test_another_content_is_refused(tmp_path, content, message):
    savemat(tmp_path / "a.mat", content)

    with pytest.raises(LabelError, match=message):
        list(open_cell(tmp_path / "a.mat", "volLabel", MOST)[1])


def test_a_newer_format_is_refused_with_the_way_to_an_older_one(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF")

    with pytest.raises(LabelError, match="-v7"):
        open_cell(tmp_path / "a.mat", "volLabel", MOST)
