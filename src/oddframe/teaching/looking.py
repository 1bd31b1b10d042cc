"""Looks after something of all cameras, beside the engine that watches them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from oddframe.errors import OddframeError

_LOG = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0


class Looking:
    """Looks once a second, in a thread of its own, for as long as it is entered.

    Args:
        what: stands still where looking fails, in logs and problems: "learning".
        may: whether this machine is the one of the site's that does it.

    Attributes:
        failed: why looking failed the last time, and what to do; "" where it did not.
    """

    def __init__(self, what: str, may: Callable[[], bool] = lambda: True) -> None:
        self._what, self._may, self.failed = what, may, ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self.break_off()
        self._thread.join()
        self.join()

    def look(self) -> None:
        """Do what is due."""
        raise NotImplementedError

    def rest(self) -> None:
        """Leave it to another machine: what is being done ends, and is gone on with there. Called again and again."""
        raise NotImplementedError

    def break_off(self) -> None:
        """Have what is being done end; it may still be looked at."""

    def join(self) -> None:
        """Wait until nothing is done any more; nobody looks at it now."""

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._may():
                    self.look()
                else:
                    self.rest()
            except Exception as error:  # a bug here must not end it for all cameras for good
                why = why_failed(error)
                if why != self.failed:
                    _LOG.exception("%s stands still for all cameras: %s", self._what, why)
                self.failed = why
            else:
                self.failed = ""
            self._stopping.wait(_LOOK_EVERY_S)


def why_failed(error: Exception) -> str:
    """Why something that is tried again failed, and what to do, in a sentence."""
    if isinstance(error, OddframeError):
        return f"{error.in_one_line()}; it is tried again every second"
    return (
        f"an error of this program ({type(error).__name__}: {error}); it is tried again every second, and the log says "
        "more: if it stays, restart the site, and report it"
    )
