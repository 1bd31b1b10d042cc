"""The loop, with detectors of two numbers."""

from __future__ import annotations

import json
import math
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from oddframe.detectors import DetectorSettings
from oddframe.errors import TrainingError
from oddframe.models.detector import Adam, Detector, Objective, ParameterGroup, RMSProp, Window
from oddframe.nn.evidence import Evidence
from oddframe.progress import unwatched
from oddframe.settings import TrainSettings
from oddframe.training.clip_sources import ClipSource
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop, learning_rate, to_batch
from oddframe.training.resume import Checkpoints, Position


class Toy(Detector):
    """Two numbers, a group each. `losses` gives the loss of each group, called when its turn comes."""

    window = Window(1, 0)

    def __init__(self, losses: Callable[[Toy], list[tuple[str, Callable[[], torch.Tensor]]]]) -> None:
        super().__init__()
        self.settings = DetectorSettings(size=(16, 16), channels=1)
        self.a, self.b = nn.Parameter(torch.tensor(2.0)), nn.Parameter(torch.tensor(3.0))
        self.losses = losses
        self.seen: list[object] = []

    def parameter_groups(self):
        return {"first": ParameterGroup([self.a]), "second": ParameterGroup([self.b], lr_factor=10)}

    def objectives(self, batch) -> Iterator[Objective]:
        for group, loss in self.losses(self):
            self.seen.append((group, self.a.item(), self.b.item()))
            yield Objective(group, {f"{group}.term": loss()}, {f"{group}.term": 1.0}, {"of": torch.tensor(len(group))})

    def after_step(self, traces) -> None:
        self.seen.append([int(trace["of"]) for trace in traces])

    def forward(self, clip):
        return Evidence(clip[:, 0, 0], None, clip[:, 0])


def loop(detector: Detector, folder: Path, watch=unwatched, *, frames: int = 3, **settings) -> Loop:
    """Two steps an epoch with 3 frames."""
    pixels = np.zeros((frames, 16, 16, 1), np.uint8)
    chosen = TrainSettings(**({"batch": 1, "abnormal_batch": 0, "epochs": 1, "lr": 0.1} | settings))
    sampler = ClipSampler([ClipSource("v", pixels, np.zeros(frames, bool), 0, frames)], 2, chosen, ("normal",))
    device = torch.device("cpu")
    return Loop(detector, sampler, chosen, folder=folder, device=device, precision="fp32", watch=watch)


def test_an_objective_moves_its_own_group_only(tmp_path):
    # the first objective depends on b, the second on a: neither may move there
    toy = Toy(lambda t: [("first", lambda: t.a * t.b), ("second", lambda: (t.b - t.b.detach()).square() + t.a)])

    loop(toy, tmp_path, epochs=1, frames=2).run()

    assert toy.a.item() == pytest.approx(2.0 - 0.1, abs=1e-5)  # Adam's first step is the learning rate
    assert toy.b.item() == 3.0


def test_a_group_is_stepped_before_the_next_objective_and_traces_come_last(tmp_path):
    toy = Toy(lambda t: [("first", lambda: t.a.square()), ("second", lambda: t.b.square())])

    loop(toy, tmp_path, frames=2).run()

    (first, second, traces) = toy.seen
    assert first == ("first", 2.0, 3.0)
    assert second == ("second", pytest.approx(1.9, abs=1e-5), 3.0)
    assert traces == [5, 6]
    assert toy.b.item() == pytest.approx(2.0, abs=1e-5)  # ten times the learning rate


def test_the_history_holds_means_of_terms_by_their_names(tmp_path):
    values = iter([1.0, 3.0])
    toy = Toy(lambda t: [("first", lambda: t.a * 0 + next(values))])

    loop(toy, tmp_path).run()

    (record,) = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert record["terms"] == {"first.term": 2.0, "loss.first": 2.0}
    assert (record["epoch"], record["step"], record["ailments"]) == (1, 2, [])


