"""Events: one of them, and those that wait for a review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from oddframe.console.access.door import TheSite
from oddframe.console.api.fields import EventId
from oddframe.console.moments import moment
from oddframe.console.pages.answer import answer
from oddframe.console.pages.curve import Curve, curve
from oddframe.console.pages.looking import Looking
from oddframe.console.pages.page import page_of
from oddframe.console.pages.words import CHANGES, ENDED_BY, lasts, shown
from oddframe.console.running import RunningSite
from oddframe.plain import Json
from oddframe.scoring.scores import Box
from oddframe.site.engine_process import SCORES
from oddframe.site.events import CameraEvent
from oddframe.site.score_history import ScoreHistory
from oddframe.site.store.events import MOST_A_PAGE
from oddframe.site.store.records import EventFilter, Review, StoredEvent

QUEUE = 200
"""Events that the page for reviews has at once; when they are done, it asks for more."""

CLASSES = "class"
"""The entry of a review's scope that names what was seen."""

_AROUND = timedelta(minutes=5)
_ALIKE = 0.3
"""Boxes of one camera that overlap so far are at the same place."""


@dataclass(frozen=True)
class EventView:
    """One event.

    Attributes:
        stored: it, with what was said of it. files: kind of evidence → where it is, of what is still there.
        where: box in shares of the picture, for the page to draw; None where there is none.
        curve: some minutes around it. life: (moment, what happened), from the first on.
        history: all reviews, also those that were taken back. mine: what who looks says of it.
        removed: its camera is watched no longer.
    """

    stored: StoredEvent
    files: dict[str, str]
    where: tuple[float, float, float, float] | None
    curve: Curve
    life: tuple[tuple[datetime, str], ...]
    history: tuple[Review, ...]
    mine: Review | None
    facts: tuple[tuple[str, str], ...]
    removed: bool


def event_view(site: RunningSite, event: str, user: str, now: datetime) -> EventView:
    """What the page of an event shows.

    Raises:
        UnknownNameError: there is no such event.
    """
    store = site.store
    stored = store.events.get(event)
    one = stored.event
    camera = store.cameras.get(one.camera)
    return EventView(
        stored=stored,
        files=files_of(stored),
        where=where_in_picture(one.box, one.picture),
        curve=curve(
            ScoreHistory(store.folder / SCORES),
            camera.id,
            one.started_at - _AROUND,
            min(now, (one.ended_at or now) + _AROUND),
            [(one, stored.verdict)],
        ),
        life=tuple((change.at, CHANGES[change.kind]) for change in store.events.history(event)),
        history=tuple(store.reviews.history(event)),
        mine=next((review for review in stored.reviews if review.author == user), None),
        facts=facts_of(one, now),
        removed=camera.removed_at is not None,
    )


def files_of(stored: StoredEvent) -> dict[str, str]:
    """Kind of evidence → where a page gets it, of what is still there."""
    return {one.kind: f"/api/v1/evidence/{one.id}" for one in stored.evidence}


def facts_of(event: CameraEvent, now: datetime) -> tuple[tuple[str, str], ...]:
    """(What, how) of an event, in words."""
    length = event.end_s - event.start_s
    facts = [
        ("camera", event.camera),
        ("began", moment(event.started_at, now)),
        ("lasted", f"{lasts(length)} so far" if event.lasts else lasts(length)),
        ("score", f"{event.score:.2f}: {event.once_in}; the line was at {event.line:.2f}"),
    ]
    if event.profile:
        facts.append(("profile", event.profile))
    if event.repeats:
        facts.append(("came again", f"{event.repeats} times in its cool-down"))
    if event.ended_by is not None and event.ended_by != "calm":
        facts.append(("ended because", ENDED_BY[event.ended_by]))
    return tuple(facts)


def where_in_picture(box: Box | None, picture: tuple[int, int] | None) -> tuple[float, float, float, float] | None:
    """(Left, top, width, height) in shares of the picture."""
    if box is None or picture is None:
        return None
    height, width = picture
    found = (box.x / width, box.y / height, box.width / width, box.height / height)
    return tuple(round(min(max(one, 0.0), 1.0), 4) for one in found)  # type: ignore[return-value]


@dataclass(frozen=True)
class Wanted:
    """Which events somebody wants to review, as the page's address says it.

    Attributes:
        order: newest or oddest. said: "" for those without a review, or any, alarm, normal, unsure, disputed.
        day: of the site's time; None is all.
    """

    camera: str = ""
    order: str = "newest"
    said: str = ""
    day: str = ""

    def filter(self) -> EventFilter:
        """As the store takes it; a day that is none is left out."""
        reviewed = False if self.said == "" else None
        verdict = None if self.said in ("", "any") else self.said
        since = until = None
        if self.day:
            try:
                begin = datetime.combine(datetime.strptime(self.day, "%Y-%m-%d").date(), time()).astimezone()
            except (ValueError, OverflowError):
                begin = None
            if begin is not None:
                since, until = begin.astimezone(UTC), (begin + timedelta(days=1)).astimezone(UTC)
        cameras = (self.camera,) if self.camera else ()
        return EventFilter(cameras=cameras, since=since, until=until, reviewed=reviewed, verdict=verdict)


