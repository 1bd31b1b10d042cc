"""Settings of the site, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from oddframe.site.store.models import LogRow, Setting
from oddframe.site.store.records import LogRecord
from oddframe.site.store.shelf import Shelf


class Journal(Shelf):
    """Settings by name, and the log of changes. Nothing secret belongs in either."""

    def get(self, name: str) -> Mapping[str, Any] | None:
        """A setting; None where it was never set."""
        with self._database.reading() as session:
            row = session.get(Setting, name)
            return None if row is None else row.value

    def set(self, name: str, value: Mapping[str, Any]) -> None:
        """Change a setting. `SITE_NAME` → {"name": ...} is what messages call the site."""
        with self._database.writing() as session:
            row = session.get(Setting, name)
            if row is None:
                row = Setting(name=name)
                session.add(row)
            row.value, row.changed_at = dict(value), self._clock()

    def log(self, author: str, action: str, subject: str, details: Mapping[str, Any] | None = None) -> None:
        """Keep who did what to what."""
        with self._database.writing() as session:
            note(session, self._clock(), author, action, subject, details)

    def entries(self, *, before: int | None = None, limit: int = 100) -> list[LogRecord]:
        """The log, the latest first.

        Args:
            before: `LogRecord.id` of the last one of the page before.
        """
        query = select(LogRow).order_by(LogRow.id.desc()).limit(limit)
        if before is not None:
            query = query.where(LogRow.id < before)
        with self._database.reading() as session:
            return [
                LogRecord(
                    id=row.id,
                    at=row.at,
                    author=row.author,
                    action=row.action,
                    subject=row.subject,
                    details=row.details,
                )
                for row in session.scalars(query)
            ]


def note(
    session: Session,
    at: datetime,
    author: str,
    action: str,
    subject: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Put a line into the log, in the transaction of what it tells of."""
    session.add(LogRow(at=at, author=author, action=action, subject=subject, details=dict(details or {})))
