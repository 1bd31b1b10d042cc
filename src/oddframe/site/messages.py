"""What is sent of events and cameras. Receivers rely on it: entries are only added within a version.

A message has no address and no secret in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, PlainSerializer, TypeAdapter

from oddframe.records import Record
from oddframe.site.events import CameraEvent, Change, once_in

Moment = Annotated[
    AwareDatetime,
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")),
]
"""UTC, as "2026-11-30T12:00:00.000Z"."""

Part = Literal["new", "update", "end", "health"]
"""What a sink may be sent: the steps of an event's life, and how cameras, and the site itself, are."""

PARTS: tuple[Part, ...] = ("new", "update", "end", "health")


class SentBox(Record):
    """Pixels of the camera's picture."""

    x: int
    y: int
    width: int
    height: int


class SentEvent(Record):
    """An event as it is sent; see `events.CameraEvent`.

    Attributes:
        duration_s: from its first to its last odd frame, so far. severity: the score in words.
        stand_in: whether a stand-in found it, since the camera still learns what is normal.
    """

    id: str
    camera: str
    profile: str
    started_at: Moment
    peak_at: Moment
    ended_at: Moment | None
    duration_s: float
    score: float
    severity: str
    line: float
    box: SentBox | None
    picture: tuple[int, int] | None
    continues: str | None
    ended_by: str | None
    stand_in: bool = False


class EventMessage(Record):
    """A step in the life of an event.

    Attributes:
        key: of this message. One that comes twice has the same; it is to be taken once.
    """

    version: Literal[1] = 1
    kind: Literal["event"] = "event"
    key: str
    site: str
    change: Literal["new", "update", "end"]
    at: Moment
    event: SentEvent

    @property
    def camera(self) -> str:
        return self.event.camera

    @property
    def part(self) -> Part:
        """As what sinks choose it."""
        return self.change


class HealthMessage(Record):
    """A camera has come to be in another state.

    Attributes:
        online: whether it watches, or is about to: also while it learns.
        reason: in words, "" where there is nothing to say.
    """

    version: Literal[1] = 1
    kind: Literal["health"] = "health"
    key: str
    site: str
    camera: str
    state: str
    online: bool
    reason: str
    at: Moment

    @property
    def part(self) -> Part:
        """As what sinks choose it."""
        return "health"


class ProblemMessage(Record):
    """Something is not as it should be with the site itself, or is well again.

    Attributes:
        subject: what: "engine", "disk", "database", "upkeep", "sink NAME". well: whether it is again.
        reason: in words, "" where there is nothing to say.
    """

    version: Literal[1] = 1
    kind: Literal["problem"] = "problem"
    key: str
    site: str
    subject: str
    well: bool
    reason: str
    at: Moment

    @property
    def part(self) -> Part:
        """As what sinks choose it: who wants to know how cameras are wants to know this."""
        return "health"


AnyMessage = EventMessage | HealthMessage | ProblemMessage
Message = Annotated[AnyMessage, Field(discriminator="kind")]

_MESSAGE: TypeAdapter[AnyMessage] = TypeAdapter(Message)


def as_sent(message: AnyMessage) -> str:
    """The message as JSON, in one line."""
    return message.model_dump_json()


def parse_message(text: str) -> AnyMessage:
    """A message from its JSON.

    Raises:
        ValidationError: it is none.
    """
    return _MESSAGE.validate_json(text)


def event_message(change: Change, site: str, *, stand_in: bool = False) -> EventMessage | None:
    """What is sent of a change; None where nothing is: a repeat is what a cool-down keeps quiet.

    Args:
        stand_in: whether a stand-in found it.
    """
    if change.kind == "repeat":
        return None
    event = sent_event(change.event, stand_in=stand_in)
    return EventMessage(key=change.key, site=site, change=change.kind, at=change.at, event=event)


def sent_event(event: CameraEvent, *, stand_in: bool = False) -> SentEvent:
    """An event as it is sent; `stand_in` as in `event_message`."""
    return SentEvent(
        id=event.id,
        camera=event.camera,
        profile=event.profile,
        started_at=event.started_at,
        peak_at=event.peak_at,
        ended_at=event.ended_at,
        duration_s=round(event.end_s - event.start_s, 3),
        score=round(event.score, 4),
        severity=once_in(event.score),
        line=round(event.line, 4),
        box=None if event.box is None else SentBox(**event.box._asdict()),
        picture=event.picture,
        continues=event.continues,
        ended_by=event.ended_by,
        stand_in=stand_in,
    )


NO_DETECTOR = "it has no detector yet"
"""Why a camera that does not even collect video is told to be learning: it is not watched, and is not online."""


def health_message(site: str, camera: str, state: str, reason: str, at: datetime, *, key: str) -> HealthMessage:
    """What is sent of a camera's new state."""
    online = state == "online" or (state == "learning" and reason != NO_DETECTOR)
    return HealthMessage(key=key, site=site, camera=camera, state=state, online=online, reason=reason, at=at)
