"""Opens the store of a site."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from oddframe.errors import SecretsError, StorageError, StoreError
from oddframe.files import HeldElsewhereError, lock
from oddframe.site.events import CameraEvent
from oddframe.site.secrets import Vault
from oddframe.site.store.cameras import Cameras
from oddframe.site.store.database import BUSY_S, STALLS_S, Database
from oddframe.site.store.events import Events
from oddframe.site.store.evidence import EvidenceFiles
from oddframe.site.store.journal import Journal
from oddframe.site.store.leases import Leases
from oddframe.site.store.migrate import migrate, require_newest
from oddframe.site.store.outbox import Outbox
from oddframe.site.store.places import Places
from oddframe.site.store.reviews import Reviews
from oddframe.site.store.sessions import Sessions
from oddframe.site.store.shelf import Clock, utc_now
from oddframe.site.store.sinks import Sinks
from oddframe.site.store.tokens import Tokens
from oddframe.site.store.users import Users
from oddframe.site.store.watching import Health, Watched

DATABASE, KEY, LOCK = "site.db", "site.key", "site.lock"
"""Files in a site's folder."""

_PROOF = "key"
"""The setting of a shared database that opens with the site's key alone."""

SNAPSHOT = "snapshot"
"""The kind of evidence that is sent along with messages: one picture, a JPEG."""


class Store:
    """All that a site keeps. For many threads; other processes may `join` it.

    Attributes:
        folder: of the site. cameras, events, reviews, evidence, health, watched, sinks, outbox, journal, users,
            sessions, tokens, leases: its parts.
        shared: whether several machines may have it open, each with its `leases`.
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
        self.folder, self.recovered, self.shared = folder, list[CameraEvent](), not database.is_sqlite
        self.cameras = Cameras(database, clock, vault, Places(folder if self.shared else None))
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
        self.leases = Leases(database, clock)
        self._database, self._held = database, held

    @classmethod
    def open(cls, folder: Path, url: str | None = None, *, clock: Clock = utc_now, busy_s: float = BUSY_S) -> Self:
        """Open the store of a site, make or migrate its database, and end the events that a crash has left open.

        A database in the folder is of one process. One on a server is of all machines that have the same folder; there
        no events are ended, since another machine may follow them.

        Args:
            folder: of the site; it is made if it is not there, so that its owner alone can read it.
            url: of another database than the one in the folder, as SQLAlchemy takes it.
            busy_s: so long a transaction waits for one of another process.

        Raises:
            StoreError: another site works in this folder, or the database is of a newer version, locked, damaged, not
                one of a site, or out of reach.
            StorageError: the disk is full, or cannot be written.
            SecretsError: the key file can be read by others, or holds no key, or is not the one of the database.
            SettingsError: the URL is none.
        """
        with contextlib.ExitStack() as held:
            database = _database(folder, url, busy_s, held)
            if not database.is_sqlite:
                with database.alone():
                    migrate(database)
                    vault = _vault_of(database, folder, clock)
                return cls(folder, database, vault, clock, held.pop_all())
            _make(folder)
            try:
                held.enter_context(lock(folder / LOCK, wait=False))
            except HeldElsewhereError:
                raise StoreError(
                    "another site works in this folder", path=folder, hint="end it first, or name another folder"
                ) from None
            vault = Vault.open(folder / KEY)
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
        stalls_s: float = STALLS_S,
    ) -> Self:
        """Open the store beside the process that has it open; nothing is migrated or recovered.

        Args:
            secrets: with the key file, for addresses and sinks. busy_s, stalls_s: see `Database`.

        Raises: as `open`, but for another site.
        """
        with contextlib.ExitStack() as held:
            vault = Vault.open(folder / KEY, make=False) if secrets else None
            database = _database(folder, url, busy_s, held, stalls_s)
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


def _database(
    folder: Path, url: str | None, busy_s: float, held: contextlib.ExitStack, stalls_s: float = STALLS_S
) -> Database:
    database = Database(url or f"sqlite:///{folder.resolve() / DATABASE}", busy_s=busy_s, stalls_s=stalls_s)
    held.callback(database.close)
    return database


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, "the site's folder cannot be made", folder) from None


def _vault_of(database: Database, folder: Path, clock: Clock) -> Vault:
    """The vault of the folder that belongs to a database on a server; of an empty database it is this one from now on.

    Raises:
        SecretsError: the folder is another one. StorageError: it cannot be made.
    """
    journal = Journal(database, clock)
    proof = journal.get(_PROOF)
    if proof is None:
        _make(folder)
        vault = Vault.open(folder / KEY)
        journal.set(_PROOF, {"locked": vault.lock(_PROOF)})
        return vault
    there = (folder / KEY).exists()
    if there:
        vault = Vault.open(folder / KEY, make=False)
        with contextlib.suppress(SecretsError):
            if vault.unlock(str(proof["locked"])) == _PROOF:
                return vault
    raise SecretsError(
        "this is not the folder of the site that is in the database",
        path=folder,
        seen=f"a {KEY} of another site" if there else f"no {KEY}",
        wanted=f"the folder that the site's other machines work in, with its {KEY}",
        hint="mount it here and name it; only where its key is lost, DELETE FROM settings WHERE name = 'key' lets "
        "another key in, and addresses have to be entered again",
    )
