"""What the store gives and takes, besides events: records that cannot be changed. All times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr

from oddframe.records import Record
from oddframe.site.events import CameraEvent
from oddframe.site.messages import AnyMessage, Part

Verdict = Literal["alarm", "normal", "unsure"]

Role = Literal["viewer", "reviewer", "admin"]
"""What somebody may: look; look and review; look, review and change the site."""

ROLES: tuple[Role, ...] = get_args(Role)
"""Each may what those before it may."""

Scope = Literal["metrics", "viewer", "reviewer", "admin"]
"""What a token may at most: read the metrics, or what a role may."""

DISPUTED = "disputed"
"""What stands for several verdicts that differ."""


class Review(Record):
    """What a person said of an event.

    Attributes:
        scope: of what it speaks (a place, a time of day), in the words of who evaluates it.
        undone_at: when it was taken back.
    """

    id: int
    event: str
    author: str
    verdict: Verdict
    scope: Mapping[str, Any] = {}
    note: str = ""
    at: datetime
    undone_at: datetime | None = None


class Evidence(Record):
    """A picture or clip of an event. `path`: below the site's folder. `kind`: snapshot, heat, clip and the like."""

    id: int
    event: str
    kind: str
    path: str
    bytes: int
    made_at: datetime
    removed_at: datetime | None = None


class StoredEvent(Record):
    """An event with what belongs to it.

    Attributes:
        verdict: what all reviewers say, "disputed" where they differ, None before any review.
        reviews: those that hold, one an author. evidence: what is still there.
    """

    event: CameraEvent
    verdict: Literal["alarm", "normal", "unsure", "disputed"] | None
    reviews: tuple[Review, ...]
    evidence: tuple[Evidence, ...]


class EventFilter(Record):
    """Which events; what is None or empty does not matter.

    Attributes:
        cameras, profile: names. since, until: when they began, [since, until).
        open: whether they last. reviewed: whether anybody said something. verdict: see `StoredEvent`.
        least_score: at least so odd.
    """

    cameras: tuple[str, ...] = ()
    profile: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    open: bool | None = None
    reviewed: bool | None = None
    verdict: str | None = None
    least_score: float | None = None


class Page(Record):
    """Some of the events, the latest first. `before`: what to ask for the next page with; None at the end."""

    events: tuple[StoredEvent, ...]
    before: str | None


class DayCount(Record):
    """Events of a camera that began on one day."""

    camera: str
    day: date
    events: int = 0
    unreviewed: int = 0
    alarm: int = 0
    normal: int = 0


OfFile = Literal["camera", "detector", "line"]
"""What a site's file may say of a camera: what it is, what judges it, where its alarms begin."""


class CameraRecord(Record):
    """A camera.

    Attributes:
        masked: its address for people to see; the address itself is given by `Cameras.address`.
        of_file: what the site's file says of it, which is not for others to change; nothing of one that people added.
    """

    id: int
    name: str
    masked: str
    settings: Mapping[str, Any] = {}
    of_file: tuple[OfFile, ...] = ()
    added_at: datetime
    removed_at: datetime | None = None


class DetectorRecord(Record):
    """A run or an artefact. `folder`: where it lies. `about`: what else is known of it."""

    id: int
    name: str
    folder: str
    about: Mapping[str, Any] = {}
    added_at: datetime


STAND_IN = "stand_in"
"""In what is known about a fitting: it is one of a stand-in."""


class FittingRecord(Record):
    """A detector as it was calibrated for one camera. `folder`: None where it has the detector's own calibration."""

    id: int
    camera: str
    detector: DetectorRecord
    folder: str | None
    about: Mapping[str, Any] = {}
    made_at: datetime
    retired_at: datetime | None = None

    @property
    def stand_in(self) -> bool:
        """Whether it watches only until the camera has learned."""
        return bool(self.about.get(STAND_IN))


