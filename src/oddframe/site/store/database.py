"""One database, by its URL: how transactions begin, and what its errors mean."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.orm import Session

from oddframe.errors import MissingExtraError, OddframeError, SettingsError, StorageError, StoreError

BUSY_S = 10.0
"""So long a transaction waits for that of another process. The longest of ours takes some milliseconds."""

STALLS_S = 30.0
"""After so long without an answer a server is taken for gone."""

_DRIVERS = {"postgresql": "postgresql+psycopg"}
_ALONE = 0x6F6464  # any number, the same one for all


class Database:
    """Opens transactions on one database; for many threads.

    Args:
        url: as SQLAlchemy takes them, "sqlite:////srv/site/site.db". busy_s, stalls_s: see `BUSY_S` and `STALLS_S`.

    Raises:
        SettingsError: it is no URL of a database, or of a kind that is not known.
        MissingExtraError: the driver of the database is not installed.
    """

    def __init__(self, url: str, *, busy_s: float = BUSY_S, stalls_s: float = STALLS_S) -> None:
        parsed = _parsed(url)
        self.masked = parsed.render_as_string(hide_password=True).partition("?")[0]
        """The URL for people to see."""
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": busy_s}}
        if not self.is_sqlite:
            options = _patient(parsed, busy_s, stalls_s)
        try:
            self.engine: Engine = sqlalchemy.create_engine(parsed, hide_parameters=True, **options)
        except NoSuchModuleError:
            raise SettingsError(
                "this kind of database is not known", seen=parsed.drivername, wanted="sqlite, postgresql"
            ) from None
        except ModuleNotFoundError:
            raise MissingExtraError(f"a database of the kind {parsed.drivername}", "postgresql") from None
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)
        self._writer = self.engine.execution_options(writes=True)
        self._together = threading.local()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that sees one moment of the database.

        Raises:
            StoreError, StorageError: see `errors`.
        """
        if (joined := self._joined) is not None:
            with self.errors():
                yield joined
            return
        with self.errors(), Session(self.engine) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is kept whole if the block ends, and not at all if it fails.

        Raises:
            StoreError, StorageError: see `errors`.
        """
        if (joined := self._joined) is not None:
            with self.errors():
                yield joined
                joined.flush()
            return
        with self.errors(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """All that this thread reads and writes in the block is one transaction: kept whole if it ends, and not at all
        if it fails. Whoever catches an error of a step within it must let it out.

        Raises:
            StoreError, StorageError: see `errors`.
        """
        if self._joined is not None:
            yield
            return
        with self.writing() as session:
            self._together.session = session
            try:
                yield
            finally:
                self._together.session = None

    @property
    def _joined(self) -> Session | None:
        """The transaction of this thread that the next step joins."""
        found: Session | None = getattr(self._together, "session", None)
        return found

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection within a transaction that writes, for migrations."""
        with self.errors(), self._writer.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """A block that no two processes are in at the same time. SQLite's have the lock of their folder.

        Raises:
            StoreError: another process does not come out of it.
        """
        if self.is_sqlite:
            yield
            return
        with self.connection() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ALONE})")
            yield

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Say in words what the database says in its own.

        Raises:
            StoreError: it is locked, damaged, or cannot be reached.
            StorageError: the disk is full, or cannot be written.
        """
        try:
            yield
        except DatabaseError as error:
            told = self._in_words(error)
            if told is None:
                raise
            raise told from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _in_words(self, error: DatabaseError) -> OddframeError | None:
        """The error that a person can mend; None for one of ours."""
        seen = " ".join(str(error.orig).split("\n")[0].split())[:200]
        problem, what, hint = next(
            (found for words, found in _MEANINGS if words in seen.lower()),
            ("", None, ""),
        )
        if what is not None:
            return what(problem, path=self.masked, seen=seen, hint=hint)
        unreachable = not self.is_sqlite and isinstance(error, sqlalchemy.exc.OperationalError)
        if unreachable:
            return StoreError(
                "the site's database cannot be reached",
                path=self.masked,
                seen=seen,
                hint="start it, or mend its address, user or password",
            )
        return None


_MEANINGS: tuple[tuple[str, tuple[str, type[OddframeError], str]], ...] = (
    ("database is locked", ("the site's database is locked", StoreError, "another program writes to it: end that one")),
    (
        "lock timeout",
        ("the site's database is locked", StoreError, "another program holds what is to be written: end that one"),
    ),
    (
        "disk is full",
        (
            "the site's database cannot be written: the disk is full",
            StorageError,
            "free some space; what was stored before is kept",
        ),
    ),
    (
        "readonly database",
        ("the site's database cannot be written", StorageError, "make the file and its folder writable"),
    ),
    (
        "unable to open database file",
        ("the site's database cannot be opened", StorageError, "make its folder, and make it writable"),
    ),
    ("disk i/o error", ("the site's database cannot be written", StorageError, "look at the disk")),
    (
        "not a database",
        ("the site's database is damaged, or is none", StoreError, "put a copy back, or name another file"),
    ),
    ("malformed", ("the site's database is damaged", StoreError, "put a copy back, or name another file")),
)


def _patient(url: URL, busy_s: float, stalls_s: float) -> dict[str, Any]:
    """How a server is talked to: one that is gone, or locked, keeps nobody waiting for ever. What the URL says counts.

    Without these a thread would wait for minutes for a server whose machine was switched off.
    """
    wanted = {
        "connect_timeout": round(min(10.0, stalls_s)),
        "tcp_user_timeout": round(1000 * stalls_s),
        "options": f"-c lock_timeout={round(1000 * busy_s)}",
    }
    known = wanted if url.get_backend_name() == "postgresql" else {}
    return {"pool_pre_ping": True, "connect_args": {name: how for name, how in known.items() if name not in url.query}}


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(
            "this is no address of a database", wanted="for example postgresql://user:password@host/oddframe"
        ) from None
    return parsed.set(drivername=_DRIVERS.get(parsed.drivername, parsed.drivername))


def _prepare(connection: Any, _: object) -> None:
    """Set up a new connection to SQLite: transactions are begun by us, and what is committed outlives a power cut."""
    connection.isolation_level = None
    for words in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "journal_size_limit=67108864"):
        connection.execute(f"PRAGMA {words}").close()


def _begin(connection: Connection) -> None:
    """Who is going to write takes the lock at once: one that has read first could not wait for it."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
