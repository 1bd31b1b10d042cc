"""Events in the store: each step of their lives, with what is to be sent of it, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from oddframe.errors import UnknownNameError
from oddframe.scoring.scores import Box
from oddframe.site.events import CameraEvent, Change, EndedBy
from oddframe.site.messages import event_message
from oddframe.site.store.evidence import evidence_of
from oddframe.site.store.leases import held_cameras, require_held
from oddframe.site.store.models import Camera, EventChange, EventRow, EvidenceFile, Fitting, ReviewRow
from oddframe.site.store.outbox import queue
from oddframe.site.store.records import STAND_IN, DayCount, EventFilter, Page, StoredEvent
from oddframe.site.store.reviews import holding
from oddframe.site.store.shelf import Shelf, camera_id, camera_ids, site_name

MOST_A_PAGE = 500


class Events(Shelf):
    """What happened."""

    def write(self, changes: Iterable[Change], *, machine: str | None = None) -> None:
        """Keep what happened to events, and queue what sinks are to be sent of it: all of it, or nothing.

        A change that is there already is left as it is, so that a caller who does not know may write it again.

        Args:
            machine: which writes, where several share the database.

        Raises:
            UnknownNameError: an event's camera is not known. LeaseLostError: another machine watches it now.
        """
        with self._database.writing() as session:
            site = site_name(session)
            for change in changes:
                require_held(session, camera_id(session, change.event.camera), machine)
                _write(session, change, site, self._clock())

    def get(self, event: str) -> StoredEvent:
        """An event by its id.

        Raises:
            UnknownNameError: there is none.
        """
        with self._database.reading() as session:
            rows = _rows(session, [EventRow.id == event], 1)
            if not rows:
                raise UnknownNameError(f"there is no event '{event}'", hint="retention may have removed it")
            return _stored(session, rows)[0]

    def history(self, event: str) -> list[Change]:
        """All that happened to an event, in order; nothing for one that is not there."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(EventChange).where(EventChange.event_id == event).order_by(EventChange.number)
            ).all()
            return [_change(row) for row in rows]

    def page(self, wanted: EventFilter | None = None, *, before: str | None = None, limit: int = 50) -> Page:
        """Some of the events, those that began last first.

        Args:
            wanted: which; all without it. before: the `before` of the page before; None for the first one.
            limit: how many at most, up to `MOST_A_PAGE`.
        """
        limit = max(1, min(limit, MOST_A_PAGE))
        with self._database.reading() as session:
            conditions = _conditions(session, wanted or EventFilter())
            if before is not None:
                conditions.append(EventRow.id < before)
            rows = _rows(session, conditions, limit + 1)
            stored = _stored(session, rows[:limit])
        return Page(events=tuple(stored), before=rows[limit - 1][0].id if len(rows) > limit else None)

    def count(self, wanted: EventFilter | None = None) -> int:
        """How many events there are of those."""
        with self._database.reading() as session:
            query = select(func.count(EventRow.id)).where(*_conditions(session, wanted or EventFilter()))
            return session.scalar(query) or 0

    def open(self) -> list[CameraEvent]:
        """All events that last, those that began last first."""
        with self._database.reading() as session:
            return [_event(row, name) for row, name in _rows(session, [EventRow.ended_at.is_(None)], None)]

    def recover(
        self,
        cameras: Sequence[str] | None = None,
        ended_by: EndedBy = "crash",
        *,
        machine: str | None = None,
    ) -> list[CameraEvent]:
        """End what nobody follows any more, at the last moment that is known of it, and queue what is sent of that.

        Args:
            cameras: of which; None is all. ended_by: what the events say of their end.
            machine: only those of cameras that this machine holds.

        Returns:
            the events that were ended.
        """
        ended = []
        with self._database.writing() as session:
            conditions: list[ColumnElement[bool]] = [EventRow.ended_at.is_(None)]
            if cameras is not None:
                conditions.append(EventRow.camera_id.in_(camera_ids(session, tuple(cameras))))
            if machine is not None:
                conditions.append(EventRow.camera_id.in_(held_cameras(session, machine)))
            site = site_name(session)
            for row, name in reversed(_rows(session, conditions, None)):
                event = _event(row, name)
                event = event.changed(
                    ended_at=event.started_at + timedelta(seconds=event.end_s - event.start_s), ended_by=ended_by
                )
                change = Change(kind="end", number=row.changes, at=self._clock(), event=event)
                _write(session, change, site, self._clock())
                ended.append(event)
        return ended

    def counts_per_day(
        self,
        since: datetime,
        until: datetime,
        *,
        zone: tzinfo = timezone.utc,  # noqa: UP017
        cameras: Sequence[str] | None = None,
    ) -> list[DayCount]:
        """How many events began on each day, and what was said of them; days and cameras without any are left out.

        Args:
            since, until: [since, until). zone: in which a day begins at midnight. cameras: which; None is all.
        """
        counts: dict[tuple[str, Any], dict[str, int]] = {}
        with self._database.reading() as session:
            query = (
                select(Camera.name, EventRow.started_at, EventRow.verdict)
                .join(Camera)
                .where(EventRow.started_at >= since, EventRow.started_at < until)
            )
            if cameras is not None:
                query = query.where(Camera.name.in_(cameras))
            for name, started_at, verdict in session.execute(query):
                of_day = counts.setdefault((name, started_at.astimezone(zone).date()), {})
                for what in ("events", verdict or "unreviewed"):
                    of_day[what] = of_day.get(what, 0) + 1
        known = DayCount.model_fields
        return [
            DayCount(camera=camera, day=day, **{name: many for name, many in of_day.items() if name in known})
            for (camera, day), of_day in sorted(counts.items())
        ]

    def purge(self, before: datetime, *, most: int = 1000) -> int:
        """Forget events that began earlier, without a review, whose evidence is gone.

        Returns:
            how many were forgotten: `most` at once, so that nobody waits long.
        """
        with self._database.writing() as session:
            kept = (
                exists().where(ReviewRow.event_id == EventRow.id),
                exists().where(EvidenceFile.event_id == EventRow.id, EvidenceFile.removed_at.is_(None)),
            )
            ids = session.scalars(
                select(EventRow.id)
                .where(EventRow.started_at < before, EventRow.ended_at.is_not(None), *(~one for one in kept))
                .order_by(EventRow.id)
                .limit(most)
            ).all()
            session.execute(delete(EventRow).where(EventRow.id.in_(ids)))
        return len(ids)


