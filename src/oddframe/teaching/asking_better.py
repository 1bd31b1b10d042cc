"""What people ask of the improvement of a camera's detector: the same for REST and pages. Done by an `Improver`.

SITE/learning/CAMERA/improving.json    how it stands: `Improving`; CAMERA is its number in the store
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime

from oddframe.errors import SettingsError
from oddframe.records import FileRecord, Record, read_record
from oddframe.site.store import Store
from oddframe.site.store.records import EventFilter
from oddframe.site.store.shelf import utc_now
from oddframe.teaching.improving import LEAST_ALARMS, Improvement, ImproveTask, before, gather, ground_of, offered
from oddframe.teaching.installing import watching
from oddframe.teaching.record import FOLDER

FILE = "improving.json"

_SETTING = "improving of camera {}"
_MOST_BYTES = 16 * 2**20
"""Of the record: a reviewed clip takes some hundred bytes."""


class ImprovingState(StrEnum):
    """How far the improvement of a camera's detector is."""

    TRAINING = "training"
    MADE = "made"
    FAILED = "failed"
    STOPPED = "stopped"


class AskedImprovement(Record):
    """That a camera's detector is to be improved.

    Attributes:
        number: another one is another request. author, at: who asked, and when (UTC). stopped: whether it is to end.
    """

    number: int
    author: str
    at: AwareDatetime
    stopped: bool = False


class Improving(FileRecord):
    """How an improvement stands.

    Attributes:
        number: of the request. state, since: how far it is, and since when (UTC).
        task: what is worked on; None where it could not be found out.
        stage, percent, left_s: what is being done, how far it is, and about how long it takes still; None where nobody
            knows. problem, hint: what is wrong, in one sentence, and what to do. deaths: of the process that works.
    """

    number: int
    state: ImprovingState
    since: AwareDatetime
    task: ImproveTask | None = None
    stage: str = ""
    percent: float | None = None
    left_s: float | None = None
    problem: str = ""
    hint: str = ""
    deaths: int = 0


class BetterStanding(Record):
    """How the improvement of a camera's detector stands.

    Attributes:
        state: "" where nobody asked for it, "waiting" until the site's process has taken it up. words: in a sentence.
        why_not: why it cannot be asked for; "" where it can.
        alarms, normal: events that people agree on. improving: how it goes.
        made: what came of the latest one of what watches now. watched_before: name of the detector to go back to.
    """

    state: str
    words: str
    why_not: str
    alarms: int
    normal: int
    improving: Improving | None = None
    made: Improvement | None = None
    watched_before: str | None = None


def improving_file(site: Path, camera: int) -> Path:
    """Where it is kept how the improvement of a camera stands. `camera`: its number in the store."""
    return site / FOLDER / str(camera) / FILE


def read_improving(site: Path, camera: int) -> Improving | None:
    """How it stands; None where nobody has begun.

    Raises:
        RunError: the record is damaged.
    """
    path = improving_file(site, camera)
    if not path.is_file():
        return None
    return read_record(path, Improving, "the record of an improvement", limit_bytes=_MOST_BYTES)


def better_asked_of(store: Store, camera: int) -> AskedImprovement | None:
    """What was asked of a camera's detector last; None for nothing. `camera`: its number."""
    kept = store.journal.get(_SETTING.format(camera))
    return None if kept is None else AskedImprovement.model_validate(dict(kept))


def begin_better(store: Store, camera: str, author: str) -> AskedImprovement:
    """Have a camera's detector improved by the reviews that there are. What failed or was stopped goes on.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: it has learned nothing here, or too few alarms were
            confirmed.
    """
    gather(store, camera)
    number = store.cameras.get(camera).id
    known = better_asked_of(store, number)
    asked = AskedImprovement(number=1 if known is None else known.number + 1, author=author, at=utc_now())
    store.journal.set(_SETTING.format(number), asked.to_dict())
    store.journal.log(author, "improve", f"camera {camera}", {})
    return asked


def stop_better(store: Store, camera: str, author: str) -> AskedImprovement:
    """Have the improvement end; what it has is kept.

    Raises:
        UnknownNameError: there is no such camera. SettingsError: nothing is improved.
    """
    number = store.cameras.get(camera).id
    asked = better_asked_of(store, number)
    if asked is None or better_standing(store, camera).state not in ("waiting", ImprovingState.TRAINING):
        raise SettingsError(f"the detector of camera '{camera}' is not being improved")
    asked = asked.changed(stopped=True)
    store.journal.set(_SETTING.format(number), asked.to_dict())
    store.journal.log(author, "stop improving", f"camera {camera}", {})
    return asked


def better_standing(store: Store, camera: str) -> BetterStanding:
    """How the improvement of a camera's detector stands.

    Raises:
        UnknownNameError: there is no such camera. RunError: a record of it is damaged.
    """
    record = store.cameras.get(camera)
    asked, told = better_asked_of(store, record.id), read_improving(store.folder, record.id)
    alarms, normal = (
        store.events.count(EventFilter(cameras=(camera,), verdict=verdict)) for verdict in ("alarm", "normal")
    )
    found, watched = offered(store, camera), before(store, camera)
    state = "" if asked is None else "waiting" if told is None or told.number != asked.number else str(told.state)
    made = None if found is None else found[1]
    if told is not None and told.state is ImprovingState.MADE and made is None:
        state, told = "", None  # of a detector that watches no longer
    return BetterStanding(
        state=state,
        words=_words(state, told, made),
        why_not=_why_not(store, camera, alarms),
        alarms=alarms,
        normal=normal,
        improving=told if state not in ("", "waiting") else None,
        made=made,
        watched_before=None if watched is None else watched.detector.name,
    )


def _why_not(store: Store, camera: str, alarms: int) -> str:
    now = watching(store, camera)
    if now is None or "learning" not in now.about:
        return "It has to learn first: its reviewed events make the detector better that it has learned."
    try:
        ground_of(store, camera)
    except SettingsError as error:
        return error.problem
    if alarms < LEAST_ALARMS:
        return (
            f"It takes {LEAST_ALARMS} confirmed alarms at least, one to train on and one to compare by; ten tell more."
        )
    return ""


def _words(state: str, told: Improving | None, made: Improvement | None) -> str:
    if state == "waiting":
        return "it begins within seconds, where the site runs"
    if told is None or not state:
        return "nobody has asked for it"
    if told.state is ImprovingState.FAILED:
        return f"{told.problem}. Do: {told.hint}" if told.hint else told.problem
    if told.state is ImprovingState.STOPPED:
        return "it was stopped; what it had is kept"
    if told.state is ImprovingState.MADE and made is not None:
        return made.in_words()
    words = told.stage or str(told.state)
    return words if told.percent is None else f"{words}, {told.percent:.0f} %"
