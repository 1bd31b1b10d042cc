from __future__ import annotations

import numpy as np
import pytest

from oddframe.evaluation.pixels import PixelCurve


def pixels(*frames: tuple[list[float], list[float] | None]) -> PixelCurve:
    """Frames of one row: values, and how odd each place is."""
    curve = PixelCurve()
    for values, odd in frames:
        curve.add(np.array([values], np.float32), None if odd is None else np.array([odd], np.float32))
    return curve


def test_pixels_of_all_frames_are_compared():
    # odd 0.5 and 0.1 against normal 0.2, 0.05, 0 and 0: of eight pairs one is wrong
    assert pixels(([0.5, 0.1, 0], [1, 1, 0]), ([0.2, 0.05, 0], None)).auc() == pytest.approx(7 / 8)


def test_equal_values_count_half_and_a_thousandth_is_the_finest_difference():
    assert pixels(([0.5, 0.5], [1, 0])).auc() == 0.5
    assert pixels(([0.5001, 0.5], [1, 0])).auc() == 0.5
    assert pixels(([0.501, 0.5], [1, 0])).auc() == 1.0


def test_a_place_that_is_half_odd_counts_half_on_either_side():
    # odd: half at 1, half at 0; normal the same: pairs 1>0 and ties
    assert pixels(([1, 0], [0.5, 0.5])).auc() == 0.5


def test_a_frame_is_detected_where_40_percent_of_its_odd_pixels_are():
    odd = [1, 1, 1, 1, 1, 0]

    # two of five odd places reach 0.6; a normal frame with 0.5 anywhere stays below that, one with 0.7 does not
    assert pixels(([0.9, 0.6, 0.1, 0, 0, 0], odd), ([0.5, 0], None)).covered_auc() == 1.0
    assert pixels(([0.9, 0.6, 0.1, 0, 0, 0], odd), ([0.7, 0], None)).covered_auc() == 0.0


def test_what_is_odd_beside_the_mask_does_not_detect_the_frame():
    assert pixels(([0, 9], [1, 0]), ([0.1, 0.1], None)).covered_auc() == 0.0


def test_without_both_kinds_the_figures_are_undefined():
    assert pixels(([0.1, 0.2], None)).auc() is None
    assert pixels(([0.1, 0.2], [1, 0])).covered_auc() is None
