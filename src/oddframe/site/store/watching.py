"""How cameras were, and what came of their lines, day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from oddframe.site.events import event_id
from oddframe.site.messages import ProblemMessage, health_message
from oddframe.site.store.journal import note
from oddframe.site.store.leases import require_held
from oddframe.site.store.models import Camera, EventRow, HealthRow, WatchedDay
from oddframe.site.store.outbox import queue
from oddframe.site.store.records import HealthRecord, WatchedDayRecord
from oddframe.site.store.shelf import Shelf, camera_id, site_name

_AT_ONCE = 1000
_Counts = Mapping[tuple[int, str, date], tuple[int, int, int]]


class Health(Shelf):
    """How cameras were."""

    def changed(
        self,
        camera: str,
        state: str,
        reason: str = "",
        at: datetime | None = None,
        *,
        machine: str | None = None,
    ) -> bool:
        """Keep that a camera has come to be in a state, and queue what is sent of that.

        Args:
            machine: which writes, where several share the database.

        Returns:
            False where it was in that state already; then nothing is kept.

        Raises:
            UnknownNameError: there is no such camera. LeaseLostError: another machine watches it now.
        """
        at, state = at or self._clock(), str(state)  # of an enumeration the plain word, whatever the driver makes of it
        with self._database.writing() as session:
            watched = camera_id(session, camera)
            require_held(session, watched, machine)
            before = session.scalars(
                select(HealthRow).where(HealthRow.camera_id == watched, HealthRow.until.is_(None))
            ).first()
            if before is not None and before.state == state:
                return False
            if before is not None:
                before.until = max(at, before.since)
            session.add(HealthRow(camera_id=watched, state=state, reason=reason, since=at, until=None))
            message = health_message(site_name(session), camera, state, reason, at, key=f"health.{event_id(at)}")
            queue(session, message, self._clock())
            return True

    def of_site(self, subject: str, why: str | None) -> None:
        """Keep in the log, and queue what is sent of it, that something is wrong with the site itself.

        Args:
            subject: see `ProblemMessage`. why: in words; None where it is well again.
        """
        at = self._clock()
        with self._database.writing() as session:
            message = ProblemMessage(
                key=f"problem.{event_id(at)}",
                site=site_name(session),
                subject=subject,
                well=why is None,
                reason=why or "",
                at=at,
            )
            note(session, at, "oddframe", "well again" if why is None else "problem", subject, {"why": why or ""})
            queue(session, message, at)

    def now(self) -> dict[str, HealthRecord]:
        """Camera → the state that it is in; cameras that never had one are left out."""
        with self._database.reading() as session:
            query = select(HealthRow, Camera.name).join(Camera).where(HealthRow.until.is_(None))
            return {name: _health(row, name) for row, name in session.execute(query)}

    def history(self, camera: str, since: datetime, *, limit: int = 1000) -> list[HealthRecord]:
        """The states of a camera that lasted into the time since then, the latest first."""
        with self._database.reading() as session:
            query = (
                select(HealthRow)
                .where(
                    HealthRow.camera_id == camera_id(session, camera),
                    HealthRow.until.is_(None) | (HealthRow.until >= since),
                )
                .order_by(HealthRow.id.desc())
                .limit(limit)
            )
            return [_health(row, camera) for row in session.scalars(query)]

    def forget(self, before: datetime) -> int:
        """Forget states that were over earlier; return how many there were."""
        with self._database.writing() as session:
            ids = session.scalars(select(HealthRow.id).where(HealthRow.until < before).limit(_AT_ONCE)).all()
            session.execute(delete(HealthRow).where(HealthRow.id.in_(ids)))
            return len(ids)


class Watched(Shelf):
    """Whether lines kept what was asked of them: false alarms a day, asked for and seen, by camera, profile and day."""

    def add(self, camera: str, profile: str, seconds: float, asked_per_day: float, day: date | None = None) -> None:
        """Keep that a camera was judged for so long.

        Args:
            day: on which, UTC; today without it.
        """
        with self._database.writing() as session:
            row = _day(session, camera_id(session, camera), profile, day or self._clock().astimezone(UTC).date())
            row.watched_s, row.asked_per_day = row.watched_s + seconds, asked_per_day

    def days(self, since: date, until: date, *, cameras: Sequence[str] | None = None) -> list[WatchedDayRecord]:
        """What came of the lines on each day of [since, until): days in order, those that were not watched left out.

        Events are counted anew, so that reviews of today change what is said of yesterday.
        """
        query = select(WatchedDay, Camera.name).join(Camera).where(WatchedDay.day >= since, WatchedDay.day < until)
        if cameras is not None:
            query = query.where(Camera.name.in_(cameras))
        query = query.order_by(WatchedDay.day, Camera.name, WatchedDay.profile)
        with self._database.reading() as session:
            counts = _counts(session, since, until)
            return [_watched(row, name, counts) for row, name in session.execute(query)]

    def keep_counts(self, since: date, until: date) -> None:
        """Keep how many events those days had, so that they may be forgotten (`Events.purge`)."""
        with self._database.writing() as session:
            counts = _counts(session, since, until)
            for row in session.scalars(select(WatchedDay).where(WatchedDay.day >= since, WatchedDay.day < until)):
                row.events, row.said_normal, row.said_alarm = _of_day(row, counts)


def _counts(session: Session, since: date, until: date) -> _Counts:
    """(Camera, profile, day) → events, those called normal, those called alarm; a continuation is no event anew."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (since, until))
    query = select(EventRow.camera_id, EventRow.profile, EventRow.started_at, EventRow.verdict).where(
        EventRow.started_at >= begin, EventRow.started_at < end, EventRow.continues.is_(None)
    )
    found: dict[tuple[int, str, date], tuple[int, int, int]] = {}
    for camera, profile, started_at, verdict in session.execute(query):
        key = (camera, profile, started_at.date())
        events, normal, alarm = found.get(key, (0, 0, 0))
        found[key] = (events + 1, normal + (verdict == "normal"), alarm + (verdict == "alarm"))
    return found


def _of_day(row: WatchedDay, counts: _Counts) -> tuple[int, int, int]:
    """What is counted now, or what was kept, where some were forgotten since."""
    now, kept = (
        counts.get((row.camera_id, row.profile, row.day), (0, 0, 0)),
        (row.events, row.said_normal, row.said_alarm),
    )
    return now if now[0] >= kept[0] else kept


def _day(session: Session, camera: int, profile: str, day: date) -> WatchedDay:
    row = session.get(WatchedDay, (camera, profile, day))
    if row is None:
        row = WatchedDay(
            camera_id=camera,
            profile=profile,
            day=day,
            asked_per_day=0.0,
            watched_s=0.0,
            events=0,
            said_normal=0,
            said_alarm=0,
        )
        session.add(row)
    return row


def _health(row: HealthRow, camera: str) -> HealthRecord:
    return HealthRecord(camera=camera, state=row.state, reason=row.reason, since=row.since, until=row.until)


def _watched(row: WatchedDay, camera: str, counts: _Counts) -> WatchedDayRecord:
    events, said_normal, said_alarm = _of_day(row, counts)
    return WatchedDayRecord(
        camera=camera,
        profile=row.profile,
        day=row.day,
        asked_per_day=row.asked_per_day,
        watched_s=row.watched_s,
        events=events,
        said_normal=said_normal,
        said_alarm=said_alarm,
    )
