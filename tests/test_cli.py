"""The command line as people and programs meet it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from oddframe.bars import Bars, Lines
from oddframe.cli.main import app
from oddframe.presets import PRESETS
from oddframe.progress import Progress

COMMAND = typer.main.get_command(app)


def verbs(command=COMMAND, path=()):
    """(("data", "check"), command) for every verb."""
    for name, one in getattr(command, "commands", {}).items():
        if hasattr(one, "commands"):
            yield from verbs(one, (*path, name))
        else:
            yield (*path, name), one


def examples(command) -> list[list[str]]:
    found = re.findall(r"^ +oddframe (.*)$", command.help.partition("Example")[2], re.M)
    return [shlex.split(line) for line in found]


VERBS = dict(verbs())
EXAMPLES = [words for command in VERBS.values() for words in examples(command)]


def run(*words: object):
    if words[0] == "train" and "--help" not in words:  # on sets that are smaller than any that is of use
        words = (*words, "--set", "data.least_heldout=1")
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A place with data, two runs that are judged, and a video, as the examples name them."""
    from oddframe.data.synthetic import generate
    from oddframe.evaluation.evaluate import evaluate
    from oddframe.scoring.fit import calibrate
    from oddframe.training.train import train

    home = tmp_path_factory.mktemp("home")
    small = ["data.least_heldout=1", "score.online=[local_error]"]  # optical flow takes its time
    data = generate(home / "demo/data", scale="tiny")
    evaluate(train(data, out=home / "runs/demo", preset="tiny", detector="framediff", overrides=small))
    shutil.copytree(home / "runs/demo", home / "runs/gate")
    shutil.copy(next((data / "test").rglob("*.mp4")), home / "gate.mp4")
    (home / "recordings/night").mkdir(parents=True)
    for name in ("monday.mp4", "tuesday.mp4", "recordings/night/monday.mp4"):
        shutil.copy(home / "gate.mp4", home / name)
    (home / "regions.json").write_text('{"ignore": [[[0, 0], [1, 0], [1, 0.1]]]}')
    calibrate(home / "runs/gate", [home / "monday.mp4"], out=home / "gate-fitting")
    return home


@pytest.fixture
def home(made, tmp_path, monkeypatch) -> Path:
    copy = shutil.copytree(made, tmp_path / "home")
    monkeypatch.chdir(copy)
    return copy


# Help and usage -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_help_of_every_verb_has_an_example_of_it(verb):
    told = run(*verb, "--help")

    assert told.exit_code == 0
    assert "--json" in told.stdout
    assert all(tuple(words[: len(verb)]) == verb for words in examples(VERBS[verb]))
    assert examples(VERBS[verb])


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_examples_are_right_usage(words):
    with COMMAND.make_context("oddframe", list(words)) as context:
        _, command, rest = COMMAND.resolve_command(context, list(words))
        if hasattr(command, "commands"):
            _, command, rest = command.resolve_command(context, rest)
        command.make_context(words[0], rest)


LONG = ("demo", "train", "reproduce", "analyse", "export", "bench", "live", "serve", "site", "improve", "table")
"""Verbs that take long, or need more than a run; they have tests of their own."""
SECONDS = ("data synth", "eval", "models")
"""Verbs that take a second; so do the workers of `--jobs`, which are new processes, and a fitting, for its flow."""


def takes_seconds(words: list[str]) -> bool:
    return any(" ".join(words).startswith(verb) for verb in SECONDS) or not {"--jobs", "--fitting"}.isdisjoint(words)


def marked(words: list[str], *more: object):
    """A case of a test, slow if it is one that takes seconds."""
    return pytest.param(words, *more, marks=pytest.mark.slow if takes_seconds(words) else ())


@pytest.mark.parametrize(
    "words",
    [
        marked(words)
        for words in EXAMPLES
        if words[0] not in LONG
        and not (words[0] == "calibrate" and "--out" in words)  # its own tests fit a detector to a camera
        and "ray" not in words  # no cluster is at that address; its own tests have one
        and not any("://" in word for word in words)  # no storage is; its own tests have some
    ],
    ids=lambda words: " ".join(words),
)
def test_examples_run(words, home):
    if words[:2] == ["data", "synth"]:
        words = ["data", "synth", "demo/other", "--scale", "tiny"]
    # the video of the tests is two seconds long
    words = ["0:01" if word == "5:00" else word for word in words]
    told = run(*words)

    assert told.exit_code == 0, told.output


