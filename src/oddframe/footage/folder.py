"""The folder of a scored video: its files, what they were made from, and whether that is still what is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from oddframe.artefact import Trained, fingerprint
from oddframe.files import write_json
from oddframe.scoring.scores import Scores
from oddframe.video.open import open_video
from oddframe.video.source import Video, list_pictures, looks_of

FORMAT = 1

FILES: Mapping[str, str] = {
    "scores": "scores.csv",
    "events": "events.csv",
    "curve": "curve.png",
    "report": "report.html",
    "video": "heat.mp4",
    "summary": "scores.json",
}
"""What `score` writes into its folder; the video only where it is asked for, the summary last."""

PARTIAL = "scores.partial.csv"
"""Rows so far of a video that is being scored, or whose scoring was ended by something; see `RowFile`."""

_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Asked:
    """What is asked of a video.

    Attributes:
        start, end: range, see `parse_position`; `end` is exclusive. fps: frame rate of a folder of frames.
        scene: which of the trained scenes it shows. heat_video: whether heat.mp4 is written, too.
    """

    start: str | None = None
    end: str | None = None
    fps: float | None = None
    scene: str = ""
    heat_video: bool = False

    def open(self, video: Path | str, name: str | None = None) -> Video:
        """Open the video.

        Raises:
            DataError: it cannot be read.
        """
        return open_video(video, fps=self.fps, start=self.start, end=self.end, name=name)


def made_from(trained: Trained, backend: str) -> dict[str, Any]:
    """What the scores of every video rest on: the detector with its settings and calibration, backend, version."""
    return {"run": fingerprint(trained), "backend": backend, "oddframe": version("oddframe")}


def made_of(shared: Mapping[str, Any], video: Path, asked: Asked) -> dict[str, Any]:
    """What the files of one video are made from: what is shared, what is asked, and how the video looks.

    Raises:
        OSError: the video is gone.
    """
    return {**shared, **asdict(asked), "video": looks_of(parts_of(video))}


def parts_of(video: Path) -> list[Path]:
    """The files that a video is made of: itself, or a folder's pictures."""
    return list_pictures(video) if video.is_dir() else [video]


def files_in(folder: Path, heat_video: bool) -> dict[str, str]:
    """Name → path of the files that scoring has left there."""
    return {
        name: str(folder / file)
        for name, file in FILES.items()
        if (name != "video" or heat_video) and (folder / file).is_file()
    }


def write_summary(folder: Path, scores: Scores, made: Mapping[str, Any]) -> None:
    """Write scores.json: the summary, and what it was made from.

    Raises:
        StorageError: it cannot be written.
    """
    write_json(folder / FILES["summary"], {"format": FORMAT, **scores.to_dict(), "made": dict(made)})


def finished(folder: Path, made: Mapping[str, Any]) -> dict[str, Any] | None:
    """The summary of a video whose files are all there and were made from the same; None where it is to be scored."""
    path = folder / FILES["summary"]
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        found = json.loads(path.read_text("utf-8"))
        same = found.pop("format") == FORMAT and found.pop("made") == made
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # none yet, or damaged: the video is scored
    return dict(found) if same and (folder / FILES["scores"]).is_file() else None
