"""A detector fitted to a camera, from normal recordings of it: the whole normal, the line, and what it promises.

Recordings → blocks → evidence → calibration → promise → a folder (`fitting.py`). No torch with an artefact, no scipy.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

from oddframe.artefact import Trained, open_trained
from oddframe.errors import CutOffVideoError, MissingPathError, RunError, SettingsError, TooShortError
from oddframe.files import atomic_folder
from oddframe.origin import Rate, rate_of
from oddframe.progress import Watcher, unwatched
from oddframe.records import read_record, write_record
from oddframe.runs import versions
from oddframe.scoring.backgrounds import Backgrounds, Still
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration_file import load_calibration, save_calibration
from oddframe.scoring.collect import BLOCK, Footage, judge
from oddframe.scoring.evidence import EVERYWHERE, unmasked
from oddframe.scoring.fitting import FILE, FittedVideo, Fitting, FittingRecord, detector_of
from oddframe.scoring.judged import Judged
from oddframe.scoring.judged_file import load_judged, save_judged
from oddframe.scoring.kept import Keeping, KeptMaps
from oddframe.scoring.promise import HOURS, per_hour
from oddframe.scoring.recalibrate import Recalibrated, recalibrate, refuse_others, setting_changes
from oddframe.scoring.regions import Regions
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.scoring.scorer import evidence_stream
from oddframe.scoring.taught import Fitted, Said, promised
from oddframe.scoring.taught_file import read_taught, write_taught
from oddframe.settings import Settings, given_online
from oddframe.settings_layers import with_overrides
from oddframe.video.depth import ranged
from oddframe.video.discover import find_videos, printable
from oddframe.video.open import open_video
from oddframe.video.resample import same_rate
from oddframe.video.source import Frame, Video, list_pictures

_PROBLEM = "the fitting cannot be written"


@overload
def calibrate(
    run: Trained | Path | str, *, overrides: Iterable[str] = (), false_alarms_per_day: float | None = None
) -> Recalibrated: ...


@overload
def calibrate(
    run: Trained | Path | str,
    videos: Path | str | Sequence[Path | str] = (),
    *,
    out: Path | str,
    regions: Regions | Path | str | None = None,
    false_alarms_per_day: float | None = None,
    overrides: Iterable[str] = (),
    fps: float | None = None,
    device: str = "auto",
    backend: str = "auto",
    watch: Watcher = unwatched,
) -> Fitting: ...


def calibrate(
    run: Trained | Path | str,
    videos: Path | str | Sequence[Path | str] = (),
    *,
    out: Path | str | None = None,
    regions: Regions | Path | str | None = None,
    false_alarms_per_day: float | None = None,
    overrides: Iterable[str] = (),
    fps: float | None = None,
    device: str = "auto",
    backend: str = "auto",
    watch: Watcher = unwatched,
) -> Recalibrated | Fitting:
    """Change the alarms of a finished run, or fit a detector to a camera.

    Without `out`, a finished run is calibrated again with other settings of `score`, in seconds and without video: its
    calibration, its alarm line and its settings change; weights and evidence stay, and calibrations.jsonl keeps what
    was changed. Without overrides the same calibration is made again.

    With `videos` and `out`, a detector is fitted to the camera that recorded them: `out` becomes a folder for
    `Scorer(run, fitting=out)`, and the run stays as it is. Nothing odd may happen in the videos, and the detector must
    not have been trained on them. With `out` alone, a fitting gets another line, from the evidence that it keeps.

    Args:
        run: a finished run or its folder; for a fitting also an artefact, which needs no torch.
        videos: files, folders of frames, and folders with any of these in them. A sub-folder is a profile (day, night):
            a scene with a normal of its own.
        regions: a file of regions, or `Regions`: polygons to watch or to ignore.
        false_alarms_per_day: the rate that draws the line, instead of `score.false_alarms_per_hour`.
        overrides: "score.smoothing=9"; see `load_settings`. fps: frame rate of folders of frames.
        device, backend: as of `Scorer`. watch: told how far it is.

    Returns:
        What became of the run, or the fitting.

    Raises:
        RunError: no finished run, no evidence (a run of version 0.1), damaged evidence, or such as another version has
            measured otherwise; `out` holds something else, or a fitting of another detector.
        SettingsError: an unknown setting, one that is not of `score`, one that frames were judged with, or a component
            that the detector does not give; a rate of 0; regions that are none; `fps` without videos.
        DataError: a video cannot be read, or all are too short. StorageError: a folder cannot be written.
        MissingExtraError: what computes the detector is not installed.

    Example:
        >>> odd.calibrate("runs/gate", overrides=["score.false_alarms_per_hour=0.2"]).after.on        # doctest: +SKIP
        3.81
        >>> fitting = odd.calibrate("runs/gate", ["monday.mp4"], out="gate-fitting")                  # doctest: +SKIP
        >>> print(fitting.info.promise.in_words())                                                    # doctest: +SKIP
        24 false alarms a day were asked; 26 hours of normal video vouch for at most 33 a day (24 came in that time)
    """
    given = [*overrides]
    if false_alarms_per_day is not None:
        given.append(f"score.false_alarms_per_hour={per_hour(false_alarms_per_day)!r}")
    listed = [videos] if isinstance(videos, Path | str) else list(videos)
    if fps is not None and not listed:
        raise SettingsError(
            "a frame rate is of folders of frames, and there are none",
            seen=f"fps={fps:g}, and no videos",
            hint="oddframe calibrate RUN NORMAL_VIDEO --out FOLDER",
        )
    if out is None:
        if listed or regions is not None:
            raise no_folder()
        return recalibrate(run, overrides=given)
    trained, folder = open_trained(run), Path(out)
    there = (folder / FILE).is_file()
    if not there and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError("there is something in this folder, and no fitting", path=folder, hint="choose another --out")
    if listed:
        chosen = (
            regions if isinstance(regions, Regions) else EVERYWHERE if regions is None else Regions.read(Path(regions))
        )
        settings = _settings(trained, trained.settings, given)
        made = _Recordings(trained, settings, _listed(listed, fps), chosen, watch).fitted(device, backend)
    else:
        if regions is not None:
            raise SettingsError(
                "regions cannot be changed without the videos: frames were judged with those that were there",
                seen="regions, and no videos",
                hint="oddframe calibrate RUN NORMAL_VIDEO --out FOLDER --regions FILE",
            )
        made = _again(trained, Fitting.open(folder, trained), given)
    return _written(made, folder, trained)


def no_folder() -> SettingsError:
    """The error of videos or regions that nobody said a folder for."""
    return SettingsError(
        "a fitting needs a folder of its own",
        seen="videos or regions, and no folder",
        wanted="the camera's normal recordings, and the folder of the fitting",
        hint="oddframe calibrate RUN NORMAL_VIDEO --out FOLDER",
    )


@dataclass(frozen=True)
class _Made:
    """All that a fitting holds, before it is written."""

    judged: Judged
    settings: Settings
    videos: tuple[FittedVideo, ...]
    rate: Rate
    regions: Regions
    backgrounds: Backgrounds
    notes: tuple[str, ...]
    maps: KeptMaps | None


@dataclass(frozen=True)
class _Recording:
    name: str
    profile: str
    video: Video


@dataclass
class _Recordings:
    """Normal recordings of a camera, to fit a detector on."""

    trained: Trained
    settings: Settings
    recordings: Sequence[_Recording]
    regions: Regions
    watch: Watcher
    stills: dict[str, Still] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fitted(self, device: str, backend: str) -> _Made:
        """Judge all of them.

        Raises:
            TooShortError: none is as long as the detector's window.
        """
        rate = rate_of(self.trained.info, "")
        self.notes += [rate.why] if rate.why else []
        runtime = open_runtime(self.trained, backend, device)
        stream = evidence_stream(runtime, self.settings, regions=self.regions)
        blocks = [(one, block) for one in self.recordings for block in self._blocks(one, rate, stream.frames)]
        keeping = Keeping()
        judged = judge(stream, [block for _, block in blocks], self.settings.score, self.watch, rate, keeping)
        if not judged.of_kind("heldout"):
            raise TooShortError(
                "no video is long enough to fit the detector on",
                seen=f"the longest has {max(one.video.frame_count for one in self.recordings)} frames",
                wanted=f"at least {stream.frames} in a row, the window of '{self.settings.detector}'",
            )
        frames = Counter[int]()  # by recording: of two folders, two may be of one name
        for (one, _), stretch in zip(blocks, judged.stretches, strict=True):
            frames[id(one)] += len(stretch)
        online = given_online(self.settings.score.online, judged.components)
        if self.regions and (whole := unmasked(online, judged.components)):
            names = " and ".join(f"'{name}'" for name in whole)
            self.notes.append(
                f"{names}: of the whole picture, whatever the regions say, since the detector gives no map of it"
            )
        pictures = {profile: still.picture() for profile, still in self.stills.items()}
        return _Made(
            judged,
            self.settings,
            tuple(FittedVideo(name=one.name, profile=one.profile, frames=frames[id(one)]) for one in self.recordings),
            rate,
            self.regions,
            Backgrounds({profile: picture for profile, picture in pictures.items() if picture is not None}),
            tuple(dict.fromkeys(self.notes)),
            keeping.kept(),
        )

    def _blocks(self, one: _Recording, rate: Rate, window: int) -> Iterator[Footage]:
        """A recording in blocks that overlap by what a window needs, so that no frame is lost between them."""
        video, depth = ranged(one.video, self.settings.data.pixel_range)
        self.notes += [depth] if depth else []
        step = 1.0
        if rate.fps and video.fps and not same_rate(video.fps, rate.fps):
            step = max(1.0, video.fps / rate.fps)
            if step == 1:
                self.notes.append(
                    f"{one.name} has {video.fps:.3g} frames a second, and the detector was trained at {rate.fps:.4g}: "
                    "whatever moves seems faster, and the line is drawn for that"
                )
        first, last = video.first_index, video.first_index + video.frame_count
        around = math.ceil((window - 1) * step)
        for start in range(first, max(first + 1, last - around), math.ceil(BLOCK * step)):
            stop = min(start + math.ceil(BLOCK * step) + around, last)
            frames = _Block(self, one, video, start, stop).frames
            yield Footage(one.profile, "heldout", max(1, round((stop - start) / step)), frames)

    def seen(self, profile: str, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Frames of a profile, of which what stands still is gathered."""
        still = self.stills.setdefault(profile, Still())
        for frame in frames:
            still.take(frame.pixels)
            yield frame


