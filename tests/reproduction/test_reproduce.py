"""One command a table, on a set of tiny videos, with the detector that has nothing to train."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from oddframe.errors import RunError, SettingsError
from oddframe.evaluation.result import Result
from oddframe.progress import Progress
from oddframe.reproduction.cells import Budget
from oddframe.reproduction.frames import narrowed
from oddframe.reproduction.reproduce import reproduce
from oddframe.reproduction.rows import ROWS

pytestmark = pytest.mark.slow  # trainings

SMALL = ("model.size=[48, 64]", "model.channels=1", "data.heldout=0.3", "data.least_heldout=1", "data.folds=2")


def picture(name: str, index: int) -> np.ndarray:
    """A ground with a little noise; in test videos a bright square comes and goes in frames 20 to 29."""
    ground = np.random.default_rng(index).integers(90, 100, (48, 64, 1), np.uint8)
    if name.startswith("test") and 20 <= index < 30 and index % 2 == 0:
        ground[10:30, 10:30] = 255
    return ground


@pytest.fixture(scope="module")
def gate(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("set") / "gate"
    for name in ("normal/a", "normal/b", "normal/c", "test/one", "test/two", "test/three"):
        (home / name).mkdir(parents=True)
        for index in range(40):
            assert cv2.imwrite(str(home / name / f"{index:03}.png"), picture(name, index))
    (home / "labels.csv").write_text("video,start,end\none,20,30\ntwo,20,30\nthree,20,30\n")
    return home


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    """How far `made` was, from moment to moment."""
    return []


@pytest.fixture(scope="module")
def made(gate, told, tmp_path_factory) -> Path:
    """A folder in which the floor's cells of both folds are done."""
    out = tmp_path_factory.mktemp("made") / "table3"
    result = reproduce("table3", gate, out=out, preset="tiny", overrides=SMALL, rows=["framediff"], watch=told.append)
    assert result.failed == {}
    assert result.open_cells == ()
    return out


def cell(out: Path, fold: int) -> dict:
    return json.loads((out / "cells" / f"gate-framediff-fold{fold}.json").read_text())


def test_what_learns_nothing_of_a_fold_is_trained_once_and_judged_on_each(made):
    assert [one.name for one in (made / "runs").iterdir()] == ["gate-framediff-normal"]
    judged = {fold: {row["name"] for row in cell(made, fold)["table"]} for fold in (0, 1)}
    assert judged == {0: {"two"}, 1: {"one", "three"}}  # in natural order: one, three | two
    assert cell(made, 1)["protocol"] == "kfold"
    assert cell(made, 1)["folds"] == 2


def test_a_cell_says_what_it_was_given_and_how_long_it_learnt(made):
    said = cell(made, 0)["cell"]
    assert (said["row"], said["given"], said["steps"]) == ("framediff", "nothing", 0)
    assert cell(made, 0)["auc"]["online"]["micro"] > 0.5


def test_detectors_are_compared_on_the_frames_that_all_of_them_score(made):
    whole = Result.load(made / "runs" / "gate-framediff-normal")
    two = next(video for video in whole.scored if video.name == "two")  # 40 frames, of which the first has no score

    assert len(two.scores) == 39
    kept = narrowed(two, 9 - 1, 7 - 0)  # Table II: MemAE looks 7 frames ahead, Conv-AE nine back
    assert list(kept.scores.frame) == list(range(9, 33))
    assert kept.labels.sum() == two.labels.sum() == 10
    assert set(cell(made, 0)["cell"]["common"]) == {"4-0", "9-7"}


def test_what_is_done_is_left_alone(made, gate):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.json") if path.name != "plan.json"}

    reproduce("table3", gate, out=made, preset="tiny", overrides=SMALL, rows=["framediff"])

    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_table_is_written_in_four_styles(made):
    assert "frame differences" in (made / "table3.md").read_text()
    assert "\\toprule" in (made / "table3.tex").read_text()
    assert "<td" in (made / "table3.html").read_text()
    assert (made / "table3.csv").read_text().startswith("data,method,given,")


def test_showing_trains_nothing_and_names_what_is_open(gate, tmp_path):
    shown = reproduce(
        "table3", gate, out=tmp_path / "new", rows=["mem", "disc"], folds=[1], overrides=SMALL, train=False
    )

    assert shown.open_cells == ("gate-mem-fold1", "gate-disc-fold1")
    assert not (tmp_path / "new" / "runs").exists()


def test_cells_of_other_settings_are_not_mixed(made, gate):
    with pytest.raises(RunError, match="cells of other settings") as caught:
        reproduce("table3", gate, out=made, preset="tiny", rows=["framediff"])
    assert "data.heldout=0.3" in str(caught.value)


def test_cells_of_other_data_are_not_mixed(made, gate, tmp_path):
    out, changed = shutil.copytree(made, tmp_path / "made"), shutil.copytree(gate, tmp_path / "gate")
    (changed / "labels.csv").write_text("video,start,end\none,10,30\ntwo,20,30\nthree,20,30\n")
    with pytest.raises(RunError, match="cells of other settings"):
        reproduce("table3", changed, out=out, preset="tiny", overrides=SMALL, rows=["framediff"])


