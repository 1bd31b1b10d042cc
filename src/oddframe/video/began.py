"""When a recording began: what its file name says, or else its metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from oddframe.storage.place import Place

_IN_NAME = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)([-_.]?)(?P<month>\d\d)\2(?P<day>\d\d)"
    r"[-_.T ]{0,2}(?P<hour>\d\d)([-_.h]?)(?P<minute>\d\d)(?:\6(?P<second>\d\d)(?:\d{3})?)?(?!\d)(?P<utc>Z)?"
)
"""2026-11-28_14-31-52, 20261128143152, VID_20261128_143152, 2026-11-28T14.31"""

_IN_TREE = re.compile(r"(\d{4})-(\d\d)-(\d\d)/(\d\d)/[^/]+/(\d\d)\.(\d\d)\.\w+$")
"""Frigate's tree of recordings: YYYY-MM-DD/HH/camera/MM.SS.mp4, in UTC."""

_EARLIEST = 1990
"""Clocks that were never set say 1904, 1970 or 1980."""


def began_of(path: Place, metadata: Mapping[str, str]) -> datetime | None:
    """Return when a video began, or None.

    Args:
        path: its file or folder.
        metadata: of the container; `creation_time` is looked at.

    Returns:
        With a time zone where one is known, else the wall clock of whoever named the file.

    >>> began_of(Path("gate_2026-11-28_14-31-52.mp4"), {})
    datetime.datetime(2026, 11, 28, 14, 31, 52)
    >>> began_of(Path("recordings/2026-11-28/14/gate/31.52.mp4"), {})
    datetime.datetime(2026, 11, 28, 14, 31, 52, tzinfo=datetime.timezone.utc)
    >>> began_of(Path("gate.mp4"), {"creation_time": "2026-11-28T14:31:52.000000Z"})
    datetime.datetime(2026, 11, 28, 14, 31, 52, tzinfo=datetime.timezone.utc)
    """
    if match := _IN_TREE.search(path.as_posix()):
        with suppress(ValueError):  # 99 is no hour
            return datetime(*(int(word) for word in match.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]
    for match in _IN_NAME.finditer(path.name):
        with suppress(ValueError):
            fields = ("year", "month", "day", "hour", "minute", "second")
            words = [int(match[name] or 0) for name in fields]
            return datetime(*words, tzinfo=UTC if match["utc"] else None)  # type: ignore[arg-type,misc]
    with suppress(ValueError):
        made = datetime.fromisoformat(metadata.get("creation_time", "").strip())
        return made if made.year >= _EARLIEST else None
    return None
