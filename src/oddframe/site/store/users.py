"""Who may come in, and with which rights. Each change and its line in the log are one transaction."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from oddframe.errors import ConflictError, UnknownNameError, nearest
from oddframe.site.store.journal import note
from oddframe.site.store.models import SessionRow, TokenRow, UserRow
from oddframe.site.store.records import Role, User
from oddframe.site.store.shelf import Shelf


class Users(Shelf):
    """Who may come in. Passwords come here as hashes; how they are made is the business of who asks for them."""

    def add(self, name: str, password: str, role: Role, *, one_time: bool, author: str) -> User:
        """Let somebody come in; one who was removed is there again, with another password.

        Args:
            password: its hash. one_time: it has to be changed before anything else. author: who adds.

        Raises:
            ConflictError: there is one of this name.
        """
        with self._database.writing() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name)).first()
            if row is not None and row.removed_at is None:
                raise ConflictError(f"there is a user '{name}' already", hint="take another name")
            now = self._clock()
            if row is None:
                row = UserRow(name=name)
                session.add(row)
            row.password, row.role, row.one_time = password, role, one_time
            row.added_at = row.changed_at = now
            row.removed_at = None
            note(session, now, author, "added", f"user {name}", {"role": role})
            session.flush()
            return user_of(row)

    def all(self) -> list[User]:
        """All who may come in, by name."""
        query = select(UserRow).where(UserRow.removed_at.is_(None)).order_by(UserRow.name)
        with self._database.reading() as session:
            return [user_of(row) for row in session.scalars(query)]

    def password(self, name: str) -> tuple[User, str] | None:
        """A user and the hash of the password; None where there is none of this name."""
        with self._database.reading() as session:
            row = session.scalars(select(UserRow).where(UserRow.name == name, UserRow.removed_at.is_(None))).first()
            return None if row is None else (user_of(row), row.password)

    def change_password(
        self, name: str, password: str, *, one_time: bool, author: str, keep: str | None = None
    ) -> User:
        """Change a password, and end all sessions of its user.

        Args:
            password: its hash. one_time: it has to be changed before anything else. keep: id of a session that goes on.

        Raises:
            UnknownNameError: there is none of this name.
        """
        with self._database.writing() as session:
            row, now = user_row(session, name), self._clock()
            row.password, row.one_time, row.changed_at = password, one_time, now
            session.execute(delete(SessionRow).where(SessionRow.user_id == row.id, SessionRow.id != (keep or "")))
            note(session, now, author, "changed password", f"user {name}", {"one_time": one_time})
            return user_of(row)

    def rehash(self, name: str, before: str, password: str) -> None:
        """Keep the same password with another hash, where it was not changed in the meantime."""
        with self._database.writing() as session:
            session.execute(
                update(UserRow).where(UserRow.name == name, UserRow.password == before).values(password=password)
            )

    def set_role(self, name: str, role: Role, *, author: str) -> User:
        """Give somebody other rights, at once and also where they are logged in.

        Raises:
            UnknownNameError: there is none of this name.
            ConflictError: nobody would be admin any more.
        """
        with self._database.writing() as session:
            row = user_row(session, name)
            before = row.role
            if role != "admin":
                _keep_an_admin(session, row)
            if before != role:
                row.role = role
                note(session, self._clock(), author, "changed", f"user {name}", {"before": before, "after": role})
            return user_of(row)

    def remove(self, name: str, *, author: str) -> None:
        """Let somebody in no longer; sessions end, tokens are revoked, and what they said and did stays.

        Raises:
            UnknownNameError: there is none of this name.
            ConflictError: nobody would be admin any more.
        """
        with self._database.writing() as session:
            row, now = user_row(session, name), self._clock()
            _keep_an_admin(session, row)
            row.password, row.removed_at = "", now
            session.execute(delete(SessionRow).where(SessionRow.user_id == row.id))
            session.execute(
                update(TokenRow).where(TokenRow.user_id == row.id, TokenRow.revoked_at.is_(None)).values(revoked_at=now)
            )
            note(session, now, author, "removed", f"user {name}", {"role": row.role})


def user_of(row: UserRow) -> User:
    """A row as a record."""
    return User(
        id=row.id,
        name=row.name,
        role=row.role,  # type: ignore[arg-type]
        one_time=row.one_time,
        added_at=row.added_at,
        changed_at=row.changed_at,
        removed_at=row.removed_at,
    )


def user_row(session: Session, name: str) -> UserRow:
    """The row of a user who may come in.

    Raises:
        UnknownNameError: there is none of this name.
    """
    row = session.scalars(select(UserRow).where(UserRow.name == name, UserRow.removed_at.is_(None))).first()
    if row is None:
        known = session.scalars(select(UserRow.name).where(UserRow.removed_at.is_(None))).all()
        raise UnknownNameError(f"there is no user '{name}'", hint=nearest(name, known))
    return row


def _keep_an_admin(session: Session, row: UserRow) -> None:
    """Refuse to take the last admin away; two at once wait for each other."""
    admins = session.scalars(
        select(UserRow).where(UserRow.role == "admin", UserRow.removed_at.is_(None)).with_for_update()
    ).all()
    if [one.id for one in admins] == [row.id]:
        raise ConflictError(
            f"'{row.name}' is the only admin", wanted="at least one", hint="make somebody else admin first"
        )
