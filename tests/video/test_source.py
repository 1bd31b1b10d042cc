from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from oddframe.errors import (
    CutOffVideoError,
    DataError,
    FrameGapError,
    FrameSizeError,
    MissingPathError,
    SettingsError,
    TooShortError,
    UnreadableVideoError,
)
from oddframe.video.open import open_video
from oddframe.video.source import VIDEO_SUFFIXES, natural_key, parse_position


def cut(path: Path, share: float, name: str) -> Path:
    whole = path.read_bytes()
    shorter = path.with_name(name)
    shorter.write_bytes(whole[: int(len(whole) * share)])
    return shorter


def test_a_lossless_grey_file_gives_back_its_pictures(tmp_path, make_video, picture):
    video = open_video(make_video(tmp_path / "gate.mkv", frames=7, grey=True, codec="ffv1"))

    frames = list(video.frames())

    assert (video.name, video.size, video.channels, video.fps) == ("gate", (48, 64), 1, 12.5)
    assert video.frame_count == 7
    assert [frame.index for frame in frames] == list(range(7))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.08, 0.16, 0.24, 0.32, 0.40, 0.48])
    for frame in frames:
        np.testing.assert_array_equal(frame.pixels, picture(frame.index, grey=True))


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv", "a.ts", "a.mov"])
def test_every_container_counts_its_frames_and_times_them_from_zero(tmp_path, make_video, name):
    video = open_video(make_video(tmp_path / name, frames=30))

    times = [frame.time_s for frame in video.frames()]

    assert video.frame_count == 30
    assert video.channels == 3
    assert times == pytest.approx(np.arange(30) * 0.08)


def test_an_avi_with_b_frames_has_ascending_times(tmp_path, make_video):
    video = open_video(make_video(tmp_path / "b.avi", frames=20, codec="libx264"))

    assert [frame.time_s for frame in video.frames()] == pytest.approx(np.arange(20) * 0.08)


def test_uneven_time_stamps_are_kept(tmp_path, make_video):
    video = open_video(make_video(tmp_path / "v.mkv", frames=5, variable_rate=True))

    assert [frame.time_s for frame in video.frames()] == pytest.approx([0, 0.08, 0.16, 0.32, 0.40])
    assert video.frame_at(0.2) == 3


@pytest.mark.parametrize("name", ["r.mp4", "r.avi", "r.mkv"])
def test_a_range_holds_the_frames_that_the_whole_video_has_there(tmp_path, make_video, name):
    path = make_video(tmp_path / name, frames=40)
    whole = list(open_video(path).frames())

    video = open_video(path, start="00:01.6", end="25")
    frames = list(video.frames())

    assert (video.first_index, video.frame_count) == (20, 5)
    assert [frame.index for frame in frames] == [20, 21, 22, 23, 24]
    assert [frame.time_s for frame in frames] == pytest.approx([1.6, 1.68, 1.76, 1.84, 1.92])
    for frame in frames:
        np.testing.assert_array_equal(frame.pixels, whole[frame.index].pixels)


def test_a_range_behind_several_key_frames_is_exact(tmp_path, make_video):
    path = make_video(tmp_path / "long.mp4", frames=300, fps=25, size=(16, 32))
    whole = [frame.pixels for frame in open_video(path).frames()]

    frames = list(open_video(path, start="280").frames())

    assert [frame.index for frame in frames] == list(range(280, 300))
    assert all(np.array_equal(frame.pixels, whole[frame.index]) for frame in frames)


def test_grey_pictures_in_a_colour_file_are_seen_to_be_grey(tmp_path, make_video):
    video = open_video(
        make_video(
            tmp_path / "ir.mp4", frames=10, grey=False, pictures=lambda i: np.full((48, 64, 1), 90 + i, np.uint8)
        )
    )

    assert video.channels == 1
    assert next(iter(video.frames())).pixels.shape == (48, 64, 1)


def test_a_file_that_fades_in_from_black_is_not_taken_for_grey(tmp_path, make_video, picture):
    dark = np.zeros((48, 64, 3), np.uint8)

    path = make_video(tmp_path / "fade.mp4", frames=30, pictures=lambda i: dark if i < 3 else picture(i))

    assert open_video(path).channels == 3


