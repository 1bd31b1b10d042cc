"""The scores of one video, gathered frame by frame into a table."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from oddframe.scoring.alarms import AlarmRule, EventTracker
from oddframe.scoring.calibration import Calibration, SceneNormal
from oddframe.scoring.fusion import paper_fusion
from oddframe.scoring.heat import box_of, heat_of
from oddframe.scoring.scores import Box, Event, Raw, Scores
from oddframe.scoring.session import Fusing, as_shown
from oddframe.settings import Settings
from oddframe.video.source import Video


@dataclass(frozen=True)
class Row:
    """What a judged frame adds to the scores of its video: all that does not depend on the frames before it.

    Attributes:
        frame, time_s, anew, values: as of `Raw`.
        rarities: component → its rarity, of those that are calibrated.
        largest: `local_distance` of the oddest place; None where nothing asks for it.
        box: finds the box around the oddest place, in pixels of the source. An event asks for that of its peak.
    """

    frame: int
    time_s: float | None
    anew: bool
    values: Mapping[str, float]
    rarities: Mapping[str, float]
    largest: float | None
    box: Callable[[], Box]


class Rows:
    """Makes the rows of one video.

    Args:
        calibration, normal: of the scene that it is judged as. settings: the run's.
        size: (height, width) of the source.
    """

    def __init__(
        self, calibration: Calibration, normal: SceneNormal, settings: Settings, size: tuple[int, int]
    ) -> None:
        self._calibration, self._normal, self._size = calibration, normal, size
        self._by_largest = settings.model.paper_distance == "largest"

    def of(self, raw: Raw) -> Row:
        """The row of a frame. Its `box` holds the frame's maps for as long as it is kept."""
        return Row(
            raw.frame,
            raw.time_s,
            raw.anew,
            raw.values,
            self._normal.components.rarities(raw),
            raw.largest("local_distance") if self._by_largest and "local_distance" in raw.maps else None,
            lambda: box_of(heat_of(self._calibration, self._normal, raw), self._size),
        )


class Collector:
    """Gathers the scores of one video: all that depends on the frames before, from its rows in order.

    Args:
        calibration, normal: of the scene that it is judged as, `scene`. settings: the run's.
        video: whose scores they are.
    """

    def __init__(
        self, calibration: Calibration, normal: SceneNormal, settings: Settings, video: Video, scene: str
    ) -> None:
        self._scene, self._settings, self._video = scene, settings, video
        self._fusing = Fusing(normal)
        self._line = calibration.line
        self._tracker = EventTracker(self._line, AlarmRule.of(settings.score), video.fps)
        # Plain numbers side by side: lists of tuples would take ten times the memory of a day of video.
        self._table, self._frames, self._times, self._anew = array("f"), array("q"), array("d"), array("b")
        self._largest = array("f")
        self._events: list[Event] = []
        self._names: list[str] = []
        self._calibrated: list[str] = []  # a floor that the run was not trained with has no rarity

    def take(self, row: Row) -> dict[str, float | None]:
        """Take the next frame; return what its table has of it, without the columns that need the video's end."""
        online, learned = self._fusing.fuse(row.rarities, anew=row.anew)
        shown = as_shown(row.rarities)
        self._names, self._calibrated = list(row.values), list(shown)
        self._table.extend((*row.values.values(), *shown.values(), online, learned))
        self._frames.append(row.frame)
        self._times.append(np.nan if row.time_s is None else row.time_s)
        self._anew.append(row.anew)
        if row.largest is not None:
            self._largest.append(row.largest)
        box = row.box() if self._tracker.wants_box(row.frame, online, anew=row.anew) else None
        event = self._tracker.update(row.frame, row.time_s, online, box, anew=row.anew)
        if event is not None:
            self._events.append(event)
        rarities = {f"{name}_rarity": value for name, value in shown.items()}
        return {
            "frame": row.frame,
            "time_s": row.time_s,
            "online": online,
            "learned": learned,
            **row.values,
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
