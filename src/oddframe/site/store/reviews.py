"""What people said of events. Nothing is overwritten: of each author the latest word that was not taken back holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from oddframe.errors import UnknownNameError
from oddframe.site.store.models import EventRow, ReviewRow
from oddframe.site.store.records import DISPUTED, Review, Verdict
from oddframe.site.store.shelf import Shelf


class Reviews(Shelf):
    """What people said."""

    def add(
        self, event: str, author: str, verdict: Verdict, *, scope: Mapping[str, Any] | None = None, note: str = ""
    ) -> Review:
        """Say something of an event; what the same author said before no longer holds.

        Raises:
            UnknownNameError: there is no such event.
        """
        with self._database.writing() as session:
            of_event = _row(session, event)
            row = ReviewRow(
                event_id=event,
                author=author,
                verdict=verdict,
                scope=dict(scope or {}),
                note=note,
                at=self._clock(),
                undone_at=None,
            )
            session.add(row)
            session.flush()
            of_event.verdict = _together(session, event)
            return review_of(row)

    def undo(self, author: str, event: str | None = None) -> Review | None:
        """Take back what an author said last, of this event or of any.

        Returns:
            the review that was taken back; None where there is nothing to take back. What the author had said of that
            event before holds again.
        """
        with self._database.writing() as session:
            query = select(ReviewRow).where(ReviewRow.author == author, ReviewRow.undone_at.is_(None))
            if event is not None:
                query = query.where(ReviewRow.event_id == event)
            row = session.scalars(query.order_by(ReviewRow.id.desc()).limit(1)).first()
            if row is None:
                return None
            row.undone_at = self._clock()
            session.flush()
            _row(session, row.event_id).verdict = _together(session, row.event_id)
            return review_of(row)

    def history(self, event: str) -> list[Review]:
        """All that was ever said of an event, in order, also what was taken back."""
        with self._database.reading() as session:
            rows = session.scalars(select(ReviewRow).where(ReviewRow.event_id == event).order_by(ReviewRow.id)).all()
            return [review_of(row) for row in rows]

    def pulse(self) -> tuple[int, int]:
        """(Number of the last review, how many were taken back): others whenever anybody has spoken."""
        with self._database.reading() as session:
            last, undone = session.execute(select(func.max(ReviewRow.id), func.count(ReviewRow.undone_at))).one()
            return last or 0, undone

    def numbered(self, numbers: Collection[int]) -> list[Review]:
        """Reviews by their numbers, in order; also what was taken back. Numbers that are not there are left out."""
        with self._database.reading() as session:
            rows = session.scalars(select(ReviewRow).where(ReviewRow.id.in_(numbers)).order_by(ReviewRow.id))
            return [review_of(row) for row in rows]

    def holding(self, verdict: Verdict | None = None, *, after: int = 0, limit: int = 1000) -> list[Review]:
        """All reviews that hold, in the order in which they were given.

        Args:
            verdict: only these. after: number of the last review of the page before. limit: how many at most.
        """
        with self._database.reading() as session:
            newer = _newer_of_same()
            query = select(ReviewRow).where(ReviewRow.id > after, ReviewRow.undone_at.is_(None), ~newer)
            if verdict is not None:
                query = query.where(ReviewRow.verdict == verdict)
            return [review_of(row) for row in session.scalars(query.order_by(ReviewRow.id).limit(limit))]


def holding(session: Session, events: Sequence[str]) -> dict[str, list[Review]]:
    """Event → the reviews of it that hold, one an author."""
    found: dict[str, dict[str, Review]] = {}
    query = select(ReviewRow).where(ReviewRow.event_id.in_(events), ReviewRow.undone_at.is_(None))
    for row in session.scalars(query.order_by(ReviewRow.id)):
        found.setdefault(row.event_id, {})[row.author] = review_of(row)
    return {event: list(by_author.values()) for event, by_author in found.items()}


def review_of(row: ReviewRow) -> Review:
    """A row as a record."""
    return Review(
        id=row.id,
        event=row.event_id,
        author=row.author,
        verdict=row.verdict,  # type: ignore[arg-type]
        scope=row.scope,
        note=row.note,
        at=row.at,
        undone_at=row.undone_at,
    )


def _newer_of_same() -> ColumnElement[bool]:
    """Whether the same author has said something of the same event since."""
    newer = aliased(ReviewRow)
    return (
        select(newer.id)
        .where(
            newer.event_id == ReviewRow.event_id,
            newer.author == ReviewRow.author,
            newer.undone_at.is_(None),
            newer.id > ReviewRow.id,
        )
        .exists()
    )


def _row(session: Session, event: str) -> EventRow:
    row = session.get(EventRow, event)
    if row is None:
        raise UnknownNameError(f"there is no event '{event}'", hint="retention may have removed it")
    return row


def _together(session: Session, event: str) -> str | None:
    """What all reviews of an event that hold say together."""
    verdicts = {review.verdict for review in holding(session, [event]).get(event, ())}
    if not verdicts:
        return None
    return verdicts.pop() if len(verdicts) == 1 else DISPUTED
