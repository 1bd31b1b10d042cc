from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.data.check import check
from oddframe.data.open import open_videoset
from oddframe.data.videoset import LabelledSpan, VideoSet, read_mask
from oddframe.errors import FrameSizeError, LabelError, MissingPathError, SettingsError


@pytest.fixture
def camera(tmp_path, make_video, make_frame_folder) -> Path:
    """Two scenes, files and frame folders, 20 frames each at 12.5 fps."""
    root = tmp_path / "gate-camera"
    make_video(root / "normal/gate/monday.mp4", frames=20, size=(16, 32))
    make_video(root / "normal/gate/tuesday.avi", frames=20, size=(16, 32))
    make_frame_folder(root / "normal/yard/frames01", frames=20, size=(16, 32))
    make_video(root / "abnormal/gate/fall.mp4", frames=20, size=(16, 32))
    make_video(root / "test/gate/friday.mp4", frames=20, size=(16, 32))
    make_frame_folder(root / "test/yard/frames02", frames=20, size=(16, 32))
    return root


def draw_mask(path: Path, *, odd: bool = True, size: tuple[int, int] = (16, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    mask[:2, :5] = 255 * odd
    cv2.imwrite(str(path), mask)


def marked(videos: VideoSet) -> dict[str, list[int] | None]:
    """Name -> abnormal frames, of the test videos."""
    return {one.name: None if one.labels is None else np.flatnonzero(one.labels).tolist() for one in videos.test}


def test_sub_folders_are_scenes_and_folders_of_pictures_are_videos(camera):
    videos = open_videoset(camera)

    assert (videos.kind, videos.name) == ("folder", "gate-camera")
    assert [(one.name, one.scene) for one in videos.normal] == [
        ("gate/monday", "gate"),
        ("gate/tuesday", "gate"),
        ("yard/frames01", "yard"),
    ]
    assert [one.name for one in videos.known] == ["gate/fall"]
    assert [one.name for one in videos.test] == ["gate/friday", "yard/frames02"]


def test_videos_need_no_scene(tmp_path, make_video, make_frame_folder):
    make_video(tmp_path / "set/normal/a.mp4", frames=3)
    make_frame_folder(tmp_path / "set/test", frames=3)

    videos = open_videoset(tmp_path / "set")

    assert [(one.name, one.scene) for one in (*videos.normal, *videos.test)] == [("a", ""), ("test", "")]


def test_without_labels_known_videos_are_odd_throughout_and_nothing_is_known_of_the_test(camera):
    videos = open_videoset(camera)

    assert [one.labels.any() for one in videos.normal] == [False] * 3
    assert videos.known[0].labels.all()
    assert videos.known[0].classes == (LabelledSpan(0, 20, None),)
    assert marked(videos) == {"gate/friday": None, "yard/frames02": None}


def test_labels_count_frames_or_seconds_and_their_end_is_exclusive(camera):
    (camera / "labels.csv").write_text(
        "video,start,end,class\ngate/friday.mp4,00:00.8,00:01.2,run\nfriday,3,5,\nfall,10,20,fall\n"
    )

    videos = open_videoset(camera)

    assert marked(videos) == {"gate/friday": [3, 4, 10, 11, 12, 13, 14], "yard/frames02": []}
    assert videos.test[0].classes == (LabelledSpan(3, 5, None), LabelledSpan(10, 15, "run"))
    assert np.flatnonzero(videos.known[0].labels).tolist() == list(range(10, 20))
    assert videos.label_sources == ("labels.csv",)
    assert videos.abnormal_frames == {"labels.csv": 17}


@pytest.mark.parametrize(
    "call", ["friday", "friday.mp4", "gate/friday", "gate/friday.mp4", "test/gate/friday", "gate\\friday"]
)
def test_a_video_may_be_called_with_or_without_ending_scene_and_part(camera, call):
    (camera / "labels.csv").write_text(f"{call},3,5\n")

    assert marked(open_videoset(camera))["gate/friday"] == [3, 4]


def test_a_table_may_have_semicolons_other_columns_and_a_byte_order_mark(camera):
    (camera / "labels.csv").write_bytes("\ufeffClass;Video;End;Start;remark\nrun;friday;5;3;by day\n".encode())

    videos = open_videoset(camera)

    assert videos.test[0].classes == (LabelledSpan(3, 5, "run"),)
    assert videos.notes == ("labels.csv: columns that mean nothing here and are not read: remark",)


@pytest.mark.parametrize("called", ["kind", "Type", "label", "anomaly class", "clas"])
def test_classes_under_another_name_are_not_passed_over(camera, called):
    (camera / "labels.csv").write_text(f"video,start,end,{called}\nfriday,3,5,run\n")

    with pytest.raises(LabelError, match=rf"line 1[\s\S]*call the column class instead of {called.lower()}"):
        open_videoset(camera)


@pytest.mark.parametrize(
    ("header", "words"),
    [("video,start,end,end", "two columns are called end"), ("video,,start,end", "a column has no name")],
)
def test_a_table_whose_columns_cannot_be_told_apart_is_refused(camera, header, words):
    (camera / "labels.csv").write_text(f"{header}\nfriday,3,5,\n")

    with pytest.raises(LabelError, match=words):
        open_videoset(camera)


def test_a_cell_behind_the_last_named_column_is_not_passed_over(camera):
    (camera / "labels.csv").write_text("video,start,end,\nfriday,3,5,run\n")

    with pytest.raises(LabelError, match="no label"):
        open_videoset(camera)


def test_the_full_name_wins_over_the_short_one(camera, make_video):
    make_video(camera / "test/friday.mp4", frames=20, size=(16, 32))
    (camera / "labels.csv").write_text("friday,3,5\ngate/friday,0,1\n")

    assert marked(open_videoset(camera)) == {"friday": [3, 4], "gate/friday": [0], "yard/frames02": []}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("saturday,3,5", "no video is called 'saturday'"),
        ("fridya,3,5", "did you mean gate/friday"),
        ("friday,3", "no label"),
        ("friday,,5", "no label"),
        ("friday,3,5,run,again", "no label"),
        ("friday,soon,5", "no place in a video"),
        ("friday,5,5", "holds no frame"),
        ("friday,7,5", "holds no frame"),
        ("friday,20,21", "start lies behind the end"),
        ("friday,3,21", "end lies behind the end"),
        ("friday,00:01,00:09", "end lies behind the end"),
        ("frames02,00:01,00:02", "--fps"),
    ],
)
def test_a_line_that_does_not_fit_is_named(camera, line, message):
    (camera / "labels.csv").write_text(f"video,start,end,class\nfriday,0,1\n{line}\n")

    with pytest.raises(LabelError, match=message) as caught:
        open_videoset(camera)
    assert "labels.csv, line 3" in str(caught.value)


