from __future__ import annotations

import struct

import av
import cv2
import numpy as np
import pytest

from oddframe.errors import DataError, SettingsError
from oddframe.video.depth import learn_pixel_range, ranged
from oddframe.video.open import open_video
from oddframe.video.pixel_range import PixelRange, range_of


def write(folder, pictures, suffix=".png"):
    folder.mkdir()
    for number, pixels in enumerate(pictures):
        assert cv2.imwrite(str(folder / f"{number:03}{suffix}"), pixels)
    return folder


def ramp(low: int, high: int) -> np.ndarray:
    """(10, n) uint16, every value from low to high equally often."""
    return np.tile(np.arange(low, high + 1, dtype=np.uint16), (10, 1))


def test_the_range_of_normal_video_has_half_of_its_span_as_room_on_both_sides():
    assert range_of([ramp(1000, 1099)] * 5) == PixelRange(950, 1149)  # 99 values: 49.5 below and above


def test_dead_pixels_and_a_torn_frame_do_not_widen_the_range():
    dead = ramp(1000, 1099).repeat(10, axis=0)
    dead[0, :2], dead[1, :2] = 65535, 0  # 2 of 10,000 on each side

    assert range_of([dead] * 20 + [np.full((10, 100), 65535, np.uint16)]) == PixelRange(950, 1149)


def test_the_noise_of_a_still_scene_is_not_stretched_over_all_grey_levels():
    assert range_of([np.full((8, 8), 500, np.uint16)]) == PixelRange(436, 564)  # 64 values and half of that as room


def test_the_range_ends_where_the_numbers_do():
    assert range_of([ramp(0, 65535)]) == PixelRange(0, 65535)
    assert range_of([]) is None


@pytest.mark.parametrize(("low", "high"), [(5, 5), (-1, 9), (0, 65536)])
def test_what_is_no_range_is_refused(low, high):
    with pytest.raises(SettingsError):
        PixelRange(low, high)


def test_a_thermal_picture_keeps_its_grey_levels(tmp_path):
    folder = write(tmp_path / "thermal", [ramp(7300, 7399)] * 4, ".tiff")  # 14 bits: shifted, one grey level is left

    video = open_video(folder)
    pixels = next(iter(video.frames())).pixels

    assert (video.deep, video.pixel_range) == (True, PixelRange(7250, 7449))
    assert pixels.dtype == np.uint8
    assert len(np.unique(pixels)) == 100


def test_twelve_bits_in_sixteen_are_not_black(tmp_path):
    video = open_video(write(tmp_path / "twelve", [ramp(0, 4095)] * 3))

    assert next(iter(video.frames())).pixels.max() == 170  # 4,095 of 6,143 values, the room above among them


def test_a_big_endian_tiff_is_read_as_a_little_endian_one(tmp_path):
    pixels = ramp(7300, 7399)
    tags = [
        *((256, 3, 100), (257, 3, 10), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 122), (277, 3, 1)),
        *((278, 3, 10), (279, 4, pixels.nbytes)),
    ]
    body = b"".join(
        struct.pack(">HHI", tag, kind, 1) + (struct.pack(">HH", value, 0) if kind == 3 else struct.pack(">I", value))
        for tag, kind, value in tags
    )
    big = struct.pack(">2sHIH", b"MM", 42, 8, len(tags)) + body + bytes(4) + pixels.astype(">u2").tobytes()
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "0.tif").write_bytes(big)
    little = write(tmp_path / "little", [pixels], ".tif")

    one, other = (next(iter(open_video(folder).frames())).pixels for folder in (tmp_path / "big", little))

    np.testing.assert_array_equal(one, other)


def test_a_chosen_range_decides_and_changes_nothing_of_eight_bits(tmp_path, make_frame_folder):
    deep = open_video(write(tmp_path / "deep", [ramp(0, 999)] * 3))
    grey = open_video(make_frame_folder(tmp_path / "grey"))

    chosen = deep.with_pixel_range(PixelRange(500, 755))

    assert next(iter(chosen.frames())).pixels[0, [499, 510, 999], 0].tolist() == [0, 10, 255]
    assert deep.pixel_range != chosen.pixel_range
    assert grey.with_pixel_range(PixelRange(0, 9)) is grey


def test_a_frame_has_the_same_pixels_wherever_reading_begins(tmp_path):
    folder = write(tmp_path / "warms_up", [ramp(1000 + 50 * number, 1099 + 50 * number) for number in range(6)])

    whole = [frame.pixels for frame in open_video(folder).frames()]

    for number, frame in enumerate(open_video(folder, start="3", end="5").frames(), 3):
        np.testing.assert_array_equal(frame.pixels, whole[number])


def test_training_looks_at_all_normal_videos(tmp_path, make_frame_folder):
    cold = open_video(write(tmp_path / "cold", [ramp(1000, 1099)] * 3))
    warm = open_video(write(tmp_path / "warm", [ramp(1500, 1599)] * 3))
    grey = open_video(make_frame_folder(tmp_path / "grey"))

    assert learn_pixel_range([cold, grey, warm]) == PixelRange(700, 1899)  # 1000 to 1599 and 299.5 of room
    assert learn_pixel_range([grey]) is None


def test_a_depth_that_the_run_has_not_seen_is_told(tmp_path, make_frame_folder):
    deep = open_video(write(tmp_path / "deep", [ramp(0, 999)] * 3))
    grey = open_video(make_frame_folder(tmp_path / "grey"))

    assert ranged(grey, None) == (grey, None)
    assert "16 bits, and the run was trained on 8" in str(ranged(deep, None)[1])
    assert "8 bits, and the run was trained on 16" in str(ranged(grey, (0, 999))[1])
    video, note = ranged(deep, (200, 300))
    assert (video.pixel_range, note) == (PixelRange(200, 300), None)


def test_a_frame_of_another_depth_is_named(tmp_path):
    folder = write(tmp_path / "deep", [ramp(0, 99)] * 4)
    cv2.imwrite(str(folder / "002.png"), np.zeros((10, 100), np.uint8))

    with pytest.raises(DataError, match=r"002\.png[\s\S]*8 bits[\s\S]*16 bits"):
        list(open_video(folder).frames())


def test_a_video_file_of_sixteen_bits_keeps_its_grey_levels(tmp_path):
    path = tmp_path / "thermal.mkv"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.height, stream.width, stream.pix_fmt = 10, 100, "gray16le"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(ramp(7300, 7399), format="gray16le")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode())

    video = open_video(path)

    assert (video.deep, video.channels, video.pixel_range) == (True, 1, PixelRange(7250, 7449))
    assert [len(np.unique(frame.pixels)) for frame in video.frames()] == [100] * 5
    chosen = video.with_pixel_range(PixelRange(7300, 7555))
    assert next(iter(chosen.frames())).pixels[0, [0, 10], 0].tolist() == [0, 10]
