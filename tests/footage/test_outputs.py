"""One's own video: scores, and the files that show them."""

from __future__ import annotations

import csv
import json
import os
import threading
from dataclasses import replace
from datetime import datetime

import av
import cv2
import pytest

from oddframe.errors import RunError, SettingsError, StorageError
from oddframe.footage.folder import FILES, PARTIAL
from oddframe.footage.outputs import score
from oddframe.footage.summary import Summary
from oddframe.footage.tables import write_events
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import Box, Event
from oddframe.video.open import open_video

from .conftest import flashing


def test_scores_of_a_video_come_without_files(run, gate, tmp_path):
    scores = score(run.folder, gate, fps=10)

    assert scores.frame[0] == 1
    assert [(event.start, event.end) for event in scores.events] == [(32, 51)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["gate"]


@pytest.mark.slow
def test_all_files_are_written_and_fit_each_other(run, gate, tmp_path):
    scores = score(run, gate, out=tmp_path / "seen", fps=10, heat_video=True)

    assert {entry.name for entry in (tmp_path / "seen").iterdir()} == set(FILES.values()) - {"clips"}
    rows = list(csv.DictReader((tmp_path / "seen/events.csv").open()))
    assert [(row["start"], row["end"], row["start_s"]) for row in rows] == [("32", "51", "3.200")]
    assert open_video(tmp_path / "seen/heat.mp4").frame_count == len(scores) + 1


@pytest.mark.slow
def test_a_full_disk_is_one_clear_error_and_what_was_finished_before_is_kept(run, gate, tmp_path, dev_full):
    score(run, gate, out=tmp_path / "before", fps=10)
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / PARTIAL).symlink_to(dev_full)

    with pytest.raises(StorageError, match=r"disk is full\n.*scores.partial.csv\n.*MB are free\n.*free some space"):
        score(run, gate, out=tmp_path / "seen", fps=10)

    assert {entry.name for entry in (tmp_path / "before").iterdir()} == set(FILES.values()) - {"heat.mp4", "clips"}
    assert not (tmp_path / "seen/scores.json").exists()


def test_rows_are_kept_where_the_table_can_no_longer_be_written(run, gate, tmp_path, dev_full):
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / f".scores.csv.{os.getpid()}.tmp").symlink_to(dev_full)

    with pytest.raises(StorageError, match="disk is full"):
        score(run, gate, out=tmp_path / "seen", fps=10)

    rows = list(csv.DictReader((tmp_path / "seen" / PARTIAL).open()))
    assert [int(row["frame"]) for row in rows] == list(range(1, 60))
    assert [entry.name for entry in (tmp_path / "seen").iterdir()] == [PARTIAL]


def test_an_interruption_leaves_the_rows_so_far_and_no_thread(run, gate, tmp_path):
    def interrupt(moment):
        if moment.done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(run, gate, out=tmp_path / "seen", fps=10, watch=interrupt)

    rows = list(csv.DictReader((tmp_path / "seen" / PARTIAL).open()))
    assert [row["time_s"] for row in rows] == [f"{frame / 10:.4f}" for frame in range(1, 30)]
    assert not [thread for thread in threading.enumerate() if thread.name == "oddframe-ahead"]


@pytest.mark.slow
def test_the_heat_video_marks_the_place_and_leaves_the_rest(run, gate, tmp_path):
    score(run, gate, out=tmp_path / "seen", fps=10, heat_video=True)

    with av.open(str(tmp_path / "seen/heat.mp4")) as file:
        pixels = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)][32].astype(int)
    colour = pixels.max(axis=2) - pixels.min(axis=2)
    assert colour[8:24, 40:56].mean() > 30
    assert colour[:, :20].mean() < 10


