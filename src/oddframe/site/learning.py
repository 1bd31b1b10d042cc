"""That a camera is to learn what is normal before it: what is asked for, and how the store keeps it.

Whoever asks writes an `Asked`; `teaching` does it, beside the process that watches.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from oddframe.detectors.settings import Strict
from oddframe.errors import SettingsError, nearest
from oddframe.plain import Json
from oddframe.presets import PRESETS
from oddframe.records import Record
from oddframe.site.schedule import Hours
from oddframe.site.store import Store
from oddframe.site.store.shelf import utc_now

_UNITS_S = {"d": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}
_LONG = re.compile(r"(?:\s*\d+(?:\.\d+)?\s*(?:d|h|min|m|s))+\s*")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|min|m|s)")

_SETTING = "learning of camera {}"


def seconds_of(text: object) -> float:
    """Seconds of a length of time.

    Raises:
        ValueError: it is none.

    >>> seconds_of("1d 12h"), seconds_of("90 min"), seconds_of(90)
    (129600.0, 5400.0, 90.0)
    """
    if isinstance(text, str) and _LONG.fullmatch(text):
        return sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(text))
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    raise ValueError("a length of time as 24h, 90min, 1d 12h; a number alone is seconds")


def in_units(seconds: float) -> str:
    """A length of time as `seconds_of` takes it.

    >>> in_units(86400), in_units(5400), in_units(20.5)
    ('24h', '1h 30min', '20.5s')
    """
    left, words = seconds, []
    for unit in ("h", "min"):
        if many := int(left // _UNITS_S[unit]):
            words.append(f"{many}{unit}")
            left -= many * _UNITS_S[unit]
    return " ".join([*words, *([f"{left:g}s"] if left or not words else [])])


Length = Annotated[
    float,
    BeforeValidator(seconds_of),
    Field(gt=0, le=366 * 86400.0),
    PlainSerializer(in_units, return_type=str, when_used="json"),
]
"""Seconds; as text 24h, 90min, 1d 12h."""


class LearnSettings(Strict):
    """How a camera is to learn what is normal before it."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    collect_for: Length = Field(
        default=86400.0, alias="for", description="how long normal video is collected, as 24h; a day shows most lights"
    )
    until: datetime | None = Field(
        default=None, description="or until when, as 2026-12-01 18:00, in the time of the site; counts before `for`"
    )
    hours: tuple[Hours, ...] = Field(
        default=(), max_length=50, description="hours in which video is collected; at any hour without them"
    )
    preset: str = Field(default="live", description="of the network: tiny, live, cpu")
    most_gb: float = Field(default=10.0, gt=0, le=10_000, description="gigabytes that the collected video may take")
    most_video: Length = Field(
        default=4 * 3600.0, description="so much video is collected at most, spread over the time, as 4h"
    )
    least_video: Length = Field(
        default=600.0, description="less video than this is waited for, also when the time is over"
    )
    segment: Length = Field(default=20.0, description="length of the pieces in which it is collected")
    false_alarms_per_day: float = Field(default=1.0, gt=0, le=100_000, description="where alarms shall begin")
    time_budget: Length = Field(
        default=8 * 3600.0, description="so long the training takes at most, where no camera needs the processor"
    )

    @field_validator("preset")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in PRESETS:
            raise ValueError(
                f"there is no preset '{name}'; wanted: {' | '.join(PRESETS)} {nearest(name, PRESETS) or ''}"
            )
        return name

    @property
    def until_at(self) -> datetime | None:
        """`until` with a time zone: the site's, where it says none."""
        return None if self.until is None else self.until.astimezone()

    @classmethod
    def names(cls) -> list[str]:
        """The entries, as they are said."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    def kept(self) -> Json:
        """As plain JSON values: what is not as usual."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Asked(Record):
    """That a camera is to learn.

    Attributes:
        number: of this learning of the camera; another number is another learning.
        settings: as `LearnSettings.kept`. author, at: who asked, and when (UTC).
        videos: recordings that are used in place of what the camera sends; none for the camera.
        collected: whether to begin to train now, with what has been collected.
        stopped: whether it is to end without a detector.
        left_out: names of pieces of video that are not normal. retries: how often to try again what failed.
        by_file: settings that the site's file asked for last; None where it never did.
    """

    number: int
    settings: dict[str, Any]
    author: str
    at: AwareDatetime
    videos: tuple[str, ...] = ()
    collected: bool = False
    stopped: bool = False
    left_out: tuple[str, ...] = ()
    retries: int = 0
    by_file: dict[str, Any] | None = None

    @property
    def how(self) -> LearnSettings:
        """The settings in full."""
        return LearnSettings.model_validate(self.settings)


def asked_of(store: Store, camera: int) -> Asked | None:
    """What was asked of a camera last; None for nothing.

    Args:
        camera: its number, which stays where its name changes.
    """
    kept = store.journal.get(_SETTING.format(camera))
    return None if kept is None else Asked.model_validate(dict(kept))


def ask(
    store: Store,
    camera: str,
    settings: LearnSettings,
    author: str,
    *,
    videos: tuple[str, ...] = (),
    of_file: bool = False,
) -> Asked:
    """Ask that a camera learn, in place of what was asked before.

    Args:
        videos: recordings that are used in place of what the camera sends. of_file: the site's file asks.

    Raises:
        StoreError: there is no such camera.
    """
    record = store.cameras.get(camera)
    before = asked_of(store, record.id)
    kept = settings.kept()
    asked = Asked(
        number=1 if before is None else before.number + 1,
        settings=kept,
        author=author,
        at=utc_now(),
        videos=videos,
        by_file=kept if of_file else None if before is None else before.by_file,
    )
    _keep(store, record.id, asked)
    told = {**kept, **({"videos": len(videos)} if videos else {})}
    store.journal.log(author, "learn", f"camera {camera}", {"before": {}, "after": told})
    return asked


def change(store: Store, camera: str, author: str, action: str, to: Callable[[Asked], Asked]) -> Asked:
    """Change what was asked of a camera.

    Args:
        action: in a word, for the log of changes.

    Raises:
        StoreError: there is no such camera. SettingsError: nothing was asked of it.
    """
    record = store.cameras.get(camera)
    before = asked_of(store, record.id)
    if before is None:
        raise SettingsError(
            f"camera '{camera}' does not learn", hint=f"oddframe site learn SITE {camera} --collect 24h"
        )
    asked = to(before)
    if asked != before:
        _keep(store, record.id, asked)
        names = [
            name for name in ("collected", "stopped", "left_out", "retries", "by_file") if asked[name] != before[name]
        ]
        was, now = ({name: one.to_dict()[name] for name in names} for one in (before, asked))
        store.journal.log(author, action, f"camera {camera}", {"before": was, "after": now})
    return asked


def _keep(store: Store, camera: int, asked: Asked) -> None:
    store.journal.set(_SETTING.format(camera), asked.to_dict())