def test_a_long_epoch_is_recorded_every_fifty_steps_and_at_its_end(tmp_path):
    loop(Toy(lambda t: [("first", lambda: t.a.square())]), tmp_path, frames=104, epochs=1).run()

    records = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [50, 100, 103]
    assert ["ailments" in record for record in records] == [False, False, True]


def test_ailments_are_kept_in_the_history_and_not_called_out_while_training_lasts(tmp_path):
    class Ailing(Toy):
        def ailments(self):
            return ["memory: 3 of 10 items are hardly used"]

    told = []
    loop(Ailing(lambda t: [("first", lambda: t.a.square())]), tmp_path, told.append).run()

    (record,) = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert record["ailments"] == ["memory: 3 of 10 items are hardly used"]
    assert {moment.stage for moment in told} == {"training"}


def test_progress_tells_the_loss_of_each_group(tmp_path):
    toy = Toy(lambda t: [("first", lambda: t.a * 0 + 1), ("second", lambda: t.b * 0 + 2)])
    told = []

    loop(toy, tmp_path, told.append).run()

    assert told[-1].note == "epoch 1/1, loss.first 1.0000, loss.second 2.0000"


def test_progress_tells_the_mean_of_what_came_since_the_last_record(tmp_path):
    values, told = iter([1.0, 3.0, 8.0]), []
    toy = Toy(lambda t: [("first", lambda: t.a * 0 + next(values))])

    loop(toy, tmp_path, told.append, frames=4).run()

    assert [moment.note.partition("loss.first ")[2] for moment in told] == ["1.0000", "2.0000", "4.0000"]


def test_time_that_was_spent_before_an_interruption_counts(tmp_path):
    toy = Toy(lambda t: [("first", lambda: t.a.square())])
    Checkpoints(tmp_path).save(Position(seconds=1000.0), toy, loop(toy, tmp_path).optimizers)

    spent_s = loop(toy, tmp_path).run().seconds

    assert 1000 <= spent_s < 1000 + 3600


def test_a_loss_that_is_no_number_ends_training_and_the_checkpoint_before_stands(tmp_path):
    values = iter([1.0, 1.0, 1.0, math.nan])
    toy = Toy(lambda t: [("first", lambda: t.a * next(values))])

    with pytest.raises(TrainingError, match=r"'first\.term' is no longer a number") as caught:
        loop(toy, tmp_path, epochs=2).run()

    assert "epoch 2, step 2" in str(caught.value)
    assert "train.lr=" in str(caught.value)
    fresh = loop(Toy(lambda t: []), tmp_path)
    position = Checkpoints(tmp_path).load(fresh.detector, fresh.optimizers)
    assert (position.epoch, position.step) == (1, 0)
    assert fresh.detector.a.item() == pytest.approx(1.8, abs=1e-4)


def test_a_gradient_that_is_no_number_ends_training_before_it_spoils_the_weights(tmp_path):
    toy = Toy(lambda t: [("first", lambda: (t.a * 0).sqrt() * 1.0)])  # 0, but its slope is infinite

    with pytest.raises(TrainingError, match="the gradient is no longer a number"):
        loop(toy, tmp_path).run()

    assert toy.a.item() == 2.0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_thread_is_left_after_an_error(tmp_path):
    toy = Toy(lambda t: [("first", lambda: t.a * math.nan)])

    with pytest.raises(TrainingError) as _held:  # with its traceback, as a notebook holds it
        loop(toy, tmp_path, frames=50).run()

    assert not any(thread.name == "clips" for thread in threading.enumerate())


def test_gradients_are_clipped_by_the_norm_of_the_group(tmp_path):
    seen = []

    class Watching(Toy):
        def after_step(self, traces):
            seen.append((self.a.grad.item(), self.b.grad.item()))

    toy = Watching(lambda t: [("first", lambda: 5 * t.a), ("second", lambda: 0.5 * t.b)])

    loop(toy, tmp_path, frames=2, gradient_clip=1.0).run()

    assert seen == [(pytest.approx(1.0, abs=1e-4), 0.5)]


