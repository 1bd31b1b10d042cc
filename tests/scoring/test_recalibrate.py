"""A finished run calibrated again, from what it keeps."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from tests.scoring.conftest import Told, finished_run

from oddframe.errors import RunError, SettingsError
from oddframe.runs import Run
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.collect import judge
from oddframe.scoring.fit import calibrate
from oddframe.scoring.judged_file import load_judged, save_judged
from oddframe.scoring.recalibrate import history


@pytest.fixture
def run(stretch, tmp_path) -> Run:
    """400 frames at ten a second."""
    still = [
        replace(one, values={**one.values, "local_error": one.values["motion"]}) for one in stretch("", 400).frames()
    ]
    return finished_run(tmp_path, [replace(stretch("", 400), frames=lambda: still)], notes=("the first one",))


def test_the_rate_of_false_alarms_moves_the_line(run):
    """40 s vouch for 90 alarms an hour and more: at 900 an hour, ten may happen, and the line is lower."""
    firm = calibrate(run.folder)
    often = calibrate(run.folder, overrides=["score.false_alarms_per_hour=900", "score.shortest_event_s=0"])

    assert firm.after.on == firm.before.on > often.after.on
    assert often.after.per_hour <= 900
    assert load_calibration(run.folder).line == often.after
    assert Run.open(run.folder).settings.score.false_alarms_per_hour == 900


def test_smoothing_components_places_and_events_follow(run):
    calibrate(
        run.folder,
        overrides=[
            "score.smoothing=5",
            "score.online=[psnr,motion]",
            "score.per_place=[motion]",
            "score.cool_down_s=30",
        ],
    )

    normal, score = load_calibration(run.folder).pooled, Run.open(run.folder).settings.score
    assert (normal.fused.smoothing, score.smoothing, score.cool_down_s) == (5, 5, 30)
    assert list(normal.fused.online.weights) == ["psnr", "motion"]
    assert list(normal.components.places) == ["motion"]


def test_what_was_changed_is_kept_in_order(run):
    calibrate(run.folder, overrides=["score.smoothing=5"])
    made = calibrate(run.folder, overrides=["score.gamma=0.2", "score.smoothing=3"])

    first, second = history(run.folder)
    assert first.settings == {"score.smoothing": (3, 5)}
    assert second.settings == made.changed == {"score.gamma": (0.6, 0.2), "score.smoothing": (5, 3)}
    assert second.before == first.after
    assert second.before.line() == made.before


def test_back_to_the_settings_of_the_training_is_back_to_its_calibration(run):
    trained = (run.folder / "calibration.json").read_text()

    calibrate(run.folder, overrides=["score.smoothing=9"])
    assert (run.folder / "calibration.json").read_text() != trained
    calibrate(run.folder, overrides=["score.smoothing=3"])

    assert (run.folder / "calibration.json").read_text() == trained


def test_a_run_remembers_what_it_was_trained_with_and_its_other_notes(run):
    calibrate(run.folder, overrides=["score.smoothing=5"])
    calibrate(run.folder, overrides=["score.smoothing=7"])

    opened = Run.open(run.folder)
    assert opened.settings.score.smoothing == 7
    assert opened.trained_settings.score.smoothing == 3
    assert opened.info.notes == run.info.notes


def test_a_damaged_calibration_is_made_again(run):
    whole = (run.folder / "calibration.json").read_text()
    (run.folder / "calibration.json").write_text("{")
    with pytest.raises(RunError) as caught:
        load_calibration(run.folder)
    assert caught.value.hint == f"make it again, from what the run keeps: oddframe calibrate {run.folder}"

    made = calibrate(run.folder)

    assert made.before is None
    assert (run.folder / "calibration.json").read_text() == whole
    assert history(run.folder)[0].before is None


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("score.window=8", "frames were judged with it"),
        ("score.stride=4", "frames were judged with it"),
        ("score.local_share=0.1", "frames were judged with it"),
        ("train.epochs=3", "it was trained so"),
        ("model.size=[32,32]", "it was trained so"),
        ("score.online=[distance]", "'framediff' does not give distance"),
        ("score.per_place=[local_distance]", "'framediff' does not give local_distance"),
        ("score.smothing=3", "there is no setting 'score.smothing'"),
        ("score.smoothing=0", "'score.smoothing' does not fit"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_nothing_is_written(run, override, words):
    before = {path.name: path.read_bytes() for path in run.folder.iterdir() if path.name != ".lock"}

    with pytest.raises(SettingsError, match=words):
        calibrate(run.folder, overrides=[override])

    assert {path.name: path.read_bytes() for path in run.folder.iterdir() if path.name != ".lock"} == before


def test_a_run_without_evidence_and_an_artefact_say_what_to_do(run, made_by_0_1):
    (run.folder / "evidence.npz").unlink()
    with pytest.raises(RunError, match="keeps no evidence"):
        calibrate(run.folder)

    with pytest.raises(RunError, match="an artefact is not calibrated again") as caught:
        calibrate(made_by_0_1 / "artefact")
    assert "oddframe export" in caught.value.hint


def test_evidence_of_another_run_is_refused(run, stretch):
    judged = judge(Told(), [stretch("", 130)], run.settings.score, lambda _: None)
    save_judged(judged, run.folder)

    with pytest.raises(RunError, match="another file than the one that was written"):
        calibrate(run.folder)


@pytest.mark.slow
def test_no_torch_and_no_video_is_needed(run):
    import subprocess

    code = f"""
