"""Video in, scores out.

Run → Scorer → frame by frame: evidence → components → calibration → fusion → alarms → Scores
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import Trained, open_trained
from oddframe.errors import CutOffVideoError, TooShortError
from oddframe.files import file_digest
from oddframe.origin import Rate, rate_of
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.backgrounds import Backgrounds, Still
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.calibration_file import WORDS, load_calibration
from oddframe.scoring.collector import Collector, Rows
from oddframe.scoring.evidence import EVERYWHERE, EvidenceStream, Intake, Prepared, judge_held
from oddframe.scoring.explanation import Explanation, HeatFrame, Maps
from oddframe.scoring.fitting import Fitting, fitted
from oddframe.scoring.heat import place_of
from oddframe.scoring.judged import refuse_other_flow
from oddframe.scoring.regions import Regions
from oddframe.scoring.rows import RowFile
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.scoring.scores import Box, FrameScore, Scores
from oddframe.scoring.session import Picture, Session
from oddframe.settings import Settings
from oddframe.video.depth import ranged
from oddframe.video.open import open_video
from oddframe.video.source import Frame, Video

if TYPE_CHECKING:
    from oddframe.scoring.runtimes.runtime import Runtime

MapWatcher = Callable[[int, Mapping[str, NDArray[np.float32]]], None]


def evidence_stream(
    runtime: Runtime,
    settings: Settings,
    *,
    batch: int | None = None,
    flow: bool = False,
    regions: Regions = EVERYWHERE,
) -> EvidenceStream:
    """The stream of raw components, set as the run was trained; `batch` instead of the settings' own.

    Args:
        flow: gather optical flow, too, where nothing in the settings asks for it. regions: which places count.
    """
    score = settings.score
    return EvidenceStream(
        runtime,
        resize=settings.data.resize,
        window=score.window,
        stride=score.stride,
        share=score.local_share,
        batch=score.batch if batch is None else batch,
        regions=regions,
        flow=flow or "flow" in score.online,
        direction="direction" in score.online,
    )


class Scorer:
    """Scores video with a trained detector. It keeps nothing of any video: one serves many videos, and many threads.

    Args:
        run: a run or an artefact, or its folder. device: "auto", "cpu", "cuda".
        backend: what computes it, see `runtimes.choose`; "auto" is torch for a run, the fastest one for an artefact.
        flow: gather optical flow beside what the run was trained with, as a floor to compare with.
        fitting: of the detector to a camera, or its folder (see `calibrate`): its normal, its line and its regions
            take the place of the run's.

    Raises:
        RunError: the run has not finished, is damaged, or of another version; or the artefact or the fitting is; the
            fitting is of another detector; or optical flow was measured otherwise.
        SettingsError: a backend or device that does not fit. MissingExtraError: it is not installed.

    >>> scorer = Scorer("runs/gate")                                                          # doctest: +SKIP
    >>> for one in scorer.stream(camera, fps=10):                                             # doctest: +SKIP
    ...     print(one.frame, one.online, one.alarm)
    """

    def __init__(
        self,
        run: Trained | Path | str,
        *,
        device: str = "auto",
        backend: str = "auto",
        flow: bool = False,
        fitting: Fitting | Path | str | None = None,
    ) -> None:
        self._flow = flow
        self._judge_as(open_trained(run), fitting)
        # torch is loaded here and for a run alone: neither reading scores nor an artefact needs it
        self._runtime: Runtime = open_runtime(self._run, backend, device)

    def with_fitting(self, fitting: Fitting | Path | str) -> Scorer:
        """A scorer with another fitting that shares what computes the evidence: many cameras, one network in memory.

        Raises:
            RunError, SettingsError: as of the class.
        """
        other = copy.copy(self)
        other._judge_as(self._run, fitting)
        return other

    def with_regions(self, regions: Regions) -> Scorer:
        """A scorer by which other places count than those of the fitting, and that shares all else with this one.

        What is normal was found, and the line drawn, with the places of the fitting: fewer places raise no more false
        alarms than that, and others may.
        """
        other = copy.copy(self)
        other._regions = regions
        return other

    def _judge_as(self, trained: Trained, fitting: Fitting | Path | str | None) -> None:
        """Take what is normal, and the line, of a fitting, or of the run without one."""
        self._fitting = fitted(fitting, trained)
        self._run = trained if self._fitting is None else self._fitting.used_with(trained)
        folder = self._run.folder if self._fitting is None else self._fitting.folder
        self._calibration = load_calibration(folder) if self._fitting is None else self._fitting.calibration()
        known, height = self._calibration, self._run.settings.model.size[0]
        refuse_other_flow(known.flow, known.pooled.components.tails, height, self._run.folder)
        self._backgrounds = Backgrounds.load(folder)
        self._regions = EVERYWHERE if self._fitting is None else self._fitting.regions
        self._fitted_by = file_digest(folder / WORDS)

    @property
    def run(self) -> Trained:
        """The run or the artefact, with the settings of the fitting, where there is one."""
        return self._run

    @property
    def fitting(self) -> Fitting | None:
        """The fitting to a camera."""
        return self._fitting

    @property
    def regions(self) -> Regions:
        """Which places count."""
        return self._regions

    @property
    def calibration(self) -> Calibration:
        """What is normal, by scene, and where alarms begin."""
        return self._calibration

    @property
    def fitted_by(self) -> str:
        """A digest of the calibration without what it was taught: by it rarities are what they are."""
        return self._fitted_by

    @property
    def backgrounds(self) -> Backgrounds:
        """What stands still in each trained scene."""
        return self._backgrounds

    @property
    def runtime(self) -> Runtime:
        """What computes the evidence."""
        return self._runtime

    def __repr__(self) -> str:
        return f"<Scorer of {self._run.folder}: {self._run.settings.detector}>"

    def as_trained(self, video: Video | Path | str) -> Video:
        """The video with its pictures as the run was trained to see them: 16 bits become 8 by the run's range."""
        return ranged(as_video(video), self._run.settings.data.pixel_range)[0]

    def evidence(self, batch: int | None = None) -> EvidenceStream:
        """The stream of raw components; `batch` frames at once instead of the settings' own."""
        how = evidence_stream(self._runtime, self._run.settings, batch=batch, flow=self._flow, regions=self._regions)
        return how if self._fitting is None else replace(how, lessons=self._fitting.lessons)

    def score(
        self,
        video: Video | Path | str,
        scene: str = "",
        watch: Watcher = unwatched,
        *,
        maps: MapWatcher | None = None,
        rows: Path | None = None,
    ) -> Scores:
        """Score one video. Memory does not grow with its length but for the table of scores.

        A video that ends in the middle is scored as far as it can be read, with a note.

        Args:
            video: an open video, or a file or a folder of frames.
            maps: told after each judged frame its number in the source, and its `Maps`.
            rows: a file that gets every row as soon as it is known, see `RowFile`: it outlives what ends the scoring.

        Raises:
            TooShortError: it has fewer readable frames than the detector's window. DataError: it cannot be read.
            StorageError: `rows` cannot be written.
        """
        normal, note = self._calibration.scene(scene)
        video, depth = ranged(as_video(video), self._run.settings.data.pixel_range)
        notes = [one for one in (note, depth, *video.notes) if one]
        stream, still = self.evidence(), Still()
        window = stream.of_video(self.rate(scene))
        made = Rows(self._calibration, normal, self._run.settings, video.size)
        collector = Collector(self._calibration, normal, self._run.settings, video, scene)
        stage, readable = f"scoring {video.name}", video.frame_count
        try:
            with (
                RowFile(rows) if rows is not None else nullcontext() as file,
                closing(window.raw(_noting(video.frames(), still), read_ahead=True)) as judged,
            ):
                for number, raw in enumerate(judged):
                    row = collector.take(made.of(raw))
                    if file is not None:
                        file.add(row)
                    if maps is not None:
                        maps(raw.frame, Maps(self._calibration, normal, raw))
                    watch(Progress(stage, number + stream.frames, readable))
        except CutOffVideoError as error:
            readable = error.frames_read
            notes.append(f"{error.problem}; {readable} frames were readable")
        if not collector.judged:
            raise TooShortError(
                f"video '{video.name}' is too short to be scored",
                path=video.path,
                seen="; ".join((f"{readable} readable frames", *window.notes())),
                wanted=f"at least {stream.frames} in a row, the window of '{self._run.settings.detector}'",
            )
        notes += [one for one in video.notes if one not in notes]  # of what was seen while it was read
        return collector.finish([*notes, *window.notes(), *self._backgrounds.notes(scene, still.picture())])

    def rate(self, scene: str = "") -> Rate:
        """The frames a second that video of a scene is resampled to: those that the detector was trained at."""
        return rate_of(self._run.info, scene) if self._fitting is None else self._fitting.rate

    def session(self, scene: str = "", fps: float | None = None) -> Session:
        """Begin to score the frames of one video or camera, as they come; see `Session`.

        Args:
            scene: which of the trained scenes it shows. fps: frames a second of frames that carry no times.
        """
        return Session(
            self.evidence(batch=1).of_video(self.rate(scene)),
            self._calibration,
            self._backgrounds,
            AlarmRule.of(self._run.settings.score),
            scene,
            fps,
        )

    def stream(
        self,
        frames: Iterable[Picture],
        scene: str = "",
        fps: float | None = None,
        times_s: Iterable[float] | None = None,
    ) -> Iterator[FrameScore]:
        """Score frames as they come: the scores of `Session.push`, in order, without the frames that have none.

        Args:
            frames: `Frame`s, or pixels alone: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, uint8.
            scene: which of the trained scenes they show. fps: frames a second of pixels that have no times.
            times_s: seconds of each of them, instead of `fps`.

        Raises:
            DataError: what comes is no picture.
        """
        session = self.session(scene, fps)
        clock = repeat(None) if times_s is None else times_s
        for frame, time_s in zip(frames, clock, strict=False):  # a clock may go on for ever
            if (score := session.push(frame, time_s)) is not None:
                yield score

    def explain(self, video: Video | Path | str, frames: Sequence[int], scene: str = "") -> list[Explanation]:
        """Show what the scores of these frames (numbers in the source) rest on; frames without a score are left out.

        What a detector carries over a video is gathered from its start, as `score` does; what is seen beside the heat,
        the prediction and its error, is that of the window alone.
        """
        video = self.as_trained(video)
        normal, _ = self._calibration.scene(scene)
        wanted, last = set(frames), max(frames, default=-1)
        stream = self.evidence(batch=1)
        before, after = self._runtime.before, self._runtime.after
        intake = Intake(stream, self.rate(scene))
        held: deque[tuple[Frame, Prepared]] = deque(maxlen=stream.frames)
        beyond = 0
        runtime = self._runtime.for_video()
        carries = runtime is not self._runtime
        shown = []
        try:
            for frame in video.frames():
                if (prepared := intake.take(frame)) is None:
                    continue
                if prepared.anew:
                    held.clear()
                    runtime = self._runtime.for_video()
                held.append((frame, prepared))
                judged = held[before][0] if len(held) == stream.frames else None
                if judged is not None and (carries or judged.index in wanted):
                    window = [one for _, one in held]
                    (raw,) = judge_held(stream, runtime, window)
                    if judged.index in wanted:
                        seen = self._runtime.see(np.stack([one.picture for one in window]))
                        place = place_of(self._calibration, normal, raw, video.size)
                        at = judged.index, judged.time_s, judged.pixels
                        shown.append(Explanation(*at, seen.predicted, seen.error, *place))
                beyond += frame.index > last
                if frame.index >= last and beyond >= after:
                    break
        except CutOffVideoError:
            pass  # `score` has said so; what was readable has been shown
        return shown

    def heat_frames(self, video: Video | Path | str, scene: str = "") -> Iterator[HeatFrame]:
        """Every frame of a video with its heat, in order. A frame between two judged ones has that of the one before.

        Raises:
            CutOffVideoError: the video ends in the middle; what was readable came before.
        """
        video = self.as_trained(video)
        normal, _ = self._calibration.scene(scene)
        held: deque[Frame] = deque()
        window = self.evidence(batch=1).of_video(self.rate(scene))
        nothing = None, None
        before: tuple[NDArray[np.float32] | None, Box | None] = nothing
        for frame in video.frames():
            held.append(frame)
            for raw in window.push(frame):
                between = nothing if raw.anew else before
                while held[0].index != raw.frame:
                    yield HeatFrame(held.popleft(), *between)
                before = place_of(self._calibration, normal, raw, video.size)
                yield HeatFrame(held.popleft(), *before)
        yield from (HeatFrame(frame, None, None) for frame in held)


def as_video(video: Video | Path | str) -> Video:
    """An open video, or the one at a path.

    Raises:
        DataError: it cannot be read.
    """
    return video if isinstance(video, Video) else open_video(video)


def _noting(frames: Iterator[Frame], still: Still) -> Iterator[Frame]:
    for frame in frames:
        still.take(frame.pixels)
        yield frame
