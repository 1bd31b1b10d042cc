"""What the scripts share that kill processes of a site: their command line, and where their figures go."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from oddframe.site.store import Store


class Figures(Protocol):
    """A dataclass of what was counted."""

    @property
    def bad(self) -> int:
        """How many things are as they should not be."""


class Kill(Protocol):
    """Kills `times` times, at moments of this seed, in an empty folder."""

    def __call__(self, folder: Path, times: int, *, seed: int) -> Figures: ...


def main(kill: Kill, about: str | None) -> None:
    """Kill as the command line says, print the figures as JSON, and end with 1 if anything is bad.

    Args:
        about: the script's docstring.
    """
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        killed = kill(Path(folder), given.times, seed=given.seed)
    figures = json.dumps(asdict(killed), indent=1) + "\n"  # type: ignore[call-overload]
    print(figures, end="")
    if given.json is not None:
        given.json.write_text(figures, "utf-8")
    sys.exit(1 if killed.bad else 0)


def event_ids(store: Store) -> Iterator[str]:
    """Of all events in the store."""
    before = None
    while True:
        page = store.events.page(before=before, limit=500)
        yield from (one.event.id for one in page.events)
        if (before := page.before) is None:
            return
