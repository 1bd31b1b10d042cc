"""What is known of a camera's learning, for all who want to see it: `learning.json` in the folder of the learning.

SITE/learning/CAMERA/NUMBER/           CAMERA is its number in the store, NUMBER that of the learning
    learning.json                      how it stands: `Learning`
    recording.json                     what was not collected, and why     footage/[SCENE/]...mp4   normal video
    check.json  odd/                   what was found in it: `Check`, with pictures
    stand-in/                          what watches until then
    attempt-1/                         normal/ apart/ run/ detector/ fitting/
    work.log                           what the process said that trains
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, Field

from oddframe.errors import RunError
from oddframe.records import FileRecord, Record, read_record

FILE, CHECK = "learning.json", "check.json"
FOLDER = "learning"
"""In the site's folder."""

_MOST_BYTES = 16 * 2**20


class Outcome(Record):
    """What came of a step; what a step does not make is empty.

    Attributes:
        run, detector, fitting: folders. seconds: of video that a stand-in was fitted to.
        promise: what the line promises, in words. notes: what a reader must know.
    """

    run: str = ""
    detector: str = ""
    fitting: str = ""
    seconds: float = 0.0
    promise: str = ""
    notes: tuple[str, ...] = ()


class State(StrEnum):
    """How far a camera's learning is."""

    COLLECTING = "collecting"
    CHECKING = "checking"
    TRAINING = "training"
    EXPORTING = "exporting"
    CALIBRATING = "calibrating"
    LIVE = "live"
    FAILED = "failed"
    STOPPED = "stopped"


ENDED = (State.LIVE, State.FAILED, State.STOPPED)
"""States in which nothing is done any more."""


class StandIn(Record):
    """What watches until the detector is learned. `seconds`: of normal video that it knows."""

    detector: str
    fitting: str
    seconds: float


class Learning(FileRecord):
    """A camera's learning.

    Attributes:
        number: of the learning. camera: its name. state, since: how far it is, and since when.
        until: when collecting ends; None where it ends by itself, as with recordings.
        seconds, wanted_s: of normal video, that is there and that is wanted. pieces, bytes: of it.
        skipped_s: why nothing was collected → for how many seconds.
        stage: what is being done, in words. percent, left_s: how far it is, and about how long it takes still; None
            where nobody knows.
        problem, hint: what is wrong, in one sentence, and what to do; "" where nothing is. It may go on all the same.
        failed_in: the state in which it failed. retries, left_out, attempt: as far as they were asked for.
        deaths: how often the process died that works on it, without getting any further.
        stand_in: what watches until then. detector, fitting: folders of what watches now.
        promise: what the line promises, in a sentence. notes: what its owner must know.
    """

    number: int
    camera: str
    state: State = State.COLLECTING
    since: AwareDatetime
    began_at: AwareDatetime
    until: AwareDatetime | None = None
    seconds: float = 0.0
    wanted_s: float = 0.0
    pieces: int = 0
    bytes: int = 0
    skipped_s: Mapping[str, float] = Field(default={})
    stage: str = ""
    percent: float | None = None
    left_s: float | None = None
    problem: str = ""
    hint: str = ""
    failed_in: State | None = None
    retries: int = 0
    left_out: tuple[str, ...] = ()
    attempt: int = 1
    deaths: int = 0
    stand_in: StandIn | None = None
    detector: str = ""
    fitting: str = ""
    promise: str = ""
    notes: tuple[str, ...] = ()


class OddPiece(Record):
    """One of the oddest pieces of the normal video: a person may say that it is not normal.

    Attributes:
        number: from 1, the oddest first. name: of the piece. began: UTC; None of a recording.
        at_s: seconds from the piece's begin to its oddest moment. seconds: length of the piece.
        score: -log10 of the share of normal frames that are as odd.
        picture, heat: of the oddest moment; files below the folder of the learning.
    """

    number: int
    name: str
    scene: str
    began: AwareDatetime | None
    at_s: float
    seconds: float
    score: float
    picture: str
    heat: str


class Check(FileRecord):
    """What was found in the normal video.

    Attributes:
        pieces, seconds: of it. hours: hour of the day at the site → seconds that were filmed in it.
        light: mean grey of the darkest, the middle and the lightest piece, 0..255. active: share of pieces in which
            something moves. infrared: share of pieces without colour.
        notes: what its owner must know, such as hours that are missing.
        odd: the oddest pieces.
    """

    pieces: int
    seconds: float
    hours: Mapping[int, float]
    light: tuple[float, float, float]
    active: float
    infrared: float
    notes: tuple[str, ...]
    odd: tuple[OddPiece, ...]


def learning_folder(site: Path, camera: int, number: int) -> Path:
    """Where a learning lies. `camera`: its number in the store."""
    return site / FOLDER / str(camera) / str(number)


def read_learning(folder: Path) -> Learning | None:
    """What `learning.json` says; None where there is none.

    Raises:
        RunError: it is damaged.
    """
    if not (folder / FILE).is_file():
        return None
    return read_record(folder / FILE, Learning, "the record of a learning")


def read_check(folder: Path) -> Check | None:
    """What was found in the normal video; None where it was not looked at yet, or that is damaged: it is made anew."""
    try:
        return read_record(folder / CHECK, Check, "the check of normal video", limit_bytes=_MOST_BYTES)
    except RunError:
        return None


def in_words(learning: Learning, now: datetime) -> str:
    """How it stands, in one sentence."""
    minutes = learning.seconds / 60
    if learning.state is State.COLLECTING:
        words = f"{minutes:.0f} of about {learning.wanted_s / 60:.0f} min of normal video are there"
        if learning.until is not None and learning.until > now:
            words += f"; until {learning.until.astimezone():%Y-%m-%d %H:%M}"
        return words
    if learning.state is State.LIVE:
        return f"the detector that it learned watches: {learning.promise}"
    if learning.state is State.FAILED:
        return f"{learning.problem}. Do: {learning.hint}" if learning.hint else learning.problem
    if learning.state is State.STOPPED:
        return "it was stopped"
    words = learning.stage or str(learning.state)
    if learning.percent is not None:
        words += f", {learning.percent:.0f} %"
    return words
