"""The newcomer's ten minutes, in small."""

from __future__ import annotations

import pytest

from oddframe.demo import demo
from oddframe.errors import StorageError


@pytest.mark.long
@pytest.mark.slow
def test_the_demo_ends_with_a_page_and_goes_on_when_called_again(tmp_path):
    stages: list[str] = []
    few = {"scale": "tiny", "overrides": ["data.least_heldout=1"]}
    first = demo(tmp_path / "demo", **few, watch=lambda moment: stages.append(moment.stage))

    assert first.report == tmp_path / "demo/run/report.html"
    assert first.report.stat().st_size > 50_000
    assert first.result.classes["unknown"]["kinds"]
    assert "training" in stages

    (tmp_path / "demo/run/report.html").unlink()
    weights = (tmp_path / "demo/run/weights.safetensors").stat().st_mtime_ns
    stages.clear()
    again = demo(tmp_path / "demo", **few, watch=lambda moment: stages.append(moment.stage))

    assert again.report.is_file()
    assert again.result.auc == first.result.auc
    assert "training" not in stages
    assert (tmp_path / "demo/run/weights.safetensors").stat().st_mtime_ns == weights


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "demo/data").mkdir(parents=True)
    (tmp_path / "demo/data/thesis.txt").write_text("precious")

    with pytest.raises(StorageError, match="taken"):
        demo(tmp_path / "demo", scale="tiny")
    assert (tmp_path / "demo/data/thesis.txt").read_text() == "precious"
