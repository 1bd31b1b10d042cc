"""Frames in, raw components out, with a runtime whose judgement can be worked out by hand."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from oddframe.errors import CutOffVideoError
from oddframe.scoring.evidence import EvidenceStream
from oddframe.scoring.runtimes.runtime import Judged, Seen
from oddframe.scoring.scores import Raw
from oddframe.video.motion import oddest
from oddframe.video.source import Frame


class Brightness:
    """Judges the last but one of four frames: `psnr` is its brightness, `local_error` the mean of its clip."""

    before, after, size, channels = 2, 1, (16, 16), 1

    def __init__(self) -> None:
        self.batches: list[int] = []

    def for_video(self) -> Brightness:
        return self

    def judge(self, clips: NDArray[np.uint8]) -> Judged:
        assert clips.shape[1:] == (4, 16, 16, 1)
        self.batches.append(len(clips))
        means = clips.mean(axis=(2, 3, 4)).astype(np.float32)
        return Judged(
            {"psnr": means[:, 2], "local_error": means.mean(axis=1)},
            {"local_error": clips[:, 2, ..., 0].astype(np.float32)},
        )

    def see(self, clip: NDArray[np.uint8]) -> Seen:
        return Seen(np.zeros((16, 16), np.float32), clip[0])


def plain(values: Iterable[int], first: int = 0) -> Iterator[Frame]:
    """Frames of one brightness each, ten a second, in twice the detector's size."""
    for number, value in enumerate(values):
        yield Frame(first + number, (first + number) / 10, np.full((32, 32, 1), value, np.uint8))


def stream(batch: int = 1, runtime: Brightness | None = None) -> EvidenceStream:
    return EvidenceStream(runtime or Brightness(), resize="area", window=16, stride=8, share=0.03, batch=batch)


def numbers(judged: Iterable[Raw]) -> list[tuple[int, float, float]]:
    return [(one.frame, one.values["psnr"], one.values["local_error"]) for one in judged]


@pytest.mark.parametrize("read_ahead", [False, True])
@pytest.mark.parametrize("batch", [1, 2, 3, 8])
def test_each_frame_is_judged_once_in_the_middle_of_its_own_window(batch: int, read_ahead: bool):
    judged = stream(batch).raw(plain([0, 10, 20, 40, 80, 160], first=100), read_ahead=read_ahead)

    assert numbers(judged) == [(102, 20.0, 17.5), (103, 40.0, 37.5), (104, 80.0, 75.0)]


def test_frames_keep_their_times():
    assert [one.time_s for one in stream(3).raw(plain(range(5), first=7))] == [0.9, 1.0]


def test_flow_and_direction_come_where_they_are_asked_for_and_rest_on_the_frame_before_the_judged_one():
    """Nothing moves but between the second frame and the judged third one: 2 of 16 pixels to the right."""
    noise = np.random.default_rng(3).integers(0, 256, (16, 16, 1), np.uint8)
    texture = cv2.GaussianBlur(np.kron(noise[::4, ::4, 0], np.ones((4, 4), np.uint8)), (0, 0), 1)[:, :, None]
    shown = [Frame(number, None, np.roll(texture, 2 * (number > 1), axis=1)) for number in range(4)]

    (plain_one,) = stream().raw(shown)
    (judged,) = replace(stream(), flow=True, direction=True).raw(shown)

    assert plain_one.values.keys() == {"psnr", "local_error", "motion"}
    assert judged.values.keys() == plain_one.values.keys() | {"flow", "direction"}
    assert judged.maps["direction"].shape == (*judged.maps["flow"].shape, 8)
    assert judged.values["flow"] == judged.maps["flow"].max() > 100  # 2 pixels of 16 rows are 30 of 240
    assert judged.values["direction"] == oddest(judged.maps["direction"].max(axis=2), 0.03)
    assert judged.maps["direction"].mean(axis=(0, 1)).argmax() == 0


def test_ways_are_the_maps_of_direction_of_some_frames_without_a_network():
    """One pair of neighbours in three, and none across a missing frame."""
    texture = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (16, 16), np.uint8), (0, 0), 1)
    shown = [Frame(i, None, np.roll(texture, i * i, axis=1)[:, :, None]) for i in range(8)]
    how = replace(stream(), direction=True)
    whole = {one.frame: one.maps["direction"] for one in how.raw(shown)}

    ways = list(how.ways(shown, 3))

    assert len(ways) == 3  # of frames 1, 4 and 7, of which no window judges the first and the last
    np.testing.assert_array_equal(ways[1], whole[4])
    assert len(list(how.ways([one for one in shown if one.index != 4], 3))) == 1
    assert list(stream().ways(shown, 3)) == []