@dataclass(frozen=True)
class Queue:
    """Events to be reviewed.

    Attributes:
        items: as the page's script takes them. more: there are more of them than that.
        cameras: to filter by. watches: whether there is a camera now.
        classes: names of what was seen, those that are used most first.
    """

    items: tuple[Json, ...]
    more: bool
    cameras: tuple[str, ...]
    watches: bool
    classes: tuple[str, ...]
    wanted: Wanted


def queue(site: RunningSite, wanted: Wanted, user: str, now: datetime) -> Queue:
    """What there is to review."""
    store = site.store
    oddest = wanted.order == "oddest"
    found = store.events.page(wanted.filter(), limit=MOST_A_PAGE if oddest else QUEUE)
    events = list(found.events)
    if oddest:
        events = sorted(events, key=lambda one: -one.event.score)[:QUEUE]
    groups = alike([one.event for one in events])
    return Queue(
        items=tuple(_item(one, groups[one.event.id], user, now) for one in events),
        more=found.before is not None or len(found.events) > len(events),
        cameras=tuple(one.name for one in store.cameras.all(removed=True)),
        watches=bool(store.cameras.all()),
        classes=classes(site),
        wanted=wanted,
    )


def classes(site: RunningSite) -> tuple[str, ...]:
    """Names of what was seen that people have used, those that are used most first."""
    counts: dict[str, int] = {}
    for review in site.store.reviews.holding(limit=5000):
        name = review.scope.get(CLASSES)
        if isinstance(name, str) and name:
            counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def alike(events: Sequence[CameraEvent]) -> dict[str, int]:
    """Event → number of the group of those at the same place: of one camera, with boxes that overlap."""
    groups: list[CameraEvent] = []
    found: dict[str, int] = {}
    for event in events:
        number = next((n for n, first in enumerate(groups) if _same_place(first, event)), len(groups))
        if number == len(groups):
            groups.append(event)
        found[event.id] = number
    return found


def _same_place(one: CameraEvent, other: CameraEvent) -> bool:
    if one.camera != other.camera or one.box is None or other.box is None:
        return False
    a, b = one.box, other.box
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    common = max(0, width) * max(0, height)
    union = a.width * a.height + b.width * b.height - common
    return union > 0 and common / union >= _ALIKE


def _item(stored: StoredEvent, group: int, user: str, now: datetime) -> Json:
    event = stored.event
    mine = next((review for review in stored.reviews if review.author == user), None)
    return {
        "id": event.id,
        "camera": event.camera,
        "group": group,
        "files": files_of(stored),
        "where": where_in_picture(event.box, event.picture),
        "facts": [(what, shown(how)) for what, how in facts_of(event, now)],
        "title": shown(f"{event.camera}, {moment(event.started_at, now)}"),
        "verdict": stored.verdict,
        "mine": None if mine is None else mine.verdict,
        "note": "" if mine is None else mine.note,
        "class": "" if mine is None else str(mine.scope.get(CLASSES, "")),
    }


router = APIRouter(include_in_schema=False)

Said = Literal["", "any", "alarm", "normal", "unsure", "disputed"]


def wanted_events(
    camera: Annotated[str, Query(max_length=200)] = "",
    said: Said = "",
    order: Literal["newest", "oddest"] = "newest",
    day: Annotated[str, Query(max_length=10)] = "",
) -> Wanted:
    """Of the address of a page."""
    return Wanted(camera=camera, order=order, said=said, day=day)


WantedEvents = Annotated[Wanted, Depends(wanted_events)]


@router.get("/review")
def review_page(request: Request, wanted: WantedEvents, who: Looking, site: TheSite) -> Response:
    """Events that wait for a review."""
    page = page_of(site, "/review", who)
    parts = {"queue": "queue_items"}
    return answer(request, page, "review", parts, queue=queue(site, wanted, who.name, datetime.now(UTC)))


@router.get("/events/{event}")
def event_page(request: Request, event: EventId, who: Looking, site: TheSite) -> Response:
    """One event."""
    return answer(
        request,
        page_of(site, "/review", who),
        "event",
        {"event-facts": "event_facts", "event-looks": "event_looks"},
        view=event_view(site, event, who.name, datetime.now(UTC)),
        classes=classes(site),
    )