def test_an_ambiguous_name_is_refused_with_all_that_it_fits(camera, make_video):
    make_video(camera / "test/yard/friday.mp4", frames=5, size=(16, 32))
    (camera / "labels.csv").write_text("friday,0,1\n")

    with pytest.raises(LabelError, match=r"several videos[\s\S]*test/gate/friday, test/yard/friday"):
        open_videoset(camera)


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("video,begin,end", "start instead of begin"),
        ("file,from,to", "video instead of file"),
        ("video;from;to", "start instead of from"),
        ("Clip,Start,Stop,Kind", "video instead of clip"),
        ("camera,start,end", "video"),
    ],
)
def test_a_table_without_a_needed_column_is_refused_by_its_first_line(camera, header, missing):
    (camera / "labels.csv").write_text(f"{header}\nfriday,0,1\n")

    column = missing.split()[0]
    with pytest.raises(LabelError, match=rf"no column {column}[\s\S]*line 1[\s\S]*{missing}[\s\S]*leave out the line"):
        open_videoset(camera)


def test_a_table_may_begin_with_a_video_in_which_nothing_is_odd(camera):
    (camera / "labels.csv").write_text("friday,,\n")

    assert open_videoset(camera).abnormal_frames == {"labels.csv": 0}


def test_a_table_that_is_no_text_is_refused(camera):
    (camera / "labels.csv").write_bytes(b"\xff\xfe\x00v")

    with pytest.raises(LabelError, match="UTF-8"):
        open_videoset(camera)


def test_times_label_a_folder_of_frames_if_its_rate_is_given(camera):
    (camera / "labels.csv").write_text("frames02,00:01,00:01.5\n")

    assert marked(open_videoset(camera, fps=10))["yard/frames02"] == [10, 11, 12, 13, 14]


def test_marked_frames_of_normal_videos_are_not_normal_and_this_is_noted(camera):
    (camera / "labels.csv").write_text("monday,3,5\n")

    videos = open_videoset(camera)

    assert np.flatnonzero(videos.normal[0].labels).tolist() == [3, 4]
    assert "normal/gate/monday" in " ".join(videos.notes)


