"""The folder of a scored video: its files, what they were made from, and whether that is still what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from oddframe.artefact import Trained, fingerprint
from oddframe.errors import OddframeError, SettingsError
from oddframe.footage.published import published
from oddframe.footage.summary import FILE, Making, Summary, read_summary
from oddframe.scoring.fitting import Fitting
from oddframe.storage.place import Place
from oddframe.storage.remote import Remote
from oddframe.video.open import open_video
from oddframe.video.source import Video, list_pictures, looks_of

FILES: Mapping[str, str] = {
    "scores": "scores.csv",
    "events": "events.csv",
    "curve": "curve.png",
    "report": "report.html",
    "video": "heat.mp4",
    "summary": FILE,
    "clips": "clips",
}
"""What `score` writes into its folder: video and clips only where they are asked for. The summary comes after the two
tables, and again after the pictures, with what could not be drawn."""

PICTURES = ("curve", "report", "video", "clips")
"""Those of them that show scores, and that scores are not lost without."""

PARTIAL = "scores.partial.csv"
"""Rows so far of a video that is being scored, or whose scoring was ended by something; see `RowFile`."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a video.

    Attributes:
        start, end: range, see `parse_position`; `end` is exclusive. fps: frame rate of a folder of frames.
        scene: which of the trained scenes it shows. heat_video: whether heat.mp4 is written, too.
        clips: of how many events, the highest, there is a picture and a short video.
        start_time: the time of day of its first second, as "2026-11-28T14:31:52".

    Raises:
        SettingsError: this is no number of clips, or no time of day.
    """

    start: str | None = None
    end: str | None = None
    fps: float | None = None
    scene: str = ""
    heat_video: bool = False
    clips: int = 0
    start_time: str | None = None

    def __post_init__(self) -> None:
        if self.clips < 0:
            raise SettingsError("this is no number of clips", seen=self.clips, wanted="0 or more")
        self.began()

    def began(self) -> datetime | None:
        """The time of day of the video's first second, where it was said."""
        if self.start_time is None:
            return None
        try:
            return datetime.fromisoformat(self.start_time)
        except ValueError:
            raise SettingsError(
                "this is no time of day", seen=repr(self.start_time), wanted='for example "2026-11-28T14:31:52"'
            ) from None

    def files(self) -> list[str]:
        """Names of the files that are asked for."""
        left_out = {"video": not self.heat_video, "clips": not self.clips}
        return [name for name in FILES if not left_out.get(name)]

    def open(self, video: Place | str, name: str | None = None) -> Video:
        """Open the video.

        Raises:
            DataError: it cannot be read.
        """
        return open_video(video, fps=self.fps, start=self.start, end=self.end, name=name)


@dataclass(frozen=True)
class Means:
    """What a video is scored by.

    Attributes:
        device: "auto" | "cpu" | "cuda" | "cuda:1". backend: what computes the scores, as of `Scorer`.
        fitting: of the detector to the camera, or its folder.
    """

    device: str = "auto"
    backend: str = "auto"
    fitting: Fitting | Path | str | None = None


@dataclass(frozen=True, repr=False)
class ScoredVideo:
    """What became of one video of several.

    Attributes:
        name: in tables. video: its file or folder of frames. folder: where its files are.
        summary: None where it has failed.
        skipped: whether it was finished before. error: why it failed; None where it has not.
    """

    name: str
    video: Place
    folder: Place
    summary: Summary | None = None
    skipped: bool = False
    error: OddframeError | None = None

    def __repr__(self) -> str:
        end = "failed" if self.summary is None else f"{len(self.summary.events)} events"
        return f"<ScoredVideo {self.name}: {end}>"


def made_from(trained: Trained, backend: str, fitting: Fitting | None = None) -> dict[str, str]:
    """What the scores of every video rest on: the detector with its settings and calibration, backend, version."""
    run = fingerprint(trained) if fitting is None else f"{fingerprint(trained)}-{fitting.fingerprint}"
    return {"run": run, "backend": backend, "oddframe": version("oddframe")}


def made_of(shared: Mapping[str, str], video: Place, asked: Asked) -> Making:
    """What the files of one video are made from: what is shared, what is asked, and how the video looks.

    Raises:
        OSError: the video is gone.
    """
    return Making.model_validate({**shared, **asdict(asked), "video": looks_of(parts_of(video))})


def parts_of(video: Place) -> list[Place]:
    """The files that a video is made of: itself, or a folder's pictures."""
    return [*list_pictures(video)] if isinstance(video, Path) and video.is_dir() else [video]


def files_in(folder: Place, asked: Asked) -> dict[str, str]:
    """Name → path or URL of the files that scoring has left there."""
    if isinstance(folder, Remote):
        there = {way.partition("/")[0] for way in folder.files()}
        return {name: str(folder / FILES[name]) for name in asked.files() if FILES[name] in there}
    return {name: str(folder / FILES[name]) for name in asked.files() if (folder / FILES[name]).exists()}


def finished(folder: Place, made: Making | None, asked: Asked) -> Summary | None:
    """The summary of a video whose files are all there and were made from the same; None where it is to be scored.

    A file that could not be made counts as there: it was said why, and another try would end the same.

    Raises:
        RunError: scores.json is damaged, or of another format. StorageError: storage cannot be asked.
    """
    if isinstance(folder, Remote):
        vouched = published(folder)
        return vouched.summary() if vouched is not None and made is not None and vouched.made == made else None
    if not (folder / FILE).exists():
        return None
    found = read_summary(folder)
    there = all((folder / FILES[name]).exists() for name in asked.files() if name not in found.lacking)
    return found.summary() if made is not None and found.made == made and there else None
