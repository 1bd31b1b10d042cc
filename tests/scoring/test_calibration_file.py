"""A calibration on disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.scoring.conftest import fit

from oddframe.arrays import write_arrays
from oddframe.errors import RunError, StorageError
from oddframe.scoring.calibration import POOLED
from oddframe.scoring.calibration_file import load_calibration, save_calibration
from oddframe.video.flow import MEASURE


@pytest.fixture
def stored(stretch, tmp_path) -> Path:
    videos = [stretch("north/gate"), stretch("road", level=0.2)]
    save_calibration(fit(videos, per_place=("motion",), smoothing=3), tmp_path)
    return tmp_path


def test_a_calibration_comes_back_as_it_was(stretch, stored):
    videos = [stretch("north/gate"), stretch("road", level=0.2)]
    made = fit(videos, per_place=("motion",), smoothing=3)

    back = load_calibration(stored)

    assert (back.line, back.notes, back.filmed) == (made.line, made.notes, ("north/gate", "road"))
    assert back.scenes.keys() == made.scenes.keys() == {POOLED, "north/gate", "road"}
    for name, scene in made.scenes.items():
        rarities = scene.components.rarities(videos[0].frames()[5])
        assert back.scenes[name].components.rarities(videos[0].frames()[5]) == rarities
        assert back.scenes[name].fused.of_frame(rarities) == scene.fused.of_frame(rarities)
        assert back.scenes[name].fused.smoothing == 3
    assert all(np.array_equal(back.heldout[name], values) for name, values in made.heldout.items())


def test_a_scene_whose_name_is_not_utf_8_keeps_its_statistics_of_places(stretch, tmp_path):
    foreign = os.fsdecode(b"kam\xe9ra")
    made = fit([stretch(foreign), stretch("road", level=0.2)], per_place=("motion",))

    save_calibration(made, tmp_path)

    places, back = (one.scenes[foreign].components.places["motion"] for one in (made, load_calibration(tmp_path)))
    assert np.array_equal(back.mean, places.mean)
    assert np.array_equal(back.spread, places.spread)


def test_a_calibration_that_does_not_say_how_flow_was_measured_is_older_than_the_second_way(stored):
    assert load_calibration(stored).flow == MEASURE == 2
    path = stored / "calibration.json"
    content = json.loads(path.read_text())
    del content["flow"]
    path.write_text(json.dumps(content))

    assert load_calibration(stored).flow == 1


@pytest.mark.parametrize("name", ["calibration.json", "calibration.npz"])
def test_a_missing_calibration_says_that_training_has_not_finished(stored, name):
    (stored / name).unlink()

    with pytest.raises(RunError, match="has not finished"):
        load_calibration(stored)


@pytest.mark.parametrize("content", [b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 2}', b"[" * 100_000])
def test_damaged_words_are_said(stored, content):
    (stored / "calibration.json").write_bytes(content)

    with pytest.raises(RunError, match="calibration is damaged"):
        load_calibration(stored)


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_truncated_arrays_are_said(stored, keep):
    path = stored / "calibration.npz"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(RunError, match="calibration is damaged"):
        load_calibration(stored)


def test_arrays_with_a_flipped_byte_are_said(stored):
    path = stored / "calibration.npz"
    content = bytearray(path.read_bytes())
    content[120] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(RunError, match="calibration is damaged"):
        load_calibration(stored)


def test_another_format_is_said(stored):
    path = stored / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))

    with pytest.raises(RunError, match="another format"):
        load_calibration(stored)


def test_a_folder_that_cannot_be_written_is_said(stretch, tmp_path):
    with pytest.raises(StorageError, match="calibration cannot be written"):
        save_calibration(fit([stretch("")]), tmp_path / "nowhere")


def test_words_and_arrays_of_two_calibrations_do_not_pass_for_one(stored, stretch, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    save_calibration(fit([stretch("", 130)]), other)
    (other / "calibration.npz").replace(stored / "calibration.npz")

    with pytest.raises(RunError, match="another file than the one that was written"):
        load_calibration(stored)


TINY = 1e-320


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("line", "on"), float("nan"), "expected value"),
        (("line", "on"), "3", "line.on"),
        (("line",), "high", "line"),
        (("scenes", POOLED, "online", "scale"), TINY, "scale"),
        (("scenes", POOLED, "online", "scale"), float("inf"), "expected value"),
        (("scenes", POOLED, "tails", "psnr", "knots"), [1.0, 2.0], "2 knots have 65 rarities"),
        (("scenes", POOLED, "tails"), {}, "tails"),
        (("scenes", POOLED), [], "scenes"),
        (("scenes",), {}, "pooled scene is missing"),
        (("online_weights",), {"luck": 1.0}, "'luck' is no component"),
        (("online_weights",), {"distance": 1.0}, "no tail of distance"),
        (("smoothing",), -1, "smoothing"),
        (("smoothing",), 10**30, "smoothing"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_numbers_out_of_range_and_words_of_another_kind_are_said(stored, place, value, words):
    path = stored / "calibration.json"
    tree = json.loads(path.read_text())
    inner = tree
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    path.write_text(json.dumps(tree))

    with pytest.raises(RunError, match="calibration is damaged") as caught:
        load_calibration(stored)

    assert words in caught.value.seen


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("places/road/motion/spread", np.zeros((2, 2), np.float32)),
        ("places/road/motion/mean", np.full((2, 2), np.nan, np.float32)),
        ("places/road/motion/mean", np.zeros((3, 2), np.float32)),
        ("heldout/online", np.zeros(3, np.float32)),
        ("heldout/psnr", np.full(240, np.nan, np.float32)),
        ("heldout/psnr", np.array(["a"] * 240)),
    ],
)
def test_arrays_that_are_no_statistics_are_said(stored, name, array):
    with np.load(stored / "calibration.npz") as given:
        arrays = dict(given) | {name: array}
    words = json.loads((stored / "calibration.json").read_text())
    words["arrays"] = write_arrays(stored / "calibration.npz", arrays, "")
    (stored / "calibration.json").write_text(json.dumps(words))

    with pytest.raises(RunError, match="calibration is damaged"):
        load_calibration(stored)


# Format 1 --------------------------------------------------------------------------------------------------------


def test_the_calibration_of_version_0_1_is_read_as_it_was(made_by_0_1):
    """Fitted on two scenes of 120 and 150 frames and a known anomaly."""
    calibration = load_calibration(made_by_0_1 / "scenes")

    assert list(calibration.scenes) == [POOLED, "gate", "road"]
    assert calibration.line.on == pytest.approx(2.4493108545782)
    normal, _ = calibration.scene("gate")
    assert normal.fused.smoothing == 3
    assert normal.fused.online.weights == {"distance": 1.0, "local_distance": 1.0}
    assert normal.fused.learned.weights["distance"] == pytest.approx(1.00175915)
    assert normal.components.places["local_distance"].mean.shape == (5, 7)
    # nobody knows on how many frames it rests: rarities stay as they were, however far out
    assert normal.fused.online.rarity_of(100.0) == normal.fused.online.tail.rarity_of(100.0) > 100
    assert calibration.filmed is None
