"""Several components become one score."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.scoring.components import log_scale
from oddframe.scoring.fusion import (
    CausalScore,
    FusedNormal,
    Fusion,
    joined,
    paper_fusion,
    raised,
    supported,
)
from oddframe.scoring.tail import Tail


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_paper_is_eq_12():
    fused = paper_fusion(floats(10, 20, 30), floats(4, 0, 2), 0.6)

    assert fused == pytest.approx([1.0, 0.6 * 0.5, 0.4 * 0.5])


def test_of_two_numbers_the_one_without_weight_may_be_anything():
    assert paper_fusion(floats(5, 5, 5), floats(4, 0, 2), 0.0) == pytest.approx([1.0, 0.0, 0.5])
    assert paper_fusion(floats(10, 20, 30), floats(1, 1, 1), 1.0) == pytest.approx([1.0, 0.5, 0.0])


def test_paper_without_distances_is_psnr_alone():
    assert paper_fusion(floats(10, 20, 30), None, 0.6) == pytest.approx([1.0, 0.5, 0.0])


@pytest.mark.parametrize(
    ("psnr", "distance"), [(floats(5, 5), floats(1, 2)), (floats(1, 2), floats(5, 5)), (floats(), floats())]
)
def test_paper_is_undefined_where_a_video_has_one_value(psnr, distance):
    assert paper_fusion(psnr, distance, 0.6) is None


def test_what_is_less_than_a_grey_level_counts_as_one_and_what_is_more_keeps_its_order():
    for name, least in {"local_error": 1e-5, "motion": 1e-5, "direction": 0.01}.items():
        nothing, below, above = log_scale(name, floats(0, least / 2, least * 2))
        assert nothing == below == pytest.approx(np.log(least))
        assert above == pytest.approx(np.log(2 * least))
    assert log_scale("psnr", floats(30, 20)).tolist() == [-30, -20]


@pytest.mark.parametrize("gamma", [0.6, 0.0, 1.0, 0.7])
def test_paper_is_what_the_authors_code_gives(oracle_dir, gamma):
    oracle = np.load(oracle_dir / "scoring.npz", allow_pickle=False)

    for video in range(3):
        fused = paper_fusion(oracle[f"v{video}_psnr"], oracle[f"v{video}_distance"], gamma)
        assert fused == pytest.approx(oracle[f"a{gamma}_v{video}_abnormality"], abs=1e-6)  # kept in float32


def summed(values: list[float], frames: int) -> CausalScore:
    """The sums of one component, and of it frame by frame."""
    whole = CausalScore({"a": 1.0}, frames).of_all({"a": np.array(values, np.float64)}).tolist()
    stream = CausalScore({"a": 1.0}, frames)
    assert whole == [stream.take({"a": value}) for value in values]
    return whole


def test_the_mean_looks_back_and_never_ahead_in_a_stream_as_in_a_whole_video():
    assert summed([1, 2, 3, 10], 2) == [1, 1.5, 2.5, 6.5]
    assert summed([1, 2, 3, 10], 1) == [1, 2, 3, 10]
    assert summed([1, 2], 5) == [1, 1.5]


def test_components_are_added_by_weight():
    both = {"a": np.array([1.0, 2.0]), "b": np.array([10.0, 10.0])}

    assert joined(both, {"a": 2, "b": 0.5}).tolist() == [7, 9]
    assert joined({"a": 1.0, "b": 10.0}, {"a": 2, "b": 0.5}) == 7.0


def test_or_the_highest_of_them_counts_alone():
    both = {"a": np.array([1.0, 4.0]), "b": np.array([10.0, 10.0])}

    assert joined(both, {"a": 2, "b": 0.5}, "oddest").tolist() == [5, 8]
    assert joined({"a": 4.0, "b": 10.0}, {"a": 2, "b": 0.5}, "oddest") == 8.0


# What footage supports -------------------------------------------------------------------------------------------


def test_rarities_within_a_decade_of_what_was_seen_stay_as_they_are():
    assert supported(np.array([-0.1, 0.0, 2.0, 4.0]), 1000).tolist() == [-0.1, 0.0, 2.0, 4.0]


def test_what_no_footage_can_tell_is_pressed_into_one_decade():
    assert supported(5.0, 1000) == pytest.approx(4.5)  # a decade too far, half of it left
    assert supported(1e9, 1000) == pytest.approx(5.0)
    assert supported(192.0, None) == 192.0


def test_pressing_keeps_the_order_of_frames_even_in_single_precision():
    far = np.linspace(0, 300, 3001)

    assert (np.diff(supported(far, 100).astype(np.float32)) > 0).all()


def test_no_score_is_below_nothing_and_the_calmest_frames_keep_their_order():
    calm = np.linspace(-0.2, 0.01, 500)

    bent = raised(calm)

    assert bent.min() > 0
    assert (np.diff(bent.astype(np.float32)) > 0).all()
    assert bent[calm >= 0.001].tolist() == calm[calm >= 0.001].tolist()
    assert [raised(one) for one in calm.tolist()] == bent.tolist()

    fusion = Fusion({"a": 1.0}, Tail.fit(np.linspace(1, 5, 200)), 200)
    assert (
        fusion.rarity_of(-30.0) == fusion.rarities_of(np.array([-30.0]))[0] == fusion.rarity(np.array([-30.0]))[0] > 0
    )


@pytest.mark.parametrize("by", ["sum", "oddest"])
def test_a_picture_a_stream_and_a_table_agree(by):
    """One fusion: what a lone frame is worth is what the first frame of a stream and of a whole video is."""
    tail = Tail.fit(np.linspace(0, 5, 200))
    weights = {"a": 1.0, "b": 0.5}
    normal = FusedNormal(Fusion(weights, tail, 200, by), Fusion({"a": 2.0, "b": 0.0}, tail, 200), 3)
    rarities = {"a": np.array([0.5, 4.0, 90.0, 1.0]), "b": np.array([1.0, 1.0, 2.0, 0.0])}
    rows = [{name: float(values[place]) for name, values in rarities.items()} for place in range(4)]

    stream = normal.stream()
    streamed = [stream.take(row) for row in rows]

    for number, fusion in enumerate((normal.online, normal.learned)):
        whole = fusion.rarity(fusion.causal(3).of_all(rarities))
        assert [both[number] for both in streamed] == pytest.approx(whole.tolist(), rel=1e-12)
    assert normal.of_frame(rows[0]) == streamed[0]
    assert normal.of_frame(rows[3])[0] < streamed[3][0]  # alone it has no past
