"""From videos to a run, stopped in every way there is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import oddframe as odd
from oddframe.data.source import DataInfo, source_in
from oddframe.errors import RunError, SettingsError, StorageError, TooShortError, WeightsError
from oddframe.models.weights import load_tensors
from oddframe.origin import ClipCounts, HistoryRecord
from oddframe.progress import Progress
from oddframe.runs import Run, locked
from oddframe.scoring.calibration_file import load_calibration
from oddframe.settings_layers import load_settings
from oddframe.training.train import train

STEPS = 9
"""Of the small training: 3 epochs of 3, with 26 normal clips in batches of 8."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_tensors(folder / "weights.safetensors")


def same_weights(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def history(folder: Path) -> list[HistoryRecord]:
    """Without what the clock says."""
    return [record.changed(seconds=0) for record in Run.open(folder).history()]


class StopAt:
    """Sends a signal to this process when training has come to a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, progress: Progress) -> None:
        if progress.stage == "training" and progress.done == self.step:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def stopped(gate, small, tmp_path) -> Path:
    """A run that Ctrl-C ended after 5 steps."""
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(gate, out=out, settings=small(), watch=StopAt(5))
    return out


@pytest.fixture
def long_file(make_video, tmp_path) -> Path:
    return make_video(tmp_path / "long.mp4", frames=100)


def test_a_run_explains_itself(whole, gate):
    info = json.loads((whole.folder / "run.json").read_text())

    assert info["state"] == "finished"
    assert info["settings"]["model"]["width"] == 4
    assert info["clips"] == {"normal": 26, "abnormal": 8, "abnormal_there": None}
    assert [video["video"] for video in info["split"]["normal"]]
    assert info["split"]["known"] == ["odd"]
    assert source_in(DataInfo.model_validate(info["data"]), whole.folder).paths == (gate.resolve(),)
    assert info["versions"]["torch"]
    assert info["seconds_training"] > 0
    assert 0 <= info["share_waiting_for_data"] <= 1


def test_a_finished_run_holds_history_events_and_no_checkpoint(whole):
    names = {entry.name.split(".")[0] for entry in whole.folder.iterdir()}

    assert {"weights", "calibration", "history", "events"} <= names
    assert "resume" not in names
    assert [record["step"] for record in whole.history()] == [3, 6, 9]
    assert {"loss", "normality.compactness"} <= set(whole.history()[0]["terms"])


@pytest.mark.slow
def test_weights_of_single_epochs_are_kept_if_asked_and_the_last_are_those_of_the_run(whole, gate, small, tmp_path):
    run = train(gate, out=tmp_path / "run", settings=small("train.keep_every=2", "train.epochs=4"))

    kept = sorted(run.folder.glob("weights-epoch-*"))
    assert [path.name for path in kept] == ["weights-epoch-002.safetensors", "weights-epoch-004.safetensors"]
    assert kept[1].read_bytes() == run.weights.read_bytes()
    assert kept[0].read_bytes() != run.weights.read_bytes()


def test_a_run_knows_the_digest_of_its_weights(whole):
    assert Run.open(whole.folder).info.weights == hashlib.sha256(whole.weights.read_bytes()).hexdigest()


def test_the_same_call_on_a_finished_run_changes_nothing(whole, gate, small):
    before = {entry.name: entry.stat().st_mtime_ns for entry in whole.folder.iterdir() if entry.name != ".lock"}
    told = []

    run = train(gate, out=whole.folder, settings=small(), watch=told.append)

    assert run.finished
    assert before == {e.name: e.stat().st_mtime_ns for e in whole.folder.iterdir() if e.name != ".lock"}
    assert any("has finished already" in one.note for one in told)


@pytest.mark.slow
def test_the_same_seed_trains_the_same_weights_and_another_one_others(whole, gate, small, tmp_path):
    train(gate, out=tmp_path / "again", settings=small())
    train(gate, out=tmp_path / "other", settings=small("train.seed=1", "train.epochs=1"))

    assert same_weights(whole.folder, tmp_path / "again")
    assert not same_weights(whole.folder, tmp_path / "other")


def test_a_long_video_tells_how_far_it_is_decoded(long_file, tmp_path):
    told = []
    settings = load_settings(
        "tiny", detector="framediff", overrides=["model.size=[48, 64]", "data.heldout=0.3", "data.least_heldout=1"]
    )

    train(long_file, out=tmp_path / "run", settings=settings, watch=told.append)

    decoding = [moment.done for moment in told if moment.stage == "decoding" and moment.note == "long"]
    assert len(decoding) > 3
    assert decoding == sorted(decoding)
    assert {moment.total for moment in told if moment.stage == "decoding"} == {100}


@pytest.mark.slow
def test_after_ctrl_c_the_same_call_goes_on_to_the_same_weights(whole, stopped, gate, small):
    assert Run.open(stopped, finished=False).info.state == "training"
    told = []

    train(gate, out=stopped, settings=small(), watch=told.append)

    assert [one.done for one in told if one.stage == "training"] == list(range(6, STEPS + 1))
    assert same_weights(whole.folder, stopped)
    assert history(stopped) == history(whole.folder)


@pytest.mark.slow
def test_ctrl_c_in_the_last_step_is_heeded(gate, small, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(gate, out=tmp_path / "run", settings=small(), watch=StopAt(STEPS))

    assert train(gate, out=tmp_path / "run", settings=small()).finished


def test_a_run_does_not_go_on_with_other_settings(stopped, gate, small):
    with pytest.raises(RunError, match="other settings") as caught:
        train(gate, out=stopped, settings=small("train.lr=1e-4", "model.width=8"))

    assert "train.lr: 0.0005 there, 0.0001 now" in str(caught.value)
    assert "model.width: 4 there, 8 now" in str(caught.value)


def test_a_run_does_not_go_on_with_other_data(stopped, gate, small, tmp_path):
    changed = shutil.copytree(gate, tmp_path / "changed")
    (changed / "normal" / "a" / "029.png").unlink()

    with pytest.raises(RunError, match="other videos or labels"):
        train(changed, out=stopped, settings=small())


@pytest.mark.slow
def test_what_does_not_change_the_result_may_change(stopped, gate, small):
    run = train(gate, out=stopped, settings=small("score.batch=2", "train.checkpoint_minutes=1"))

    assert run.settings.score.batch == 2
    assert Run.open(stopped).settings.train.checkpoint_minutes == 1


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ("model.memory=none", SettingsError, "nothing to judge with"),  # under tiny there is no decoder either
        ("train.device=cuda:99", SettingsError, "cannot be used here"),
    ],
)
@pytest.mark.slow
def test_what_is_wrong_is_found_out_before_a_run_is_begun_so_that_the_corrected_command_goes_on(
    gate, small, tmp_path, wrong, error, words
):
    with pytest.raises(error, match=words):
        train(gate, out=tmp_path / "run", settings=small(wrong))
    assert not (tmp_path / "run" / "run.json").exists()

    assert train(gate, out=tmp_path / "run", settings=small("train.epochs=1")).finished


def test_a_window_that_is_too_long_for_what_is_held_out_is_found_out_before_a_run_is_begun(gate, tmp_path):
    settings = load_settings("tiny", detector="memae", overrides=["model.size=[32, 48]", "data.heldout=0.05"])

    with pytest.raises(TooShortError, match="held out is as long as the window of 'memae'"):
        train(gate, out=tmp_path / "run", settings=settings)

    assert not (tmp_path / "run" / "run.json").exists()


def test_a_finished_run_whose_process_was_killed_before_it_tidied_up_is_tidied_by_the_same_command(
    whole, gate, small, tmp_path
):
    out = shutil.copytree(whole.folder, tmp_path / "run")
    (out / "resume" / "3").mkdir(parents=True)
    (out / ".run.json.123.tmp").write_text("{")

    assert train(gate, out=out, settings=small()).finished

    assert not (out / "resume").exists()
    assert not list(out.glob(".*.tmp"))


@pytest.mark.parametrize("beside", [{"seed": 3}, {"preset": "tiny"}, {"overrides": ["train.epochs=1"]}, {"fold": 0}])
def test_settings_and_what_they_take_the_place_of_are_not_given_together(gate, small, tmp_path, beside):
    with pytest.raises(SettingsError, match=f"settings, and {next(iter(beside))} beside them"):
        train(gate, out=tmp_path / "run", settings=small(), **beside)


def test_data_that_are_open_already_are_not_opened_otherwise(whole, gate):
    videos = odd.open_videoset(gate)

    with pytest.raises(SettingsError, match="has its range and its rate already"):
        odd.score(whole, videos.normal[0].video, end="10")


def test_two_trainings_never_share_a_folder(stopped, gate, small):
    with locked(stopped), pytest.raises(RunError, match="another process is training"):
        train(gate, out=stopped, settings=small())


def test_an_unfinished_run_cannot_be_used(stopped):
    with pytest.raises(RunError, match="has not finished"):
        Run.open(stopped)


def test_a_truncated_checkpoint_stops_the_training_and_nothing_else(stopped, gate, small):
    (state,) = stopped.glob("resume/*/state.safetensors")
    state.write_bytes(state.read_bytes()[:1000])

    with pytest.raises(WeightsError, match=r"state\.safetensors"):
        train(gate, out=stopped, settings=small())


def test_training_that_ended_before_its_calibration_calibrates_only(whole, gate, small, tmp_path):
    out = shutil.copytree(whole.folder, tmp_path / "run")
    run = Run.open(out)
    notes = run.info.notes
    run.write_info(state="training")
    (out / "calibration.json").unlink()
    (out / ".weights.safetensors.123.tmp").write_bytes(b"left by a killed process")
    told = []

    train(gate, out=out, settings=small(), watch=told.append)

    assert not [one for one in told if one.stage == "training"]
    assert (out / "calibration.json").read_text() == (whole.folder / "calibration.json").read_text()
    assert Run.open(out).info.notes == notes
    assert not list(out.glob(".*.tmp"))


@pytest.mark.slow
def test_one_known_clip_that_is_abnormal_throughout_is_enough(make_set, small, tmp_path):
    home = make_set(tmp_path / "set", {"normal/a": 30, "normal/b": 30, "abnormal/odd": 5})

    run = train(home, out=tmp_path / "run", settings=small("train.epochs=1"))

    assert run.info.clips.abnormal == 1
    assert all(torch.isfinite(tensor).all() for tensor in weights(run.folder).values())


@pytest.mark.slow
def test_a_rate_of_abnormal_clips_is_written_into_the_run_with_names_and_counts(make_set, small, tmp_path):
    home = make_set(tmp_path / "set", {"normal/a": 60, "normal/b": 60, "test/odd": 30, "test/odder": 30})
    (home / "labels.csv").write_text("odd,10,30\nodder,10,30\n")

    run = train(home, out=tmp_path / "run", settings=small("train.epochs=1", "data.protocol=rate", "data.rate=0.1"))

    normal = run.info.clips.normal
    assert run.info.clips == ClipCounts(normal=normal, abnormal=round(normal / 9), abnormal_there=16)
    assert (run.info.split.protocol, run.info.split.rate) == ("rate", 0.1)
    assert {*run.info.split.known, *run.info.split.test} == {"odd", "odder"}
    assert len(run.info.split.known) == 1


def test_a_still_scene_trains_without_pseudo_anomalies_and_says_so(make_set, small, tmp_path):
    home = make_set(tmp_path / "set", {"normal/a": 30, "normal/b": 30}, still=True)

    run = train(home, out=tmp_path / "run", settings=small("train.epochs=1"))

    steps = run.history()[-1]["step"]
    assert any(f"{4 * steps} pseudo-anomalies could not be made" in note for note in run.info.notes)
    assert all(torch.isfinite(tensor).all() for tensor in weights(run.folder).values())
    assert np.isfinite(load_calibration(run.folder).heldout["online"]).all()


@pytest.mark.slow
def test_what_could_not_be_made_before_an_interruption_is_said_after_it(make_set, small, tmp_path):
    home = make_set(tmp_path / "set", {"normal/a": 30, "normal/b": 30}, still=True)
    whole = train(home, out=tmp_path / "whole", settings=small("train.epochs=1"))
    last = whole.history()[-1]["step"]

    with pytest.raises(KeyboardInterrupt):
        train(home, out=tmp_path / "run", settings=small("train.epochs=1"), watch=StopAt(last))
    again = train(home, out=tmp_path / "run", settings=small("train.epochs=1"))

    assert any("nothing moved" in note for note in again.info.notes)
    assert again.info.notes == whole.info.notes


def test_a_run_that_was_calibrated_since_is_the_run_of_its_command_still(whole, gate, small, tmp_path):
    out = shutil.copytree(whole.folder, tmp_path / "run")
    odd.calibrate(out, overrides=["score.smoothing=9", "score.cool_down_s=60"])

    for settings in (small(), small("score.smoothing=9", "score.cool_down_s=60")):
        run = train(gate, out=out, settings=settings)
        assert run.finished
        assert run.settings.score.smoothing == 9


def test_other_settings_of_score_are_a_matter_of_calibrating_and_others_of_training(whole, gate, small):
    with pytest.raises(RunError) as caught:
        train(gate, out=whole.folder, settings=small("score.smoothing=5", "score.online=[distance]"))
    assert caught.value.hint == (
        f"these need no training: oddframe calibrate {whole.folder} "
        """--set 'score.online=["distance"]' --set score.smoothing=5"""
    )

    with pytest.raises(RunError, match="choose another --out"):
        train(gate, out=whole.folder, settings=small("score.smoothing=5", "score.window=8"))


def test_a_short_calibration_says_what_it_wants_and_does_instead(whole):
    assert any("where calibration wants 100: every place counts as any other" in note for note in whole.info.notes)


def test_a_folder_that_cannot_be_made_is_said(gate, small, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="file"):
        train(gate, out=tmp_path / "file" / "run", settings=small())


# Killed ----------------------------------------------------------------------------------------------------------

KILL_ITSELF = """
import os, signal, sys
from pathlib import Path
import torch

import oddframe as odd
torch.set_num_threads(1)
from oddframe.settings_layers import load_settings
from oddframe.training import resume
from oddframe.training.train import train

gate, out, moment, count, *overrides = sys.argv[1:]
left = int(count)

def passed():
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def watch(progress):
    if moment == "step" and progress.stage == "training":
        passed()

save_tensors, write_json = resume.save_tensors, resume.write_json

def killed_save(tensors, path):
    if moment == "half a file":
        path.with_name(f".{path.name}.tmp").write_bytes(b"half")
        passed()
    digest = save_tensors(tensors, path)
    if moment == "between files":
        passed()
    return digest

def killed_write(path, content):
    if moment == "before it counts" and path.name == "current.json":
        passed()
    written = write_json(path, content)
    if moment == "before the old one goes" and path.name == "current.json":
        passed()
    return written

resume.save_tensors, resume.write_json = killed_save, killed_write
train(gate, out=out, settings=load_settings("tiny", overrides=overrides), watch=watch)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moment", "count"),
    [("step", 5), ("half a file", 4), ("between files", 5), ("before it counts", 7), ("before the old one goes", 2)],
)
def test_a_killed_training_ends_with_the_same_weights(whole, gate, small, tmp_path, moment, count):
    out, every_step = tmp_path / "run", "train.checkpoint_minutes=0.000001"
    changed = [
        f"{room}.{key}={json.dumps(value)}"
        for room, values in small(every_step).to_dict().items()
        if room != "detector"
        for key, value in values.items()
        if value is not None
    ]

    killed = subprocess.run([sys.executable, "-c", KILL_ITSELF, gate, out, moment, str(count), *changed], check=False)
    assert killed.returncode == -signal.SIGKILL
    run = train(gate, out=out, settings=small())

    assert run.finished
    assert same_weights(whole.folder, out)
    assert history(out) == history(whole.folder)
    assert not (out / "resume").exists()


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++"))), reason="no C++ compiler")
def test_a_compiled_training_is_the_same_but_for_rounding(gate, small, tmp_path):
    fp32 = "train.precision=fp32"  # rounding in bf16 is so coarse that queries get other nearest items
    plain = train(gate, out=tmp_path / "plain", settings=small(fp32))
    run = train(gate, out=tmp_path / "run", settings=small(fp32, "train.compile=true"))

    assert weights(run.folder).keys() == weights(plain.folder).keys()
    for one, other in zip(run.history(), plain.history(), strict=True):
        assert one["terms"] == pytest.approx(other["terms"], rel=0.02, abs=1e-4)
