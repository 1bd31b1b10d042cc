"""Segments that are kept for longer: whole groups of pictures, none twice, none across a break, none private."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddframe.cameras.segment import write_segment
from oddframe.errors import StorageError
from oddframe.video.open import open_video


def written(kept, folder: Path, **given) -> list:
    """All segments that there are."""
    found, after_s = [], -1.0
    while True:
        path = folder / f"{len(found)}.mp4"
        one = write_segment(kept, path, after_s=after_s, **{"back_s": 0.0, "seconds": 1.0, **given})
        if one.next_after_s == after_s:
            return found
        after_s = one.next_after_s
        if one.begin_s is not None:
            found.append(one)


def pixels_of(path: Path) -> list[np.ndarray]:
    return [frame.pixels for frame in open_video(path).frames()]


def test_segments_follow_each_other_without_a_picture_lost_or_doubled(tmp_path, h264, kept_of):
    found = written(kept_of(h264), tmp_path)

    pictures = [one for number in range(len(found)) for one in pixels_of(tmp_path / f"{number}.mp4")]
    source = pixels_of(h264)
    assert [one.pictures for one in found] == [20, 20, 20, 20]
    assert not any(one.encoded for one in found)
    assert len(pictures) == 80  # the last second waits for its key frame
    assert all(np.array_equal(*both) for both in zip(pictures, source, strict=False))


def test_the_last_seconds_are_left_alone(tmp_path, h264, kept_of):
    assert len(written(kept_of(h264), tmp_path, back_s=2.0)) == 2
    assert written(kept_of(h264), tmp_path, back_s=20.0) == []


def test_a_break_in_the_stream_ends_a_segment(tmp_path, h264, kept_of):
    kept = kept_of(h264)
    kept[30].follows = False

    found = written(kept, tmp_path)

    assert [one.pictures for one in found] == [20, 10, 20, 20, 20]
    assert found[1].end_s < kept[30].about_s


def test_private_places_are_black_before_anything_is_stored(tmp_path, h264, kept_of):
    left = [[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]]

    (first, *_) = written(kept_of(h264), tmp_path, private=left)

    assert first.encoded
    for pixels in pixels_of(tmp_path / "0.mp4"):
        assert pixels[:, :28].max() < 30
        assert pixels[:, 38:].min() > 30


@pytest.mark.slow
def test_what_is_no_stream_of_groups_is_encoded_in_a_moderate_size(tmp_path, make_video, kept_of):
    pictures = make_video(
        tmp_path / "large.avi", frames=30, fps=20, size=(960, 1280), codec="mjpeg", pixel_format="yuvj420p"
    )

    (one,) = written(kept_of(pictures), tmp_path)

    assert one.encoded
    assert one.pictures == 20
    assert pixels_of(tmp_path / "0.mp4")[0].shape == (480, 640, 3)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, h264, kept_of):
    gone = tmp_path / "gone" / "one.mp4"

    with pytest.raises(StorageError, match="a segment cannot be written"):
        write_segment(kept_of(h264), gone, after_s=-1, back_s=0, seconds=1)
