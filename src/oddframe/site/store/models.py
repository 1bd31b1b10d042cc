"""What a site keeps, as tables. Times are UTC. `migrations/` makes them, and a test holds both against each other.

What people name (cameras, detectors, sinks) has a number for other tables to refer to, so that a name can be changed.
What is secret (addresses, URLs) stands here encrypted and nowhere else.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, MetaData, Text, UniqueConstraint, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from oddframe.site.store.types import UtcTime

Plain = dict[str, Any]

_OPEN = text("ended_at IS NULL")
_WAITING = text("sent_at IS NULL AND died_at IS NULL")


class Table(DeclarativeBase):
    """All tables. Constraints have names, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcTime(),
        Plain: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        str: Text(),
        float: Double(),
    }


class Setting(Table):
    """Settings of the site as a whole, by name."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Plain]
    changed_at: Mapped[datetime]


class Camera(Table):
    """A source that never ends. One that was removed stays, for its events."""

    __tablename__ = "cameras"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    """Encrypted."""
    masked: Mapped[str]
    """The address for people to see."""
    settings: Mapped[Plain]
    of_file: Mapped[list[Any]] = mapped_column(server_default="[]")
    """What the site's file says of it: camera, detector, line; nothing of one that people added."""
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class FormerName(Table):
    """A name that a camera once had: what still speaks of it by that name finds it."""

    __tablename__ = "former_names"

    name: Mapped[str] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))


class Detector(Table):
    """A run or an artefact."""

    __tablename__ = "detectors"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    folder: Mapped[str]
    about: Mapped[Plain]
    added_at: Mapped[datetime]


