"""From judged video to a calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.scoring.conftest import fit, footage

from oddframe.scoring import fusion
from oddframe.scoring.calibration import POOLED
from oddframe.scoring.calibration_file import load_calibration, save_calibration
from oddframe.scoring.collect import Footage


def moving(raw, frame: int, motion: float, psnr: float = 30.0):
    """The evidence of a frame that moves so much in the left half of the picture."""
    return raw(frame, {"motion": [[motion, 1e-4], [motion, 1e-4]]}, psnr=psnr, motion=motion)


def test_half_of_normal_frames_are_rarer_than_one_in_two(stretch):
    video = stretch("")
    scene, note = fit([video]).scene("")

    rarities = [scene.components.rarities(one) for one in video.frames()]

    assert note == ""
    for name in ("psnr", "motion"):
        assert np.mean([one[name] > np.log10(2) for one in rarities]) == pytest.approx(0.5, abs=0.02)


def test_a_low_psnr_and_a_high_motion_are_odd(stretch, raw):
    components = fit([stretch("")]).pooled.components

    odd = components.rarities(raw(0, psnr=20.0, motion=0.2))
    calm = components.rarities(raw(0, psnr=40.0, motion=0.001))

    assert odd["psnr"] > 2 > 0.1 > calm["psnr"]
    assert odd["motion"] > 2 > 0.1 > calm["motion"]


def test_few_frames_are_noted(stretch):
    notes = fit([stretch("", frames=20)]).notes

    assert any("only 20 held-out normal frames" in note for note in notes)


def test_a_hundred_frames_are_enough_and_one_fewer_is_not(stretch):
    assert set(fit([stretch("gate", 100), stretch("road", 99)]).scenes) == {POOLED, "gate"}
    assert not any("held-out normal frames" in note for note in fit([stretch("", 100)]).notes)
    assert any("only 99 held-out normal frames" in note for note in fit([stretch("", 99)]).notes)


def test_what_is_rare_is_learned_on_held_out_video_and_not_on_trained(stretch, raw):
    """A network is too good on what it was trained on: its errors there tell nothing of what is usual."""
    alone = fit([stretch("", level=0.01)])
    beside = fit([stretch("", level=0.01), stretch("", 300, level=0.0001, kind="trained")])

    usual = raw(0, psnr=30.0, motion=0.01)

    with_it, without = (one.pooled.components.rarities(usual) for one in (beside, alone))
    assert with_it["psnr"] == without["psnr"]
    assert with_it["motion"] > without["motion"] + 0.3  # of that no training knows anything: it counts wherever it is
    assert all(len(values) == 120 for values in beside.heldout.values())


# Scenes ----------------------------------------------------------------------------------------------------------


def test_a_scene_with_enough_frames_has_a_normal_of_its_own(stretch, raw):
    calibration = fit([stretch("gate", level=0.01), stretch("road", level=0.2)])
    busy = raw(0, psnr=30.0, motion=0.2)

    gate, gate_note = calibration.scene("gate")
    road, _ = calibration.scene("road")

    assert gate_note == ""
    assert gate.components.rarities(busy)["motion"] > 2 > road.components.rarities(busy)["motion"]


def test_other_scenes_are_judged_without_places_where_each_scene_has_its_own(stretch, raw):
    """Statistics per place are those of one camera: another one sees something else at the same pixel."""
    calibration = fit([stretch("gate"), stretch("road", 130, level=0.2)], per_place=("motion",))
    usual = raw(0, {"motion": [[0.01, 1e-4], [0.01, 1e-4]]}, psnr=30.0, motion=0.01)
    mirrored = raw(0, {"motion": [[1e-4, 0.01], [1e-4, 0.01]]}, psnr=30.0, motion=0.01)

    pooled = calibration.pooled.components

    assert pooled.places == {}
    assert pooled.rarities(mirrored) == pooled.rarities(usual)
    assert set(calibration.scenes["gate"].components.places) == {"motion"}
    assert any("any other scene is judged without statistics per place" in note for note in calibration.notes)


def test_an_unseen_scene_keeps_the_line_of_one_frame_in_a_hundred(raw):
    """The tail for unseen scenes is fitted on scores by the pooled components, as an unseen scene gets them.

    Cameras differ by a third of what their frames differ by. With the scores that known cameras have by their own
    components, 2.6 % of the frames of other cameras were above the line.
    """
    rng = np.random.default_rng(0)

    def camera(scene: str, frames: int):
        motion = np.exp(rng.normal(-4, 0.2) + rng.normal(0, 0.6, frames))
        shown = [raw(i, psnr=30.0 + rng.normal(), motion=float(one)) for i, one in enumerate(motion)]
        return footage("heldout", shown, scene=scene)

    shares = []
    for _ in range(3):
        pooled, note = fit([camera(f"c{number}", 120) for number in range(4)], online=("motion",)).scene("another")
        assert "pooled" in note
        for _ in range(8):
            stream = pooled.fused.stream()
            scores = [stream.take(pooled.components.rarities(one))[0] for one in camera("another", 60).frames()]
            shares.append(np.mean(np.array(scores) > 2.0))

    assert np.mean(shares) <= 0.01


def test_each_scene_has_a_lively_level_of_its_own(stretch):
    both = fit(
        [
            *(stretch("gate", level=0.01), stretch("road", level=0.2)),
            *(stretch("gate", 130, 0.012, kind="trained"), stretch("gate", 140, 0.011, kind="trained")),
            stretch("road", 150, 0.19, kind="trained"),
        ]
    )
    gate = fit(
        [stretch("gate"), stretch("gate", 130, 0.012, kind="trained"), stretch("gate", 140, 0.011, kind="trained")]
    )

    assert both.scenes["gate"].fused.online.tail.start == pytest.approx(gate.pooled.fused.online.tail.start)


def test_a_calibration_knows_of_livelier_stretches_than_the_held_out_one(stretch):
    alone = fit([stretch("")])
    informed = fit([stretch(""), *(stretch("", 130, level, kind="trained") for level in (0.003, 0.01, 0.1))])

    assert informed.pooled.fused.online.tail.start > alone.pooled.fused.online.tail.start + 0.1
    assert len(informed.heldout["online"]) == len(alone.heldout["online"]) == 120
    assert alone.line.note == informed.line.note  # trained footage vouches for no more hours


def test_trained_video_can_raise_the_line(stretch, raw):
    """Nineteen stretches and more stay where they are; one of the trained ones has two odd seconds."""
    calm = [stretch("", 100 + number) for number in range(20)]
    odd = footage("trained", [moving(raw, i, 0.2 if 40 < i < 60 else 0.01, psnr=30.0 + i % 3) for i in range(200)])

    alone, beside = (fit([*calm, *more], online=("motion",)).line for more in ((), (odd,)))

    assert beside.on > alone.on + 0.5
    assert beside.note == alone.note


# Places ----------------------------------------------------------------------------------------------------------


def test_places_are_compared_with_their_own_normal(stretch, raw):
    components = fit([stretch("")], per_place=("motion",)).pooled.components

    usual = raw(0, {"motion": [[0.01, 1e-4], [0.01, 1e-4]]}, psnr=30.0, motion=0.01)
    elsewhere = raw(0, {"motion": [[1e-4, 0.01], [1e-4, 0.01]]}, psnr=30.0, motion=0.01)

    assert components.rarities(elsewhere)["motion"] > components.rarities(usual)["motion"] + 0.5
    heat = components.rarity_map("motion", elsewhere)
    assert heat[0, 1] > heat[0, 0]


@pytest.mark.parametrize("per_place", [(), ("motion",)])
def test_a_place_that_is_ignored_is_never_rare(stretch, raw, per_place):
    components = fit([stretch("")], per_place=per_place).pooled.components
    odd = raw(0, {"motion": [[0.9, 0.9], [0.9, 1e-4]]}, psnr=30.0, motion=0.9)
    watched = replace(odd, watched={"motion": np.array([[True, False], [False, True]])})

    heat = components.rarity_map("motion", watched)

    assert heat[0, 0] == components.rarity_map("motion", odd)[0, 0] > 1
    assert (heat[0, 1], heat[1, 0]) == (0, 0)


def test_components_that_a_detector_lacks_are_left_out_of_online(stretch):
    assert fit([stretch("")], online=("distance", "psnr")).pooled.fused.online.weights == {"psnr": 1.0}


def test_still_video_calibrates_to_numbers(raw):
    still = footage("heldout", [raw(i, {"motion": [[0.0]]}, psnr=100.0, motion=0.0) for i in range(120)])
    calibration = fit([still], per_place=("motion",))

    assert all(np.isfinite(one) for one in calibration.pooled.components.rarities(still.frames()[0]).values())
    assert calibration.line.on == pytest.approx(1.0)
    assert any("nothing changes in the held-out video" in note for note in calibration.notes)
    changed = raw(0, {"motion": [[0.5]]}, psnr=3.0, motion=0.5)
    fused = calibration.pooled.fused
    assert 1.0 < fused.of_frame(calibration.pooled.components.rarities(changed))[0] <= np.log10(120) + 2 + 1e-6


# Learned ---------------------------------------------------------------------------------------------------------


def test_without_held_out_anomalies_learned_is_online(stretch):
    calibration = fit([stretch("")])

    fused = calibration.pooled.fused
    assert fused.learned.weights == fused.online.weights == {"psnr": 1.0, "motion": 1.0}
    assert any("`learned` equals `online`" in note for note in calibration.notes)


def test_held_out_anomalies_without_an_abnormal_frame_that_can_be_judged_teach_nothing_and_it_is_said(stretch, raw):
    shown = [moving(raw, i, 0.5, psnr=20.0) for i in range(40)]

    calibration = fit([stretch(""), footage("known", shown, abnormal=np.zeros(40, bool))])

    assert calibration.pooled.fused.learned.weights == calibration.pooled.fused.online.weights
    assert any("can be judged: `learned` equals `online`" in note for note in calibration.notes)


@pytest.fixture
def taught(stretch, raw):
    """A calibration that met an anomaly whose PSNR is as ever, and whose motion is a bit higher."""
    shown = [moving(raw, i, 0.01 + 0.0002 * i, psnr=28.0 + i % 5) for i in range(40)]
    return fit([stretch(""), footage("known", shown, abnormal=np.ones(40, bool))])


def test_held_out_anomalies_teach_learned_which_component_to_trust(taught):
    fused = taught.pooled.fused

    assert fused.learned.weights["motion"] > 1.5 * fused.learned.weights["psnr"]
    assert fused.online.weights == {"psnr": 1.0, "motion": 1.0}


def test_learned_scores_are_made_with_the_learned_weights(taught, raw):
    """Of two frames that `online` finds equally odd, `learned` finds that odder which moves more."""
    components, fused = taught.pooled.components, taught.pooled.fused
    rarities = components.rarities(raw(0, psnr=25.0, motion=0.014))

    faster, blurred = {"psnr": 0.5, "motion": 2.0}, {"psnr": 2.0, "motion": 0.5}

    assert fused.of_frame(faster)[0] == fused.of_frame(blurred)[0]
    assert fused.of_frame(faster)[1] > fused.of_frame(blurred)[1] + 0.1
    weights = fused.learned.weights
    summed = weights["psnr"] * rarities["psnr"] + weights["motion"] * rarities["motion"]
    assert fused.of_frame(rarities)[1] == pytest.approx(fused.learned.rarity_of(summed))
    assert not np.array_equal(taught.heldout["learned"], taught.heldout["online"])


def test_the_labels_of_held_out_anomalies_are_those_of_their_own_frames(stretch, raw):
    """Odd frames are 10, 12, 14...: with labels a frame late, the odd component would be mistrusted."""
    shown = [moving(raw, i, 0.1 if i % 2 == 0 else 0.001) for i in range(10, 90)]
    odd = footage("known", shown, abnormal=[one.frame % 2 == 0 for one in shown])

    weights = fit([stretch(""), odd]).pooled.fused.learned.weights

    assert weights["motion"] > 1.0


# The oddest component --------------------------------------------------------------------------------------------


@pytest.fixture
def wilder(raw):
    """wilder("gate") -> held-out video whose motion is twice a hundred times as much; its PSNR never is."""

    def make(scene: str = "", jump: float = 100.0) -> Footage:
        rng = np.random.default_rng(5)
        shown = [
            raw(i, psnr=30 + rng.normal(), motion=0.01 * rng.uniform(0.5, 1.5) * (jump if i % 149 == 0 else 1))
            for i in range(300)
        ]
        return footage("heldout", shown, scene=scene)

    return make


def test_the_oddest_component_alone_counts_each_measured_by_what_it_reaches_on_normal_video(wilder):
    normal = fit([wilder(), wilder()], fusion="oddest").pooled
    online = normal.fused.online

    assert online.by == "oddest"
    assert (online.weights["psnr"], normal.fused.learned) == (1.0, online)
    assert online.weights["motion"] < 0.8
    of_one = normal.fused.of_frame({"psnr": 2.0, "motion": 0.0})[0]
    assert normal.fused.of_frame({"psnr": 2.0, "motion": 2.0})[0] == of_one
    assert normal.fused.of_frame({"psnr": 2.0, "motion": 9.0})[0] > of_one


def test_scenes_measure_components_by_their_own_video_and_remember_it(wilder, stretch, tmp_path):
    made = fit([wilder("gate"), wilder("yard", jump=1.0)], fusion="oddest")
    save_calibration(made, tmp_path)

    weights = {scene: normal.fused.online.weights for scene, normal in made.scenes.items()}
    assert weights["gate"]["motion"] < weights["yard"]["motion"]
    back = load_calibration(tmp_path)
    for scene, normal in made.scenes.items():
        for one in (back.scenes[scene].fused.online, back.scenes[scene].fused.learned):
            assert (one.by, one.weights) == ("oddest", normal.fused.online.weights)


def test_known_anomalies_weigh_components_that_are_added_however_online_joins_them(stretch, raw):
    shown = [moving(raw, i, 0.01 + 0.0002 * i, psnr=28.0 + i % 5) for i in range(40)]
    known = footage("known", shown, abnormal=np.ones(40, bool))

    added, oddest = (fit([stretch(""), known], fusion=one).pooled.fused for one in ("sum", "oddest"))

    assert oddest.learned.by == "sum"
    assert oddest.learned.weights == added.learned.weights


# What footage supports -------------------------------------------------------------------------------------------


def test_no_score_says_more_than_the_footage_can_tell(stretch, raw):
    """120 frames have shown one in 120: a score stays below log10(120) + 2, and odder frames stay odder."""
    normal = fit([stretch("")]).pooled

    odd, odder, oddest = (
        normal.fused.of_frame(normal.components.rarities(raw(0, psnr=psnr, motion=motion)))[0]
        for psnr, motion in ((10.0, 0.1), (0.0, 0.5), (-100.0, 1.0))
    )

    assert np.log10(120) + 1 < odd < odder < oddest < np.log10(120) + 2
    assert fusion.supported(np.array([3.0, 3.07]), 120).tolist() == [3.0, 3.07]


def test_the_pooled_normal_is_there_whatever_the_scenes(stretch):
    assert POOLED in fit([stretch("gate"), stretch("road")]).scenes
