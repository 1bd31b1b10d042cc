"""ShanghaiTech Campus: its two layouts, its scenes, and label files that are not what they seem."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from oddframe.data.check import check
from oddframe.data.label_files import read_label_file, read_vector
from oddframe.data.open import open_videoset
from oddframe.data.protocols import split
from oddframe.errors import FrameSizeError, IncompleteSetError, LabelError

SIZE = (48, 64)
LABELS = {"01_0014": [0, 0, 1, 1, 0], "12_0142": [1, 0, 0, 0, 0, 0]}


@pytest.fixture
def official(tmp_path, make_video, make_frame_folder) -> Path:
    """Training videos of two scenes, two test videos of 5 and 6 frames with their labels."""
    root = tmp_path / "shanghaitech"
    for name in ("01_001", "13_007"):
        make_video(root / f"training/videos/{name}.avi", frames=8, size=SIZE)
    (root / "testing/test_frame_mask").mkdir(parents=True)
    for name, labels in LABELS.items():
        make_frame_folder(root / "testing/frames" / name, frames=len(labels), suffix=".jpg", grey=False)
        np.save(root / f"testing/test_frame_mask/{name}.npy", np.array(labels, np.uint8))
    return root


def save_pixel_masks(root: Path, name: str, labels: list[int], size: tuple[int, int] = SIZE) -> None:
    masks = np.zeros((len(labels), *size), np.uint8)
    masks[:, 4:8, 10:13] = np.array(labels)[:, None, None]
    (root / "testing/test_pixel_mask").mkdir(exist_ok=True)
    np.save(root / f"testing/test_pixel_mask/{name}.npy", masks)


def labels_of(videos) -> dict[str, list[int]]:
    return {one.name: one.labels.astype(int).tolist() for one in videos.test}


def test_the_official_layout_is_found_with_its_labels(official):
    videos = open_videoset(official.parent, partial=True)

    assert videos.kind == "shanghaitech"
    assert [one.name for one in videos.normal] == ["01_001", "13_007"]
    assert labels_of(videos) == LABELS
    assert videos.label_sources == ("testing/test_frame_mask",)


def test_the_community_layout_has_folders_of_frames_on_both_sides(official, make_frame_folder):
    shutil.rmtree(official / "training/videos")
    shutil.rmtree(official / "testing/test_frame_mask")
    make_frame_folder(official / "training/frames/01_001", frames=8, suffix=".jpg")
    np.save(official / "frame_labels_shanghai.npy", np.concatenate(list(LABELS.values())))

    videos = open_videoset(official, partial=True)

    assert (videos.kind, [one.name for one in videos.normal]) == ("shanghaitech", ["01_001"])
    assert labels_of(videos) == LABELS


def test_the_camera_is_the_scene_and_each_scene_is_held_out_from(official):
    videos = open_videoset(official, partial=True)

    assert [one.scene for one in (*videos.normal, *videos.test)] == ["01", "13", "01", "12"]
    assert {section.video.scene for section in split(videos).heldout} == {"01", "13"}


def test_pixel_masks_say_where_and_are_compared_with_the_labels_by_the_check(official):
    save_pixel_masks(official, "01_0014", [0, 1, 1, 1, 0])

    masks = open_videoset(official, partial=True).test[0].masks
    assert masks.read(2).sum() == 12
    assert masks.read(2)[4:8, 10:13].all()
    assert not masks.read(0).any()
    assert any("video 01_0014, frames 1 " in note for note in check(official).notes)


def test_pixel_masks_of_another_size_or_number_are_refused_by_name(official):
    save_pixel_masks(official, "01_0014", LABELS["01_0014"], size=(24, 32))
    with pytest.raises(FrameSizeError, match=r"01_0014\.npy[\s\S]*32x24[\s\S]*64x48"):
        open_videoset(official, partial=True)

    save_pixel_masks(official, "01_0014", [0, 1])
    with pytest.raises(LabelError, match=r"01_0014\.npy[\s\S]*2 masks[\s\S]*5, one a frame"):
        open_videoset(official, partial=True)


class Trap:
    """What must not happen when a label file is read."""

    def __reduce__(self):
        return (pytest.fail, ("a label file was unpickled",))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickled_label_file_is_never_unpickled_and_the_way_out_is_named(official, wrapped):
    file = official / "testing/test_frame_mask/01_0014.npy"
    if wrapped:
        np.save(file, np.array([Trap()] * 5), allow_pickle=True)
    else:
        file.write_bytes(pickle.dumps(Trap()))

    with pytest.raises(LabelError, match=r"pickle[\s\S]*01_0014\.npy[\s\S]*--labels"):
        open_videoset(official, partial=True)


def test_labels_for_the_whole_set_stand_in_for_a_file_that_was_taken_out(official, tmp_path):
    (official / "testing/test_frame_mask/01_0014.npy").unlink()
    np.save(tmp_path / "all.npy", np.concatenate(list(LABELS.values())))

    with pytest.raises(IncompleteSetError, match="labels of test videos 01_0014"):
        open_videoset(official)
    assert labels_of(open_videoset(official, partial=True, labels=[tmp_path / "all.npy"])) == LABELS


def test_a_video_with_labels_and_without_frames_is_named(official):
    shutil.rmtree(official / "testing/frames/12_0142")

    with pytest.raises(
        IncompleteSetError,
        match=r"training videos \(2 of 330 are here\)[\s\S]*test videos 12_0142 \(1 of 107 are here\)",
    ):
        open_videoset(official)
    assert list(labels_of(open_videoset(official, partial=True))) == ["01_0014"]


def test_labels_for_the_whole_set_serve_a_part_of_it_where_lengths_are_known(official):
    shutil.rmtree(official / "testing/frames/01_0014")
    np.save(official / "frame_labels_shanghai.npy", np.concatenate(list(LABELS.values())))

    videos = open_videoset(official, partial=True)

    assert videos.abnormal_frames == {"testing/test_frame_mask": 1, "frame_labels_shanghai.npy": 1}


@pytest.mark.parametrize("labels", [[0, 1], [0] * 7])
def test_another_number_of_labels_than_of_frames_is_refused_by_name(official, labels):
    np.save(official / "testing/test_frame_mask/01_0014.npy", np.array(labels))

    with pytest.raises(LabelError, match=rf"01_0014\.npy[\s\S]*{len(labels)} labels, 5 frames"):
        open_videoset(official, partial=True)


def test_the_real_label_files_agree_and_lie_in_twelve_scenes(shared_data):
    folder = shared_data / "labels/shanghaitech"
    vectors = {file.stem: read_vector(file) for file in sorted((folder / "test_frame_mask").glob("*.npy"))}

    listed = read_label_file(
        folder / "frame_labels_shanghai.npy", "list", list(vectors), [len(vector) for vector in vectors.values()]
    )

    assert (len(vectors), sum(map(len, vectors.values())), listed.abnormal_frames) == (107, 40791, 17326)
    assert all((one == other).all() for one, other in zip(listed.labels, vectors.values(), strict=True))
    assert len({name[:2] for name in vectors}) == 12