def test_masks_go_by_the_number_of_their_frame(camera):
    (camera / "labels.csv").write_text("friday,3,5\n")
    draw_mask(camera / "masks/gate/friday/000003.png")

    masks = open_videoset(camera).test[0].masks

    assert masks.read(3).sum() == 10
    assert masks.read(4) is None


def test_masks_are_the_labels_where_there_is_no_table(camera):
    draw_mask(camera / "masks/friday/frame_3.png")
    draw_mask(camera / "masks/friday/frame_4.png", odd=False)

    videos = open_videoset(camera)

    assert marked(videos) == {"gate/friday": [3], "yard/frames02": None}
    assert videos.abnormal_frames == {"masks": 1}


def test_masks_that_say_more_than_the_table_are_noted_by_check(camera):
    (camera / "labels.csv").write_text("friday,3,5\n")
    for frame in (4, 5, 6):
        draw_mask(camera / f"masks/friday/{frame}.png")

    report = check(camera)

    assert report.ok
    assert "test/gate/friday, frames 5-6" in " ".join(report.notes)


def test_masks_without_a_row_are_noted(camera):
    (camera / "labels.csv").write_text("test/yard/frames02,3,5\n")
    draw_mask(camera / "masks/friday/4.png")

    assert "masks but no row" in " ".join(open_videoset(camera).notes)


@pytest.mark.parametrize(
    ("name", "message"),
    [("friday/20.png", "frame 20"), ("friday/odd.png", "without a number"), ("sunday/1.png", "sunday")],
)
def test_masks_of_nothing_are_refused(camera, name, message):
    draw_mask(camera / "masks" / name)

    with pytest.raises(LabelError, match=message):
        open_videoset(camera)


def test_two_masks_for_one_frame_are_refused(camera):
    draw_mask(camera / "masks/friday/4.png")
    draw_mask(camera / "masks/friday/004.png")

    with pytest.raises(LabelError, match="two masks"):
        open_videoset(camera)


def test_a_mask_of_another_size_or_no_picture_is_named(camera):
    (camera / "labels.csv").write_text("friday,3,5\n")
    draw_mask(camera / "masks/friday/3.png", size=(4, 4))
    (camera / "masks/friday/4.png").write_bytes(b"no picture")
    masks = open_videoset(camera).test[0].masks

    with pytest.raises(FrameSizeError, match=r"4x4[\s\S]*32x16"):
        masks.read(3)
    with pytest.raises(LabelError, match=r"4\.png"):
        masks.read(4)


