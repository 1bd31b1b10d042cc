"""What `oddframe bench` measures. No test asks how fast this machine is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import oddframe as odd
from oddframe.benchmarking import contenders
from oddframe.benchmarking.bench import bench, summarise
from oddframe.benchmarking.contenders import Frames, Scoring
from oddframe.benchmarking.plot import plot
from oddframe.benchmarking.process import Process
from oddframe.benchmarking.steps import Steps
from oddframe.benchmarking.untrained import untrained_run
from oddframe.errors import MissingPathError, SettingsError, WorkerError
from oddframe.progress import unwatched
from oddframe.runs import peak_memory_mb
from oddframe.settings_layers import load_settings

from .conftest import _make_video

SMALL = ("model.size=[48, 64]", "model.width=4", "train.batch=2", "train.abnormal_batch=2")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make_video(tmp_path_factory.mktemp("bench") / "gate.mp4", frames=40)


@pytest.fixture(scope="module")
def run(video: Path) -> odd.Run:
    return untrained_run(video.parent / "run", load_settings("tiny", overrides=SMALL), video, unwatched)


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of contenders in this process."""
    monkeypatch.setattr(contenders, "TURN_S", 0.01)


def test_a_figure_is_the_median_with_its_quartiles() -> None:
    assert summarise([5.0, 1.0, 2.0, 3.0, 4.0]) == {"median": 3.0, "lower": 2.0, "upper": 4.0}
    assert summarise([7.0]) == {"median": 7.0, "lower": 7.0, "upper": 7.0}


def test_an_untrained_run_scores_video_as_a_trained_one_does(run: odd.Run, video: Path) -> None:
    assert run.finished
    assert len(odd.score(run, video)) == 36


def test_pictures_come_from_the_file_and_from_the_store(video: Path) -> None:
    with Frames(str(video), (24, 32), 1, "area") as frames:
        assert frames.about == {"source": {"size": (48, 64), "fps": 12.5}, "picture": [24, 32, 1]}
        assert all(rate > 0 for rate in frames.turn().values())


@pytest.mark.slow
def test_a_batch_larger_than_the_video_is_scored_all_the_same(run: odd.Run, video: Path) -> None:
    with Scoring(str(run.folder), "torch", 50, "cpu", str(video)) as scoring:
        assert set(scoring.turn()) == {"network", "scored"}


@pytest.mark.slow
def test_each_step_but_the_first_is_timed_and_waiting_is_a_part_of_it(run: odd.Run) -> None:
    steps = Steps(run.settings, "cpu")
    taken = steps.take(steps.made_clips(3))

    assert len(taken) == 2
    assert all(0 <= waited <= seconds for seconds, waited in taken)
    assert steps.flops() > 0


@pytest.mark.slow
def test_the_memory_of_a_contender_is_not_that_of_its_parent(video: Path) -> None:
    held = np.ones(400 * 2**20, np.uint8)
    process = Process("frames", video=str(video), size=[24, 32], channels=1, resize="area")
    try:
        assert process.turn()["decoded"] > 0
        assert 0 < process.peak_memory_mb < held.nbytes / 2**20 < peak_memory_mb()
    finally:
        process.close()


@pytest.mark.slow
def test_what_a_contender_finds_wrong_is_said_as_anywhere(tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match="there is no such video"):
        Process("frames", video=str(tmp_path / "none.mp4"), size=[24, 32], channels=1, resize="area")


@pytest.mark.slow
def test_a_contender_that_is_killed_is_known_as_lost(video: Path) -> None:
    process = Process("frames", video=str(video), size=[24, 32], channels=1, resize="area")
    try:
        process._worker._process.kill()
        with pytest.raises(WorkerError, match="the process that is measured died"):
            process.turn()
    finally:
        process.close()


@pytest.mark.parametrize("wrong", [{"batches": (0,)}, {"batches": ()}, {"repeats": 0}])
def test_numbers_below_one_are_refused(run: odd.Run, wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match="nothing can be measured"):
        bench([run], **wrong)  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.slow
def test_all_of_a_run_is_measured_in_turns(run: odd.Run, video: Path, tmp_path: Path) -> None:
    moments = []
    found = bench([run], video=video, batches=(1,), repeats=2, device="cpu", watch=moments.append)

    assert str(video.parent) not in json.dumps(found.to_dict())
    scored = {one["backend"]: one for one in found["scoring"]}
    assert set(scored) | {left.split(", ")[1].split(":")[0] for left in found["left_out"]} == {"torch", "torch-bf16"}
    torch = scored["torch"]
    assert torch["gflop"] > 0
    assert torch["share"] == pytest.approx(
        torch["gflop"] * torch["network"]["median"] / found["limit"]["fp32"]["median"]
    )
    (training,) = found["training"]
    assert training["step"]["lower"] <= training["step"]["median"] <= training["step"]["upper"]
    turns = [moment.note for moment in moments if moment.stage == "measuring"]
    assert turns[: len(turns) // 2] == turns[len(turns) // 2 : -1]
    plot(found, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 1000
