"""Damaged files: frames keep their numbers, and every trouble is one clear error or note."""

from __future__ import annotations

import time

import av
import numpy as np
import pytest

from oddframe.errors import CutOffVideoError, TooShortError, UnreadableVideoError
from oddframe.video import _decode, _libav
from oddframe.video._watch import watched
from oddframe.video.open import open_beginning, open_video


@pytest.mark.parametrize("fault", ["zeros", "noise"])
@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("d.mp4", "libx264", "yuv420p"),
        ("d.mkv", "libx264", "yuv420p"),
        ("d.ts", "libx264", "yuv420p"),
        ("d.flv", "libx264", "yuv420p"),
        ("xvid.avi", "mpeg4", "yuv420p"),
        ("jpeg.avi", "mjpeg", "yuvj420p"),
        ("exact.mkv", "ffv1", "bgr0"),
    ],
)
@pytest.mark.slow
def test_damage_in_the_middle_shifts_no_frame_after_it(tmp_path, grained, number_in, name, codec, pixel_format, fault):
    path = grained(tmp_path / name, codec, pixel_format)
    data = bytearray(path.read_bytes())
    begin, end = int(len(data) * 0.4), int(len(data) * 0.55)
    noise = np.random.default_rng(1).integers(0, 256, end - begin, np.uint8).tobytes()
    data[begin:end] = bytes(end - begin) if fault == "zeros" else noise
    path.write_bytes(data)
    video = open_video(path)

    frames = list(video.frames())

    assert video.frame_count == 120
    assert 80 < len(frames) < 110
    off = [frame.index for frame in frames if number_in(frame.pixels) != frame.index]
    assert len(off) <= 1  # the first damaged picture may be half of one
    assert [frame.time_s for frame in frames] == pytest.approx([frame.index / 25 for frame in frames])
    (missing,) = video.missing
    assert sorted([*missing, *(frame.index for frame in frames)]) == list(range(120))
    assert video.damage == f"{len(missing)} of 120 frames do not decode ({missing[0]}-{missing[-1]})"
    behind = next(open_video(path, start=str(missing[-1] + 10)).frames())
    np.testing.assert_array_equal(behind.pixels, frames[behind.index - 120].pixels)


@pytest.mark.parametrize(("name", "codec"), [("d.flv", "libx264"), ("d.mpg", "mpeg2video")])
def test_bytes_that_are_gone_without_a_trace_close_numbers_up_and_a_note_says_it(tmp_path, grained, name, codec):
    path = grained(tmp_path / name, codec)
    assert open_video(path).notes == ()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.4)] + data[int(len(data) * 0.55) :])
    video = open_video(path)

    steps = np.diff(video.times_s())
    behind = int(steps.argmax()) + 1
    (note,) = video.notes

    assert video.frame_count < 120
    assert steps.max() > 0.4
    assert note.startswith(f"{round(steps.max() * 25) - 1} frames would fit in before frame {behind}")
    assert "write labels as times" in note


def test_frames_behind_bytes_that_are_gone_keep_their_times(tmp_path, grained, number_in):
    path = grained(tmp_path / "d.flv", "libx264")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.4)] + data[int(len(data) * 0.55) :])

    frames = list(open_video(path).frames())

    assert len(frames) > 80
    assert [frame.time_s for frame in frames] == pytest.approx([number_in(one.pixels) / 25 for one in frames], abs=0.01)
    assert np.diff([frame.time_s for frame in frames]).max() > 0.4


def test_a_sound_video_misses_nothing_after_it_was_read(awkward):
    video = open_video(awkward("plain.mp4"))
    list(video.frames())

    assert (video.missing, video.damage) == ((), None)


@pytest.mark.parametrize(("which", "text"), [("end", "99:00"), ("end", "61"), ("start", "99:00"), ("start", "60")])
def test_an_end_or_a_start_beyond_the_video_is_refused_with_its_length(awkward, which, text):
    video = open_video(awkward("plain.mp4"), **{which: text})

    with pytest.raises(TooShortError, match=rf"--{which} {text}; the video has 60 frames, 2\.40 s"):
        list(video.frames())
    with pytest.raises(TooShortError):
        _ = video.frame_count


@pytest.mark.parametrize("end", ["60", "2.4s", "3s"])
def test_an_end_that_is_rounded_up_to_the_second_is_the_end(awkward, end):
    assert open_video(awkward("plain.mp4"), end=end).frame_count == 60


