"""The scores of one video, gathered frame by frame into a table."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.fusion import paper_fusion
from oddframe.scoring.heat import box_of, heat_of
from oddframe.scoring.scores import Event, Raw, Scores
from oddframe.scoring.session import Fusing
from oddframe.settings import Settings
from oddframe.video.source import Video


class Collector:
    """Gathers the scores of one video.

    Args:
        calibration, normal: of the scene that it is judged as, `scene`. settings: the run's.
        video: whose scores they are.
    """

    def __init__(
        self, calibration: Calibration, normal: SceneNormal, settings: Settings, video: Video, scene: str
    ) -> None:
        self._scene = scene
        self._calibration, self._normal, self._settings, self._video = calibration, normal, settings, video
        self._by_largest = settings.model.paper_distance == "largest"
        self._fusing = Fusing(normal)
        self._line = calibration.line
        self._tracker = EventTracker(self._line, AlarmRule.of(settings.score), video.fps)
        # Plain numbers side by side: lists of tuples would take ten times the memory of a day of video.
        self._table, self._frames, self._times, self._anew = array("f"), array("q"), array("d"), array("b")
        self._largest = array("f")
        self._events: list[Event] = []
        self._names: list[str] = []
        self._calibrated: list[str] = []  # a floor that the run was not trained with has no rarity

    def take(self, raw: Raw) -> dict[str, float | None]:
        """Take the next frame; return its row, without the columns that need the video's end."""
        calibrated, online, learned = self._fusing.take(raw)
        self._names, self._calibrated = list(raw.values), list(calibrated)
        self._table.extend((*raw.values.values(), *calibrated.values(), online, learned))
        self._frames.append(raw.frame)
        self._times.append(np.nan if raw.time_s is None else raw.time_s)
        self._anew.append(raw.anew)
        if self._by_largest and "local_distance" in raw.maps:
            self._largest.append(raw.largest("local_distance"))
        box = None
        if self._tracker.wants_box(raw.frame, online, anew=raw.anew):
            box = box_of(heat_of(self._calibration, self._normal, raw), self._video.size)
        event = self._tracker.update(raw.frame, raw.time_s, online, box, anew=raw.anew)
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
        """The table of all of them, at least one, and its events."""
        if (event := self._tracker.finish()) is not None:
            self._events.append(event)
        table = np.frombuffer(self._table, np.float32).reshape(self.judged, -1)
        count, rare = len(self._names), len(self._calibrated)
        raw = {name: table[:, column] for column, name in enumerate(self._names)}
        distance = np.frombuffer(self._largest, np.float32) if self._largest else raw.get("distance")
        paper = paper_fusion(raw["psnr"], distance, self._settings.score.gamma)
        times = np.array(self._times, np.float64)
        return Scores(
            video=self._video.name,
            size=self._video.size,
            fps=self._video.fps,
            frame=np.array(self._frames, np.int64),
            time_s=None if np.isnan(times).any() else times,
            raw=raw,
            calibrated={name: table[:, count + column] for column, name in enumerate(self._calibrated)},
            online=table[:, count + rare],
            paper=paper,
            learned=table[:, count + rare + 1],
            line=self._line,
            events=tuple(self._events),
            scene=self._scene,
            notes=(*notes, *((self._line.note,) if self._line.note else ())),
            anew=np.array(self._anew, bool),
        )
