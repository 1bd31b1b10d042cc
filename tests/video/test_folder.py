"""Folders of pictures and pages of TIFFs, as cameras and people leave them."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from oddframe.errors import CutOffVideoError, DataError, FrameGapError, UnreadableVideoError
from oddframe.video.open import open_video


def stack(path, pages):
    assert cv2.imwritemulti(str(path), list(pages))
    return path


def grey(level: int) -> np.ndarray:
    return np.full((8, 12), level, np.uint8)


def levels(video) -> list[int]:
    return [int(frame.pixels[0, 0, 0]) for frame in video.frames()]


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with the one EXIF tag that says how the camera was held."""
    exif = b"Exif\0\0" + struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def test_the_pages_of_one_tiff_are_frames(tmp_path):
    video = open_video(stack(tmp_path / "stack.tif", map(grey, range(20))), start="5")

    assert (video.name, video.frame_count, video.size) == ("stack", 15, (8, 12))
    assert levels(video) == list(range(5, 20))


def test_the_pages_of_several_tiffs_in_a_folder_follow_each_other(tmp_path):
    stack(tmp_path / "recording_2.tif", map(grey, range(3, 7)))
    stack(tmp_path / "recording_1.tif", map(grey, range(3)))
    cv2.imwrite(str(tmp_path / "recording_3.tif"), grey(7))

    assert levels(open_video(tmp_path)) == list(range(8))


def test_a_thumbnail_in_a_tiff_is_no_frame(tmp_path):
    path = stack(tmp_path / "a.tif", [grey(1), grey(2), grey(3)])
    whole = bytearray(path.read_bytes())
    first = struct.unpack_from("<I", whole, 4)[0]
    count = struct.unpack_from("<H", whole, first)[0]
    second = struct.unpack_from("<I", whole, first + 2 + 12 * count)[0]
    tags = {struct.unpack_from("<H", whole, second + 2 + 12 * one)[0]: second + 2 + 12 * one for one in range(count)}
    struct.pack_into("<HHII", whole, tags[254], 254, 4, 1, 1)  # NewSubfileType: a smaller copy
    path.write_bytes(whole)

    assert levels(open_video(path)) == [1, 3]


def test_a_tiff_of_one_page_alone_is_one_picture(tmp_path):
    cv2.imwrite(str(tmp_path / "a.tif"), grey(1))

    with pytest.raises(UnreadableVideoError, match="one picture"):
        open_video(tmp_path / "a.tif")


def test_a_stack_that_is_cut_off_gives_its_whole_pages_and_says_so(tmp_path):
    path = stack(tmp_path / "a.tif", map(grey, range(20)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    video, found = open_video(path), []

    with pytest.raises(CutOffVideoError, match=r"a\.tif ends after page \d+"):
        found.extend(int(frame.pixels[0, 0, 0]) for frame in video.frames())

    assert found == list(range(len(found)))
    assert 5 < len(found) < 15


def test_a_tiff_whose_list_of_pages_goes_in_a_circle_ends(tmp_path):
    path = stack(tmp_path / "a.tif", map(grey, range(3)))
    whole = bytearray(path.read_bytes())
    first = struct.unpack_from("<I", whole, 4)[0]
    after = first + 2 + 12 * struct.unpack_from("<H", whole, first)[0]
    second = struct.unpack_from("<I", whole, after)[0]
    struct.pack_into("<I", whole, second + 2 + 12 * struct.unpack_from("<H", whole, second)[0], first)
    path.write_bytes(whole)

    assert levels(open_video(path)) == [0, 1]


@pytest.mark.parametrize(
    ("orientation", "size", "bright"),  # of the corners at top left, top right, bottom left
    [(1, (16, 32), [True, False, True]), (3, (16, 32), [False, True, False]), (6, (32, 16), [True, True, False])],
)
def test_pictures_are_read_upright_as_the_camera_says(tmp_path, orientation, size, bright):
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:, :16] = 255  # bright on the left as it lies in the file
    for number in range(3):
        jpeg = cv2.imencode(".jpg", pixels)[1].tobytes()
        (tmp_path / f"{number}.jpg").write_bytes(with_orientation(jpeg, orientation))

    video = open_video(tmp_path)
    upright = next(iter(video.frames())).pixels

    assert video.size == upright.shape[:2] == size
    assert [upright[row, column, 0] > 128 for row, column in ((0, 0), (0, -1), (-1, 0))] == bright


def cut_in_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def zeros_at_the_end(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        *((suffix, cut_in_half) for suffix in (".jpg", ".png", ".bmp", ".tif")),
        *((suffix, zeros_at_the_end) for suffix in (".jpg", ".png")),  # in the others these are black pixels
    ],
)
def test_a_broken_picture_leaves_its_slot_empty_and_is_named_at_the_end(tmp_path, suffix, damage):
    noise = np.random.default_rng(0)
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number:02}{suffix}"), noise.integers(0, 256, (40, 60, 3), np.uint8))
    broken = tmp_path / f"07{suffix}"
    broken.write_bytes(damage(broken.read_bytes()))
    video, found = open_video(tmp_path), []

    with pytest.raises(CutOffVideoError, match=r"1 of 12 frames[\s\S]*--allow-cut-off") as caught:
        found.extend(frame.index for frame in video.frames())

    assert found == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    assert video.missing == (range(7, 8),)
    assert video.damage == "1 of 12 frames does not decode (7)"
    assert caught.value.frames_read == 11
    assert broken.name in str(caught.value)