def test_gradients_of_several_batches_are_averaged_for_one_step_and_those_left_over_among_themselves(tmp_path):
    slopes, gradients = iter([1.0, 3.0, 5.0]), []

    def loss(toy: Toy) -> torch.Tensor:
        gradients.append(None if toy.a.grad is None else toy.a.grad.item())
        return toy.a * next(slopes)

    toy = Toy(lambda t: [("first", lambda: loss(t))])
    loop(toy, tmp_path, frames=4, accumulate=2).run()

    weights = [one[1] for one in toy.seen if isinstance(one, tuple)]
    assert weights == [2.0, 2.0, pytest.approx(1.9, abs=1e-5)]  # one step of Adam after two batches
    assert gradients == [None, 0.5, 2.0]  # half of 1; half of 1 and 3
    assert toy.a.grad.item() == 5.0  # the epoch's last batch is alone
    assert toy.a.item() < 1.85


class Phased(Toy):
    """Steps one number in two groups, one after the other: by RMSProp at first, then by Adam with betas of its own."""

    def __init__(self, steps: int) -> None:
        super().__init__(lambda t: [("second" if t.taken >= steps else "first", lambda: (t.a - 1).square())])
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    def parameter_groups(self):
        return {
            "first": ParameterGroup([self.a], 1.0, RMSProp(decay=0.8)),
            "second": ParameterGroup([self.a], 0.5, Adam(betas=(0.5, 0.9))),
        }

    def after_step(self, traces) -> None:
        self.taken += 1


def test_each_group_is_stepped_as_it_says_and_keeps_means_of_its_own(tmp_path):
    toy = Phased(steps=2)

    loop(toy, tmp_path, frames=6, schedule="constant").run()

    at, square = 2.0, 1.0  # the mean of the squares begins at 1
    for _ in range(2):
        slope = 2 * (at - 1)
        square = 0.8 * square + 0.2 * slope**2
        at -= 0.1 * slope / math.sqrt(square + 1e-10)
    plain = nn.Parameter(torch.tensor(at))
    adam = torch.optim.Adam([plain], lr=0.05, betas=(0.5, 0.9))
    for _ in range(3):
        plain.grad = 2 * (plain.detach() - 1)
        adam.step()
    assert toy.a.item() == pytest.approx(plain.item(), abs=1e-5)


def test_a_training_in_phases_that_was_stopped_ends_with_the_same_weights(tmp_path):
    def run(folder: Path, stop_at: int | None) -> float:
        folder.mkdir()

        def watch(moment) -> None:
            if moment.done == stop_at:
                signal.raise_signal(signal.SIGINT)

        if stop_at is not None:
            with pytest.raises(KeyboardInterrupt):
                loop(Phased(steps=3), folder, watch, frames=7).run()
        toy = Phased(steps=3)
        loop(toy, folder, frames=7).run()
        return toy.a.item()

    whole = run(tmp_path / "whole", None)

    assert run(tmp_path / "first", 1) == whole
    assert run(tmp_path / "second", 4) == whole


def test_groups_that_share_a_parameter_do_not_meet_in_its_gradient(tmp_path):
    seen = []

    class Watching(Phased):
        def after_step(self, traces):
            super().after_step(traces)
            seen.append((self.taken.item(), self.a.grad.item()))

    loop(Watching(steps=1), tmp_path, frames=3, accumulate=2).run()

    # the phase changes within the two batches of one step: the second group has but its own half of the gradient
    assert seen == [(1, 1.0), (2, 1.0)]


def test_terms_that_come_in_some_steps_are_means_over_these(tmp_path):
    terms = iter([[("first", 1.0)], [("first", 3.0), ("second", 8.0)]])
    toy = Toy(lambda t: [(name, lambda value=value: value + 0 * (t.a + t.b)) for name, value in next(terms)])

    loop(toy, tmp_path).run()

    (record,) = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert record["terms"]["first.term"] == 2.0
    assert record["terms"]["second.term"] == record["terms"]["loss.second"] == 8.0


