"""Video in, scores out.

Run → Scorer → frame by frame: evidence → components → calibration → fusion → alarms → Scores
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from oddframe.artefact import Trained, open_trained
from oddframe.errors import CutOffVideoError, TooShortError
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.calibration import SceneNormal
from oddframe.scoring.calibration_file import load_calibration
from oddframe.scoring.evidence import EvidenceStream
from oddframe.scoring.fusion import paper_fusion
from oddframe.scoring.heat import box_of, heat_of, shown_heat
from oddframe.scoring.rows import RowFile
from oddframe.scoring.runtimes.choose import open_runtime
from oddframe.scoring.scores import Box, Event, FrameScore, Raw, Scores
from oddframe.settings import Settings
from oddframe.video.depth import ranged
from oddframe.video.source import Frame, Video

if TYPE_CHECKING:
    from pathlib import Path

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
        box: where the oddest place is, in pixels of the source.
    """

    frame: int
    time_s: float | None
    picture: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    error: NDArray[np.float32]
    heat: NDArray[np.float32]
    box: Box


def evidence_stream(runtime: Runtime, settings: Settings) -> EvidenceStream:
    """The stream of raw components, set as the run was trained."""
    score = settings.score
    return EvidenceStream(
        runtime,
        resize=settings.data.resize,
        window=score.window,
        stride=score.stride,
        share=score.local_share,
        batch=score.batch,
    )


class Scorer:
    """Scores video with a trained detector.

    Args:
        run: a run or an artefact, or its folder. device: "auto", "cpu", "cuda".
        backend: what computes it, see `runtimes.choose`; "auto" is torch for a run, the fastest one for an artefact.

    Raises:
        RunError: the run has not finished, is damaged, or of another version; or the artefact is.
        SettingsError: a backend or device that does not fit. MissingExtraError: it is not installed.
    """

    def __init__(self, run: Trained | Path | str, *, device: str = "auto", backend: str = "auto") -> None:
        self.run = open_trained(run)
        self.calibration = load_calibration(self.run.folder)
        # torch is loaded here and for a run alone: neither reading scores nor an artefact needs it
        self._runtime: Runtime = open_runtime(self.run, backend, device)
        self._stream = evidence_stream(self._runtime, self.run.settings)

    @property
    def runtime(self) -> Runtime:
        """What computes the evidence."""
        return self._runtime

    def as_trained(self, video: Video) -> Video:
        """The video with its pictures as the run was trained to see them: 16 bits become 8 by the run's range."""
        return ranged(video, self.run.settings.data.pixel_range)[0]

    def score(
        self,
        video: Video,
        scene: str = "",
        watch: Watcher = unwatched,
        *,
        maps: MapWatcher | None = None,
        rows: Path | None = None,
    ) -> Scores:
        """Score one video. Memory does not grow with its length but for the table of scores.

        A video that ends in the middle is scored as far as it can be read, with a note.

        Args:
            maps: told after each judged frame its number in the source, and its maps: "online" → heat (see `heat_of`),
                local component → raw map (see `Raw`).
            rows: a file that gets every row as soon as it is known, see `RowFile`: it outlives what ends the scoring.

        Raises:
            TooShortError: it has fewer readable frames than the detector's window. StorageError: `rows` cannot be
            written.
        """
        normal, note = self.calibration.scene(scene)
        video, depth = ranged(video, self.run.settings.data.pixel_range)
        notes = [one for one in (note, depth) if one]
        collector = _Collector(self, normal, video)
        stage, readable = f"scoring {video.name}", video.frame_count
        try:
            with (
                RowFile(rows) if rows is not None else nullcontext() as file,
                closing(self._stream.raw(video.frames(), read_ahead=True)) as judged,
            ):
                for number, raw in enumerate(judged):
                    row = collector.take(raw)
                    if file is not None:
                        file.add(row)
                    if maps is not None:
                        maps(raw.frame, {"online": heat_of(self.calibration, normal, raw), **raw.maps})
                    watch(Progress(stage, number + self._stream.frames, readable))
        except CutOffVideoError as error:
            readable = error.frames_read
            notes.append(f"{error.problem}; {readable} frames were readable")
        if not collector.judged:
            raise TooShortError(
                f"video '{video.name}' is too short to be scored",
                path=video.path,
                seen=f"{readable} readable frames",
                wanted=f"at least {self._stream.frames}, the window of '{self.run.settings.detector}'",
            )
        return collector.finish(notes)

    def stream(self, frames: Iterable[Frame], scene: str = "", fps: float | None = None) -> Iterator[FrameScore]:
        """One frame in, one score out, in order; frames without a full window have no score.

        A detector that looks ahead is late by as many frames; the last ones come when the frames have ended.
        """
        normal, _ = self.calibration.scene(scene)
        one_by_one = self._one_by_one()
        fused = normal.fused.stream()
        tracker = EventTracker(self.calibration.line, AlarmRule.of(self.run.settings.score), fps)
        waiting: deque[FrameScore] = deque()
        for number, frame in enumerate(frames):
            unscored = FrameScore(frame.index, frame.time_s, None, {}, None, False)
            if number < self._runtime.before:
                yield unscored
            else:
                waiting.append(unscored)
            for raw in one_by_one.push(frame):
                waiting.popleft()
                rarities = normal.components.rarities(raw)
                online, _ = fused.take(rarities)
                tracker.update(raw.frame, raw.time_s, online)
                yield FrameScore(raw.frame, raw.time_s, raw, rarities, online, tracker.alarm)
        yield from waiting

    def explain(self, video: Video, frames: Sequence[int], scene: str = "") -> list[Explanation]:
        """Show what the scores of these frames (numbers in the source) rest on; frames without a score are left out.

        A detector that learns from a video while it judges it is shown as it was trained.
        """
        normal, _ = self.calibration.scene(scene)
        video = self.as_trained(video)
        wanted, last = set(frames), max(frames, default=-1)
        before, after = self._runtime.before, self._runtime.after
        held: deque[Frame] = deque(maxlen=self._stream.frames)
        shown = []
        try:
            for frame in video.frames():
                held.append(frame)
                judged = held[before] if len(held) == self._stream.frames else None
                if judged is not None and judged.index in wanted:
                    raw = next(self._stream.raw(held))
                    seen = self._runtime.see(np.stack([self._stream.picture(one) for one in held]))
                    heat = shown_heat(self.calibration, normal, raw)
                    box = box_of(heat_of(self.calibration, normal, raw), video.size)  # a calm frame has one, too
                    shown.append(
                        Explanation(judged.index, judged.time_s, judged.pixels, seen.predicted, seen.error, heat, box)
                    )
                if frame.index >= last + after:
                    break
        except CutOffVideoError:
            pass  # `score` has said so; what was readable has been shown
        return shown

    def heat_frames(self, video: Video, scene: str = "") -> Iterator[tuple[Frame, NDArray[np.float32] | None]]:
        """Every frame of a video with its heat (see `shown_heat`), in order; None for those without a full window.

        Raises:
            CutOffVideoError: the video ends in the middle; what was readable came before.
        """
        normal, _ = self.calibration.scene(scene)
        video = self.as_trained(video)
        held: deque[Frame] = deque()
        one_by_one = self._one_by_one()
        for frame in video.frames():
            held.append(frame)
            for raw in one_by_one.push(frame):
                while held[0].index != raw.frame:
                    yield held.popleft(), None
                yield held.popleft(), shown_heat(self.calibration, normal, raw)
        yield from ((frame, None) for frame in held)

    def _one_by_one(self) -> EvidenceStream:
        settings = self.run.settings
        one = settings.model_copy(update={"score": settings.score.model_copy(update={"batch": 1})})
        return evidence_stream(self._runtime, one)


