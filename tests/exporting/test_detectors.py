"""Which detectors become a graph, and that the graph is the detector."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from oddframe.artefact import ERROR, PREDICTED, map_output
from oddframe.detectors import DetectorSettings, detectors
from oddframe.errors import ExportError
from oddframe.models import features, sparse, unmasking
from oddframe.models.detector import Detector, Window
from oddframe.models.framediff import FrameDiff
from oddframe.models.scene_aware import SceneAware
from oddframe.models.weights import build_detector
from oddframe.nn import flow
from oddframe.nn.efficientnet import CHANNELS
from oddframe.nn.evidence import Evidence
from oddframe.settings import ScoreSettings

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `runtime` is not installed")
onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
from oddframe.exporting.formats import write_graph  # noqa: E402
from oddframe.exporting.graph import OnnxGraph, ScoredNetwork, to_onnx  # noqa: E402

pytestmark = pytest.mark.slow  # a training, and graphs of it

LARGE = ("amc", "dream-convlstm", "scene-aware", "srnn", "unmasking")
"""Detectors of which a graph takes long to make."""

SCORE = ScoreSettings()
SCORE_VALUES = {"psnr", "distance", "local_error"}
OWN = sorted(name for name, entry in detectors().items() if entry.class_path.startswith("oddframe."))


def small(name: str, **more: Any) -> DetectorSettings:
    kind = detectors()[name].settings
    given = {"size": kind.size_within(48, 64), "width": 4, "items": 6, "hidden": 16, "rounds": 2, "objects": 2, **more}
    return kind(**{key: value for key, value in given.items() if key in kind.model_fields})


def built(name: str) -> Detector:
    return build_detector(name, small(name), 1).eval()


@cache
def exported(name: str) -> OnnxGraph:
    """The graph of `built(name)`, made once: it takes some seconds."""
    return to_onnx(built(name), SCORE)


def by_onnxruntime(graph: bytes | Path, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What a graph gives, by name."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return dict(zip([one.name for one in session.get_outputs()], session.run(None, given), strict=True))


def same(detector: Detector, content: bytes, batch: int) -> None:
    """Graph and network agree on clips of noise."""
    network = ScoredNetwork(detector.eval(), SCORE)
    shape = (batch, detector.window.frames, *detector.settings.size, detector.settings.channels)
    clips = np.random.default_rng(batch).integers(0, 255, shape, np.uint8)
    carried = {name: torch.rand(batch, *shape) for name, shape in detector.carried().items()}
    with torch.no_grad():
        wanted = network(torch.from_numpy(clips), carried)
    seen = by_onnxruntime(content, {"clips": clips} | {name: value.numpy() for name, value in carried.items()})

    assert seen.keys() == wanted.keys()
    for name, value in wanted.items():
        if name == PREDICTED:
            assert np.abs(seen[name].astype(int) - value.numpy()).max() <= 1
        else:
            # what is carried may lie near a threshold, and be the difference of larger numbers
            atol = 1e-4 if name.startswith("next_") else 1e-6
            np.testing.assert_allclose(seen[name], value.numpy(), rtol=1e-3, atol=atol, err_msg=name)


@pytest.mark.parametrize("name", [pytest.param(one, marks=pytest.mark.long if one in LARGE else ()) for one in OWN])
def test_every_detector_of_this_package_is_exported_for_any_number_of_clips(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only makes a graph longer is made short: many like steps, the features, which `srnn` has in full, and the
    medians of a flow, which `amc` has."""
    monkeypatch.setattr(unmasking, "STEPS", 6)
    monkeypatch.setattr(flow, "lucas_kanade", partial(flow.lucas_kanade, warps=1))
    monkeypatch.setattr(SceneAware, "window", Window(3, 0))
    if name == "scene-aware":
        monkeypatch.setattr(flow, "believed", lambda found, *_: found)
    if name != "srnn":
        for home in (sparse, features):
            monkeypatch.setattr(home, "pretrained", lambda _: torch.nn.Conv2d(3, CHANNELS, 32, stride=32))
    detector, graph = built(name), exported(name)

    same(detector, graph.content, 1)
    same(detector, graph.content, 3)
    assert graph.values == ("psnr", "local_error", *(("distance", "local_distance") if detector.has_distance else ()))
    assert graph.maps == ("local_error", *(("local_distance",) if detector.has_distance else ()))


