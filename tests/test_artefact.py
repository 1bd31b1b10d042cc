"""An artefact's folder: what it tells, and what is refused. No graph is computed here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from oddframe.artefact import UNCHECKED, Artefact, Description, open_trained, write_artefact
from oddframe.errors import MissingExtraError, RunError, SettingsError
from oddframe.runs import Run
from oddframe.scoring.runtimes import choose, graph
from oddframe.settings_layers import load_settings

SMALL = load_settings("tiny", detector="framediff", overrides=["model.size=[32, 48]"])


SPLIT = {
    "protocol": "standard",
    "fold": None,
    "folds": None,
    "normal": [],
    "known": [],
    "test": ["day"],
    "heldout": [],
    "heldout_known": [],
}


def describe(**changes: object) -> Description:
    known = {
        "graph": "model.onnx",
        "precision": "fp32",
        "before": 1,
        "after": 0,
        "size": (32, 48),
        "channels": 1,
        "values": ("psnr", "local_error"),
        "maps": ("local_error",),
        "files": {"model.onnx": ""},
        "settings": SMALL.to_dict(),
        "run": {"state": "finished", "data": {}, "split": SPLIT},
        "versions": {"oddframe": "9.1"},
    }
    return Description(**(known | changes))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An artefact but for its graph, which is some bytes."""
    (tmp_path / "model.onnx").write_bytes(b"a graph")
    write_artefact(tmp_path, describe())
    return tmp_path


def change(folder: Path, **changes: object) -> None:
    path = folder / "artefact.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_artefact_opens_with_what_was_written(folder):
    artefact = Artefact.open(folder)

    assert artefact.settings == SMALL
    assert artefact.info.split.test == ("day",)
    assert artefact.graph() == {"model.onnx": b"a graph"}
    assert artefact.about.outputs == ("psnr", "local_error", "local_error_map", "error", "predicted")


def test_a_folder_is_opened_as_what_it_holds(folder, tmp_path, make_run):
    run = make_run(tmp_path / "run", SMALL).folder

    assert isinstance(open_trained(folder), Artefact)
    assert isinstance(open_trained(str(run)), Run)
    with pytest.raises(RunError, match="there is no run"):
        open_trained(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "changes",
    [
        {"graph": "/etc/passwd"},
        {"graph": "model.xml"},
        {"files": {"model.onnx": "", "../other": ""}},
        {"before": -1},
        {"size": [8, 48]},
        {"channels": 2},
        {"values": []},
        {"values": ["import os"]},
        {"settings": {"detector": "nobody"}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_damaged(folder, changes):
    change(folder, **changes)

    with pytest.raises(RunError, match="the artefact is damaged"):
        Artefact.open(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b"\xff\xfe", b" " * (4 * 2**20 + 1)], ids=len)
def test_what_is_no_description_is_damaged_and_never_read_beyond_its_bound(folder, content):
    (folder / "artefact.json").write_bytes(content)

    with pytest.raises(RunError, match=r"the artefact is damaged|the artefact is too large"):
        Artefact.open(folder)


def test_another_format_names_the_version_that_wrote_it(folder):
    change(folder, format=2)

    with pytest.raises(RunError, match=r"oddframe 9\.1"):
        Artefact.open(folder)


def test_a_graph_that_is_not_the_exported_one_is_refused(folder):
    (folder / "model.onnx").write_bytes(b"a grape")
    with pytest.raises(RunError, match="other content than was exported"):
        Artefact.open(folder).graph()

    (folder / "model.onnx").unlink()
    with pytest.raises(RunError, match=r"model\.onnx"):
        Artefact.open(folder).graph()


def test_a_file_beside_the_graph_that_was_changed_or_lost_is_refused_on_opening(folder):
    """The alarm line stands in calibration.json: who changes it, changes what is called odd."""
    (folder / "calibration.json").write_text('{"line": 3.0}')
    (folder / "calibration.npz").write_bytes(b"arrays")
    write_artefact(folder, describe())
    assert Artefact.open(folder).info.notes == ()

    (folder / "calibration.json").write_text('{"line": 9.0}')
    with pytest.raises(RunError, match="other content than was exported") as caught:
        Artefact.open(folder)
    assert caught.value.path == folder / "calibration.json"

    (folder / "calibration.json").unlink()
    with pytest.raises(RunError, match=r"calibration\.json is not there"):
        Artefact.open(folder)


def test_an_artefact_that_knows_only_its_graph_opens_with_a_note(folder, made_by_0_1):
    assert Artefact.open(made_by_0_1 / "artefact").info.notes[-1] == UNCHECKED


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_bytes_that_are_no_graph_are_a_damaged_artefact(folder, backend):
    pytest.importorskip(backend, reason=f"{backend} is not installed")

    with pytest.raises(RunError, match="the artefact is damaged"):
        choose.open_runtime(Artefact.open(folder), backend)


# Which backend ---------------------------------------------------------------------------------------------------


def test_a_misspelt_backend_is_answered_with_the_right_one(folder):
    with pytest.raises(SettingsError, match="did you mean onnxruntime"):
        choose.open_runtime(Artefact.open(folder), "onnxruntme")


def test_a_backend_that_does_not_fit_is_answered_with_those_that_do(folder):
    with pytest.raises(SettingsError, match=r"auto \| onnxruntime \| openvino"):
        choose.open_runtime(Artefact.open(folder), "torch")


def test_a_backend_that_is_not_installed_says_what_to_type(folder, monkeypatch):
    monkeypatch.setattr(choose, "find_spec", lambda _: None)

    with pytest.raises(MissingExtraError, match=r"oddframe\[runtime\]"):
        choose.open_runtime(Artefact.open(folder))


def test_only_what_gives_the_same_scores_is_taken_without_asking(folder):
    eight_bits = Artefact(folder, describe(precision="int8"))

    assert choose.interchangeable(Artefact.open(folder)) == ("onnxruntime", "openvino")
    assert choose.interchangeable(eight_bits) == ("onnxruntime",)
    assert choose.fitting(eight_bits) == ("onnxruntime", "openvino")


def test_the_fastest_backend_is_taken(folder, monkeypatch):
    """A clock that each runtime moves by what it costs."""
    now = [0.0]

    class Costly:
        before, after, size, channels = 1, 0, (32, 48), 1

        def __init__(self, seconds: float) -> None:
            self.seconds = seconds

        def judge(self, clips):
            assert clips.shape == (SMALL.score.batch, 2, 32, 48, 1)
            now[0] += self.seconds

    runtimes = {"onnxruntime": Costly(0.02), "openvino": Costly(0.01)}
    monkeypatch.setattr(choose.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(choose, "find_spec", lambda _: True)
    monkeypatch.setattr(choose, "_load", lambda _, backend, __: runtimes[backend])

    assert choose.open_runtime(Artefact.open(folder)) is runtimes["openvino"]


def test_runtimes_of_graphs_refuse_a_device_that_they_do_not_compute_on():
    graph.on_processor("cpu", "openvino")

    with pytest.raises(SettingsError, match="openvino computes on the processor only"):
        graph.on_processor("cuda", "openvino")
