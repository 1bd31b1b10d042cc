"""The evidence of a run on disk."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from tests.scoring.conftest import Told, footage, score_settings

from oddframe.arrays import write_arrays
from oddframe.errors import RunError
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.collect import judge
from oddframe.scoring.judged import Stretch
from oddframe.scoring.judged_file import load_judged, save_judged


@pytest.fixture
def judged(stretch):
    known = stretch("", 40, 0.05).frames()
    return judge(
        Told(),
        [stretch(""), footage("known", known, abnormal=np.arange(40) > 9), stretch("", 130, kind="trained")],
        score_settings(),
        lambda _: None,
    )


def test_a_calibration_from_stored_evidence_is_the_one_from_fresh_evidence(judged, tmp_path):
    digest = save_judged(judged, tmp_path)
    settings = score_settings(smoothing=3, per_place=("motion",))

    fresh, stored = (fit_calibration(one, settings) for one in (judged, load_judged(tmp_path, digest)))

    assert stored.line == fresh.line
    assert stored.notes == fresh.notes
    assert stored.pooled.fused.learned.weights == fresh.pooled.fused.learned.weights
    assert all(np.array_equal(stored.heldout[name], values) for name, values in fresh.heldout.items())


def test_evidence_is_small_and_holds_no_maps(judged, tmp_path):
    """290 frames of two components: about a dozen kilobytes, whatever the size of the picture."""
    save_judged(judged, tmp_path)

    assert (tmp_path / "evidence.npz").stat().st_size < 20_000
    with np.load(tmp_path / "evidence.npz", allow_pickle=False) as arrays:
        assert {array.shape for name, array in arrays.items() if name.startswith("values/")} == {(290,)}


def test_another_file_than_the_run_wrote_is_refused(judged, tmp_path):
    save_judged(judged, tmp_path)

    with pytest.raises(RunError, match="evidence is damaged"):
        load_judged(tmp_path, "0" * 64)


def test_a_run_without_evidence_says_what_to_do(tmp_path):
    with pytest.raises(RunError, match="keeps no evidence") as caught:
        load_judged(tmp_path, None)

    assert "train again" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("values/motion", np.zeros(289, np.float32)),
        ("values/motion", np.full(290, np.nan, np.float32)),
        ("placed/motion", np.full(290, np.inf, np.float32)),
        ("time_s", np.full(290, np.nan)),
        ("abnormal", np.zeros(3, bool)),
        ("places//motion/spread", np.zeros((2, 2), np.float32)),
        ("about", np.frombuffer(b"[" * 9999, np.uint8)),
        ("about", np.frombuffer(b'{"format": 1}', np.uint8)),
        ("about", np.frombuffer(b'{"format": 2}', np.uint8)),
    ],
)
def test_damaged_evidence_is_said(judged, tmp_path, name, array):
    save_judged(judged, tmp_path)
    with np.load(tmp_path / "evidence.npz") as given:
        arrays = dict(given)
    assert name in arrays
    write_arrays(tmp_path / "evidence.npz", arrays | {name: array}, "")

    with pytest.raises(RunError, match=r"evidence is damaged|another format"):
        load_judged(tmp_path, None)


def test_lengths_of_stretches_that_do_not_add_up_are_said(judged, tmp_path):
    save_judged(judged, tmp_path)
    with np.load(tmp_path / "evidence.npz") as given:
        arrays = dict(given)
    about = json.load(io.BytesIO(arrays["about"].tobytes()))
    about["stretches"][0]["frames"] = 10**15
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    write_arrays(tmp_path / "evidence.npz", arrays, "")

    with pytest.raises(RunError, match="rows, where there are"):
        load_judged(tmp_path, None)


def test_the_least_that_there_can_be_is_kept(judged, tmp_path):
    """Windows and steps of one place, and a stretch in which no frame was judged."""
    none = Stretch(
        "", "known", np.zeros(0, np.int64), None, {name: np.zeros(0, "f4") for name in judged.components}, {}
    )
    least = replace(judged, window=1, stride=1, stretches=(*judged.stretches, none))

    back = load_judged(tmp_path, save_judged(least, tmp_path))

    assert (back.window, back.stride, len(back.stretches[-1])) == (1, 1, 0)
