"""One camera: its picture, its score, its line and what came of it, its places, its health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from oddframe.console.access.door import TheSite
from oddframe.console.api.fields import InPath
from oddframe.console.pages.answer import answer
from oddframe.console.pages.curve import Curve, curve
from oddframe.console.pages.looking import Looking
from oddframe.console.pages.page import page_of
from oddframe.console.pages.words import lasts, rate
from oddframe.console.running import RunningSite
from oddframe.reporting.words import count
from oddframe.scoring.promise import HOURS, Promise
from oddframe.scoring.quantiles import poisson_bounds
from oddframe.site.engine_process import SCORES
from oddframe.site.learning import asked_of
from oddframe.site.score_history import KEPT_DAYS, ScoreHistory
from oddframe.site.store.records import CameraRecord, EventFilter, HealthRecord, LineRecord, StoredEvent

SPANS = {1: "1 hour", 6: "6 hours", 24: "1 day", 72: "3 days", 24 * KEPT_DAYS: "2 weeks"}
"""Hours that the curve may show."""

SEEN_DAYS = 7
"""Of what was seen of a line."""

_SURE = 0.975
_EVENTS = 12
_HEALTH = 50
_MOST_MARKS = 500


@dataclass(frozen=True)
class Line:
    """Where alarms begin in one profile, what that promised, and what was seen.

    Attributes:
        profile: "" for the only one. promise, seen: in words. kept: whether what was seen is no more than was asked
            for, or could well come of it; None where too little was watched to say.
    """

    profile: str
    on: float
    asked_per_day: float
    promise: str
    note: str
    seen: str
    kept: bool | None
    since: datetime | None
    author: str


@dataclass(frozen=True)
class Stretch:
    """A state on the strip of the last day: where it begins and how long it is, in 0..1000."""

    begin: float
    width: float
    state: str


@dataclass(frozen=True)
class CameraView:
    """One camera.

    Attributes:
        of_file: what the site's file says of it: that is not changed here.
        state, reason, since: its health. detector: what judges it; None while it has none.
        learns: whether somebody has let it learn what is normal.
        now: (what, how much) of the running engine. notes: what its owner must know.
        span_h: hours of `curve`. lines: one a profile. profiles: (name, when it holds).
        strip, health: how it was.
        regions, private: as the page's script draws and changes them.
        events: the latest.
    """

    name: str
    address: str
    removed_at: datetime | None
    of_file: tuple[str, ...]
    state: str
    reason: str
    since: datetime | None
    detector: str | None
    learns: bool
    notes: tuple[str, ...]
    now: tuple[tuple[str, str], ...]
    span_h: int
    curve: Curve
    lines: tuple[Line, ...]
    profiles: tuple[tuple[str, str], ...]
    strip: tuple[Stretch, ...]
    health: tuple[HealthRecord, ...]
    regions: Mapping[str, Any]
    private: Sequence[Any]
    events: tuple[StoredEvent, ...]


def camera_view(site: RunningSite, name: str, now: datetime, span_h: int = 6) -> CameraView:
    """What the page of a camera shows.

    Raises:
        UnknownNameError: there is no such camera.
    """
    store = site.store
    record = store.cameras.get(name)
    told = store.health.now().get(record.name)
    fittings = store.cameras.fittings(record.name)
    fitting = fittings[0] if fittings and fittings[0].retired_at is None else None
    since = now - timedelta(hours=span_h)
    inside = store.events.page(EventFilter(cameras=(record.name,), since=since), limit=_MOST_MARKS).events
    shown = store.events.page(EventFilter(cameras=(record.name,)), limit=_EVENTS).events
    profiles = store.cameras.profiles(record.name)
    running, notes = _running(site, record.name)
    health = store.health.history(record.name, now - timedelta(days=7), limit=_HEALTH)
    return CameraView(
        name=record.name,
        address=record.masked,
        removed_at=record.removed_at,
        of_file=tuple(record.of_file),
        state="off" if record.removed_at else "starting" if told is None else told.state,
        reason="" if told is None else told.reason,
        since=None if told is None else told.since,
        detector=None if fitting is None else fitting.detector.name,
        learns=asked_of(store, record.id) is not None,
        notes=notes,
        now=running,
        span_h=span_h,
        curve=curve(
            ScoreHistory(store.folder / SCORES),
            record.id,
            since,
            now,
            [(one.event, one.verdict) for one in inside],
        ),
        lines=tuple(_line(site, record, profile, now) for profile in (profiles or ("",))),
        profiles=tuple((profile, _when(hours)) for profile, hours in profiles.items()),
        strip=_strip(health, now),
        health=tuple(health),
        regions=record.settings.get("regions") or {},
        private=record.settings.get("private") or (),
        events=shown,
    )


def _running(site: RunningSite, name: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What the engine says of a camera just now."""
    status = site.status
    found = next((one for one in status.cameras if one.name == name), None) if status is not None else None
    if found is None:
        return (), ()
    facts = []
    if found.score is not None:
        facts.append(("score now", f"{found.score:.2f}, line at {found.line:.2f}"))
    facts.append(("frames judged", f"{found.judged:,}"))
    if dropped := sum(found.dropped.values()):
        facts.append(("not judged", f"{dropped:,} ({', '.join(found.dropped)})"))
    if lost := sum(found.counts.dropped.values()):
        facts.append(("lost before", f"{lost:,} ({', '.join(found.counts.dropped)})"))
    return tuple(facts), found.notes