class _Collector:
    """Gathers the scores of one video."""

    def __init__(self, scorer: Scorer, normal: SceneNormal, video: Video) -> None:
        self._scorer, self._normal, self._video = scorer, normal, video
        self._fused = normal.fused.stream()
        self._line = scorer.calibration.line
        self._tracker = EventTracker(self._line, AlarmRule.of(scorer.run.settings.score), video.fps)
        # Plain numbers side by side: lists of tuples would take ten times the memory of a day of video.
        self._table, self._frames, self._times = array("f"), array("q"), array("d")
        self._events: list[Event] = []
        self._names: list[str] = []

    def take(self, raw: Raw) -> dict[str, float | None]:
        """Take the next frame; return its row, without the columns that need the video's end."""
        calibrated = self._normal.components.rarities(raw)
        online, learned = self._fused.take(calibrated)
        self._names = list(raw.values)
        self._table.extend((*raw.values.values(), *calibrated.values(), online, learned))
        self._frames.append(raw.frame)
        self._times.append(np.nan if raw.time_s is None else raw.time_s)
        box = None
        if self._tracker.wants_box(online):
            box = box_of(heat_of(self._scorer.calibration, self._normal, raw), self._video.size)
        event = self._tracker.update(raw.frame, raw.time_s, online, box)
        if event is not None:
            self._events.append(event)
        rarities = {f"{name}_rarity": value for name, value in calibrated.items()}
        return {
            "frame": raw.frame,
            "time_s": raw.time_s,
            "online": online,
            "learned": learned,
            **raw.values,
            **rarities,
        }

    @property
    def judged(self) -> int:
        """Frames so far."""
        return len(self._frames)

    def finish(self, notes: Sequence[str]) -> Scores:
        if (event := self._tracker.finish()) is not None:
            self._events.append(event)
        table = np.frombuffer(self._table, np.float32).reshape(self.judged, -1)
        count = len(self._names)
        raw = {name: table[:, column] for column, name in enumerate(self._names)}
        paper = paper_fusion(raw["psnr"], raw.get("distance"), self._scorer.run.settings.score.gamma)
        times = np.array(self._times, np.float64)
        return Scores(
            video=self._video.name,
            size=self._video.size,
            fps=self._video.fps,
            frame=np.array(self._frames, np.int64),
            time_s=None if np.isnan(times).any() else times,
            raw=raw,
            calibrated={name: table[:, count + column] for column, name in enumerate(self._names)},
            online=table[:, 2 * count],
            paper=paper,
            learned=table[:, 2 * count + 1],
            line=self._line,
            events=tuple(self._events),
            notes=(*notes, *((self._line.note,) if self._line.note else ())),
        )
