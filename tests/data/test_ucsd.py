from __future__ import annotations

import functools
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.data import open as data
from oddframe.data.check import check
from oddframe.data.known_counts import AVENUE_TEST, SHANGHAITECH_TEST, UCSD_TEST, UCSD_TRAINING
from oddframe.data.label_files import read_label_file
from oddframe.data.source import DataSource
from oddframe.errors import (
    DataError,
    FrameGapError,
    FrameSizeError,
    IncompleteSetError,
    LabelError,
    MissingPathError,
    SettingsError,
)

open_videoset = functools.partial(data.open_videoset, partial=True)  # the sets made here are small

M_FILE = """TestVideoFile = {};
TestVideoFile{end+1}.gt_frame = [3:5];
TestVideoFile{end+1}.gt_frame = [1:2, 7];  % two spans
"""
LABELS = [[0, 0, 1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0, 1, 0]]


@pytest.fixture
def official(tmp_path, make_frame_folder) -> Path:
    """Two training videos of 10 frames, two test videos of 8, a label file and masks for the second."""
    root = tmp_path / "UCSDped2"
    for name in ("Train/Train001", "Train/Train002"):
        make_frame_folder(root / name, frames=10, suffix=".tif", first=1)
    for name in ("Test/Test001", "Test/Test002"):
        make_frame_folder(root / name, frames=8, suffix=".tif", first=1)
    (root / "Test" / "UCSDped2.m").write_text(M_FILE)
    draw_masks(root / "Test" / "Test002_gt", LABELS[1])
    return root


@pytest.fixture
def community(tmp_path, make_frame_folder) -> Path:
    root = tmp_path / "ped2"
    make_frame_folder(root / "training/frames/01", frames=10, suffix=".jpg")
    for name in ("01", "02"):
        make_frame_folder(root / "testing/frames" / name, frames=8, suffix=".jpg")
    return root


def draw_masks(folder: Path, labels: list[int], size: tuple[int, int] = (48, 64)) -> None:
    folder.mkdir(parents=True)
    for index, odd in enumerate(labels):
        mask = np.zeros(size, np.uint8)
        mask[:4, 6:9] = 255 * odd
        cv2.imwrite(str(folder / f"{index + 1:03}.bmp"), mask)


def labels_of(videos) -> list[list[int]]:
    return [one.labels.astype(int).tolist() for one in videos.test]


@pytest.mark.parametrize("up", [0, 1])
def test_the_official_layout_is_found_at_its_folder_and_from_above(official, up):
    videos = open_videoset(official if up == 0 else official.parent)

    assert (videos.kind, videos.name) == ("ucsd-ped2", "UCSDped2")
    assert [one.name for one in videos.normal] == ["Train001", "Train002"]
    assert [one.name for one in videos.test] == ["Test001", "Test002"]
    assert labels_of(videos) == LABELS
    assert videos.label_sources == ("Test/UCSDped2.m", "Test")
    assert videos.abnormal_frames == {"Test/UCSDped2.m": 6, "Test": 3}


def test_mask_k_belongs_to_frame_k_whatever_their_names(official):
    masks = open_videoset(official).test[1].masks

    assert masks.read(0).sum() == 12
    assert masks.read(0)[:4, 6:9].all()
    assert masks.read(2).sum() == 0
    assert open_videoset(official).test[0].masks is None


def test_normal_videos_are_normal_throughout(official):
    assert [one.labels.tolist() for one in open_videoset(official).normal] == [[False] * 10] * 2


def test_hidden_files_of_the_archive_are_no_frames(official):
    (official / "Test/Test001/._001.tif").write_bytes(b"resource fork")
    (official / "Test/._Test001").write_bytes(b"resource fork")

    assert open_videoset(official).test[0].video.frame_count == 8


def test_the_superseded_label_file_of_the_archive_is_not_read(official):
    (official / "Test" / "UCSDped2.m~").write_text(M_FILE.replace("3:5", "3:6"))

    assert open_videoset(official).conflicts == ()


def test_a_name_tells_ped1_from_ped2(official):
    root = official.rename(official.with_name("UCSDped1"))
    (root / "Test/UCSDped2.m").rename(root / "Test/UCSDped1.m")

    assert open_videoset(root).kind == "ucsd-ped1"
    with pytest.raises(MissingPathError):
        open_videoset(root, "ucsd-ped2")


def test_two_sets_below_one_folder_need_a_kind(official):
    shutil.copytree(official, official.with_name("UCSDped1"))

    with pytest.raises(SettingsError, match="--kind"):
        open_videoset(official.parent)
    assert open_videoset(official.parent, "ucsd-ped2").root == official


