"""Clips: cut at key frames without encoding where a browser plays that, black where private, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from oddframe.cameras.clip import cut, picture_at
from oddframe.cameras.packets import PacketKeep
from oddframe.cameras.sources.source import Coded, Coding
from oddframe.errors import CameraError, StorageError
from oddframe.video.open import open_video


def video(make_video, path: Path, **given) -> Path:
    """5 s at 20 a second, a key frame every 10 pictures."""
    given = {"frames": 100, "fps": 20, **given}
    return make_video(path, **given)


def codec_of(path: Path) -> str:
    with av.open(str(path)) as file:
        return file.streams.video[0].codec_context.name


@pytest.mark.parametrize("number", [0, 9, 10, 37, 99])
def test_the_picture_of_a_moment_is_found_in_what_is_kept(h264, kept_of, number):
    found = picture_at(kept_of(h264), number * 0.05 + 0.01)

    assert found.shape[:2] == (48, 64)
    assert abs(int(np.median(found)) - (40 + number)) <= 2


def test_of_a_time_of_which_nothing_is_kept_there_is_no_picture(h264, kept_of):
    assert picture_at(kept_of(h264), 6.5) is None
    assert picture_at([], 1.0) is None


def test_what_a_browser_plays_is_cut_as_it_is_from_the_key_frame_before(tmp_path, h264, kept_of):
    clip = cut(kept_of(h264), 1.8, 3.3, tmp_path / "clip.mp4")
    frames = list(open_video(tmp_path / "clip.mp4").frames())
    source = [frame.pixels for frame in open_video(h264).frames()]

    assert not clip.encoded
    assert codec_of(tmp_path / "clip.mp4") == "h264"
    assert 1.3 <= clip.begin_s <= 1.8
    assert clip.end_s == pytest.approx(3.3, abs=0.11)
    first = next(number for number, pixels in enumerate(source) if np.array_equal(pixels, frames[0].pixels))
    assert first % 10 == 0
    assert len(frames) == clip.pictures
    assert all(np.array_equal(frame.pixels, source[first + number]) for number, frame in enumerate(frames))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.05, abs=1e-3)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx265"), ("a.avi", None), ("a.mkv", "mjpeg")])
def test_what_a_browser_does_not_play_is_encoded_anew(tmp_path, make_video, kept_of, name, codec):
    kind = {"mjpeg": "yuvj420p"}.get(codec)
    path = video(make_video, tmp_path / name, codec=codec, pixel_format=kind)
    clip = cut(kept_of(path), 1.0, 2.0, tmp_path / "clip.mp4")
    frames = list(open_video(tmp_path / "clip.mp4").frames())

    assert clip.encoded
    assert codec_of(tmp_path / "clip.mp4") == "h264"
    assert (clip.begin_s, clip.end_s) == (pytest.approx(1.0, abs=0.06), pytest.approx(2.0, abs=0.06))
    assert len(frames) == clip.pictures == 21


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libsvtav1"])
def test_vp9_and_av1_are_played(tmp_path, make_video, kept_of, codec):
    policy = os.sched_getscheduler(0) if hasattr(os, "sched_getscheduler") else None
    path = video(make_video, tmp_path / "a.mp4", frames=30, codec=codec, size=(96, 128))
    clip = cut(kept_of(path), 0.0, 1.4, tmp_path / "clip.mp4")

    assert not clip.encoded
    assert len(list(open_video(tmp_path / "clip.mp4").frames())) == clip.pictures
    assert policy is None or os.sched_getscheduler(0) == policy  # no test after this one is a real-time process


def test_private_places_are_black_before_anything_is_stored(tmp_path, h264, kept_of):
    window = [(0.25, 0.5), (0.75, 0.5), (0.75, 1.0), (0.25, 1.0)]
    clip = cut(kept_of(h264), 1.0, 2.0, tmp_path / "clip.mp4", [window])
    pixels = np.stack([frame.pixels for frame in open_video(tmp_path / "clip.mp4").frames()])

    assert clip.encoded
    assert pixels[:, 26:, 17:47].max() < 12
    assert pixels[:, :20].min() > 30


def test_a_change_of_size_or_codec_in_the_middle_is_encoded_in_one_size(tmp_path, make_video, h264, kept_of):
    other = video(make_video, tmp_path / "other.avi", size=(96, 130))
    kept = kept_of(h264)
    kept += kept_of(other, 5.0, 100)
    kept[100].follows = False
    clip = cut(kept, 4.0, 6.0, tmp_path / "clip.mp4")

    assert clip.encoded
    assert clip.pictures == pytest.approx(41, abs=2)
    assert open_video(tmp_path / "clip.mp4").size == (48, 64)


def test_pictures_of_a_folder_become_a_clip(tmp_path, picture):
    kept = PacketKeep(60, 10**8)
    for number in range(10):
        data = cv2.imencode(".jpg", picture(number))[1].tobytes()
        kept.add(Coded(data, True, None), number, Coding("mjpeg", (48, 64)), float(number))
        kept.timed(number, float(number))
    clip = cut(kept.packets(), 2, 8, tmp_path / "clip.mp4")

    assert clip.encoded
    assert clip.pictures == 7


def test_a_time_of_which_nothing_is_kept_is_an_error_and_leaves_no_file(tmp_path, h264, kept_of):
    kept = kept_of(h264)
    for begin_s, end_s in ((20, 30), (-9, -1)):
        with pytest.raises(CameraError, match="nothing is kept"):
            cut(kept, begin_s, end_s, tmp_path / "clip.mp4")
    with pytest.raises(CameraError, match="nothing is kept"):
        cut([], 0, 1, tmp_path / "clip.mp4")
    with pytest.raises(StorageError):
        cut(kept, 0, 1, tmp_path / "not there" / "clip.mp4")
    assert [path.name for path in tmp_path.iterdir()] == [h264.name]


def test_damaged_packets_do_not_keep_the_rest_from_being_cut(tmp_path, h264, kept_of):
    kept = kept_of(h264)
    for place in (30, 31, 55):
        kept[place].data, kept[place].time_s = b"\0\0\0\1garbage", None

    assert cut(kept, 1.0, 4.0, tmp_path / "clip.mp4", [[(0, 0), (0.1, 0), (0.1, 0.1)]]).pictures > 30
    assert cut(kept, 1.0, 4.0, tmp_path / "clip.mp4").pictures > 30


def test_what_is_kept_is_bounded_in_seconds_and_bytes_and_begins_with_a_key_frame():
    coding = Coding("h264", (48, 64))

    def kept(seconds: float, most_bytes: int) -> PacketKeep:
        keep = PacketKeep(seconds, most_bytes)
        for number in range(1000):
            keep.add(Coded(bytes(100), number % 25 == 0, None), number, coding, number / 10)
        return keep

    by_seconds, by_bytes = kept(10, 10**6), kept(10, 6000)
    assert by_seconds.packets()[0].key
    assert 100 <= len(by_seconds.packets()) <= 126
    assert by_bytes.packets()[0].key
    assert 34 <= len(by_bytes.packets()) <= 60
    assert by_bytes.size_bytes == 100 * len(by_bytes.packets())
    assert len(kept(0, 10**6).packets()) <= 26
