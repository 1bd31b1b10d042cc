"""Looks after something again and again, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from oddframe.errors import OddframeError

_LOG = logging.getLogger(__name__)


class Rounds:
    """Calls `look` every so often, from `start` to `stop`. What goes wrong in a round is logged and ends no later one.

    Args:
        what: is done, in words for the log: "looking for trouble". look: a round. every_s: the pause before each.
    """

    def __init__(self, what: str, look: Callable[[], None], every_s: float) -> None:
        self._what, self._look, self._every_s = what, look, every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the round that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self._look()
            except OddframeError as error:
                _LOG.warning("%s: %s: tried again", self._what, error.in_one_line())
            except Exception:  # a bug must not end it for good
                _LOG.exception("%s failed: tried again", self._what)
