"""The first minute: the detector that comes with the package fits its version, and finds what is odd."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest
from typer.testing import CliRunner

from oddframe.artefact import open_trained
from oddframe.cli.main import app
from oddframe.instant import MODEL

needs_runtime = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="the extra `runtime` is not installed")


def test_the_detector_of_the_package_is_small_and_opens_with_this_version():
    artefact = open_trained(MODEL)

    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 3_000_000
    assert artefact.about.graph == "model.onnx"
    assert artefact.settings.detector == "dream-unet"


@needs_runtime
@pytest.mark.slow
def test_the_first_minute_finds_what_is_labelled_without_torch_and_without_what_trains(tmp_path):
    blocked = ("torch", "sklearn", "scipy", "matplotlib", "tensorboard", "onnx", "openvino")
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({blocked!r}))\nfrom oddframe.cli.main import app\n"
        f"app(['demo', '--instant', '--out', {str(tmp_path)!r}, '--json'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    # drawn so: something is thrown in seconds 1.6 to 4.2, somebody cycles from second 7.4 on
    assert [(one["kind"], one["start"], one["end"]) for one in told["labelled"]] == [
        ("thrown-object", 20, 53),
        ("cyclist", 92, 150),
    ]
    for labelled in told["labelled"]:
        assert any(
            event["start"] < labelled["end"] and labelled["start"] < event["end"] for event in told["scores"]["events"]
        )
    assert (tmp_path / "instant/scores/report.html").is_file()


@pytest.mark.slow
def test_where_the_runtime_is_missing_the_line_to_type_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("oddframe.scoring.runtimes.choose.find_spec", lambda name: None)
    told = CliRunner().invoke(app, ["demo", "--instant", "--out", str(tmp_path)])

    assert told.exit_code == 1
    assert 'pip install "oddframe[runtime]"' in told.stderr
