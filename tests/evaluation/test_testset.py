"""What was said when a run's data were opened holds for every verb that opens them again."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.shared import FLOOR

from oddframe.data.open import open_source
from oddframe.data.source import DataSource
from oddframe.errors import MissingPathError, NothingToJudgeError, RunError, SettingsError
from oddframe.evaluation.evaluate import evaluate
from oddframe.evaluation.result import Result
from oddframe.evaluation.testset import judged_source, trained_source
from oddframe.exporting.footage import gather
from oddframe.progress import unwatched
from oddframe.reporting.pages import judged_with, report
from oddframe.reproduction import cells
from oddframe.reproduction.cells import Budget, Part, work_on
from oddframe.reproduction.rows import rows_of
from oddframe.runs import Run
from oddframe.training.train import train

FLASH = range(20, 30)


def picture(index: int, *, odd: bool) -> np.ndarray:
    """(48, 64) grey: a ground with noise, on which a square comes or goes in each frame of `FLASH` if it is odd."""
    ground = np.random.default_rng(index).integers(90, 100, (48, 64), np.uint8)
    if odd and index in FLASH and index % 2 == 0:
        ground[10:30, 10:30] = 255
    return ground


def trained(data, out: Path) -> Run:
    return train(data, out=out, preset="paper", detector="framediff", overrides=FLOOR)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """`camera` with frames without a rate, `odd.csv` and `drawn` beside it, and a `run` that was told of all three."""
    home = tmp_path_factory.mktemp("said")
    for name, odd in (("normal/a", False), ("normal/b", False), ("normal/c", False), ("test/flash", True)):
        (home / "camera" / name).mkdir(parents=True)
        for index in range(40):
            assert cv2.imwrite(str(home / "camera" / name / f"{index:03}.png"), picture(index, odd=odd))
    (home / "drawn/flash").mkdir(parents=True)
    for index in FLASH:
        assert cv2.imwrite(str(home / f"drawn/flash/{index:03}.png"), np.full((48, 64), 255, np.uint8))
    (home / "odd.csv").write_text("video,start,end\nflash,0:02,0:03\n")
    source = DataSource(paths=(home / "camera",), fps=10, labels=(home / "odd.csv",), masks=home / "drawn")
    trained(source, home / "run")
    return home


@pytest.fixture
def home(made, tmp_path) -> Path:
    """A copy, at another place, which a test may spoil."""
    return shutil.copytree(made, tmp_path / "home")


@pytest.mark.slow
def test_eval_judges_at_the_rate_and_with_the_labels_and_masks_of_the_training(home):
    result = evaluate(home / "run", places=True)

    # seconds 2 to 3 at 10 fps: without the rate the label file cannot even be read
    assert result.scored[0].stretches() == [(20, 30)]
    assert result.scored[0].scores.fps == 10
    assert result.events.false_per_hour is not None
    assert result.places.frames > 0
    assert not any("differ" in note for note in result.notes)


@pytest.mark.slow
def test_report_shows_the_videos_that_were_judged(home):
    evaluate(home / "run")

    source = judged_with(home / "run")
    page = report(home / "run").read_text()

    assert (source.fps, source.labels, source.masks) == (10, (home / "odd.csv",), home / "drawn")
    assert "data:image" in page
    assert "has no pictures" not in page


@pytest.mark.slow
def test_report_is_told_where_the_videos_are_now(home):
    evaluate(home / "run")
    (home / "camera").rename(home / "moved")

    assert "has no pictures" in report(home / "run").read_text()
    moved = judged_with(home / "run", [home / "moved"])
    assert "data:image" in report(home / "run", data=moved).read_text()
    with pytest.raises(MissingPathError):
        report(home / "run", data=judged_with(home / "run", [home / "nowhere"]))


def test_export_compares_on_videos_at_the_rate_of_the_training(home):
    footage = gather(Run.open(home / "run"), (), (), None)

    assert [look.fps for look in footage.looks] == [10, 10]
    assert not footage.made


def test_reproduce_tells_its_processes_what_was_said(home):
    orders: list[dict] = []

    class Workers:
        @contextmanager
        def start(self, *_, **__):
            yield self

        def ask(self, order, _):
            orders.append(order)

    source = DataSource(paths=(home / "camera",), fps=10, labels=(home / "odd.csv",), masks=home / "drawn")
    videos = open_source(source)
    work = work_on([videos], rows_of("table2", ("mnad",)), [Part("fold0", "kfold", "fold", 0)])[0]

    with pytest.raises(RunError):  # nothing was trained
        cells._do(work, home / "out", Budget("tiny", (), "cpu"), Workers(), unwatched)
    assert [sorted(order) for order in orders] == [["command", "train"], ["command", "judge"]]
    sent = [json.loads(json.dumps(order[what]))["data"] for order, what in zip(orders, ("train", "judge"), strict=True)]
    assert [DataSource.model_validate(one) for one in sent] == [videos.source, videos.source]
    words = cells._command(work, Budget("tiny", (), "cpu"), home / "out")
    for option, value in (("--fps", "10.0"), ("--labels", home / "odd.csv"), ("--masks", home / "drawn")):
        assert words[words.index(option) + 1] == str(value)


def test_what_is_said_otherwise_when_judging_wins(home):
    run = Run.open(home / "run")
    (home / "more.csv").write_text("video,start,end\nflash,0:01,0:02\n")

    result = evaluate(run, judged_source(run, labels=(home / "more.csv",)))

    assert result.scored[0].stretches() == [(10, 20)]


def test_a_training_does_not_go_on_at_another_rate(home):
    source = trained_source(Run.open(home / "run"), fps=12.0)

    with pytest.raises(RunError, match=r"data.fps: 10.0 there, 12.0 now"):
        trained(source, home / "run")


def test_a_run_without_a_recipe_is_judged_with_a_note(home):
    path = home / "run/run.json"
    info = json.loads(path.read_text())
    info["data"] |= {"source": None, "root": "../camera"}
    path.write_text(json.dumps(info))
    run = Run.open(home / "run")

    result = evaluate(run, judged_source(run, fps=10.0, labels=(home / "odd.csv",)))

    assert any("did not keep --fps" in note for note in result.notes)
    assert result.scored[0].stretches() == [(20, 30)]


# Runs of plain video files ----------------------------------------------------------------------------------------


@pytest.fixture
def gate(tmp_path, make_video) -> Path:
    """`gate.mp4` flashes behind its second 8, `labels.csv` says so; `run` knows what comes before."""

    make_video(tmp_path / "gate.mkv", 120, 10, grey=True, codec="ffv1", pictures=_frame)
    (tmp_path / "labels.csv").write_text("video,start,end\ngate,100,110\n")
    trained(DataSource(paths=(tmp_path / "gate.mkv",), end="0:08"), tmp_path / "run")
    return tmp_path


def _frame(index: int) -> np.ndarray:
    return picture(max(index - 80, 0) if index >= 80 else 1000 + index, odd=index >= 80)[:, :, None]


@pytest.mark.slow
def test_a_run_of_the_beginning_of_a_file_is_judged_on_the_rest_of_it(gate):
    run = Run.open(gate / "run")

    result = evaluate(run, judged_source(run, labels=(gate / "labels.csv",)))

    assert result.table[0].name == "gate"
    assert result.file_name == "eval-standard.json"
    assert result.scored[0].scores.frame[0] == 81
    assert result.scored[0].stretches() == [(100, 110)]
    assert result.auc["motion"].micro == 1.0
    assert "data:image" in report(gate / "run").read_text()


@pytest.mark.slow
def test_a_run_of_plain_files_is_judged_on_other_files(gate):
    shutil.copy(gate / "gate.mkv", gate / "other.mkv")
    (gate / "labels.csv").write_text("video,start,end\nother,100,110\n")
    run = Run.open(gate / "run")

    result = evaluate(run, judged_source(run, [gate / "other.mkv"], labels=(gate / "labels.csv",)))

    assert result.scored[0].stretches() == [(100, 110)]
    assert result.file_name == f"eval-standard.data{result.data.fingerprint[2:10]}.json"
    assert Result.load(gate / "run").data.source.paths == (Path("../other.mkv"),)


def test_frames_that_were_trained_on_are_not_judged(gate):
    run = Run.open(gate / "run")

    with pytest.raises(SettingsError, match=r"(?s)frames of 'gate' were trained on.*none of 0 to 79.*--start 0:08"):
        evaluate(run, judged_source(run, [gate / "gate.mkv"], labels=(gate / "labels.csv",)))


def test_a_run_of_whole_files_says_what_it_can_be_judged_on(gate):
    run = trained(gate / "gate.mkv", gate / "whole")

    with pytest.raises(NothingToJudgeError, match=r"--data VIDEO --labels labels.csv"):
        evaluate(run)


def test_a_run_of_plain_files_exports_with_its_own_video(gate):
    footage = gather(Run.open(gate / "run"), (), (), None)

    assert not footage.made
    assert [look.name for look in footage.looks] == ["gate"]
