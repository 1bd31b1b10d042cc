"""What version 0.1 left on people's disks still opens."""

from __future__ import annotations

import json

import numpy as np
import pytest

from oddframe.artefact import Artefact
from oddframe.errors import SettingsError
from oddframe.evaluation.result import Result
from oddframe.runs import Run
from oddframe.scoring.calibration_file import load_calibration
from oddframe.settings_layers import load_settings


def test_a_run_opens_with_its_split_its_weights_and_its_history(made_by_0_1):
    run = Run.open(made_by_0_1 / "dream")

    assert run.settings.model.items == 4
    assert run.info.split.test == ("calm", "odd")
    assert [(one.video, one.start, one.stop) for one in run.info.split.heldout] == [("day0", 54, 70), ("day2", 54, 70)]
    assert run.info.clips["normal"] == 166
    assert run.info.host.cores == 2
    assert sum(one.numel() for one in run.detector().parameters()) == run.info.parameters == 14_552
    assert run.history()[-1]["epoch"] == 1


def test_a_run_with_a_setting_that_is_gone_opens_and_says_so_if_it_was_in_use(made_by_0_1, tmp_path):
    content = json.loads((made_by_0_1 / "dream/run.json").read_text())
    assert content["settings"]["model"]["reseed"] is False
    content["settings"]["model"]["reseed"] = True
    (tmp_path / "run.json").write_text(json.dumps(content))

    notes = [
        [note for note in Run.open(folder).info.notes if "reseed" in note]
        for folder in (made_by_0_1 / "dream", tmp_path)
    ]

    assert notes == [[], ["it was trained with model.reseed=True, a setting that this version has no more"]]


def test_a_setting_that_is_gone_is_unknown_where_it_is_asked_for():
    with pytest.raises(SettingsError, match=r"there is no setting 'model\.reseed'"):
        load_settings("tiny", overrides=["model.reseed=true"])


def test_an_artefact_opens_with_its_origin_and_its_comparison(made_by_0_1):
    artefact = Artefact.open(made_by_0_1 / "artefact")

    assert artefact.settings.detector == "framediff"
    assert artefact.info.data.fingerprint == "33ac7dbc1354abd169f47ad7377f3fb5"
    assert artefact.parity()["fp32"]["differing"] == 0
    assert list(artefact.graph()) == ["model.onnx"]


@pytest.mark.parametrize("name", ["dream", "artefact"])
def test_calibrations_and_results_open_with_every_score(made_by_0_1, name):
    assert load_calibration(made_by_0_1 / name).line.on > 0

    result = Result.load(made_by_0_1 / name)

    assert [video.name for video in result.scored] == ["calm", "odd"]
    assert result.auc["online"]["micro"] == pytest.approx({"dream": 0.815, "artefact": 0.799}[name], abs=5e-4)
    assert result.scored[1].labels.sum() == 10
    assert np.isfinite(result.scored[0].scores.online).all()
