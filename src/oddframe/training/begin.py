"""How a training begins: what may be wrong is found out before anything is written, or a run that is there goes on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from oddframe.bars import roughly
from oddframe.data.protocols import Section, Split
from oddframe.data.source import source_in
from oddframe.data.videoset import FINGERPRINT, LabelledVideo, VideoSet, video_notes
from oddframe.errors import RunError, SettingsError, TooShortError
from oddframe.models.detector import Detector
from oddframe.models.weights import build_detector
from oddframe.nn import ranks
from oddframe.nn.precision import Precision, resolve_device, resolve_precision
from oddframe.origin import RunInfo, SectionInfo, SplitInfo, TimeBudget, common_rate
from oddframe.progress import Watcher
from oddframe.runs import Run, command_line, host, versions
from oddframe.scoring.recalibrate import OF_THE_EVIDENCE
from oddframe.settings import Settings, differences
from oddframe.training.clip_sources import clip_sources
from oddframe.training.clips import ClipSampler
from oddframe.training.enough import refuse_little_heldout
from oddframe.training.pictures import missing_notes, store_key, store_pictures
from oddframe.video.store import StoredVideo


@dataclass(frozen=True)
class Ready:
    """What a training needs.

    Attributes:
        detector: with fresh weights. stored: video's key (`store_key`) → its stored pictures.
        sampler: where clips come from; None where there is nothing to train.
        notes: what a reader must know of the pictures.
    """

    detector: Detector
    stored: Mapping[str, StoredVideo]
    sampler: ClipSampler | None
    notes: tuple[str, ...]


def prepare(settings: Settings, parts: Split, watch: Watcher) -> Ready:
    """Build the detector, decode the videos, find the clips.

    Raises:
        DataError, SettingsError, DetectorError, StorageError: what a training of these settings and videos cannot be.
    """
    detector = build_detector(settings.detector, settings.model, settings.train.seed)
    trains = bool(detector.parameter_groups())
    _refuse_long_window(settings.detector, detector, parts, trains)
    refuse_little_heldout(parts, detector.window, settings.data)
    sections = (*parts.normal, *parts.heldout)
    videos = [*(section.video for section in sections), *parts.known, *parts.heldout_known]
    stored = store_pictures(videos, settings, watch)
    sampler = _sampler(detector, settings, parts, stored) if trains else None
    return Ready(detector, stored, sampler, tuple(missing_notes(videos, stored)))


def _refuse_long_window(name: str, detector: Detector, parts: Split, trains: bool) -> None:
    """Say before anything is decoded that no video is as long as a clip."""
    window = detector.window
    around = f"{window.frames}: the judged one, {window.before} before it and {window.after} after it"
    needed = [("held out", parts.heldout, "the window", window.frames, around)]
    if trains:
        of_clip = detector.clip_frames
        wanted = around if of_clip == window.frames else f"{of_clip}, as many as it learns from at once"
        needed.append(("trained on", parts.normal, "a clip", of_clip, wanted))
    for what, sections, length, least, wanted in needed:
        longest = max(map(len, sections), default=0)
        if longest < least:
            raise TooShortError(
                f"no normal video that is {what} is as long as {length} of '{name}'",
                seen=f"at most {longest} frames in a row",
                wanted=wanted,
                hint="longer normal video, a larger --set data.heldout=0.2, or a detector with a smaller window",
            )


def _sampler(detector: Detector, settings: Settings, parts: Split, stored: Mapping[str, StoredVideo]) -> ClipSampler:
    videos = (*(section.video for section in parts.normal), *parts.known)
    return ClipSampler(
        clip_sources(parts.normal, parts.known, [stored[store_key(video)] for video in videos]),
        detector.clip_frames,
        settings.train,
        detector.roles,
        known=len(parts.known),
        known_normal=parts.known_normal == "use",
        rate=parts.rate,
    )


def resolved(settings: Settings) -> tuple[torch.device, Precision]:
    """Where a training runs, and in which precision.

    Raises:
        SettingsError: the device does not exist here.
    """
    device = resolve_device(settings.train.device)
    return device, resolve_precision(settings.train.precision, device)


def refuse_ranks(settings: Settings, budget_s: float | None) -> None:
    """Refuse what several ranks cannot do.

    Raises:
        SettingsError: batches do not share out among them, or they shall do what one process alone does.
    """
    if (together := ranks.count()) == 1:
        return
    chosen = settings.train
    for name, size in (("batch", chosen.batch), ("abnormal_batch", chosen.abnormal_batch)):
        if size % together:
            raise SettingsError(
                "batches do not share out among the ranks",
                seen=f"train.{name} {size}, {together} ranks",
                wanted=f"a multiple of {together}",
                hint=f"--set train.{name}={together * -(-size // together)}",
            )
    if budget_s is not None:
        raise SettingsError("a time budget is for one process", seen=f"{together} ranks", hint="--set train.epochs=3")
    if chosen.compile:
        raise SettingsError("steps are compiled for one process", seen=f"{together} ranks", hint="train.compile=false")


def refuse_other_weights(first: Run | None, settings: Settings) -> None:
    """Refuse to begin with the weights of another detector.

    Raises:
        RunError: the run is of another detector, or of other settings of `model`.
    """
    if first is None:
        return
    there = first.settings
    if (there.detector, there.model) != (settings.detector, settings.model):
        differing = [one for one in differences(there, settings) if one.startswith(("detector", "model"))]
        raise RunError(
            "a training cannot begin with the weights of another detector",
            path=first.folder,
            seen="; ".join(differing[:5]) or f"{there.detector}, of other settings",
            wanted="a run of the same detector and settings of `model`",
        )


def same_run(
    folder: Path, settings: Settings, videos: VideoSet, budget_s: float | None, first: Run | None = None
) -> Run:
    """Open the run that is there, to go on with it.

    Raises:
        RunError: it is of another making, or damaged.
    """
    run, data = Run.open(folder, finished=False), videos.described(folder)
    budget = run.info.time_budget
    if budget is not None and (budget.asked_s, budget.epochs_asked) == (budget_s, settings.train.epochs):
        settings = with_epochs(settings, budget.epochs)
    differing = min((differences(one, settings) for one in (run.trained_settings, run.settings)), key=len)
    asked_s = None if budget is None else budget.asked_s
    if asked_s != budget_s:
        there, now = ("none" if time is None else roughly(time) for time in (asked_s, budget_s))
        differing.insert(0, f"time budget: {there} there, {now} now")
    if run.info.started_from != (None if first is None else first.info.weights):
        differing.insert(0, "weights to begin with: others there than now")
    differing += _other_data(run, videos, data.fingerprint)
    if differing:
        raise RunError(
            "the folder holds a run of other settings",
            path=folder,
            seen="; ".join(differing[:5]),
            wanted="the same settings and data, to go on",
            hint=_instead(run, settings, differing),
        )
    if not run.finished:
        run.write_info(settings=settings, data=data, device=str(resolve_device(settings.train.device)))
    return run


def _other_data(run: Run, videos: VideoSet, fingerprint: str) -> list[str]:
    """Where the data are not those that a run was begun with, in words."""
    kept, now = run.info.data, videos.source
    then = source_in(kept, run.folder)
    differing = then.differences(now) if then is not None and now is not None and kept.source is not None else []
    if kept.fingerprint != fingerprint and kept.fingerprint.startswith(FINGERPRINT):
        where = "" if now is None or then is None else f" in {now.paths[0]} now than in {then.paths[0]} then"
        differing.append(f"data: other videos or labels{where}")
    return differing


def _instead(run: Run, settings: Settings, differing: Sequence[str]) -> str:
    """What to do about a run of other settings."""
    keys = [one.partition(":")[0] for one in differing]
    if run.finished and all(key.startswith("score.") and key[6:] not in OF_THE_EVIDENCE for key in keys):
        flat = settings.flat()
        changes = ("--set " + shlex.quote(f"{key}={json.dumps(flat[key], separators=(',', ':'))}") for key in keys)
        return f"these need no training: oddframe calibrate {run.folder} {' '.join(changes)}"
    return "choose another --out, or remove the folder"


def begin_run(
    folder: Path,
    settings: Settings,
    videos: VideoSet,
    parts: Split,
    device: torch.device,
    precision: Precision,
    budget: TimeBudget | None,
    first: Run | None = None,
) -> Run:
    """Write the first run.json."""
    notes = [*videos.notes, *video_notes((*videos.normal, *videos.known))]
    if budget is not None and budget.epochs < budget.epochs_asked:
        notes.append(
            f"trained for {budget.epochs} of {budget.epochs_asked} epochs, to fit into {roughly(budget.asked_s)}"
        )
    run = Run(
        folder,
        RunInfo(
            state="training",
            settings=settings,
            data=videos.described(folder),
            split=_describe(parts),
            command=command_line(),
            versions=versions(),
            host=host(),
            device=str(device),
            precision=precision,
            notes=tuple(notes),
            time_budget=budget,
            started_from=None if first is None else first.info.weights,
            rates=_rates(parts.normal),
        ),
    )
    run.write_info()
    return run


def _rates(normal: Iterable[Section]) -> dict[str, float | None]:
    """Scene → frames a second of its normal video."""
    found: dict[str, list[float | None]] = {}
    for section in normal:
        found.setdefault(section.video.scene, []).append(section.video.video.fps)
    return {scene: common_rate(rates) for scene, rates in found.items()}


def with_epochs(settings: Settings, epochs: int) -> Settings:
    """The same settings with another number of epochs."""
    return settings.model_copy(update={"train": settings.train.model_copy(update={"epochs": epochs})})


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
