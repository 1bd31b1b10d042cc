"""Where the engine tells what happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from oddframe.cameras.state import Health
from oddframe.site.events import Change
from oddframe.site.watch import Watch


class Recorder(Protocol):
    """Takes what happens, in order. It returns at once: no frame waits for a disk or a network."""

    def happened(self, watch: Watch, changes: Sequence[Change]) -> None:
        """Something happened to events of a camera."""
        ...

    def health_changed(self, watch: Watch, health: Health) -> None:
        """A camera has come to be in another state."""
        ...

    def ending(self) -> None:
        """All events have ended, and the cameras are about to: the last moment to ask one for a picture."""
        ...
