"""Video in, scores out.

Run → Scorer → frame by frame: evidence → components → calibration → fusion → alarms → Scores
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import Trained, open_trained
from oddframe.errors import CutOffVideoError, TooShortError
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.alarms import AlarmRule
from oddframe.scoring.backgrounds import Backgrounds, Still
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.collector import Collector
from oddframe.scoring.components import of_places
from oddframe.scoring.evidence import EvidenceStream
from oddframe.scoring.heat import box_of, heat_of, is_odd, shown_heat
from oddframe.scoring.judged import refuse_other_flow
from oddframe.scoring.rows import RowFile
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.scoring.scores import Box, FrameScore, Raw, Scores
from oddframe.scoring.session import Picture, Session
from oddframe.settings import Settings
from oddframe.video.depth import ranged
from oddframe.video.open import open_video
from oddframe.video.source import Frame, Video

if TYPE_CHECKING:
    from oddframe.scoring.runtimes.runtime import Runtime

MapWatcher = Callable[[int, Mapping[str, NDArray[np.float32]]], None]


@dataclass(frozen=True)
class Explanation:
    """What a judged frame's score rests on.

    Attributes:
        picture: (H, W, C) uint8, the frame in the source's size.
        predicted: (h, w, C) uint8 in the detector's size: what the frame was compared with.
        error: (h, w) squared error per pixel, 0..1.
        heat: (h', w') how odd each place is; the hottest is as odd as the frame, and 1 is the alarm line.
        box: where the oddest place is, in pixels of the source; None where the frame is no odder than half of all
            normal ones, so that there is nothing to point at.
    """

    frame: int
    time_s: float | None
    picture: NDArray[np.uint8] = field(repr=False)
    predicted: NDArray[np.uint8] = field(repr=False)
    error: NDArray[np.float32] = field(repr=False)
    heat: NDArray[np.float32] = field(repr=False)
    box: Box | None


class HeatFrame(NamedTuple):
    """A frame, its heat (see `shown_heat`), and the box around its oddest place; None without a full window. The box is
    None, too, where the frame is no odder than half of all normal ones."""

    frame: Frame
    heat: NDArray[np.float32] | None
    box: Box | None


class Maps(Mapping[str, NDArray[np.float32]]):
    """The maps of a judged frame, (h, w): "online" → heat (see `heat_of`), made when it is asked for; local component →
    raw map (see `Raw`)."""

    def __init__(self, calibration: Calibration, normal: SceneNormal, raw: Raw) -> None:
        self._calibration, self._normal, self._raw = calibration, normal, raw

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        if name == "online":
            return heat_of(self._calibration, self._normal, self._raw)
        return of_places(self._raw.maps[name])

    def __iter__(self) -> Iterator[str]:
        return iter(("online", *self._raw.maps))

    def __len__(self) -> int:
        return 1 + len(self._raw.maps)


def evidence_stream(
    runtime: Runtime, settings: Settings, *, batch: int | None = None, flow: bool = False
) -> EvidenceStream:
    """The stream of raw components, set as the run was trained; `batch` instead of the settings' own.

    Args:
        flow: gather optical flow, too, where nothing in the settings asks for it.
    """
    score = settings.score
    return EvidenceStream(
        runtime,
        resize=settings.data.resize,
        window=score.window,
        stride=score.stride,
        share=score.local_share,
        batch=score.batch if batch is None else batch,
        flow=flow or "flow" in score.online,
        direction="direction" in score.online,
    )


class Scorer:
    """Scores video with a trained detector. It keeps nothing of any video: one serves many videos, and many threads.

    Args:
        run: a run or an artefact, or its folder. device: "auto", "cpu", "cuda".
        backend: what computes it, see `runtimes.choose`; "auto" is torch for a run, the fastest one for an artefact.
        flow: gather optical flow beside what the run was trained with, as a floor to compare with.

    Raises:
        RunError: the run has not finished, is damaged, or of another version; or the artefact is; or optical flow was
            measured otherwise.
        SettingsError: a backend or device that does not fit. MissingExtraError: it is not installed.

    >>> scorer = Scorer("runs/gate")                                                          # doctest: +SKIP
    >>> for one in scorer.stream(camera, fps=10):                                             # doctest: +SKIP
    ...     print(one.frame, one.online, one.alarm)
    """

    def __init__(
        self, run: Trained | Path | str, *, device: str = "auto", backend: str = "auto", flow: bool = False
    ) -> None:
        self._run = open_trained(run)
        self._calibration = load_calibration(self._run.folder)
        known, height = self._calibration, self._run.settings.model.size[0]
        refuse_other_flow(known.flow, known.pooled.components.tails, height, self._run.folder)
        self._backgrounds = Backgrounds.load(self._run.folder)
        # torch is loaded here and for a run alone: neither reading scores nor an artefact needs it
        self._runtime: Runtime = open_runtime(self._run, backend, device)
        self._flow = flow

    @property
    def run(self) -> Trained:
        """The run or the artefact."""
        return self._run

    @property
    def calibration(self) -> Calibration:
        """What is normal, by scene, and where alarms begin."""
        return self._calibration

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
        return evidence_stream(self._runtime, self._run.settings, batch=batch, flow=self._flow)

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
        window = stream.of_video()
        collector = Collector(self._calibration, normal, self._run.settings.score, video, scene)
        stage, readable = f"scoring {video.name}", video.frame_count
        try:
            with (
                RowFile(rows) if rows is not None else nullcontext() as file,
                closing(window.raw(_noting(video.frames(), still), read_ahead=True)) as judged,
            ):
                for number, raw in enumerate(judged):
                    row = collector.take(raw)
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
        return collector.finish([*notes, *window.notes(), *self._backgrounds.notes(scene, still.picture())])

    def session(self, scene: str = "", fps: float | None = None) -> Session:
        """Begin to score the frames of one video or camera, as they come; see `Session`.

        Args:
            scene: which of the trained scenes it shows. fps: frames a second of frames that carry no times.
        """
        return Session(
            self.evidence(batch=1).of_video(),
            self._runtime.before,
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
        """One frame in, one score out, in order; frames without a full window have no score.

        A detector that looks ahead is late by as many frames; the last ones come when the frames have ended.

        Args:
            frames: `Frame`s, or pixels alone: (H, W) or (H, W, 1) grey, (H, W, 3) RGB, uint8.
            scene: which of the trained scenes they show. fps: frames a second of pixels that have no times.
            times_s: seconds of each of them, instead of `fps`.

        Raises:
            DataError: what comes is no picture.
        """
        session = self.session(scene, fps)
        if times_s is None:
            for frame in frames:
                yield from session.push(frame)
        else:
            for frame, time_s in zip(frames, times_s, strict=False):  # a clock may go on for ever
                yield from session.push(frame, time_s)
        yield from session.flush()

    def explain(self, video: Video | Path | str, frames: Sequence[int], scene: str = "") -> list[Explanation]:
        """Show what the scores of these frames (numbers in the source) rest on; frames without a score are left out.

        A detector that learns from a video while it judges it is shown as it was trained.
        """
        video = self.as_trained(video)
        normal, _ = self._calibration.scene(scene)
        wanted, last = set(frames), max(frames, default=-1)
        stream = self.evidence(batch=1)
        before, after = self._runtime.before, self._runtime.after
        held: deque[Frame] = deque(maxlen=stream.frames)
        shown = []
        try:
            for frame in video.frames():
                held.append(frame)
                judged = held[before] if len(held) == stream.frames else None
                if judged is not None and judged.index in wanted:
                    for raw in stream.raw(held):  # none where frames are missing among them
                        seen = self._runtime.see(np.stack([stream.picture(one) for one in held]))
                        heat, box = self._place(normal, raw, video.size)
                        shown.append(
                            Explanation(
                                judged.index, judged.time_s, judged.pixels, seen.predicted, seen.error, heat, box
                            )
                        )
                if frame.index >= last + after:
                    break
        except CutOffVideoError:
            pass  # `score` has said so; what was readable has been shown
        return shown

    def heat_frames(self, video: Video | Path | str, scene: str = "") -> Iterator[HeatFrame]:
        """Every frame of a video with its heat, in order.

        Raises:
            CutOffVideoError: the video ends in the middle; what was readable came before.
        """
        video = self.as_trained(video)
        normal, _ = self._calibration.scene(scene)
        held: deque[Frame] = deque()
        window = self.evidence(batch=1).of_video()
        for frame in video.frames():
            held.append(frame)
            for raw in window.push(frame):
                while held[0].index != raw.frame:
                    yield HeatFrame(held.popleft(), None, None)
                yield HeatFrame(held.popleft(), *self._place(normal, raw, video.size))
        yield from (HeatFrame(frame, None, None) for frame in held)

    def _place(self, normal: SceneNormal, raw: Raw, size: tuple[int, int]) -> tuple[NDArray[np.float32], Box | None]:
        """The heat of a frame for the eye, and the box around its oddest place."""
        heat = shown_heat(self._calibration, normal, raw)
        box = box_of(heat_of(self._calibration, normal, raw), size)
        return heat, box if is_odd(normal, raw) else None


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
