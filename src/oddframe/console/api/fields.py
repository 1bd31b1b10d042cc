"""What requests are made of, and how much of it there may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, Field

_FIRST, _LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _sensible(moment: datetime) -> datetime:
    if not _FIRST <= moment <= _LAST:
        raise ValueError("a moment between the years 1971 and 9000, as 2026-11-30T12:00:00Z")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_sensible)]
"""UTC, whatever time zone it came in."""

Name = Annotated[str, Field(min_length=1, max_length=64)]
"""Of a camera, a sink, a profile, a user."""

InPath = Annotated[Name, Path()]

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

EventId = Annotated[str, Path(pattern=r"^[0-9a-fA-F-]{36}$")]

Limit = Annotated[int, Query(ge=1, le=500)]
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
