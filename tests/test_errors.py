"""What an error tells its reader."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from oddframe import errors
from oddframe.errors import CutOffVideoError, MissingExtraError, OddframeError, WeightsError, nearest


def test_an_error_names_the_thing_the_place_the_value_and_the_way_out():
    error = OddframeError(
        "the frame rate is no number", path=Path("gate.mp4"), seen="fast", wanted="25", hint="--fps 25"
    )

    assert str(error).splitlines() == [
        "the frame rate is no number",
        "  where:  gate.mp4",
        "  seen:   fast",
        "  wanted: 25",
        "  try:    --fps 25",
    ]


def test_what_is_not_known_is_left_out_but_zero_is_known():
    assert str(OddframeError("nothing here")) == "nothing here"
    assert "seen:   0" in str(OddframeError("too few", seen=0))


def test_a_cut_off_video_says_how_much_of_it_was_fine():
    error = CutOffVideoError("this video is cut off", frames_read=12, path="a.avi")

    assert error.frames_read == 12
    assert "12 readable frames" in str(error)


def test_a_missing_extra_names_the_line_to_type():
    assert 'pip install "oddframe[train]"' in str(MissingExtraError("training", "train"))


def test_every_error_can_be_caught_as_one():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]

    assert len(kinds) > 10
    assert all(issubclass(kind, OddframeError) for kind in kinds)
    assert issubclass(WeightsError, errors.RunError)


@pytest.mark.parametrize(
    ("word", "answer"),
    [("epoch", "did you mean epochs?"), ("bach", "did you mean batch or ba?"), ("quux", None)],
)
def test_misspelt_words_are_met_with_the_nearest_ones(word, answer):
    assert nearest(word, ["epochs", "batch", "ba"]) == answer