def spoil(made: Path, to: Path, change: Callable[[dict], None]) -> Path:
    """A copy of a folder with one cell changed."""
    out = shutil.copytree(made, to)
    content = cell(out, 1)
    change(content)
    (out / "cells" / "gate-framediff-fold1.json").write_text(json.dumps(content))
    return out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        # as a cell looks that was made when the preset held out less, or when a setting had another name
        (lambda one: one["settings"]["data"].update(heldout=0.1), "data.heldout: 0.1 there, 0.3 now"),
        (lambda one: one["settings"]["train"].update(epoch=5), "there is no setting 'train.epoch'"),
        (lambda one: one["data"].update(fingerprint="0" * 32), "data: other videos or labels"),
    ],
)
def test_a_cell_that_the_plan_would_not_make_is_refused_before_anything_is_trained(made, gate, tmp_path, change, said):
    out = spoil(made, tmp_path / "made", change)
    (out / "cells" / "gate-framediff-fold0.json").unlink()

    with pytest.raises(RunError, match="not what this folder's plan") as caught:
        reproduce("table3", gate, out=out, preset="tiny", overrides=SMALL, rows=["framediff"])

    assert said in str(caught.value)
    assert "gate-framediff-fold1.json" in str(caught.value)
    assert not (out / "cells" / "gate-framediff-fold0.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("cell"),
        lambda one: one["cell"].update(common=[]),
        lambda one: one["cell"]["common"]["4-0"].update(online=0.9),
    ],
)
def test_a_damaged_cell_is_named(made, gate, tmp_path, change):
    out = spoil(made, tmp_path / "made", change)

    with pytest.raises(RunError, match=r"the cell is damaged\n.*gate-framediff-fold1.json"):
        reproduce("table3", gate, out=out, preset="tiny", overrides=SMALL, rows=["framediff"], train=False)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}'])
def test_a_damaged_plan_is_named(made, gate, tmp_path, content):
    out = shutil.copytree(made, tmp_path / "made")
    (out / "plan.json").write_text(content)

    with pytest.raises(RunError, match=r"plan of this folder is damaged\n.*plan.json"):
        reproduce("table3", gate, out=out, preset="tiny", overrides=SMALL, rows=["framediff"], train=False)


def test_sets_that_would_share_their_cells_are_refused(gate, tmp_path):
    other = shutil.copytree(gate, tmp_path / "gate")

    with pytest.raises(SettingsError, match=r"two sets of one name[\s\S]*gate"):
        reproduce("table3", [gate, other], out=tmp_path / "out", overrides=SMALL)


def test_a_cell_that_fails_is_named_with_what_its_process_said_and_the_rest_goes_on(gate, tmp_path):
    out = tmp_path / "made"
    (out / "runs" / "gate-framediff-normal").mkdir(parents=True)
    (out / "runs" / "gate-framediff-normal" / "run.json").write_text("{}")

    result = reproduce("table3", gate, out=out, preset="tiny", overrides=SMALL, rows=["framediff"])

    assert list(result.failed) == ["gate-framediff-normal"]
    assert "run.json is damaged" in result.failed["gate-framediff-normal"]
    assert result.open_cells == ("gate-framediff-fold0", "gate-framediff-fold1")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"what": "table9"}, "no such table"),
        ({"what": "fig5", "folds": [0]}, "rates instead of folds"),
        ({"data": ()}, "needs data"),
        ({"folds": [2]}, "no such fold"),
        ({"jobs": 0}, "number of jobs"),
        ({"overrides": ["train.epoch=3"]}, "train.epoch"),
        ({"overrides": ["model.widht=3"]}, "model.widht"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_trained(gate, tmp_path, asked, said):
    with pytest.raises(SettingsError, match=said):
        reproduce(**{"what": "table3", "data": gate, "out": tmp_path / "out", "overrides": SMALL} | asked)
    assert not (tmp_path / "out").exists()


def test_a_row_without_a_network_is_asked_for_with_the_budget_of_those_that_have_one(gate, tmp_path):
    budget = [*SMALL, "model.width=4", "model.memory=dual"]

    shown = reproduce("table3", gate, out=tmp_path, overrides=budget, rows=["flow"], folds=[1], train=False)

    assert shown.open_cells == ("gate-flow-fold1",)


def test_progress_is_told_within_a_cell_and_in_per_cent_of_all(made, told):
    moments = [moment for moment in told if moment.stage == "making 2 cells, per cent"]
    assert (moments[0].done, moments[0].note) == (0, "0 of 2 done")
    assert any(moment.note.startswith("0 of 2 done; gate-framediff-normal: judging ") for moment in moments)
    assert [moment.done for moment in moments] == sorted(moment.done for moment in moments)
    assert (moments[-1].done, moments[-1].note) == (100, "2 of 2 done")


def test_a_run_of_a_table_names_the_command_that_makes_it_again(made, gate):
    command = json.loads((made / "runs/gate-framediff-normal/run.json").read_text())["command"]

    assert command.startswith(
        f"oddframe train {gate} --kind folder --out {made / 'runs/gate-framediff-normal'} --preset tiny"
    )
    assert "--set data.known_normal=drop" in command


@pytest.mark.parametrize(
    ("row", "size"),
    [("framediff", "[48, 64]"), ("ognet", "[45, 45]"), ("convae", "[48, 64]"), ("tsc", None)],
)
def test_a_size_of_all_rows_is_cut_to_what_each_detector_can_see(row, size):
    budget = Budget("tiny", ("model.size=[48, 64]", "train.epochs=1"))
    found = budget.overrides_for(next(one for one in ROWS["table2"] if one.key == row))
    assert found == ((f"model.size={size}",) if size else ()) + ("train.epochs=1",)
