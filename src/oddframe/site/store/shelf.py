"""What all parts of the store share: the database, the clock, and cameras by their names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from oddframe.errors import UnknownNameError, nearest
from oddframe.site.store.database import Database
from oddframe.site.store.models import Camera, FormerName, Setting

Clock = Callable[[], datetime]

SITE_NAME = "site"
"""The setting that names the site."""


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


class Shelf:
    """A part of the store. Its methods are transactions of their own, and can be called from any thread.

    All of them raise `StoreError` where the database is locked, damaged or out of reach, and `StorageError` where the
    disk is full or cannot be written; nothing is half done then.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock


def camera_id(session: Session, name: str) -> int:
    """The number of a camera, by its name, or by one that it had before.

    Raises:
        UnknownNameError: there is none of this name.
    """
    found = session.scalar(select(Camera.id).where(Camera.name == name))
    if found is None:
        found = session.scalar(select(FormerName.camera_id).where(FormerName.name == name))
    if found is None:
        known = session.scalars(select(Camera.name).where(Camera.removed_at.is_(None))).all()
        raise UnknownNameError(f"there is no camera '{name}'", hint=nearest(name, known))
    return found


def camera_ids(session: Session, names: tuple[str, ...]) -> list[int]:
    """The numbers of cameras; names that are not there are left out."""
    return list(session.scalars(select(Camera.id).where(Camera.name.in_(names))))


def site_name(session: Session) -> str:
    """What the site is called."""
    row = session.get(Setting, SITE_NAME)
    return "oddframe" if row is None else str(row.value["name"])