import sys, oddframe as odd
made = odd.calibrate({str(run.folder)!r}, overrides=["score.smoothing=5"])
assert made.after.on > 0
print(sorted(name for name in ("torch", "av", "sklearn") if name in sys.modules))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert ended.stdout.strip() == "[]", ended.stderr


def test_the_verb_says_what_has_changed(run, capsys):
    from typer.testing import CliRunner

    from oddframe.cli.main import app

    (run.folder / "eval-standard.json").write_text("{}")
    told = CliRunner().invoke(app, ["calibrate", str(run.folder), "--set", "score.smoothing=5"])
    plain = CliRunner().invoke(app, ["calibrate", str(run.folder), "--json"])

    assert told.exit_code == plain.exit_code == 0
    assert "score.smoothing: 3 before, 5 now" in told.output
    assert "eval-standard.json was made before that" in told.output
    assert json.loads(plain.output)["changed"] == {}
    assert np.isfinite(json.loads(plain.output)["after"]["on"])


@pytest.mark.parametrize("measure", [1, 2])
def test_evidence_of_flow_that_was_measured_otherwise_makes_no_new_line(run, measure):
    """The run's pictures have 96 rows, of which the first way of measuring had other numbers."""
    known = load_judged(run.folder, run.info.evidence)
    stretches = tuple(replace(one, values={**one.values, "flow": one.values["motion"]}) for one in known.stretches)
    run.write_info(evidence=save_judged(replace(known, stretches=stretches, flow=measure), run.folder))
    before = (run.folder / "calibration.json").read_bytes()

    if measure == 2:
        assert calibrate(run.folder).after.on > 0
    else:
        with pytest.raises(RunError, match="knows optical flow as another version measured it"):
            calibrate(run.folder)
        assert (run.folder / "calibration.json").read_bytes() == before


def test_what_became_of_a_run_is_told_as_json_with_the_line_before_where_there_was_one(run):
    told = calibrate(run.folder, overrides=["score.smoothing=2"]).to_dict()
    (run.folder / "calibration.json").unlink()
    anew = calibrate(run.folder).to_dict()

    assert told["before"]["on"] != told["after"]["on"] == anew["after"]["on"]
    assert told["changed"] == {"score.smoothing": [3, 2]}
    assert anew["before"] is None


@pytest.mark.parametrize(
    "override", ["score.online=[flow]", "score.online=[direction]", "score.per_place=[local_distance]"]
)
def test_a_component_that_no_frame_was_judged_by_is_refused(run, override):
    with pytest.raises(SettingsError, match=override.split("[")[1][:-1]):
        calibrate(run.folder, overrides=[override])
