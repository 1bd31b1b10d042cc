"""Normal video in pieces: recordings cut into them, sides that share nothing, and what is asked of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from oddframe.errors import MissingPathError, StorageError, TooShortError
from oddframe.site.learning import LearnSettings
from oddframe.teaching.footage import Piece, divide, laid_out, pieces_of
from oddframe.teaching.working.check import refuse_little
from oddframe.teaching.working.recordings import take_recordings
from oddframe.teaching.working.task import Task
from oddframe.video.open import open_video


def task(folder: Path, *videos: Path, left_out: tuple[str, ...] = (), private=(), **how) -> Task:
    settings = LearnSettings(**{"preset": "tiny", "segment": 5, **how}).kept()
    videos = tuple(map(str, videos))
    return Task(folder=str(folder), settings=settings, attempt=1, left_out=left_out, videos=videos, private=private)


def quiet(_: object) -> None:
    pass


def piece(number: int, scene: str = "") -> Piece:
    return Piece(f"{scene}/{number}", Path(), scene, 20.0, None, 0)


def test_a_recording_is_cut_without_a_picture_lost_or_changed(tmp_path, street):
    asked = task(tmp_path, street(225))

    take_recordings(asked, quiet)
    pieces = asked.pieces()

    pixels = [frame.pixels for one in pieces for frame in open_video(one.path).frames()]
    source = [frame.pixels for frame in open_video(street(225)).frames()]
    assert [round(one.seconds) for one in pieces] == [5, 5, 5, 5, 2]
    assert len(pixels) == len(source)
    assert all(np.array_equal(*both) for both in zip(pixels, source, strict=True))


def test_recordings_in_folders_are_scenes_and_taking_them_goes_on_where_it_was(tmp_path, street):
    for name in ("day", "night"):
        (tmp_path / "rec" / name).mkdir(parents=True)
        (tmp_path / "rec" / name / "one.mp4").symlink_to(street(150))
    asked = task(tmp_path / "learning", tmp_path / "rec")

    take_recordings(asked, quiet)
    pieces = asked.pieces()
    (asked.footage / ".recordings").unlink()  # as if it had been killed
    pieces[1].path.unlink()
    take_recordings(asked, quiet)

    assert [one.scene for one in pieces].count("day") == 3
    assert [one.name for one in asked.pieces()] == [one.name for one in pieces]


def test_folders_of_pictures_are_recordings_too(tmp_path, make_frame_folder):
    asked = task(tmp_path / "learning", make_frame_folder(tmp_path / "frames", frames=140, grey=False))

    take_recordings(asked, quiet)

    assert [round(one.seconds, 1) for one in asked.pieces()] == [5.0, 0.6]


def test_private_places_of_recordings_are_black_before_they_are_stored(tmp_path, street):
    left = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
    asked = task(tmp_path, street(150), private=left)

    take_recordings(asked, quiet)

    for one in asked.pieces():
        for frame in open_video(one.path).frames():
            assert frame.pixels[:, :66].max() < 30
            assert frame.pixels[:, 80:].max() > 60


def test_recordings_that_are_not_there_or_too_large_are_told(tmp_path, street):
    with pytest.raises(MissingPathError, match="no such recording"):
        take_recordings(task(tmp_path / "a", tmp_path / "gone.mp4"), quiet)
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPathError, match="no video in this folder"):
        take_recordings(task(tmp_path / "b", tmp_path / "empty"), quiet)
    with pytest.raises(StorageError, match="more than they may"):
        take_recordings(task(tmp_path / "c", street(150), most_gb=1e-5), quiet)


@pytest.mark.parametrize("many", [2, 3, 5, 9, 40, 300])
def test_a_quarter_is_kept_apart_of_each_scene_and_nothing_is_on_both_sides(many):
    pieces = [piece(number, scene) for scene in ("day", "night") for number in range(many)]

    training, apart = divide(pieces)

    assert len(training) + len(apart) == len(pieces)
    assert not set(training) & set(apart)
    for scene in ("day", "night"):
        share = sum(one.scene == scene for one in apart) / many
        assert 0.1 < share <= 0.5
        assert any(one.scene == scene for one in training)


def test_too_little_video_is_refused_with_how_much_is_wanted():
    enough = [piece(number) for number in range(4)]

    refuse_little(enough, fps=10.0)
    for few in ([], enough[:1]):
        with pytest.raises(TooShortError, match="too little normal video"):
            refuse_little(few, fps=10.0)
    with pytest.raises(TooShortError) as refused:
        refuse_little(enough, fps=2.0)
    assert refused.value.wanted == "about 225 s"


def test_a_set_is_laid_out_in_scenes_and_what_was_left_out_is_not_in_it(tmp_path, street):
    (tmp_path / "rec" / "day").mkdir(parents=True)
    (tmp_path / "rec" / "day" / "one.mp4").symlink_to(street(150))
    asked = task(tmp_path / "learning", tmp_path / "rec")
    take_recordings(asked, quiet)
    first, *rest = asked.pieces()

    without = task(tmp_path / "learning", left_out=(first.name,)).pieces()
    folder = laid_out(without, tmp_path / "set")

    assert [one.name for one in pieces_of(folder)] == [one.name for one in rest]
    assert all(one.name.startswith("day/") for one in rest)
