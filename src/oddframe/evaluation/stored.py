"""Scores beside their labels, in memory and on disk (`.npz`, never a pickle)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, RootModel

from oddframe.arrays import Arrays, ArraySpec, read_arrays
from oddframe.data.videoset import spans_of
from oddframe.files import write_bytes
from oddframe.records import Record, as_json, damaged, parse_as
from oddframe.scoring.scores import AlarmLine, Event, Scores

_MOST_BYTES = 4_000_000_000
"""Unpacked. A day of video at 25 frames a second has about 150 MB of scores."""

_WHAT, _HINT = "the file of stored scores", "judge the run again: oddframe eval RUN"

_ROWS = ("frame", "online", "paper", "learned", "time_s", "anew")

_NUMBERS = ArraySpec("f", (None,))
_WANTED = {
    "videos": ArraySpec("U", ()),
    "*/frame": ArraySpec("iu", (None,)),
    "*/labels": ArraySpec("b", (None,)),
    "*/anew": ArraySpec("b", (None,)),
    "*/in_place": ArraySpec("i", (None,)),
    **dict.fromkeys(("*/online", "*/paper", "*/learned", "*/time_s", "*/raw.*", "*/calibrated.*"), _NUMBERS),
}


class Span(NamedTuple):
    """Frames [start, end) of the source that show one kind of anomaly; `kind` is None where it has no name."""

    start: int
    end: int
    kind: str | None


class _Described(Record):
    """What is kept of a video beside its arrays."""

    name: str
    scene: str
    kinds: tuple[Span, ...]
    video: str
    size: tuple[int, int]
    fps: float | None
    line: AlarmLine
    events: tuple[Event, ...]
    notes: tuple[str, ...]
    arrays: tuple[str, ...]
    conditions: dict[str, str] = Field(default_factory=dict)


class _Index(RootModel[tuple[_Described, ...]]):
    """The videos of a file in their order."""


@dataclass(frozen=True)
class JudgedVideo:
    """The scores of one test video beside its labels.

    Attributes:
        name, scene: as in the set. labels: (N,) bool, one for each of `scores.frame`; True is abnormal.
        kinds: stretches whose kind of anomaly is named.
        conditions: what is said of the whole video: "light" → "night".
        in_place: (N,) int8, of each frame with a mask 1 where the box around its oddest place meets it and 0 where not;
            -1 without a mask. None where no frame has one, or nobody looked.
    """

    name: str
    scene: str
    scores: Scores
    labels: NDArray[np.bool_]
    kinds: tuple[Span, ...] = ()
    conditions: Mapping[str, str] = field(default_factory=dict)
    in_place: NDArray[np.int8] | None = None

    def of_kind(self, kind: str) -> NDArray[np.bool_]:
        """(N,) True where a frame is abnormal and shows this kind."""
        shown = np.zeros(len(self.scores), bool)
        for span in self.kinds:
            if span.kind == kind:
                shown |= (self.scores.frame >= span.start) & (self.scores.frame < span.end)
        return shown & self.labels

    def stretches(self) -> list[tuple[int, int]]:
        """Runs of judged frames that are labelled abnormal: [start, end) in frames of the source."""
        frame = self.scores.frame
        return [(int(frame[begin]), int(frame[end - 1]) + 1) for begin, end in spans_of(self.labels)]


def write_scores(path: Path, videos: Sequence[JudgedVideo]) -> Path:
    """Write every score and label.

    Raises:
        StorageError: the file cannot be written.
    """
    index = _Index(tuple(_described(video) for video in videos))
    arrays: dict[str, NDArray[Any]] = {"videos": np.array(as_json(index))}
    for number, video in enumerate(videos):
        arrays |= {f"{number}/{name}": values for name, values in _arrays(video).items()}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return write_bytes(path, content.getvalue(), "scores cannot be written")


def read_scores(path: Path) -> tuple[JudgedVideo, ...]:
    """Read back what `write_scores` wrote.

    Raises:
        RunError: the file is damaged or is not one of these.
    """
    stored = read_arrays(path, _WANTED, _WHAT, limit_bytes=_MOST_BYTES, hint=_HINT)
    index = parse_as(str(stored["videos"]), _Index, _WHAT, path=path, hint=_HINT)
    try:
        return tuple(_rebuilt(one, stored, number) for number, one in enumerate(index.root))
    except ValueError as error:
        raise damaged(_WHAT, error, path=path, hint=_HINT) from None


def _arrays(video: JudgedVideo) -> dict[str, NDArray[Any]]:
    scores = video.scores
    rows = {name: getattr(scores, name) for name in _ROWS}
    arrays = {name: values for name, values in rows.items() if values is not None} | {"labels": video.labels}
    arrays |= {} if video.in_place is None else {"in_place": video.in_place}
    arrays |= {f"raw.{name}": values for name, values in scores.raw.items()}
    return arrays | {f"calibrated.{name}": values for name, values in scores.calibrated.items()}


def _described(video: JudgedVideo) -> _Described:
    scores = video.scores
    return _Described(
        name=video.name,
        scene=video.scene,
        kinds=video.kinds,
        video=scores.video,
        size=scores.size,
        fps=scores.fps,
        line=scores.line,
        events=scores.events,
        notes=scores.notes,
        arrays=tuple(_arrays(video)),
        conditions=dict(video.conditions),
    )


def _rebuilt(one: _Described, stored: Arrays, number: int) -> JudgedVideo:
    """A video of its description and its arrays.

    Raises:
        ValueError: they do not fit each other.
    """
    arrays = {name: stored[f"{number}/{name}"] for name in one.arrays}

    def named(room: str) -> dict[str, NDArray[Any]]:
        return {name.removeprefix(room): values for name, values in arrays.items() if name.startswith(room)}

    lacking = [name for name in ("frame", "online", "learned", "labels") if name not in arrays]
    if lacking:
        raise ValueError(f"'{one.name}' has no {', '.join(lacking)}")
    if len({len(values) for values in arrays.values()}) > 1:
        raise ValueError(f"the arrays of '{one.name}' differ in length")
    if (np.diff(arrays["frame"]) <= 0).any():
        raise ValueError(f"the frames of '{one.name}' are not in order")
    scores = Scores(
        video=one.video,
        size=one.size,
        fps=one.fps,
        raw=named("raw."),
        calibrated=named("calibrated."),
        line=one.line,
        events=one.events,
        notes=one.notes,
        **{name: arrays.get(name) for name in _ROWS},  # type: ignore[arg-type]
    )
    return JudgedVideo(one.name, one.scene, scores, arrays["labels"], one.kinds, one.conditions, arrays.get("in_place"))
