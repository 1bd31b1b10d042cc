"""One connection of a client, which is let go where it takes too long, or where there are too many.

Whoever sends a request letter by letter, or never reads what it asked for, would otherwise hold a place for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S, BODY_S, STALLED_S = 10.0, 30.0, 60.0
"""So long a client may take to send the head of a request, its body, and to take some of an answer."""

MOST, EACH = 512, 128
"""Connections at the same time, of all and of one address. More are closed at once."""


class Connection(H11Protocol):
    """Uvicorn's connection, with patience that ends.

    Attributes:
        by_address: whether the address of who connects is that of who asks. Behind a proxy all have the proxy's.
    """

    by_address = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: asyncio.TimerHandle | None = None
        self._read: object = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio."""
        super().connection_made(transport)
        if len(self.connections) > MOST or (self.by_address and self._of_this_address() > EACH):
            transport.abort()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """See uvicorn: a client that has sent the next request already is watched as well."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """See asyncio: the client does not take what it asked for."""
        super().pause_writing()
        self._writing = self.loop.call_later(STALLED_S, self._give_up)

    def resume_writing(self) -> None:
        """See asyncio."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        for timer in (self._reading, self._writing):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _of_this_address(self) -> int:
        addresses = [one.client and one.client[0] for one in self.connections if isinstance(one, Connection)]
        return addresses.count(self.client and self.client[0])

    def _watch(self) -> None:
        """Give the client time for the part of the request that it is at; a letter more does not prolong it."""
        state = self.conn.their_state
        if state is self._read and self._reading is not None:
            return
        self._read = state
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if state is h11.IDLE and self.timeout_keep_alive_task is None:
            self._reading = self.loop.call_later(HEAD_S, self._give_up)
        elif state is h11.SEND_BODY:
            self._reading = self.loop.call_later(BODY_S, self._give_up)

    def _give_up(self) -> None:
        self.transport.abort()


class ProxiedConnection(Connection):
    """A connection of a proxy, which speaks for everybody."""

    by_address = False
