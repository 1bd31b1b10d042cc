"""The wall: all cameras at a glance."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request, Response

from oddframe.console.access.door import TheSite
from oddframe.console.pages.answer import answer
from oddframe.console.pages.curve import Curve, curve
from oddframe.console.pages.looking import Looking
from oddframe.console.pages.page import page_of
from oddframe.console.running import RunningSite
from oddframe.site.engine_process import SCORES
from oddframe.site.events import CameraEvent
from oddframe.site.score_history import ScoreHistory
from oddframe.site.store.records import EventFilter

_HOUR = timedelta(hours=1)
_POINTS = 120
_MOST_EVENTS = 500


@dataclass(frozen=True)
class Tile:
    """One camera.

    Attributes:
        lasting: events that go on. waiting: events of the last week that nobody has reviewed.
    """

    name: str
    state: str
    reason: str
    since: datetime | None
    curve: Curve
    lasting: int
    waiting: int


@dataclass(frozen=True)
class Wall:
    """All cameras. `problems`: (what, why) of all that is not as it should be."""

    tiles: tuple[Tile, ...]
    problems: tuple[tuple[str, str], ...]


def wall(site: RunningSite, now: datetime) -> Wall:
    """What the wall shows."""
    store, history = site.store, ScoreHistory(site.store.folder / SCORES)
    health = store.health.now()
    events: defaultdict[str, list[tuple[CameraEvent, str | None]]] = defaultdict(list)
    lasting: defaultdict[str, int] = defaultdict(int)
    for event in store.events.open():
        lasting[event.camera] += 1
        if event.started_at < now - _HOUR:
            events[event.camera].append((event, None))
    for one in store.events.page(EventFilter(since=now - _HOUR), limit=_MOST_EVENTS).events:
        events[one.event.camera].append((one.event, one.verdict))
    waiting: defaultdict[str, int] = defaultdict(int)
    for day in store.events.counts_per_day(now - timedelta(days=7), now + timedelta(minutes=1)):
        waiting[day.camera] += day.unreviewed
    tiles = []
    for camera in store.cameras.all():
        told = health.get(camera.name)
        tiles.append(
            Tile(
                name=camera.name,
                state="starting" if told is None else told.state,
                reason="" if told is None else told.reason,
                since=None if told is None else told.since,
                curve=curve(history, camera.id, now - _HOUR, now, events[camera.name], points=_POINTS),
                lasting=lasting[camera.name],
                waiting=waiting[camera.name],
            )
        )
    return Wall(tuple(tiles), tuple(site.problems().items()))


router = APIRouter(include_in_schema=False)


@router.get("/")
def wall_page(request: Request, who: Looking, site: TheSite) -> Response:
    """All cameras."""
    return answer(
        request,
        page_of(site, "/", who),
        "wall",
        {"wall": "wall_tiles"},
        wall=wall(site, datetime.now(UTC)),
    )
