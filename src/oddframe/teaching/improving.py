"""A detector that a camera learned becomes better by what people said of its events: reviews → training → comparison.

Nothing is swapped by itself. The new detector is offered where it finds more of the alarms that it has not been trained
on and is no worse in false alarms, or has fewer of these and finds no less; `take` swaps, `back` goes back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime

from oddframe.errors import ConflictError, SettingsError
from oddframe.records import FileRecord, Record, read_record
from oddframe.scoring.regions import RegionsRecord
from oddframe.site.events import CameraEvent
from oddframe.site.evidence import CLIP, Roll
from oddframe.site.learning import asked_of
from oddframe.site.store import Store
from oddframe.site.store.records import EventFilter, FittingRecord, StoredEvent
from oddframe.teaching.installing import places_of, watch_by, watching
from oddframe.teaching.record import State, learning_folder, read_learning
from oddframe.video.open import open_video

FILE = "improvement.json"

LEAST_ALARMS = 2
"""Confirmed alarms: one to train on, and one to compare by."""
_PAGE = 200
_BEGINS = "improved-"
"""The names of folders of improvements."""


class ReviewedClip(Record):
    """An event that people agree on, and its clip.

    Attributes:
        event: its id. verdict: "alarm" or "normal". clip: the file. begin_s, end_s: where in it the event is.
        kind: the class that was given to it, or "".
    """

    event: str
    verdict: str
    clip: str
    begin_s: float
    end_s: float
    kind: str = ""


class Counted(Record):
    """Of one detector: alarms that it finds, and false alarms, on what it was not trained on."""

    found: int
    false_alarms: int


class Comparison(Record):
    """A new detector beside the one that watches, on what neither was trained on.

    Attributes:
        made_at: UTC. trained_alarms, trained_normal: reviewed events that the new one was trained on.
        alarms, normal: reviewed events that both were compared on. hours: of normal video, beside them.
        before, after: of the detector that watches, and of the new one.
        found_difference, false_difference: (95 % of draws of other clips lie from, to) of share of alarms found, and of
            false alarms a day: the new one less the old one; None where there are too few clips to tell.
        better: whether it is offered.
    """

    made_at: AwareDatetime
    trained_alarms: int
    trained_normal: int
    alarms: int
    normal: int
    hours: float
    before: Counted
    after: Counted
    found_difference: tuple[float, float] | None
    false_difference: tuple[float, float] | None
    better: bool


class Improvement(Comparison, FileRecord):
    """What came of it.

    Attributes:
        detector, fitting: folders of the new one. instead_of: folder of the detector that watched.
    """

    detector: str
    fitting: str
    instead_of: str

    def in_words(self) -> str:
        """What it says, in a few sentences."""
        before, after = self.before, self.after
        alarms = f"{self.alarms} confirmed alarm{'' if self.alarms == 1 else 's'}"
        words = (
            f"On {alarms} that neither was trained on, the detector that watches finds {before.found}, the new one "
            f"{after.found}. On {60 * self.hours:.0f} min of normal video, and {self.normal} events that were called "
            f"normal, they raise {before.false_alarms} and {after.false_alarms} false alarms."
        )
        if self.found_difference is not None:
            low, high = self.found_difference
            words += f" Of other alarms it may find {100 * low:+.0f} to {100 * high:+.0f} % more."
        if self.false_difference is not None:
            low, high = self.false_difference
            words += f" Of false alarms there may be {low:+.1f} to {high:+.1f} more a day."
        return words + (" It is better." if self.better else " It is not better: nothing is changed.")


class ImproveTask(Record):
    """What is worked on.

    Attributes:
        folder: of the improvement. attempt: folder of the attempt with the normal video, of both sides.
        run: with whose weights it begins. detector: folder of what watches.
        clips: reviewed events. regions: places that count.
        false_alarms_per_day: the rate that draws both lines.
    """

    folder: str
    attempt: str
    run: str
    detector: str
    clips: tuple[ReviewedClip, ...]
    regions: RegionsRecord | None = None
    false_alarms_per_day: float

    @property
    def home(self) -> Path:
        """The folder of the improvement."""
        return Path(self.folder)


def gather(store: Store, camera: str) -> ImproveTask:
    """Find out with what a camera's detector can be improved.

    The same reviews give the same folder, so that what was interrupted goes on.

    Raises:
        UnknownNameError: there is no such camera.
        SettingsError: it has learned nothing here, or too few alarms were confirmed.
    """
    ground = ground_of(store, camera)
    clips = reviewed_clips(store, camera)
    alarms = sum(one.verdict == "alarm" for one in clips)
    if alarms < LEAST_ALARMS:
        raise SettingsError(
            "too few alarms are confirmed to improve the detector by",
            seen=f"{alarms} with a clip",
            wanted=f"at least {LEAST_ALARMS}: one to train on, and one to compare by",
            hint="review its events",
        )
    line = store.cameras.line(camera)
    rate = ground.usual_rate if line is None else line.asked_per_day
    return ImproveTask(
        folder=str((ground.learned / f"{_BEGINS}{_digest(clips, ground.run)}").absolute()),
        attempt=str(ground.attempt.absolute()),
        run=str(ground.run.absolute()),
        detector=ground.fitting.detector.folder,
        clips=tuple(clips),
        regions=places_of(store, camera).regions,
        false_alarms_per_day=rate,
    )


@dataclass(frozen=True)
class Ground:
    """On what an improvement of a camera's detector stands.

    Attributes:
        fitting: what watches. learned: folder of the learning that it came of. attempt, run: folders in it.
        usual_rate: false alarms a day, where no line says another one.
    """

    fitting: FittingRecord
    learned: Path
    attempt: Path
    run: Path
    usual_rate: float


def ground_of(store: Store, camera: str) -> Ground:
    """On what an improvement of a camera's detector stands.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: it has learned nothing here, or that is gone.
    """
    record = store.cameras.get(camera)
    asked, fitting = asked_of(store, record.id), watching(store, camera)
    if asked is None or fitting is None or "learning" not in fitting.about:
        raise SettingsError(
            f"the detector of camera '{camera}' was not learned by this site, so that its normal video is not there",
            wanted="a camera that has learned",
            hint=f"oddframe site learn SITE {camera} --collect 24h",
        )
    learned = learning_folder(store.folder, record.id, int(fitting.about["learning"]))
    learning = read_learning(learned)
    attempt = learned / f"attempt-{fitting.about['attempt']}"
    run = learned / str(fitting.about["improved"]) / "run" if "improved" in fitting.about else attempt / "run"
    if learning is None or learning.state is not State.LIVE or not run.is_dir():
        raise SettingsError(f"camera '{camera}' still learns, or what it learned from is gone", path=attempt)
    return Ground(fitting, learned, attempt, run, asked.how.false_alarms_per_day)


def _digest(clips: Sequence[ReviewedClip], run: Path) -> str:
    told = "\n".join([run.parent.name, *(f"{one.event} {one.verdict} {one.kind}" for one in clips)])
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


def reviewed_clips(store: Store, camera: str) -> list[ReviewedClip]:
    """Events of a camera on which all reviewers agree, and of which there is a clip, in order of time."""
    found = []
    for verdict in ("alarm", "normal"):
        before = None
        while True:
            page = store.events.page(EventFilter(cameras=(camera,), verdict=verdict), before=before, limit=_PAGE)
            found += [one for one in (_clip(store.folder, event, verdict) for event in page.events) if one is not None]
            if (before := page.before) is None:
                break
    return sorted(found, key=lambda one: one.event)


def sides(clips: Sequence[ReviewedClip]) -> tuple[list[ReviewedClip], list[ReviewedClip]]:
    """Clips to train on, and clips to compare by: of each verdict every other one, the first to compare by."""
    compared = [one for verdict in ("alarm", "normal") for one in _of(clips, verdict)[::2]]
    return [one for one in clips if one not in compared], compared


def _of(clips: Sequence[ReviewedClip], verdict: str) -> list[ReviewedClip]:
    return [one for one in clips if one.verdict == verdict]


def _clip(folder: Path, stored: StoredEvent, verdict: str) -> ReviewedClip | None:
    clips = [one for one in stored.evidence if one.kind == CLIP]
    if not clips or not (path := folder / clips[0].path).is_file():
        return None
    video = open_video(path)
    length_s = video.frame_count / video.fps if video.fps else 0.0
    begin_s, end_s = place_in_clip(stored.event, length_s)
    kinds = [str(one.scope["class"]) for one in stored.reviews if one.scope.get("class")]
    return ReviewedClip(
        event=stored.event.id,
        verdict=verdict,
        clip=str(path.absolute()),
        begin_s=begin_s,
        end_s=end_s,
        kind=kinds[0] if kinds else "",
    )


def place_in_clip(event: CameraEvent, length_s: float) -> tuple[float, float]:
    """Where in its clip an event is. A clip begins at some key frame; its end is known."""
    roll = Roll()
    lasts_s = event.end_s - event.start_s
    after_start_s = min(lasts_s + roll.after_s, roll.longest_s)
    begin_s = min(max(0.0, length_s - after_start_s), length_s)
    return round(begin_s, 3), round(min(length_s, begin_s + max(lasts_s, 0.2)), 3)


def read_improvement(folder: Path) -> Improvement | None:
    """What came of an improvement; None where it is not done.

    Raises:
        RunError: it is damaged.
    """
    return read_record(folder / FILE, Improvement, "what came of it") if (folder / FILE).is_file() else None


def offered(store: Store, camera: str) -> tuple[str, Improvement] | None:
    """The latest improvement of what watches a camera: (name of its folder, what came of it); None for none.

    Reviews that came after it began change nothing of it.

    Raises:
        UnknownNameError: there is no such camera. RunError: one is damaged.
    """
    record, now = store.cameras.get(camera), watching(store, camera)
    if now is None or "learning" not in now.about:
        return None
    learned = learning_folder(store.folder, record.id, int(now.about["learning"]))
    found = [
        (folder.name, made)
        for folder in learned.glob(f"{_BEGINS}*")
        if (made := read_improvement(folder)) is not None and made.instead_of == now.detector.folder
    ]
    return max(found, key=lambda one: one[1].made_at, default=None)


def take(store: Store, camera: str, author: str) -> FittingRecord:
    """Have the improved detector watch.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: none was made. ConflictError: it is not better.
    """
    found = offered(store, camera)
    if found is None:
        raise SettingsError(
            f"no better detector was made for camera '{camera}' from what watches it now",
            hint=f"oddframe improve SITE {camera}",
        )
    name, made = found
    if not made.better:
        raise ConflictError("the new detector is not better than the one that watches", hint=made.in_words())
    now = watching(store, camera)
    assert now is not None
    about = {**now.about, "improved": name}
    watch_by(store, camera, f"{now.detector.name}, {name}", made.detector, made.fitting, about, author)
    return _now(store, camera)


def before(store: Store, camera: str) -> FittingRecord | None:
    """What watched a camera before what watches it now, and is there still; no stand-in.

    Raises:
        UnknownNameError: there is no such camera.
    """
    now = watching(store, camera)
    for one in store.cameras.fittings(camera):
        places = (one.detector.folder, one.folder)
        if now is None or one.id == now.id or one.stand_in or one.folder is None:
            continue
        if all(place is not None and Path(place).is_dir() for place in places):
            return one
    return None


def back(store: Store, camera: str, author: str) -> FittingRecord:
    """Have the detector watch that watched before.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: no other one has watched.
    """
    one = before(store, camera)
    if one is None or one.folder is None:
        raise SettingsError(f"no other detector has watched camera '{camera}'")
    watch_by(store, camera, one.detector.name, one.detector.folder, one.folder, one.about, author)
    return _now(store, camera)


def _now(store: Store, camera: str) -> FittingRecord:
    now = watching(store, camera)
    assert now is not None
    return now