def test_the_beginning_of_a_short_video_is_all_of_it(awkward):
    assert open_beginning(awkward("plain.mp4"), 1000).frame_count == 60
    assert open_beginning(awkward("plain.mp4"), 7).frame_count == 7


def test_a_codec_that_libav_does_not_know_is_named_as_the_trouble(tmp_path, make_video):
    data = make_video(tmp_path / "a.mp4").read_bytes()
    path = tmp_path / "new.mp4"
    path.write_bytes(data.replace(b"avc1", b"xyz9"))

    with pytest.raises(UnreadableVideoError, match="does not know"):
        open_video(path)


def test_metadata_that_are_not_utf8_keep_nobody_from_reading(tmp_path):
    path = tmp_path / "title.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "XXXXYYYY"
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace(b"XXXXYYYY", b"\xff\xfe\xe9\xc3\x28\xa0\xa1\xff"))

    assert open_video(path).frame_count == 1


def test_a_container_that_refuses_to_seek_is_read_from_its_beginning(awkward, number_in, monkeypatch):
    monkeypatch.setattr(_libav.Movie, "seek", lambda *_: False)

    assert number_in(next(open_video(awkward("plain.mp4"), start="50").frames()).pixels) == 50


def test_a_container_that_seeks_elsewhere_is_found_out(awkward, number_in, monkeypatch):
    seek = _libav.Movie.seek
    monkeypatch.setattr(_libav.Movie, "seek", lambda movie, stamp: seek(movie, stamp + 20 * 512))

    assert number_in(next(open_video(awkward("plain.mp4"), start="30").frames()).pixels) == 30


def test_a_key_frame_that_is_none_is_found_out(awkward, number_in, monkeypatch):
    """AVI marks whatever the recorder says."""
    index_of = _decode._beginnings

    def wrong(index, start):
        yield start - 3, False
        yield from index_of(index, start)

    monkeypatch.setattr(_decode, "_beginnings", wrong)

    assert number_in(next(open_video(awkward("plain.mkv"), start="31").frames()).pixels) == 31


@pytest.mark.parametrize("error", [ValueError("no"), AttributeError("name"), OverflowError("int"), RuntimeError("av")])
def test_whatever_libav_raises_is_an_error_that_names_the_file(awkward, monkeypatch, error):
    video = awkward("plain.mp4")  # written before nothing can be opened any more

    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(_libav.av, "open", refuse)

    with pytest.raises(UnreadableVideoError, match=r"plain\.mp4"):
        open_video(video)


def test_a_picture_that_would_fill_the_memory_is_refused(awkward, monkeypatch):
    monkeypatch.setattr(_libav, "_MOST_PIXELS", 1000)

    with pytest.raises(UnreadableVideoError, match="64x32"):
        open_video(awkward("plain.mp4"))


def test_a_turn_that_libav_refuses_is_an_error_that_names_the_file(awkward):
    class Turned:
        width, height = 8, 8

        def to_ndarray(self, **_):
            return np.zeros((8, 8), np.uint8)

        @property
        def rotation(self):
            raise av.error.ArgumentError(22, "Invalid argument")

    with _libav.Movie(awkward("plain.mp4")) as movie, pytest.raises(UnreadableVideoError, match=r"plain\.mp4"):
        movie.picture(Turned(), "gray")


@pytest.mark.slow
def test_a_decoder_that_hangs_is_left(awkward, monkeypatch):
    monkeypatch.setattr(_libav, "PATIENCE_S", 0.2)
    monkeypatch.setattr(_libav.Movie, "decode", lambda *_: time.sleep(1.5) or [])

    with pytest.raises(UnreadableVideoError, match="no progress"):
        open_video(awkward("plain.mp4"))


@pytest.mark.slow
def test_work_that_goes_on_is_not_taken_for_hanging(tmp_path, monkeypatch):
    monkeypatch.setattr(_libav, "PATIENCE_S", 1.0)

    def slow(pulse):
        for _ in range(13):  # longer than the patience, and each step much shorter
            time.sleep(0.1)
            pulse.beat()
        yield 7

    assert list(watched(slow, tmp_path)) == [7]


def test_whoever_stops_reading_stops_the_work(tmp_path):
    ended = []

    def endless(_):
        try:
            while True:
                yield 1
        finally:
            ended.append(True)

    results = watched(endless, tmp_path)
    next(results)
    results.close()

    assert ended == [True]


def test_a_cut_off_video_still_ends_in_its_error(tmp_path, grained):
    path = grained(tmp_path / "c.ts", "libx264")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 50])

    with pytest.raises(CutOffVideoError):
        list(open_video(path).frames())
