"""An artefact scores as its run does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import oddframe as odd
from oddframe.errors import DataError, ExportError, SettingsError
from oddframe.exporting.parity import LIMIT, Parity, compare, refuse_difference, refuse_infinite, relative
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.settings_layers import load_settings

pytestmark = pytest.mark.slow  # a training, and graphs of it

pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `runtime` is not installed")


def clips_of(runtime, batch: int) -> np.ndarray:
    shape = (batch, runtime.before + 1 + runtime.after, *runtime.size, runtime.channels)
    return np.random.default_rng(batch).integers(0, 255, shape, np.uint8)


def test_an_artefact_gives_the_scores_and_events_of_its_run(run, artefact, day):
    wanted, seen = odd.score(run, day, backend="torch"), odd.score(artefact.folder, day, backend="onnxruntime")

    assert seen.columns().keys() == wanted.columns().keys()
    for name, values in wanted.columns().items():
        # On this made video normal frames are all but equal after one epoch: a rarity tells the rounding of two
        # runtimes apart, about a hundredth. The components themselves do not.
        near = {"rtol": LIMIT} if name in wanted.raw else {"atol": 0.05}
        np.testing.assert_allclose(seen.columns()[name], values, **near, err_msg=name)
    assert wanted.events
    assert [(event.start, event.end, event.box) for event in seen.events] == [
        (event.start, event.end, event.box) for event in wanted.events
    ]


def test_stream_and_push_form_and_file_of_an_artefact_give_the_scores_of_its_run(run, artefact, day):
    video = odd.open_video(day)
    by_run = odd.Scorer(run, device="cpu")
    wanted = list(by_run.stream(video.frames()))
    exported = odd.Scorer(artefact, backend="onnxruntime")
    session = exported.session()
    pushed = [score for frame in video.frames() if (score := session.push(frame.pixels, frame.time_s)) is not None]
    of_file = exported.score(video)

    for found in (list(exported.stream(video.frames())), pushed):
        assert [one.frame for one in found] == [one.frame for one in wanted] == of_file.frame.tolist()
        for name in of_file.raw:
            values = [one.raw.values[name] for one in found]
            np.testing.assert_allclose(values, [one.raw.values[name] for one in wanted], rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(values, of_file.raw[name], rtol=1e-5, atol=1e-5)


def test_an_exported_flow_detector_gives_the_scores_of_its_run_though_no_graph_holds_the_flow(gate, day, tmp_path):
    small = ("model.size=[48, 64]", "data.least_heldout=1", "score.online=[flow,direction]")
    run = odd.train(gate, out=tmp_path / "run", settings=load_settings("tiny", detector="flow", overrides=small))
    artefact = odd.export(run, tmp_path / "model")

    wanted, seen = odd.score(run, day, backend="torch"), odd.score(artefact.folder, day, backend="onnxruntime")

    for name in ("flow", "direction"):
        np.testing.assert_array_equal(seen.raw[name], wanted.raw[name])  # the same code beside both
    np.testing.assert_array_equal(seen.online, wanted.online)
    assert float(seen.raw["flow"][20]) > 4 * float(seen.raw["flow"][10])  # the square runs from frame 16 to 25


@pytest.mark.long
def test_what_a_score_rests_on_is_shown_as_by_the_run(run, artefact, day):
    video = odd.Scorer(run).explain, odd.Scorer(artefact).explain
    from oddframe.video.open import open_video

    (wanted,), (seen,) = (explain(open_video(day), [20]) for explain in video)

    assert seen.box == wanted.box
    assert np.abs(seen.predicted.astype(int) - wanted.predicted).max() <= 1
    np.testing.assert_allclose(seen.error, wanted.error, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_any_number_of_clips_is_judged_at_once(run, artefact, batch):
    torch, onnx = open_runtime(run), open_runtime(artefact, "onnxruntime")
    clips = clips_of(torch, batch)

    wanted, seen = torch.judge(clips), onnx.judge(clips)

    assert seen.values.keys() == wanted.values.keys() == {"psnr", "distance", "local_error", "local_distance"}
    assert seen.maps.keys() == wanted.maps.keys() == {"local_error", "local_distance"}
    for kind in ("values", "maps"):
        for name, value in getattr(wanted, kind).items():
            assert getattr(seen, kind)[name].shape == value.shape
            assert relative(getattr(seen, kind)[name], value) < LIMIT


def test_an_artefact_says_what_it_is_and_how_it_was_compared(run, artefact):
    about, parity = artefact.about, artefact.parity()

    assert (about.before, about.after, about.size, about.channels) == (4, 0, (48, 64), 3)
    assert artefact.settings == run.settings
    assert max(parity["fp32"]["relative"].values()) < LIMIT
    assert parity["fp32"]["differing"] == 0
    assert len(parity["fp32"]["videos"]) == 2  # a held-out one, and the test video
    card = (artefact.folder / "README.md").read_text()
    assert "(B, 5, 48, 64, 3) uint8" in card
    for name in ("calibration.json", "calibration.npz"):
        assert (artefact.folder / name).read_bytes() == (run.folder / name).read_bytes()


def test_an_artefact_tells_nothing_of_the_machine_that_made_it(run, artefact):
    for path in artefact.folder.iterdir():
        content = path.read_bytes()
        assert str(run.folder.parent).encode() not in content, path.name
        assert b"site-packages" not in content, path.name
        assert b"oddframe/models" not in content, path.name


def test_an_artefact_is_judged_on_the_data_of_its_run(artefact, tmp_path):
    place = shutil.copytree(artefact.folder, artefact.folder.parent / "judged")

    result = odd.evaluate(place)

    assert result.frames.to_dict() == {"videos": 1, "judged": 36, "abnormal": 10}
    assert (place / "eval-standard.json").is_file()


def test_a_run_whose_data_are_gone_is_compared_on_made_pictures(still, tmp_path):
    alone = shutil.copytree(still.folder, tmp_path / "alone")

    parity = odd.export(alone, tmp_path / "model").parity()

    assert parity["made"]
    assert parity["fp32"]["videos"] == ("made pictures",)
    with pytest.raises(DataError):
        odd.export(alone, tmp_path / "other", data=tmp_path / "nowhere")


def test_the_area_is_compared_where_labelled_data_are_given(still, gate, tmp_path):
    auc = odd.export(still, tmp_path / "model", data=gate).parity()["auc"]

    assert auc["videos"] == 1
    assert auc["artefact"] == auc["run"] > 0.5


def test_a_full_folder_is_left_alone_and_a_failed_export_leaves_nothing(still, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").touch()

    with pytest.raises(ExportError, match="something in this folder"):
        odd.export(still, tmp_path / "full")
    with pytest.raises(DataError):
        odd.export(still, tmp_path / "new", check_on=[tmp_path / "nowhere.mp4"])

    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_a_misspelt_format_is_answered_with_the_right_one(still, tmp_path):
    with pytest.raises(SettingsError, match="did you mean onnx"):
        odd.export(still, tmp_path / "model", format="onx")


# Held to its run -------------------------------------------------------------------------------------------------


def parity(worst: float, differing: int = 0) -> Parity:
    return Parity(("gate",), 100, {"psnr": 1e-6, "distance": worst}, 3, 3 - differing, differing)


def test_a_graph_that_differs_by_more_than_a_thousandth_is_refused():
    refuse_difference(parity(0.9e-3), made=False)

    with pytest.raises(ExportError, match="'distance' differs"):
        refuse_difference(parity(1.1e-3), made=False)


def test_a_graph_that_gives_infinite_numbers_is_refused_whatever_its_precision():
    refuse_infinite(parity(0.2))  # int8 may differ

    with pytest.raises(ExportError, match=r"(?s)infinite, or none at all: distance.*--precision fp32"):
        refuse_infinite(parity(float("inf")))


def test_a_graph_that_gives_one_other_alarm_is_refused():
    with pytest.raises(ExportError, match="1 of 100 frames"):
        refuse_difference(parity(1e-6, differing=1), made=False)

    refuse_difference(parity(1e-6, differing=1), made=True)


def test_a_difference_is_relative_and_what_counts_as_nothing_counts_as_nothing():
    assert relative(np.float32([3.0, 1.0]), np.float32([2.0, 1.0])) == 0.5
    assert relative(np.float32([1e-8]), np.float32([0.0])) == pytest.approx(1e-3)
    assert relative(np.float32([np.nan]), np.float32([1.0])) == float("inf")


def test_comparing_sees_other_scores(run, still, gate):
    """A graph of another network would not pass."""
    from oddframe.exporting.footage import gather
    from oddframe.progress import unwatched

    found = compare(odd.Scorer(still), odd.Scorer(run), gather(run, (), (), None).looks[:1], unwatched)

    assert found.relative["psnr"] > LIMIT


# The command line ------------------------------------------------------------------------------------------------


def test_the_command_exports_and_the_artefact_is_scored_by_its_folder(still, day, tmp_path):
    from typer.testing import CliRunner

    from oddframe.cli.main import app

    made = CliRunner().invoke(app, ["export", str(still.folder), "--out", str(tmp_path / "model"), "--json"])
    scored = CliRunner().invoke(app, ["score", str(day), "--run", str(tmp_path / "model"), "--json"])

    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["graph"] == "model.onnx"
    assert scored.exit_code == 0, scored.output
    assert json.loads(scored.stdout)["videos"][0]["frames"] == 39
    assert Path(json.loads(scored.stdout)["videos"][0]["files"]["scores"]).parent == tmp_path / "model/scores/day"
