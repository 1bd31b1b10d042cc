"""Queries and memories of a small network with drawn weights, and the sums behind the figures by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.errors import NothingToJudgeError, RunError
from oddframe.evaluation.analysed import Analysis
from oddframe.evaluation.analysis import _chosen, _Gathered, analyse, farthest
from oddframe.models.weights import build_detector, save_tensors
from oddframe.reporting.memories import drawn_analysis
from oddframe.reporting.spaces import draw_spaces
from oddframe.runs import Run
from oddframe.settings_layers import load_settings


def unit(*degrees: float) -> np.ndarray:
    """(K, 2) unit vectors at these angles."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def clip(*degrees: float) -> np.ndarray:
    """(2, 1, K): the queries of a clip of one row."""
    return unit(*degrees).T[:, None]


@pytest.fixture
def run(tmp_path, make_run):
    """`run("dual")`: a run as training leaves it, whose weights are those that were drawn; data with one odd video."""

    def make(memory: str, labels: str = "video,start,end\nflash,10,20\n") -> Run:
        for video in ("normal/a", "test/calm", "test/flash"):
            (tmp_path / "gate" / video).mkdir(parents=True)
            for index in range(24):
                picture = np.random.default_rng(index).integers(0, 255, (16, 24, 1), np.uint8)
                assert cv2.imwrite(str(tmp_path / "gate" / video / f"{index:03}.png"), picture)
        (tmp_path / "gate" / "labels.csv").write_text(labels)
        settings = load_settings("paper", model={"size": [16, 24], "channels": 1, "width": 4, "memory": memory})
        folder = tmp_path / "run"
        run = make_run(folder, settings, data={"root": "../gate", "kind": "folder"}, split={"test": ["calm", "flash"]})
        save_tensors(build_detector("dream-unet", settings.model, 1).state_dict(), folder / "weights.safetensors")
        return run

    return make


# Sums by hand ---------------------------------------------------------------------------------------------------


def test_the_distance_of_a_clip_is_the_largest_to_a_nearest_item():
    # nearest items at 0, 0 and 90 degrees: angles of 10, 60 (chord 1) and 30 degrees
    assert farthest(unit(-10, -60, 120), unit(0, 90)) == pytest.approx(1.0)


def test_both_ratios_come_from_sums_over_clips():
    gathered = _Gathered({"normality": unit(0), "abnormality": unit(180)}, np.random.default_rng(0))
    gathered.take({"normality": clip(0, 60), "abnormality": clip(0, 0)}, abnormal=False, odd=None)
    gathered.take({"normality": clip(0, 0), "abnormality": clip(0, 0)}, abnormal=False, odd=None)
    gathered.take({"normality": clip(0, 0), "abnormality": clip(180, 120)}, abnormal=True, odd=None)

    found = gathered.analysis(SimpleNamespace(settings=SimpleNamespace(detector="d"), folder="r"), 0)

    # own: 1 and 0; other: both clips hold a query at 0 degrees, which is 2 away
    normal, abnormal = found.distances["normal"], found.distances["abnormal"]
    assert (normal.clips, normal.own, normal.other) == (2, pytest.approx(0.5), pytest.approx(2.0))
    assert (normal.ratio, normal.inverse) == (pytest.approx(0.25), pytest.approx(4.0))
    # 120 degrees is 60 from its own item; 180 is opposite to the other
    assert (abnormal.own, abnormal.other) == (pytest.approx(1.0), pytest.approx(2.0))


def test_items_that_no_query_of_either_kind_chooses_are_dead():
    gathered = _Gathered({"normality": unit(0, 60, 180)}, np.random.default_rng(0))
    gathered.take({"normality": clip(1, 2, 3, 59)}, abnormal=False, odd=None)
    gathered.take({"normality": clip(61, 62)}, abnormal=True, odd=None)

    use = gathered._use("normality")

    assert use.share == {"normal": (0.75, 0.25, 0.0), "abnormal": (0.0, 1.0, 0.0)}
    assert use.dead == (2,)
    assert use.largest_similarity == pytest.approx(0.5)


def test_the_single_query_of_an_abnormal_clip_lies_under_the_mask():
    gathered = _Gathered({}, np.random.default_rng(0))
    odd = np.zeros((8, 32), bool)
    odd[:, 16:24] = True

    for _ in range(20):
        gathered.take({"normality": clip(0, 30, 60, 90)}, abnormal=True, odd=odd)

    assert np.allclose(gathered._points["normality", "places"], unit(60))


