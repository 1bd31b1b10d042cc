"""Events: a page of them, one of them, and what happened to it step by step."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from oddframe.console.access.door import TheStore, Viewer
from oddframe.console.api.evidence import EvidenceOut, evidence_out
from oddframe.console.api.fields import EventId, Moment, Name
from oddframe.records import Record
from oddframe.site.messages import SentEvent, sent_event
from oddframe.site.store.records import EventFilter, Review, StoredEvent

router = APIRouter(prefix="/events", tags=["events"])

Verdicts = Literal["alarm", "normal", "unsure", "disputed"]


class EventOut(SentEvent):
    """An event; what is sent to sinks, and more.

    Attributes:
        repeats: how often it began anew during its cool-down.
        verdict: what all reviewers say, "disputed" where they differ, None before any review.
        reviews: those that hold, one an author. evidence: what is still there.
    """

    repeats: int
    verdict: Verdicts | None
    reviews: tuple[Review, ...]
    evidence: tuple[EvidenceOut, ...]


class EventsOut(Record):
    """Some events, those that began last first. `before`: what to ask for the next page with; None at the end."""

    events: tuple[EventOut, ...]
    before: str | None


class Step(Record):
    """What happened to an event."""

    kind: str
    number: int
    at: datetime
    event: SentEvent


class EventQuery(Record):
    """Which events."""

    camera: tuple[Name, ...] = Field(default=(), max_length=100, description="of these cameras; of all without it")
    profile: Name | None = Field(default=None, description="of this profile")
    since: Moment | None = Field(default=None, description="begun then or later")
    until: Moment | None = Field(default=None, description="begun before")
    open: bool | None = Field(default=None, description="true: those that last; false: those that are over")
    reviewed: bool | None = Field(default=None, description="whether anybody has reviewed them")
    verdict: Verdicts | None = Field(default=None, description="what reviewers say")
    least_score: float | None = Field(default=None, description="at least so odd")
    before: str | None = Field(default=None, pattern=r"^[0-9a-fA-F-]{36}$", description="of the page before")
    limit: int = Field(default=50, ge=1, le=500, description="how many at most")


def event_out(stored: StoredEvent) -> EventOut:
    """An event as the API tells it."""
    return EventOut(
        **dict(sent_event(stored.event)),
        repeats=stored.event.repeats,
        verdict=stored.verdict,
        reviews=stored.reviews,
        evidence=tuple(evidence_out(one) for one in stored.evidence),
    )


@router.get("")
def events(wanted: Annotated[EventQuery, Query()], _: Viewer, store: TheStore) -> EventsOut:
    """Some of the events, those that began last first."""
    page = store.events.page(
        EventFilter(
            cameras=wanted.camera,
            profile=wanted.profile,
            since=wanted.since,
            until=wanted.until,
            open=wanted.open,
            reviewed=wanted.reviewed,
            verdict=wanted.verdict,
            least_score=wanted.least_score,
        ),
        before=wanted.before,
        limit=wanted.limit,
    )
    return EventsOut(events=tuple(event_out(one) for one in page.events), before=page.before)


@router.get("/{event}")
def event(event: EventId, _: Viewer, store: TheStore) -> EventOut:
    """One event."""
    return event_out(store.events.get(event))


@router.get("/{event}/history")
def history(event: EventId, _: Viewer, store: TheStore) -> list[Step]:
    """What happened to an event, in order."""
    store.events.get(event)
    return [
        Step(kind=one.kind, number=one.number, at=one.at, event=sent_event(one.event))
        for one in store.events.history(event)
    ]
