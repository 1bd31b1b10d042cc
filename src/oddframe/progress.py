"""How long work tells whoever watches how far it is. The work reports, the watcher draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """A moment in a piece of work.

    Attributes:
        stage: what is being done, a few words that stay the same while it lasts; or "warning" or "finished", whose
            note is a line of its own.
        done, total: in the unit of the stage; `total` 0 where it is not known.
        note: what else is worth a look, e.g. the latest losses.
    """

    stage: str
    done: int
    total: int
    note: str = ""


Watcher = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    """Watch nothing."""
