"""Which scene's normal a video is judged by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scoring.conftest import fit, footage

from oddframe.scoring.calibration import POOLED, SceneNormal
from oddframe.scoring.scores import Raw
from oddframe.scoring.session import Fusing

FRAMES = st.tuples(st.floats(0, 100), st.floats(0, 1))
"""PSNR and motion of a frame, all that there can be."""


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


def frame(psnr: float, motion: float) -> Raw:
    return Raw(0, 0.0, {"psnr": psnr, "motion": motion}, {}, anew=True)


@pytest.fixture(scope="module")
def lively() -> SceneNormal:
    """The normal of a video whose calmest frames are still lively."""
    return fit([footage("heldout", [frame(20 + one % 11, 0.1 + one / 1000) for one in range(120)])]).pooled


@given(FRAMES)
def test_no_score_of_a_frame_is_below_0_however_calm_it_is(lively, shown):
    rarities, online, learned = Fusing(lively).take(frame(*shown))

    assert min(*rarities.values(), online, learned) > 0


@given(FRAMES, FRAMES)
def test_a_calmer_component_has_no_higher_rarity(lively, one, other):
    calmer = frame(max(one[0], other[0]), min(one[1], other[1]))
    odder = frame(min(one[0], other[0]), max(one[1], other[1]))

    low, high = (Fusing(lively).take(shown)[0] for shown in (calmer, odder))

    assert all(low[name] <= high[name] + 1e-9 for name in ("psnr", "motion"))


def test_what_is_calmer_than_all_footage_still_weighs_in_the_sum(lively):
    """Bent for the eye alone: a calm component takes away from `online` what it did."""
    calm, usual = (Fusing(lively).take(frame(psnr, 0.15)) for psnr in (100.0, 30.0))

    assert lively.components.rarities(frame(100.0, 0.15))["psnr"] < 0
    assert 0 < calm[0]["psnr"] < usual[0]["psnr"]
    assert calm[1] < usual[1]
