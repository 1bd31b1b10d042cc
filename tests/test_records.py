"""A record is read whole and sound, or refused with one error that names what is wrong."""

from __future__ import annotations

import json
import os

import pytest

from oddframe.errors import RunError, SettingsError, StorageError
from oddframe.records import FileRecord, Record, parse_json, read_record, write_record


class Place(Record):
    row: int
    share: float = 0.0


class Plan(FileRecord):
    format: int = 3
    name: str
    places: tuple[Place, ...] = ()


def read(path):
    return read_record(path, Plan, "the plan", limit_bytes=100_000, hint="make a new one")


@pytest.fixture
def path(tmp_path):
    return write_record(tmp_path / "plan.json", Plan(name="gate", places=(Place(row=2, share=0.5),)))


def test_what_is_written_is_read_again(path):
    assert json.loads(path.read_text()) == {"format": 3, "name": "gate", "places": [{"row": 2, "share": 0.5}]}
    assert read(path) == Plan(name="gate", places=(Place(row=2, share=0.5),))


def test_entries_are_attributes_and_can_be_asked_for_by_name():
    place = Place(row=2)

    assert (place.row, place["row"]) == (2, 2)
    with pytest.raises(KeyError):
        place["model_fields"]
    assert place.changed(share=1.0) == Place(row=2, share=1.0)


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("", "line 1"),
        ("{", "line 1"),
        ("[3]", "no format number"),
        ('{"name": "gate"}', "no format number"),
        ('{"format": 3}', "name: missing"),
        ('{"format": 3, "name": 5}', "name: "),
        ('{"format": 3, "name": "gate", "nane": 1}', "nane: this version knows no such entry"),
        ('{"format": 3, "name": "gate", "places": [{"row": "2"}]}', "places.0.row: "),
        ('{"format": 3, "name": "gate", "places": "none"}', "places: "),
        ('{"format": 3, "name": "gate", "places": [{"row": 2, "share": NaN}]}', "line 1"),
        ('{"format": 3, "name": "gate", "places": [{"row": 2, "share": 1e999}]}', "not finite"),
        ('{"format": 3, "name": ' + "[" * 50_000, "recursion"),
        ('{"format": 3, "name": ' + "9" * 50_000 + "}", "line 1"),
        (b'{"format": 3, "name": "\xff"}', ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_damaged_record_is_one_error_that_names_the_entry(path, content, seen):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(RunError, match="the plan is damaged") as caught:
        read(path)

    assert seen in caught.value.seen
    assert len(caught.value.seen) <= 210
    assert (caught.value.path, caught.value.hint) == (path, "make a new one")


def test_another_format_names_the_version_that_wrote_it(path):
    path.write_text('{"format": 4, "versions": {"oddframe": "9.1"}, "new": 1}')

    with pytest.raises(RunError, match="another format") as caught:
        read(path)

    assert (caught.value.seen, caught.value.wanted) == ("4", 3)
    assert caught.value.hint == "it was made by oddframe 9.1: use that version, or make a new one"


def test_no_more_is_read_than_a_record_may_have(path):
    path.write_text('{"format": 3, "name": "' + " " * 100_000 + '"}')

    with pytest.raises(RunError, match="too large") as caught:
        read(path)

    assert caught.value.wanted == "up to 100,000"


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "plan.json")

    with pytest.raises(RunError, match="the plan is not there"):
        read(tmp_path / "plan.json")


def test_the_error_is_of_the_class_that_was_asked_for():
    with pytest.raises(SettingsError, match="it is damaged"):
        parse_json("{", "it", error=SettingsError)


def test_a_record_that_cannot_be_written_leaves_the_one_before(path, dev_full):
    before = path.read_bytes()
    path.with_name(f".plan.json.{os.getpid()}.tmp").symlink_to(dev_full)

    with pytest.raises(StorageError, match="No space left"):
        write_record(path, Plan(name="other"))

    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["plan.json"]
