"""A long video that is judged in pieces by several processes: the same files as by one, whatever happens on the way."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.errors import CutOffVideoError, WorkerError
from oddframe.footage.course import Course, Step
from oddframe.footage.folder import Asked, Means
from oddframe.footage.many import score_together, score_videos
from oddframe.footage.outputs import score
from oddframe.footage.summary import Summary
from oddframe.processes.engines import Where
from oddframe.progress import Progress

from .conftest import flashing

FRAMES = 1400
"""Long enough for two pieces."""

TABLES = ("scores.csv", "events.csv", "scores.json")
AT_10 = Asked(fps=10)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of frames in which something flashes at 32 and, across the cut, from 690 on."""
    folder = tmp_path_factory.mktemp("archive") / "long"
    folder.mkdir()
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index:04}.png"), flashing(index - 658 if 690 <= index < 710 else index))
    return folder


@pytest.fixture(scope="module")
def wanted(run, long, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of one process."""
    folder = tmp_path_factory.mktemp("wanted")
    score(run, long, out=folder, fps=10)
    return folder


@pytest.fixture
def processes(monkeypatch) -> list[subprocess.Popen[bytes]]:
    """Those that are started, in order."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr("oddframe.processes.workers.subprocess.Popen", Noted)
    return started


def assert_same(found: Path, wanted: Path) -> None:
    for name in TABLES:
        assert (found / name).read_bytes() == (wanted / name).read_bytes(), name
    assert sorted(one.name for one in found.iterdir() if one.name != ".lock") == sorted(
        one.name for one in wanted.iterdir()
    )


@pytest.mark.long
@pytest.mark.slow
def test_one_video_by_two_processes_leaves_the_same_files(run, long, wanted, processes, tmp_path):
    told: list[Progress] = []
    found = score_together(run, long, AT_10, Means(), tmp_path / "seen", Where(jobs=2), told.append)

    assert len(processes) == 2
    assert {32, 690} <= {event.start for event in found.summary.events}
    assert_same(tmp_path / "seen", wanted)
    shown = [one.done for one in told if one.stage.startswith("scoring")]
    assert shown == sorted(shown)
    assert shown[-1] == 100


@pytest.mark.long
@pytest.mark.slow
def test_the_command_shows_of_several_processes_what_it_shows_of_one(run, long, wanted, tmp_path):
    command = ["score", str(long), "--run", str(run.folder), "--fps", "10", "--out", str(tmp_path / "seen")]
    there = CliRunner().invoke(app, [*command, "--jobs", "2"])
    assert_same(tmp_path / "seen", wanted)
    here = CliRunner().invoke(app, command)

    assert there.exit_code == here.exit_code == 0
    last = [one.stdout.splitlines()[-12:] for one in (there, here)]
    assert last[0] == last[1]


@pytest.mark.long
@pytest.mark.slow
def test_a_killed_worker_sets_the_whole_video_aside_and_no_other(run, long, gate, wanted, processes, tmp_path):
    stuck = shutil.copytree(long, tmp_path / "videos/long")
    (stuck / "1001.png").unlink()
    os.mkfifo(stuck / "1001.png")  # reading it waits for ever
    finished: list[str] = []

    def kill(moment: Progress) -> None:
        finished.extend([moment.note] if moment.stage == "finished" else [])
        if finished and (tmp_path / "seen/long/.pieces/00000.npz").exists():
            for process in processes:
                process.kill()

    ended = score_videos(run, [stuck, gate], out=tmp_path / "seen", fps=10, jobs=2, watch=kill)

    assert "the process that scores this video died (signal 9" in ended[0].error.in_one_line()
    assert ended[1].error is None
    assert not (tmp_path / "seen/long/scores.csv").exists()

    (stuck / "1001.png").unlink()
    shutil.copy2(long / "1001.png", stuck)
    again = score_videos(run, [stuck, gate], out=tmp_path / "seen", fps=10, jobs=2)
    assert [one.skipped for one in again] == [False, True]
    assert_same(tmp_path / "seen/long", wanted)


@pytest.mark.long
@pytest.mark.slow
def test_an_interruption_leaves_nothing_under_a_final_name_and_the_same_call_goes_on(run, long, wanted, tmp_path):
    def interrupt(moment: Progress) -> None:
        if (tmp_path / "seen/long/.pieces").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_videos(run, [long], out=tmp_path / "seen", fps=10, jobs=2, watch=interrupt)
    assert [one.name for one in (tmp_path / "seen/long").iterdir()] == [".pieces"]

    score_videos(run, [long], out=tmp_path / "seen", fps=10, jobs=2)
    assert_same(tmp_path / "seen/long", wanted)


@pytest.mark.long
@pytest.mark.slow
def test_a_video_of_which_a_frame_does_not_decode_is_scored_uncut(run, long, tmp_path):
    damaged = shutil.copytree(long, tmp_path / "damaged")
    torn = damaged / "1000.png"
    torn.write_bytes(torn.read_bytes()[:100])

    score(run, damaged, out=tmp_path / "wanted", fps=10)
    found = score_together(run, damaged, AT_10, Means(), tmp_path / "seen", Where(jobs=2))

    assert any("1000.png" in note for note in found.summary.notes)
    assert_same(tmp_path / "seen", tmp_path / "wanted")


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_one_video_on_a_cluster_leaves_the_same_files(run, long, wanted, tmp_path):
    score_together(run, long, AT_10, Means(), tmp_path / "seen", Where("ray", jobs=2))

    assert_same(tmp_path / "seen", wanted)


# What follows from what -----------------------------------------------------------------------------------------

PIECES = {"pieces": [[0, 64, 0, 60], [60, 100, 64, 100]], "backend": "torch"}


@pytest.fixture
def summary(scored) -> dict[str, object]:
    return {"summary": Summary.of(scored([0, 1, 5])).to_dict()}


def begun(pieces: int = 2) -> tuple[Course, Step]:
    course = Course({"name": "gate"}, pieces)
    return course, course.begin()


def test_a_video_that_is_not_cut_has_ended_with_its_first_step(summary):
    course, first = begun()

    assert course.ended(first, summary) == Summary.model_validate(summary["summary"])
    assert first.leads
    assert not begun(1)[1].leads


def test_pieces_are_put_together_in_order_when_all_of_them_have_ended(summary):
    course, first = begun()
    one, other = course.ended(first, PIECES)

    assert course.ended(other, {"digest": "b"}) == []
    (merge,) = course.ended(one, {"digest": "a"})

    assert (merge.does["do"], merge.does["digests"], merge.does["backend"]) == ("merge", ["a", "b"], "torch")
    assert isinstance(course.ended(merge, summary), Summary)


def test_the_share_of_a_cut_video_is_that_of_its_frames():
    course, first = begun()
    one, other = course.ended(first, PIECES)

    course.at(one, Progress("scoring gate", 32, 64))
    course.at(other, Progress("scoring gate", 40, 40))
    course.at(other, Progress("reading the times of gate", 0, 40))

    assert course.share == pytest.approx((32 + 40) / 104)


@pytest.mark.parametrize("where", ["piece", "merge"])
def test_what_cannot_be_read_as_its_stamps_say_is_scored_uncut(where: str):
    course, first = begun()
    one, other = course.ended(first, PIECES)
    error = CutOffVideoError("it ends", frames_read=3)
    if where == "piece":
        assert course.ended(one, error) == []
        assert other.idle
        (last,) = course.ended(other, {})
    else:
        course.ended(one, {"digest": "a"})
        (merge,) = course.ended(other, {"digest": "b"})
        (last,) = course.ended(merge, error)

    assert (last.does["do"], last.does["pieces"], last.leads) == ("score", 1, False)
    assert course.ended(last, error) is error


def test_a_piece_that_kills_its_process_sets_the_video_aside():
    course, first = begun()
    one, other = course.ended(first, PIECES)
    died = WorkerError("died, 3 times")

    assert course.ended(one, died) == []
    assert course.ended(other, {"digest": "b"}) is died
