"""Opens the store of a site."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from oddframe.errors import StorageError, StoreError
from oddframe.files import HeldElsewhereError, lock
from oddframe.site.events import CameraEvent
from oddframe.site.secrets import Vault
from oddframe.site.store.cameras import Cameras
from oddframe.site.store.database import BUSY_S, Database
from oddframe.site.store.events import Events
from oddframe.site.store.evidence import EvidenceFiles
from oddframe.site.store.journal import Journal
from oddframe.site.store.migrate import migrate, require_newest
from oddframe.site.store.outbox import Outbox
from oddframe.site.store.reviews import Reviews
from oddframe.site.store.sessions import Sessions
from oddframe.site.store.shelf import Clock, utc_now
from oddframe.site.store.sinks import Sinks
from oddframe.site.store.tokens import Tokens
from oddframe.site.store.users import Users
from oddframe.site.store.watching import Health, Watched

DATABASE, KEY, LOCK = "site.db", "site.key", "site.lock"
"""Files in a site's folder."""

SNAPSHOT = "snapshot"
"""The kind of evidence that is sent along with messages: one picture, a JPEG."""


class Store:
    """All that a site keeps. For many threads; other processes may `join` it.

    Attributes:
        folder: of the site. cameras, events, reviews, evidence, health, watched, sinks, outbox, journal, users,
            sessions, tokens: its parts.
        recovered: events that were open when it was opened, since whoever followed them is no more. They are ended.

    >>> import tempfile
    >>> with Store.open(Path(tempfile.mkdtemp())) as store:
    ...     _ = store.cameras.put("gate", "rtsp://me:secret@10.0.0.2/live", "rtsp://10.0.0.2/…")
    ...     store.cameras.get("gate").masked, store.events.open()
    ('rtsp://10.0.0.2/…', [])
    """

    def __init__(
        self, folder: Path, database: Database, vault: Vault | None, clock: Clock, held: contextlib.ExitStack
    ) -> None:
        self.folder, self.recovered = folder, list[CameraEvent]()
        self.cameras = Cameras(database, clock, vault)
        self.events = Events(database, clock)
        self.reviews = Reviews(database, clock)
        self.evidence = EvidenceFiles(database, clock)
        self.health = Health(database, clock)
        self.watched = Watched(database, clock)
        self.sinks = Sinks(database, clock, vault)
        self.outbox = Outbox(database, clock)
        self.journal = Journal(database, clock)
        self.users = Users(database, clock)
        self.sessions = Sessions(database, clock)
        self.tokens = Tokens(database, clock)
        self._database, self._held = database, held

    @classmethod
    def open(cls, folder: Path, url: str | None = None, *, clock: Clock = utc_now, busy_s: float = BUSY_S) -> Self:
        """Open the store of a site, make or migrate its database, and end the events that a crash has left open.

        Args:
            folder: of the site; it is made if it is not there, so that its owner alone can read it.
            url: of another database than the one in the folder, as SQLAlchemy takes it.
            busy_s: so long a transaction waits for one of another process.

        Raises:
            StoreError: another site works in this folder, or the database is of a newer version, locked, damaged, not
                one of a site, or out of reach.
            StorageError: the disk is full, or cannot be written.
            SecretsError: the key file can be read by others, or holds no key.
            SettingsError: the URL is none.
        """
        with contextlib.ExitStack() as held:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError.of(error, "the site's folder cannot be made", folder) from None
            try:
                held.enter_context(lock(folder / LOCK, wait=False))
            except HeldElsewhereError:
                raise StoreError(
                    "another site works in this folder", path=folder, hint="end it first, or name another folder"
                ) from None
            vault = Vault.open(folder / KEY)
            database = _database(folder, url, busy_s, held)
            migrate(database)
            store = cls(folder, database, vault, clock, held.pop_all())
        try:
            store.recovered = store.events.recover()
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def join(
        cls,
        folder: Path,
        url: str | None = None,
        *,
        secrets: bool = False,
        clock: Clock = utc_now,
        busy_s: float = BUSY_S,
    ) -> Self:
        """Open the store beside the process that has it open; nothing is migrated or recovered.

        Args:
            secrets: with the key file, for addresses and sinks.

        Raises: as `open`, but for another site.
        """
        with contextlib.ExitStack() as held:
            vault = Vault.open(folder / KEY, make=False) if secrets else None
            database = _database(folder, url, busy_s, held)
            require_newest(database)
            return cls(folder, database, vault, clock, held.pop_all())

    def together(self) -> contextlib.AbstractContextManager[None]:
        """A block in which all that this thread reads and writes is one transaction, kept whole or not at all."""
        return self._database.together()

    def picture(self, event: str) -> Path | None:
        """The snapshot of an event; None where there is none."""
        found = [one for one in self.evidence.of(event) if one.kind == SNAPSHOT]
        return self.folder / found[0].path if found else None

    def close(self) -> None:
        """Let go of the database and of the folder."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Store of {self.folder}: {self._database.masked}>"


def _database(folder: Path, url: str | None, busy_s: float, held: contextlib.ExitStack) -> Database:
    database = Database(url or f"sqlite:///{folder.resolve() / DATABASE}", busy_s=busy_s)
    held.callback(database.close)
    return database
