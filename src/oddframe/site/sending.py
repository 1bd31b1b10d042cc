"""Which sinks are sent to: as the store has it, followed while it changes."""

from __future__ import annotations

import logging
from importlib.metadata import version
from pathlib import Path

from oddframe.errors import OddframeError
from oddframe.site.outbox import Delivery
from oddframe.site.sinks.kinds import open_sink
from oddframe.site.sinks.sink import Sink
from oddframe.site.store import Store
from oddframe.site.store.records import SinkRecord
from oddframe.site.store.shelf import SITE_NAME

_LOG = logging.getLogger(__name__)


class Sending:
    """Has a delivery send to the sinks of a store; `look` again and again. For one thread.

    Args:
        store: with its key. delivery: which sends.

    Attributes:
        problems: sink → why it cannot be sent to at all.
    """

    def __init__(self, store: Store, delivery: Delivery) -> None:
        self._store, self._delivery = store, delivery
        self._known: tuple[str, dict[str, SinkRecord]] | None = None
        self._sinks: dict[str, Sink] = {}
        self.problems: dict[str, str] = {}

    def look(self) -> None:
        """Do what has changed in the store since the last call. A sink that cannot be opened harms no other.

        Raises:
            StoreError: the store cannot be read. SecretsError: its key file is not the one.
        """
        site = str((self._store.journal.get(SITE_NAME) or {}).get("name", "oddframe"))
        records = {one.name: one for one in self._store.sinks.all() if one.enabled}
        if self._known == (site, records):
            return
        before = self._known[1] if self._known is not None and self._known[0] == site else {}
        sinks, problems = {}, {}
        for name, record in records.items():
            if name in self._sinks and before.get(name) == record:
                sinks[name] = self._sinks[name]
                continue
            try:
                sinks[name] = self._opened(record, site)
            except OddframeError as error:
                problems[name] = error.in_one_line()
                _LOG.error("sink '%s' cannot be sent to: %s", name, problems[name])
        self._known, self._sinks, self.problems = (site, records), sinks, problems
        self._delivery.set(sinks)

    def rest(self) -> None:
        """Send to no sink, as another machine does; the next `look` begins anew."""
        if self._known is not None:
            self._known, self._sinks, self.problems = None, {}, {}
            self._delivery.set({})

    def _opened(self, record: SinkRecord, site: str) -> Sink:
        return open_sink(
            record,
            site=site,
            version=version("oddframe"),
            cameras=lambda: [camera.name for camera in self._store.cameras.all()],
            pictures=self._picture,
        )

    def _picture(self, event: str) -> Path | None:
        return self._store.picture(event)
