"""Browsers in which somebody is logged in. The list is the store's, so that a session can be ended from elsewhere."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select

from oddframe.site.store.journal import note
from oddframe.site.store.models import SessionRow, UserRow
from oddframe.site.store.records import LoginSession
from oddframe.site.store.shelf import Shelf
from oddframe.site.store.users import user_of, user_row

IDLE, LONGEST = timedelta(days=7), timedelta(days=30)
"""A session ends when nobody has used it for so long, and so long after the login in any case."""

_SEEN_EVERY = timedelta(minutes=1)
_MOST = 50
"""Sessions of one user; a new one takes the place of the one that was not used for longest."""


class Sessions(Shelf):
    """Browsers in which somebody is logged in. Ids are hashes of what the browsers hold."""

    def begin(self, session_id: str, user: str, *, address: str, agent: str) -> LoginSession:
        """Somebody has logged in.

        Raises:
            UnknownNameError: there is no such user.
        """
        with self._database.writing() as session:
            row, now = user_row(session, user), self._clock()
            session.execute(delete(SessionRow).where(SessionRow.ends_at <= now))
            of_user = select(SessionRow.id).where(SessionRow.user_id == row.id).order_by(SessionRow.used_at.desc())
            too_many = session.scalars(of_user.offset(_MOST - 1)).all()
            session.execute(delete(SessionRow).where(SessionRow.id.in_(too_many)))
            begun = SessionRow(
                id=session_id,
                user_id=row.id,
                made_at=now,
                used_at=now,
                ends_at=now + IDLE,
                address=address,
                agent=agent,
            )
            session.add(begun)
            note(session, now, user, "logged in", f"user {user}", {"address": address})
            return _session(begun, row)

    def find(self, session_id: str) -> LoginSession | None:
        """The session of an id, if it has not ended, and its user may still come in."""
        now = self._clock()
        query = (
            select(SessionRow, UserRow)
            .join(UserRow)
            .where(SessionRow.id == session_id, SessionRow.ends_at > now, UserRow.removed_at.is_(None))
        )
        with self._database.reading() as session:
            found = session.execute(query).first()
            return None if found is None else _session(*found)

    def seen(self, one: LoginSession) -> None:
        """Somebody uses a session: it goes on. It is written once a minute at most."""
        now = self._clock()
        if abs(now - one.used_at) < _SEEN_EVERY:
            return
        with self._database.writing() as session:
            row = session.get(SessionRow, one.id)
            if row is not None:
                row.used_at, row.ends_at = now, min(now + IDLE, row.made_at + LONGEST)

    def of(self, user: str) -> list[LoginSession]:
        """The sessions of a user, the one that was used last first.

        Raises:
            UnknownNameError: there is no such user.
        """
        with self._database.reading() as session:
            row = user_row(session, user)
            query = select(SessionRow).where(SessionRow.user_id == row.id, SessionRow.ends_at > self._clock())
            return [_session(one, row) for one in session.scalars(query.order_by(SessionRow.used_at.desc()))]

    def end(self, session_id: str) -> None:
        """Log out of one browser."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.id == session_id))

    def end_all(self, user: str, *, author: str) -> int:
        """Log out everywhere; return of how many browsers.

        Raises:
            UnknownNameError: there is no such user.
        """
        with self._database.writing() as session:
            row = user_row(session, user)
            ids = session.scalars(select(SessionRow.id).where(SessionRow.user_id == row.id)).all()
            session.execute(delete(SessionRow).where(SessionRow.id.in_(ids)))
            note(session, self._clock(), author, "logged out everywhere", f"user {user}", {"sessions": len(ids)})
            return len(ids)


def _session(row: SessionRow, user: UserRow) -> LoginSession:
    return LoginSession(
        id=row.id,
        user=user_of(user),
        made_at=row.made_at,
        used_at=row.used_at,
        ends_at=row.ends_at,
        address=row.address,
        agent=row.agent,
    )
