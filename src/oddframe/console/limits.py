"""What a request may ask of us: how long its body may be, what host it may name, how many streams may be open."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Collection, Iterator

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oddframe.console.problems import Problem
from oddframe.errors import TooOftenError

BODY_BYTES = 256 * 1024
"""Of a request. A hundred polygons have a tenth of it."""


class BodyLimit:
    """Refuses a request whose body is longer than it may be, before more of it is read.

    Raises:
        HTTPException: 413, where the route is told of it.
    """

    def __init__(self, app: ASGIApp, *, most: int = BODY_BYTES) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced, taken = Headers(scope=scope).get("content-length", ""), 0

        async def receive_some() -> Message:
            nonlocal taken
            if announced.isdecimal() and int(announced) > self._most:
                self._refuse()
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                self._refuse()
            return message

        await self._app(scope, receive_some, send)

    def _refuse(self) -> None:
        raise HTTPException(
            413, f"the body of this request is too long: it may have {self._most:,} bytes", {"Connection": "close"}
        )


class KnownHosts:
    """Refuses requests that were sent to another name than ours: a page of somebody else's may have had its name
    resolved to this computer.

    Args:
        hosts: small letters, without a port; empty: any.
    """

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._hosts and _host(Headers(scope=scope).get("host", "")) not in self._hosts:
            problem = Problem(
                kind="HTTPError",
                problem="this console goes by another name",
                wanted=", ".join(sorted(self._hosts)),
                hint="open it by the address that it was started with",
            )
            await JSONResponse(problem.to_dict(), 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _host(given: str) -> str:
    """
    >>> _host("Localhost:8470"), _host("[::1]:8470"), _host("127.0.0.1")
    ('localhost', '::1', '127.0.0.1')
    """
    if given.startswith("["):
        return given[1:].partition("]")[0].lower()
    return given.partition(":")[0].lower()


class Places:
    """So many may be in at the same time, and so many of each name: for streams, which stay open.

    >>> places = Places(2, each=1)
    >>> with places.take("ann"), places.take("bob"):
    ...     places.taken
    2
    """

    def __init__(self, most: int, *, each: int) -> None:
        self._most, self._each = most, each
        self._lock, self._of = threading.Lock(), Counter[str]()

    @property
    def taken(self) -> int:
        """How many are in."""
        with self._lock:
            return self._of.total()

    @contextlib.contextmanager
    def take(self, name: str) -> Iterator[None]:
        """A place, for as long as the block lasts.

        Raises:
            TooOftenError: all are taken, or all that one may have.
        """
        self.enter(name)
        try:
            yield
        finally:
            self.leave(name)

    def enter(self, name: str) -> None:
        """Take a place; `leave` gives it back.

        Raises:
            TooOftenError: as `take`.
        """
        with self._lock:
            mine = self._of[name] >= self._each
            if mine or self._of.total() >= self._most:
                raise TooOftenError(
                    f"'{name}' has too many streams open" if mine else "too many streams are open",
                    after_s=10.0,
                    wanted=f"up to {self._each if mine else self._most}",
                    hint="close some pages of the console",
                )
            self._of[name] += 1

    def leave(self, name: str) -> None:
        """Give a place back."""
        with self._lock:
            self._of[name] -= 1
            if self._of[name] <= 0:
                del self._of[name]