class LineRecord(Record):
    """Where alarms begin, and what that promises.

    Attributes:
        on, off: of the score. asked_per_day: false alarms a day that were asked for.
        vouched_per_day: that the normal video vouches for, at most; None where that is unknown.
        hours: of normal video on which this rests.
    """

    camera: str
    profile: str = ""
    since: datetime
    on: float
    off: float
    asked_per_day: float
    vouched_per_day: float | None = None
    hours: float = 0.0
    note: str = ""
    author: str = ""


class WatchedCamera(Record):
    """All that says how a camera is watched, at one moment.

    Attributes:
        locked: its address, encrypted; another one only where the address is another.
        fitting: what judges it; None where nothing does yet. profiles: name → when it holds, the first counts.
        lines: profile → where alarms begin; profiles without a line of their own are left out.
    """

    camera: CameraRecord
    locked: str = Field(repr=False)
    fitting: FittingRecord | None
    profiles: Mapping[str, Mapping[str, Any]]
    lines: Mapping[str, LineRecord]


class HealthRecord(Record):
    """A state of a camera. `until`: None while it lasts."""

    camera: str
    state: str
    reason: str
    since: datetime
    until: datetime | None = None


class WatchedDayRecord(Record):
    """What came of the line on one day (UTC).

    Attributes:
        asked_per_day: false alarms, as was asked last on that day. watched_s: how long the camera was judged.
        events: that began on it. said_normal, said_alarm: how many of them people called so.
    """

    camera: str
    profile: str
    day: date
    asked_per_day: float
    watched_s: float
    events: int
    said_normal: int
    said_alarm: int


class SinkRecord(Record):
    """A place where events are sent.

    Attributes:
        kind: jsonl, webhook, mqtt, apprise. url: where; never shown. secret: with which messages are signed.
        masked: where, for people to see. settings: of its kind, nothing secret.
        sends: what it gets. cameras: of which cameras; None is all.
        of_file: whether the site's file names it, so that it is not for others to change.
    """

    name: str
    kind: str
    url: SecretStr = Field(repr=False)
    secret: SecretStr | None = Field(default=None, repr=False)
    masked: str
    settings: Mapping[str, Any] = {}
    sends: tuple[Part, ...]
    cameras: tuple[str, ...] | None = None
    enabled: bool = True
    of_file: bool = False


class Outgoing(Record):
    """A message on its way to a sink.

    Attributes:
        tries: how often it was answered without success. problem: what came of the last try, in words.
    """

    id: int
    sink: str
    key: str
    stream: str
    message: AnyMessage = Field(discriminator="kind")
    queued_at: datetime
    tries: int
    next_at: datetime
    problem: str | None = None
    sent_at: datetime | None = None
    died_at: datetime | None = None


class SinkCount(Record):
    """How many messages of a sink wait, were sent (and not yet cleared), are dead. `oldest_at`: of those that wait."""

    sink: str
    waiting: int
    sent: int
    dead: int
    oldest_at: datetime | None


class LogRecord(Record):
    """Who changed what, and when."""

    id: int
    at: datetime
    author: str
    action: str
    subject: str
    details: Mapping[str, Any] = {}


class User(Record):
    """Somebody who may come in.

    Attributes:
        one_time: the password has to be changed first. changed_at: the password.
    """

    id: int
    name: str
    role: Role
    one_time: bool
    added_at: datetime
    changed_at: datetime
    removed_at: datetime | None = None


class LoginSession(Record):
    """A browser in which somebody is logged in.

    Attributes:
        id: a hash of what the browser holds. used_at: about when it was seen last.
        address, agent: from where and with what somebody logged in.
    """

    id: str
    user: User
    made_at: datetime
    used_at: datetime
    ends_at: datetime
    address: str
    agent: str


class Token(Record):
    """What a program shows to come in. `user`: for whom it acts, with no more than that one's rights and `scope`."""

    id: int
    user: User
    name: str
    scope: Scope
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