@pytest.mark.parametrize("shape", [(16,), (1, 16)])
@pytest.mark.parametrize("kind", [np.int64, np.float64, np.uint8])
def test_npy_labels_are_one_value_a_frame_for_all_videos(community, shape, kind):
    np.save(community / "frame_labels_ped2.npy", np.array(LABELS, kind).reshape(shape))

    assert labels_of(open_videoset(community)) == LABELS


def test_mat_labels_are_first_and_last_frames_counted_from_one(community):
    savemat = pytest.importorskip("scipy.io").savemat
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.array([[3], [5]]), np.array([[1, 7], [2, 7]])
    savemat(community / "ped2.mat", {"gt": cells})

    assert labels_of(open_videoset(community)) == LABELS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([np.array([[np.nan], [5.0]]), np.zeros((0, 0))], "whole numbers"),
        ([np.array([[1e300], [1e300]]), np.zeros((0, 0))], "within 1-8"),
        ([np.array([[2.5], [5.0]]), np.zeros((0, 0))], "whole numbers"),
        ([np.array([[1], [2], [3]]), np.zeros((0, 0))], "not 2xK"),
        ([np.array("text"), np.zeros((0, 0))], "damaged or of another form"),
    ],
)
def test_mat_labels_that_are_no_frame_numbers_are_one_clear_error(community, content, message):
    savemat = pytest.importorskip("scipy.io").savemat
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = content
    savemat(community / "ped2.mat", {"gt": cells})

    with pytest.raises(LabelError, match=message):
        open_videoset(community)


@pytest.mark.parametrize("name", ["ped2.mat", "frame_labels_ped2.npy", "UCSDped2.m"])
def test_a_label_file_with_any_byte_changed_or_cut_anywhere_is_read_or_refused(community, tmp_path, name):
    write = {
        "ped2.mat": lambda path: pytest.importorskip("scipy.io").savemat(
            path, {"gt": np.array([np.array([[3], [5]]), np.array([[1, 7], [2, 7]]), None], object)[None, :2]}
        ),
        "frame_labels_ped2.npy": lambda path: np.save(path, np.array(LABELS, np.uint8).reshape(-1)),
        "UCSDped2.m": lambda path: path.write_text(M_FILE),
    }
    write[name](tmp_path / name)
    raw, refused = (tmp_path / name).read_bytes(), 0

    for place in range(0, len(raw), 3):
        for damaged in (raw[:place] + b"\xff" + raw[place + 1 :], raw[:place]):
            (tmp_path / name).write_bytes(damaged)
            try:
                read_label_file(tmp_path / name, name, ["01", "02"], [8, 8])
            except LabelError:
                refused += 1

    assert refused > 30


@pytest.mark.parametrize("declared", ["(1000000000000,)", "(-1,)", "(16, 99999999999999999999)", "((((", "(16,)\n\n"])
def test_npy_labels_are_not_taken_at_their_word(community, declared):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {declared}, }}".encode().ljust(117) + b"\n"
    (community / "frame_labels_ped2.npy").write_bytes(b"\x93NUMPY\x01\x00" + b"\x76\x00" + header + bytes(15))

    with pytest.raises(LabelError, match="damaged"):
        open_videoset(community)


def test_a_list_of_blanks_or_of_numbers_without_end_is_refused_at_once(community):
    for entry in (" " * 900_000 + "x", "9" * 900_000, "[" * 900_000, "1:" * 400_000):
        (community / "UCSDped2.m").write_text(M_FILE.replace("3:5", entry))
        with pytest.raises(LabelError) as caught:
            open_videoset(community)
        assert len(str(caught.value)) < 1000


def test_masks_alone_are_labels_too(community):
    for number, labels in enumerate(LABELS, 1):
        draw_masks(community / f"masks/Test{number:03}_gt", labels)

    videos = open_videoset(community)

    assert labels_of(videos) == LABELS
    assert videos.label_sources == ("masks",)


def test_masks_elsewhere_are_taken_from_where_they_are_said_to_be(community, tmp_path):
    draw_masks(tmp_path / "elsewhere/Test002_gt", LABELS[1])

    videos = open_videoset(community, masks=tmp_path / "elsewhere")

    assert videos.test[0].labels is None
    assert videos.test[1].labels.astype(int).tolist() == LABELS[1]


def test_without_labels_nothing_is_known_of_the_test_videos(community):
    videos = open_videoset(community)

    assert [one.labels for one in videos.test] == [None, None]
    assert "no label file" in videos.notes[0]


