"""Brings a database to this version's tables, step by step."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from oddframe.errors import StoreError
from oddframe.site.store.database import Database

_STEPS = Path(__file__).parent / "migrations"


@cache
def _scripts() -> ScriptDirectory:
    """The steps, which are read once: each is a file, and every verb of a site asks for the newest."""
    return ScriptDirectory(str(_STEPS))


def newest() -> str:
    """The version that this program writes."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def migrate(database: Database) -> None:
    """Bring the database to the newest version, in one transaction.

    Raises:
        StoreError: it is of a newer version, is not a site's, is locked or damaged, or cannot be reached.
        StorageError: it cannot be written.
    """
    with database.errors(), database.engine.connect() as connection:
        if _current(connection, database) == newest():
            return
    with database.connection() as connection:
        _current(connection, database)
        config = Config()
        config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_newest(database: Database) -> None:
    """Refuse a database of another version than this program's.

    Raises:
        StoreError: it is older or newer, is not a site's, or cannot be read.
    """
    with database.errors(), database.engine.connect() as connection:
        if (seen := _current(connection, database)) != newest():
            raise StoreError(
                "the site's database is of an older version", path=database.masked, seen=seen, wanted=newest()
            )


def _current(connection: Connection, database: Database) -> str | None:
    """The version of a database; None for an empty one."""
    tables = sqlalchemy.inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(
                "this database is not one of a site",
                path=database.masked,
                seen=f"a table '{sorted(tables)[0]}'",
                hint="name another database, or an empty one",
            )
        return None
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return None
    try:
        _scripts().get_revision(current)
    except CommandError:
        raise StoreError(
            "the site's database is of a newer version than this program",
            path=database.masked,
            seen=current,
            wanted=f"{newest()} or older",
            hint="update oddframe, or put back the copy of before its update",
        ) from None
    return current
