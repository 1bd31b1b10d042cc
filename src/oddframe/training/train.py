"""From a set of videos to a run: split, store, train, calibrate.

The same call on an unfinished run goes on where it was; on a finished one it changes nothing.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from oddframe.data.open import open_videoset
from oddframe.data.protocols import Section, Split, split
from oddframe.data.videoset import LabelledVideo, VideoSet, video_notes
from oddframe.errors import RunError, TooShortError
from oddframe.models.detector import Detector
from oddframe.models.weights import build_detector, load_tensors, load_weights, save_tensors
from oddframe.nn.precision import resolve_device, resolve_precision, to_device
from oddframe.origin import DataInfo, RunInfo, SectionInfo, SplitInfo
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.runs import FILE, Run, command_line, host, locked, peak_memory_mb, versions
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration_file import save_calibration
from oddframe.scoring.judged_file import save_judged
from oddframe.scoring.recalibrate import OF_THE_EVIDENCE
from oddframe.scoring.runtimes.torch import TorchRuntime
from oddframe.settings import Settings, differences, load_settings
from oddframe.training.calibrate import backgrounds_of, judge_split
from oddframe.training.clip_sources import clip_sources
from oddframe.training.clips import ClipSampler
from oddframe.training.loop import Loop
from oddframe.training.pictures import missing_notes, settle_pixel_range, store_key, store_pictures
from oddframe.training.resume import Checkpoints
from oddframe.video.store import StoredVideo


def train(
    data: VideoSet | str | Path,
    *,
    out: str | Path,
    preset: str = "cpu",
    detector: str | None = None,
    protocol: str | None = None,
    fold: int | None = None,
    rate: float | None = None,
    known_classes: Iterable[str] = (),
    settings: Settings | None = None,
    overrides: Iterable[str] = (),
    device: str | None = None,
    seed: int | None = None,
    watch: Watcher = unwatched,
) -> Run:
    """Train a detector, calibrate it on held-out normal video, and leave it as a run folder.

    Args:
        data: a set, or the path of one. out: the run's folder.
        preset: where settings start from; `settings` replaces it. overrides: as in `load_settings`.
        detector, protocol, fold, rate, known_classes, device, seed: shorthands for settings of the same names.
        watch: told of every step.

    Returns:
        The finished run.

    Raises:
        DataError, SettingsError, DetectorError, RunError, StorageError, TrainingError: each says what to do.
    """
    videos = data if isinstance(data, VideoSet) else open_videoset(data)
    if settings is None:
        settings = load_settings(
            preset,
            detector=detector,
            overrides=overrides,
            data=_given(protocol=protocol, fold=fold, rate=rate, known_classes=tuple(known_classes) or None),
            train=_given(device=device, seed=seed),
        )
    parts = split_as_set(videos, settings)
    settings = settle_pixel_range(settings, [section.video for section in parts.normal])
    with locked(Path(out)):
        run = _new_or_same(Path(out), settings, videos, parts)
        if run.finished:
            watch(Progress("warning", 0, 0, f"{out} has finished already: nothing to do"))
            return run
        _Training(run, parts, watch).finish()
        return run


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
        known_normal=chosen.known_normal,
        heldout=chosen.heldout,
        heldout_known=chosen.heldout_known,
        seed=settings.train.seed,
    )


def _given(**values: object) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}


def _new_or_same(folder: Path, settings: Settings, videos: VideoSet, parts: Split) -> Run:
    """Open the run that is there, if it is of the same making, or begin one."""
    root = None if videos.root is None else os.path.relpath(videos.root, folder)
    data = DataInfo(**videos.described(), root=root)
    if (folder / FILE).is_file():
        run = Run.open(folder, finished=False)
        differing = min((differences(one, settings) for one in (run.trained_settings, run.settings)), key=len)
        if run.info.data.fingerprint != data.fingerprint:
            differing.append(f"data: other videos or labels in {data.root} now than in {run.info.data.root} then")
        if differing:
            raise RunError(
                "the folder holds a run of other settings",
                path=folder,
                seen="; ".join(differing[:5]),
                wanted="the same settings and data, to go on",
                hint=_instead(run, settings, differing),
            )
        if not run.finished:
            for left in folder.glob(".*.tmp"):  # by a process that was killed while it wrote
                left.unlink(missing_ok=True)
            run.write_info(settings=settings, data=data, device=str(resolve_device(settings.train.device)))
        return run
    device = resolve_device(settings.train.device)
    run = Run(
        folder,
        RunInfo(
            state="training",
            settings=settings,
            data=data,
            split=_describe(parts),
            command=command_line(),
            versions=versions(),
            host=host(),
            device=str(device),
            precision=resolve_precision(settings.train.precision, device),
            notes=(*videos.notes, *video_notes((*videos.normal, *videos.known))),
        ),
    )
    run.write_info()
    return run


def _instead(run: Run, settings: Settings, differing: Sequence[str]) -> str:
    """What to do about a run of other settings."""
    keys = [one.partition(":")[0] for one in differing]
    if run.finished and all(key.startswith("score.") and key[6:] not in OF_THE_EVIDENCE for key in keys):
        score = settings.to_dict()["score"]
        changes = ("--set " + shlex.quote(f"{key}={json.dumps(score[key[6:]], separators=(',', ':'))}") for key in keys)
        return f"these need no training: oddframe calibrate {run.folder} {' '.join(changes)}"
    return "choose another --out, or remove the folder"


def _describe(parts: Split) -> SplitInfo:
    def sections(of: Iterable[Section]) -> tuple[SectionInfo, ...]:
        return tuple(SectionInfo(video=one.video.name, start=one.start, stop=one.stop) for one in of)

    def names(of: Iterable[LabelledVideo]) -> tuple[str, ...]:
        return tuple(video.name for video in of)

    return SplitInfo(
        protocol=parts.protocol,
        fold=parts.fold,
        folds=parts.folds,
        rate=parts.rate,
        known_classes=parts.known_classes,
        normal=sections(parts.normal),
        known=names(parts.known),
        test=names(parts.test),
        heldout=sections(parts.heldout),
        heldout_known=names(parts.heldout_known),
        known_normal=parts.known_normal,
    )


@dataclass
class _Training:
    """The stages of one training."""

    run: Run
    parts: Split
    watch: Watcher

    def finish(self) -> None:
        run, settings = self.run, self.run.settings
        device = resolve_device(run.info.device)
        detector = build_detector(settings.detector, settings.model, settings.train.seed)
        self._refuse_long_window(detector)
        stored = self._store()
        notes = [*run.info.notes, *missing_notes(self._videos(), stored)]
        if not run.weights.is_file():
            notes += self._train(detector, stored, device)
            run.write_info(notes=notes)
            save_tensors(detector.state_dict(), run.weights)
        else:
            load_weights(detector, load_tensors(run.weights), run.weights)
        runtime = TorchRuntime(detector, settings.score, device)
        judged = judge_split(runtime, self.parts, stored, settings, self.watch)
        evidence = save_judged(judged, run.folder)
        calibration = fit_calibration(judged, settings.score)
        save_calibration(calibration, run.folder)
        backgrounds_of(self.parts, stored).save(run.folder)
        notes += calibration.notes
        notes += detector.ailments()
        run.write_info(
            state="finished", evidence=evidence, notes=list(dict.fromkeys(notes)), peak_memory_mb=peak_memory_mb()
        )
        Checkpoints(run.folder).clear()

    def _refuse_long_window(self, detector: Detector) -> None:
        """Say before anything is decoded that no video is as long as a clip."""
        window, needed = detector.window, {"held out": self.parts.heldout}
        if detector.parameter_groups():
            needed["trained on"] = self.parts.normal
        for what, sections in needed.items():
            longest = max(map(len, sections), default=0)
            if longest < window.frames:
                raise TooShortError(
                    f"no normal video that is {what} is as long as the window of '{self.run.settings.detector}'",
                    seen=f"at most {longest} frames in a row",
                    wanted=f"{window.frames}: the judged one, {window.before} before it and {window.after} after it",
                    hint="longer normal video, a larger --set data.heldout=0.2, or a detector with a smaller window",
                )

    def _videos(self) -> list[LabelledVideo]:
        """All that is learned from or calibrated on."""
        parts = self.parts
        sections = (*parts.normal, *parts.heldout)
        return [*(section.video for section in sections), *parts.known, *parts.heldout_known]

    def _store(self) -> dict[str, StoredVideo]:
        return store_pictures(self._videos(), self.run.settings, self.watch)

    def _train(self, detector: Detector, stored: Mapping[str, StoredVideo], device: torch.device) -> list[str]:
        run, settings = self.run, self.run.settings
        groups = detector.parameter_groups()
        counts = {name: sum(one.numel() for one in group.parameters) for name, group in groups.items()}
        run.write_info(parameters=sum(counts.values()))
        if not groups:
            run.write_info(seconds_training=0.0)
            return []
        parts = self.parts
        sources = clip_sources(
            parts.normal,
            parts.known,
            [stored[store_key(video)] for video in (*(section.video for section in parts.normal), *parts.known)],
        )
        sampler = ClipSampler(
            sources,
            detector.window.frames,
            settings.train,
            detector.roles,
            known=len(parts.known),
            known_normal=parts.known_normal == "use",
            rate=parts.rate,
        )
        run.write_info(clips=sampler.counts)
        to_device(detector, device)
        loop = Loop(
            detector,
            sampler,
            settings.train,
            folder=run.folder,
            device=device,
            precision=run.info.precision,
            watch=self.watch,
        )
        position = loop.run()
        run.write_info(
            seconds_training=round(position.seconds, 1),
            share_waiting_for_data=round(position.waited_s / max(position.waited_s + position.stepped_s, 1e-9), 4),
        )
        return [*sampler.notes, *([_still(position.still)] if position.still else [])]


def _still(draws: int) -> str:
    lacking = "1 pseudo-anomaly" if draws == 1 else f"{draws:,} pseudo-anomalies"
    return f"{lacking} could not be made, since nothing moved in the clips that were drawn for it"