class Fitting(Table):
    """A detector as it was calibrated for one camera. The latest one without `retired_at` counts."""

    __tablename__ = "fittings"
    __table_args__ = (Index(None, "camera_id", "retired_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    detector_id: Mapped[int] = mapped_column(ForeignKey("detectors.id"))
    folder: Mapped[str | None]
    """None: the detector's own calibration."""
    about: Mapped[Plain]
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Profile(Table):
    """A kind of time of one camera, with a normal of its own."""

    __tablename__ = "profiles"
    __table_args__ = (UniqueConstraint("camera_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    name: Mapped[str]
    hours: Mapped[Plain]
    """When it holds."""


class Line(Table):
    """Where alarms of a camera and profile began since a moment, and what that promised. The latest counts."""

    __tablename__ = "lines"
    __table_args__ = (Index(None, "camera_id", "profile", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    profile: Mapped[str]
    since: Mapped[datetime]
    on_score: Mapped[float]
    off_score: Mapped[float]
    asked_per_day: Mapped[float]
    vouched_per_day: Mapped[float | None]
    """False alarms a day that the normal video vouches for, at most."""
    hours: Mapped[float]
    """Of normal video on which it rests."""
    note: Mapped[str]
    author: Mapped[str]


class EventRow(Table):
    """An event as it is now; see `site.events.CameraEvent`."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "camera_id", "id"),
        Index(None, "started_at"),
        Index(None, "verdict", "id"),
        Index("ix_events_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    profile: Mapped[str]
    fitting_id: Mapped[int | None] = mapped_column(ForeignKey("fittings.id"))
    started_at: Mapped[datetime]
    peak_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    start_s: Mapped[float]
    peak_s: Mapped[float]
    end_s: Mapped[float]
    start_frame: Mapped[int] = mapped_column(BigInteger)
    peak_frame: Mapped[int] = mapped_column(BigInteger)
    end_frame: Mapped[int] = mapped_column(BigInteger)
    score: Mapped[float]
    line: Mapped[float]
    box: Mapped[list[Any] | None]
    picture: Mapped[list[Any] | None]
    repeats: Mapped[int]
    continues: Mapped[str | None] = mapped_column(ForeignKey("events.id", ondelete="SET NULL"))
    ended_by: Mapped[str | None]
    changes: Mapped[int]
    """How many there were so far."""
    verdict: Mapped[str | None]
    """What all who reviewed it say: alarm, normal, unsure; "disputed" where they differ; None before any review."""


class EventChange(Table):
    """What happened to an event, step by step."""

    __tablename__ = "event_changes"

    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    event: Mapped[Plain]
    """As it was after it."""


class EvidenceFile(Table):
    """A picture or clip of an event, in the site's folder. Its row stays when it is removed to save space."""

    __tablename__ = "evidence_files"
    __table_args__ = (UniqueConstraint("event_id", "kind"), Index(None, "removed_at", "made_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    kind: Mapped[str]
    path: Mapped[str]
    """Below the site's folder."""
    bytes: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ReviewRow(Table):
    """What a person said of an event. Rows are added and undone, never changed: of an author the latest holds."""

    __tablename__ = "reviews"
    __table_args__ = (Index(None, "event_id", "author"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(ForeignKey("events.id"))
    author: Mapped[str]
    verdict: Mapped[str]
    scope: Mapped[Plain]
    note: Mapped[str]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class WatchedDay(Table):
    """What came of the line on one day (UTC): false alarms asked for, time watched, events by what was said of them."""

    __tablename__ = "watched_days"

    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"), primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    asked_per_day: Mapped[float]
    watched_s: Mapped[float]
    events: Mapped[int]
    said_normal: Mapped[int]
    said_alarm: Mapped[int]


class HealthRow(Table):
    """A state of a camera, from when to when."""

    __tablename__ = "health"
    __table_args__ = (Index(None, "camera_id", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[int] = mapped_column(ForeignKey("cameras.id"))
    state: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class SinkRow(Table):
    """A place where events are sent."""

    __tablename__ = "sinks"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    url: Mapped[str]
    """Encrypted, with all of its settings that are secret."""
    masked: Mapped[str]
    settings: Mapped[Plain]
    sends: Mapped[list[Any]]
    """Which changes it gets: new, update, end, health."""
    cameras: Mapped[list[Any] | None]
    """Of which cameras; None is all."""
    enabled: Mapped[bool]
    of_file: Mapped[bool] = mapped_column(server_default=false())
    """Whether the site's file names it."""


class OutboxRow(Table):
    """A message to one sink: waiting until `sent_at` or `died_at`."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("sink_id", "key"),
        Index("ix_outbox_waiting", "sink_id", "stream", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index(None, "died_at"),
        Index(None, "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sink_id: Mapped[int] = mapped_column(ForeignKey("sinks.id"))
    key: Mapped[str]
    stream: Mapped[str]
    """What is in order among itself: the camera."""
    message: Mapped[Plain]
    queued_at: Mapped[datetime]
    tries: Mapped[int]
    next_at: Mapped[datetime]
    problem: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    died_at: Mapped[datetime | None]


class LogRow(Table):
    """Who changed what, and when."""

    __tablename__ = "log"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    author: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[Plain]


class MachineRow(Table):
    """A machine that runs the site beside others. Its row goes when it ends, or when the others give it up."""

    __tablename__ = "machines"

    name: Mapped[str] = mapped_column(primary_key=True)
    beat: Mapped[int] = mapped_column(BigInteger)
    """Rises while it lives."""
    version: Mapped[str]
    """Of this package."""
    watches: Mapped[bool]
    """Whether its engine can watch cameras."""
    problems: Mapped[Plain]
    """What is wrong on it → why."""


class LeaseRow(Table):
    """What one machine alone does. It goes with the machine's row."""

    __tablename__ = "leases"

    subject: Mapped[str] = mapped_column(primary_key=True)
    """The number of a camera, or what there is one of."""
    machine: Mapped[str] = mapped_column(ForeignKey("machines.name", ondelete="CASCADE"), index=True)
    leaving: Mapped[bool]
    """The machine is to let go of it, as soon as what it has of it is written."""


class UserRow(Table):
    """Somebody who may come in. One who was removed stays, so that nobody else gets the name by chance."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password: Mapped[str]
    """A hash; "" of who was removed."""
    one_time: Mapped[bool]
    """The password is good for choosing another one, and for nothing else."""
    role: Mapped[str]
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    """The password."""
    removed_at: Mapped[datetime | None]


class SessionRow(Table):
    """A browser in which somebody is logged in."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    """A hash of what the browser holds."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    address: Mapped[str]
    agent: Mapped[str]


class TokenRow(Table):
    """What a program shows to come in, for a user and with no more rights than that one has."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    scope: Mapped[str]
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