def test_analysing_a_detector_without_queries_says_what_is_wanted(home):
    told = run("analyse", "runs/demo")

    assert told.exit_code == 1
    assert "'framediff' has no queries" in told.stderr


@pytest.mark.parametrize("words", [["gate.mp4", "--end", "0:02"], ["demo/data", "--preset", "tiny"]], ids=" ".join)
def test_training_examples_run_with_a_detector_that_has_nothing_to_train(words, home):
    told = run("train", *words, "--detector", "framediff", "--out", "runs/new")

    assert told.exit_code == 0, told.output
    assert json.loads(Path("runs/new/run.json").read_text())["state"] == "finished"


@pytest.mark.slow
def test_a_table_is_laid_out_on_the_terminal_and_as_json(home):
    words = ["reproduce", "table3", "demo/data", "--preset", "tiny", "--set", "data.folds=2", "--row", "framediff"]
    words += ["--set", "data.least_heldout=1"]

    told = run(*words, "--folds", "0-1", "--out", "runs/table3")
    as_json = json.loads(run(*words, "--show", "--json", "--out", "runs/table3").stdout)

    assert told.exit_code == 0, told.output
    assert "frame differences" in told.stdout
    assert as_json["rows"][0]["folds"] == "2 of 2"
    assert as_json["open"] == []


@pytest.mark.parametrize(("sets", "shown"), [(["ped2"], False), (["ped1", "ped2"], True)])
def test_the_lines_of_several_sets_can_be_told_apart_on_the_terminal(sets, shown, monkeypatch):
    from oddframe.reproduction import reproduce
    from oddframe.reproduction.table import Table

    table = Table("Table II", ("data", "method", "psnr"), tuple((name, "DREAM", "90.1") for name in sets))
    monkeypatch.setattr(reproduce, "reproduce", lambda *_, **__: reproduce.Reproduction(table))

    piped = run("reproduce", "table2", *sets, "--out", "runs/paper").stdout
    monkeypatch.setattr("oddframe.cli.reproduce.on_a_terminal", lambda: True)
    told = run("reproduce", "table2", *sets, "--out", "runs/paper").stdout

    assert piped.splitlines()[1].split() == ["data", "method", "psnr"]
    assert ("data" in told.splitlines()[1]) is shown
    assert all((f"{name} " in told) is shown for name in sets)
    assert "psnr" not in told  # for files only


def test_compared_runs_stand_in_the_table_under_their_names(home):
    heads = run("compare", "runs/demo", "runs/gate").stdout.split("AUC in per cent", 1)[1].splitlines()[0]

    assert heads.split()[:3] == ["demo", "gate", "difference"]


def test_folds_that_are_no_numbers_are_wrong_usage(home):
    assert run("reproduce", "table3", "demo/data", "--folds", "0;1", "--out", "runs/table3").exit_code == 2


def test_help_names_every_preset():
    told = " ".join(run("train", "--help").stdout.split())

    assert all(preset in told for preset in PRESETS)


def test_options_of_one_name_mean_one_thing():
    meanings: dict[str, set[str]] = {}
    for verb, command in VERBS.items():
        for option in command.params:
            for name in option.opts:
                if verb in (("live",), ("serve",)) and name == "--json":
                    continue  # an object for each thing that happens, as long as it runs
                if name.startswith("--") and name not in ("--help", "--out", "--seed"):
                    meanings.setdefault(name, set()).add(option.help)

    assert {name: texts for name, texts in meanings.items() if len(texts) > 1} == {}


# Exit codes -----------------------------------------------------------------------------------------------------


def test_what_the_user_can_mend_is_one_message_and_exit_code_1(home):
    told = run("train", "demo/data", "--out", "runs/new", "--set", "train.epoch=3")

    assert told.exit_code == 1
    assert told.stdout == ""
    assert "did you mean epochs" in told.stderr
    assert "Traceback" not in told.stderr
    assert not Path("runs/new").exists()


