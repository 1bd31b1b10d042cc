"""OpenVINO, and eight bits."""

from __future__ import annotations

import numpy as np
import pytest

import oddframe as odd
from oddframe.errors import ExportError
from oddframe.exporting.parity import LIMIT, relative
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.scoring.scores import oddness

pytestmark = pytest.mark.slow  # a training, and graphs of it

pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
pytest.importorskip("openvino", reason="the extra `export` is not installed")


@pytest.mark.parametrize("batch", [1, 3])
def test_openvino_computes_the_graph_of_onnx_as_the_run_does(run, artefact, batch):
    torch, openvino = open_runtime(run), open_runtime(artefact, "openvino")
    clips = np.random.default_rng(batch).integers(0, 255, (batch, 5, 48, 64, 3), np.uint8)

    wanted, seen = torch.judge(clips), openvino.judge(clips)

    assert max(relative(seen.values[name], value) for name, value in wanted.values.items()) < LIMIT
    assert max(relative(seen.maps[name], value) for name, value in wanted.maps.items()) < LIMIT
    assert openvino.see(clips[0]).predicted.shape == (48, 64, 3)


def test_an_artefact_of_openvino_gives_the_scores_of_its_run(still, day, tmp_path):
    made = odd.export(still, tmp_path / "model", format="openvino")

    assert {"model.xml", "model.bin", "calibration.json"} <= set(made.about.files)
    assert str(still.folder.parent) not in (made.folder / "model.xml").read_text()
    np.testing.assert_allclose(odd.score(made, day).online, odd.score(still, day).online, rtol=1e-3, atol=1e-3)


def test_what_has_no_convolution_is_not_quantised(still, tmp_path):
    pytest.importorskip("nncf", reason="the extra `export` is not installed")

    with pytest.raises(ExportError, match="nothing to quantise"):
        odd.export(still, tmp_path / "model", precision="int8")


@pytest.mark.long
@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_eight_bits_have_a_calibration_of_their_own_and_stay_close(run, gate, tmp_path, format):
    pytest.importorskip("nncf", reason="the extra `export` is not installed")
    normal = gate / "normal/b.mp4"

    made = odd.export(run, tmp_path / "model", format=format, precision="int8", calibrate_on=[normal], data=gate)

    parity, calibration = made.parity(), load_calibration(made.folder)
    assert parity["fp32"]["differing"] == 0
    assert LIMIT < max(parity["int8"]["relative"].values()) < 1
    assert parity["auc"]["run"] == pytest.approx(odd.evaluate(run).auc["online"]["micro"])
    assert parity["auc"]["artefact"] == pytest.approx(odd.evaluate(made).auc["online"]["micro"])
    # with the fast correction of biases it was ten times as far
    scores = odd.score(made, normal)
    for name, values in odd.score(run, normal).raw.items():
        assert np.mean(scores.raw[name]) == pytest.approx(np.mean(values), rel=5e-3), name
    # what the line was drawn on is what this very graph says of the video
    for name in ("psnr", "distance"):
        np.testing.assert_allclose(calibration.heldout[name], oddness(name, scores.raw[name]), rtol=1e-4, err_msg=name)


@pytest.fixture(scope="module")
def rounded(run, artefact, tmp_path_factory) -> bytes:
    """The graph in eight bits, made after the one in full."""
    pytest.importorskip("nncf", reason="the extra `export` is not installed")
    return odd.export(run, tmp_path_factory.mktemp("rounded") / "model", precision="int8").graph()["model.onnx"]


@pytest.mark.long
def test_the_convolution_that_sees_the_pictures_is_not_rounded(rounded):
    import onnx

    graph = onnx.load_from_string(rounded).graph

    made_by = {name: node.op_type for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    weights = [made_by.get(node.input[1]) for node in convolutions]
    assert len(weights) > 10
    assert weights == [None, *["DequantizeLinear"] * (len(weights) - 1)]


@pytest.mark.long
def test_the_order_of_exports_changes_nothing(run, artefact, rounded, tmp_path):
    first, second = artefact.graph()["model.onnx"], odd.export(run, tmp_path / "second").graph()["model.onnx"]

    assert first == second
    assert len(rounded) < len(first)
