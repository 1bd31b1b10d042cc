"""The fuzzer in `benchmarks/` makes the same case twice, and sees each kind of failure."""

from __future__ import annotations

import pytest
from tests.shared import benchmark

from oddframe.errors import UnreadableVideoError


@pytest.fixture(scope="module")
def fuzz():
    return benchmark("fuzz")


@pytest.fixture
def words(fuzz):
    class Words(fuzz.Target):
        name = "words"

        def make(self, folder):
            for number in range(3):
                (folder / f"{number}.txt").write_bytes(bytes(range(256)) * 20)

        def read(self, path):
            raise NotImplementedError

    return Words()


def test_a_case_is_the_same_file_wherever_a_run_goes_on(fuzz, words, tmp_path):
    def cases(first, folder):
        folder.mkdir()
        return {
            number: (path.name, path.read_bytes(), fault)
            for number, path, fault in fuzz._cases(words, 0, first, 20, folder)
        }

    whole, later = cases(0, tmp_path / "a"), cases(12, tmp_path / "b")

    assert later == {number: whole[number] for number in range(12, 20)}
    assert len({content for _, content, _ in whole.values()}) > 15


@pytest.mark.parametrize(
    ("numbers", "outcome"),
    [
        ([1.0, 2.0], "ok"),
        ([1.0, float("nan")], "nan"),
        ([float("inf")], "nan"),
        (UnreadableVideoError("broken"), "clear error"),
        (KeyError("x"), "traceback"),
        (RecursionError(), "traceback"),
    ],
)
def test_each_kind_of_end_is_told_apart(fuzz, words, tmp_path, monkeypatch, numbers, outcome):
    def read(_self, _path):
        if isinstance(numbers, BaseException):
            raise numbers
        return numbers

    monkeypatch.setattr(type(words), "read", read)

    assert fuzz._judged(words, tmp_path)["outcome"] == outcome


@pytest.mark.slow
def test_damaged_videos_end_in_frames_or_in_a_clear_error(fuzz, tmp_path):
    reader = fuzz.Videos()

    outcomes = {fuzz._judged(reader, path)["outcome"] for _, path, _ in fuzz._cases(reader, 7, 0, 12, tmp_path)}

    assert outcomes <= {"ok", "clear error"}
