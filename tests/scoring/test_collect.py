"""Judging what was held out: all of it counts, and little of it is held in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.scoring.conftest import Told, footage, score_settings

from oddframe.scoring import collect
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.collect import judge, spread
from oddframe.scoring.held import Held


@pytest.fixture
def few_maps(monkeypatch):
    """Maps of 250 frames at most tell what is normal at each place."""
    monkeypatch.setattr(collect, "MOST_MAPS", 250)


def judged(*stretches, **changes):
    return judge(Told(), stretches, score_settings(**changes), lambda _: None)


def blocks(stretch, count: int, scene: str = "") -> list:
    """Held-out stretches of 100 frames, each a little livelier than the one before."""
    return [stretch(scene, 100, 0.01 * (1 + number / 10)) for number in range(count)]


def test_every_held_out_frame_counts_however_many_maps_are_kept(stretch, few_maps):
    found = judged(*blocks(stretch, 12))

    assert sum(map(len, found.of_kind("heldout"))) == 1200
    calibration = fit_calibration(found, score_settings(per_place=("motion",)))
    assert calibration.pooled.components.tails["motion"].frames == 1200
    assert len(calibration.heldout["online"]) == 1200
    assert "2 min of held-out normal video" in calibration.line.note


def test_places_are_learned_from_frames_spread_over_all_and_every_frame_is_compared_with_them(stretch, few_maps):
    """Of twelve stretches two may be kept: the first and the seventh."""
    found = judged(*blocks(stretch, 12))
    alone = judged(*(blocks(stretch, 12)[number] for number in (0, 6)))

    assert np.array_equal(found.places[""]["motion"].mean, alone.places[""]["motion"].mean)
    assert all(len(one.placed["motion"]) == 100 for one in found.stretches)


def test_fewer_maps_are_kept_where_pictures_are_large(stretch, monkeypatch):
    """A map of the stretches takes 16 bytes: 4,000 bytes hold two and a half of them, of which two are taken."""
    monkeypatch.setattr(collect, "MOST_MAP_BYTES", 4000)

    found = judged(*blocks(stretch, 12))

    alone = judged(*(blocks(stretch, 12)[number] for number in (0, 6)))
    assert np.array_equal(found.places[""]["motion"].mean, alone.places[""]["motion"].mean)


def test_no_more_maps_are_alive_than_may_be(raw, few_maps):
    """Also of known anomalies and of trained video, which would be an hour in memory at once."""
    alive: set[int] = set()
    most = 0

    class Map(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def shown(count):
        nonlocal most
        for frame in range(count):
            one = raw(frame, psnr=30.0 + frame % 7, motion=0.01)
            kept = np.full((2, 2), 0.01, np.float32).view(Map)
            alive.add(id(kept))
            most = max(most, len(alive))
            yield replace(one, maps={"motion": kept})
            del one, kept

    stretches = [
        replace(footage(kind, []), frames=lambda: shown(300), length=300)
        for kind in ("heldout", "heldout", "heldout", "trained")
    ]
    known = replace(
        footage("known", []), frames=lambda: shown(2000), length=2000, abnormal=dict.fromkeys(range(2000), True)
    )

    found = judged(*stretches, known)

    assert sum(map(len, found.stretches)) == 3200
    assert most <= 310


def test_frames_that_are_held_come_back_bit_for_bit_and_maps_of_ways_take_little(raw):
    rng = np.random.default_rng(3)
    ways = np.zeros((27, 42, 8), np.float32)
    ways[3:6, 4:9] = rng.uniform(0, 9, (3, 5, 8))
    shown = [raw(i, {"motion": rng.uniform(size=(4, 6)), "direction": ways * i}, psnr=30.0) for i in range(5)]

    held = Held.of(shown)

    assert len(held) == 5
    assert held.most_bytes < ways.nbytes / 10
    for _ in range(2):  # as often as it is wanted
        for one, back in zip(shown, held, strict=True):
            assert (back.frame, back.time_s, back.values) == (one.frame, one.time_s, one.values)
            assert list(back.maps) == list(one.maps)
            assert all(np.array_equal(back.maps[name], values) for name, values in one.maps.items())


def test_small_scenes_are_not_left_out_of_the_sample(stretch, monkeypatch):
    monkeypatch.setattr(collect, "MOST_MAPS", 400)

    found = judged(*blocks(stretch, 20, "gate"), *blocks(stretch, 1, "yard"))

    assert set(found.places) == {"gate", "yard"}


def test_trained_and_known_video_tells_nothing_of_places(stretch):
    beside = judged(stretch(""), stretch("", 300, 0.3, kind="trained"))

    assert np.array_equal(beside.places[""]["motion"].mean, judged(stretch("")).places[""]["motion"].mean)


def test_abnormal_frames_are_those_of_the_labels_by_their_numbers_in_the_source(raw):
    """The first frames of a video have no full window, and a part of a video does not begin with frame 0."""
    shown = [raw(frame, {"motion": [[0.1]]}, psnr=20.0, motion=0.1) for frame in range(104, 110)]
    one = replace(footage("known", shown), abnormal={frame: frame in (106, 107) for frame in range(100, 110)})

    (known,) = judged(footage("heldout", shown), one).of_kind("known")

    assert known.frame[known.abnormal].tolist() == [106, 107]


def test_times_are_kept_where_every_frame_has_one(raw):
    timed = [raw(frame, {"motion": [[0.1]]}, psnr=20.0, motion=0.1) for frame in range(3)]
    untimed = [replace(one, time_s=None) for one in timed]

    found = judged(footage("heldout", timed), footage("heldout", untimed))

    assert found.stretches[0].time_s.tolist() == [0.0, 0.1, 0.2]
    assert found.stretches[1].time_s is None


def test_stretches_are_taken_evenly():
    assert spread([300] * 10, 900) == [0, 3, 6]
    assert spread([300] * 3, 1000) == [0, 1, 2]
    assert spread([300] * 3, 100) == [0]
