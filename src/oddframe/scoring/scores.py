"""Raw values, scores and alarms: three kinds of number, three types.

- `Raw`: what the evidence of one frame amounts to, in fixed units. PSNR in dB is lower for an odder frame.
- `FrameScore`: how rare that is on normal video. Higher is odder.
- `Event`: a stretch of frames that is worth an alarm.
"""

from __future__ import annotations

import csv
import html
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.errors import MissingExtraError
from oddframe.files import atomic_write
from oddframe.plain import Json

if TYPE_CHECKING:
    from pandas import DataFrame

Values = NDArray[np.float32]

COMPONENTS = ("psnr", "distance", "local_error", "local_distance", "motion", "flow", "direction")
"""Every component, in the order in which tables show them."""

_DIGITS = {"frame": "", "alarm": "", "time_s": ".4f"}

LOWER_IS_ODDER = frozenset({"psnr"})
"""The one raw component that falls when a frame is odd."""


def oddness(name: str, values: Values) -> Values:
    """Turn a raw component so that higher is odder."""
    return -values if name in LOWER_IS_ODDER else values


class Box(NamedTuple):
    """Pixels of the source."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Raw:
    """The components of one judged frame, and the maps of those that have a place.

    Attributes:
        frame: number in the source. time_s: seconds from the start, None where unknown.
        values: component → number: psnr (dB, Eq. 10), local_error, motion (0..1), distance (Eq. 11) and local_distance
            (0..4, or what the detector's settings say in `distance_is`), flow and direction (squared pixels of 240
            rows).
        maps: local component → (h, w) float32; direction: (h, w, 8), the most of which is shown as its map.
        anew: whether it is the first judged frame after the video's start or after a gap.
        watched: local component → (h, w) places that count, where regions say so; empty where all do. Values are those
            of these places, maps are whole.
        untaught: the same frame as it was before lessons changed it; None where none did. taught_by: numbers of these.
    """

    frame: int
    time_s: float | None
    values: Mapping[str, float]
    maps: Mapping[str, Values] = field(repr=False)
    anew: bool = False
    watched: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict, repr=False)
    untaught: Raw | None = field(default=None, repr=False)
    taught_by: tuple[int, ...] = ()

    def largest(self, name: str) -> float:
        """The value of the oddest of the places that count, from the map of a local component."""
        places = self.maps[name]
        return float((places[self.watched[name]] if name in self.watched else places).max())


@dataclass(frozen=True)
class FrameScore:
    """The score of one frame as it comes in. Higher is odder.

    Attributes:
        frame: number of the frame among those that came. time_s: its seconds, None where unknown.
        raw: its components in their own units.
        calibrated: component → -log10 of the share of normal frames that are at least as odd, never below 0: 2 is one
            in a hundred.
        online: the same for the calibrated components added.
        alarm: whether the frame belongs to an event.
    """

    frame: int
    time_s: float | None
    raw: Raw = field(repr=False)
    calibrated: Mapping[str, float] = field(repr=False)
    online: float
    alarm: bool
    look: Callable[[], tuple[Values, Box | None]] = field(repr=False, compare=False)

    @property
    def heat(self) -> Values:
        """(h, w) how odd each place is, made when it is asked for: the hottest place is as odd as the frame, and 1 is
        the alarm line."""
        return self.look()[0]

    @property
    def box(self) -> Box | None:
        """Where the oddest place is, in pixels of the frame that came; None where the frame is no odder than half of
        all normal ones."""
        return self.look()[1]


@dataclass(frozen=True)
class AlarmLine:
    """Where alarms begin, and what that promises.

    Attributes:
        on, off: an event begins when the score reaches `on` and ends when it falls below `off`.
        per_hour: false alarms an hour on held-out normal video at this line; None where times are unknown.
        asked_per_hour: the rate that was asked for. note: what a reader must know of the promise, or "".
    """

    on: float
    off: float
    per_hour: float | None
    asked_per_hour: float
    note: str = ""


@dataclass(frozen=True)
class Event:
    """A stretch of odd frames: [start, end) in frames of the source.

    `start_s`, `peak_s` and `end_s` are the times of the frames `start`, `peak` and `end`, where they are known, so that
    an event lasts `end_s - start_s` seconds. Where the video ends with it, or frames are missing after it, its last
    frame counts as long as others. `repeats`: how many more times the line was crossed during the cool-down after it.
    """

    start: int
    end: int
    peak: int
    score: float
    start_s: float | None
    end_s: float | None
    peak_s: float | None
    box: Box | None
    repeats: int = 0


@dataclass(frozen=True, repr=False)
class Scores:
    """The scores of one video: one row a judged frame.

    Attributes:
        video: its name. size: (height, width) of the source. fps: None where unknown.
        frame: (N,) int64 frame numbers in the source. time_s: (N,) float64 or None.
        raw: component → (N,) float32 in its own unit. calibrated: component → (N,), >= 0, higher is odder.
        online: (N,) causal score. paper: (N,) Eq. 12, None where it is undefined. learned: (N,).
        line: where alarms begin. events: what crossed it. notes: what the reader must know.
        scene: as which of the trained scenes it was judged, "" for all of them together.
        began: the time of day of its first second, where it is known.
        anew: (N,) True for the first judged frame of the video, and for the first one after a gap; None where that is
            where the numbers of frames are not in a row. A resampled video has judged frames that follow each other and
            are not in a row.
    """

    video: str
    size: tuple[int, int]
    fps: float | None
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64] | None
    raw: Mapping[str, Values]
    calibrated: Mapping[str, Values]
    online: Values
    paper: Values | None
    learned: Values
    line: AlarmLine
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = field(default=())
    scene: str = ""
    began: datetime | None = None
    anew: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        count = len(self.events)
        return f"<Scores of {self.video}: {len(self)} frames, {count} event{'' if count == 1 else 's'}>"

    def __getattr__(self, name: str) -> Values:
        if name in COMPONENTS:
            raw: Mapping[str, Values] = object.__getattribute__(self, "raw")
            if name in raw:
                return raw[name]
            raise AttributeError(f"this detector gives no '{name}'; it gives {', '.join(raw)}")
        raise AttributeError(name)

    def fusion(self, name: str) -> Values | None:
        """Return a fusion ("paper", "online", "learned") or a component by name, higher = odder; None if undefined."""
        if name in ("paper", "online", "learned"):
            values: Values | None = object.__getattribute__(self, name)
            return values
        return oddness(name, self.raw[name])

    def begins(self) -> NDArray[np.bool_]:
        """(N,) True where a frame does not follow the judged frame before it."""
        return np.diff(self.frame, prepend=self.frame[:1] - 1) != 1 if self.anew is None else self.anew

    def columns(self) -> dict[str, NDArray[Any]]:
        """The table of `to_csv`, by column."""
        table: dict[str, NDArray[Any]] = {"frame": self.frame}
        if self.time_s is not None:
            table["time_s"] = self.time_s
        table |= {"online": self.online, "alarm": self.above_line().astype(np.int64)}
        if self.paper is not None:
            table["paper"] = self.paper
        table["learned"] = self.learned
        return table | dict(self.raw) | {f"{name}_rarity": values for name, values in self.calibrated.items()}

    def above_line(self) -> NDArray[np.bool_]:
        """(N,) True where the frame belongs to an event."""
        inside = np.zeros(len(self), bool)
        for event in self.events:
            inside |= (self.frame >= event.start) & (self.frame < event.end)
        return inside

    def at(self, seconds: float | None) -> str | None:
        """The time of day, "2026-11-28T14:31:52.400", of a second of the video; None where either is unknown."""
        if self.began is None or seconds is None:
            return None
        return (self.began + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")

    def to_dataframe(self) -> DataFrame:
        """The table of `to_csv` as a pandas DataFrame; with a column `at`, too, where the time of day is known.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtraError("scores as a DataFrame", "pandas") from None
        table = pandas.DataFrame(self.columns())
        if self.began is not None and self.time_s is not None:
            table.insert(1, "at", self.began + pandas.to_timedelta(self.time_s, unit="s"))
        return table

    def to_csv(self, path: Path | str) -> Path:
        """Write one row a judged frame.

        Raises:
            StorageError: the file cannot be written.
        """
        table = self.columns()
        with atomic_write(Path(path)) as place, place.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(table)
            for row in zip(*table.values(), strict=True):
                writer.writerow(in_digits(dict(zip(table, row, strict=True))))
        return Path(path)

    def to_dict(self) -> Json:
        """A summary for programs; the rows are in `to_csv`."""
        return {
            "video": self.video,
            "scene": self.scene,
            "began": None if self.began is None else self.began.isoformat(),
            "frames": len(self),
            "size": list(self.size),
            "fps": self.fps,
            "line": asdict(self.line),
            "above_line": float(self.above_line().mean()) if len(self) else 0.0,
            "events": [
                asdict(event)
                | {"box": event.box._asdict() if event.box else None}
                | {f"{name}_at": self.at(getattr(event, f"{name}_s")) for name in ("start", "end", "peak")}
                for event in self.events
            ],
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{event.start}-{event.end - 1}</td><td>{_span_s(event.start_s, event.end_s)}</td>"
            f"<td>{_span_s(event.peak_s)}</td><td>{max(event.score, 0):.2f}</td></tr>"
            for event in self.events
        )
        events = "1 event" if len(self.events) == 1 else f"{len(self.events)} events"
        head = f"<b>{html.escape(self.video)}</b>: {len(self)} frames judged, {events}"
        names = "".join(f"<th>{name}</th>" for name in ("frames", "from - to", "peak", "score"))
        return f"<div>{head}<table><tr>{names}</tr>{rows}</table></div>"


def _span_s(*seconds: float | None) -> str:
    """Seconds as text, "" where they are unknown.

    >>> _span_s(3.0, 5.25), _span_s(4.0), _span_s(None)
    ('3.0 - 5.2 s', '4.0 s', '')
    """
    known = [f"{one:.1f}" for one in seconds if one is not None]
    return f"{' - '.join(known)} s" if known else ""


def in_digits(row: Mapping[str, float | None]) -> list[str]:
    """A row as its file has it. Six digits are enough for a score, but not for the seconds of a day."""
    return ["" if value is None else format(value, _DIGITS.get(name, ".6g")) for name, value in row.items()]
