"""The loop: forward, backward, step, memory update, log. It knows nothing of any detector.

An objective's gradient is taken for its own parameter group only, so that a generator's step never fills a
discriminator's gradients.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from oddframe.bars import roughly
from oddframe.errors import StorageError, TrainingError
from oddframe.models.contract import broken, check_objective
from oddframe.models.detector import Batch, Clips, Detector, ParameterGroup, RMSProp
from oddframe.models.weights import save_tensors
from oddframe.nn import ranks, rmsprop
from oddframe.nn.compiled import compiled
from oddframe.nn.pictures import to_unit_range
from oddframe.nn.precision import Precision
from oddframe.origin import HistoryRecord
from oddframe.progress import Progress, Watcher
from oddframe.settings import TrainSettings
from oddframe.training.board import Board
from oddframe.training.clip_batch import ClipBatch
from oddframe.training.clips import ClipSampler
from oddframe.training.pace import Pace
from oddframe.training.resume import Checkpoints, Position, laid_out_as

RECORD_STEPS = 50
"""Steps between two records of the history; also the end of each epoch is one."""

_WORTH_SAYING_S = 60.0
"""A training that takes longer is told of when its first steps are measured."""


class Loop:
    """One training.

    Args:
        detector: on its device already.
        sampler: where batches come from.
        settings: epochs, optimiser, schedule.
        folder: the run's folder: history.jsonl, TensorBoard events and checkpoints go there.
        precision: what the run began with.
    """

    def __init__(
        self,
        detector: Detector,
        sampler: ClipSampler,
        settings: TrainSettings,
        *,
        folder: Path,
        device: torch.device,
        precision: Precision,
        watch: Watcher,
    ) -> None:
        self.detector, self.sampler, self.settings = detector, sampler, settings
        self.device, self.precision, self.watch = device, precision, watch
        self.groups = detector.parameter_groups()
        self.optimizers = {name: self._optimizer(group) for name, group in self.groups.items()}
        self.checkpoints = Checkpoints(folder)
        self.position = Position()
        self._history = folder / "history.jsonl"
        self._folder = folder
        self._board = Board(folder)
        self._last: Mapping[str, float] = {}
        self._pace = Pace()
        self._gathered: dict[str, list[Tensor | None]] = {}

    def _optimizer(self, group: ParameterGroup) -> torch.optim.Optimizer:
        lr, decay, how = self.settings.lr, self.settings.weight_decay, group.optimizer
        if isinstance(how, RMSProp):
            return rmsprop.RMSProp(group.parameters, lr=lr, decay=how.decay)
        kind = torch.optim.AdamW if self.settings.optimizer == "adamw" else torch.optim.Adam
        return kind(group.parameters, lr=lr, betas=how.betas, weight_decay=decay, fused=True)

    def run(self) -> Position:
        """Train from the last checkpoint, or from the start, to the end.

        Raises:
            TrainingError: a loss is no longer a number. DetectorError: the detector breaks its contract. The last
                checkpoint stands. SettingsError: it shall be compiled, and cannot be here.
            KeyboardInterrupt: after a checkpoint was written at the end of the step.
        """
        found = self.checkpoints.load(self.detector, self.optimizers)
        self.position = found or Position()
        self._cut_history()
        self.detector.train()
        compiling = compiled(self.detector) if self.settings.compile else contextlib.nullcontext()
        together = self.settings.batch_statistics == "all-ranks"
        norms = ranks.synchronised(self.detector) if together else contextlib.nullcontext()
        with self._interrupt_between_steps() as interrupted, self._board, compiling, norms:
            began, last_saved = time.monotonic() - self.position.seconds, time.monotonic()
            while self.position.epoch < self.settings.epochs:
                # Closed by name: an error would keep the generator, and its thread, alive with the traceback.
                with contextlib.closing(self.sampler.batches(self.position.epoch, self.position.step)) as batches:
                    for batch in self._waited_for(batches):
                        self._step(batch)
                        self._say_how_long(time.monotonic() - began - self.position.seconds)
                        self.position.seconds = time.monotonic() - began
                        if self.position.step % self.settings.accumulate:
                            continue  # a checkpoint has no half gradients
                        due = time.monotonic() - last_saved > 60 * self.settings.checkpoint_minutes
                        due, stopping = ranks.any_rank(due, interrupted.is_set())
                        if due or stopping:
                            self._save()
                            last_saved = time.monotonic()
                        if stopping:
                            raise KeyboardInterrupt
                self.position.epoch, self.position.step = self.position.epoch + 1, 0
                self._keep()
                self._save()
                last_saved = time.monotonic()
                if ranks.any_rank(interrupted.is_set())[0]:
                    raise KeyboardInterrupt
        self.detector.eval()
        return self.position

    def time_steps(self) -> tuple[float, float]:
        """Take some steps for their time's sake: seconds of one, and of all. The weights are spoilt by it.

        Clips are made before, as in training, where they are made while the network computes. Nothing is compiled for
        it, whatever `train.compile` says: that would take minutes of the time that is to be kept, twice over.
        """
        self.detector.train()
        pace, began = Pace(), time.monotonic()
        with self._board:
            for number in itertools.count():
                self.position.step = number % self.sampler.steps_per_epoch
                batch = self.sampler.batch(0, self.position.step)
                before = time.perf_counter()
                self._step(batch)
                if pace.add(time.perf_counter() - before):
                    return pace.step_s, time.monotonic() - began
        raise AssertionError("counting has no end")

    # One step -----------------------------------------------------------------------------------------------

    def _step(self, batch: ClipBatch) -> None:
        position, began = self.position, time.perf_counter()
        part = position.step % self.settings.accumulate
        together = min(self.settings.accumulate, self.sampler.steps_per_epoch - position.step + part)
        rate = learning_rate(self.settings, position.epoch, position.step, self.sampler.steps_per_epoch)
        batch = batch.part(ranks.rank(), ranks.count())
        tensors = to_batch(batch, int(self.detector.settings.channels), self.device)
        traces: list[Mapping[str, Tensor]] = []
        values: dict[str, float] = {}
        if part == 0:
            self._gathered.clear()
        objectives = iter(self.detector.objectives(tensors))
        while True:
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                objective = next(objectives, None)
            if objective is None:
                break
            check_objective(self.detector, objective, self.groups)
            group, optimizer = self.groups[objective.group], self.optimizers[objective.group]
            loss = objective.loss
            self._gather(objective.group, loss / together if together > 1 else loss)
            gradients = [one.grad for one in group.parameters if one.grad is not None]
            if part == together - 1:
                ranks.average(gradients)
            norm = torch.nn.utils.get_total_norm(gradients)
            *of_terms, of_loss, of_norm = _numbers(*objective.terms.values(), loss, norm)
            named = dict(zip(objective.terms, of_terms, strict=True))
            self._refuse_nan({f"loss term '{name}'": value for name, value in named.items()} | {"gradient": of_norm})
            if part == together - 1:
                if self.settings.gradient_clip:
                    torch.nn.utils.clip_grads_with_norm_(group.parameters, self.settings.gradient_clip, norm)
                for parameters in optimizer.param_groups:
                    parameters["lr"] = rate * group.lr_factor
                optimizer.step()
            traces.append(objective.trace)
            values |= named
            values[f"loss.{objective.group}" if len(self.groups) > 1 else "loss"] = of_loss
        if not traces:
            raise broken(self.detector, "a step has nothing to learn", seen="no objective", wanted="one or more a step")
        with torch.no_grad():
            self.detector.after_step(traces)
        for name, value in values.items():
            position.sums[name] = position.sums.get(name, 0.0) + value
            position.counts[name] = position.counts.get(name, 0) + 1
        position.still += batch.still
        position.step += 1
        position.stepped_s += time.perf_counter() - began
        last = position.step == self.sampler.steps_per_epoch
        if last or position.step % RECORD_STEPS == 0:
            self._record(rate)
        self._tell()

    def _gather(self, name: str, loss: Tensor) -> None:
        """Take the gradients of a group's loss, on top of those of the batches before it that count for one step.

        Groups that share a parameter do not meet in its gradient.
        """
        parameters, before = self.groups[name].parameters, self._gathered.get(name)
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        self._gathered[name] = [
            _sum(parameter, gradient, None if before is None else before[number])
            for number, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True))
        ]
        for parameter, gradient in zip(parameters, self._gathered[name], strict=True):
            parameter.grad = gradient

    def _refuse_nan(self, named: Mapping[str, float]) -> None:
        for name, value in named.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"the {name} is no longer a number",
                    path=self._folder,
                    seen=f"{value} in epoch {self.position.epoch + 1}, step {self.position.step + 1}",
                    wanted="a finite value",
                    hint=f"a smaller learning rate: --set train.lr={self.settings.lr / 3:.1g} with a new --out",
                )

    def _waited_for(self, batches: Iterator[ClipBatch]) -> Iterator[ClipBatch]:
        while True:
            began = time.perf_counter()
            batch = next(batches, None)
            self.position.waited_s += time.perf_counter() - began
            if batch is None:
                return
            yield batch

    # Telling ------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        position, steps = self.position, self.sampler.steps_per_epoch
        means = position.means()
        note = f"epoch {min(position.epoch + 1, self.settings.epochs)}/{self.settings.epochs}"
        latest = means or self._last
        for name, value in latest.items():
            if name.partition(".")[0] == "loss":
                note += f", {name} {value:.4f}"
        self.watch(Progress("training", position.epoch * steps + position.step, self.settings.epochs * steps, note))

    def _say_how_long(self, step_s: float) -> None:
        """Once, when enough steps are measured, say how long the rest will take, unless it is over soon."""
        if not self._pace.add(step_s):
            return
        position, steps = self.position, self.sampler.steps_per_epoch
        left = (self.settings.epochs - position.epoch) * steps - position.step
        if (left_s := left * self._pace.step_s) > _WORTH_SAYING_S:
            said = (
                f"as measured, training takes about {roughly(left_s)} more: {left:,} steps of {self._pace.step_s:.2g} s"
            )
            self.watch(Progress("finished", 0, 0, said))

    def _record(self, rate: float) -> None:
        """Add the mean of the terms since the last record to the history."""
        position = self.position
        means = position.means()
        position.sums, position.counts = {}, {}
        self._last = means
        if ranks.rank():
            return
        at_the_end = position.step == self.sampler.steps_per_epoch
        record = HistoryRecord(
            epoch=position.epoch + 1,
            step=position.epoch * self.sampler.steps_per_epoch + position.step,
            seconds=round(position.seconds, 1),
            lr=rate,
            terms=means,
            **({"ailments": tuple(self.detector.ailments())} if at_the_end else {}),
        )
        try:
            with self._history.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record.as_given()) + "\n")
                file.flush()
                os.fsync(file.fileno())  # a checkpoint counts on it
                position.history_bytes = file.tell()
        except OSError as error:
            raise StorageError.of(error, "the history cannot be written", self._history) from None
        self._board.add({**means, "lr": rate}, record.step)

    def _cut_history(self) -> None:
        """Cut the history back to the checkpoint: what came after it will come again."""
        if ranks.rank() == 0 and self._history.exists() and self._history.stat().st_size > self.position.history_bytes:
            with self._history.open("r+b") as file:
                file.truncate(self.position.history_bytes)

    def _save(self) -> None:
        if ranks.rank():
            return
        self._board.flush()
        self.checkpoints.save(self.position, self.detector, self.optimizers)

    def _keep(self) -> None:
        """Keep the weights of this epoch, if it is one of those to be looked at later."""
        every, epoch = self.settings.keep_every, self.position.epoch
        if every and epoch % every == 0 and ranks.rank() == 0:
            save_tensors(self.detector.state_dict(), self._folder / f"weights-epoch-{epoch:03}.safetensors")

    @contextlib.contextmanager
    def _interrupt_between_steps(self) -> Iterator[threading.Event]:
        """Let the first Ctrl-C end the step and write a checkpoint; a second one stops at once."""
        asked = threading.Event()
        if threading.current_thread() is not threading.main_thread():
            yield asked
            return

        def ask(number: int, frame: FrameType | None) -> None:
            if asked.is_set():
                signal.default_int_handler(number, frame)
            asked.set()

        before = signal.signal(signal.SIGINT, ask)
        try:
            yield asked
        finally:
            signal.signal(signal.SIGINT, before)


def _numbers(*scalars: Tensor) -> list[float]:
    """All at once: each reading of a device by itself would wait for all that it has been told to do.

    They are means over the ranks, so that one that is no number stops all of them.
    """
    values = torch.stack([one.detach().float() for one in scalars])
    ranks.average([values])
    found: list[float] = values.tolist()
    return found


def _sum(parameter: Tensor, gradient: Tensor | None, before: Tensor | None) -> Tensor | None:
    if gradient is None:
        return before
    return laid_out_as(parameter, gradient) if before is None else before.add_(gradient)


def learning_rate(settings: TrainSettings, epoch: int, step: int, steps: int) -> float:
    """The learning rate of a step: a function of its position alone, so that nothing of it need be stored.

    `cosine` falls to 0 over the epochs and changes once an epoch (the paper's). `onecycle` rises over the first
    30 % of all steps from 1/25 of `lr`, then falls along a cosine to 1/10,000 of it. `constant` stays.
    """
    if settings.schedule == "constant":
        return settings.lr
    if settings.schedule == "cosine":
        return settings.lr * 0.5 * (1 + math.cos(math.pi * epoch / settings.epochs))
    share = (epoch * steps + step) / max(1, settings.epochs * steps - 1)
    rise = 0.3
    if share < rise:
        return settings.lr * (1 / 25 + (1 - 1 / 25) * 0.5 * (1 - math.cos(math.pi * share / rise)))
    fall = 0.5 * (1 + math.cos(math.pi * (share - rise) / (1 - rise)))
    return settings.lr * (1e-4 + (1 - 1e-4) * fall)


def to_batch(clips: ClipBatch, channels: int, device: torch.device) -> Batch:
    """Move a batch of clips to the device, as networks take it."""

    def moved(array: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(array)
        # Only out of pinned memory does a copy go on while the device computes.
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)

    def pixels(of_role: NDArray[np.uint8]) -> Tensor:
        return to_unit_range(moved(of_role), channels)

    abnormal = None
    if clips.abnormal is not None:
        abnormal = Clips(pixels(clips.abnormal), None if clips.places is None else moved(clips.places))
    second = None if clips.second is None else Clips(pixels(clips.second))
    return Batch(Clips(pixels(clips.normal)), second, abnormal)