@dataclass(frozen=True)
class _Block:
    """Frames start..stop-1 of a recording."""

    recordings: _Recordings
    recording: _Recording
    video: Video
    start: int
    stop: int

    def frames(self) -> Iterator[Frame]:
        """Its frames, as far as they can be read."""
        try:
            yield from self.recordings.seen(self.recording.profile, self.video.between(self.start, self.stop).frames())
        except CutOffVideoError as error:
            self.recordings.notes.append(f"{self.recording.name}: {error.problem}; it is used as far as it can be read")


def _listed(videos: Iterable[Path | str], fps: float | None) -> list[_Recording]:
    """All videos that are named, or that lie in folders that are.

    Raises:
        MissingPathError: a folder with no video in it. DataError: one cannot be opened.
    """
    found = []
    for named in videos:
        path = Path(named)
        if path.is_dir() and not list_pictures(path):
            inside = find_videos(path).videos
            if not inside:
                raise MissingPathError("there is no video in this folder", path=path, wanted="normal recordings")
            found += [_Recording(one.name, one.scene, open_video(one.path, fps=fps, name=one.name)) for one in inside]
        else:
            name = printable(path.stem if path.is_file() else path.resolve().name)
            found.append(_Recording(name, "", open_video(path, fps=fps, name=name)))
    return found