def test_motion_is_the_change_from_the_frame_before_the_judged_one():
    (judged,) = stream().raw(plain([0, 51, 153, 255]))

    assert judged.values["motion"] == pytest.approx(0.16)  # (102 / 255) squared
    assert judged.maps["motion"] == pytest.approx(np.array([[0.16]]))
    assert (judged.maps["local_error"] == 153).all()


def test_full_batches_are_judged_and_the_rest_at_the_end():
    runtime = Brightness()

    assert len(list(stream(4, runtime).raw(plain(range(13))))) == 10
    assert runtime.batches == [4, 4, 2]


def test_with_a_batch_of_one_a_frame_is_judged_as_soon_as_its_window_is_full():
    one_by_one = stream().of_video()

    assert [len(one_by_one.push(frame)) for frame in plain(range(6))] == [0, 0, 0, 1, 1, 1]
    assert one_by_one.flush() == []


@pytest.mark.parametrize("batch", [1, 3])
def test_what_comes_after_a_flush_is_another_video(batch: int):
    one = stream(batch).of_video()

    before = [raw.anew for frame in plain(range(7)) for raw in one.push(frame)] + [raw.anew for raw in one.flush()]
    after = [raw.anew for frame in plain(range(7), first=7) for raw in one.push(frame)]
    after += [raw.anew for raw in one.flush()]

    assert before == after == [True, False, False, False]


@pytest.mark.parametrize("batch", [1, 8])
def test_a_video_shorter_than_the_window_gives_nothing(batch: int):
    assert list(stream(batch).raw(plain(range(3)))) == []


@pytest.mark.parametrize("read_ahead", [False, True])
@pytest.mark.parametrize("batch", [1, 8])
def test_what_was_readable_of_a_cut_off_video_comes_before_its_error(batch: int, read_ahead: bool):
    def cut_off() -> Iterator[Frame]:
        yield from plain([0, 10, 20, 40, 80])
        raise CutOffVideoError("the video ends in the middle", frames_read=5)

    seen = []
    with pytest.raises(CutOffVideoError):
        seen.extend(one.frame for one in stream(batch).raw(cut_off(), read_ahead=read_ahead))

    assert seen == [2, 3]


def test_nothing_of_one_video_is_left_in_the_next():
    stopped = stream()
    next(stopped.raw(plain(range(9))))

    assert numbers(stopped.raw(plain([100, 100, 100, 100]))) == [(2, 100.0, 100.0)]


def test_a_video_that_is_left_early_is_closed_at_once():
    closed = []

    def opened() -> Iterator[Frame]:
        try:
            yield from plain(range(200))
        finally:
            closed.append(True)

    judged = stream(8).raw(opened(), read_ahead=True)
    next(judged)
    judged.close()

    assert closed == [True]


class Counting(Brightness):
    """Learns how many frames of a video it has judged, and gives that as `psnr`."""

    def __init__(self) -> None:
        super().__init__()
        self.judged = 0

    def for_video(self) -> Counting:
        return Counting()

    def judge(self, clips: NDArray[np.uint8]) -> Judged:
        judged = super().judge(clips)
        counts = np.arange(self.judged, self.judged + len(clips), dtype=np.float32)
        self.judged += len(clips)
        return Judged({**judged.values, "psnr": counts}, judged.maps)


@pytest.mark.parametrize("batch", [1, 2])
def test_what_is_learnt_from_a_video_lasts_as_long_as_the_video(batch: int):
    learning = stream(batch, Counting())

    for _ in range(2):
        assert [one.values["psnr"] for one in learning.raw(plain(range(6)))] == [0, 1, 2]


def test_full_size_pictures_are_let_go_of_at_once():
    alive: list[weakref.ref[NDArray[np.uint8]]] = []
    most = 0

    def watched() -> Iterator[Frame]:
        nonlocal most
        for frame in plain(range(60)):
            alive.append(weakref.ref(frame.pixels))
            most = max(most, sum(reference() is not None for reference in alive))
            yield frame

    assert len(list(stream(8).raw(watched()))) == 57
    assert most <= 2  # the one that is read, and the one before it