@pytest.mark.parametrize(
    ("words", "told_so"),
    [
        (["--which", "judge"], "--which is only for the scale day"),
        (["--jobs", "2"], "--jobs is only for the scale day"),
        (["--scale", "day", "--seed", "3"], "--seed is not for the scale day"),
        (["--scale", "day", "--which", "juge"], "did you mean judge"),
        (["--scale", "daily"], "unknown scale"),
    ],
)
def test_options_of_another_scale_are_refused_before_anything_is_drawn(words, told_so, tmp_path):
    told = run("data", "synth", tmp_path / "new", *words)

    assert told.exit_code == 1
    assert told_so in told.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("words", [["train", "demo/data"], ["sing"], ["report", "a", "b", "--fps", "10"]])
def test_wrong_usage_is_exit_code_2(words):
    assert run(*words).exit_code == 2


@pytest.mark.slow
def test_contradicting_labels_end_with_exit_code_1(tmp_path, ped2, shared_data):
    older = shared_data / "labels/ucsd-ped2/UCSDped2.m.older_backup"
    if not older.is_file():
        pytest.skip("the older label file of Ped2 is not at ../shared/data/labels/ucsd-ped2")
    told = run("data", "check", ped2, "--labels", older, "--json")

    assert told.exit_code == 1
    assert json.loads(told.stdout)["conflicts"]


def test_a_part_of_a_public_set_ends_the_check_with_exit_code_1_unless_it_is_said_to_be_fine(tmp_path, make_video):
    for number in (1, 2):
        make_video(tmp_path / f"avenue/training_videos/{number:02}.avi", frames=6)
    told = run("data", "check", tmp_path / "avenue")

    assert told.exit_code == 1
    assert "missing: training videos 3-16 (2 of 16 are here)" in told.stdout
    assert "--partial" in told.stdout
    assert run("data", "check", tmp_path / "avenue", "--partial").exit_code == 0


@pytest.mark.parametrize(("verb", "goes_on"), [("train", True), ("eval", True), ("analyse", False)])
def test_an_interruption_is_exit_code_130_and_says_whether_the_command_goes_on(verb, goes_on, home, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("oddframe.training.train.train", interrupted)
    monkeypatch.setattr("oddframe.evaluation.evaluate.evaluate", interrupted)
    monkeypatch.setattr("oddframe.evaluation.analysis.analyse", interrupted)
    told = run("train", "demo/data", "--out", "runs/new") if verb == "train" else run(verb, "runs/demo")

    assert told.exit_code == 130
    assert ("the same command goes on" in told.stderr) is goes_on


def test_a_bug_shows_its_traceback(home, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr("oddframe.evaluation.evaluate.evaluate", broken)

    assert isinstance(run("eval", "runs/demo").exception, ZeroDivisionError)


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "oddframe", "data", "cache", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ),
    )  # fmt: skip
    process.stdout.close()
    complaint = process.stderr.read()

    assert process.wait() == 0
    assert complaint == b""


