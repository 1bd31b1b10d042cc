"""What all commands have in common: who wants it, and what goes into the log of changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oddframe.errors import ConflictError
from oddframe.records import Record
from oddframe.site.store import Store

_MOST_LETTERS = 4000
"""Of a value in the log. Longer ones are polygons by the hundred."""

Action = Literal["added", "changed", "removed", "nothing"]


class Carried(Record):
    """What was changed.

    Attributes:
        subject: as "camera gate". action: "nothing" where all was so already.
        before, after: entries that are others now, without secrets.
    """

    subject: str
    action: Action
    before: Mapping[str, Any] = {}
    after: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Changing:
    """Where a command is carried out.

    Attributes:
        store: of the site. author: who wants it. of_file: the site's file says so.
    """

    store: Store
    author: str
    of_file: bool

    def refuse(self, what: str) -> None:
        """Refuse to change what is the file's.

        Raises:
            ConflictError: somebody else than the file wants it.
        """
        if not self.of_file:
            raise ConflictError(
                f"{what} is for the site's file to say", hint="change it in the file, and start the site again"
            )

    def tell(self, subject: str, action: Action, before: Mapping[str, Any], after: Mapping[str, Any]) -> Carried:
        """Put it into the log, with what is another now; nothing where all was so already."""
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if action == "changed" and not names:
            return Carried(subject=subject, action="nothing")
        was = {name: _short(before[name]) for name in names if name in before}
        now = {name: _short(after[name]) for name in names if name in after}
        self.store.journal.log(self.author, action, subject, {"before": was, "after": now})
        return Carried(subject=subject, action=action, before=was, after=now)


def _short(value: Any) -> Any:
    """What is too long for a log, in words."""
    letters = len(json.dumps(value, default=str))
    return value if letters <= _MOST_LETTERS else f"{letters} letters of values"
