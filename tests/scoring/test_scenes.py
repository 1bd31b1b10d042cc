"""Which of the trained scenes a video shows."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from oddframe.errors import SettingsError
from oddframe.scoring.scenes import Scenes, folders_of

THREE = Scenes(("passage", "square", "street"), known=True)


def test_the_scene_is_the_folder_as_in_training():
    assert THREE.choose("", folders_of("street/street-t01", Path("data/test/street/street-t01.mp4"))) == ("street", "")
    assert THREE.choose("", folders_of("t01", Path("/data/test/square/t01.mp4"))) == ("square", "")
    assert THREE.choose("", ["street", "monday", "morning"]) == ("street", "")
    nested = Scenes(("north/gate",), known=True)
    assert nested.choose("", folders_of("north/gate/monday", Path("monday.mp4"))) == ("north/gate", "")


def test_a_folder_whose_name_is_not_utf_8_is_the_scene_that_training_made_of_it():
    foreign = os.fsdecode(b"kam\xe9ra")
    scenes = Scenes((r"kam\xe9ra", "street"), known=True)

    assert scenes.choose("", folders_of("t01", Path("/data") / foreign / "t01.mp4")) == (r"kam\xe9ra", "")
    assert scenes.choose(foreign, []) == (r"kam\xe9ra", "")
    scenes.check(foreign)


def test_a_scene_that_is_said_goes_before_the_folder():
    assert THREE.choose("square", ["street"]) == ("square", "")


def test_a_misspelt_scene_is_an_error_that_names_the_nearest():
    with pytest.raises(SettingsError, match=r"no scene 'streat'[\s\S]*passage \| square \| street[\s\S]*mean street"):
        THREE.choose("streat", [])
    with pytest.raises(SettingsError, match="leave --scene out"):
        Scenes((), known=True).choose("gate", [])


def test_a_run_of_several_scenes_that_is_given_none_says_so():
    scene, note = THREE.choose("", ["downloads"])

    assert scene == ""
    assert "the run knows 3 (passage, square, street)" in note
    assert "e.g. --scene passage" in note


def test_a_run_of_one_camera_judges_by_that():
    assert Scenes(("gate",), known=True).choose("", ["downloads"]) == ("gate", "")
    assert Scenes((), known=True).choose("", ["downloads"]) == ("", "")


def test_a_run_of_an_earlier_version_may_have_had_scenes_that_it_does_not_tell():
    assert Scenes((), known=False).choose("gate", []) == ("gate", "")


@pytest.mark.parametrize(("count", "shown"), [(8, "1, 2, 3, 4, 5, 6, 7, 8)"), (9, "1, 2, 3, 4, 5, 6, 7, 8 ...)")])
def test_of_many_scenes_the_first_eight_are_named(count, shown):
    _, note = Scenes(tuple(str(number) for number in range(1, count + 1)), known=True).choose("", [])

    assert f"the run knows {count} ({shown}:" in note


def test_scenes_are_all_that_calibration_or_backgrounds_name():
    calibration = SimpleNamespace(scenes=("", "yard"), filmed=("gate",))

    assert Scenes.of(calibration, SimpleNamespace(scenes=("belt",))) == Scenes(("belt", "gate", "yard"), known=True)
    assert Scenes.of(calibration, SimpleNamespace(scenes=())) == Scenes(("gate", "yard"), known=False)
    calibration.filmed = None
    assert Scenes.of(calibration, SimpleNamespace(scenes=())) == Scenes(("yard",), known=False)


def test_the_scenes_of_a_run_are_read_from_its_folder():
    run = SimpleNamespace(folder=Path(__file__).parents[1] / "made_by_0_1" / "scenes")

    assert Scenes.of_run(run) == Scenes(("gate", "road"), known=False)
