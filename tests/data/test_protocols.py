from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared import draws

from oddframe.data.open import open_videoset
from oddframe.data.protocols import split
from oddframe.data.videoset import LabelledSpan, LabelledVideo, VideoSet
from oddframe.errors import NothingToJudgeError, SettingsError


def video(name: str, frames: int, scene: str = "", odd: bool = False, labels: object = ...) -> LabelledVideo:
    """A labelled video without pictures: protocols look at names and lengths only."""
    known = np.full(frames, odd) if labels is ... else labels
    return LabelledVideo(name, SimpleNamespace(frame_count=frames), known, scene=scene)  # type: ignore[arg-type]


def a_set(normal=(), known=(), test=()) -> VideoSet:
    return VideoSet("made", "folder", Path("made"), tuple(normal), tuple(known), tuple(test))


def names(videos) -> list[str]:
    return [one.name for one in videos]


def spans(sections) -> list[tuple[str, int, int]]:
    return [(section.video.name, section.start, section.stop) for section in sections]


@pytest.fixture
def twelve() -> VideoSet:
    """Like Ped2: 16 normal videos, 12 test videos."""
    return a_set(
        [video(f"{n:02}", 150) for n in range(1, 17)], test=[video(f"{n:02}", 180, odd=True) for n in range(1, 13)]
    )


def test_ten_folds_of_twelve_videos_are_two_pairs_and_eight_single_ones(twelve):
    blocks = [names(split(twelve, "kfold", fold=fold).known) for fold in range(10)]

    assert blocks == [["01", "02"], ["03", "04"], *[[f"{n:02}"] for n in range(5, 13)]]


def test_a_fold_is_known_and_not_judged(twelve):
    parts = split(twelve, "kfold", fold=1)

    assert (parts.protocol, parts.fold, parts.folds) == ("kfold", 1, 10)
    assert names(parts.test) == ["01", "02", *[f"{n:02}" for n in range(5, 13)]]


def test_blocks_follow_natural_order_not_the_order_of_listing():
    videos = a_set(test=[video(name, 9) for name in ("Test10", "Test2", "Test1")])

    assert names(split(videos, "kfold", fold=0, folds=3).known) == ["Test1"]
    assert names(split(videos, "kfold", fold=2, folds=3).known) == ["Test10"]


def test_shuffled_folds_cover_every_video_once_and_repeat(twelve):
    dealt = [names(split(twelve, "kfold", fold=fold, shuffle=3).known) for fold in range(10)]

    assert sorted(name for block in dealt for name in block) == [f"{n:02}" for n in range(1, 13)]
    assert dealt != [names(split(twelve, "kfold", fold=fold).known) for fold in range(10)]
    assert dealt == [names(split(twelve, "kfold", fold=fold, shuffle=3).known) for fold in range(10)]


def test_standard_takes_the_known_anomalies_of_the_set(twelve):
    videos = a_set(twelve.normal, [video("odd", 30, odd=True)], twelve.test)

    parts = split(videos)

    assert (parts.protocol, parts.fold, parts.folds) == ("standard", None, None)
    assert names(parts.known) == ["odd"]
    assert names(parts.test) == names(twelve.test)


def test_known_anomalies_of_the_set_can_be_left_out_and_a_block_of_the_test_is_known_all_the_same(twelve):
    videos = a_set(twelve.normal, [video("fall", 90, odd=True)], twelve.test)

    assert split(videos, known="leave-out").known == ()
    assert names(split(videos, "kfold", fold=2, known="leave-out").known) == ["05"]


def test_kfold_adds_its_block_to_the_known_anomalies_of_the_set(twelve):
    videos = a_set(twelve.normal, [video("odd", 30, odd=True)], twelve.test)

    assert names(split(videos, "kfold", fold=2).known) == ["odd", "05"]


def test_held_out_normal_video_is_whole_videos_spread_over_the_set(twelve):
    parts = split(twelve)

    assert spans(parts.heldout) == [("05", 0, 150), ("13", 0, 150)]
    assert names(section.video for section in parts.normal) == [f"{n:02}" for n in range(1, 17) if n not in (5, 13)]


def test_the_end_of_the_only_video_is_held_out():
    parts = split(a_set([video("gate", 1000)]))

    assert spans(parts.normal) == [("gate", 0, 900)]
    assert spans(parts.heldout) == [("gate", 900, 1000)]


def test_two_equal_videos_give_their_ends_rather_than_half_of_all_footage():
    parts = split(a_set([video("a", 1000), video("b", 1000)]))

    assert spans(parts.heldout) == [("a", 900, 1000), ("b", 900, 1000)]
    assert spans(parts.normal) == [("a", 0, 900), ("b", 0, 900)]