def test_a_turned_recording_is_read_upright(tmp_path):
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:, :32] = 255  # bright on the left
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 64, "yuv420p"
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a rotation")
        stream.set_display_rotation(90)  # counter-clockwise: left becomes bottom
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())

    video = open_video(path)
    first = next(iter(video.frames())).pixels

    assert video.size == (64, 32)
    assert first[:28].max() < 30
    assert first[36:].min() > 225


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("c.avi", {}),
        ("c.mkv", {}),
        ("c.mp4", {"movflags": "faststart"}),
        ("c.mp4", {"movflags": "frag_keyframe+empty_moov"}),
        ("c.ts", {}),
    ],
)
def test_a_cut_off_file_yields_what_is_readable_and_then_says_so(tmp_path, make_video, name, options, share):
    noise = np.random.default_rng(0)  # so that the file consists of pictures, not of its header and index
    whole = make_video(
        tmp_path / f"whole_{name}",
        frames=60,
        options=options,
        pictures=lambda _: noise.integers(0, 256, (48, 64, 3), np.uint8),
    )
    video, frames = open_video(cut(whole, share, name)), []

    with pytest.raises(CutOffVideoError) as caught:
        frames.extend(video.frames())

    assert 0 < len(frames) < 60
    assert caught.value.frames_read == len(frames)
    assert str(video.path) in str(caught.value)


def test_a_range_that_ends_before_the_cut_is_sound(tmp_path, make_video):
    path = cut(make_video(tmp_path / "whole.avi", frames=60), 0.8, "c.avi")

    assert len(list(open_video(path, end="10").frames())) == 10


def test_an_mp4_without_its_end_is_said_to_be_cut_off(tmp_path, make_video):
    path = cut(make_video(tmp_path / "whole.mp4"), 0.9, "c.mp4")

    with pytest.raises(UnreadableVideoError, match="cut off"):
        open_video(path)


def test_the_sound_real_files_count_as_sound(shared_data):
    counts = {
        path.name: open_video(path).frame_count
        for path in itertools.chain(shared_data.glob("clips/*.mp4"), shared_data.glob("avenue_videos/*.avi"))
    }

    assert counts == {
        "car-detection.mp4": 377,
        "one-by-one-person-detection.mp4": 1394,
        "testing_08.avi": 36,
        "testing_21.avi": 76,
        "training_12.avi": 145,
    }


@pytest.mark.parametrize("name", ["avenue_videos/testing_08.avi", "avenue_videos/testing_21.avi"])
def test_real_avenue_files_end_without_complaint(shared_data, name):
    video = open_video(shared_data / name)

    assert sum(1 for _ in video.frames()) == video.frame_count


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["avenue_videos/training_12.avi", "clips/car-detection.mp4", "clips/one-by-one-person-detection.mp4"]
)
def test_longer_real_files_end_without_complaint(shared_data, name):
    video = open_video(shared_data / name)

    assert sum(1 for _ in video.frames()) == video.frame_count


@pytest.mark.parametrize("content", [b"", b"no video at all, only words", b"\x00" * 5000])
def test_what_is_no_video_is_named(tmp_path, content):
    path = tmp_path / "gate.mp4"
    path.write_bytes(content)

    with pytest.raises(UnreadableVideoError, match=r"gate\.mp4"):
        open_video(path)


def test_a_playlist_reads_no_other_file(tmp_path, make_video):
    make_video(tmp_path / "secret.ts", frames=10)
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")

    with pytest.raises(UnreadableVideoError):
        open_video(path)


def test_a_missing_file_and_an_empty_folder_are_missing(tmp_path):
    with pytest.raises(MissingPathError):
        open_video(tmp_path / "nothing.mp4")
    with pytest.raises(MissingPathError, match="no pictures"):
        open_video(tmp_path)


