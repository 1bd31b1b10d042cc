"""The videos of a split as footage to judge."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from oddframe.data.protocols import Section, Split
from oddframe.training import calibrate
from oddframe.training.calibrate import judge_split
from oddframe.training.pictures import store_key


def video(name: str, labels: list[bool] | None = None, first: int = 0):
    return SimpleNamespace(
        name=name,
        scene="gate",
        labels=None if labels is None else np.array(labels),
        video=SimpleNamespace(path=name, first_index=first, fps=10.0),
    )


def pictures(frames: int, first: int = 0):
    return SimpleNamespace(pixels=np.zeros((frames, 4, 4, 1), np.uint8), times_s=None, first_index=first, missing=None)


@pytest.fixture
def footage(monkeypatch):
    """footage(split, stored) -> what is given to be judged, by a detector with a window of five."""
    given, only_seen = [], []

    def judge(stream, stretches, settings, watch, seen):
        given.extend(stretches)
        only_seen.extend(seen)
        return SimpleNamespace(of_kind=lambda kind: [one for one in given if one.kind == kind])

    monkeypatch.setattr(calibrate, "judge", judge)
    monkeypatch.setattr(calibrate, "evidence_stream", lambda runtime, settings: SimpleNamespace(frames=5))

    def of(split, stored):
        judge_split(None, split, stored, SimpleNamespace(score=None), lambda _: None)
        return given

    of.seen = only_seen
    return of


def split(normal=(), heldout=(), known=()) -> Split:
    return Split("standard", None, None, tuple(normal), (), (), tuple(heldout), tuple(known))


def frames_of(one) -> list[int]:
    return [frame.index for frame in one.frames()]


def test_what_was_held_out_is_held_out_and_what_was_trained_on_is_not(footage):
    day, night = video("day"), video("night")
    stored = {store_key(day): pictures(30), store_key(night): pictures(20)}

    found = footage(split([Section(day, 0, 30)], [Section(night, 5, 20)]), stored)

    assert [(one.kind, frames_of(one)) for one in found] == [
        ("heldout", list(range(5, 20))),
        ("trained", list(range(30))),
    ]


def test_trained_video_beyond_what_is_judged_is_handed_on_to_be_seen(footage, monkeypatch):
    monkeypatch.setattr(calibrate, "MOST_TRAINED", 700)
    day, night = video("day"), video("night")
    stored = {store_key(day): pictures(1300), store_key(night): pictures(20)}

    found = footage(split([Section(day, 0, 1300)], [Section(night, 5, 20)]), stored)

    judged = [frames_of(one)[0] for one in found if one.kind == "trained"]
    assert (judged, [frames_of(one)[0] for one in footage.seen]) == ([0, 600], [300, 900, 1200])


def test_blocks_overlap_by_the_window_so_that_every_frame_is_judged_once(footage):
    day = video("day")

    found = footage(split(heldout=[Section(day, 0, 700)]), {store_key(day): pictures(700)})

    judged = [frame for one in found for frame in frames_of(one)[4:]]
    assert judged == list(range(4, 700))


def test_the_labels_of_a_known_anomaly_belong_to_the_frames_by_their_numbers_in_the_source(footage):
    """The video is a part of a file, from frame 7 on, and odd in frame 9."""
    odd, night = video("odd", [False, False, True, False], first=7), video("night")
    stored = {store_key(odd): pictures(4, first=7), store_key(night): pictures(20)}

    *_, known = footage(split(heldout=[Section(night, 0, 20)], known=[odd]), stored)

    assert frames_of(known) == [7, 8, 9, 10]
    assert [frame for frame, abnormal in known.abnormal.items() if abnormal] == [9]


def test_blocks_with_a_frame_that_is_labelled_abnormal_are_not_normal(footage):
    day = video("day", [False] * 400 + [True] + [False] * 299)

    found = footage(split(heldout=[Section(day, 0, 700)]), {store_key(day): pictures(700)})

    assert [(frames_of(one)[0], frames_of(one)[-1]) for one in found] == [(0, 303), (600, 699)]
