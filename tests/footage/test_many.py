"""Many videos in one command: each in its own folder, none of them at the mercy of another."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from oddframe.errors import (
    MissingPathError,
    OddframeError,
    RunError,
    SettingsError,
    StorageError,
    UnreadableVideoError,
)
from oddframe.files import lock
from oddframe.footage.folder import FILES, Asked, ScoredVideo, finished, made_from, made_of
from oddframe.footage.many import are_several, score_videos
from oddframe.footage.naming import named
from oddframe.footage.outputs import score
from oddframe.footage.overview import write_overview
from oddframe.footage.summary import Summary, read_summary, write_summary
from oddframe.scoring.scores import Box, Event

from .conftest import flashing


@pytest.fixture
def videos(tmp_path, make_frame_folder) -> Path:
    """Three folders of frames, and one file that is none of them."""
    for name in ("monday", "tuesday", "friday"):
        make_frame_folder(tmp_path / "videos" / name, frames=60, pictures=flashing)
    (tmp_path / "videos/broken.mp4").write_bytes(b"no video at all" * 100)
    return tmp_path / "videos"


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


@pytest.mark.long
@pytest.mark.slow
def test_a_damaged_video_stops_no_other_and_the_same_call_goes_on(run, videos, tmp_path, make_video):
    told = []
    first = score_videos(run, videos, fps=10, out=tmp_path / "seen", jobs=2, watch=told.append)

    assert [(one.name, one.error is None) for one in first] == [
        ("broken", False), ("friday", True), ("monday", True), ("tuesday", True),
    ]  # fmt: skip
    assert isinstance(first[0].error, UnreadableVideoError)
    assert [event.start for event in first[2].summary.events] == [32]
    lines = sorted(one.note for one in told if one.stage in ("finished", "warning"))
    assert [line.partition(":")[0] for line in lines] == ["broken", "friday", "monday", "tuesday"]
    assert lines[2] == "monday: 59 frames judged, 1 event"
    assert (told[-1].done, told[-1].total) == (100, 100)

    alone = score(run, videos / "monday", fps=10, out=tmp_path / "alone")
    assert (tmp_path / "seen/monday/scores.csv").read_bytes() == (tmp_path / "alone/scores.csv").read_bytes()
    assert first[2].summary == Summary.of(alone)

    when = (tmp_path / "seen/monday/scores.csv").stat().st_mtime_ns
    make_video(videos / "broken.mp4", frames=20)
    second = score_videos(run, videos, fps=10, out=tmp_path / "seen")

    assert [one.skipped for one in second] == [False, True, True, True]
    assert second[0].summary.frames == 19
    assert second[2].summary == Summary.of(alone)
    assert (tmp_path / "seen/monday/scores.csv").stat().st_mtime_ns == when


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_one_video_with_it(run, videos, processes, tmp_path):
    os.mkfifo(videos / "stuck.mp4")  # opening it waits for ever
    order = [videos / "monday", videos / "stuck.mp4", videos / "tuesday"]

    def kill(moment):
        if moment.stage == "finished" and moment.note.startswith("monday"):
            os.kill(processes[0].pid, signal.SIGKILL)

    ended = score_videos(run, order, fps=10, out=tmp_path / "seen", watch=kill)

    assert [one.error is None for one in ended] == [True, False, True]
    assert "the process that scores this video died (signal 9" in ended[1].error.in_one_line()
    assert len(processes) == 2


@pytest.mark.slow
def test_a_video_that_hangs_its_decoder_is_ended_and_said_so(run, videos, tmp_path):
    os.mkfifo(videos / "stuck.mp4")  # opening it waits for ever
    order = [videos / "stuck.mp4", videos / "tuesday"]

    ended = score_videos(run, order, fps=10, out=tmp_path / "seen", patience_s=20)

    assert ended[0].error.problem == "the process that scores this video made no progress for 20 s and was ended"
    assert ended[1].summary.frames == 59


@pytest.mark.slow
def test_an_interruption_ends_the_workers_and_keeps_what_is_finished(run, videos, processes, tmp_path):
    def interrupt(moment):
        if moment.stage == "finished":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_videos(run, [videos / "monday", videos / "tuesday"], fps=10, out=tmp_path / "seen", watch=interrupt)

    assert all(process.poll() is not None for process in processes)
    asked = Asked(fps=10)
    assert (
        finished(tmp_path / "seen/monday", made_of(made_from(run, "auto"), videos / "monday", asked), asked) is not None
    )


@pytest.mark.slow
def test_what_no_worker_can_begin_with_is_one_error(run, videos, tmp_path):
    with pytest.raises(OddframeError, match="onnxruntime does not compute a run"):
        score_videos(run, videos, out=tmp_path / "seen", backend="onnxruntime")


@pytest.mark.slow
def test_a_video_is_finished_as_long_as_nothing_that_its_scores_rest_on_has_changed(run, gate, tmp_path):
    folder, asked = tmp_path / "seen", Asked(fps=10)
    score(run, gate, out=folder, fps=10)
    shared = made_from(run, "auto")

    assert finished(folder, made_of(shared, gate, asked), asked).video == "gate"
    for other in (Asked(fps=12), Asked(fps=10, start="5"), Asked(fps=10, scene="belt"), Asked(fps=10, heat_video=True)):
        assert finished(folder, made_of(shared, gate, other), other) is None
    assert finished(folder, made_of(made_from(run, "torch"), gate, asked), asked) is None

    retrained = type(run).open(shutil.copytree(run.folder, tmp_path / "retrained"))
    path = retrained.folder / "calibration.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"smoothing": 3}))
    assert finished(folder, made_of(made_from(retrained, "auto"), gate, asked), asked) is None

    os.utime(gate / "003.png", ns=(1, 1))
    assert finished(folder, made_of(shared, gate, asked), asked) is None


@pytest.mark.slow
def test_a_video_is_not_finished_while_a_file_that_is_asked_for_is_not_there(run, gate, tmp_path):
    folder, asked = tmp_path / "seen", Asked(fps=10, heat_video=True)
    score(run, gate, out=folder, fps=10, heat_video=True)
    made = made_of(made_from(run, "auto"), gate, asked)
    assert finished(folder, made, asked) is not None

    for name in ("scores", "events", "curve", "report", "video"):
        content = (folder / FILES[name]).read_bytes()
        (folder / FILES[name]).unlink()
        assert finished(folder, made, asked) is None
        (folder / FILES[name]).write_bytes(content)

    summary = json.loads((folder / "scores.json").read_text())
    (folder / "heat.mp4").unlink()
    (folder / "scores.json").write_text(json.dumps(summary | {"lacking": {"video": "the disk was full"}}))
    assert finished(folder, made, asked) is not None  # it was tried, and its reader was told


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is damaged"),
        ("[]", "no format number"),
        ('{"format": 1, "made"', "is damaged"),
        ('{"format": 2}', "another format"),
        ('{"format": 1}', "video: missing"),
    ],
)
def test_a_damaged_summary_is_told_and_means_that_the_video_is_scored(content, words, run, gate, tmp_path, monkeypatch):
    folder = tmp_path / "seen/gate"
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text(content)
    with pytest.raises(RunError, match=rf"scores\.json[\s\S]*{words}[\s\S]*remove the folder"):
        finished(folder, None, Asked())

    told = []
    monkeypatch.setattr(
        "oddframe.footage.many._Scoring.run", lambda scoring, *_: {task.name: task.ended() for task in scoring._tasks}
    )
    assert [one.skipped for one in score_videos(run, gate, out=tmp_path / "seen", fps=10, watch=told.append)] == [False]
    assert "the video is scored again" in told[0].note


def test_a_summary_comes_back_as_it_was_written(tmp_path, scored):
    events = (Event(6, 8, 6, 5.0, None, None, None, None), Event(9, 10, 9, 4.0, 0.9, 0.94, 0.9, Box(1, 2, 3, 4), 2))
    scores = replace(scored([0, 0, 5, 5, 0]), events=events, began=datetime(2026, 11, 28, 23, 59, 59))

    write_summary(tmp_path, Summary.of(scores), None, {"video": "the disk was full"})

    found = read_summary(tmp_path)
    assert found.summary().to_dict() == scores.to_dict()
    assert (found.made, found.lacking) == (None, {"video": "the disk was full"})


def test_all_videos_have_one_table_of_events_and_one_page(tmp_path, scored):
    event = Event(1, 3, 2, 4.0, 0.1, 0.3, 0.2, None)
    notes = ("the line is rough", "<b>")
    summary = Summary.of(replace(scored([0, 1, 5]), scene="gate", events=(event,), notes=notes))
    found = [
        ScoredVideo("gate/<mon>day", tmp_path / "a.mp4", tmp_path / "gate/<mon>day", summary),
        ScoredVideo("belt", tmp_path / "b.mp4", tmp_path / "belt", summary.changed(events=(), notes=summary.notes[:1])),
        ScoredVideo("torn", tmp_path / "c.mp4", tmp_path / "torn", error=UnreadableVideoError("it does not open")),
    ]
    for one in found[:2]:
        one.folder.mkdir(parents=True)
        scored([0, 1, 5]).to_csv(one.folder / "scores.csv")
        (one.folder / "report.html").touch()

    write_overview(tmp_path, found, lambda _: None)

    assert (tmp_path / "events.csv").read_text().splitlines()[1].startswith("gate/<mon>day,gate,1,1,3,0.100,0.300,2,")
    page = (tmp_path / "index.html").read_text()
    assert '<a href="gate/%3Cmon%3Eday/report.html">gate/&lt;mon&gt;day</a>' in page
    assert page.count("The line is rough") == 1  # it is of all of them
    assert "&lt;b&gt;" in page
    assert "Not scored: it does not open" in page
    assert 'points="0,95.0 500,72.2 1000,38.1"' in page  # 1 and 5 beside a line at 3: a quarter and five eighths up


def test_a_scene_that_the_run_does_not_know_is_refused_before_any_video_is_looked_for(run, tmp_path):
    with pytest.raises(SettingsError, match="knows no scene 'gaet'"):
        score_videos(run, tmp_path / "nothing", scene="gaet")


def test_one_time_of_day_for_several_videos_is_refused(run, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.mp4").touch()
    with pytest.raises(SettingsError, match="do not begin at one time of day"):
        score_videos(run, tmp_path, start_time="2026-11-28T14:31:52")


def test_videos_in_a_folder_are_found_in_natural_order_and_scores_are_none(tmp_path, make_frame_folder):
    for name in ("b10.mp4", "b2.mp4", "a/c.avi", ".hidden.mp4", "notes.txt", "seen/b2/heat.mp4", "seen/b2/scores.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    make_frame_folder(tmp_path / "frames", frames=2)

    assert [name for name, _ in named([tmp_path])] == ["a/c", "b2", "b10", "frames"]
    assert are_several([tmp_path])
    assert not are_several([tmp_path / "frames"])


def test_videos_of_one_name_are_told_apart_or_refused(tmp_path):
    for name in ("gate.mp4", "gate.avi", "belt/gate.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    twice = [tmp_path / "gate.mp4", tmp_path / "gate.avi", tmp_path / "belt" / ".." / "gate.mp4"]
    assert [name for name, _ in named(twice)] == ["gate.mp4", "gate.avi"]
    with pytest.raises(SettingsError, match=r"two videos are called 'gate.mp4'"):
        named([tmp_path / "gate.mp4", tmp_path / "belt/gate.mp4"])


def test_a_folder_without_video_is_refused(run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingPathError, match="no video in this folder"):
        score_videos(run, tmp_path / "empty")


def test_an_error_fits_on_a_line():
    error = UnreadableVideoError("it does not open", path="gate.mp4", seen="3 bytes;\n no header", hint="copy it again")

    assert error.in_one_line() == "it does not open (3 bytes; no header); copy it again"


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_a_cluster_leaves_the_same_as_this_machine_and_passes_over_what_is_finished(run, videos, tmp_path):
    told = []
    there = score_videos(run, videos, fps=10, out=tmp_path / "there", engine="ray", jobs=2, watch=told.append)
    here = score_videos(run, videos, fps=10, out=tmp_path / "here")

    assert [(one.name, one.summary) for one in there] == [(one.name, one.summary) for one in here]
    assert isinstance(there[0].error, UnreadableVideoError)
    for table in ("monday/scores.csv", "friday/events.csv", "events.csv"):
        assert (tmp_path / "there" / table).read_bytes() == (tmp_path / "here" / table).read_bytes()
    assert max(one.done for one in told if one.stage.startswith("scoring")) == 100

    again = score_videos(run, videos, fps=10, out=tmp_path / "there")
    assert [one.skipped for one in again] == [False, True, True, True]


def test_two_do_not_score_into_one_folder(run, videos, tmp_path):
    (tmp_path / "seen").mkdir()
    with lock(tmp_path / "seen/.lock"), pytest.raises(StorageError, match="another process scores into this folder"):
        score_videos(run, videos, fps=10, out=tmp_path / "seen")
    assert [one.name for one in (tmp_path / "seen").iterdir()] == [".lock"]
