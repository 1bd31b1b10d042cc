"""Which scene's normal a video is judged by."""

from __future__ import annotations

from dataclasses import replace

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


def test_what_a_run_was_calibrated_with_and_no_longer_gathers_has_no_rarity(stretch, raw):
    """A run whose `online` had optical flow, and has none any more, is scored without it."""
    gate = stretch("gate")
    shown = [replace(one, values={**one.values, "flow": one.values["motion"]}) for one in gate.frames()]
    normal = fit([replace(gate, frames=lambda: shown)]).scenes[POOLED].components

    full, less = normal.rarities(shown[0]), normal.rarities(replace(shown[0], values=raw(0, motion=0.01).values))

    assert "flow" in full
    assert "flow" not in less
    assert "motion" in less