def test_clips_of_one_label_are_taken_evenly_and_mixed_ones_never():
    labels = np.array([letter == "1" for letter in "0000011111000"])
    video = SimpleNamespace(labels=labels)

    chosen = _chosen([video, video], 3, 2)

    # normal clips begin at 0, 1, 2, 10 in either video: the first and the last of all; abnormal ones at 5, 6, 7
    assert [tuple(one) for one in chosen] == [(0, 0, False), (0, 5, True), (1, 7, True), (1, 10, False)]


# A whole run ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_with_two_memories_has_distances_use_and_four_panels(run, tmp_path):
    found = analyse(run("dual"), clips=6)

    assert found.clips == {"normal": 6, "abnormal": 6}
    assert all(0 <= one.own <= 2 and one.ratio * one.inverse == pytest.approx(1) for one in found.distances.values())
    assert [sum(use.share["normal"]) for use in found.memories.values()] == [pytest.approx(1), pytest.approx(1)]
    assert [(space.branch, space.of) for space in found.spaces] == [
        ("normality", "clips"), ("normality", "places"), ("abnormality", "clips"), ("abnormality", "places"),
    ]  # fmt: skip
    assert all(space.points.shape == (12, 2) and space.abnormal.sum() == 6 for space in found.spaces)
    dead = found.memories["normality"].dead
    assert json.loads(json.dumps(found.to_dict()))["memories"]["normality"]["dead"] == list(dead)
    assert len(draw_spaces(found, path=tmp_path / "new" / "spaces.png").axes) == 4
    assert (tmp_path / "new" / "spaces.png").stat().st_size > 1000


@pytest.mark.slow
def test_an_analysis_comes_back_as_it_was(run):
    found = analyse(run("dual"), clips=6)

    again = Analysis.load(found.run)

    assert again.to_dict() == found.to_dict()
    assert (again.distances, again.memories) == (found.distances, found.memories)
    assert all(np.array_equal(one.points, other.points) for one, other in zip(again.spaces, found.spaces, strict=True))


@pytest.mark.slow
def test_an_analysis_of_another_format_is_refused(run, tmp_path):
    made = analyse(run("none"), clips=3)
    path = made.changed(format=99).save(tmp_path)

    with pytest.raises(RunError, match="another format"):
        Analysis.load(path)


def test_one_memory_has_no_other_to_measure_against(run):
    found = analyse(run("single"), clips=3)

    assert found.distances == {}
    assert len(found.memories["normality"].similarity) == 20
    assert any("abnormality memory" in note for note in found.notes)


@pytest.mark.slow
def test_without_a_memory_the_spaces_are_left(run):
    found = analyse(run("none"), clips=3)

    assert found.memories == {}
    assert len(found.spaces) == 2


def test_without_abnormal_clips_that_is_said(run):
    found = analyse(run("dual", labels="video,start,end\nflash,10,12\n"), clips=5)

    assert found.clips == {"normal": 5, "abnormal": 0}
    assert "abnormal" not in found.distances
    assert any("abnormal throughout" in note for note in found.notes)


def test_no_clip_of_one_kind_cannot_be_analysed(run):
    rows = "".join(f"{video},{start},{start + 1}\n" for video in ("calm", "flash") for start in range(0, 24, 2))

    with pytest.raises(NothingToJudgeError, match="all normal or all abnormal"):
        analyse(run("dual", labels="video,start,end\n" + rows))


@pytest.mark.slow
def test_what_was_found_is_left_in_the_run_for_its_page(run):
    opened = run("dual")

    found = analyse(opened, clips=6)

    drawn = drawn_analysis(opened.folder)
    assert drawn.distances["normal"]["inverse"] == found.distances["normal"].inverse
    assert [memory.size for memory in drawn.memories] == [10, 10]
    assert [space.dots["abnormal"].count("M") for space in drawn.spaces] == [6, 6, 6, 6]


@pytest.mark.slow
def test_the_verb_tells_distances_and_memories_and_leaves_the_picture(run):
    folder = run("dual").folder

    told = CliRunner().invoke(app, ["analyse", str(folder), "--clips", "3"])

    assert told.exit_code == 0, told.output
    assert "other/own" in told.stdout
    assert (folder / "analysis" / "spaces.png").is_file()
