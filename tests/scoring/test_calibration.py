"""What each kind of evidence looks like on normal video."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from oddframe.errors import RunError, StorageError
from oddframe.scoring.calibration import POOLED, Calibration, Stretch, as_lively, fit_calibration
from oddframe.settings import ScoreSettings


@pytest.fixture
def stretch(raw):
    """stretch("gate", frames=120, level=0.1) -> held-out video whose motion is about so much, in two places of four."""

    def make(scene: str, frames: int = 120, level: float = 0.01, abnormal=None) -> Stretch:
        rng = np.random.default_rng(frames)
        shown = []
        for frame in range(frames):
            motion = level * rng.uniform(0.5, 1.5)
            shown.append(
                raw(frame, {"motion": [[motion, 1e-4], [motion, 1e-4]]}, psnr=30 + rng.normal(), motion=motion)
            )
        return Stretch(scene, shown, abnormal)

    return make


def settings(**changes) -> ScoreSettings:
    return ScoreSettings(**({"online": ("psnr", "motion"), "local_share": 0.5} | changes))


def test_half_of_normal_frames_are_rarer_than_one_in_two(stretch):
    video = stretch("")
    calibration = fit_calibration([video], settings())
    scene, note = calibration.scene("")

    rarities = [scene.calibrate(one) for one in video.raw]

    assert note == ""
    for name in ("psnr", "motion"):
        assert np.mean([one[name] > np.log10(2) for one in rarities]) == pytest.approx(0.5, abs=0.02)


def test_a_low_psnr_and_a_high_motion_are_odd(stretch, raw):
    scene, _ = fit_calibration([stretch("")], settings()).scene("")

    odd = scene.calibrate(raw(0, psnr=20.0, motion=0.2))
    calm = scene.calibrate(raw(0, psnr=40.0, motion=0.001))

    assert odd["psnr"] > 2 > 0.1 > calm["psnr"]
    assert odd["motion"] > 2 > 0.1 > calm["motion"]


def test_few_frames_are_noted(stretch):
    notes = fit_calibration([stretch("", frames=20)], settings()).notes

    assert any("only 20 held-out normal frames" in note for note in notes)


def test_a_scene_with_enough_frames_has_a_normal_of_its_own(stretch, raw):
    calibration = fit_calibration([stretch("gate", level=0.01), stretch("road", level=0.2)], settings())
    busy = raw(0, psnr=30.0, motion=0.2)

    gate, gate_note = calibration.scene("gate")
    road, _ = calibration.scene("road")

    assert gate_note == ""
    assert gate.calibrate(busy)["motion"] > 2 > road.calibrate(busy)["motion"]


def test_scenes_without_a_normal_of_their_own_use_the_pooled_one_and_say_so(stretch):
    calibration = fit_calibration([stretch("gate"), stretch("road", frames=20)], settings())

    for name, words in {"road": "scene 'road' has no calibration", "": "names no scene"}.items():
        scene, note = calibration.scene(name)
        assert scene is calibration.scenes[POOLED]
        assert words in note


def test_places_are_compared_with_their_own_normal(stretch, raw):
    scene, _ = fit_calibration([stretch("")], settings(per_place=("motion",))).scene("")

    usual = raw(0, {"motion": [[0.01, 1e-4], [0.01, 1e-4]]}, psnr=30.0, motion=0.01)
    elsewhere = raw(0, {"motion": [[1e-4, 0.01], [1e-4, 0.01]]}, psnr=30.0, motion=0.01)

    assert scene.calibrate(elsewhere)["motion"] > scene.calibrate(usual)["motion"] + 0.5
    heat = scene.rarity_map("motion", elsewhere)
    assert heat[0, 1] > heat[0, 0]


def test_without_held_out_anomalies_learned_is_online(stretch):
    calibration = fit_calibration([stretch("")], settings())

    assert calibration.learned_weights == calibration.online_weights == {"psnr": 1.0, "motion": 1.0}
    assert any("`learned` equals `online`" in note for note in calibration.notes)


def test_held_out_anomalies_without_an_abnormal_frame_that_can_be_judged_teach_nothing_and_it_is_said(stretch, raw):
    shown = [raw(i, psnr=20.0, motion=0.5) for i in range(40)]

    calibration = fit_calibration([stretch(""), Stretch("", shown, np.zeros(40, bool))], settings())

    assert calibration.learned_weights == calibration.online_weights
    assert any("can be judged: `learned` equals `online`" in note for note in calibration.notes)


def test_held_out_anomalies_teach_learned_which_component_to_trust(stretch, raw):
    shown = [
        raw(i, psnr=28.0 + i % 5, motion=0.01 + 0.0002 * i) for i in range(40)
    ]  # psnr as ever, motion a bit higher
    odd = Stretch("", shown, np.ones(40, bool))

    calibration = fit_calibration([stretch(""), odd], settings())

    assert calibration.learned_weights["motion"] > 1.5 * calibration.learned_weights["psnr"]
    assert calibration.online_weights == {"psnr": 1.0, "motion": 1.0}


def test_components_that_a_detector_lacks_are_left_out_of_online(stretch):
    weights = fit_calibration([stretch("")], settings(online=("distance", "motion"))).online_weights

    assert weights == {"motion": 1.0}


def test_still_video_calibrates_to_numbers(raw):
    still = Stretch("", [raw(i, {"motion": [[0.0]]}, psnr=100.0, motion=0.0) for i in range(120)])
    calibration = fit_calibration([still], settings(per_place=("motion",)))
    scene, _ = calibration.scene("")

    assert all(np.isfinite(value) for value in scene.calibrate(still.raw[0]).values())
    assert 0 < calibration.line.off < calibration.line.on < np.inf


# On disk ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(stretch, tmp_path) -> Path:
    videos = [stretch("north/gate"), stretch("road", level=0.2)]
    fit_calibration(videos, settings(per_place=("motion",), smoothing=3)).save(tmp_path)
    return tmp_path


def test_a_calibration_comes_back_as_it_was(stretch, stored):
    videos = [stretch("north/gate"), stretch("road", level=0.2)]
    made = fit_calibration(videos, settings(per_place=("motion",), smoothing=3))

    back = Calibration.load(stored)

    assert (back.line, back.notes, back.smoothing) == (made.line, made.notes, 3)
    assert back.scenes.keys() == made.scenes.keys() == {POOLED, "north/gate", "road"}
    for name, scene in made.scenes.items():
        assert back.scenes[name].calibrate(videos[0].raw[5]) == scene.calibrate(videos[0].raw[5])
    assert all(np.array_equal(back.heldout[name], values) for name, values in made.heldout.items())


@pytest.mark.parametrize("name", ["calibration.json", "calibration.npz"])
def test_a_missing_calibration_says_that_training_has_not_finished(stored, name):
    (stored / name).unlink()

    with pytest.raises(RunError, match="has not finished"):
        Calibration.load(stored)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}'])
def test_damaged_words_are_said(stored, content):
    (stored / "calibration.json").write_bytes(content)

    with pytest.raises(RunError, match="calibration is damaged"):
        Calibration.load(stored)


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_truncated_arrays_are_said(stored, keep):
    path = stored / "calibration.npz"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(RunError, match="calibration is damaged"):
        Calibration.load(stored)


def test_arrays_with_a_flipped_byte_are_said(stored):
    path = stored / "calibration.npz"
    content = bytearray(path.read_bytes())
    content[120] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(RunError, match="calibration is damaged"):
        Calibration.load(stored)


def test_another_format_is_said(stored):
    path = stored / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))

    with pytest.raises(RunError, match="another format"):
        Calibration.load(stored)


def test_a_folder_that_cannot_be_written_is_said(stretch, tmp_path):
    with pytest.raises(StorageError, match="calibration cannot be written"):
        fit_calibration([stretch("")], settings()).save(tmp_path / "nowhere")


# How much stretches differ ---------------------------------------------------------------------------------------


def scores_at(*levels: float) -> list[np.ndarray]:
    """Stretches of 50 scores whose oddest tenth has these means."""
    within = np.linspace(-2.0, 0.0, 50)
    return [level + within - within[-5:].mean() for level in levels]


def level(scores: np.ndarray) -> float:
    return float(np.sort(scores)[-5:].mean())


def test_one_stretch_alone_stays_where_it_is():
    (alone,) = scores_at(3.0)

    assert np.array_equal(as_lively([alone], 1)[0], alone)


def test_stretches_are_brought_to_the_upper_bound_of_a_next_one():
    lively = as_lively(scores_at(1.0, 2.0, 3.0), 3)

    # mean 2, spread 1; 2.92 is the 95 % quantile of Student's distribution with two degrees of freedom
    assert [level(scores) for scores in lively] == pytest.approx([2 + 2.92 * np.sqrt(4 / 3)] * 3, abs=1e-3)


def test_trained_stretches_that_lie_lower_are_lifted_and_those_that_lie_higher_are_believed():
    flattered = as_lively(scores_at(3.0, 3.2, -5.0, -4.8), 2)
    lively = as_lively(scores_at(3.0, 3.2, 6.0, 6.2), 2)

    assert level(flattered[0]) == pytest.approx(level(as_lively(scores_at(3.0, 3.2, 3.0, 3.2), 2)[0]))
    assert level(lively[0]) > 6.2


def test_nineteen_of_twenty_new_videos_keep_below_a_line_drawn_on_lively_ones():
    """Videos of level N(0, 1): half of them cross the 99 % line of two of them by more than a hundredth."""
    rng = np.random.default_rng(1)
    within = np.linspace(-0.5, 0.5, 41)
    crossed = {True: 0, False: 0}
    for _ in range(400):
        videos = [rng.normal() + within for _ in range(17)]
        for lively in crossed:
            shown = as_lively(videos[:16], 2) if lively else videos[:2]
            crossed[lively] += float((videos[16] > np.quantile(np.concatenate(shown), 0.99)).mean()) > 0.03

    assert 0.02 < crossed[True] / 400 < 0.09
    assert crossed[False] / 400 > 0.3


def test_a_calibration_knows_of_livelier_stretches_than_the_held_out_one(stretch):
    alone = fit_calibration([stretch("")], settings())
    informed = fit_calibration([stretch("")], settings(), [stretch("", 130, level) for level in (0.003, 0.01, 0.1)])

    assert informed.scenes[POOLED].online.start > alone.scenes[POOLED].online.start
    assert len(informed.heldout["online"]) == len(alone.heldout["online"]) == 120
    assert alone.line.note == informed.line.note  # trained footage vouches for no more hours


def test_each_scene_has_a_lively_level_of_its_own(stretch):
    both = fit_calibration(
        [stretch("gate", level=0.01), stretch("road", level=0.2)],
        settings(),
        [stretch("gate", 130, 0.012), stretch("gate", 140, 0.011), stretch("road", 150, 0.19)],
    )
    gate = fit_calibration(
        [stretch("gate", level=0.01)], settings(), [stretch("gate", 130, 0.012), stretch("gate", 140, 0.011)]
    )

    assert both.scenes["gate"].online.start == pytest.approx(gate.scenes[POOLED].online.start)
