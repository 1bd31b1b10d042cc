"""Which pictures and clips belong to which event, and which go first when space is needed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from oddframe.errors import LeaseLostError, UnknownNameError
from oddframe.site.store.models import EventRow, EvidenceFile
from oddframe.site.store.records import Evidence
from oddframe.site.store.shelf import Shelf


class EvidenceFiles(Shelf):
    """The rows of files; the files themselves are the business of who makes them."""

    def add(self, event: str, kind: str, path: str, size: int, *, machine: str | None = None) -> None:
        """Keep that a file is there; one of the same kind takes the place of the one before.

        Args:
            path: below the site's folder. size: bytes. machine: which made it, where several share the database.

        Raises:
            LeaseLostError: of this machine there is no such event, see `Events.write`.
        """
        with self._database.writing() as session:
            if machine is not None and session.get(EventRow, event) is None:
                raise LeaseLostError("a picture or clip is of an event that was left out", seen=event)
            row = session.scalars(
                select(EvidenceFile).where(EvidenceFile.event_id == event, EvidenceFile.kind == kind)
            ).first()
            if row is None:
                row = EvidenceFile(event_id=event, kind=kind)
                session.add(row)
            row.path, row.bytes, row.made_at, row.removed_at = path, size, self._clock(), None

    def of(self, event: str) -> list[Evidence]:
        """What is still there of an event."""
        with self._database.reading() as session:
            return evidence_of(session, [event]).get(event, [])

    def get(self, number: int) -> Evidence:
        """A file that is still there, by its `Evidence.id`.

        Raises:
            UnknownNameError: there is none, or it was removed.
        """
        with self._database.reading() as session:
            row = session.get(EvidenceFile, number)
            if row is None or row.removed_at is not None:
                raise UnknownNameError(f"there is no evidence {number}", hint="retention may have removed it")
            return _record(row)

    def removed(self, files: Sequence[int]) -> None:
        """Keep that files are no longer there.

        Args:
            files: their `Evidence.id`.
        """
        with self._database.writing() as session:
            session.execute(update(EvidenceFile).where(EvidenceFile.id.in_(files)).values(removed_at=self._clock()))

    def total_bytes(self) -> int:
        """Of all files that are there."""
        with self._database.reading() as session:
            query = select(func.coalesce(func.sum(EvidenceFile.bytes), 0)).where(EvidenceFile.removed_at.is_(None))
            return int(session.scalar(query) or 0)

    def candidates(self, *, made_before: datetime | None = None, limit: int = 100) -> list[Evidence]:
        """Files that may go, the first to go first: of events without a review, the oldest; then of reviewed ones.

        Files of events that last are not among them.
        """
        with self._database.reading() as session:
            query = (
                select(EvidenceFile)
                .join(EventRow)
                .where(EvidenceFile.removed_at.is_(None), EventRow.ended_at.is_not(None))
                .order_by(EventRow.verdict.is_not(None), EvidenceFile.made_at, EvidenceFile.id)
                .limit(limit)
            )
            if made_before is not None:
                query = query.where(EvidenceFile.made_at < made_before)
            return [_record(row) for row in session.scalars(query)]


def evidence_of(session: Session, events: Sequence[str]) -> dict[str, list[Evidence]]:
    """Event → its files that are there."""
    found: dict[str, list[Evidence]] = {}
    for row in session.scalars(select(EvidenceFile).where(EvidenceFile.event_id.in_(events)).order_by(EvidenceFile.id)):
        if row.removed_at is None:  # asked for here, so that SQLite looks for events and not for all that is there
            found.setdefault(row.event_id, []).append(_record(row))
    return found


def _record(row: EvidenceFile) -> Evidence:
    return Evidence(
        id=row.id,
        event=row.event_id,
        kind=row.kind,
        path=row.path,
        bytes=row.bytes,
        made_at=row.made_at,
        removed_at=row.removed_at,
    )