def _line(site: RunningSite, camera: CameraRecord, profile: str, now: datetime) -> Line:
    record = site.store.cameras.line(camera.name, profile)
    today = now.astimezone(UTC).date()
    days = [
        day
        for day in site.store.watched.days(
            today - timedelta(days=SEEN_DAYS - 1), today + timedelta(days=1), cameras=[camera.name]
        )
        if day.profile == profile
    ]
    watched_s = sum(day.watched_s for day in days)
    events, normal, alarm = (
        sum(getattr(day, what) for day in days) for what in ("events", "said_normal", "said_alarm")
    )
    asked = record.asked_per_day if record is not None else days[-1].asked_per_day if days else 0.0
    return Line(
        profile=profile,
        on=0.0 if record is None else record.on,
        asked_per_day=asked,
        promise=_promise(record, asked),
        note="" if record is None else record.note,
        seen=_seen(watched_s, events, normal, alarm),
        kept=_kept(asked, watched_s, normal),
        since=None if record is None else record.since,
        author="" if record is None else record.author,
    )


def _promise(record: LineRecord | None, asked: float) -> str:
    if record is None:
        return f"{rate(asked)} was asked for where the detector was calibrated" if asked else ""
    if not record.hours or record.vouched_per_day is None:
        return f"{rate(record.asked_per_day)} was asked; nothing is kept that could vouch for it"
    above_all = record.vouched_per_day > record.asked_per_day
    alarms = 0 if above_all else round(record.vouched_per_day * record.hours / HOURS)
    return Promise.measured(record.asked_per_day, alarms, record.hours).in_words()


def _seen(watched_s: float, events: int, normal: int, alarm: int) -> str:
    if watched_s < 60:
        return f"nothing was watched in the last {SEEN_DAYS} days"
    per_day = f", {rate(86400 * events / watched_s)}" if watched_s >= 3600 and events else ""
    many = count(events, "event") if events else "no event"
    words = f"{many} in {lasts(watched_s)} of the last {SEEN_DAYS} days{per_day}"
    if events:
        rest = events - normal - alarm
        said = [f"{normal} called normal" if normal else "", f"{alarm} called alarm" if alarm else ""]
        said.append(f"{rest} not judged by anybody" if rest > 0 else "")
        words += f": {', '.join(one for one in said if one)}"
    return words


def _kept(asked: float, watched_s: float, false: int) -> bool | None:
    """Whether so many false alarms may well come of the rate that was asked for."""
    if asked <= 0 or watched_s < 3600:
        return None
    return poisson_bounds(false, _SURE)[0] <= asked * watched_s / 86400


def _when(hours: Mapping[str, Any]) -> str:
    words = []
    if hours.get("begin") is not None:
        words.append(f"{str(hours['begin'])[:5]} to {str(hours['end'])[:5]}")
    if hours.get("infrared") is not None:
        words.append("pictures without colour" if hours["infrared"] else "pictures with colour")
    return ", ".join(words) or "at any time"


def _strip(health: Sequence[HealthRecord], now: datetime) -> tuple[Stretch, ...]:
    begin, span_s = now - timedelta(days=1), 86400.0
    found = []
    for one in reversed(health):
        first, last = max(one.since, begin), min(one.until or now, now)
        if last > begin and first < now:
            x = [1000 * (at - begin).total_seconds() / span_s for at in (first, last)]
            found.append(Stretch(round(x[0], 1), round(max(x[1] - x[0], 1.0), 1), one.state))
    return tuple(found)


router = APIRouter(include_in_schema=False)

_PARTS = {
    "camera-state": "camera_state",
    "camera-curve": "camera_curve",
    "camera-events": "camera_events",
    "camera-health": "camera_health",
}


@router.get("/cameras/{name}")
def camera_page(
    request: Request,
    name: InPath,
    who: Looking,
    site: TheSite,
    hours: Annotated[int, Query(ge=1, le=24 * KEPT_DAYS)] = 6,
) -> Response:
    """One camera."""
    camera = camera_view(site, name, datetime.now(UTC), hours)
    return answer(request, page_of(site, "/", who), "camera", _PARTS, camera=camera, spans=SPANS)