def _settings(trained: Trained, before: Settings, given: Sequence[str]) -> Settings:
    """Settings with what is said instead, of `score` alone."""
    settings = with_overrides(before, given)
    refuse_others(trained.folder, settings, setting_changes(before, settings))
    return settings


def _again(trained: Trained, fitting: Fitting, given: Sequence[str]) -> _Made:
    """A fitting with other settings, on the evidence that it keeps."""
    info = fitting.info
    before = trained.settings.model_copy(update={"score": info.score})
    return _Made(
        load_judged(fitting.folder, info.evidence),
        _settings(trained, before, given),
        info.videos,
        fitting.rate,
        fitting.regions,
        Backgrounds.load(fitting.folder),
        info.notes,
        None if info.maps is None else KeptMaps.load(fitting.folder, info.maps),
    )


def _written(made: _Made, folder: Path, trained: Trained) -> Fitting:
    """Fit, and write the folder whole or not at all; what stood there is kept until then, and what people taught it for
    ever."""
    score = made.settings.score
    asked = score.false_alarms_per_hour * HOURS
    calibration = fit_calibration(made.judged, score, _learned(trained, made.judged))
    calibration, promise = promised(calibration, made.judged, asked)
    said, notes = _said(folder, trained)
    with atomic_folder(folder, _PROBLEM, replaces=True) as place:
        save_calibration(calibration, place)
        made.backgrounds.save(place)
        if made.regions:
            made.regions.write(place)
        info = FittingRecord(
            detector=detector_of(trained),
            name=f"{trained.settings.detector} of {trained.folder.name}",
            score=score,
            fps=made.rate.fps,
            videos=made.videos,
            evidence=save_judged(made.judged, place),
            promise=promise,
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=versions(),
            notes=tuple(dict.fromkeys((*made.notes, *notes, *calibration.notes))),
            maps=None if made.maps is None else made.maps.save(place),
        )
        write_record(place / FILE, info, _PROBLEM)
        if said:
            fitted = Fitted(calibration, made.judged, score, made.maps or KeptMaps(), made.regions)
            write_taught(place, said, *fitted.after(said))
    return Fitting.open(folder, trained)


def _said(folder: Path, trained: Trained) -> tuple[Said, list[str]]:
    """What people taught the fitting that stands in a folder, and a sentence where it is of no use any more."""
    taught = read_taught(folder)
    if taught is None:
        return Said(), []
    if read_record(folder / FILE, FittingRecord, "the fitting's fitting.json").detector == detector_of(trained):
        return taught.said, []
    many = len(taught.said.numbers)
    return Said(), [f"what {many} review{'' if many == 1 else 's'} taught another detector is not known to this one"]


def _learned(trained: Trained, judged: Judged) -> Mapping[str, float]:
    """The weights of `learned`: those of the training, where its known anomalies have taught some that fit."""
    learned = load_calibration(trained.folder).pooled.fused.learned
    known = set(learned.weights.values()) != {1.0} and learned.by == "sum"
    return learned.weights if known and set(learned.weights) <= set(judged.components) else {}
