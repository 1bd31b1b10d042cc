"""What the last days would have brought with another line, before it is drawn."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from oddframe.console.access.door import Admin, TheStore
from oddframe.console.api.fields import InPath
from oddframe.errors import ConflictError, UnknownNameError
from oddframe.records import Record
from oddframe.scoring.promise import Promise
from oddframe.site.lately import lately
from oddframe.site.line_choices import Foreseen, foresee, line_choices

router = APIRouter(prefix="/cameras", tags=["cameras"])


class LinePreview(Record):
    """What another line would have brought.

    Attributes:
        on: where it would be. promise: what normal video vouches for. since: the time that it is tried on.
        foreseen: `came` and `stay` are exact where the line is higher than those that held: an event whose peak is
            below it would not have come. `new` is what the highest score of every ten seconds tells.
        rests_on_h: hours of that time of which scores are kept.
    """

    on: float
    promise: Promise
    since: datetime
    foreseen: Foreseen
    rests_on_h: float


@router.get("/{camera}/line/preview")
def preview(
    camera: InPath,
    _: Admin,
    store: TheStore,
    false_alarms_per_day: Annotated[float, Query(gt=0, le=100_000)],
    profile: Annotated[str, Query(max_length=64)] = "",
    days: Annotated[int, Query(ge=1, le=14)] = 7,
) -> LinePreview:
    """What the last days would have brought with another line; it is not drawn by this."""
    name = store.cameras.get(camera).name
    known = tuple(store.cameras.profiles(name)) or ("",)
    if profile not in known:
        raise UnknownNameError(f"camera '{name}' has no profile '{profile}'", hint=" | ".join(known))
    fittings = store.cameras.fittings(name)
    if not fittings or fittings[0].retired_at is not None:
        raise ConflictError(f"camera '{name}' has no detector yet", hint="let it learn, or name a detector")
    folder = None if fittings[0].folder is None else Path(fittings[0].folder)
    (choice,) = line_choices(Path(fittings[0].detector.folder), folder, [false_alarms_per_day])
    seen = lately(store, name, profile, days, datetime.now(UTC))
    return LinePreview(
        on=choice.on,
        promise=choice.promise,
        since=seen.since,
        foreseen=foresee(choice.on, seen.events, seen.scores, seen.since),
        rests_on_h=round(seen.hours, 2),
    )
