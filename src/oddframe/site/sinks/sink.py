"""What all sinks have in common."""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from oddframe.errors import SinkError
from oddframe.site.messages import AnyMessage

Pictures = Callable[[str], Path | None]
"""Event → its snapshot (JPEG); None where there is none, or none yet."""

Cameras = Callable[[], Sequence[str]]
"""The names of all cameras that are watched."""

_SHORTEST_SECRET = 4


class Sink(ABC):
    """A place where messages are sent. All calls come from one thread.

    Args:
        name: its name. masked: where it is, for people to see.
    """

    def __init__(self, name: str, masked: str) -> None:
        self.name, self.masked = name, masked

    @abstractmethod
    def send(self, message: AnyMessage) -> None:
        """Send a message; it has arrived when this returns.

        Raises:
            SinkError: it has not, as far as is known; `again` says whether it may if it is sent later.
        """

    @abstractmethod
    def check(self) -> None:
        """Try whether the sink can be reached, and send nothing that anybody would take for an event.

        Raises:
            SinkError: it cannot.
        """

    def tick(self) -> bool:
        """Do what is to be done between messages; it is called about once a second.

        Returns:
            whether it is known that the sink can be reached.
        """
        return False

    def close(self) -> None:  # noqa: B027  most have nothing to let go of
        """Let go of connections."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.masked}>"

    def _unreached(self, why: str) -> SinkError:
        return SinkError(f"sink '{self.name}' was not reached", path=self.masked, seen=why, again=True, reached=False)

    def _put_off(self, why: str, after_s: float | None = None) -> SinkError:
        return SinkError(
            f"sink '{self.name}' did not take a message", path=self.masked, seen=why, again=True, after_s=after_s
        )

    def _refused(self, why: str, hint: str | None = None) -> SinkError:
        return SinkError(f"sink '{self.name}' refused a message", path=self.masked, seen=why, hint=hint, again=False)


def without_secrets(text: str, *secrets: str) -> str:
    """A text of somebody else's, without any part of an address or password.

    >>> without_secrets("no answer from /T0AB/b1Cd", "https://hooks.example.org/T0AB/b1Cd?key=abcd")
    'no answer from /***/***'
    """
    found = set()
    for secret in secrets:
        parts = re.split(r"[/:@?&=#\s,+]+", secret)
        found |= {form for part in parts for form in (part, unquote(part)) if len(form) >= _SHORTEST_SECRET}
    found -= {"http", "https", "mqtt", "mqtts"}
    for part in sorted(found, key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def masked_url(url: str) -> str:
    """A URL for people to see: scheme, host and port. Users, paths and queries may be secret.

    >>> masked_url("https://me:secret@hooks.example.org:8443/T0AB?key=1"), masked_url("mqtt://broker")
    ('https://hooks.example.org:8443/…', 'mqtt://broker')
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{'/…' if parts.path.strip('/') or parts.query else ''}"


def keep_quiet(*names: str) -> None:
    """Have libraries that would log addresses log nothing below an error."""
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