def test_every_scene_keeps_something_apart():
    videos = a_set([video(f"{scene}{n}", 240, scene) for scene in "abc" for n in range(4)] + [video("d0", 500, "d")])

    parts = split(videos)

    assert spans(parts.heldout) == [("a2", 0, 240), ("b2", 0, 240), ("c2", 0, 240), ("d0", 450, 500)]


def test_nothing_is_held_out_where_nothing_is_asked_for(twelve):
    parts = split(twelve, heldout=0)

    assert parts.heldout == ()
    assert len(parts.normal) == 16


def test_abnormal_frames_of_normal_videos_are_not_held_out():
    labels = np.zeros(1000, bool)
    labels[940:950] = True

    parts = split(a_set([video("gate", 1000, labels=labels)]))

    assert spans(parts.heldout) == [("gate", 900, 940), ("gate", 950, 1000)]


@settings(max_examples=draws(60))
@given(
    st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["", "a", "b"])), min_size=1, max_size=12),
    st.floats(0, 0.9),
)
def test_training_and_held_out_frames_are_apart_and_together_everything(lengths, share):
    videos = a_set([video(str(place), frames, scene) for place, (frames, scene) in enumerate(lengths)])

    parts = split(videos, heldout=share)

    taken = [
        (section.video.name, frame)
        for section in (*parts.normal, *parts.heldout)
        for frame in range(section.start, section.stop)
    ]
    assert len(taken) == len(set(taken)) == sum(frames for frames, _ in lengths)
    assert parts.normal
    for scene in {scene for _, scene in lengths}:
        assert any(section.video.scene == scene for section in parts.normal)


def test_known_anomalies_can_be_kept_apart_but_never_all():
    videos = a_set(known=[video(str(n), 30, odd=True) for n in range(4)])

    assert len(split(videos, heldout_known=0.3).heldout_known) == 1
    assert len(split(videos, heldout_known=0.99).known) == 1
    assert split(videos).heldout_known == ()
    assert split(a_set(known=videos.known[:1]), heldout_known=0.5).heldout_known == ()
    both = split(videos, heldout_known=0.5, seed=1)
    assert sorted(names(both.known) + names(both.heldout_known)) == ["0", "1", "2", "3"]
    assert split(videos, heldout_known=0.5, seed=1) == both


def test_what_becomes_of_known_normal_frames_is_carried_along(twelve):
    assert split(twelve, "kfold", fold=0).known_normal == "use"
    assert split(twelve, "kfold", fold=0, known_normal="drop").known_normal == "drop"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"protocol": "kfolds", "fold": 0}, "did you mean kfold"),
        ({"protocol": "kfold"}, "0 to 9"),
        ({"protocol": "kfold", "fold": 10}, "0 to 9"),
        ({"protocol": "kfold", "fold": -1}, "0 to 9"),
        ({"protocol": "kfold", "fold": 0, "folds": 13}, "2 to 12"),
        ({"protocol": "kfold", "fold": 0, "folds": 1}, "2 to 12"),
        ({"fold": 3}, "--protocol kfold"),
        ({"heldout": 1.0}, "heldout"),
        ({"heldout_known": -0.1}, "heldout_known"),
        ({"known_normal": "keep"}, "use or drop"),
        ({"protocol": "rate"}, "--rate 0.05"),
        ({"protocol": "rate", "rate": 1.0}, "--rate 0.05"),
        ({"rate": 0.05}, "--protocol rate"),
        ({"protocol": "rate", "rate": 0.05, "fold": 1}, "--protocol kfold"),
        ({"known_classes": ["fall"]}, "--protocol unseen"),
        ({"protocol": "unseen", "known_classes": ["fall"]}, "no anomaly of the set has this class"),
        ({"protocol": "unseen"}, "--known-class"),
    ],
)
def test_what_cannot_be_split_is_refused(twelve, wrong, message):
    with pytest.raises(SettingsError, match=message):
        split(twelve, **wrong)


@pytest.mark.parametrize(("count", "seen"), [(0, "no test video"), (1, "1 test video")])
def test_without_two_test_videos_no_number_of_folds_is_asked_for(count, seen):
    with pytest.raises(SettingsError, match="at least 2 test videos") as caught:
        split(a_set(test=[video("a", 9)] * count), "kfold", fold=0)

    assert caught.value.seen == seen


def test_a_fold_without_labels_cannot_be_known_anomalies():
    videos = a_set(test=[video("a", 9, labels=None), video("b", 9)])

    assert names(split(videos, "kfold", fold=1, folds=2).known) == ["b"]
    with pytest.raises(NothingToJudgeError, match="no labels for a"):
        split(videos, "kfold", fold=0, folds=2)


