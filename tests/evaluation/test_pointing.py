"""Whether the box around the oddest place meets the mask."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from oddframe.data.videoset import LabelledVideo, Masks
from oddframe.evaluation.pointing import Pointing

SIZE = (16, 24)


@pytest.fixture
def video(tmp_path):
    """`video("0110", [1])`: labels, and the frames that have a mask (a square of 8x8 pixels at the top left)."""

    def make(labels: str, masked: list[int], first_index: int = 0, white: int = 255) -> LabelledVideo:
        drawn = np.zeros(SIZE, np.uint8)
        drawn[:8, :8] = white
        path = tmp_path / f"mask{white}.png"
        assert cv2.imwrite(str(path), drawn)
        masks = Masks(dict.fromkeys(masked, path), SIZE) if masked else None
        pictures = SimpleNamespace(first_index=first_index, frame_count=len(labels), size=SIZE)
        return LabelledVideo("a", pictures, np.array([letter == "1" for letter in labels]), masks=masks)

    return make


def hot(row: int, column: int) -> dict[str, np.ndarray]:
    """Heat of 2x3 places of 8x8 pixels, one of which is hot."""
    values = np.zeros((2, 3), np.float32)
    values[row, column] = 0.5
    return {"online": values}


def found(pointing: Pointing, frames: list[int]) -> list[int]:
    of = pointing.of(np.array(frames))
    assert of is not None
    return of.tolist()


def test_a_box_on_the_mask_meets_it_and_one_beside_it_does_not(video):
    pointing = Pointing(video("0111", [1, 2]))
    pointing.take(0, hot(0, 0))
    pointing.take(1, hot(0, 0))
    pointing.take(2, hot(0, 1))  # begins where the mask ends
    pointing.take(3, hot(0, 0))

    assert found(pointing, [0, 1, 2, 3]) == [-1, 1, 0, -1]  # the last one is abnormal and has no mask


def test_frames_are_counted_as_in_the_source(video):
    pointing = Pointing(video("01", [1], first_index=100))
    pointing.take(101, hot(0, 0))

    assert found(pointing, [100, 101]) == [-1, 1]


def test_without_masks_or_with_black_ones_nothing_is_said(video):
    bare, black = Pointing(video("11", [])), Pointing(video("11", [0, 1], white=0))
    for frame in (0, 1):
        bare.take(frame, hot(0, 0))
        black.take(frame, hot(0, 0))

    assert not bare.wanted
    assert bare.of(np.arange(2)) is black.of(np.arange(2)) is None


def test_a_mask_that_does_not_decode_takes_the_places_of_its_video_and_is_named(video, tmp_path):
    pointing = Pointing(video("11", [0, 1]))
    pointing.take(0, hot(0, 0))
    (tmp_path / "mask255.png").write_bytes(b"torn")
    pointing.take(1, hot(0, 0))

    assert pointing.of(np.arange(2)) is None
    (note,) = pointing.notes()
    assert note.startswith("Whether alarms of 'a' point at the odd places is not judged: this mask does not decode")
    assert "mask255.png" in note
