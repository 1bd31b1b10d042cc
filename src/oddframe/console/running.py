"""What the console needs of a running site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from oddframe.site.commands import Carried, Command
from oddframe.site.engine_process import EngineStatus
from oddframe.site.picture_maker import LivePicture, Wide
from oddframe.site.store import Store
from oddframe.site.trial import Trials


class RunningSite(Protocol):
    """A site as it runs; `site.serving.Serving` is one. For any thread."""

    @property
    def store(self) -> Store:
        """Of the site, opened with its key."""
        ...

    @property
    def status(self) -> EngineStatus | None:
        """How the engine was within the last second or so; None while there is none."""
        ...

    @property
    def restarts(self) -> int:
        """How often the engine died."""
        ...

    def problems(self) -> Mapping[str, str]:
        """What is not as it should be → why."""
        ...

    @property
    def trials(self) -> Trials:
        """Tries addresses before they are added."""
        ...

    def carry_out(self, command: Command, author: str) -> Carried:
        """Change the site; see `commands.carry_out`."""
        ...

    def picture(self, camera: str, *, heat: bool = False, wide: Wide = "large") -> LivePicture:
        """The latest picture of a camera; see `Serving.picture`."""
        ...

    def wake(self) -> None:
        """Messages are to be sent again: look for them now."""
        ...
