"""What is kept of Table IV and Fig. 6: looked into once, and never by showing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from oddframe.errors import RunError
from oddframe.evaluation import analysis
from oddframe.evaluation.analysed import Analysis, Distances, Space
from oddframe.progress import unwatched
from oddframe.reproduction.cells import Work, fold_part
from oddframe.reproduction.rows import rows_of
from oddframe.reproduction.spaces import analyses, draw_feature_spaces, ratios_table


def space(of: str) -> Space:
    return Space(branch="normality", of=of, points=[[0.0, 1.0], [2.0, 3.0]], abnormal=[False, True])


FOUND = Analysis(
    detector="dream-unet",
    run="run",
    clips={"normal": 1, "abnormal": 1},
    distances={"normal": Distances(clips=1, own=0.25, other=0.5, ratio=0.5, inverse=2.0)},
    memories={},
    spaces=(space("clips"), space("places")),
    notes=(),
)


@pytest.fixture
def work(tmp_path) -> Work:
    """DREAM of Table III on a set called gate, fold 0, trained and judged."""
    (row,) = rows_of("table4")
    one = Work(SimpleNamespace(kind="folder", name="gate"), row, (fold_part(0),))
    cell = one.cell(tmp_path, one.parts[0])
    cell.parent.mkdir()
    cell.write_text("{}")
    return one


@pytest.fixture
def computed(monkeypatch) -> list[object]:
    """The run folders that were looked into."""
    folders = []
    monkeypatch.setattr(analysis, "analyse", lambda folder, *_, **__: folders.append(folder) or FOUND)
    return folders


def looked_into(out, work, *, make):
    return analyses(out, [work], "cpu", unwatched, make=make)


def test_a_run_is_looked_into_once_and_the_result_stays_beside_its_cell(tmp_path, work, computed):
    first, second = (looked_into(tmp_path, work, make=True) for _ in range(2))

    assert computed == [tmp_path / "runs/gate-dual-disc-fold0"]
    assert (tmp_path / "cells/gate-dual-disc-fold0.spaces.json").is_file()
    assert first[0][1].to_dict() == second[0][1].to_dict() == FOUND.to_dict()


def test_showing_looks_into_nothing_and_shows_what_is_there(tmp_path, work, computed):
    assert looked_into(tmp_path, work, make=False) == []
    assert computed == []

    looked_into(tmp_path, work, make=True)
    ((_, shown),) = looked_into(tmp_path, work, make=False)

    assert len(computed) == 1
    assert shown.distances == FOUND.distances


def test_what_is_not_judged_is_not_looked_into(tmp_path, work, computed):
    work.cell(tmp_path, work.parts[0]).unlink()

    assert looked_into(tmp_path, work, make=True) == []
    assert computed == []


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_analysis_is_named(tmp_path, work, content):
    work.spaces(tmp_path).write_text(content)

    with pytest.raises(RunError, match=r"fold0\.spaces\.json"):
        looked_into(tmp_path, work, make=False)


def test_table_and_picture_are_made_of_what_is_kept(tmp_path, work, computed):
    found = looked_into(tmp_path, work, make=True)

    normal, abnormal = ratios_table(["gate"], found).rows
    assert normal == ("gate", "r_normal", "0.25", "0.50", "0.50", "2.00", "", "1")
    assert abnormal[-1] == "0"
    assert draw_feature_spaces(tmp_path / "fig6.png", found) == (tmp_path / "fig6.png",)
    assert (tmp_path / "fig6.png").stat().st_size > 1000
    assert draw_feature_spaces(tmp_path / "none.png", []) == ()
