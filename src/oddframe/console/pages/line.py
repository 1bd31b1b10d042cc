"""The line as a slider: every place that it could have, and what the last days would have brought there, in words."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from oddframe.console.access.door import TheSite
from oddframe.console.api.fields import InPath
from oddframe.console.pages.looking import Changing
from oddframe.console.pages.words import rate
from oddframe.console.running import RunningSite
from oddframe.errors import ConflictError
from oddframe.records import Record
from oddframe.reporting.words import count, sentence
from oddframe.site.lately import lately
from oddframe.site.line_choices import Foreseen, LineChoice, foresee, line_choices

DAYS = 7
"""That a choice is tried on."""

_MOST_KEPT = 20

router = APIRouter(include_in_schema=False)


class Choice(Record):
    """A place of the slider. `rate`, `words`: what it asks for, and what it would have brought."""

    asked_per_day: float
    on: float
    rate: str
    words: str


class Choices:
    """Lines by fitting; drawing them takes seconds, and they stay what they are."""

    def __init__(self) -> None:
        self._lock, self._known = threading.Lock(), OrderedDict[tuple[str, str | None, int], list[LineChoice]]()

    def of(self, detector: str, fitting: str | None, number: int) -> list[LineChoice]:
        """Raises as `line_choices`. One is drawn at a time, so that the cameras keep their processor."""
        key = (detector, fitting, number)
        with self._lock:
            if key not in self._known:
                self._known[key] = line_choices(Path(detector), None if fitting is None else Path(fitting))
                while len(self._known) > _MOST_KEPT:
                    self._known.popitem(last=False)
            return self._known[key]


_CHOICES = Choices()


@router.get("/cameras/{name}/lines")
def lines(
    name: InPath, who: Changing, site: TheSite, profile: Annotated[str, Query(max_length=64)] = ""
) -> list[Choice]:
    """Where the line of a camera could be."""
    return choices(site, name, profile, datetime.now(UTC))


def choices(site: RunningSite, name: str, profile: str, now: datetime) -> list[Choice]:
    """Where the line of a camera could be, from the rarest alarms on.

    Raises:
        ConflictError: it has no detector yet. SettingsError, RunError: see `line_choices`.
    """
    store = site.store
    fittings = store.cameras.fittings(name)
    if not fittings or fittings[0].retired_at is not None:
        raise ConflictError(f"camera '{name}' has no detector yet", hint="let it learn, or name a detector")
    drawn = _CHOICES.of(fittings[0].detector.folder, fittings[0].folder, fittings[0].id)
    seen = lately(store, name, profile, DAYS, now)
    return [
        Choice(
            asked_per_day=one.promise.asked_per_day,
            on=one.on,
            rate=rate(one.promise.asked_per_day),
            words=_words(one, foresee(one.on, seen.events, seen.scores, seen.since)),
        )
        for one in drawn
    ]


def _words(choice: LineChoice, seen: Foreseen) -> str:
    promise = choice.promise
    if promise.at_most is None:
        words = "Nothing is known of how often normal video crosses this line."
    else:
        words = sentence(promise.in_words().partition("; ")[2])
    if not seen.came and not seen.new:
        return f"{words} No event came in the last {DAYS} days, and none would have come."
    of = count(seen.came, "event") if seen.came else "no event"
    parts = [f"{of} came in the last {DAYS} days"]
    if seen.came:
        gone = seen.came - seen.stay
        parts.append("all of them would have come" if not gone else f"{gone} of them would not have come")
        if gone and seen.normal_gone:
            parts.append(f"{seen.normal_gone} of those were called normal")
        if seen.alarms:
            lost = seen.alarms - seen.alarms_stay
            confirmed = count(seen.alarms, "confirmed alarm")
            parts.append(f"{lost or 'none'} of the {confirmed} would be lost")
    if seen.new:
        parts.append(f"about {seen.new} more would have come")
    return f"{words} {sentence('; '.join(parts))}"
