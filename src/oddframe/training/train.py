"""From a set of videos to a run: split, store, train, calibrate.

The same call on an unfinished run goes on where it was; on a finished one it changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from oddframe.bars import roughly, shown
from oddframe.data.open import Data, opened
from oddframe.data.protocols import Split, split
from oddframe.data.videoset import VideoSet
from oddframe.errors import SettingsError
from oddframe.files import clear_left, file_digest
from oddframe.models.weights import load_tensors, load_weights, save_tensors
from oddframe.nn import ranks
from oddframe.nn.precision import resolve_device, to_device
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.runs import FILE, Run, locked, peak_memory_mb
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration_file import save_calibration
from oddframe.scoring.judged_file import save_judged
from oddframe.scoring.runtimes.torch import TorchRuntime
from oddframe.settings import Settings
from oddframe.settings_layers import load_settings
from oddframe.training.begin import (
    Ready,
    begin_run,
    prepare,
    refuse_other_weights,
    refuse_ranks,
    resolved,
    same_run,
    with_epochs,
)
from oddframe.training.budget import fit, parse_budget
from oddframe.training.calibrate import backgrounds_of, judge_split
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop
from oddframe.training.pace import guessed_step_s
from oddframe.training.pictures import settle_pixel_range
from oddframe.training.remember import normal_clips
from oddframe.training.resume import Checkpoints

_WORTH_A_GUESS = 200
"""Steps of a training before which it is worth a second to guess how long it will take."""


def train(
    data: Data,
    *,
    out: str | Path,
    preset: str | None = None,
    detector: str | None = None,
    protocol: str | None = None,
    fold: int | None = None,
    rate: float | None = None,
    known_classes: Iterable[str] = (),
    settings: Settings | None = None,
    overrides: Iterable[str] = (),
    device: str | None = None,
    seed: int | None = None,
    time_budget: str | float | None = None,
    start_from: Run | str | Path | None = None,
    watch: Watcher | None = None,
) -> Run:
    """Train a detector, calibrate it on held-out normal video, and leave it as a run folder.

    Args:
        data: the path of a set, or of normal video; a `DataSource`, where more is to be said; or an open set.
        out: the run's folder.
        preset: where settings start from, "cpu" if not given. overrides: as in `load_settings`.
        detector, protocol, fold, rate, known_classes, device, seed: shorthands for settings of the same names.
        settings: all of them, in place of the above.
        time_budget: "20m", "1h30m", or seconds: as many of the epochs are trained as fit, with a schedule made for
            them; a run that was stopped keeps to what was found at first.
        start_from: a finished run of the same detector and settings of `model`, whose weights the training begins with.
        watch: told of every step; without one, progress is shown on a terminal and in a notebook.

    Returns:
        The finished run.

    Raises:
        SettingsError: also where `settings` is given with others of which it takes the place.
        DataError, DetectorError, RunError, StorageError, TrainingError: each says what to do.
    """
    began = time.monotonic()
    known_classes, overrides = tuple(known_classes), tuple(overrides)
    budget_s = None if time_budget is None else parse_budget(time_budget)
    if settings is None:
        settings = load_settings(
            preset or "cpu",
            detector=detector,
            overrides=overrides,
            data=_given(protocol=protocol, fold=fold, rate=rate, known_classes=known_classes or None),
            train=_given(device=device, seed=seed),
        )
    elif also := _given(
        preset=preset,
        detector=detector,
        protocol=protocol,
        fold=fold,
        rate=rate,
        known_classes=known_classes or None,
        overrides=overrides or None,
        device=device,
        seed=seed,
    ):
        raise SettingsError(
            "settings are given twice",
            seen=f"settings, and {', '.join(also)} beside them",
            wanted="settings alone, or the others alone",
            hint="load_settings(preset, overrides=...) makes settings of all that is wanted",
        )
    videos = opened(data)
    parts = split_as_set(videos, settings)
    first = None if start_from is None else start_from if isinstance(start_from, Run) else Run.open(start_from)
    refuse_other_weights(first, settings)
    settings = settle_pixel_range(settings, [section.video for section in parts.normal])
    folder = Path(out)
    with shown(watch) as watch, ranks.joined(resolve_device(settings.train.device)) as device_:
        refuse_ranks(settings, budget_s)
        if ranks.rank():
            return _beside(folder, settings, parts, device_)
        with locked(folder):
            run = same_run(folder, settings, videos, budget_s, first) if (folder / FILE).is_file() else None
            clear_left(folder)
            if run is not None and run.finished:
                ranks.told_by_first(False)
                Checkpoints(folder).clear()  # its process may have been killed before it did
                watch(Progress("warning", 0, 0, f"{out} has finished already: nothing to do"))
                return run
            ready = prepare(settings, parts, watch)
            if run is None:  # nothing is written before all that may be wrong with the settings is known
                _, precision = resolved(settings)
                budget = None
                if budget_s is not None and ready.sampler is not None:
                    spent_s = time.monotonic() - began
                    budget = fit(budget_s, spent_s, settings, parts, ready.sampler, device_, precision, watch)
                    settings = with_epochs(settings, budget.epochs)
                run = begin_run(folder, settings, videos, parts, device_, precision, budget, first)
            if first is not None:
                load_weights(ready.detector, load_tensors(first.weights, first.info.weights), first.weights)
            ranks.told_by_first(True)
            _Training(run, parts, ready, device_, watch).finish()
            return run


def _beside(folder: Path, settings: Settings, parts: Split, device: torch.device) -> Run:
    """What a rank other than the first does: it trains its part of each batch, and writes nothing."""
    if ranks.told_by_first(False):
        run = Run.open(folder, finished=False)
        ready = prepare(settings, parts, unwatched)
        if not run.weights.is_file():
            _Training(run, parts, ready, device, unwatched).train_beside()
    return Run.open(folder, finished=False)


def split_as_set(videos: VideoSet, settings: Settings) -> Split:
    """Divide videos as the settings say.

    Raises:
        SettingsError, NothingToJudgeError: as `split`.
    """
    chosen = settings.data
    return split(
        videos,
        chosen.protocol,
        fold=chosen.fold,
        folds=chosen.folds,
        shuffle=chosen.shuffle,
        rate=chosen.rate,
        known_classes=chosen.known_classes,
        known=chosen.known,
        known_normal=chosen.known_normal,
        heldout=chosen.heldout,
        heldout_known=chosen.heldout_known,
        seed=settings.train.seed,
    )


def _given(**values: object) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}


@dataclass
class _Training:
    """The stages of one training."""

    run: Run
    parts: Split
    ready: Ready
    device: torch.device
    watch: Watcher

    def train_beside(self) -> None:
        """Take all steps, beside the first rank, which keeps what comes of them."""
        if self.ready.sampler is not None:
            self._loop(self.ready.sampler).run()

    def finish(self) -> None:
        run, settings, detector, device = self.run, self.run.settings, self.ready.detector, self.device
        notes = [*run.info.notes, *self.ready.notes]
        if not run.weights.is_file():
            notes += self._train()
            ranks.leave()
            run.write_info(notes=notes)
            run.write_info(weights=save_tensors(detector.state_dict(), run.weights))
        else:
            load_weights(detector, load_tensors(run.weights, run.info.weights), run.weights)
            if run.info.weights is None:  # killed between the two
                run.write_info(weights=file_digest(run.weights))
        runtime = TorchRuntime(detector, settings.score, device)
        judged = judge_split(runtime, self.parts, self.ready.stored, settings, self.watch)
        evidence = save_judged(judged, run.folder)
        calibration = fit_calibration(judged, settings.score)
        save_calibration(calibration, run.folder)
        backgrounds_of(self.parts, self.ready.stored).save(run.folder)
        notes += calibration.notes
        notes += detector.ailments()
        run.write_info(
            state="finished", evidence=evidence, notes=list(dict.fromkeys(notes)), peak_memory_mb=peak_memory_mb()
        )
        Checkpoints(run.folder).clear()

    def _train(self) -> list[str]:
        run = self.run
        detector, sampler = self.ready.detector, self.ready.sampler
        groups = detector.parameter_groups()
        trained = {id(one): one.numel() for group in groups.values() for one in group.parameters}
        run.write_info(parameters=sum(trained.values()))
        if sampler is None:
            run.write_info(seconds_training=self._remember())
            return []
        run.write_info(clips=sampler.counts)
        self._guess(sampler, self.device)
        position = self._loop(sampler).run()
        run.write_info(
            seconds_training=round(position.seconds, 1),
            share_waiting_for_data=round(position.waited_s / max(position.waited_s + position.stepped_s, 1e-9), 4),
        )
        together = [f"trained by {ranks.count()} ranks"] if ranks.count() > 1 else []
        return [*sampler.notes, *([_still(position.still)] if position.still else []), *together]

    def _remember(self) -> float:
        """Show normal video to a detector that has nothing to train. Returns the seconds that it took."""
        began, detector = time.monotonic(), to_device(self.ready.detector, self.device).eval()
        with torch.no_grad():
            detector.remember(normal_clips(detector, self.parts, self.ready.stored, self.device, self.watch))
        return round(time.monotonic() - began, 1)

    def _loop(self, sampler: ClipSampler) -> Loop:
        return Loop(
            to_device(self.ready.detector, self.device),
            sampler,
            self.run.settings.train,
            folder=self.run.folder,
            device=self.device,
            precision=self.run.info.precision,
            watch=self.watch,
        )

    def _guess(self, sampler: ClipSampler, device: torch.device) -> None:
        """Say about how long it will take, before a step is measured; of a time budget that is known already."""
        run, steps = self.run, self.run.settings.train.epochs * sampler.steps_per_epoch
        if steps < _WORTH_A_GUESS or (run.folder / "history.jsonl").exists():
            return
        if (budget := run.info.time_budget) is not None:
            epochs = f"{budget.epochs} of {budget.epochs_asked} epochs fit into {roughly(budget.asked_s)}"
            said = f"{epochs}: {steps:,} steps of {budget.step_s:.2g} s, about {roughly(steps * budget.step_s)}"
        elif (step_s := guessed_step_s(run.settings, device, run.info.precision)) is not None:
            said = (
                f"training: {steps:,} steps, perhaps {roughly(steps * step_s)} by the network's arithmetic; it is said "
                "again when the first steps are measured"
            )
        else:
            return
        self.watch(Progress("finished", 0, 0, said))


def _still(draws: int) -> str:
    lacking = "1 pseudo-anomaly" if draws == 1 else f"{draws:,} pseudo-anomalies"
    return f"{lacking} could not be made, since nothing moved in the clips that were drawn for it"
