"""Where events are sent, what waits to be sent, and what was given up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from oddframe.console.access.door import Admin, TheSite, TheStore, Viewer
from oddframe.console.api.fields import InPath, Name
from oddframe.console.running import RunningSite
from oddframe.records import Record
from oddframe.site.commands import AddSink, ChangeSink, RemoveSink, SinkChanges
from oddframe.site.messages import AnyMessage, Part
from oddframe.site.store import Store

router = APIRouter(tags=["sinks"])


class SinkOut(Record):
    """A place where events are sent.

    Attributes:
        address: masked. sends: what it gets. cameras: of which cameras; None is all.
        waiting, sent, dead: messages; sent ones are kept for a week. oldest_at: of those that wait.
        problem: why the last message did not arrive; None where all is well.
        of_file: the site's file says what it is: it is changed there alone.
    """

    name: str
    kind: str
    address: str
    sends: tuple[Part, ...]
    cameras: tuple[str, ...] | None
    enabled: bool
    waiting: int
    sent: int
    dead: int
    oldest_at: datetime | None
    problem: str | None
    of_file: bool


class Dead(Record):
    """A message that was given up. `problem`: what came of the last try."""

    id: int
    sink: str
    key: str
    camera: str
    queued_at: datetime
    died_at: datetime | None
    tries: int
    problem: str | None
    message: AnyMessage = Field(discriminator="kind")


class Again(Record):
    """Which dead messages are to be sent again: these, or all, or all of one sink."""

    messages: tuple[Annotated[int, Field(ge=1, le=2**31 - 1)], ...] | None = Field(default=None, max_length=1000)
    sink: Name | None = None


class SentAgain(Record):
    """How many messages wait again."""

    messages: int


@router.get("/sinks")
def sinks(_: Viewer, site: TheSite, store: TheStore) -> list[SinkOut]:
    """All sinks, by name."""
    return _all(site, store)


def _of(name: str, site: RunningSite, store: Store) -> SinkOut:
    return next(one for one in _all(site, store) if one.name == name)


def _all(site: RunningSite, store: Store) -> list[SinkOut]:
    counts = {one.sink: one for one in store.outbox.counts()}
    problems = site.problems()
    return [
        SinkOut(
            name=one.name,
            kind=one.kind,
            address=one.masked,
            sends=one.sends,
            cameras=one.cameras,
            enabled=one.enabled,
            waiting=counts[one.name].waiting,
            sent=counts[one.name].sent,
            dead=counts[one.name].dead,
            oldest_at=counts[one.name].oldest_at,
            problem=problems.get(f"sink {one.name}"),
            of_file=one.of_file,
        )
        for one in store.sinks.all()
        if one.name in counts
    ]


@router.post("/sinks", status_code=201)
def add(given: AddSink, who: Admin, site: TheSite, store: TheStore) -> SinkOut:
    """Add a place where events are sent. Of a `jsonl`, `url` is the name of a file in the site's folder `sent`."""
    site.carry_out(given, who.name)
    return _of(given.name, site, store)


@router.patch("/sinks/{sink}")
def change(sink: InPath, given: SinkChanges, who: Admin, site: TheSite, store: TheStore) -> SinkOut:
    """Change what is said of a sink, and leave all else as it is."""
    said = {entry: getattr(given, entry) for entry in given.model_fields_set}
    site.carry_out(ChangeSink(sink=sink, **said), who.name)
    return _of(sink, site, store)


@router.delete("/sinks/{sink}", status_code=204)
def remove(sink: InPath, who: Admin, site: TheSite) -> None:
    """Send nothing there any more, and forget what waits for it."""
    site.carry_out(RemoveSink(sink=sink), who.name)


@router.get("/outbox/dead")
def dead(
    _: Admin, store: TheStore, sink: Name | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[Dead]:
    """Messages that were given up, the latest first."""
    return [
        Dead(
            id=one.id,
            sink=one.sink,
            key=one.key,
            camera=one.stream,
            queued_at=one.queued_at,
            died_at=one.died_at,
            tries=one.tries,
            problem=one.problem,
            message=one.message,
        )
        for one in store.outbox.dead(sink=sink, limit=limit)
    ]


@router.post("/outbox/again")
def again(given: Again, who: Admin, site: TheSite, store: TheStore) -> SentAgain:
    """Send dead messages again, with the same keys."""
    many = store.outbox.again(given.messages, sink=given.sink)
    if many:
        whose = "messages" if given.sink is None else f"sink {given.sink}"
        store.journal.log(who.name, "sent again", whose, {"messages": many})
        site.wake()
    return SentAgain(messages=many)