def test_contradicting_labels_are_an_error_that_names_video_and_frames(official, tmp_path):
    other = tmp_path / "other.m"
    other.write_text(M_FILE.replace("3:5", "3:7"))

    with pytest.raises(
        LabelError, match=r"Test001, frames 5-6 \(counted from 0\): abnormal by .*other\.m; normal by Test/UCSDped2\.m"
    ):
        open_videoset(official, labels=[other])
    noted = open_videoset(official, labels=[other], on_conflict="note")
    assert [(conflict.video, conflict.frames) for conflict in noted.conflicts] == [("Test001", (5, 6))]
    assert labels_of(noted) == LABELS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (M_FILE.replace("3:5", "3:9"), "within 1-8"),
        (M_FILE.replace("3:5", "0:5"), "within 1-8"),
        (M_FILE.replace("3:5", "5:3"), "within 1-8"),
        (M_FILE.replace("3:5", "3:five"), "first:last"),
        (M_FILE + "TestVideoFile{end+1}.gt_frame = [1:2];", "3 entries"),
        ("nothing of use", "no labels of a known form"),
    ],
)
def test_a_label_file_that_does_not_fit_is_named(community, text, message):
    (community / "UCSDped2.m").write_text(text)

    with pytest.raises(LabelError, match=message) as caught:
        open_videoset(community)
    assert "UCSDped2.m" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(12), r"12 values[\s\S]*16"),
        (np.full(16, 2), "0 or 1"),
        (np.zeros((2, 8)), "another form"),
        (np.array([None] * 16), "cannot be read"),
        (np.array(["a"] * 16), "another form"),
    ],
)
def test_npy_labels_that_do_not_fit_are_refused_and_never_unpickled(community, values, message):
    np.save(community / "frame_labels_ped2.npy", values, allow_pickle=True)

    with pytest.raises(LabelError, match=message):
        open_videoset(community)


def test_a_mat_file_of_another_form_is_refused(community):
    pytest.importorskip("scipy.io").savemat(community / "ped2.mat", {"volLabel": np.zeros(3)})

    with pytest.raises(LabelError, match="cell gt"):
        open_videoset(community)


def test_too_few_masks_and_masks_of_another_size_are_refused(community):
    draw_masks(community / "masks/Test001_gt", LABELS[0][:7])
    with pytest.raises(LabelError, match=r"7 masks[\s\S]*8"):
        open_videoset(community)

    shutil.rmtree(community / "masks")
    draw_masks(community / "masks/Test001_gt", LABELS[0], size=(20, 30))
    with pytest.raises(FrameSizeError, match=r"30x20[\s\S]*64x48"):
        open_videoset(community)


def test_a_mask_folder_of_no_video_is_noted(community):
    draw_masks(community / "masks/Test009_gt", LABELS[0])

    assert "Test009_gt belongs to no test video" in " ".join(open_videoset(community).notes)


def test_a_broken_frame_is_named(official):
    (official / "Train/Train002/001.tif").write_bytes(b"")

    with pytest.raises(DataError, match=r"Train002.*001\.tif"):
        list(open_videoset(official).normal[1].video.frames())


def test_a_given_label_file_that_is_not_there_is_missing(official):
    with pytest.raises(MissingPathError):
        open_videoset(official, labels=[official / "none.npy"])
    with pytest.raises(MissingPathError):
        open_videoset(official, masks=official / "none")


@pytest.mark.slow
def test_ped2_is_what_is_known_of_it(ped2):
    videos = data.open_videoset(ped2)

    assert (videos.kind, len(videos.normal), len(videos.test), videos.known) == ("ucsd-ped2", 16, 12, ())
    assert sum(one.video.frame_count for one in videos.normal) == 2550
    assert [one.name for one in videos.test] == [f"{number:02}" for number in range(1, 13)]
    assert [one.video.frame_count for one in videos.test] == [
        180,
        180,
        150,
        180,
        150,
        180,
        180,
        180,
        120,
        150,
        180,
        180,
    ]
    assert [int(one.labels.sum()) for one in videos.test] == [120, 86, 146, 150, 129, 159, 135, 180, 120, 150, 180, 93]
    assert videos.abnormal_frames == dict.fromkeys(["UCSDped2.m", "frame_labels_ped2.npy", "ped2.mat", "masks"], 1648)
    assert {(one.video.size, one.video.channels) for one in (*videos.normal, *videos.test)} == {((240, 360), 1)}


@pytest.mark.slow
def test_the_older_label_file_of_ped2_differs_on_three_frames_of_video_6(ped2, shared_data):
    report = check(DataSource(paths=(ped2,), labels=(shared_data / "labels/ucsd-ped2/UCSDped2.m.older_backup",)))

    assert [(conflict.video, conflict.frames) for conflict in report.conflicts] == [("06", (159, 160, 161))]
    assert not report.ok


def test_the_real_ped1_label_files_agree(shared_data):
    from oddframe.data.labels import settle

    names = [f"Test{number:03}" for number in range(1, 37)]
    sources = [
        read_label_file(shared_data / "labels/ucsd-ped1" / file, file, names, [200] * 36)
        for file in ("UCSDped1.m", "frame_labels_ped1.npy")
    ]

    assert [source.abnormal_frames for source in sources] == [4045, 4045]
    assert settle(sources, names, "error")[1] == ()


