"""A folder that grows: what is new is read once, when it is whole."""

from __future__ import annotations

import cv2
import pytest

from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources.folder import FolderSource, Watched
from oddframe.errors import CameraError


class Time:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def picture_bytes(picture):
    return lambda index, suffix=".jpg": cv2.imencode(suffix, picture(index))[1].tobytes()


@pytest.fixture
def watch(tmp_path):
    time = Time()

    def open_it(*, watched=None, **given):
        source = FolderSource(watched or Watched(tmp_path, backlog=False), CameraSettings(**given), clock=time)
        packets = source.packets()

        def look(after_s: float = 2.0) -> int:
            """How many pictures there are after so many seconds."""
            time.now_s += after_s
            found = 0
            while (coded := next(packets)) is not None:
                assert source.decode(coded, 1)[0].size == (48, 64)
                found += 1
            return found

        look(0)
        return source, look

    return open_it


def test_new_pictures_are_read_once_and_old_ones_never(tmp_path, watch, picture_bytes):
    (tmp_path / "old.jpg").write_bytes(picture_bytes(0))
    _, look = watch()
    assert look() == 0

    (tmp_path / "2026-06-01").mkdir()
    (tmp_path / "a.jpg").write_bytes(picture_bytes(1))
    (tmp_path / "2026-06-01" / "b.png").write_bytes(picture_bytes(2, ".png"))
    (tmp_path / "notes.txt").write_text("no picture")
    assert look() == 0  # they may still grow
    assert look() == 2
    assert look() == 0


def test_a_half_uploaded_picture_waits_for_its_end(tmp_path, watch, picture_bytes):
    whole = picture_bytes(1)
    source, look = watch()
    (tmp_path / "a.jpg").write_bytes(whole[:300])
    assert [look() for _ in range(4)] == [0, 0, 0, 0]

    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(whole[300:])
    assert look() == 0
    assert look() == 1
    assert source.torn == 0


def test_one_that_is_never_finished_is_given_up_and_counted(tmp_path, watch, picture_bytes):
    source, look = watch()
    (tmp_path / "a.jpg").write_bytes(picture_bytes(1)[:300])
    look()

    assert look(60) == 0
    assert source.torn == 1


def test_what_comes_while_the_folder_is_not_read_is_read_later(tmp_path, watch, picture_bytes):
    watched = Watched(tmp_path, backlog=False)
    watch(watched=watched)
    (tmp_path / "a.jpg").write_bytes(picture_bytes(1))
    _, look = watch(watched=watched)

    assert look() == 1


def test_a_backlog_is_read_where_it_is_asked_for(tmp_path, watch, picture_bytes):
    for index in range(3):
        (tmp_path / f"{index}.jpg").write_bytes(picture_bytes(index))
    _, look = watch(watched=Watched(tmp_path, backlog=True))

    assert look() == 3


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(CameraError, match="no such folder"):
        FolderSource(Watched(tmp_path / "gone", backlog=False), CameraSettings())
