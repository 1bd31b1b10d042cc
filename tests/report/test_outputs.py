"""One's own video: scores, and the files that show them."""

from __future__ import annotations

import csv

import av
import cv2
import numpy as np
import pytest

from oddframe.errors import RunError
from oddframe.report.outputs import FILES, score, write_events
from oddframe.scoring.scores import Box, Event
from oddframe.training.train import train
from oddframe.video.source import open_video


def flashing(index: int) -> np.ndarray:
    """Noise, in which a bright square comes or goes in frames 32, 34, ... 50."""
    picture = np.random.default_rng(index).integers(90, 100, (48, 64, 1), np.uint8)
    if 30 <= index < 50 and index % 4 < 2:
        picture[8:24, 40:56] = 255
    return picture


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Frame differences, calibrated on noise."""
    home = tmp_path_factory.mktemp("gate")
    for index in range(80):
        (home / "normal").mkdir(exist_ok=True)
        cv2.imwrite(str(home / "normal" / f"{index:03}.png"), flashing(1000 + index))
    sizes = ["model.size=[48, 64]", "model.channels=1", "data.heldout=0.5", "score.online=[psnr, local_error]"]
    return train(home / "normal", out=home / "run", preset="paper", detector="framediff", overrides=sizes)


@pytest.fixture
def gate(tmp_path, make_frame_folder):
    return make_frame_folder(tmp_path / "gate", frames=60, pictures=flashing)


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
