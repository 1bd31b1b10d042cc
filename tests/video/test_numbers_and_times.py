"""One source of numbers and times: frame n is frame n, wherever reading begins, in every kind of file."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest

from oddframe.errors import UnreadableVideoError
from oddframe.video import _index
from oddframe.video._clock import lost_frames, rising, seconds_between
from oddframe.video.open import open_video


def test_a_video_has_as_many_frames_as_it_promises_numbered_and_timed_by_one_source(awkward_video):
    video = open_video(awkward_video)

    frames = list(video.frames())

    assert video.frame_count == len(frames) > 30
    assert [frame.index for frame in frames] == list(range(len(frames)))
    times = video.times_s()
    if times is None:
        assert all(frame.time_s is None for frame in frames)
    else:
        assert times[0] == 0
        assert (np.diff(times) > 0).all()
        assert [frame.time_s for frame in frames] == times.tolist()
    assert video.missing == ()


@pytest.mark.slow
def test_the_first_frame_from_n_on_is_frame_n_to_the_pixel(awkward_video):
    whole = list(open_video(awkward_video).frames())

    for number in (*range(0, len(whole), 7), 1, 11, 12, 13, len(whole) - 1):
        first = next(open_video(awkward_video, start=str(number)).frames())

        assert first.index == number
        assert first.time_s == whole[number].time_s
        np.testing.assert_array_equal(first.pixels, whole[number].pixels)


def test_a_range_by_time_is_the_same_range_of_the_whole(awkward_video):
    video = open_video(awkward_video)
    if video.times_s() is None:
        pytest.skip("a bare stream has no clock")
    wanted = [frame.index for frame in video.frames() if 0.6 <= frame.time_s < 1.9]

    assert [frame.index for frame in open_video(awkward_video, start="0.6s", end="1.9s").frames()] == wanted


@pytest.mark.parametrize(
    "kind", ["plain.mp4", "edit.mp4", "hidden.webm", "leading.mkv", "late.ts", "wrap.ts", "browser.webm", "disc.mpg"]
)
def test_times_are_those_of_the_streams_own_clock(awkward, kind):
    with av.open(str(awkward(kind))) as container:
        clock = [frame.time for frame in container.decode(video=0)]

    assert open_video(awkward(kind)).times_s() == pytest.approx(np.array(clock) - clock[0])


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("edit.mp4", range(17, 60)),
        ("hidden.webm", [n for n in range(60) if n % 15 != 14]),
        ("bframes.avi", range(60)),
        ("wrap.ts", range(60)),
        ("camera.dav", range(60)),
        ("back.ts", range(60)),
        ("cover.mp4", range(60)),
    ],
)
def test_frames_are_the_pictures_that_were_encoded(awkward, number_in, kind, numbers):
    frames = list(open_video(awkward(kind)).frames())

    assert [number_in(frame.pixels) for frame in frames] == list(numbers)


def test_empty_chunks_of_an_avi_are_time_but_no_frames(awkward):
    times = open_video(awkward("empty.avi")).times_s()

    assert times[[19, 20]] == pytest.approx([0.76, 1.8])


def test_a_doubled_stamp_neither_loses_a_frame_nor_moves_the_rest(awkward):
    times = open_video(awkward("burst.mkv")).times_s()

    assert times[[29, 30, 40, 59]] == pytest.approx([2.9, 9.0, 9.15, 11.05])
    assert times[34] == pytest.approx(9.02)
    assert 9.02 < times[35] < 9.03


def test_a_clock_that_was_set_back_goes_on(awkward):
    assert open_video(awkward("back.ts")).times_s() == pytest.approx(np.arange(60) / 25)


@pytest.mark.parametrize(("kind", "fps"), [("browser.webm", 15.3), ("burst.mkv", 10.0), ("plain.mp4", 25.0)])
def test_the_rate_is_that_of_the_stamps_whatever_the_header_says(awkward, kind, fps):
    assert open_video(awkward(kind)).fps == pytest.approx(fps, rel=0.01)


def test_a_second_camera_in_a_file_is_told_of_and_a_cover_is_not(awkward):
    assert open_video(awkward("cover.mp4")).notes == ()
    assert "1 more video track" in open_video(awkward("two.mp4")).notes[0]


def test_a_rate_that_is_said_of_a_video_with_a_clock_is_told_to_count_for_nothing(awkward):
    path = awkward("plain.mp4")
    own = open_video(path).fps

    video = open_video(path, fps=4 * own)

    assert video.fps == own
    assert video.notes == (
        f"its time stamps are those of {own:g} frames a second: the {4 * own:g} that were said do not count",
    )
    assert open_video(path, fps=own).notes == ()


def test_a_song_with_a_cover_is_no_video(tmp_path):
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=8000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.rate = 8000
        container.mux(sound.encode(samples))
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(cover.encode(None))
        container.mux(sound.encode(None))

    with pytest.raises(UnreadableVideoError, match="there is no video in this file"):
        open_video(path)


def test_stamps_rise_whatever_was_written():
    lost = np.iinfo(np.int64).min

    assert rising(np.array([lost, lost])) is None
    assert rising(np.array([10, lost, 30])).tolist() == [0, 10, 20]
    assert rising(np.array([lost, 20, 30])).tolist() == [0, 10, 20]
    assert rising(np.array([0, 10, 10, 10, 40])).tolist() == pytest.approx([0, 10, 10 + 20 / 3, 10 + 40 / 3, 40])
    assert rising(np.array([90, 100, 0, 10])).tolist() == [0, 10, 20, 30]
    assert rising(np.array([0, 10, 990, 1000]), longest=500).tolist() == [0, 10, 20, 30]


def test_a_rate_survives_rounding_to_milliseconds_and_pauses():
    times = np.round(np.arange(300) / 29.97, 3)
    times[200:] += 60

    assert 1 / seconds_between(times) == pytest.approx(29.97, rel=1e-3)


def test_frames_are_lost_only_where_bytes_are():
    ticks = np.array([0, 40, 80, 240, 280, 320, 360, 400, 440, 480, 520, 560], float)
    nothing, much = np.zeros(11), np.where(np.arange(11) == 2, 3.0, 0.0)

    assert lost_frames(ticks, nothing).sum() == 0
    assert lost_frames(ticks, much).tolist() == [0, 0, 3, *itertools.repeat(0, 8)]
    assert lost_frames(ticks, much, longest=100).sum() == 0


def test_the_decoder_is_asked_about_all_pictures_that_a_cut_may_have_left_without_reference():
    """Packet 3 is a key frame, 4 to 15 are shown before it; of a closed group eight packets tell enough."""
    stamps = np.array([0, 1, 2, 100, *range(80, 92), *range(101, 130)])
    packets = _index._Packets(key=bytearray(number in (0, 3) for number in range(len(stamps))))

    assert _index._telling(packets, stamps, first=3) == 15
    assert _index._telling(packets, stamps, first=0) == 8


@pytest.mark.parametrize(("kind", "wholes"), [("plain_xvid.avi", 0), ("xvid.avi", 1)])
def test_an_avi_is_decoded_for_its_numbers_only_where_pictures_change_places(awkward, monkeypatch, kind, wholes):
    whole, decode = [], _index._decode

    def counted(path, pulse, up_to=None):
        whole.append(up_to is None)
        return decode(path, pulse, up_to)

    monkeypatch.setattr(_index, "_decode", counted)

    assert open_video(awkward(kind)).frame_count == 60
    assert sum(whole) == wholes
