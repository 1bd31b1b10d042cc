"""Video files written from pictures."""

from __future__ import annotations

import numpy as np
import pytest

from oddframe.errors import StorageError
from oddframe.video.open import open_video
from oddframe.video.source import Frame
from oddframe.video.write import write_video


def frames(picture, count=12, size=(48, 64), seconds=None, first=0):
    for index in range(count):
        yield Frame(first + index, None if seconds is None else seconds(index), picture(index, size))


def test_a_written_video_shows_the_pictures_in_order(tmp_path, picture):
    path = write_video(tmp_path / "heat.mp4", frames(picture), fps=10)

    back = list(open_video(path).frames())
    assert len(back) == 12
    assert np.abs(back[7].pixels.astype(int) - picture(7)).mean() < 8


def test_times_are_kept_from_the_first_frame_on(tmp_path, picture):
    path = write_video(tmp_path / "heat.mp4", frames(picture, 4, seconds=lambda index: 80 + index**2 / 10, first=1000))

    assert [round(frame.time_s, 3) for frame in open_video(path).frames()] == [0.0, 0.1, 0.4, 0.9]


def test_pictures_with_odd_sides_and_grey_ones_are_written(tmp_path):
    grey = (Frame(index, None, np.full((31, 45, 1), 90, np.uint8)) for index in range(3))
    path = write_video(tmp_path / "heat.mp4", grey, fps=5)

    video = open_video(path)
    assert video.size == (32, 46)
    assert abs(int(next(video.frames()).pixels.mean()) - 90) < 3


def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path, picture):
    with pytest.raises(StorageError):
        write_video(tmp_path / "missing" / "heat.mp4", frames(picture))

    def broken():
        yield from frames(picture, 3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_video(tmp_path / "heat.mp4", broken())
    assert list(tmp_path.iterdir()) == []
