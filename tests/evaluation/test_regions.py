"""RBDC and TBDC on maps and masks of a few places, counted by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from oddframe.errors import RunError
from oddframe.evaluation.regions import LEVELS, MaskTracks, OddRegions, RegionCurve, shares_of


def grid(*rows: str, values: dict[str, float] | None = None) -> np.ndarray:
    """`grid("a.", ".b", values={"a": 1, "b": 2})`: (2, 2) float32; points are 0."""
    return np.array([[(values or {}).get(letter, 0.0) for letter in row] for row in rows], np.float32)


def mask(*rows: str) -> np.ndarray:
    return np.array([[letter == "#" for letter in row] for row in rows])


def curve_of(frames, videos: int = 1, frames_at_most: int | None = None) -> RegionCurve:
    """The curve of `frames`, (map, mask or None) each, played as so many equal videos."""
    curve = RegionCurve(frames_at_most)
    for _ in range(videos):
        tracks = MaskTracks()
        for values, drawn in frames:
            labels, numbers = tracks.next(np.zeros(values.shape, bool) if drawn is None else drawn)
            odd = OddRegions(shares_of(labels, len(numbers), values.shape), numbers) if len(numbers) else None
            curve.add(values, odd)
        curve.end_video()
    return curve


# Regions --------------------------------------------------------------------------------------------------------


def test_a_region_that_is_found_before_any_false_positive_gives_one():
    frame = grid("aa...", "aa..b", values={"a": 0.8, "b": 0.1}), mask("##...", "##...")

    assert curve_of([frame]).rbdc() == 1.0


def test_a_region_found_only_after_a_false_positive_in_half_of_the_frames_gives_a_half():
    odd = grid("aa...", "aa...", values={"a": 0.1}), mask("##...", "##...")
    normal = grid("....b", "....b", values={"b": 0.8}), None

    # at 0.8: one false positive in two frames, nothing found; at 0.1 the region is found at the same rate
    assert curve_of([odd, normal]).rbdc() == 0.5


def test_nothing_is_taken_from_lines_past_one_false_positive_a_frame():
    odd = grid("aa.b.b", values={"a": 0.1, "b": 0.8}), mask("##....")

    assert curve_of([odd]).rbdc() == 0.0


def test_overlap_counts_from_an_iou_of_a_tenth():
    ten, eleven = grid("aaaaaaaaaa.", values={"a": 0.5}), grid("aaaaaaaaaaa", values={"a": 0.5})

    assert curve_of([(ten, mask("#.........."))]).rbdc() == 1.0
    assert curve_of([(eleven, mask("#.........."))]).rbdc() == 0.0


def test_a_large_detection_may_find_several_regions_and_is_then_no_false_positive():
    frame = grid("aaaaa", values={"a": 0.5}), mask("#.#.#")

    assert curve_of([frame]).rbdc() == 1.0


def test_regions_that_touch_at_a_corner_are_one():
    values = grid("a..", ".a.", "..b", values={"a": 0.5, "b": 0.5})

    # one region of three places finds the mask; were they three, two would be false positives
    assert curve_of([(values, mask("#..", "...", "..."))]).rbdc() == 1.0


def test_a_region_twice_found_counts_once():
    values = grid("a.b....", values={"a": 0.5, "b": 0.4})

    assert curve_of([(values, mask("###...."))]).rbdc() == 1.0


def test_without_an_odd_region_the_figures_are_undefined():
    curve = curve_of([(grid("a.", values={"a": 0.5}), None)])

    assert curve.rbdc() is curve.tbdc() is None


def test_a_map_that_is_no_number_is_refused():
    with pytest.raises(RunError, match="1 of 2 places"):
        RegionCurve().add(np.array([[np.nan, 0.0]], np.float32))


def test_an_odd_region_counts_with_the_share_of_each_place_that_it_covers():
    labels, _ = MaskTracks().next(mask("....", ".##.", ".##.", "...."))

    assert shares_of(labels, 1, (2, 2)).tolist() == [[[0.25, 0.25], [0.25, 0.25]]]
    assert shares_of(labels, 1, (8, 8)).sum() == 16


# Tracks ---------------------------------------------------------------------------------------------------------


def test_regions_that_overlap_in_neighbouring_frames_are_one_track():
    tracks = MaskTracks()

    numbers = [tracks.next(drawn)[1].tolist() for drawn in (mask("##..#"), mask(".##.#"), mask("..#.."))]

    assert numbers == [[0, 1], [0, 1], [0]]


def test_a_region_that_splits_goes_on_in_the_larger_part_only():
    tracks = MaskTracks()
    tracks.next(mask("######"))

    assert tracks.next(mask("##.###"))[1].tolist() == [1, 0]


def test_a_frame_without_a_mask_ends_all_tracks():
    tracks = MaskTracks()

    numbers = [tracks.next(drawn)[1].tolist() for drawn in (mask("##"), mask(".."), mask("##"))]

    assert numbers == [[0], [], [1]]


def test_a_track_is_found_when_a_tenth_of_its_regions_is():
    seen, unseen = grid("a..", values={"a": 0.5}), grid("...")
    drawn = mask("#..")

    ten = curve_of([(seen, drawn)] + [(unseen, drawn)] * 9)
    eleven = curve_of([(seen, drawn)] + [(unseen, drawn)] * 10)

    assert (ten.tbdc(), ten.rbdc()) == (1.0, pytest.approx(0.1))
    assert (eleven.tbdc(), eleven.rbdc()) == (0.0, pytest.approx(1 / 11))


def test_tracks_of_two_videos_are_not_linked():
    curve = curve_of([(grid("a", values={"a": 0.5}), mask("#"))], videos=2)

    assert (curve.tracks, curve.regions, curve.frames) == (2, 2, 2)


# The whole against a slow and obvious count ---------------------------------------------------------------------


def slow_rbdc(frames) -> float:
    """The definition, line by line and region by region."""
    points, regions = [], sum(cv2.connectedComponents(drawn.astype(np.uint8))[0] - 1 for _, drawn in frames)
    for line in LEVELS[::-1]:
        false = found = 0
        for values, drawn in frames:
            detected, odd = (cv2.connectedComponents(x.astype(np.uint8)) for x in (values >= line, drawn))
            a = [detected[1] == n for n in range(1, detected[0])]
            b = [odd[1] == n for n in range(1, odd[0])]
            iou = np.array([[(x & y).sum() / (x | y).sum() for y in b] for x in a]).reshape(len(a), len(b))
            found += (iou >= 0.1).any(axis=0).sum()
            false += (~(iou >= 0.1).any(axis=1)).sum()
        if false > len(frames):
            break
        points.append((false / len(frames), found / regions))
    edges = sorted({rate for rate, _ in points} | {1.0})
    best = [max(share for rate, share in points if rate <= edge) for edge in edges[:-1]]
    return float(np.dot(np.diff(edges), best))


@pytest.mark.parametrize("frames_at_most", [None, 12])
def test_counting_all_lines_at_once_agrees_with_counting_one_by_one(frames_at_most):
    rng = np.random.default_rng(3)
    frames = []
    for _ in range(12):
        values = cv2.GaussianBlur(rng.exponential(0.02, (12, 16)).astype(np.float32), (0, 0), 1)
        drawn = np.zeros((12, 16), bool)
        drawn[3:8, 4:9] = drawn[9:11, 12:15] = True
        values[4:8, 5:9] *= 1.5
        frames.append((values, drawn))

    expected = slow_rbdc(frames)

    assert 0 < expected < 1
    assert curve_of(frames, frames_at_most=frames_at_most).rbdc() == pytest.approx(expected)
