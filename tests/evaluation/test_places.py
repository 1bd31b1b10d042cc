"""Maps beside masks, frame by frame: which frames count, and as what."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from oddframe.data.videoset import LabelledVideo, Masks
from oddframe.evaluation.places import PlaceJudge

SIZE = (16, 24)


@pytest.fixture
def video(tmp_path):
    """`video("0110", [1])`: labels, and the frames that have a mask (a square of 8x8 pixels at the top left)."""

    def make(labels: str, masked: list[int], first_index: int = 0) -> LabelledVideo:
        drawn = np.zeros(SIZE, np.uint8)
        drawn[:8, :8] = 255
        path = tmp_path / "mask.png"
        assert cv2.imwrite(str(path), drawn)
        masks = Masks(dict.fromkeys(masked, path), SIZE) if masked else None
        pictures = SimpleNamespace(first_index=first_index, frame_count=len(labels))
        return LabelledVideo("a", pictures, np.array([letter == "1" for letter in labels]), masks=masks)

    return make


def hot(*places: tuple[int, int]) -> dict[str, np.ndarray]:
    """A map of 2x3 places of 8x8 pixels with some at 0.5."""
    values = np.zeros((2, 3), np.float32)
    for place in places:
        values[place] = 0.5
    return {"online": values}


def test_a_map_that_lies_on_the_mask_finds_region_and_track(video):
    judge = PlaceJudge(10)
    judge.begin(video("011", [1, 2]))
    judge.take(0, hot())
    judge.take(1, hot((0, 0)))
    judge.take(2, hot((1, 2)))

    places, notes = judge.finish()

    # a false positive in one of three frames comes with the region that is found
    figures = places["figures"]["online"]
    assert {key: places[key] for key in ("frames", "left_out", "regions", "tracks")} == {
        "frames": 3, "left_out": 0, "regions": 2, "tracks": 1,
    }  # fmt: skip
    assert figures["rbdc"] == pytest.approx(0.5 * 2 / 3)
    assert figures["tbdc"] == pytest.approx(2 / 3)
    # odd places 0.5 and 0; of 16 normal ones one is 0.5: (15.5 + 7.5) of 32 pairs
    assert figures["pixel_auc"] == pytest.approx(23 / 32)
    assert figures["covered_auc"] == 0.75
    assert notes == []


def test_an_abnormal_frame_without_a_mask_is_left_out_and_counted(video):
    judge = PlaceJudge(10)
    judge.begin(video("011", [1]))
    for frame in range(3):
        judge.take(frame, hot((0, 0)))

    places, notes = judge.finish()

    assert (places["frames"], places["left_out"], places["regions"]) == (2, 1, 1)
    assert notes == ["1 abnormal frame without a mask is left out of the figures on places."]


def test_labels_decide_whether_a_frame_is_odd_and_masks_only_where(video):
    judge = PlaceJudge(10)
    judge.begin(video("01", [0, 1]))
    judge.take(0, hot())
    judge.take(1, hot((0, 0)))

    assert judge.finish()[0]["regions"] == 1


def test_normal_videos_need_no_masks(video):
    judge = PlaceJudge(10)
    judge.begin(video("1", [0]))
    judge.take(0, hot((0, 0)))
    judge.begin(video("0", []))
    judge.take(0, hot((0, 0)))

    places, _ = judge.finish()

    assert places["frames"] == 2
    assert places["figures"]["online"]["rbdc"] == 0.5


def test_without_any_mask_there_are_no_figures_and_that_is_said(video):
    judge = PlaceJudge(10)
    judge.begin(video("01", []))
    judge.take(0, hot())
    judge.take(1, hot((0, 0)))

    places, notes = judge.finish()

    assert places is None
    assert "No judged frame has a mask" in notes[0]


def test_masks_are_counted_from_the_first_frame_of_a_range(video):
    judge = PlaceJudge(10)
    judge.begin(video("01", [1], first_index=100))
    judge.take(101, hot((0, 0)))

    assert judge.finish()[0]["regions"] == 1
