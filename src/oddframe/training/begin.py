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
from oddframe.errors import RunError, TooShortError
from oddframe.models.detector import Detector
from oddframe.models.weights import build_detector
from oddframe.nn.precision import Precision, resolve_device, resolve_precision
from oddframe.origin import RunInfo, SectionInfo, SplitInfo, TimeBudget
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
    window, needed = detector.window, {"held out": parts.heldout}
    if trains:
        needed["trained on"] = parts.normal
    for what, sections in needed.items():
        longest = max(map(len, sections), default=0)
        if longest < window.frames:
            raise TooShortError(
                f"no normal video that is {what} is as long as the window of '{name}'",
                seen=f"at most {longest} frames in a row",
                wanted=f"{window.frames}: the judged one, {window.before} before it and {window.after} after it",
                hint="longer normal video, a larger --set data.heldout=0.2, or a detector with a smaller window",
            )


def _sampler(detector: Detector, settings: Settings, parts: Split, stored: Mapping[str, StoredVideo]) -> ClipSampler:
    videos = (*(section.video for section in parts.normal), *parts.known)
    return ClipSampler(
        clip_sources(parts.normal, parts.known, [stored[store_key(video)] for video in videos]),
        detector.window.frames,
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


def same_run(folder: Path, settings: Settings, videos: VideoSet, budget_s: float | None) -> Run:
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
        score = settings.to_dict()["score"]
        changes = ("--set " + shlex.quote(f"{key}={json.dumps(score[key[6:]], separators=(',', ':'))}") for key in keys)
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
        ),
    )
    run.write_info()
    return run


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
