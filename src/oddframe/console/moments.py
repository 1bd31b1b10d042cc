"""Moments in words, for pages and the API. They are local, see `site.schedule`."""

from __future__ import annotations

from datetime import datetime


def moment(at: datetime, now: datetime) -> str:
    """Day and time, as short as they are clear. Today has its day, too: a page may stay open over midnight.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 11, 30, 12, tzinfo=UTC).astimezone()
    >>> moment(noon, noon)[:11], moment(noon - timedelta(days=400), noon)[:11]
    ('Mon 30 Nov ', '26 Oct 2025')
    """
    local, today = at.astimezone(), now.astimezone().date()
    if abs((today - local.date()).days) < 300:
        return f"{local:%a} {local.day} {local:%b %H:%M:%S}"
    return f"{local.day} {local:%b %Y %H:%M:%S}"
