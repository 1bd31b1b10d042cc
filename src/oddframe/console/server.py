"""Serves the console from a thread, on an address of this computer; slow clients and too many of them are let go."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI

from oddframe.console.access.access import Access
from oddframe.console.app import make_app
from oddframe.console.connection import Connection, ProxiedConnection
from oddframe.console.running import RunningSite
from oddframe.console.settings import ConsoleSettings
from oddframe.errors import SettingsError, WorkerError

_BACKLOG = 256
_STOPS_WITHIN_S = 3
_STARTS_WITHIN_S = 30.0


class Console:
    """The console of a running site, from entering a `with` to leaving it.

    Args:
        site: that is served. settings: where it listens.

    Attributes:
        access: the door. settings: as given, with the port that was taken. app: what answers.

    Raises:
        SettingsError: the port is taken, or the address or certificate cannot be used.

    >>> with Console(serving, ConsoleSettings(port=0)) as console:                              # doctest: +SKIP
    ...     print(console.settings.url)
    """

    def __init__(self, site: RunningSite, settings: ConsoleSettings | None = None) -> None:
        self.settings, self.access = settings or ConsoleSettings(), Access(site.store)
        self._tls = _tls(self.settings)
        self._socket = _listen(self.settings)
        self.settings = self.settings.model_copy(update={"port": self._socket.getsockname()[1]})
        self.app: FastAPI = make_app(site, self.settings, self.access)
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        until_s = time.monotonic() + _STARTS_WITHIN_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until_s:
                self.__exit__(None, None, None)
                raise WorkerError("the console does not begin to answer", hint="the terminal or the log says why")
            time.sleep(0.01)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self.app.state.listeners.end()
        self._thread.join(_STOPS_WITHIN_S + 2)
        with contextlib.suppress(OSError):
            self._socket.close()

    def _config(self) -> uvicorn.Config:
        tls: dict[str, Any] = {}
        if self._tls is not None:
            tls["ssl_context_factory"] = lambda *_: self._tls
        return uvicorn.Config(
            self.app,
            http=ProxiedConnection if self.settings.behind_proxy else Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_STOPS_WITHIN_S,
            **tls,
        )

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


def _listen(settings: ConsoleSettings) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol: without one, asyncio does not know it for TCP and leaves Nagle's algorithm on, by which the
        # body of each answer waits 40 ms until the client has acknowledged the head.
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except OSError:
            listening.close()
            raise
        return listening
    except OSError as error:
        raise SettingsError(
            "the console cannot be opened",
            seen=f"{settings.host}, port {settings.port}: {error.strerror or error}",
            hint="name another one with --port or --host, or end the program that has it; --no-console goes without",
        ) from None


def _tls(settings: ConsoleSettings) -> ssl.SSLContext | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: b"")
    except (OSError, ValueError) as error:
        raise SettingsError(
            "the TLS certificate or its key cannot be used",
            path=f"{settings.tls_cert}, {settings.tls_key}",
            seen=getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error),
            wanted="two PEM files that belong together; the key without a password",
        ) from None
    return context