# For programs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "key"),
    [
        marked(["data", "check", "demo/data"], "fingerprint"),
        marked(["data", "synth", "demo/other", "--scale", "tiny"], "folder"),
        marked(["data", "cache"], "entries"),
        marked(["train", "demo/data", "--preset", "tiny", "--detector", "framediff", "--out", "runs/new"], "settings"),
        marked(["eval", "runs/demo"], "auc"),
        marked(["score", "gate.mp4", "--run", "runs/gate"], "videos"),
        marked(["report", "runs/demo"], "report"),
        marked(["models"], "detectors"),
        marked(["doctor"], "machine"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_json_is_one_object_on_standard_output_and_nothing_else(words, key, home):
    told = run(*words, "--json")

    assert told.exit_code == 0, told.output
    assert key in json.loads(told.stdout)


@pytest.mark.slow
def test_models_tells_the_parameters_of_every_preset():
    dream = json.loads(run("models", "--json").stdout)["detectors"][0]

    assert dream["name"] == "dream-unet"
    assert dream["presets"]["paper"] == {"size": [256, 256], "training": 16_830_979, "inference": 14_471_171}
    assert dream["presets"]["authors"]["training"] == 16_832_003
    assert dream["settings"]["width"]["default"] == 64


def test_scores_are_written_into_the_folder_that_is_named(home):
    told = run("score", "gate.mp4", "--run", "runs/gate", "--out", "seen", "--video", "--json")

    files = json.loads(told.stdout)["videos"][0]["files"]  # the same shape as of several videos
    assert sorted(Path(file).name for file in files.values()) == sorted(entry.name for entry in Path("seen").iterdir())
    assert Path("seen/scores.csv").read_text().startswith("frame,time_s,online,alarm")


def test_a_range_is_scored_by_the_numbers_of_the_source(home):
    run("score", "gate.mp4", "--run", "runs/gate", "--start", "10", "--out", "seen")

    # frame differences need one frame before the judged one
    assert Path("seen/scores.csv").read_text().splitlines()[1].startswith("11,")


def test_several_videos_are_told_one_by_one_and_failures_are_exit_code_1(home, monkeypatch, scored):
    from oddframe.errors import TooShortError
    from oddframe.footage.many import ScoredVideo
    from oddframe.footage.summary import Summary

    summary = Summary.of(replace(scored([4] * 9, events=[(6, 8)]), notes=("rough",)))
    ended = [
        ScoredVideo("a", Path("a.mp4"), Path("seen/a"), summary=summary),
        ScoredVideo("b", Path("b.mp4"), Path("seen/b"), error=TooShortError("too short to be scored", seen="1 frame")),
    ]
    monkeypatch.setattr("oddframe.footage.many.score_all", lambda *_, **__: ended)

    told = run("score", "a.mp4", "b.mp4", "--run", "runs/gate", "--jobs", "2")
    as_json = run("score", "a.mp4", "b.mp4", "--run", "runs/gate", "--json")

    assert told.exit_code == as_json.exit_code == 1
    assert "failed: b: too short to be scored (1 frame)" in told.stdout.splitlines()
    assert "note: rough" in told.stdout.splitlines()
    found = json.loads(as_json.stdout)
    assert found["failed"] == 1
    assert [(one["path"], "error" in one) for one in found["videos"]] == [("a.mp4", False), ("b.mp4", True)]
    assert found["videos"][0]["frames"] == 9


# Progress -------------------------------------------------------------------------------------------------------


def test_progress_without_a_terminal_is_a_line_at_most_every_ten_seconds_with_the_time_left():
    now, stream = [0.0], io.StringIO()
    lines = Lines(stream, clock=lambda: now[0])
    for second in range(0, 26):
        now[0] = float(second)
        lines(Progress("training", 4 * second, 400, "epoch 1/6, loss 0.41"))

    assert stream.getvalue().splitlines() == [
        "training 0/400, epoch 1/6, loss 0.41",
        "training 40/400, epoch 1/6, loss 0.41, 2 min left",
        "training 80/400, epoch 1/6, loss 0.41, 80 s left",
    ]


def test_a_training_that_goes_on_reckons_its_time_from_where_it_went_on():
    now, stream = [0.0], io.StringIO()
    lines = Lines(stream, clock=lambda: now[0])
    for now[0], done in ((0.0, 300), (10.0, 350)):
        lines(Progress("training", done, 400))

    assert stream.getvalue().splitlines()[-1] == "training 350/400, 10 s left"


def test_a_warning_comes_at_once_and_once():
    stream = io.StringIO()
    lines = Lines(stream, clock=lambda: 0.0)
    lines(Progress("training", 0, 400))
    for _ in range(2):
        lines(Progress("warning", 0, 0, "item 3 is dead"))

    assert stream.getvalue().splitlines() == ["training 0/400", "warning: item 3 is dead"]


@pytest.mark.slow
def test_on_a_terminal_progress_is_a_bar_and_results_stay_on_standard_output(tmp_path):
    import pty

    keyboard, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "oddframe", "data", "synth", str(tmp_path / "data"), "--scale", "tiny", "--json"],
        stdout=subprocess.PIPE, stderr=terminal, env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    ) as verb:  # fmt: skip
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # that is how a terminal's end shows
            while said := os.read(keyboard, 1 << 20):
                shown += said
        told = verb.stdout.read()
    os.close(keyboard)

    assert verb.returncode == 0
    assert json.loads(told)["scale"] == "tiny"
    assert "148/148" in shown.decode()
    assert "\u2501" in shown.decode()


def test_bars_of_stages_end_when_the_next_one_begins_and_warnings_come_once():
    bars = Bars()
    for moment in (
        Progress("opening the videos", 0, 0),
        Progress("judging", 1, 4, "street"),
        Progress("warning", 0, 0, "item 3 is dead"),
        Progress("warning", 0, 0, "item 3 is dead"),
    ):
        bars(moment)

    assert [(task.description, task.completed, task.total) for task in bars.drawn.tasks] == [
        ("opening the videos", 1, 1),
        ("judging", 1, 4),
    ]
