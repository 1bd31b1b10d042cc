"""Frames by time stamp to a rate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oddframe.video.resample import Resampler

STEPS = st.lists(st.floats(0.001, 0.2, allow_nan=False), min_size=1, max_size=60)


def taken(fps: float, times: Iterable[float]) -> list[float]:
    resampler = Resampler(fps)
    return [time_s for time_s in times if resampler.takes(time_s)]


@pytest.mark.slow
@pytest.mark.parametrize(("source", "fps"), [(60, 25), (30, 25), (29.97, 12.5), (50, 25), (25, 3), (240, 1)])
def test_as_many_frames_come_out_in_an_hour_as_the_rate_says(source: float, fps: float):
    times = np.round(np.arange(int(3600 * source)) / source, 3)  # as a container that rounds to milliseconds

    kept = np.array(taken(fps, times.tolist()))

    assert abs(len(kept) - 3600 * fps) <= 1
    assert np.abs(np.diff(kept) - 1 / fps).max() <= 1 / source + 0.0021
    assert np.abs(kept - np.arange(len(kept)) / fps).max() <= 1 / source + 0.002


@pytest.mark.parametrize("source", [25, 24, 23.976, 27, 12.5, 1])
def test_a_video_of_about_the_same_rate_or_a_slower_one_keeps_every_frame(source: float):
    times = [number / source for number in range(2000)]

    assert taken(25, times) == times


def test_jitter_at_the_same_rate_loses_no_frame():
    late = np.random.default_rng(0).uniform(-0.012, 0.012, 5000)

    assert len(taken(25, (np.arange(5000) / 25 + late).tolist())) == 5000


@given(STEPS, st.integers(0, 59), st.floats(0.5, 60))
def test_what_comes_later_changes_nothing_that_was_said(steps: list[float], cut: int, fps: float):
    times = np.cumsum(steps).tolist()

    assert taken(fps, times[:cut]) == [time_s for time_s in taken(fps, times) if time_s in times[:cut]]


@given(st.floats(1, 240), st.floats(1, 60), st.integers(0, 200))
def test_what_was_resampled_once_is_not_resampled_again(source: float, fps: float, frames: int):
    once = taken(fps, [number / source for number in range(frames)])

    assert taken(fps, once) == once


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_any_clock_has_an_outcome_and_no_two_frames_of_one_time_are_taken(times: list[float]):
    kept = taken(25, times)

    assert all(later > earlier for earlier, later in pairwise(kept))


def test_frames_of_one_time_are_left_out_and_counted():
    resampler = Resampler(10)

    assert [resampler.takes(time_s) for time_s in (0.0, 0.1, 0.1, 0.1, 0.2)] == [True, True, False, False, True]
    assert resampler.notes() == ["2 frames are no later than the frame before them, and are not judged"]


def test_the_beat_begins_anew_after_a_gap():
    resampler = Resampler(10)
    before = [resampler.takes(number / 20) for number in range(4)]

    assert before == [True, False, True, False]
    assert [resampler.takes(7.0 + number / 20, anew=number == 0) for number in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (25, None),
        (50, "resampled to the 25 frames a second"),
        (10, "10 frames a second, and the detector .* 2.5 times"),
    ],
)
def test_notes_say_what_became_of_the_rate(source: float, words: str | None):
    resampler = Resampler(25)
    for number in range(100):
        resampler.takes(number / source)

    notes = resampler.notes()
    assert len(notes) == (words is not None)
    assert words is None or re.search(words, notes[0])
