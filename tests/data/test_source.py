"""The recipe by which data are opened: what it keeps, and how it is read back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from oddframe.data.open import open_source, open_videoset
from oddframe.data.source import DataInfo, DataSource, source_in, unknown_in
from oddframe.errors import SettingsError


@pytest.fixture
def camera(tmp_path, make_frame_folder) -> Path:
    """A set whose labels and masks lie elsewhere."""
    make_frame_folder(tmp_path / "camera/normal/a")
    make_frame_folder(tmp_path / "camera/test/b")
    make_frame_folder(tmp_path / "drawn/b", 2, first=4)
    (tmp_path / "odd.csv").write_text("video,start,end\nb,4,6\n")
    return tmp_path / "camera"


def test_a_set_is_opened_again_as_it_was_from_wherever_its_recipe_is_read(camera, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = open_videoset("camera", fps=10, labels=["odd.csv"], masks="drawn")
    written = first.described(tmp_path / "runs/one").model_dump_json()

    assert json.loads(written)["source"]["paths"] == ["../../camera"]
    monkeypatch.chdir("/")
    again = open_source(source_in(DataInfo.model_validate_json(written, strict=True), tmp_path / "runs/one"))
    assert (again.source, again.fingerprint()) == (first.source, first.fingerprint())
    assert again.test[0].video.fps == 10
    assert again.test[0].labels.nonzero()[0].tolist() == [4, 5]
    assert sorted(again.test[0].masks.paths) == [4, 5]


@pytest.mark.parametrize("fps", [0, -1, float("nan"), "fast"])
def test_a_rate_that_is_none_is_refused(camera, fps):
    with pytest.raises(SettingsError):
        open_videoset(camera, fps=fps)


def test_a_recipe_keeps_the_kind_that_was_found_out(camera):
    assert open_videoset(camera).source.kind == "folder"
    assert open_videoset(camera / "test/b").source.kind == "files"


def test_what_is_not_said_otherwise_stays(camera):
    source = DataSource(paths=(camera,), fps=10, partial=True)

    assert source.instead(fps=None, partial=False, labels=()) == source
    assert source.instead(fps=25.0).fps == 25


def test_labels_below_a_folder_that_was_moved_are_looked_for_there(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    source = DataSource(paths=(old,), labels=(old / "odd.csv", tmp_path / "more.csv"), masks=old / "drawn")

    moved = source.instead([new])

    assert moved.labels == (new / "odd.csv", tmp_path / "more.csv")
    assert moved.masks == new / "drawn"


def test_options_open_the_same_by_the_command_line(camera, tmp_path):
    source = DataSource(
        paths=(camera,), kind="folder", fps=10, labels=(tmp_path / "odd.csv",), masks=tmp_path / "drawn", partial=True
    )

    assert source.options() == [
        *("--kind", "folder", "--fps", "10.0", "--masks", str(tmp_path / "drawn")),
        *("--labels", str(tmp_path / "odd.csv"), "--partial"),
    ]


def test_a_run_of_an_older_version_opens_its_set_and_says_what_it_did_not_keep(camera, tmp_path):
    kept: dict = {"root": "../camera", "kind": "folder", "missing": [], "ground_truth": "", "name": "camera"}

    assert source_in(DataInfo(**kept), tmp_path / "run").paths == (camera,)
    assert "--fps" in unknown_in(DataInfo(**kept))[0]
    assert source_in(DataInfo(**kept | {"root": None, "kind": "files"}), tmp_path / "run") is None


def test_a_name_that_is_not_utf_8_is_written_and_read_back(tmp_path):
    name = os.fsdecode(b"Einfahrt_S\xfcd.mp4")
    source = DataSource(paths=(tmp_path / name, tmp_path / "\u043a\u0430\u043c.mp4"))

    written = source.seen_from(tmp_path).model_dump_json()

    assert DataSource.model_validate_json(written, strict=True).at(tmp_path) == source
