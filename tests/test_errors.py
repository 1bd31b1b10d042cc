"""What a user reads when something is wrong."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from oddframe import errors
from oddframe.errors import CutOffVideoError, LabelError, MissingExtraError, OddframeError, nearest

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]


def test_an_error_says_what_is_wrong_where_what_was_seen_what_was_wanted_and_what_to_do():
    error = LabelError(
        "the labels are too long", path=Path("gate.csv"), seen="41 rows", wanted="40 rows", hint="remove the last row"
    )

    assert str(error).splitlines() == [
        "the labels are too long",
        "  where:  gate.csv",
        "  seen:   41 rows",
        "  wanted: 40 rows",
        "  try:    remove the last row",
    ]


def test_what_is_not_known_has_no_line():
    assert str(LabelError("there is no label")) == "there is no label"


def test_a_seen_zero_or_empty_text_is_a_value():
    assert str(LabelError("no rows", seen=0, wanted="")).splitlines() == ["no rows", "  seen:   0", "  wanted: "]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_can_be_caught_as_the_packages_own(kind: type[Exception]):
    assert issubclass(kind, OddframeError)


def test_a_cut_off_video_says_how_many_frames_were_fine():
    error = CutOffVideoError("the video ends in the middle", frames_read=17, path="gate.mp4")

    assert error.frames_read == 17
    assert "seen:   17 readable frames" in str(error)


def test_a_missing_extra_says_how_to_install_it():
    assert 'pip install "oddframe[train]"' in str(MissingExtraError("training", "train"))


def test_a_misspelt_word_is_answered_with_its_neighbours():
    assert nearest("epoch", ["epochs", "batch"]) == "did you mean epochs?"
    assert nearest("heldot", ["heldout_known", "heldout"]) == "did you mean heldout or heldout_known?"


def test_a_word_that_is_like_no_other_has_no_neighbours():
    assert nearest("zzz", ["epochs", "batch"]) is None
