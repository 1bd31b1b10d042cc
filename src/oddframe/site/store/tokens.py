"""What programs show to come in. Only a hash is kept, so that whoever reads the database cannot use it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from oddframe.errors import ConflictError, UnknownNameError
from oddframe.site.store.journal import note
from oddframe.site.store.models import TokenRow, UserRow
from oddframe.site.store.records import Scope, Token
from oddframe.site.store.shelf import Shelf
from oddframe.site.store.users import user_of, user_row

_SEEN_EVERY = timedelta(minutes=1)
_MOST = 100
"""Tokens of one user that hold."""


class Tokens(Shelf):
    """What programs show to come in."""

    def add(self, user: str, name: str, token_hash: str, scope: Scope, ends_at: datetime, *, author: str) -> Token:
        """Let a program come in for a user, until a moment.

        Args:
            name: what it is for. token_hash: of what the program will show. author: who adds.

        Raises:
            UnknownNameError: there is no such user. ConflictError: there are a hundred that hold.
        """
        with self._database.writing() as session:
            of, now = user_row(session, user), self._clock()
            holding = select(func.count(TokenRow.id)).where(
                TokenRow.user_id == of.id, TokenRow.revoked_at.is_(None), TokenRow.ends_at > now
            )
            if (session.scalar(holding) or 0) >= _MOST:
                raise ConflictError(f"'{user}' has {_MOST} tokens already", hint="revoke those that nobody uses")
            row = TokenRow(
                user_id=of.id,
                name=name,
                hash=token_hash,
                scope=scope,
                made_at=now,
                ends_at=ends_at,
                used_at=None,
                revoked_at=None,
            )
            session.add(row)
            session.flush()
            details = {"name": name, "user": user, "scope": scope, "ends_at": ends_at.isoformat()}
            note(session, now, author, "added", f"token {row.id}", details)
            return _token(row, of)

    def find(self, token_hash: str) -> Token | None:
        """The token of a hash, if it has not ended or been revoked, and its user may still come in."""
        query = (
            select(TokenRow, UserRow)
            .join(UserRow)
            .where(
                TokenRow.hash == token_hash,
                TokenRow.revoked_at.is_(None),
                TokenRow.ends_at > self._clock(),
                UserRow.removed_at.is_(None),
            )
        )
        with self._database.reading() as session:
            found = session.execute(query).first()
            return None if found is None else _token(*found)

    def seen(self, token: Token) -> None:
        """A program has shown a token. It is written once a minute at most."""
        now = self._clock()
        if token.used_at is not None and abs(now - token.used_at) < _SEEN_EVERY:
            return
        with self._database.writing() as session:
            row = session.get(TokenRow, token.id)
            if row is not None:
                row.used_at = now

    def all(self, user: str | None = None) -> list[Token]:
        """Tokens that were not revoked, also those that have ended; of one user or of all. The latest first."""
        query = (
            select(TokenRow, UserRow).join(UserRow).where(TokenRow.revoked_at.is_(None)).order_by(TokenRow.id.desc())
        )
        if user is not None:
            query = query.where(UserRow.name == user)
        with self._database.reading() as session:
            return [_token(*found) for found in session.execute(query)]

    def get(self, token: int) -> Token:
        """A token by its number.

        Raises:
            UnknownNameError: there is none, or it was revoked.
        """
        with self._database.reading() as session:
            row, of = _row(session, token)
            return _token(row, of)

    def revoke(self, token: int, *, author: str) -> None:
        """Let no program come in with it any more.

        Raises:
            UnknownNameError: there is none, or it was revoked.
        """
        with self._database.writing() as session:
            row, of = _row(session, token)
            row.revoked_at = self._clock()
            note(session, self._clock(), author, "revoked", f"token {token}", {"name": row.name, "user": of.name})


def _row(session: Session, token: int) -> tuple[TokenRow, UserRow]:
    found = session.execute(
        select(TokenRow, UserRow).join(UserRow).where(TokenRow.id == token, TokenRow.revoked_at.is_(None))
    ).first()
    if found is None:
        raise UnknownNameError(f"there is no token {token}", hint="look at the list of tokens")
    return found[0], found[1]


def _token(row: TokenRow, user: UserRow) -> Token:
    return Token(
        id=row.id,
        user=user_of(user),
        name=row.name,
        scope=row.scope,  # type: ignore[arg-type]
        made_at=row.made_at,
        ends_at=row.ends_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
