"""How long a training takes, and one that is to fit into a given time."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import torch

from oddframe.data.open import opened
from oddframe.errors import RunError, SettingsError
from oddframe.progress import unwatched
from oddframe.training import pace as measuring
from oddframe.training.begin import prepare
from oddframe.training.budget import fit, or_smaller, parse_budget
from oddframe.training.loop import Loop
from oddframe.training.pace import COUNTED, SKIPPED, Pace
from oddframe.training.train import split_as_set, train


@pytest.mark.parametrize(
    ("text", "seconds"), [("20m", 1200), ("1h30m", 5400), ("90s", 90), ("1.5 h", 5400), ("20min", 1200), (7, 7)]
)
def test_a_time_budget_is_text_or_seconds(text, seconds):
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["20", "m", "20m and more", "-5m", "", 0, float("nan"), float("inf")])
def test_what_is_no_time_budget_is_said(text):
    with pytest.raises(SettingsError, match="no time budget"):
        parse_budget(text)


@pytest.fixture
def measured(monkeypatch):
    """measured(seconds) -> steps take that long, and measuring them takes no time."""
    return lambda seconds: monkeypatch.setattr(Loop, "time_steps", lambda self: (seconds, 0.0))


def test_a_tenth_is_kept_back_and_all_that_is_no_training_is_taken_off(gate, small, monkeypatch):
    monkeypatch.setattr(Loop, "time_steps", lambda self: (100.0, 40.0))
    settings = small("train.epochs=6")
    parts = split_as_set(opened(gate), settings)
    ready = prepare(settings, parts, unwatched)

    def fitting(budget_s: float, spent_s: float) -> int:
        watch = unwatched
        return fit(budget_s, spent_s, settings, parts, ready.sampler, torch.device("cpu"), "fp32", watch).epochs

    # an epoch takes 300 s; measuring took 40 s, and judging 60 held-out frames, 12 clips a step, is to take 167 s
    assert fitting(1270, 60) == 2  # 1143 s less 267 s are 876 s; without any one of these they would be 3 epochs
    assert fitting(1300, 60) == 3
    assert fitting(10_000, 60) == 6  # as many as were asked for


@pytest.mark.slow
def test_a_training_in_a_time_budget_is_the_one_of_as_many_epochs_as_fit(measured, gate, small, tmp_path):
    # 3 steps of 100 s are an epoch; 26 held-out frames among 12 clips a step are no 100 s; of 1,000 s a tenth is kept
    measured(100.0)
    run = train(gate, out=tmp_path / "budget", settings=small("train.epochs=6"), time_budget=1000)
    two = train(gate, out=tmp_path / "two", settings=small("train.epochs=2"))

    assert run.settings.train.epochs == 2
    assert run.weights.read_bytes() == two.weights.read_bytes()
    assert run.info.time_budget.to_dict() == {"asked_s": 1000, "step_s": 100, "epochs_asked": 6, "epochs": 2}
    assert "trained for 2 of 6 epochs, to fit into 17 min" in run.info.notes


@pytest.mark.slow
def test_the_same_command_goes_on_with_the_epochs_that_fitted_at_first(measured, gate, small, tmp_path):
    out = tmp_path / "run"
    measured(100.0)

    def stop(moment) -> None:
        if moment.stage == "training" and moment.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(gate, out=out, settings=small("train.epochs=6"), time_budget=1000, watch=stop)
    measured(1.0)
    with pytest.raises(RunError, match="time budget: 17 min there, none now"):
        train(gate, out=out, settings=small("train.epochs=6"))
    run = train(gate, out=out, settings=small("train.epochs=6"), time_budget=1000)

    assert run.finished
    assert run.history()[-1]["epoch"] == 2


@pytest.mark.slow
def test_a_budget_never_makes_a_training_longer(measured, gate, small, tmp_path):
    measured(0.001)
    run = train(gate, out=tmp_path / "run", settings=small("train.epochs=1"), time_budget="2h")

    assert run.settings.train.epochs == 1
    assert not any("to fit into" in note for note in run.info.notes)


def test_a_budget_into_which_no_epoch_fits_is_refused_before_anything_is_written(measured, gate, small, tmp_path):
    measured(100.0)
    with pytest.raises(SettingsError, match="not even one epoch fits") as caught:
        train(gate, out=tmp_path / "run", settings=small(), time_budget="3m")

    assert "an epoch takes about 5 min" in str(caught.value)
    assert "--time-budget 9m" in str(caught.value)  # 300 s of an epoch and 167 s of judging are nine tenths of that
    assert not (tmp_path / "run" / "run.json").exists()


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ("[240,360]", ", or a smaller network: --preset live or --preset tiny"),
        ("[128,192]", ", or a smaller network: --preset tiny"),
        ("[96,144]", ""),
    ],
)
def test_who_has_no_time_is_told_of_presets_that_are_smaller_and_of_no_others(small, size, told):
    assert or_smaller(small(f"model.size={size}")) == told


@pytest.mark.slow
def test_steps_are_timed_and_nothing_of_it_is_left(gate, small, tmp_path):
    run = train(gate, out=tmp_path / "run", settings=small("train.epochs=1"), time_budget="1h")
    plain = train(gate, out=tmp_path / "plain", settings=small("train.epochs=1"))

    assert 0 < run.info.time_budget.step_s < 60
    assert run.weights.read_bytes() == plain.weights.read_bytes()
    assert len(run.history()) == len(plain.history())


@pytest.mark.slow
def test_nothing_is_compiled_for_measuring_a_step(gate, small, tmp_path, monkeypatch):
    compiled = []

    @contextmanager
    def noted(network):
        compiled.append(network)
        yield

    monkeypatch.setattr("oddframe.training.loop.compiled", noted)
    run = train(gate, out=tmp_path / "run", settings=small("train.epochs=1", "train.compile=true"), time_budget="1h")

    assert run.info.time_budget.step_s > 0
    assert len(compiled) == 1  # the network that is trained, not the one that is measured


def test_the_time_of_a_step_is_the_median_without_the_first_ones():
    pace = Pace()
    told = [pace.add(seconds) for seconds in [50.0] * SKIPPED + [1.0] * (COUNTED - 1) + [9.0, 9.0]]

    assert told == [False] * (SKIPPED + COUNTED - 1) + [True, False]
    assert pace.step_s == 1.0


@pytest.mark.parametrize(
    ("flops", "limit", "seconds"), [(1e9, 10.0, 9.0), (4e9, 10.0, 36.0), (1e9, 90.0, 1.0), (1e9, None, None)]
)
def test_a_step_is_guessed_by_its_arithmetic_and_the_speed_of_products_here(flops, limit, seconds, small, monkeypatch):
    monkeypatch.setattr(measuring, "count_flops", lambda judging: flops)
    monkeypatch.setattr(measuring, "matrix_product_limit", lambda *_: limit)

    guess = measuring.guessed_step_s(small(), torch.device("cpu"), "fp32")

    # three passes of 12 clips at four tenths of so many billion a second
    assert guess == (None if seconds is None else pytest.approx(seconds))


def test_slow_steps_are_not_waited_for():
    pace = Pace()
    assert [pace.add(30.0) for _ in range(SKIPPED + 1)] == [False] * SKIPPED + [True]


@pytest.mark.slow
def test_how_long_it_takes_is_said_once_when_the_first_steps_are_measured(gate, small, tmp_path, monkeypatch):
    monkeypatch.setattr("oddframe.training.loop._WORTH_SAYING_S", 0.0)
    told = []

    train(gate, out=tmp_path / "run", settings=small("train.epochs=4"), watch=told.append)

    (said,) = [moment.note for moment in told if moment.stage == "finished"]
    assert said.startswith("as measured, training takes about")
    assert "2 steps of" in said  # of 12, when 10 are done


@pytest.mark.slow
def test_a_long_training_says_what_it_may_take_before_its_first_step(gate, small, tmp_path, monkeypatch):
    monkeypatch.setattr("oddframe.training.train._WORTH_A_GUESS", 3)
    monkeypatch.setattr("oddframe.training.train.guessed_step_s", lambda *_: 60.0)
    told = []

    train(gate, out=tmp_path / "run", settings=small("train.epochs=1"), watch=told.append)

    first = next(moment for moment in told if moment.stage in ("finished", "training"))
    assert first.note.startswith("training: 3 steps, perhaps 3 min by the network's arithmetic")