@pytest.mark.slow
def test_folds_of_the_real_ped2(ped2):
    videos = open_videoset(ped2)

    assert names(split(videos, "kfold", fold=0).known) == ["01", "02"]
    assert names(split(videos, "kfold", fold=1).known) == ["03", "04"]
    assert names(split(videos, "kfold", fold=2).known) == ["05"]
    assert sum(map(len, split(videos).heldout)) == 360


@pytest.fixture
def mixed() -> VideoSet:
    """Three normal videos; a test of five anomalous videos and two normal ones."""
    test = [video(f"odd{n}", 30, odd=True) for n in range(5)] + [video(f"calm{n}", 30) for n in range(2)]
    return a_set([video(f"{n:02}", 150) for n in range(3)], test=test)


def test_rate_reserves_half_of_the_anomalous_videos_and_every_normal_one_for_the_test(mixed):
    parts = split(mixed, "rate", rate=0.05, seed=4)

    assert (parts.protocol, parts.rate, parts.known_normal) == ("rate", 0.05, "drop")
    assert (len(parts.known), len(parts.test)) == (2, 5)
    assert {"calm0", "calm1"} < set(names(parts.test))
    assert sorted(names(parts.known) + names(parts.test)) == sorted(names(mixed.test))


def test_rate_draws_by_the_seed_and_the_same_videos_at_every_rate(mixed):
    drawn = {tuple(names(split(mixed, "rate", rate=0.01, seed=seed).known)) for seed in range(20)}

    assert len(drawn) > 3
    assert split(mixed, "rate", rate=0.25, seed=7).known == split(mixed, "rate", rate=0.01, seed=7).known


def test_rate_needs_an_anomalous_video_for_each_side():
    with pytest.raises(NothingToJudgeError, match="at least 2"):
        split(a_set(test=[video("a", 9, odd=True), video("b", 9), video("c", 9, labels=None)]), "rate", rate=0.1)


def of_class(name: str, *kinds: str | None) -> LabelledVideo:
    spans = tuple(LabelledSpan(0, 30, kind) for kind in kinds)
    return LabelledVideo(name, SimpleNamespace(frame_count=30), np.ones(30, bool), spans)  # type: ignore[arg-type]


def test_unseen_trains_on_known_anomalies_of_the_named_classes_alone():
    videos = a_set(
        [video("calm", 150), of_class("spoilt", "fire")],
        [of_class("a", "fall"), of_class("b", "fire"), of_class("c", "fall", "fire"), of_class("d", None)],
        [of_class("e", "fall"), of_class("f", "fire"), video("g", 30)],
    )

    parts = split(videos, "unseen", known_classes=["fall"], heldout=0)

    assert (parts.protocol, parts.known_classes) == ("unseen", ("fall",))
    assert names(parts.known) == ["a"]
    assert names(section.video for section in parts.normal) == ["calm"]
    assert names(parts.test) == ["e", "f", "g"]


def test_unseen_takes_half_of_the_test_videos_of_these_classes_where_no_anomaly_is_known():
    test = [of_class(f"fall{n}", "fall") for n in range(4)]
    test += [of_class("fire", "fire"), of_class("both", "fall", "fire"), video("calm", 30)]

    parts = split(a_set([video("normal", 150)], test=test), "unseen", known_classes=["fall"], seed=1)

    assert len(parts.known) == 2
    assert all(name.startswith("fall") for name in names(parts.known))
    assert sorted(names(parts.known) + names(parts.test)) == sorted(names(test))


@pytest.mark.parametrize(
    ("classes", "message"), [(["fal"], "did you mean fall"), (["fall", "fire"], "not all"), ([], "known-class")]
)
def test_unseen_needs_classes_that_are_known_and_others(classes, message):
    videos = a_set(known=[of_class("a", "fall")], test=[of_class("b", "fall"), of_class("c", "fire")])

    with pytest.raises(SettingsError, match=message):
        split(videos, "unseen", known_classes=classes)


def test_unseen_needs_a_video_that_shows_the_known_classes_and_nothing_else():
    videos = a_set(test=[of_class("b", "fall"), of_class("c", "fall", "fire")])

    with pytest.raises(NothingToJudgeError, match="fall and nothing else"):
        split(videos, "unseen", known_classes=["fall"])


def test_a_split_is_told_in_one_line(twelve):
    assert repr(split(twelve, "kfold", fold=1)) == "<Split kfold fold 1 of 10: 14 normal, 2 known, 10 test, 2 heldout>"
