"""Settings are plain values; whatever else YAML can say is refused, at once, with where it stands."""

from __future__ import annotations

import time

import pytest

from oddframe.errors import SettingsError
from oddframe.plain_yaml import MOST_BYTES, NotPlainError, read_plain
from oddframe.settings_layers import load_settings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lr: 1e-4\nsize:\n  - 96\n  - 144\n", {"lr": 1e-4, "size": [96, 144]}),
        ("on", True),
        ("No", False),
        ("~", None),
        ("", None),
        ("'3'", "3"),
        ("2020-13-45", "2020-13-45"),
        ("2:30", "2:30"),
        ("-.5", -0.5),
        ("<<", "<<"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_words_numbers_and_lists_are_what_they_look_like(text, value):
    assert read_plain(text) == value
    assert type(read_plain(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "a: !!timestamp 2020-01-01",
            "tags are not read here: write the value without '!!timestamp' (line 1, column 4)",
        ),
        ("a: !!float x", "write the value without '!!float'"),
        ("a: !!python/object/apply:os.system [ls]", "tags are not read here"),
        ("a: &x [1]\nb: *x", "anchors and aliases are not read here"),
        ("a: " + "9" * 5000, "a number of more than 40 digits (line 1, column 4)"),
        ("[" * 50_000, "more than 16 levels"),
        ("- " * 30_000, "more than 16 levels"),
        ("? " * 30_000, "more than 16 levels"),
        ("a: 1\na: 2", "'a' stands there twice (line 2, column 1)"),
        ("[1]: 2", "a key is one word"),
        ("a" * (MOST_BYTES + 1), "longer than 65,536 bytes"),
        ("a: 'open", "while scanning"),
        ("\x00", "unacceptable character"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_more_than_plain_is_refused_at_once(text, what):
    began = time.monotonic()

    with pytest.raises(NotPlainError) as caught:
        read_plain(text)

    assert what in str(caught.value)
    assert time.monotonic() - began < 60  # it takes milliseconds; aliases that multiply would take for ever


@pytest.mark.parametrize("text", ["train: {lr: .inf}", "train: {lr: .nan}", "train: {lr: 1e999}"])
def test_a_number_that_is_not_finite_is_no_setting(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text)

    with pytest.raises(SettingsError, match=r"'train\.lr' does not fit"):
        load_settings("tiny", file=tmp_path / "mine.yaml")


def test_an_error_quotes_no_more_than_a_line_of_what_was_written():
    with pytest.raises(SettingsError) as caught:
        load_settings("tiny", overrides=[f"train.{'x' * 5000}=1"])

    assert len(str(caught.value).splitlines()[0]) < 200


def test_an_override_that_is_no_plain_value_says_so():
    with pytest.raises(SettingsError, match=r"'train\.epochs' is no plain YAML") as caught:
        load_settings("tiny", overrides=["train.epochs=!!int 3"])

    assert "tags are not read here" in caught.value.seen