def test_real_official_masks_are_read(shared_data):
    from oddframe.data.videoset import Masks

    folder = shared_data / "ped2_official_sample/UCSDped2/Test/Test001_gt"
    masks = Masks({58: folder / "059.bmp", 61: folder / "062.bmp"}, (240, 360))

    assert not masks.read(58).any()
    assert masks.read(61).any()
    assert masks.read(59) is None


def test_part_of_ped2_is_refused_with_what_is_missing_and_goes_on_if_told_to(official):
    with pytest.raises(
        IncompleteSetError, match=r"training videos 3-16 \(2 of 16[\s\S]*test videos 3-12[\s\S]*--partial"
    ):
        data.open_videoset(official)

    assert open_videoset(official).missing[:2] == (
        "training videos 3-16 (2 of 16 are here)",
        "test videos 3-12 (2 of 12 are here)",
    )


@pytest.fixture
def shortened(ped2, tmp_path) -> Path:
    """Ped2 with frames 100 to 104 of its test video 6 taken out, and those behind them renumbered."""
    root = tmp_path / "shortened_ped2"
    for side in ("training", "testing"):
        (root / side / "frames").mkdir(parents=True)
        for video in sorted((ped2 / side / "frames").iterdir()):
            if (side, video.name) != ("testing", "06"):
                (root / side / "frames" / video.name).symlink_to(video)
    (root / "testing/frames/06").mkdir()
    kept = [frame for frame in range(180) if not 100 <= frame < 105]
    for number, frame in enumerate(kept):
        (root / f"testing/frames/06/{number:03}.jpg").symlink_to(ped2 / f"testing/frames/06/{frame:03}.jpg")
    return root


@pytest.mark.parametrize("labels", ["UCSDped2.m", "ped2.mat"])
@pytest.mark.slow
def test_a_shortened_video_of_a_public_set_is_named_though_its_labels_still_fit(ped2, shortened, labels):
    (shortened / labels).symlink_to(ped2 / labels)
    said = "test video 06 has 175 frames, and was published with 180"

    with pytest.raises(IncompleteSetError, match=rf"{said}[\s\S]*download what is missing again") as refused:
        data.open_videoset(shortened)
    assert "folders of their own" not in str(refused.value)
    report = check(shortened)
    assert (report.ok, report.missing) == (False, (said,))
    partial = check(DataSource(paths=(shortened,), partial=True))
    assert partial.ok
    assert any(said in note for note in partial.notes)


def test_labels_that_do_not_fit_a_shortened_set_name_the_video(ped2, shortened):
    (shortened / "frame_labels_ped2.npy").symlink_to(ped2 / "frame_labels_ped2.npy")

    with pytest.raises(LabelError, match=r"2010 values[\s\S]*test video 06 has 175 frames[\s\S]*download"):
        check(shortened)


def test_a_gap_in_a_public_set_is_to_be_downloaded_not_cut_in_two(official):
    (official / "Test/Test001/004.tif").unlink()

    with pytest.raises(FrameGapError, match="no frame 4") as refused:
        open_videoset(official)
    assert "download this video of the set again" in str(refused.value)
    assert "folders of their own" not in str(refused.value)


def test_every_count_that_is_known_is_that_of_the_published_labels(shared_data):
    labels = shared_data / "labels"
    shanghai = {file.stem: len(np.load(file)) for file in (labels / "shanghaitech/test_frame_mask").glob("*.npy")}
    avenue = np.load(labels / "avenue/gt_label.npz")

    assert shanghai == SHANGHAITECH_TEST
    assert {int(name): len(avenue[name]) for name in avenue} == AVENUE_TEST
    assert sum(UCSD_TEST["ucsd-ped1"].values()) == len(np.load(labels / "ucsd-ped1/frame_labels_ped1.npy"))
    assert (sum(UCSD_TRAINING["ucsd-ped2"].values()), sum(UCSD_TEST["ucsd-ped2"].values())) == (2550, 2010)


def test_label_files_of_the_whole_set_serve_a_part_of_it(ped2, tmp_path):
    for side, names in (("training", ["01"]), ("testing", ["03", "12"])):
        (tmp_path / "ped2" / side / "frames").mkdir(parents=True)
        for name in names:
            (tmp_path / "ped2" / side / "frames" / name).symlink_to(ped2 / side / "frames" / name)
    for file in ("UCSDped2.m", "frame_labels_ped2.npy", "ped2.mat"):
        (tmp_path / "ped2" / file).symlink_to(ped2 / file)

    videos = open_videoset(tmp_path / "ped2")

    assert [int(one.labels.sum()) for one in videos.test] == [146, 93]
    assert len(videos.abnormal_frames) == 3
