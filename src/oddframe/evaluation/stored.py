"""Scores beside their labels, in memory and on disk (`.npz`, never a pickle)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oddframe.data.videoset import spans_of
from oddframe.errors import RunError
from oddframe.files import beside
from oddframe.scoring.scores import AlarmLine, Box, Event, Scores

_MOST_BYTES = 4_000_000_000
"""Unpacked. A day of video at 25 frames a second has about 150 MB of scores."""

_ROWS = ("frame", "online", "paper", "learned", "time_s")


class Span(NamedTuple):
    """Frames [start, end) of the source that show one kind of anomaly; `kind` is None where it has no name."""

    start: int
    end: int
    kind: str | None


@dataclass(frozen=True)
class JudgedVideo:
    """The scores of one test video beside its labels.

    Attributes:
        name, scene: as in the set. labels: (N,) bool, one for each of `scores.frame`; True is abnormal.
        kinds: stretches whose kind of anomaly is named.
    """

    name: str
    scene: str
    scores: Scores
    labels: NDArray[np.bool_]
    kinds: tuple[Span, ...] = ()

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
    arrays: dict[str, NDArray[Any]] = {"videos": np.array(json.dumps([_described(video) for video in videos]))}
    for number, video in enumerate(videos):
        arrays |= {f"{number}/{name}": values for name, values in _arrays(video).items()}
    with beside(path, "scores cannot be written") as place, place.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return path


def read_scores(path: Path) -> tuple[JudgedVideo, ...]:
    """Read back what `write_scores` wrote.

    Raises:
        RunError: the file is damaged or is not one of these.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > _MOST_BYTES:
            raise RunError("too large for scores", path=path, seen=f"{unpacked} bytes", wanted=f"up to {_MOST_BYTES}")
        with np.load(path, allow_pickle=False) as stored:
            described = json.loads(str(stored["videos"]))
            return tuple(
                _rebuilt(item, {key: stored[f"{number}/{key}"] for key in item["arrays"]})
                for number, item in enumerate(described)
            )
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise RunError("stored scores are damaged", path=path, seen=str(error), hint="oddframe eval RUN") from None


def _arrays(video: JudgedVideo) -> dict[str, NDArray[Any]]:
    scores = video.scores
    rows = {name: getattr(scores, name) for name in _ROWS}
    arrays = {name: values for name, values in rows.items() if values is not None} | {"labels": video.labels}
    arrays |= {f"raw.{name}": values for name, values in scores.raw.items()}
    return arrays | {f"calibrated.{name}": values for name, values in scores.calibrated.items()}


def _described(video: JudgedVideo) -> dict[str, Any]:
    scores = video.scores
    return {
        "name": video.name,
        "scene": video.scene,
        "kinds": [list(span) for span in video.kinds],
        "video": scores.video,
        "size": list(scores.size),
        "fps": scores.fps,
        "line": asdict(scores.line),
        "events": [asdict(event) for event in scores.events],
        "notes": list(scores.notes),
        "arrays": list(_arrays(video)),
    }


def _rebuilt(item: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> JudgedVideo:
    def named(room: str) -> dict[str, NDArray[Any]]:
        return {key.removeprefix(room): values for key, values in arrays.items() if key.startswith(room)}

    scores = Scores(
        video=item["video"],
        size=(item["size"][0], item["size"][1]),
        fps=item["fps"],
        raw=named("raw."),
        calibrated=named("calibrated."),
        line=AlarmLine(**item["line"]),
        events=tuple(
            Event(**(event | {"box": Box(*event["box"]) if event["box"] else None})) for event in item["events"]
        ),
        notes=tuple(item["notes"]),
        **{name: arrays.get(name) for name in _ROWS},  # type: ignore[arg-type]
    )
    kinds = tuple(Span(*span) for span in item["kinds"])
    return JudgedVideo(item["name"], item["scene"], scores, arrays["labels"], kinds)
