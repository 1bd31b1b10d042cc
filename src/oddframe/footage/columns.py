"""The columns of the tables of an archive, with their units: what stands in scores.parquet and events.parquet."""

from __future__ import annotations

from dataclasses import dataclass

from oddframe.scoring.scores import COMPONENTS

DAY, CAMERA = "day", "camera"
"""By what the tables are cut into folders: these two stand in the names of folders, not in the files."""

UNKNOWN = "unknown"
"""The day or camera of what nobody knows it of. Not the null that query engines know for it: some cannot read a table
where all are null."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: in the table, and in `scores.csv` where it stands there. kind: its type, as pyarrow calls it.
        unit: "" where it has none. about: what it says.
    """

    name: str
    kind: str
    unit: str
    about: str


_UNITS = {
    "psnr": "dB, lower is odder",
    "local_error": "0..1",
    "motion": "0..1",
    "distance": "0..4",
    "local_distance": "0..4",
    "flow": "squared pixels of 240 rows",
    "direction": "squared pixels of 240 rows",
}
_RARITY = "-log10 of the share of normal frames"

WHICH = (
    Column("video", "name", "", "its way from the folder that the tables were made of"),
    Column("scene", "name", "", "as which of the trained scenes it was judged; empty for all of them together"),
    Column("detector", "name", "", "a digest of the detector with its calibration: rows of one are of one detector"),
)
"""Of which video a row is, and who judged it: in both tables. No name of a column is a word of SQL, as
"end" and "at" are."""

_CLOCK = Column("zone", "name", "", "of the times of day, as +00:00; null where they are local")

SCORES: tuple[Column, ...] = (
    *WHICH,
    Column("frame", "int64", "frame", "number in the video, from 0"),
    Column("time_s", "float64", "s", "from the start of the video"),
    Column("taken_at", "timestamp[ms]", "time of day", "when it was taken"),
    _CLOCK,
    Column("online", "float32", _RARITY, "the score that alarms use; higher is odder"),
    Column("alarm", "bool", "", "whether the frame belongs to an event"),
    Column("paper", "float32", "0..1", "Eq. 12; higher is odder"),
    Column("learned", "float32", _RARITY, "with weights of known anomalies; higher is odder"),
    *(Column(name, "float32", _UNITS[name], f"{name}, raw") for name in COMPONENTS),
    *(Column(f"{name}_rarity", "float32", _RARITY, f"{name}; higher is odder") for name in COMPONENTS),
)
"""One row a judged frame."""

EVENTS: tuple[Column, ...] = (
    *WHICH,
    Column("event", "int32", "", "its number in its video, from 1"),
    Column("start_frame", "int64", "frame", "the first frame"),
    Column("end_frame", "int64", "frame", "the first frame after it"),
    Column("peak_frame", "int64", "frame", "the oddest frame"),
    Column("start_s", "float64", "s", "from the start of the video"),
    Column("end_s", "float64", "s", "from the start of the video"),
    Column("peak_s", "float64", "s", "from the start of the video"),
    Column("start_at", "timestamp[ms]", "time of day", "when it began"),
    Column("end_at", "timestamp[ms]", "time of day", "when it ended"),
    Column("peak_at", "timestamp[ms]", "time of day", "when it was oddest"),
    _CLOCK,
    Column("score", "float64", _RARITY, "the highest score; higher is odder"),
    Column("repeats", "int32", "", "how many more times the line was crossed during the cool-down after it"),
    Column("x", "int32", "pixel of the source", "of its box: the left side"),
    Column("y", "int32", "pixel of the source", "of its box: the upper side"),
    Column("width", "int32", "pixel of the source", "of its box"),
    Column("height", "int32", "pixel of the source", "of its box"),
)
"""One row an event."""