def _write(session: Session, change: Change, site: str, now: datetime) -> None:
    event = change.event
    if session.get(EventChange, (event.id, change.number)) is not None:
        return
    camera = camera_id(session, event.camera)
    row = session.get(EventRow, event.id)
    if row is None:
        row = EventRow(id=event.id, camera_id=camera, changes=0, verdict=None)
        session.add(row)
    for name in _SAME:
        setattr(row, name, getattr(event, name))
    row.fitting_id = event.fitting
    row.box = None if event.box is None else list(event.box)
    row.picture = None if event.picture is None else list(event.picture)
    row.changes = max(row.changes, change.number + 1)
    session.flush()
    session.add(
        EventChange(event_id=event.id, number=change.number, kind=change.kind, at=change.at, event=event.to_dict())
    )
    fitting = None if event.fitting is None else session.get(Fitting, event.fitting)
    message = event_message(change, site, stand_in=fitting is not None and bool(fitting.about.get(STAND_IN)))
    if message is not None:
        queue(session, message, now)


_SAME = (
    "profile",
    "started_at",
    "peak_at",
    "ended_at",
    "start_s",
    "peak_s",
    "end_s",
    "start_frame",
    "peak_frame",
    "end_frame",
    "score",
    "line",
    "repeats",
    "continues",
    "ended_by",
)
"""What row and event have alike."""


def _event(row: EventRow, camera: str) -> CameraEvent:
    return CameraEvent(
        id=row.id,
        camera=camera,
        box=None if row.box is None else Box(*row.box),
        picture=None if row.picture is None else (row.picture[0], row.picture[1]),
        fitting=row.fitting_id,
        **{name: getattr(row, name) for name in _SAME},
    )


def _change(row: EventChange) -> Change:
    return Change.model_validate({"kind": row.kind, "number": row.number, "at": row.at, "event": row.event})


def _rows(session: Session, conditions: Sequence[ColumnElement[bool]], limit: int | None) -> list[tuple[EventRow, str]]:
    query = select(EventRow, Camera.name).join(Camera).where(*conditions).order_by(EventRow.id.desc()).limit(limit)
    return [(row, name) for row, name in session.execute(query)]


def _stored(session: Session, rows: Sequence[tuple[EventRow, str]]) -> list[StoredEvent]:
    ids = [row.id for row, _ in rows]
    reviews, evidence = holding(session, ids), evidence_of(session, ids)
    return [
        StoredEvent(
            event=_event(row, name),
            verdict=row.verdict,  # type: ignore[arg-type]
            reviews=tuple(reviews.get(row.id, ())),
            evidence=tuple(evidence.get(row.id, ())),
        )
        for row, name in rows
    ]


def _conditions(session: Session, wanted: EventFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.cameras:
        found.append(EventRow.camera_id.in_(camera_ids(session, wanted.cameras)))
    if wanted.profile is not None:
        found.append(EventRow.profile == wanted.profile)
    if wanted.since is not None:
        found.append(EventRow.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(EventRow.started_at < wanted.until)
    if wanted.open is not None:
        found.append(EventRow.ended_at.is_(None) if wanted.open else EventRow.ended_at.is_not(None))
    if wanted.reviewed is not None:
        found.append(EventRow.verdict.is_not(None) if wanted.reviewed else EventRow.verdict.is_(None))
    if wanted.verdict is not None:
        found.append(EventRow.verdict == wanted.verdict)
    if wanted.least_score is not None:
        found.append(EventRow.score >= wanted.least_score)
    return found