@pytest.mark.long
@pytest.mark.parametrize("graph", ["model.onnx", "model.xml"])
@pytest.mark.parametrize("name", ["dream-convlstm", "framepred", "mnad"])
def test_networks_of_every_build_are_rounded_to_eight_bits(name: str, graph: str, tmp_path: Path) -> None:
    """Recurrent, without batch norm, and with a memory: NNCF treats each in its own way, and alters none much."""
    pytest.importorskip("nncf", reason="the extra `export` is not installed")
    pytest.importorskip("openvino", reason="the extra `export` is not installed")
    detector = built(name)
    shape = (1, detector.window.frames, *detector.settings.size, detector.settings.channels)
    clips = [np.random.default_rng(seed).integers(0, 255, shape, np.uint8) for seed in range(4)]
    with torch.no_grad():
        wanted = ScoredNetwork(detector, SCORE)(torch.from_numpy(clips[0]))

    write_graph(exported(name).content, tmp_path, graph, clips)

    seen = computed(tmp_path / graph, clips[0])
    for value in SCORE_VALUES & wanted.keys():
        assert float(seen[value][0]) == pytest.approx(float(wanted[value][0]), rel=0.05), value


def computed(graph: Path, clips: np.ndarray) -> Mapping[str, np.ndarray]:
    """By the runtime that scores this format. OpenVINO finds no way to compute some of ONNX with 8 bits where a
    processor multiplies tiles of them."""
    if graph.suffix == ".onnx":
        return by_onnxruntime(graph, {"clips": clips})
    import openvino

    return openvino.Core().compile_model(graph, "CPU")({"clips": clips})


@pytest.mark.parametrize("more", [{"decoder": False, "patch": 2, "channels": 1}, {"memory": "none"}], ids=str)
def test_dream_is_exported_as_it_is_set(more: dict[str, Any]) -> None:
    detector = build_detector("dream-unet", small("dream-unet", **more), 1)

    same(detector, to_onnx(detector.eval(), SCORE).content, 2)


def test_the_narrower_squares_at_the_edge_are_right_in_older_versions_of_onnx_runtime() -> None:
    """They are where a graph does not count padding: before 1.29 it divided by pixels outside of the picture."""
    detector = FrameDiff(small("framediff", size=(45, 70))).eval()
    graph = to_onnx(detector, SCORE)

    same(detector, graph.content, 1)
    (pool,) = (node for node in onnx.load_from_string(graph.content).graph.node if node.op_type == "AveragePool")
    said = {one.name: onnx.helper.get_attribute_value(one) for one in pool.attribute}
    assert said["ceil_mode"] == 1
    assert said.get("count_include_pad", 0) == 0


def test_a_detector_that_changes_while_it_judges_is_refused_by_the_setting() -> None:
    detector = build_detector("mnad", small("mnad", test_update=True), 1)

    with pytest.raises(ExportError, match=r"learns from a video[\s\S]*model\.test_update=false"):
        to_onnx(detector.eval(), SCORE)


class Choosy(FrameDiff):
    """Looks at the pictures before it decides what to do."""

    def forward(self, clip: torch.Tensor) -> Evidence:
        evidence = super().forward(clip)
        return evidence if clip.mean() > 0 else Evidence(2 * evidence.error, None, evidence.predicted)


def test_a_detector_that_branches_on_what_it_sees_is_refused_in_one_message() -> None:
    with pytest.raises(ExportError, match=r"Choosy cannot be exported[\s\S]*torch\.where"):
        to_onnx(Choosy(small("framediff")).eval(), SCORE)


def test_the_names_of_maps_are_those_of_their_components() -> None:
    found = ScoredNetwork(FrameDiff(small("framediff")).eval(), SCORE)(torch.zeros(1, 2, 48, 64, 3, dtype=torch.uint8))

    assert list(found) == ["psnr", "local_error", map_output("local_error"), ERROR, PREDICTED]
    assert found[PREDICTED].shape == (1, 48, 64, 3)
