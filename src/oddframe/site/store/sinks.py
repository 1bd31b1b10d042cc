"""Where events are sent, as the store keeps it."""

from __future__ import annotations

import json

from pydantic import SecretStr
from sqlalchemy import delete, select

from oddframe.errors import UnknownNameError, nearest
from oddframe.site.secrets import Vault
from oddframe.site.store.cameras import opened
from oddframe.site.store.database import Database
from oddframe.site.store.models import OutboxRow, SinkRow
from oddframe.site.store.records import SinkRecord
from oddframe.site.store.shelf import Clock, Shelf


class Sinks(Shelf):
    """Where events are sent."""

    def __init__(self, database: Database, clock: Clock, vault: Vault | None) -> None:
        super().__init__(database, clock)
        self._vault = vault

    def put(self, sink: SinkRecord) -> None:
        """Add a sink, or change the one of this name; what waits for it goes to where it is then."""
        with self._database.writing() as session:
            row = session.scalars(select(SinkRow).where(SinkRow.name == sink.name)).first()
            if row is None:
                row = SinkRow(name=sink.name)
                session.add(row)
            row.kind, row.masked, row.enabled = sink.kind, sink.masked, sink.enabled
            secret = None if sink.secret is None else sink.secret.get_secret_value()
            row.url = opened(self._vault).lock(json.dumps([sink.url.get_secret_value(), secret]))
            row.settings, row.sends, row.of_file = dict(sink.settings), list(sink.sends), sink.of_file
            row.cameras = None if sink.cameras is None else list(sink.cameras)

    def remove(self, name: str) -> None:
        """Send nothing there any more, and forget what waits for it.

        Raises:
            UnknownNameError: there is none of this name.
        """
        with self._database.writing() as session:
            row = session.scalars(select(SinkRow).where(SinkRow.name == name)).first()
            if row is None:
                raise UnknownNameError(
                    f"there is no sink '{name}'", hint=nearest(name, session.scalars(select(SinkRow.name)).all())
                )
            session.execute(delete(OutboxRow).where(OutboxRow.sink_id == row.id))
            session.delete(row)

    def all(self) -> list[SinkRecord]:
        """All sinks, by name.

        Raises:
            SecretsError: the key file is not the one with which they were locked.
        """
        vault = opened(self._vault)
        with self._database.reading() as session:
            return [_record(row, vault) for row in session.scalars(select(SinkRow).order_by(SinkRow.name))]


def _record(row: SinkRow, vault: Vault) -> SinkRecord:
    url, secret = json.loads(vault.unlock(row.url))
    return SinkRecord(
        name=row.name,
        kind=row.kind,
        url=SecretStr(url),
        secret=None if secret is None else SecretStr(secret),
        masked=row.masked,
        settings=row.settings,
        sends=tuple(row.sends),
        cameras=None if row.cameras is None else tuple(row.cameras),
        enabled=row.enabled,
        of_file=row.of_file,
    )
