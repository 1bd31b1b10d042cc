"""Where an artefact is scored there need be no torch, no scikit-learn, nothing to draw with; or no oddframe at all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

import oddframe as odd
from oddframe.artefact import Artefact, write_artefact

from ..conftest import _make_video, moving_square

pytestmark = pytest.mark.slow  # a training, and graphs of it

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `runtime` is not installed")

BLOCKED = ("torch", "sklearn", "scipy", "matplotlib", "tensorboard", "onnx", "onnxscript", "openvino", "nncf")

_SCORE = """
import json, sys
sys.modules.update(dict.fromkeys({blocked!r}))
import oddframe as odd
from oddframe.cli.main import app
scores = odd.score({artefact!r}, {video!r}, backend="onnxruntime")
print(json.dumps([len(scores), float(scores.online.max())]))
fitting = odd.calibrate({artefact!r}, [{video!r}], out={out!r} + "-fitting", backend="onnxruntime")
fitted = odd.score({artefact!r}, {video!r}, fitting=fitting, backend="onnxruntime")
assert fitted.line.on == fitting.line.on
app(["score", {video!r}, "--run", {artefact!r}, "--backend", "onnxruntime", "--out", {out!r}])
"""


def test_an_artefact_is_scored_without_torch_and_all_that_trains_and_draws(artefact, day, tmp_path):
    out = tmp_path / "scores"
    code = _SCORE.format(blocked=BLOCKED, artefact=str(artefact.folder), video=str(day), out=str(out))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    frames, highest = json.loads(done.stdout.splitlines()[0])
    assert frames == 36
    assert highest == pytest.approx(float(odd.score(artefact, day, backend="onnxruntime").online.max()), rel=1e-5)
    assert {path.name for path in out.iterdir()} == {"scores.csv", "events.csv", "scores.json", "report.html"}
    assert "curve.png is not" in done.stderr
    assert "The page:" in done.stdout


@pytest.mark.long
def test_the_extra_runtime_is_enough(artefact, day, tmp_path):
    """In a virtual environment of its own, from the package index."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env/bin/python"
    pip = [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", f"{ROOT}[runtime]"]
    installed = subprocess.run(pip, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"the package index cannot be reached: {installed.stderr.strip().splitlines()[-1]}")

    command = [python, "-m", "oddframe", "score", day, "--run", artefact.folder, "--out", tmp_path / "out", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["videos"][0]["frames"] == 36
    assert not list((tmp_path / "env").rglob("site-packages/torch"))


@pytest.mark.parametrize("resize", ["area", "linear"])
def test_the_script_of_the_how_to_needs_onnxruntime_alone_and_resizes_as_the_run_did(artefact, tmp_path, resize):
    """Fine stripes tell the two ways apart: averaged they are grey, interpolated they flicker."""

    def stripes(index: int):
        ground = moving_square(index, (144, 192))
        ground[:, (np.arange(192) + index) % 3 == 0] //= 3
        return ground

    _make_video(tmp_path / "gate.mp4", frames=12, size=(144, 192), pictures=stripes)
    model = Artefact.open(shutil.copytree(artefact.folder, tmp_path / "gate-model"))
    data = model.settings.data.model_copy(update={"resize": resize})
    model = write_artefact(model.folder, model.about.changed(settings=model.settings.model_copy(update={"data": data})))
    (code,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/how-to/export.md").read_text("utf-8"), re.M | re.S)
    block = f"import sys\nsys.modules.update(dict.fromkeys({(*BLOCKED, 'oddframe')!r}))\n"

    done = subprocess.run([sys.executable, "-c", block + code], capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.replace("array", "").splitlines()
    wanted = odd.score(model, tmp_path / "gate.mp4", backend="onnxruntime").raw["psnr"]
    seen = [float(re.findall(r"\[([-\d.e+]+)\]", line)[0]) for line in lines]
    np.testing.assert_allclose(seen, wanted, rtol=0.02)
