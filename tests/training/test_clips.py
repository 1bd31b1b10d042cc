"""What a training batch is made of."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.data.protocols import Section
from oddframe.data.videoset import LabelledVideo, Masks
from oddframe.errors import SettingsError, TooShortError
from oddframe.settings import TrainSettings
from oddframe.training.clip_sources import ClipSource, clip_sources
from oddframe.training.clips import ClipSampler
from oddframe.training.moving import moving_places, same_view
from oddframe.video.store import StoredVideo

SIZE = (16, 24)


def labelled(text: str) -> np.ndarray:
    return np.array([letter == "1" for letter in text])


def source(labels: str, value=lambda t: t, *, name="v", channels=1, places=None) -> ClipSource:
    """A video whose frame t is all of one grey level, so that a clip tells which frames it is made of."""
    pixels = np.stack([np.full((*SIZE, channels), value(t), np.uint8) for t in range(len(labels))])
    return ClipSource(name, pixels, labelled(labels), 0, len(labels), places)


def crossing(frames: int, *, size=(32, 48)) -> ClipSource:
    """A dark ground with a bright square that moves three pixels a frame."""
    pixels = np.full((frames, *size, 1), 40, np.uint8)
    for t in range(frames):
        left = 3 * t % (size[1] - 8)
        pixels[t, 10:18, left : left + 8] = 220
    return ClipSource("crossing", pixels, np.zeros(frames, bool), 0, frames)


def sampler(
    *sources: ClipSource, roles=("normal", "second", "abnormal"), known=0, known_normal=True, rate=None, **settings
):
    settings = {"batch": 2, "abnormal_batch": 2, "seed": 7} | settings
    return ClipSampler(sources, 5, TrainSettings(**settings), roles, known=known, known_normal=known_normal, rate=rate)


def frames_of(clips: np.ndarray) -> list[list[int]]:
    return [clip[:, 0, 0, 0].tolist() for clip in clips]


# Which clips there are -------------------------------------------------------------------------------------------


def test_a_clip_is_abnormal_if_all_its_frames_are_and_normal_if_none_is():
    #                       0    5     11
    clips = sampler(source("0000011111100000"), batch=2, abnormal_batch=8)

    batch = clips.batch(0, 0)

    assert clips.counts == {"normal": 2, "abnormal": 2}
    assert sorted(frames_of(batch.normal)) == [[0, 1, 2, 3, 4], [11, 12, 13, 14, 15]]
    assert {tuple(clip) for clip in frames_of(batch.abnormal)} == {(5, 6, 7, 8, 9), (6, 7, 8, 9, 10)}


def test_normal_clips_of_known_anomalies_can_be_left_out():
    videos = source("0" * 8), source("0" * 9 + "1" * 6)

    assert sampler(*videos, known=1).counts == {"normal": 4 + 5, "abnormal": 2}
    assert sampler(*videos, known=1, known_normal=False).counts == {"normal": 4, "abnormal": 2}


@pytest.mark.parametrize(("rate", "abnormal"), [(0.01, 1), (0.05, 4), (0.25, 25)])
def test_a_rate_draws_that_share_of_abnormal_clips_and_keeps_to_them(rate, abnormal):
    videos = source("0" * 80), source("1" * 44, name="odd")  # 76 normal clips, 40 abnormal ones
    clips = sampler(*videos, known=1, known_normal=False, rate=rate, abnormal_batch=200)

    assert clips.counts == {"normal": 76, "abnormal": abnormal, "abnormal_there": 40}
    assert len({tuple(clip) for clip in frames_of(clips.batch(0, 0).abnormal)}) == abnormal
    drawn = sorted({clip[0] for clip in frames_of(clips.batch(0, 0).abnormal)})
    assert abnormal == 1 or drawn != list(range(drawn[0], drawn[0] + abnormal)), "from all of it"
    assert frames_of(clips.batch(3, 1).abnormal) == frames_of(
        sampler(*videos, known=1, known_normal=False, rate=rate, abnormal_batch=200).batch(3, 1).abnormal
    )


def test_a_rate_for_which_there_are_too_few_abnormal_clips_is_refused_with_the_highest_that_is_possible():
    videos = source("0" * 80), source("1" * 8, name="odd")  # 76 normal clips, 4 abnormal ones

    with pytest.raises(
        SettingsError, match=r"4 abnormal clips, 76 normal ones[\s\S]*25 abnormal ones[\s\S]*up to 0\.05"
    ):
        sampler(*videos, known=1, rate=0.25, known_normal=False)
    assert sampler(*videos, known=1, rate=0.05, known_normal=False).counts["abnormal"] == 4


def test_only_frames_of_the_section_are_used():
    one = source("0" * 20)
    part = ClipSource("part", one.pixels, one.labels, 10, 16)

    assert sorted(frames_of(sampler(part).batch(0, 0).normal)) == [[10, 11, 12, 13, 14], [11, 12, 13, 14, 15]]


def test_without_one_normal_clip_there_is_no_training():
    with pytest.raises(TooShortError, match="at most 4 frames in a row"):
        sampler(source("0000"))


def test_short_videos_and_missing_anomalies_are_noted():
    notes = sampler(source("0" * 8), source("0001", name="stub")).notes

    assert "stub" in notes[0]
    assert "nothing abnormal to learn from" in notes[1]


def test_transplants_without_a_known_anomaly_are_noted_as_nothing_to_learn_from():
    clips = sampler(crossing(20), pseudo_anomalies=("transplant",))

    assert clips.batch(0, 0).abnormal is None
    assert "train.pseudo_anomalies is transplant" in clips.notes[0]


def test_no_clip_is_odd_where_none_is_wanted():
    batch = sampler(source("0" * 8 + "1" * 8), roles=("normal",)).batch(0, 0)

    assert batch.second is None
    assert batch.abnormal is None


# Dealing ---------------------------------------------------------------------------------------------------------


def equal(one, other) -> bool:
    return all(
        np.array_equal(getattr(one, part), getattr(other, part)) for part in ("normal", "second", "abnormal", "places")
    )


@pytest.fixture
def varied() -> ClipSampler:
    return sampler(
        crossing(24), crossing(20), flips=True, light=0.2, pseudo_anomalies=("skip", "paste"), abnormal_batch=3
    )


def test_a_batch_follows_from_seed_epoch_and_step_alone(varied):
    again = sampler(
        crossing(24), crossing(20), flips=True, light=0.2, pseudo_anomalies=("skip", "paste"), abnormal_batch=3
    )

    assert equal(varied.batch(2, 3), again.batch(2, 3))
    assert not equal(varied.batch(2, 3), varied.batch(2, 4))
    assert not equal(varied.batch(2, 3), varied.batch(1, 3))


def test_an_epoch_goes_on_at_any_step(varied):
    steps = varied.steps_per_epoch

    resumed = list(varied.batches(1, first_step=steps - 3))

    assert len(resumed) == 3
    assert all(equal(batch, varied.batch(1, steps - 3 + number)) for number, batch in enumerate(resumed))


def test_an_epoch_shows_every_normal_clip_once():
    clips = sampler(source("0" * 12))

    starts = [clip[0] for batch in clips.batches(0) for clip in frames_of(batch.normal)]

    assert sorted(starts) == list(range(8))
    assert starts != sorted(starts)


def test_the_last_batch_of_an_epoch_is_left_out_where_it_is_not_full():
    clips = sampler(source("0" * 13))

    assert [len(batch.normal) for batch in clips.batches(0)] == [2, 2, 2, 2]  # of nine clips


@pytest.mark.parametrize("other", [{"seed": 8}, {"epoch": 1}, {"step": 1}], ids=str)
def test_how_a_clip_is_varied_follows_from_seed_epoch_and_step(other):
    one, place = source("0" * 5, lambda t: 100), {"seed": 7, "epoch": 0, "step": 0}

    def drawn(seed: int, epoch: int, step: int) -> list[int]:
        clips = sampler(*[one] * (step + 1), light=0.2, batch=1, seed=seed, roles=("normal",))
        return frames_of(clips.batch(epoch, step).normal)[0]

    assert drawn(**place) == drawn(**place)
    assert drawn(**place) != drawn(**place | other)


def test_fewer_clips_than_a_batch_make_one_smaller_batch():
    clips = sampler(source("0" * 7), batch=50)

    assert [len(batch.normal) for batch in clips.batches(0)] == [3]


class FailingPixels:
    """Pictures on a disk that goes away."""

    shape = (40, *SIZE, 1)

    def __getitem__(self, _):
        raise OSError("the disk is gone")


def clip_threads() -> int:
    return sum(thread.name == "clips" for thread in threading.enumerate())


def test_an_error_while_clips_are_prepared_reaches_the_loop():
    broken = ClipSource("broken", FailingPixels(), np.zeros(40, bool), 0, 40)

    with pytest.raises(OSError, match="the disk is gone"):
        next(sampler(broken).batches(0))
    assert clip_threads() == 0


def test_preparing_ends_when_nobody_takes_batches_any_more():
    batches = sampler(source("0" * 60)).batches(0)
    next(batches)
    assert clip_threads() == 1

    batches.close()

    assert clip_threads() == 0


# Pseudo-anomalies ------------------------------------------------------------------------------------------------


def test_skip_takes_every_second_to_fifth_frame():
    # 8 grey levels a frame: nothing "moves" at normal pace, all of it when two or more frames are skipped
    clips = sampler(source("0" * 31, lambda t: 8 * t), pseudo_anomalies=("skip",), abnormal_batch=40)

    drawn = [np.array(values) // 8 for values in frames_of(clips.batch(0, 0).abnormal)]

    steps = {step for numbers in drawn for step in np.diff(numbers)}
    assert steps == {2, 3, 4, 5}
    assert all(len(set(np.diff(numbers))) == 1 for numbers in drawn)


def test_skip_never_runs_over_known_anomalies():
    clips = sampler(source("0" * 14 + "1" * 3 + "0" * 14, lambda t: 8 * t), pseudo_anomalies=("skip",), batch=1)

    for step in range(clips.steps_per_epoch):
        batch = clips.batch(0, step)
        for numbers in [] if batch.abnormal is None else frames_of(batch.abnormal):
            first, last = numbers[0] // 8, numbers[-1] // 8
            assert not (first <= 16 and last >= 14)


@pytest.mark.parametrize("size", [(16, 16), (17, 41), (32, 48)])
def test_a_pasted_patch_stays_inside_and_marks_what_it_changes(size):
    clips = sampler(crossing(30, size=size), pseudo_anomalies=("paste",), abnormal_batch=4)

    for step in range(6):
        batch = clips.batch(0, step)
        assert batch.abnormal.shape == (4, 5, *size, 1)
        assert batch.places.any(axis=(1, 2)).all()
        assert batch.places.mean() < 0.2


def test_a_paste_leaves_the_rest_of_the_picture_alone():
    still = np.full((12, 64, 96, 1), 90, np.uint8)
    still[:, :, :] += np.arange(12, dtype=np.uint8)[:, None, None, None] % 2 * 30  # the whole picture flickers
    clips = sampler(ClipSource("v", still, np.zeros(12, bool), 0, 12), pseudo_anomalies=("paste",), abnormal_batch=20)

    batch = clips.batch(0, 0)

    flicker = {(90, 120, 90, 120, 90), (120, 90, 120, 90, 120)}
    for clip, places in zip(batch.abnormal[..., 0], batch.places, strict=True):
        around = clip[:, ~cv2.dilate(places.astype(np.uint8), np.ones((15, 15))).astype(bool)]
        assert {tuple(values) for values in around.T.tolist()} <= flicker


def test_a_known_anomaly_is_transplanted_by_its_mask_and_marked_where_it_lands():
    size, places = (40, 60), np.zeros((5, 40, 60), bool)
    places[:, 18:26, 20:30] = True
    odd = np.full((5, *size, 1), 60, np.uint8)
    odd[places] = 250
    known = ClipSource("known", odd, np.ones(5, bool), 0, 5, places)
    ground = ClipSource("ground", np.full((9, *size, 1), 60, np.uint8), np.zeros(9, bool), 0, 9)
    clips = sampler(
        ground, known, known=1, abnormal_batch=8, pseudo_anomalies=("transplant",), pseudo_share=1.0, light=0.0
    )

    batch = clips.batch(0, 0)

    for pixels, marked in zip(batch.abnormal, batch.places, strict=True):
        assert (pixels[2, :, :, 0][marked] > 60).mean() > 0.6  # what is marked is the anomaly and a rim
        assert (pixels[2, :, :, 0][~marked] < 160).all()  # and nowhere else does it show
        assert abs(int(np.flatnonzero(marked.any(axis=1)).mean()) - 21) <= 3  # near its own height
    assert len({tuple(np.flatnonzero(marked.any(axis=0))) for marked in batch.places}) > 3


def test_without_masks_there_is_nothing_to_transplant_and_the_other_kinds_take_its_share():
    clips = sampler(crossing(40), pseudo_anomalies=("transplant", "skip"), pseudo_share=1.0)

    assert len(clips.batch(0, 0).abnormal) == 2


def test_a_still_video_has_no_pseudo_anomaly_and_counts_what_is_lacking():
    clips = sampler(source("0" * 20, lambda t: 99), pseudo_anomalies=("skip", "paste"))

    batch = clips.batch(0, 0)

    assert batch.abnormal is None
    assert batch.places is None
    assert batch.still == 2


@pytest.mark.parametrize("rows", [slice(0, 4), slice(36, 40)])
def test_what_is_transplanted_at_the_edge_of_the_picture_stays_in_it(rows):
    odd, masks = np.full((5, 40, 60, 1), 60, np.uint8), np.zeros((5, 40, 60), bool)
    masks[:, rows, 20:30] = True
    odd[masks] = 250
    known = ClipSource("known", odd, np.ones(5, bool), 0, 5, masks)
    ground = ClipSource("ground", np.full((9, 40, 60, 1), 60, np.uint8), np.zeros(9, bool), 0, 9)
    clips = sampler(
        ground,
        known,
        known=1,
        abnormal_batch=40,
        pseudo_anomalies=("transplant",),
        pseudo_share=1.0,
        roles=("abnormal",),
    )

    bright = (clips.batch(0, 0).abnormal[:, 2, :, :, 0] > 200).sum(axis=(1, 2))

    assert bright.min() >= 0.7 * 40


def test_kinds_of_pseudo_anomalies_take_turns():
    clips = sampler(crossing(20), pseudo_anomalies=("skip", "paste"), abnormal_batch=6)
    nowhere = np.zeros((32, 48), bool)
    clips._skip = lambda rng: (np.full((5, 32, 48, 1), 1, np.uint8), nowhere)
    clips._paste = lambda rng: (np.full((5, 32, 48, 1), 2, np.uint8), nowhere)

    assert clips.batch(0, 0).abnormal[:, 0, 0, 0, 0].tolist() == [1, 2, 1, 2, 1, 2]


def order(picture: np.ndarray) -> int:
    """Whether what is bright lies to the left of what is grey (-1) or to its right (1); 0 where both are not there."""
    bright, grey = np.argwhere(picture > 200), np.argwhere((picture > 110) & (picture < 150))
    return int(np.sign(bright[:, 1].mean() - grey[:, 1].mean())) if len(bright) > 8 and len(grey) > 8 else 0


@pytest.mark.parametrize("kind", ["paste", "transplant"])
def test_what_is_put_into_a_clip_is_mirrored_now_and_then(kind):
    still, moving = np.full((9, 40, 60, 1), 60, np.uint8), np.full((5, 40, 60, 1), 60, np.uint8)
    for t in range(5):
        left = 10 + 4 * t
        moving[t, 10:22, left : left + 6], moving[t, 10:22, left + 6 : left + 12] = 250, 130
    known = kind == "transplant"
    odd = ClipSource("thing", moving, np.full(5, known), 0, 5, moving[..., 0] > 100 if known else None)
    ground = ClipSource("ground", still, np.zeros(9, bool), 0, 9)
    clips = sampler(
        ground,
        odd,
        known=int(known),
        abnormal_batch=300,
        pseudo_anomalies=(kind,),
        pseudo_share=1.0,
        roles=("abnormal",),
    )
    clips._ground = lambda rng, clip, pace=None: still[:5]  # so that the thing is there once

    seen = [order(pixels[2, :, :, 0]) for pixels in clips.batch(0, 0).abnormal]

    assert min(seen.count(-1), seen.count(1)) >= 5


def test_half_of_the_abnormal_clips_are_pseudo_anomalies_where_some_are_known():
    clips = sampler(
        source("0" * 15, lambda t: 8 * t),
        source("1" * 6, lambda t: 200),
        known=1,
        pseudo_anomalies=("skip",),
        abnormal_batch=8,
        pseudo_share=0.5,
    )

    drawn = frames_of(clips.batch(0, 0).abnormal)

    assert sum(values == [200] * 5 for values in drawn) == 4
    assert len(drawn) == 8


# Slowed clips ----------------------------------------------------------------------------------------------------


def paces(clips: np.ndarray) -> set[tuple[int, ...]]:
    """Steps from frame to frame, of videos whose frame t has grey level t."""
    return {tuple(np.diff(values).tolist()) for values in frames_of(clips)}


SLOW = {(0, 0, 0, 0), (0, 1, 0, 1)}


def test_clips_are_slowed_to_half_their_pace_or_stopped_normal_and_odd_ones_alike():
    clips = sampler(source("0" * 30 + "1" * 30), batch=8, abnormal_batch=8, slowed=1.0)

    batches = [clips.batch(0, step) for step in range(3)]

    for role in ("normal", "second", "abnormal"):
        assert set().union(*(paces(getattr(batch, role)) for batch in batches)) == SLOW
    shown = {values[0] for batch in batches for values in frames_of(batch.normal)}
    assert max(shown) > 25  # a stopped clip may show any of its frames


def test_the_share_of_slowed_clips_is_kept():
    clips = sampler(source("0" * 250), roles=("normal",), batch=40, slowed=0.25)

    drawn = [frames for step in range(6) for frames in frames_of(clips.batch(0, step).normal)]

    slowed = sum(tuple(np.diff(frames).tolist()) in SLOW for frames in drawn) / len(drawn)
    assert 0.17 < slowed < 0.33


def test_a_skipped_clip_is_never_slowed():
    clips = sampler(source("0" * 40, lambda t: 6 * t), pseudo_anomalies=("skip",), abnormal_batch=20, slowed=1.0)

    assert all(min(pace) >= 12 for pace in paces(clips.batch(0, 0).abnormal))


def test_a_stopped_known_anomaly_is_marked_where_it_is_in_the_frame_shown():
    masks = np.zeros((5, *SIZE), bool)
    for frame in range(5):
        masks[frame, 2:5, 3 * frame : 3 * frame + 3] = True
    clips = sampler(source("0" * 8), source("1" * 5, places=masks), known=1, abnormal_batch=12, slowed=1.0)

    batch = clips.batch(0, 0)

    for frames, places in zip(frames_of(batch.abnormal), batch.places, strict=True):
        assert np.array_equal(places, masks[frames].any(axis=0))


def test_without_a_mask_a_stopped_known_anomaly_is_marked_where_its_clip_moves():
    odd = crossing(5)
    known = ClipSource("odd", odd.pixels, np.ones(5, bool), 0, 5)
    clips = sampler(crossing(20), known, known=1, abnormal_batch=6, slowed=1.0)

    for places in clips.batch(0, 0).places:
        assert np.array_equal(places, moving_places(odd.pixels))


@pytest.mark.parametrize("kind", ["paste", "transplant"])
def test_a_slowed_clip_holds_nothing_that_goes_at_another_pace(kind):
    known = crossing(5)
    masks = known.pixels[..., 0] > 100
    odd = ClipSource("odd", known.pixels, np.ones(5, bool), 0, 5, masks)
    clips = sampler(
        crossing(40), odd, known=1, abnormal_batch=6, pseudo_anomalies=(kind,), pseudo_share=1.0, slowed=1.0
    )

    for clip in clips.batch(0, 0).abnormal:
        stopped = [bool((one == other).all()) for one, other in itertools.pairwise(clip)]
        assert sum(stopped) >= 2


# Crowded clips ---------------------------------------------------------------------------------------------------


def walker(rows: slice, *, ground=40, name="walker", scene="", frames=20, size=(48, 64)) -> ClipSource:
    """A ground with a bright square that moves two pixels a frame, in some rows."""
    pixels = np.full((frames, *size, 1), ground, np.uint8)
    for t in range(frames):
        left = 2 * t % (size[1] - 8)
        pixels[t, rows, left : left + 8] = 220
    return ClipSource(name, pixels, np.zeros(frames, bool), 0, frames, None, scene)


TOP, BOTTOM = slice(6, 14), slice(34, 42)


def crowded(clip: np.ndarray) -> bool:
    """Whether something moves in both halves of a clip."""
    moving = moving_places(clip)
    return bool(moving[:24].any() and moving[24:].any())


def test_what_moves_in_another_clip_of_the_same_view_is_added():
    clips = sampler(walker(TOP), walker(BOTTOM), roles=("normal",), batch=16, crowd=1.0)

    normal = clips.batch(0, 0).normal

    share = np.mean([crowded(clip) for clip in normal])
    assert 0.2 < share < 0.8  # the other half of the partners walk where the clip's own walker does
    assert all(abs(int(np.median(clip)) - 40) <= 1 for clip in normal)  # the ground stays


def test_two_views_never_mix_whether_named_or_not():
    other = walker(BOTTOM, ground=120)
    named = sampler(walker(TOP, scene="a"), walker(BOTTOM, scene="b"), roles=("normal",), batch=16, crowd=1.0)
    unnamed = sampler(walker(TOP), other, roles=("normal",), batch=16, crowd=1.0)

    for clips in (named, unnamed):
        assert not any(crowded(clip) for step in range(2) for clip in clips.batch(0, step).normal)


def test_an_odd_thing_is_never_covered_by_a_crowd():
    places = np.zeros((5, 48, 64), bool)
    places[:, 34:42, 20:30] = True
    odd = np.full((5, 48, 64, 1), 40, np.uint8)
    odd[places] = 130
    known = ClipSource("odd", odd, np.ones(5, bool), 0, 5, places)
    clips = sampler(walker(TOP), walker(BOTTOM), known, known=1, batch=4, abnormal_batch=16, crowd=1.0)

    batch = clips.batch(0, 0)

    assert any(moving_places(clip).any() for clip in batch.abnormal)
    for clip, marked in zip(batch.abnormal, batch.places, strict=True):
        assert (clip[..., 0][:, marked] == 130).all()


# Where it is odd -------------------------------------------------------------------------------------------------


def test_places_come_from_masks_where_there_are_any():
    masks = np.zeros((8, *SIZE), bool)
    masks[6, 2:4, 5:9] = True  # in one frame of each of the clips' five
    clips = sampler(source("0" * 8), source("1" * 8, places=masks), known=1)

    places = clips.batch(0, 0).places

    assert {int(one.sum()) for one in places} <= {8, SIZE[0] * SIZE[1]}
    assert any(np.array_equal(one, masks[6]) for one in places)


def test_places_come_from_motion_where_there_is_no_mask():
    odd = crossing(5)
    known = ClipSource("known", odd.pixels, np.ones(5, bool), 0, 5)
    clips = sampler(crossing(20), known, known=1)

    places = clips.batch(0, 0).places[0]

    assert np.array_equal(places, moving_places(odd.pixels))
    assert places[14].any()
    assert not places[25:].any()


def test_a_known_anomaly_without_mask_or_motion_is_odd_all_over():
    clips = sampler(source("0" * 8), source("1" * 8, lambda t: 50), known=1)

    assert clips.batch(0, 0).places.all()


def test_empty_masks_are_named_and_what_moves_counts_instead():
    moving = crossing(8)
    odd = ClipSource("odd", moving.pixels, np.ones(8, bool), 0, 8, np.zeros((8, 32, 48), bool))
    half = ClipSource("half", moving.pixels, np.ones(8, bool), 0, 8, np.zeros((8, 32, 48), bool))
    half.places[:6, 10:18, 3:9] = True
    clips = sampler(crossing(20), odd, half, known=2, abnormal_batch=6, pseudo_anomalies=("transplant",))

    batch = clips.batch(0, 0)

    assert batch.places.any(axis=(1, 2)).all()
    assert clips.notes == [
        "masks that show nothing, where what moves counts as odd instead: odd (8 of 8 abnormal frames), "
        "half (2 of 8 abnormal frames)"
    ]


def test_places_are_mirrored_with_their_clip():
    pixels = np.zeros((8, *SIZE, 1), np.uint8)
    pixels[:, :, :6] = 200
    masks = np.broadcast_to(pixels[..., 0] > 100, (8, *SIZE))
    known = ClipSource("known", pixels, np.ones(8, bool), 0, 8, masks)
    batch = sampler(source("0" * 8), known, known=1, flips=True, abnormal_batch=20).batch(0, 0)

    assert np.array_equal(batch.places, batch.abnormal[:, 0, :, :, 0] > 100)
    assert len({bool(one[0, 0]) for one in batch.places}) == 2  # some are mirrored, some are not


def test_two_pictures_show_the_same_view_if_what_stands_still_differs_by_eight_levels_at_most():
    one, still = np.full((16, 16, 1), 90, np.uint8), np.ones((16, 16), bool)
    still[:, 8:] = False
    other = {level: np.where(still[:, :, None], one + level, 255 - one).astype(np.uint8) for level in (8, 9)}

    assert same_view(one, other[8], still)
    assert not same_view(one, other[9], still)
    assert not same_view(one, one, ~np.ones((16, 16), bool)), "nothing stands still"


def test_light_changes_all_frames_of_a_clip_alike():
    clips = sampler(source("0" * 40, lambda t: 100), light=0.1, batch=8)

    levels = frames_of(clips.batch(0, 0).normal)

    assert all(len(set(values)) == 1 for values in levels)
    assert len({values[0] for values in levels}) > 1
    assert all(abs(values[0] - 100) <= 25.5 + 2.75 + 1 for values in levels)  # brightness, contrast, rounding


def test_light_is_contrast_around_the_middle_and_brightness_both_ways():
    one = source("0" * 5)
    one.pixels[:, :, :12], one.pixels[:, :, 12:] = 80, 180
    clips = sampler(*[one] * 200, light=0.2, batch=200, roles=("normal",))

    seen = clips.batch(0, 0).normal[:, 0, 0, :, 0].astype(float)
    contrast = (seen[:, -1] - seen[:, 0]) / 100
    brightness = ((seen[:, -1] + seen[:, 0]) / 2 - 127.5 - contrast * 2.5) / 255

    for values, middle in ((contrast, 1.0), (brightness, 0.0)):
        assert np.abs(values - middle).max() < 0.21
        assert values.min() < middle - 0.15
        assert values.max() > middle + 0.15
    assert abs(np.corrcoef(contrast, brightness)[0, 1]) < 0.3


def test_grey_and_coloured_videos_share_a_batch():
    batch = sampler(source("0" * 6), source("0" * 6, lambda t: 100 + t, channels=3)).batch(0, 0)

    assert batch.normal.shape == (2, 5, *SIZE, 3)
    assert (batch.normal == batch.normal[..., :1]).all()


# From stored video -----------------------------------------------------------------------------------------------


def stored(frames: int, size=SIZE) -> StoredVideo:
    return StoredVideo(np.zeros((frames, *size, 1), np.uint8), None, 0)


def test_a_cut_off_video_gives_as_many_frames_as_it_has():
    video = LabelledVideo("cut", None, None)

    (one,) = clip_sources([Section(video, 0, 100)], [], [stored(30)])

    assert (one.start, one.stop, len(one.labels)) == (0, 30, 30)


def test_masks_are_brought_to_the_size_of_the_stored_pictures(tmp_path: Path):
    mask = np.zeros((32, 48), np.uint8)
    mask[:16, :24] = 255
    assert cv2.imwrite(str(tmp_path / "3.png"), mask)
    known = LabelledVideo("odd", None, labelled("0011"), masks=Masks({3: tmp_path / "3.png"}, (32, 48)))

    (one,) = clip_sources([], [known], [stored(4)])

    assert one.places[3, :8, :12].all()
    assert one.places.sum() == 8 * 12


def test_no_clip_spans_a_frame_that_did_not_decode():
    missing = np.zeros(12, bool)
    missing[5] = True
    source = ClipSource("gate", np.zeros((12, *SIZE, 1), np.uint8), np.zeros(12, bool), 0, 12, missing=missing)

    assert source.starts(4, abnormal=False).tolist() == [0, 1, 6, 7, 8]
    assert not source.is_normal(4, 7)
    assert source.is_normal(6, 12)
