"""Who asks, where a proxy stands in between."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class BehindProxy:
    """Takes the address of who asks from what the proxy has added last to X-Forwarded-For.

    What stands before it comes from who asks, who may have made it up: whoever changes it would be somebody else for
    the limits of logins each time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["scheme"] = "https"
            added = Headers(scope=scope).getlist("x-forwarded-for")
            last = added[-1].rpartition(",")[2].strip() if added else ""
            if (address := _address(last)) is not None:
                scope["client"] = (address, 0)
        await self._app(scope, receive, send)


def _address(text: str) -> str | None:
    """
    >>> _address("203.0.113.7"), _address("[2001:db8::1]:4711"), _address("203.0.113.7:80"), _address("unknown")
    ('203.0.113.7', '2001:db8::1', '203.0.113.7', None)
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