def test_training_that_is_stopped_within_accumulated_batches_ends_with_the_same_weights(tmp_path):
    def run(folder: Path, stop_at: int | None) -> float:
        folder.mkdir()
        toy = Toy(lambda t: [("first", lambda: (t.a - 1).square())])

        def watch(moment) -> None:
            if moment.done == stop_at:
                signal.raise_signal(signal.SIGINT)

        training = loop(toy, folder, watch, frames=6, accumulate=2, epochs=2)
        if stop_at is None:
            training.run()
            return toy.a.item()
        with pytest.raises(KeyboardInterrupt):
            training.run()
        assert training.position.step % 2 == 0
        again = Toy(toy.losses)
        loop(again, folder, frames=6, accumulate=2, epochs=2).run()
        return again.a.item()

    assert run(tmp_path / "stopped", 3) == run(tmp_path / "whole", None)


def test_a_training_that_was_stopped_goes_on_with_the_batch_and_the_record_that_came_next(tmp_path):
    def training(watch=unwatched) -> Loop:
        made = loop(Toy(lambda t: [("first", lambda: t.a.square())]), tmp_path, watch, epochs=3)
        batches = made.sampler.batches
        made.sampler.batches = lambda epoch, first=0: asked.append((epoch, first)) or batches(epoch, first)
        return made

    def stop(moment) -> None:
        if moment.done == 3:  # the first step of the second epoch
            signal.raise_signal(signal.SIGINT)

    asked = []
    with pytest.raises(KeyboardInterrupt):
        training(stop).run()
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"what": "came after the checkpoint"}\n')
    training().run()

    assert asked == [(0, 0), (1, 0), (1, 1), (2, 0)]
    records = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records] == [1, 2, 3]


def test_progress_counts_all_steps(tmp_path):
    told = []
    toy = Toy(lambda t: [("first", lambda: t.a.square())])

    loop(toy, tmp_path, told.append, epochs=2).run()

    assert [(one.done, one.total) for one in told if one.stage == "training"] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_cosine_falls_once_an_epoch():
    settings = TrainSettings(epochs=60, lr=2e-5)

    assert learning_rate(settings, 0, 0, 100) == 2e-5
    assert learning_rate(settings, 0, 99, 100) == 2e-5
    assert learning_rate(settings, 30, 0, 100) == pytest.approx(1e-5)
    assert learning_rate(settings, 20, 7, 100) == pytest.approx(1.5e-5)  # (1 + cos 60°) / 2


def test_a_constant_rate_stays():
    settings = TrainSettings(schedule="constant", lr=0.3, epochs=4)

    assert {learning_rate(settings, epoch, step, 5) for epoch in range(4) for step in range(5)} == {0.3}


def test_onecycle_rises_over_three_tenths_and_falls_to_nothing():
    settings = TrainSettings(epochs=1, lr=1.0, schedule="onecycle")
    rates = [learning_rate(settings, 0, step, 11) for step in range(11)]

    assert rates[0] == pytest.approx(1 / 25)
    assert rates[3] == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(1e-4)
    assert rates[:4] == sorted(rates[:4])
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_networks_see_black_as_minus_one_and_white_as_one():
    from oddframe.training.clip_batch import ClipBatch

    pixels = np.zeros((1, 2, 4, 4, 1), np.uint8)
    pixels[:, 1] = 255
    places = np.ones((1, 4, 4), bool)

    batch = to_batch(ClipBatch(pixels, None, pixels, places), 3, torch.device("cpu"))

    assert batch.normal.pixels.shape == (1, 2, 3, 4, 4)
    assert batch.normal.pixels[0, 0].unique().tolist() == [-1.0]
    assert batch.normal.pixels[0, 1].unique().tolist() == [1.0]
    assert batch.second is None
    assert batch.abnormal.places.all()


