"""Which videos are found in a folder, under which names and scenes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from oddframe.data.open import open_videoset
from oddframe.errors import MissingPathError
from oddframe.footage.naming import named
from oddframe.video.discover import find_videos, scene_of


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path) -> list[tuple[str, str]]:
    return [(one.name, one.scene) for one in find_videos(root).videos]


def test_what_a_recorder_wrote_by_date_and_hour_is_one_scene_a_camera_in_order_of_time(tmp_path):
    root = touch(
        tmp_path,
        *("recordings/2026-11-28/07/gate/00.00.mp4", "recordings/2026-11-28/06/gate/59.50.mp4"),
        *("recordings/2026-11-28/06/yard/59.50.mp4", "clips/gate-1.jpg", "exports/sum.mp4"),
    )

    assert found(root) == [
        ("recordings/2026-11-28/06/gate/59.50", "gate"),
        ("recordings/2026-11-28/06/yard/59.50", "yard"),
        ("recordings/2026-11-28/07/gate/00.00", "gate"),
    ]
    assert find_videos(root).dated == ("06", "07", "2026-11-28")
    assert {scene for _, scene in found(root / "recordings")} == {"gate", "yard"}


@pytest.mark.parametrize(
    ("within", "scene"),
    [
        (("gate", "2026", "11", "28"), "gate"),
        (("20261128", "06-58-50", "gate"), "gate"),
        (("north", "gate"), "north/gate"),
        (("02",), "02"),
        (("12", "30"), "12/30"),
        (("1999 party",), "1999 party"),
    ],
)
def test_only_folders_called_by_a_date_and_times_below_it_are_no_scenes(within, scene):
    assert scene_of(within) == scene


def test_masks_and_written_scores_are_no_videos(tmp_path):
    touch(tmp_path, "Test001/001.tif", "Test001_gt/001.bmp", "masks/gate/1.png", "gate/heat.mp4", "gate/scores.json")

    assert found(tmp_path) == [("Test001", "")]
    assert find_videos(tmp_path).passed_over == {"": ["gate/", "masks/", "Test001_gt/"]}


def test_training_and_scoring_find_the_same_videos_in_a_folder(tmp_path, make_video):
    for name in ("week/mon/a.mp4", "week/mon/b.mp4", "week/tue/a.mp4"):
        make_video(tmp_path / name, 5)

    trained = open_videoset(tmp_path / "week")

    assert [one.name for one in trained.normal] == [name for name, _ in named([tmp_path / "week"])]
    assert [(one.name, one.scene) for one in trained.normal] == [("mon/a", "mon"), ("mon/b", "mon"), ("tue/a", "tue")]
    assert (trained.kind, trained.name) == ("files", "week")


@pytest.mark.parametrize("part", ["testing/frames", "Test", "abnormal_videos", "anomalies"])
def test_a_folder_with_a_test_in_it_is_not_taken_as_normal_video(tmp_path, make_video, part):
    make_video(tmp_path / "set/first/a.mp4", 5)
    make_video(tmp_path / "set" / part / "b.mp4", 5)

    with pytest.raises(MissingPathError, match="--kind files takes all video in a folder as normal"):
        open_videoset(tmp_path / "set")
    assert len(open_videoset(tmp_path / "set", "files").normal) == 2


def test_a_name_that_is_not_utf_8_can_be_printed_and_written(tmp_path, make_video):
    path = make_video(tmp_path / "gate.mp4", 5).rename(tmp_path / os.fsdecode(b"S\xfcd.mp4"))

    assert open_videoset(path).normal[0].name == "S\\xfcd"
    assert found(tmp_path) == [("S\\xfcd", "")]
    open_videoset(tmp_path).described(tmp_path).model_dump_json()
