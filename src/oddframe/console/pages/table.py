"""Events as a table for spreadsheets: CSV in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from oddframe.console.access.door import TheSite
from oddframe.console.pages.events import CLASSES, WantedEvents
from oddframe.console.pages.looking import Looking
from oddframe.console.running import RunningSite
from oddframe.site.store.events import MOST_A_PAGE
from oddframe.site.store.records import EventFilter, StoredEvent

COLUMNS = (
    "id",
    "camera",
    "profile",
    "began",
    "ended",
    "seconds",
    "score",
    "line",
    "verdict",
    "class",
    "reviews",
    "notes",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")

router = APIRouter(include_in_schema=False)


@router.get("/events.csv")
def events_table(wanted: WantedEvents, who: Looking, site: TheSite) -> Response:
    """Events as CSV, the latest first; times are UTC."""
    name = f"events-{datetime.now(UTC):%Y-%m-%d}.csv"
    return StreamingResponse(
        table(site, wanted.filter()),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def table(site: RunningSite, wanted: EventFilter) -> Iterator[str]:
    """Lines of CSV, page by page of the store."""
    yield _line(COLUMNS)
    before: str | None = None
    while True:
        found = site.store.events.page(wanted, before=before, limit=MOST_A_PAGE)
        yield "".join(_line(_cells(one)) for one in found.events)
        if found.before is None:
            return
        before = found.before


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> harmless("=HYPERLINK(1)"), harmless("gate"), harmless(" =1")
    ("'=HYPERLINK(1)", 'gate', "' =1")
    """
    return f"'{text}" if text.lstrip(" \ufeff\u00a0").startswith(_FORMULA) or text.startswith("'") else text


def _cells(stored: StoredEvent) -> tuple[str, ...]:
    event = stored.event
    classes = dict.fromkeys(str(one.scope[CLASSES]) for one in stored.reviews if one.scope.get(CLASSES))
    return (
        event.id,
        harmless(event.camera),
        harmless(event.profile),
        event.started_at.astimezone(UTC).isoformat(),
        "" if event.ended_at is None else event.ended_at.astimezone(UTC).isoformat(),
        f"{event.end_s - event.start_s:.1f}",
        f"{event.score:.3f}",
        f"{event.line:.3f}",
        stored.verdict or "",
        harmless(", ".join(classes)),
        harmless("; ".join(f"{one.author}: {one.verdict}" for one in stored.reviews)),
        harmless("; ".join(one.note for one in stored.reviews if one.note)),
    )


def _line(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