def test_weights_decay_where_it_is_asked_for(tmp_path):
    toy = Toy(lambda t: [("first", lambda: t.a * 0)])

    loop(toy, tmp_path, frames=2, optimizer="adamw", weight_decay=0.1).run()

    assert toy.a.item() == pytest.approx(2.0 * (1 - 0.1 * 0.1))  # learning rate times decay; there is no gradient


def test_without_it_decay_is_a_part_of_the_gradient_as_adam_has_it(tmp_path):
    toy = Toy(lambda t: [("first", lambda: t.a * 0)])

    loop(toy, tmp_path, frames=2, optimizer="adam", weight_decay=0.1).run()

    assert toy.a.item() == pytest.approx(2.0 - 0.1, abs=1e-5)  # Adam's first step is the learning rate


@pytest.mark.parametrize("schedule", ["cosine", "onecycle"])
def test_each_step_has_the_learning_rate_of_its_place(tmp_path, schedule):
    seen = []

    class Watching(Toy):
        def after_step(self, traces):
            seen.append(training.optimizers["first"].param_groups[0]["lr"])

    training = loop(Watching(lambda t: [("first", lambda: t.a.square())]), tmp_path, epochs=3, schedule=schedule)
    training.run()

    assert seen == [learning_rate(training.settings, epoch, step, 2) for epoch in range(3) for step in range(2)]
    assert len({*seen}) == (3 if schedule == "cosine" else 6)


def test_a_detector_is_told_that_it_is_trained_and_when_that_is_over(tmp_path):
    toy = Toy(lambda t: [("first", lambda: modes.append(t.training) or t.a.square())])
    modes = []
    toy.eval()

    loop(toy, tmp_path).run()

    assert modes == [True, True]
    assert not toy.training


@pytest.mark.parametrize(("precision", "on"), [("bf16", True), ("fp32", False)])
def test_the_arithmetic_is_in_the_precision_that_the_run_began_with(tmp_path, precision, on):
    seen = []
    toy = Toy(lambda t: [("first", lambda: seen.append(torch.is_autocast_enabled("cpu")) or t.a * 1.0)])

    training = loop(toy, tmp_path, frames=2)
    training.precision = precision
    training.run()

    assert seen == [on]


def test_the_second_normal_clips_are_drawn_anew_and_are_not_the_first_ones_again():
    frames = 40
    pixels = np.broadcast_to(np.arange(frames, dtype=np.uint8)[:, None, None, None], (frames, 16, 16, 1))
    sampler = ClipSampler(
        [ClipSource("v", pixels, np.zeros(frames, bool), 0, frames)], 2, TrainSettings(batch=4), ("normal", "second")
    )
    batches = [sampler.batch(0, step) for step in range(sampler.steps_per_epoch)]

    firsts = [(batch.normal[:, 0, 0, 0, 0].tolist(), batch.second[:, 0, 0, 0, 0].tolist()) for batch in batches]
    assert all(normal != second for normal, second in firsts)


def test_what_is_put_into_a_clip_that_plays_too_fast_leaves_what_is_odd_in_it_alone():
    frames = 40
    pixels = np.zeros((frames, 32, 48, 1), np.uint8)
    for index in range(frames):
        pixels[index, 8:20, index : index + 8] = 230
    settings = TrainSettings(batch=1, abnormal_batch=1, pseudo_anomalies=("skip",), crowd=1.0)
    source = ClipSource("v", pixels, np.zeros(frames, bool), 0, frames)
    sampler = ClipSampler([source], 5, settings, ("normal", "abnormal"))
    spared = []
    sampler._crowd = lambda rng, clip, number, pace, places=None: spared.append(places) or clip

    made = sampler._skip(np.random.default_rng(0))

    assert made is not None
    assert np.array_equal(spared[-1], made[1])
