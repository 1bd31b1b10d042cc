"""CUHK Avenue: its two layouts and its two ground truths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddframe.data.avenue import ABNORMAL_FRAMES
from oddframe.data.check import check
from oddframe.data.known_counts import AVENUE_TEST
from oddframe.data.label_files import read_label_file
from oddframe.data.labels import LabelSource, differences
from oddframe.data.open import open_videoset
from oddframe.data.source import DataSource
from oddframe.errors import FrameSizeError, IncompleteSetError, LabelError, MissingPathError, SettingsError

SIZE = (48, 64)
BY_MASKS = [[0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]]
BY_LISTS = [[0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 0, 0]]

DIFFERING = {  # the frames on which the two ground truths differ, counted from 1: only the masks, only the list
    1: ("", "84-94 100-108 111-115 400-407 410-415 876-877 898-899"),
    2: ("", "1051-1100"),
    6: ("815-825", "906-920"),
    7: ("300-307 596-605", ""),
    8: ("1-20 31-36", ""),
    9: ("", "548-550 564 909-923 938-945 956-968 1134-1137"),
    10: ("", "584-592 691-698 794-804"),
    11: ("13-20", "35-47 97-112 126-143"),
    12: ("", "580-591 659-672 688-694 796-821"),
    13: ("", "467-472"),
    14: ("501-507", "411-416"),
    16: ("731-740", ""),
    17: ("1-20 421-426", ""),
    18: ("1-20 286-294", ""),
    19: ("241-248", ""),
}


def save_masks(path: Path, labels: list[int], size: tuple[int, int] = SIZE) -> None:
    cells = np.empty((1, len(labels)), object)
    for frame, odd in enumerate(labels):
        cells[0, frame] = np.zeros(size, np.uint8)
        cells[0, frame][4:8, 10:13] = odd
    path.parent.mkdir(parents=True, exist_ok=True)
    pytest.importorskip("scipy.io").savemat(path, {"volLabel": cells}, do_compression=True)


def labels_of(videos) -> list[list[int]]:
    return [one.labels.astype(int).tolist() for one in videos.test]


@pytest.fixture
def official(tmp_path, make_video) -> Path:
    """One training video, test videos 1 and 2 of six frames each, and their masks."""
    root = tmp_path / "Avenue Dataset"
    make_video(root / "training_videos/01.avi", frames=10, size=SIZE)
    for number, labels in enumerate(BY_MASKS, 1):
        make_video(root / f"testing_videos/{number:02}.avi", frames=6, size=SIZE)
        save_masks(root / f"ground_truth_demo/testing_label_mask/{number}_label.mat", labels)
    return root


@pytest.fixture
def both(official) -> Path:
    np.save(official / "frame_labels_avenue.npy", np.array([np.concatenate(BY_LISTS)]))
    return official


@pytest.mark.parametrize("up", [0, 1])
def test_the_official_layout_is_found_at_its_folder_and_from_above(official, up):
    videos = open_videoset(official if up == 0 else official.parent, partial=True)

    assert (videos.kind, videos.name) == ("avenue", "Avenue Dataset")
    assert [(one.name, one.video.frame_count) for one in videos.test] == [("01", 6), ("02", 6)]
    assert [one.labels.tolist() for one in videos.normal] == [[False] * 10]
    assert labels_of(videos) == BY_MASKS


def test_the_community_layout_needs_its_name_or_the_users_word(tmp_path, make_frame_folder):
    root = tmp_path / "benchmark"
    for side in ("training", "testing"):
        make_frame_folder(root / side / "frames/01", frames=6, suffix=".jpg")

    unnamed = open_videoset(root, partial=True)
    assert unnamed.kind == "folder"
    assert "--kind names a public set" in unnamed.notes[0]
    assert open_videoset(root, "avenue", partial=True).kind == "avenue"
    assert open_videoset(root.rename(tmp_path / "avenue"), partial=True).kind == "avenue"


def test_a_mask_says_where_and_is_in_the_pictures_own_orientation(official):
    masks = open_videoset(official, partial=True).test[0].masks

    assert masks.read(2).sum() == 12
    assert masks.read(2)[4:8, 10:13].all()
    assert not masks.read(0).any()


def test_the_pixel_masks_are_the_ground_truth_unless_the_list_is_chosen(both):
    by_masks = open_videoset(both, partial=True)
    by_lists = open_videoset(both, partial=True, ground_truth="frames")

    assert (by_masks.ground_truth, labels_of(by_masks)) == ("masks", BY_MASKS)
    assert (by_lists.ground_truth, labels_of(by_lists)) == ("frames", BY_LISTS)
    assert by_masks.label_sources == ("ground_truth_demo/testing_label_mask",)
    assert by_lists.label_sources == ("frame_labels_avenue.npy",)
    assert by_lists.test[1].masks.read(0).any()
    assert by_masks.fingerprint() != by_lists.fingerprint()


def test_what_a_run_keeps_of_the_set_names_the_ground_truth(both):
    kept = open_videoset(both, partial=True, ground_truth="frames").described(both)

    assert (kept.ground_truth, kept.labels) == ("frames", ("frame_labels_avenue.npy",))


def test_the_other_ground_truth_beside_the_chosen_one_is_counted_and_no_conflict(both):
    report = check(DataSource(paths=(both,), partial=True))

    assert (report.ok, report.conflicts) == (True, ())
    assert "ground truth 'masks': on 4 frames of 1 video frame_labels_avenue.npy says otherwise" in report.notes
    assert any("video 02, frames 0-1, 4-5 (counted from 0): abnormal by ground_truth_demo" in n for n in report.notes)


def test_a_list_that_agrees_with_the_masks_is_a_further_source(official):
    np.save(official / "frame_labels_avenue.npy", np.concatenate(BY_MASKS))

    videos = open_videoset(official, partial=True)

    assert videos.abnormal_frames == {"ground_truth_demo/testing_label_mask": 9, "frame_labels_avenue.npy": 9}


def test_given_labels_of_the_other_ground_truth_are_refused_with_the_way_to_choose_them(official, tmp_path):
    np.save(tmp_path / "list.npy", np.concatenate(BY_LISTS))

    with pytest.raises(LabelError, match=r"ground truth 'masks'[\s\S]*4 frames of 1 video[\s\S]*--ground-truth frames"):
        open_videoset(official, partial=True, labels=[tmp_path / "list.npy"])
    chosen = open_videoset(official, partial=True, labels=[tmp_path / "list.npy"], ground_truth="frames")
    assert labels_of(chosen) == BY_LISTS


def test_where_only_the_other_ground_truth_lies_nobody_chooses_silently(both):
    (both / "frame_labels_avenue.npy").rename(both.parent / "aside.npy")
    with pytest.raises(LabelError, match=r"frame_labels_avenue\.npy[\s\S]*--ground-truth masks"):
        open_videoset(both, partial=True, ground_truth="frames")

    (both.parent / "aside.npy").rename(both / "frame_labels_avenue.npy")
    for file in (both / "ground_truth_demo/testing_label_mask").iterdir():
        file.unlink()
    with pytest.raises(LabelError, match=r"441 of 15324[\s\S]*--ground-truth frames"):
        open_videoset(both, partial=True)


def test_lists_that_contradict_each_other_are_a_conflict(both):
    np.save(both / "gt_mine.npy", np.concatenate(BY_MASKS))

    with pytest.raises(LabelError, match="label sources contradict each other"):
        open_videoset(both, partial=True, ground_truth="frames")


def test_another_set_has_no_choice_of_ground_truths(tmp_path, make_video):
    gate = make_video(tmp_path / "gate.avi", frames=6)

    with pytest.raises(SettingsError, match="only Avenue"):
        open_videoset(gate, ground_truth="frames")


def test_a_misspelt_ground_truth_is_answered_with_the_right_ones(official):
    with pytest.raises(SettingsError, match=r"masks or frames[\s\S]*did you mean frames"):
        open_videoset(official, ground_truth="frame")


def test_part_of_the_set_is_refused_with_what_is_missing_and_how_to_go_on(official):
    (official / "ground_truth_demo/testing_label_mask/2_label.mat").unlink()

    with pytest.raises(IncompleteSetError) as refused:
        open_videoset(official)

    message = str(refused.value)
    assert "training videos 2-16 (1 of 16 are here)" in message
    assert "test videos 3-21 (2 of 21 are here)" in message
    assert "the pixel masks of test videos 02" in message
    assert "--partial" in message


def test_part_of_the_set_says_so_wherever_it_goes(official):
    videos = open_videoset(official, partial=True)

    assert videos.missing[:2] == ("training videos 2-16 (1 of 16 are here)", "test videos 3-21 (2 of 21 are here)")
    assert videos.described(official).missing == videos.missing
    assert any("only part of the set was there" in note for note in videos.notes)
    assert not check(official).ok
    assert check(DataSource(paths=(official,), partial=True)).ok


def test_masks_of_a_video_that_is_not_there_are_noted(official):
    save_masks(official / "ground_truth_demo/testing_label_mask/9_label.mat", [1, 0])

    assert "masks of no test video that is here: 9_label.mat" in open_videoset(official, partial=True).notes


def test_masks_elsewhere_are_taken_from_where_they_are_said_to_be(official, tmp_path):
    (official / "ground_truth_demo").rename(tmp_path / "masks")

    assert labels_of(open_videoset(official, partial=True, masks=tmp_path / "masks")) == BY_MASKS
    with pytest.raises(MissingPathError):
        open_videoset(official, partial=True, masks=official / "training_videos")


def test_masks_of_another_size_and_number_are_refused_by_name(official):
    file = official / "ground_truth_demo/testing_label_mask/1_label.mat"
    save_masks(file, BY_MASKS[0], size=(24, 32))
    with pytest.raises(FrameSizeError, match=r"1_label\.mat[\s\S]*32x24[\s\S]*64x48"):
        open_videoset(official, partial=True)

    save_masks(file, BY_MASKS[0][:5])
    with pytest.raises(LabelError, match=r"1_label\.mat[\s\S]*5 masks[\s\S]*6, one a frame"):
        open_videoset(official, partial=True)


@pytest.fixture
def real(shared_data) -> tuple[LabelSource, LabelSource]:
    """What the masks and the list say of all 21 test videos."""
    folder = shared_data / "labels/avenue"
    names = [f"{number:02}" for number in range(1, 22)]
    with np.load(folder / "gt_label.npz") as masks:  # made of the masks, frame by frame
        by_masks = LabelSource("masks", tuple(masks[name].astype(bool) for name in names))
    return by_masks, read_label_file(folder / "frame_labels_avenue.npy", "list", names, tuple(AVENUE_TEST.values()))


def test_the_two_ground_truths_differ_on_441_frames_in_15_videos(real):
    names = [f"{number:02}" for number in range(1, 22)]
    found = differences(*real, names)

    assert [source.abnormal_frames for source in real] == [ABNORMAL_FRAMES["masks"], ABNORMAL_FRAMES["frames"]]
    assert sum(len(one.frames) for one in found) == 441
    assert {
        (int(one.video), one.abnormal[0], frame + 1) for one in found for frame in one.frames
    } == {
        (video, source, frame)
        for video, sides in DIFFERING.items()
        for source, spans in zip(("masks", "list"), sides, strict=True)
        for first, _, last in (span.partition("-") for span in spans.split())
        for frame in range(int(first), int(last or first) + 1)
    }  # fmt: skip


@pytest.mark.parametrize(("ground_truth", "abnormal"), [("masks", [36, 53]), ("frames", [10, 53])])
def test_the_real_video_8_is_abnormal_throughout_by_its_masks_and_on_ten_frames_by_the_list(
    shared_data, tmp_path, ground_truth, abnormal
):
    for number in ("08", "21"):
        video = shared_data / f"avenue_videos/testing_{number}.avi"
        (tmp_path / "testing_videos").mkdir(exist_ok=True)
        (tmp_path / f"testing_videos/{number}.avi").symlink_to(video)
    (tmp_path / "testing_label_mask").symlink_to(shared_data / "labels/avenue/testing_label_mask")
    (tmp_path / "frame_labels_avenue.npy").symlink_to(shared_data / "labels/avenue/frame_labels_avenue.npy")

    videos = open_videoset(tmp_path, partial=True, ground_truth=ground_truth)

    assert [one.video.frame_count for one in videos.test] == [36, 76]
    assert [int(one.labels.sum()) for one in videos.test] == abnormal
    assert videos.test[0].video.size == (360, 640)
    assert videos.test[0].masks.read(0).any()
