"""Which scene's normal a video is judged by."""

from __future__ import annotations

from tests.scoring.conftest import fit

from oddframe.scoring.calibration import POOLED


def test_scenes_without_a_normal_of_their_own_use_the_pooled_one_and_say_so(stretch):
    calibration = fit([stretch("gate"), stretch("road", frames=20)])

    for name, words in {"road": "scene 'road' has no calibration", "": "names no scene"}.items():
        scene, note = calibration.scene(name)
        assert scene is calibration.scenes[POOLED]
        assert words in note


def test_another_scene_than_the_one_of_a_run_is_said(stretch):
    calibration = fit([stretch("gate")])

    assert "'yard' is judged by what is normal in 'gate'" in calibration.scene("yard")[1]
    assert calibration.scene("gate")[1] == calibration.scene("")[1] == ""


def test_the_scene_of_a_run_without_scenes_is_nobodys_concern(stretch):
    assert fit([stretch("")]).scene("yard")[1] == ""
