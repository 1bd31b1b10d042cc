"""A detector fitted to one camera: what is normal there, where alarms begin, which places count. A folder beside it.

fitting.json                       of which detector, on which videos, with which settings; what the line promises
calibration.json calibration.npz   what is normal      evidence.npz   what that was fitted on
maps.npz                           the oddest frames of that, map by map, for lessons
taught.json taught-*.npz           what people taught it since (`taught_file.py`)
backgrounds.npz                    what stands still    regions.json   places to watch and to ignore, if there are any
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field

from oddframe.artefact import Trained
from oddframe.errors import RunError
from oddframe.files import file_digest
from oddframe.origin import Rate, Versions
from oddframe.plain import Json
from oddframe.records import FileRecord, Record, damaged, read_record
from oddframe.runs import Run
from oddframe.scoring.calibration import Calibration
from oddframe.scoring.calibration_file import ARRAYS, WORDS, load_calibration
from oddframe.scoring.judged import FILE as EVIDENCE
from oddframe.scoring.kept import FILE as MAPS
from oddframe.scoring.lessons import Lessons
from oddframe.scoring.promise import Promise
from oddframe.scoring.regions import FILE as REGIONS
from oddframe.scoring.regions import Regions
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.taught_file import FILE as TAUGHT
from oddframe.scoring.taught_file import Taught, read_taught
from oddframe.settings import ScoreSettings

FILE = "fitting.json"

Stamps = tuple[tuple[str, int, int, int], ...]
"""Name, inode, time of change and bytes of each of several files."""

_WHAT = "the fitting's fitting.json"


class FittedVideo(Record):
    """A video that a fitting was made on. profile: the sub-folder that it lies in; "" for none. frames: judged ones."""

    name: str
    profile: str
    frames: int = Field(ge=0)


class FittingRecord(FileRecord):
    """What fitting.json holds.

    Attributes:
        detector: which one it fits, see `detector_of`. name: of the detector, for people.
        score: settings of `score`; the line was drawn by them.
        fps: frames a second that video was resampled to; None where every frame was judged.
        videos: that it was made on. evidence: SHA-256 of evidence.npz. when: UTC, ISO 8601.
        promise: what the line promises. notes: what a reader must know.
        maps: SHA-256 of maps.npz; None of a fitting that was made before there were lessons.
    """

    detector: str
    name: str
    score: ScoreSettings
    fps: float | None
    videos: tuple[FittedVideo, ...]
    evidence: str
    promise: Promise
    when: str
    versions: Versions
    notes: tuple[str, ...]
    maps: str | None = None


@dataclass(frozen=True, repr=False)
class Fitting:
    """A fitting.

    Attributes:
        folder: where it is. info: what fitting.json holds. regions: which places count.
        taught: what people taught it since; None where nobody did. line: where alarms begin, after that.
    """

    folder: Path
    info: FittingRecord
    regions: Regions
    taught: Taught | None
    line: AlarmLine

    def __repr__(self) -> str:
        return f"<Fitting {self.folder}: {self.info.name}, {len(self.info.videos)} videos>"

    @classmethod
    def open(cls, folder: Path | str, trained: Trained) -> Self:
        """Open a fitting of a detector.

        Raises:
            RunError: there is none, it or what it was taught is damaged, or it is of another detector.
            SettingsError: its regions are none.
        """
        folder = Path(folder)
        path = folder / FILE
        hint = f"oddframe calibrate {trained.folder} NORMAL_VIDEO --out {folder}"
        if not path.is_file():
            raise RunError("there is no fitting in this folder", path=folder, wanted=f"a folder with {FILE}", hint=hint)
        info = read_record(path, FittingRecord, _WHAT, hint=f"make it again: {hint}")
        if info.detector != detector_of(trained):
            raise RunError(
                "the fitting is of another detector",
                path=folder,
                seen=f"{info.name}, fitted {info.when}",
                wanted=f"one of {trained.folder}, and of the same weights or graph: another one gives other numbers",
                hint=hint,
            )
        regions = Regions.read(folder / REGIONS) if (folder / REGIONS).is_file() else Regions()
        taught = read_taught(folder)
        line = load_calibration(folder).line if taught is None else taught.line
        return cls(folder, info, regions, taught, line)

    @property
    def lessons(self) -> Lessons:
        """What people called normal."""
        return Lessons() if self.taught is None else self.taught.said.lessons

    @property
    def promise(self) -> Promise:
        """What the line promises, after all that it was taught."""
        return self.info.promise if self.taught is None else self.taught.promise

    def calibration(self) -> Calibration:
        """What is normal, and where alarms begin, after all that it was taught.

        Raises:
            RunError: it is damaged.
        """
        own = load_calibration(self.folder)
        try:
            return own if self.taught is None else self.taught.after(own)
        except ValueError as error:
            raise damaged("what the fitting was taught", error, path=self.folder / TAUGHT) from None

    @property
    def rate(self) -> Rate:
        """The frames a second that its video is resampled to."""
        return Rate(self.info.fps)

    def used_with(self, trained: Trained) -> Trained:
        """The detector with the settings of `score` that the line was drawn by."""
        return trained.with_settings(trained.settings.model_copy(update={"score": self.info.score}))

    @property
    def stamps(self) -> Stamps:
        """Tells by little work whether a file that it was made of has changed; what it was taught is none of them."""
        found = [(name, self.folder / name) for name in (FILE, WORDS, ARRAYS, EVIDENCE, MAPS, REGIONS)]
        states = [(name, path.stat()) for name, path in found if path.is_file()]
        return tuple((name, one.st_ino, one.st_mtime_ns, one.st_size) for name, one in states)

    @property
    def fingerprint(self) -> str:
        """A digest of all that scores depend on."""
        digest = hashlib.blake2b(digest_size=16)
        for name in (FILE, WORDS, REGIONS, TAUGHT):
            if (path := self.folder / name).is_file():
                digest.update(path.read_bytes())
        return digest.hexdigest()


def fitted(fitting: Fitting | Path | str | None, trained: Trained) -> Fitting | None:
    """A fitting of a detector, or the one in a folder; None where there is none. Raises as `Fitting.open`."""
    if fitting is None:
        return None
    return Fitting.open(fitting.folder if isinstance(fitting, Fitting) else fitting, trained)


def detector_of(trained: Trained) -> str:
    """A digest of what gives a detector's numbers, whatever its calibration: settings, and weights or graph."""
    settings = trained.settings
    score = settings.score
    known: Json = {
        "detector": settings.detector,
        "model": settings.model.model_dump(mode="json"),
        "pictures": [settings.data.resize, settings.data.pixel_range],
        "local": [score.window, score.stride, score.local_share],
    }
    if isinstance(trained, Run):
        known["weights"] = file_digest(trained.weights) if trained.weights.is_file() else None
    else:
        known["graph"] = {name: trained.about.files[name] for name in trained.about.graph_files}
    return hashlib.blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=16).hexdigest()
