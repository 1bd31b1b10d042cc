"""Messages to people, over all that apprise reaches: mail, Telegram, Slack, Matrix, ntfy and many more."""

from __future__ import annotations

import contextlib
import io
import logging
import threading
from collections.abc import Iterator

import apprise
from pydantic import SecretStr

from oddframe.errors import SettingsError
from oddframe.site.messages import AnyMessage, EventMessage
from oddframe.site.sinks.sink import Pictures, Sink, keep_quiet, without_secrets
from oddframe.site.sinks.words import in_words

keep_quiet("urllib3", "requests", "requests_oauthlib")

_LOGGER = logging.getLogger("apprise")
_LOGGER.setLevel(logging.WARNING)  # below that it names addresses, and it may elsewhere
_LOGGER.propagate = False

_SEEN_LETTERS = 200


class AppriseSink(Sink):
    """Sends a message in words, with the snapshot where there is one.

    Args:
        url: as apprise takes it, "tgram://TOKEN/CHAT".

    Raises:
        SettingsError: apprise knows no such address.
    """

    def __init__(self, name: str, url: SecretStr, pictures: Pictures) -> None:
        super().__init__(name, masked_notify(url.get_secret_value()))
        self._url, self._pictures = url, pictures
        service = apprise.Apprise.instantiate(url.get_secret_value())
        if service is None:
            raise SettingsError(
                f"sink '{name}' has no address that apprise knows",
                seen=self.masked,
                wanted="one as in its documentation, for example tgram://TOKEN/CHAT or mailto://user:password@host",
            )
        self._service = service

    def send(self, message: AnyMessage) -> None:
        title, text = in_words(message)
        picture = self._pictures(message.event.id) if isinstance(message, EventMessage) else None
        with _warnings() as said:
            arrived = self._service.notify(title=title, body=text, attach=None if picture is None else str(picture))
        if not arrived:
            lines = without_secrets(said.getvalue(), self._url.get_secret_value()).split("\n")
            raise self._put_off((" ".join(lines).strip() or "apprise did not say why")[:_SEEN_LETTERS])

    def check(self) -> None:
        """There is no way to try it but to send something; that the address is right was seen when it was made."""


def masked_notify(url: str) -> str:
    """An address of apprise for people to see: its kind alone, since the host may be a token.

    >>> masked_notify("tgram://123:abc/chat")
    'tgram://…'
    """
    return f"{url.partition(':')[0]}://…"


@contextlib.contextmanager
def _warnings() -> Iterator[io.StringIO]:
    """What apprise warns of in this thread."""
    said, thread = io.StringIO(), threading.get_ident()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: record.thread == thread)
    _LOGGER.addHandler(handler)
    try:
        yield said
    finally:
        _LOGGER.removeHandler(handler)