def test_one_picture_of_a_folder_is_refused_with_a_hint(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f")

    with pytest.raises(UnreadableVideoError, match="folder"):
        open_video(folder / "000.png")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_a_folder_gives_back_its_pictures(tmp_path, make_frame_folder, picture, suffix):
    video = open_video(make_frame_folder(tmp_path / "01", frames=4, suffix=suffix, first=17, prefix="img_"))

    frames = list(video.frames())

    assert (video.name, video.size, video.channels, video.fps, video.frame_count) == ("01", (48, 64), 1, None, 4)
    assert [(frame.index, frame.time_s) for frame in frames] == [(0, None), (1, None), (2, None), (3, None)]
    for frame in frames:
        np.testing.assert_array_equal(frame.pixels, picture(frame.index, grey=True))


def test_colour_in_a_folder_is_rgb(tmp_path, make_frame_folder, picture):
    video = open_video(make_frame_folder(tmp_path / "01", frames=3, grey=False))

    np.testing.assert_array_equal(next(iter(video.frames())).pixels, picture(0))


def test_a_folder_has_times_only_if_told_its_rate(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "01", frames=10)

    times = [frame.time_s for frame in open_video(folder, fps=10, start="0.2s").frames()]

    assert times == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    with pytest.raises(SettingsError, match="--fps"):
        list(open_video(folder, start="0.2s").frames())


def test_three_equal_channels_are_grey_unless_one_of_the_probed_frames_has_colour(tmp_path, make_frame_folder):
    grey = make_frame_folder(tmp_path / "a", frames=9, grey=False, pictures=lambda i: np.full((8, 8, 3), i, np.uint8))
    late = make_frame_folder(
        tmp_path / "b", frames=9, grey=False, pictures=lambda i: np.full((8, 8, 3), (i, 0, i % 2), np.uint8)
    )

    assert open_video(grey).channels == 1
    assert open_video(late).channels == 3


def test_sixteen_bits_become_eight_and_transparency_is_dropped(tmp_path):
    deep, clear = tmp_path / "deep", tmp_path / "clear"
    deep.mkdir(), clear.mkdir()
    cv2.imwrite(str(deep / "1.tif"), np.array([[0, 257, 65535]], np.uint16))
    cv2.imwrite(str(clear / "1.png"), np.full((2, 2, 4), (10, 20, 30, 0), np.uint8))  # BGRA

    assert next(iter(open_video(deep).frames())).pixels[:, :, 0].tolist() == [[0, 1, 255]]
    assert next(iter(open_video(clear).frames())).pixels[0, 0].tolist() == [30, 20, 10]


def test_frames_are_in_natural_order_and_hidden_files_are_no_frames(tmp_path, make_frame_folder, picture):
    folder = make_frame_folder(tmp_path / "f", frames=12, digits=1, first=0)
    (folder / "._3.png").write_bytes(b"left by another system")

    for frame in open_video(folder).frames():
        np.testing.assert_array_equal(frame.pixels, picture(frame.index, grey=True))


def test_missing_frames_in_the_middle_are_named(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=10, prefix="frame")
    (folder / "frame004.png").unlink()
    (folder / "frame005.png").unlink()

    with pytest.raises(FrameGapError, match=r"no frame 4, 5[\s\S]*from 0 to 9"):
        open_video(folder)


def test_every_fifth_frame_is_an_even_numbering_too(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=21)
    for path in folder.iterdir():
        if int(path.stem) % 5:
            path.unlink()

    assert open_video(folder).frame_count == 5


def test_names_without_even_numbers_are_fine(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=4)
    for path, name in zip(
        sorted(folder.iterdir()),
        ["20240101T120001", "20240101T120004", "20240101T120005", "20240101T120117"],
        strict=True,
    ):
        path.rename(folder / f"{name}.png")

    assert open_video(folder).frame_count == 4


def test_two_pictures_for_one_number_are_refused(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=5)
    shutil.copy(folder / "003.png", folder / "3.png")

    with pytest.raises(DataError, match=r"3\.png"):
        open_video(folder)


def test_a_frame_of_another_size_is_named_with_both_sizes(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=9)
    cv2.imwrite(str(folder / "006.png"), np.zeros((20, 30), np.uint8))

    with pytest.raises(FrameSizeError, match=r"006\.png[\s\S]*30x20[\s\S]*64x48"):
        list(open_video(folder).frames())


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n cut"])
def test_a_picture_that_does_not_decode_is_named(tmp_path, make_frame_folder, content):
    folder = make_frame_folder(tmp_path / "f", frames=9)
    (folder / "006.png").write_bytes(content)

    with pytest.raises(CutOffVideoError, match=r"006\.png"):
        list(open_video(folder).frames())


def test_a_range_without_frames_is_refused(tmp_path, make_frame_folder):
    folder = make_frame_folder(tmp_path / "f", frames=9)

    for start, end in (("5", "5"), ("7", "3"), ("100", None)):
        with pytest.raises(TooShortError):
            list(open_video(folder, start=start, end=end).frames())


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_a_frame_rate_is_a_number_above_zero(tmp_path, make_frame_folder, fps):
    with pytest.raises(SettingsError):
        open_video(make_frame_folder(tmp_path / "f"), fps=fps)


@pytest.mark.parametrize(
    ("text", "position"), [("120", 120), ("00:04.8", 4.8), ("1:02:03", 3723.0), ("80s", 80.0), ("90:00", 5400.0)]
)
def test_positions_are_frames_or_seconds(text, position):
    assert parse_position(text) == position
    assert type(parse_position(text)) is type(position)


@pytest.mark.parametrize("text", ["", "-3", "4.8", "1:60:00", "00:61", "soon", "1e3"])
def test_other_positions_are_refused(text):
    with pytest.raises(SettingsError):
        parse_position(text)


def test_natural_order():
    assert sorted(["Test10", "Test2", "test1", "01", "1"], key=natural_key) == ["01", "1", "test1", "Test2", "Test10"]


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [("a.gif", "gif", "rgb8"), ("a.mjpeg", "mjpeg", "yuvj420p"), ("a.y4m", "rawvideo", "yuv420p")],
)
def test_animations_and_bare_pictures_are_video(tmp_path, make_video, name, codec, pixel_format):
    path = make_video(tmp_path / name, frames=6, codec=codec, pixel_format=pixel_format)

    assert path.suffix in VIDEO_SUFFIXES
    assert sum(1 for _ in open_video(path, fps=10).frames()) == 6
