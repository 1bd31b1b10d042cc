"""A message a POST, signed, to an address over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from oddframe.errors import SinkError
from oddframe.site.messages import AnyMessage, as_sent
from oddframe.site.sinks.sink import Sink, keep_quiet, masked_url, without_secrets

TIMESTAMP, SIGNATURE, KEY = "X-Oddframe-Timestamp", "X-Oddframe-Signature", "Idempotency-Key"

_LATER = frozenset({408, 425, 429})
"""Answers below 500 that ask to try again."""

keep_quiet("httpx", "httpcore")


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in the header of that name: HMAC-SHA256 over timestamp, a dot and body.

    Whoever gets a message makes it anew, compares both, and refuses what is older than some minutes.

    >>> signature("secret", "1764504000", b"{}")[:24]
    'sha256=72c3e725bbc862e27'
    """
    made = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={made.hexdigest()}"


class WebhookSink(Sink):
    """Posts a message; any answer of 2xx says that it has arrived.

    Args:
        url: http or https; a user and a password in it become basic authentication.
        secret: with which messages are signed; None leaves that out.
        timeout_s: for the connection, and for each wait for the answer.
    """

    def __init__(
        self,
        name: str,
        url: SecretStr,
        secret: SecretStr | None = None,
        *,
        timeout_s: float = 10.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name, masked_url(url.get_secret_value()))
        self._url, self._secret, self._clock = url, secret, clock
        self._client = httpx.Client(timeout=timeout_s, follow_redirects=False)

    def send(self, message: AnyMessage) -> None:
        body, stamp = as_sent(message).encode(), str(int(self._clock()))
        headers = {"Content-Type": "application/json", "User-Agent": "oddframe", KEY: message.key, TIMESTAMP: stamp}
        if self._secret is not None:
            headers[SIGNATURE] = signature(self._secret.get_secret_value(), stamp, body)
        self._ask("POST", content=body, headers=headers)

    def check(self) -> None:
        """An answer of any kind but 5xx will do: the address may be for POST alone."""
        try:
            self._ask("HEAD")
        except SinkError as error:
            if error.again:
                raise

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, **what: object) -> None:
        """Send a request; of the answer nothing but its head is read."""
        try:
            with self._client.stream(method, self._url.get_secret_value(), **what) as answer:  # type: ignore[arg-type]
                code, headers = answer.status_code, answer.headers
        except httpx.TimeoutException:
            raise self._unreached(f"no answer within {self._client.timeout.read:g} s") from None
        except httpx.TransportError as error:
            why = without_secrets(" ".join(str(error).split())[:200], self._url.get_secret_value())
            raise self._unreached(f"{type(error).__name__}: {why}") from None
        if 200 <= code < 300:
            return
        if code >= 500 or code in _LATER:
            raise self._put_off(f"it answered {code}", _seconds(headers.get("Retry-After")))
        if 300 <= code < 400:
            there = urlsplit(headers.get("Location", "")).netloc.rpartition("@")[2]
            raise self._refused(f"it answered {code}: go to {there or 'elsewhere'}", "give the sink that address")
        raise self._refused(f"it answered {code}", "look at the sink's address, and at what it expects")


def _seconds(retry_after: str | None) -> float | None:
    """The header in seconds; None where there is none, or a date."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