def test_an_event_is_a_row_and_what_is_unknown_stays_empty(tmp_path, scored):
    events = (
        Event(6, 8, 6, 5.0, None, None, None, None),
        Event(9, 10, 9, 4.0, 0.9, 0.94, 0.9, Box(1, 2, 3, 4), repeats=2),
    )
    scores = replace(scored([0, 0, 5, 5, 0]), events=events, began=datetime(2026, 11, 28, 23, 59, 59))

    assert write_events(tmp_path / "events.csv", [("gate", Summary.of(scores))]).read_text().splitlines() == [
        "event,start,end,start_s,end_s,peak,peak_s,score,repeats,x,y,width,height,start_at,end_at,peak_at",
        "1,6,8,,,6,,5,0,,,,,,,",
        "2,9,10,0.900,0.940,9,0.900,4,2,1,2,3,4,"
        "2026-11-28T23:59:59.900,2026-11-28T23:59:59.940,2026-11-28T23:59:59.900",
    ]


@pytest.mark.parametrize("broken", ["plot", "report", "write_video", "write_clips"])
@pytest.mark.slow
def test_a_picture_that_fails_is_a_warning_and_loses_no_score(run, gate, tmp_path, monkeypatch, broken: str):
    def fail(*_, **__):
        raise ValueError("no such backend")

    monkeypatch.setattr(f"oddframe.footage.outputs.{broken}", fail)
    told = []

    score(run, gate, out=tmp_path / "seen", fps=10, heat_video=True, clips=1, watch=told.append)

    file = {"plot": "curve.png", "report": "report.html", "write_video": "heat.mp4", "write_clips": "clips"}[broken]
    warnings = [one.note for one in told if one.stage == "warning"]
    assert warnings == [f"scores are written, {file} is not: ValueError: no such backend"]
    assert {entry.name for entry in (tmp_path / "seen").iterdir()} == set(FILES.values()) - {file}
    assert list(json.loads((tmp_path / "seen/scores.json").read_text())["lacking"].values()) == [
        "ValueError: no such backend"
    ]


def test_scores_are_on_disk_before_any_picture_is_begun(run, gate, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("oddframe.footage.outputs.plot", interrupted)

    with pytest.raises(KeyboardInterrupt):
        score(run, gate, out=tmp_path / "seen", fps=10)

    assert {entry.name for entry in (tmp_path / "seen").iterdir()} == {"scores.csv", "events.csv", "scores.json"}


@pytest.mark.slow
def test_each_of_the_highest_events_has_a_picture_and_a_short_video(run, gate, tmp_path):
    score(run, gate, out=tmp_path / "seen", fps=10, clips=3)

    assert [one.name for one in sorted((tmp_path / "seen/clips").iterdir())] == ["event-001.jpg", "event-001.mp4"]
    assert open_video(tmp_path / "seen/clips/event-001.mp4").frame_count == 48  # 12 to 60: two seconds on either side
    assert cv2.imread(str(tmp_path / "seen/clips/event-001.jpg")).shape == (48, 64, 3)


def test_the_box_of_the_heat_video_follows_what_is_odd(run, tmp_path, make_frame_folder):
    def crossing(index: int):
        picture = flashing(1000 + index)
        if 30 <= index < 50:
            picture[20:36, 2 * (index - 30) : 2 * (index - 30) + 12] = 255 * (index % 2)
        return picture

    video = open_video(make_frame_folder(tmp_path / "crossing", frames=60, pictures=crossing), fps=10)
    boxes = {frame.index: box for frame, _, box in Scorer(run).heat_frames(video)}

    assert boxes[48].x - boxes[34].x > 15
    assert boxes[48].y == pytest.approx(boxes[34].y, abs=8)


def test_what_an_open_video_makes_void_is_refused(run, gate):
    with pytest.raises(SettingsError, match="has its range and its rate already"):
        score(run, open_video(gate, fps=10), start="5", fps=10)
    with pytest.raises(SettingsError, match="without a folder nothing is written"):
        score(run, gate, fps=10, heat_video=True)


@pytest.mark.parametrize("said", ["noon", "2026-13-01", ""])
def test_a_time_of_day_that_is_none_is_refused_before_anything_is_read(run, tmp_path, said):
    with pytest.raises(SettingsError, match="no time of day"):
        score(run, tmp_path / "no-video.mp4", start_time=said)


def test_a_folder_without_a_run_is_refused_before_the_video_is_read(tmp_path):
    with pytest.raises(RunError, match="no run"):
        score(tmp_path / "nothing", tmp_path / "no-video.mp4")