def test_a_folder_opens_though_its_first_picture_is_broken(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=9)
    (folder / "000.png").write_bytes(b"")

    assert open_video(folder).size == (48, 64)


def test_a_folder_without_one_whole_picture_is_unreadable(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=3)
    for path in folder.iterdir():
        path.write_bytes(b"no picture")

    with pytest.raises(UnreadableVideoError, match=r"000\.png"):
        open_video(folder)


def test_one_coloured_frame_of_fifty_makes_the_folder_coloured(tmp_path):
    for number in range(50):
        pixels = np.full((8, 12, 3), 90, np.uint8)
        if number == 33:
            pixels[2:4, 2:4] = (20, 20, 200)
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), pixels)

    assert open_video(tmp_path).channels == 3


def test_a_coloured_picture_in_a_grey_folder_is_read_as_grey_and_noted(tmp_path, make_frame_folder):
    video = open_video(make_frame_folder(tmp_path / "f", frames=10))
    pixels = np.full((48, 64, 3), 90, np.uint8)
    pixels[:, :9] = (20, 20, 200)
    cv2.imwrite(str(tmp_path / "f" / "007.png"), pixels)

    shapes = [{frame.pixels.shape for frame in video.frames()} for _ in range(2)]

    assert shapes == [{(48, 64, 1)}] * 2
    (note,) = video.notes
    assert "007.png has colour" in note


def test_a_cover_beside_numbered_frames_is_left_out_and_the_gap_is_still_found(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=10)
    cv2.imwrite(str(folder / "cover.jpg"), grey(0))

    video = open_video(folder)

    assert video.frame_count == 10
    assert "cover.jpg" in video.notes[0]
    (folder / "004.png").unlink()
    with pytest.raises(FrameGapError, match="no frame 4"):
        open_video(folder)


@pytest.mark.parametrize("names", ["{side}_{number:04}.png", "{number:04}_{side}.png"])
@pytest.mark.parametrize("sides", [("left", "right"), ("cam1", "cam2")])
def test_two_cameras_in_one_folder_are_refused_with_both_series(tmp_path, names, sides):
    for side in sides:
        for number in range(5):
            cv2.imwrite(str(tmp_path / names.format(side=side, number=number)), grey(number))

    with pytest.raises(DataError, match=r"two series") as caught:
        open_video(tmp_path)

    assert all(names.format(side=side, number=0) in str(caught.value) for side in sides)


def test_a_series_that_goes_on_under_another_name_is_one_video(tmp_path):
    for number in range(10):
        cv2.imwrite(str(tmp_path / f"{'day' if number < 5 else 'night'}_{number}.png"), grey(number))

    assert levels(open_video(tmp_path)) == list(range(10))


@pytest.mark.parametrize("names", [["a", "b", "c", "d"], ["3fa2", "a7", "b2c", "9"], ["one"]])
def test_names_that_are_no_series_are_all_taken(tmp_path, names):
    for name in names:
        cv2.imwrite(str(tmp_path / f"{name}.png"), grey(1))

    assert open_video(tmp_path).frame_count == len(names)


def test_video_beside_the_pictures_of_a_folder_is_named(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=3)
    for name in ("a.mp4", "b.gif", "notes.txt"):
        (folder / name).touch()

    assert open_video(folder).notes == ("its pictures are read, and not the video beside them: a.mp4, b.gif",)
