"""One's own video: scores, and the files that show them."""

from __future__ import annotations

import csv
import os
import threading

import av
import pytest

from oddframe.errors import RunError, StorageError
from oddframe.footage.folder import FILES, PARTIAL
from oddframe.footage.outputs import score, write_events
from oddframe.scoring.scores import Box, Event
from oddframe.video.open import open_video


def test_scores_of_a_video_come_without_files(run, gate, tmp_path):
    scores = score(run.folder, gate, fps=10)

    assert scores.frame[0] == 1
    assert [(event.start, event.end) for event in scores.events] == [(32, 51)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["gate"]


def test_all_files_are_written_and_fit_each_other(run, gate, tmp_path):
    scores = score(run, gate, out=tmp_path / "seen", fps=10, heat_video=True)

    assert {entry.name for entry in (tmp_path / "seen").iterdir()} == set(FILES.values())
    rows = list(csv.DictReader((tmp_path / "seen/events.csv").open()))
    assert [(row["start"], row["end"], row["start_s"]) for row in rows] == [("32", "51", "3.200")]
    assert open_video(tmp_path / "seen/heat.mp4").frame_count == len(scores) + 1


def test_a_full_disk_is_one_clear_error_and_what_was_finished_before_is_kept(run, gate, tmp_path, dev_full):
    score(run, gate, out=tmp_path / "before", fps=10)
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / PARTIAL).symlink_to(dev_full)

    with pytest.raises(StorageError, match=r"disk is full\n.*scores.partial.csv\n.*MB are free\n.*free some space"):
        score(run, gate, out=tmp_path / "seen", fps=10)

    assert {entry.name for entry in (tmp_path / "before").iterdir()} == set(FILES.values()) - {"heat.mp4"}
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


def test_the_heat_video_marks_the_place_and_leaves_the_rest(run, gate, tmp_path):
    score(run, gate, out=tmp_path / "seen", fps=10, heat_video=True)

    with av.open(str(tmp_path / "seen/heat.mp4")) as file:
        pixels = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)][32].astype(int)
    colour = pixels.max(axis=2) - pixels.min(axis=2)
    assert colour[8:24, 40:56].mean() > 30
    assert colour[:, :20].mean() < 10


def test_an_event_is_a_row_and_what_is_unknown_stays_empty(tmp_path, scored):
    scores = scored([0, 0, 5, 5, 0])
    events = (Event(6, 8, 6, 5.0, None, None, None, None), Event(9, 10, 9, 4.0, 0.9, 0.9, 0.9, Box(1, 2, 3, 4)))
    object.__setattr__(scores, "events", events)

    assert write_events(scores, tmp_path / "events.csv").read_text().splitlines() == [
        "start,end,start_s,end_s,peak,peak_s,score,x,y,width,height",
        "6,8,,,6,,5,,,,",
        "9,10,0.900,0.900,9,0.900,4,1,2,3,4",
    ]


def test_a_folder_without_a_run_is_refused_before_the_video_is_read(tmp_path):
    with pytest.raises(RunError, match="no run"):
        score(tmp_path / "nothing", tmp_path / "no-video.mp4")