@pytest.mark.parametrize(("suffix", "filling"), [(".png", 0), (".png", 1), (".jpg", 0), (".jpg", 1), (".bmp", 0)])
def test_a_mask_of_which_half_is_lost_is_no_mask(tmp_path, suffix, filling):
    """Whether the file ends there, or holds zeros from there on, as after a copy that broke off."""
    mask = tmp_path / f"3{suffix}"
    cv2.imwrite(str(mask), np.random.default_rng(0).integers(0, 2, (240, 320), np.uint8) * 255)
    whole = mask.read_bytes()
    assert read_mask(mask).any()

    mask.write_bytes(whole[: len(whole) // 2] + bytes(filling * (len(whole) // 2)))

    with pytest.raises(LabelError, match=rf"does not decode[\s\S]*3\{suffix}"):
        read_mask(mask)


def test_a_second_table_is_compared_with_the_first(camera, tmp_path):
    (camera / "labels.csv").write_text("friday,3,5\n")
    other = tmp_path / "other.csv"
    other.write_text("friday,3,6\n")

    with pytest.raises(LabelError, match=r"test/gate/friday, frames 5 "):
        open_videoset(camera, labels=[other])
    assert len(open_videoset(camera, labels=[other], on_conflict="note").conflicts) == 1


def test_videos_that_differ_only_in_their_ending_have_names_of_their_own(camera, make_video):
    make_video(camera / "test/gate/friday.avi", frames=5, size=(16, 32))

    assert [one.name for one in open_videoset(camera).test][:2] == ["gate/friday.avi", "gate/friday.mp4"]


def test_what_is_no_video_is_passed_over_with_a_note(camera):
    (camera / "normal/gate/readme.txt").write_text("by the gate")
    (camera / "normal/.DS_Store").write_text("")

    assert list(open_videoset(camera).notes) == ["in normal/gate/ no video and passed over: readme.txt"]


def test_empty_parts_are_missing(tmp_path):
    (tmp_path / "set/normal").mkdir(parents=True)

    with pytest.raises(MissingPathError, match="no video in this folder"):
        open_videoset(tmp_path / "set")


def test_the_fingerprint_changes_with_labels_and_videos_only(camera, make_video):
    first = open_videoset(camera).fingerprint()
    assert open_videoset(camera).fingerprint() == first

    (camera / "labels.csv").write_text("friday,3,5\n")
    second = open_videoset(camera).fingerprint()
    make_video(camera / "normal/gate/sunday.mp4", frames=5, size=(16, 32))
    third = open_videoset(camera).fingerprint()

    assert len({first, second, third}) == 3


def test_plain_files_and_folders_of_frames_are_normal_video(tmp_path, make_video, make_frame_folder):
    paths = [make_video(tmp_path / "a/gate.mp4", frames=10), make_frame_folder(tmp_path / "b/gate", frames=6)]

    one, both = open_videoset(paths[0]), open_videoset(paths)

    assert (one.kind, one.name, one.root, [video.name for video in one.normal]) == ("files", "gate", None, ["gate"])
    assert len({video.name for video in both.normal}) == 2
    assert (both.known, both.test) == ((), ())


def test_a_range_of_a_plain_file_is_normal_video_and_its_labels_move_along(tmp_path, make_video):
    path = make_video(tmp_path / "gate.mp4", frames=20)
    (tmp_path / "odd.csv").write_text("gate,8,12\n")

    video = open_videoset(path, start="10", end="15", labels=[tmp_path / "odd.csv"]).normal[0]

    assert (video.video.first_index, len(video.labels)) == (10, 5)
    assert np.flatnonzero(video.labels).tolist() == [0, 1]


def test_a_range_of_a_set_is_refused(camera):
    with pytest.raises(SettingsError, match="plain video files"):
        open_videoset(camera, start="10")


def test_what_is_no_set_says_what_was_looked_for(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/a.txt").touch()

    with pytest.raises(MissingPathError, match=r"a\.txt[\s\S]*normal/"):
        open_videoset(tmp_path / "clips")
    with pytest.raises(MissingPathError):
        open_videoset(tmp_path / "nowhere")
    with pytest.raises(MissingPathError):
        open_videoset([])


def test_an_unknown_kind_names_the_nearest(camera):
    with pytest.raises(SettingsError, match="did you mean folder"):
        open_videoset(camera, "folders")


def test_check_tells_the_same_in_words_and_as_json(camera):
    (camera / "labels.csv").write_text("friday,3,5\n")

    report = check(camera)

    told = json.loads(json.dumps(report.as_dict()))
    assert (told["ok"], told["kind"], told["parts"]["test"]["frames"]) == (True, "folder", 40)
    assert "normal:  3 videos, 60 frames" in str(report)
    assert "labels.csv calls 2 frames abnormal" in str(report)
    assert "2 scenes (gate, yard)" in str(report)


# What labels.csv says of the test ----------------------------------------------------------------------------------


def test_a_table_that_names_no_test_video_leaves_the_test_without_labels(camera):
    (camera / "labels.csv").write_text("video,start,end\nfall,2,4\n")

    videos = open_videoset(camera)

    assert [one.labels for one in videos.test] == [None, None]
    assert "labels.csv names no test video" in " ".join(videos.notes)
    assert "2 without labels" in str(check(camera))


def test_a_line_with_a_name_alone_says_that_nothing_is_odd(camera):
    (camera / "labels.csv").write_text("video,start,end\ngate/friday,,\n")

    assert marked(open_videoset(camera)) == {"gate/friday": [], "yard/frames02": []}


def test_masks_as_jpeg_are_white_where_they_are_nearer_to_white(tmp_path):
    drawn = np.zeros((48, 64), np.uint8)
    drawn[8:24, 8:24] = 255
    assert cv2.imwrite(str(tmp_path / "mask.jpg"), drawn, [cv2.IMWRITE_JPEG_QUALITY, 50])

    assert np.array_equal(read_mask(tmp_path / "mask.jpg"), drawn > 0)


def test_the_fingerprint_sees_masks_classes_and_pictures(camera, make_video):
    def changed() -> str:
        return open_videoset(camera).fingerprint()

    seen = [changed()]
    (camera / "labels.csv").write_text("video,start,end,class\ngate/friday,3,5,run\n")
    seen.append(changed())
    (camera / "labels.csv").write_text("video,start,end,class\ngate/friday,3,5,walk\n")
    seen.append(changed())
    mask = camera / "masks/gate/friday/3.png"
    mask.parent.mkdir(parents=True)
    for left in (0, 8):
        drawn = np.zeros((48, 64), np.uint8)
        drawn[:8, left : left + 8] = 255
        assert cv2.imwrite(str(mask), drawn)
        seen.append(changed())
    video = next(one.video for one in open_videoset(camera).normal if one.video.path.is_file())
    make_video(video.path, video.frame_count, pictures=lambda _: np.full((48, 64, 3), 90, np.uint8))
    seen.append(changed())

    assert len(set(seen)) == len(seen)


def test_a_set_is_one_short_line(camera):
    assert len(repr(open_videoset(camera))) < 100
    assert all(len(repr(one)) < 100 for one in open_videoset(camera).test)


@pytest.fixture
def as_peers(tmp_path, make_frame_folder) -> Path:
    """Two test videos of 10 and 12 frames, called so that natural order is not that of the alphabet."""
    root = tmp_path / "mycam"
    for name, frames in (("training/frames/01", 10), ("testing/frames/2", 10), ("testing/frames/10", 12)):
        make_frame_folder(root / name, frames=frames, suffix=".jpg")
    return root


FLAT = [0] * 6 + [1] * 4 + [1] * 7 + [0] * 5


@pytest.mark.parametrize("shape", [(22,), (1, 22)])
def test_own_video_in_the_layout_of_public_sets_takes_its_flat_labels_in_natural_order(as_peers, shape):
    np.save(as_peers / "frame_labels_mycam.npy", np.array(FLAT).reshape(shape))

    videos = open_videoset(as_peers)

    assert (videos.kind, len(videos.normal)) == ("folder", 1)
    assert marked(videos) == {"2": [6, 7, 8, 9], "10": [0, 1, 2, 3, 4, 5, 6]}
    assert "frame_labels_mycam.npy: labels of the 2 test videos in natural order (2, 10)" in videos.notes


def test_labels_from_elsewhere_are_called_the_same_from_wherever_they_are_named(as_peers, tmp_path, monkeypatch):
    """So that the judging does not repeat the training's note with another path, and no result tells of the disk."""
    for name in ("one/labels.npy", "two/labels.npy", "own.npy"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.save(tmp_path / name, np.array(FLAT))
    (as_peers / "labels.csv").write_text("video,start,end\n2,6,10\n10,0,7\n")
    monkeypatch.chdir(tmp_path)

    near = open_videoset(as_peers, labels=["one/labels.npy", "two/labels.npy", "own.npy"])
    far = open_videoset(
        as_peers, labels=[tmp_path / "one/labels.npy", tmp_path / "two/labels.npy", tmp_path / "own.npy"]
    )

    assert near.notes == far.notes
    assert sorted(near.label_sources) == ["labels.csv", "one/labels.npy", "own.npy", "two/labels.npy"]


def test_flat_labels_without_the_first_four_frames_of_each_video_are_known_by_their_length(as_peers, tmp_path):
    np.save(tmp_path / "dmad.npy", np.array(FLAT[4:10] + FLAT[14:])[None])

    videos = open_videoset(as_peers, labels=[tmp_path / "dmad.npy"])

    assert [one.labels.astype(int).tolist() for one in videos.test] == [FLAT[:10], FLAT[10:]]
    assert any("without the first 4 frames" in note for note in videos.notes)


def test_flat_labels_of_another_length_are_refused_with_the_lengths_that_fit(as_peers, tmp_path):
    np.save(tmp_path / "other.npy", np.zeros(21))

    with pytest.raises(LabelError, match=r"21 values[\s\S]*22, one a frame[\s\S]*4 fewer[\s\S]*video,start,end"):
        open_videoset(as_peers, labels=[tmp_path / "other.npy"])


def test_flat_labels_need_a_test_video(camera, tmp_path):
    shutil.rmtree(camera / "test")
    np.save(tmp_path / "flat.npy", np.zeros(21))

    with pytest.raises(LabelError, match="none is here"):
        open_videoset(camera, labels=[tmp_path / "flat.npy"])


def test_a_note_names_the_numbers_that_were_taken_for_dates_and_times(tmp_path, make_video):
    make_video(tmp_path / "set/normal/2026-11-28/06/01/a.mp4", frames=3)

    videos = open_videoset(tmp_path / "set")

    assert videos.normal[0].scene == ""
    assert any("are no scenes (01, 06, 2026-11-28)" in note and "cam01" in note for note in videos.notes)
