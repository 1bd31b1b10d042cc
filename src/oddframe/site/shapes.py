"""What is said of a camera, wherever it is said: names, polygons, profiles, and the settings that a store keeps.

The site's file, commands and the engine share these, so that what one of them takes none of the others refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from oddframe.cameras.address import Address
from oddframe.cameras.settings import CameraSettings
from oddframe.detectors.settings import Strict
from oddframe.errors import OddframeError, SettingsError
from oddframe.plain import Json
from oddframe.scoring.regions import Point, Regions
from oddframe.site.profiles import Profile
from oddframe.site.schedule import Hours

_NAME = re.compile(r"\w(?:[\w .-]{0,62}[\w-])?")
_MOST_POLYGONS, _MOST_POINTS = 100, 500


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "a name is 1 to 64 letters, digits, '-', '_', '.' and spaces, begins with a letter or digit and does not "
            "end with a dot or space: it becomes the name of a file"
        )
    return name


def text_of_number(given: object) -> object:
    """A number that stands for itself, as that of a USB camera."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Name = Annotated[str, AfterValidator(_named)]
"""Of a camera, a profile or a sink. It is safe as the name of a file."""

Secret = Annotated[SecretStr, BeforeValidator(text_of_number)]


def _address(given: SecretStr) -> SecretStr:
    try:
        Address.parse(given.get_secret_value())
    except OddframeError as error:  # what was seen is not told: it may be a secret in the wrong place
        raise ValueError(f"{error.problem}; wanted: {error.wanted}") from None
    return given


CameraAddress = Annotated[Secret, AfterValidator(_address)]
"""Of a camera, as it was typed."""

Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=_MOST_POINTS)]


def _each_within(polygons: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
    for number, polygon in enumerate(polygons):
        try:
            Regions(watch=(polygon,))
        except SettingsError as error:
            raise ValueError(in_words(error).replace("watch[0]", f"polygon {number + 1}")) from None
    return polygons


def _leaving_something(polygons: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
    polygons = _each_within(polygons)
    try:
        Regions(ignore=polygons)
    except SettingsError:
        raise ValueError("the polygons cover all of the picture: nothing would be left to see") from None
    return polygons


Private = Annotated[tuple[Polygon, ...], Field(max_length=_MOST_POLYGONS), AfterValidator(_leaving_something)]
"""Polygons that are black in all that is kept and shown."""


def in_words(error: SettingsError) -> str:
    """An error as part of another one."""
    parts = (
        error.problem,
        error.seen and f"seen: {error.seen}",
        error.wanted and f"wanted: {error.wanted}",
        error.hint,
    )
    return "; ".join(" ".join(str(part).split()) for part in parts if part)


class RegionsSettings(Strict):
    """Places that count."""

    watch: tuple[Polygon, ...] = Field(
        default=(), max_length=_MOST_POLYGONS, description="polygons to watch; all of the picture without one"
    )
    ignore: tuple[Polygon, ...] = Field(
        default=(), max_length=_MOST_POLYGONS, description="polygons in which nothing raises the score"
    )

    @field_validator("watch", "ignore")
    @classmethod
    def _are_polygons(cls, polygons: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
        return _each_within(polygons)

    @model_validator(mode="after")
    def _leave_something(self) -> RegionsSettings:
        try:
            self.regions()
        except SettingsError as error:
            raise ValueError(in_words(error)) from None
        return self

    def regions(self) -> Regions:
        """As scoring takes them."""
        return Regions(self.watch, self.ignore)


class ProfileSettings(Strict):
    """A kind of time; see `Profile`."""

    scene: str | None = Field(
        default=None,
        description="of the detector's calibration by which it is judged; that of the profile's name without it",
    )
    begin: time | None = Field(default=None, description="time of day from which on it holds, as 06:30")
    end: time | None = Field(
        default=None, description="time of day until which it holds; earlier than `begin` at night"
    )
    infrared: bool | None = Field(
        default=None, description="only while pictures have no colour (true), or have some (false)"
    )

    @model_validator(mode="after")
    def _is_one(self) -> ProfileSettings:
        self.profile("")
        return self

    def profile(self, name: str) -> Profile:
        """As the engine takes it."""
        return Profile(name=name, **self.model_dump())


Profiles = Annotated[dict[Name, ProfileSettings], Field(max_length=20)]
"""Kinds of time by name; the first that holds counts."""

Watches = Annotated[tuple[Hours, ...], Field(max_length=50)]
"""When a camera watches; always without any."""


class WatchSettings(Strict):
    """The settings of a camera of a site, as `Cameras.put` keeps them."""

    camera: CameraSettings = Field(default=CameraSettings(), description="how it is read, and where its health changes")
    private: Private = Field(default=(), description="polygons that are black in all that is kept and shown")
    scene: str = Field(default="", description="of the detector's calibration, where there are no profiles")
    regions: RegionsSettings | None = Field(
        default=None, description="places that count, in place of those that its fitting was made with"
    )
    watches: Watches = Field(default=(), description="when it watches; always without it")

    @classmethod
    def of(cls, camera: str, kept: Mapping[str, Any]) -> WatchSettings:
        """Settings as a store has kept them.

        Raises:
            SettingsError: they are not as they should be.
        """
        try:
            return cls.model_validate(dict(kept))
        except ValidationError as error:
            raise SettingsError(
                f"the settings of camera '{camera}' are not as they should be",
                seen=first_of(error),
                wanted=", ".join(cls.model_fields),
            ) from None

    def kept(self) -> Json:
        """As plain JSON values, and no more than was said."""
        return self.model_dump(mode="json", exclude_defaults=True)


def first_of(error: ValidationError) -> str:
    """What does not fit first, and not what was seen."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].removeprefix('Value error, ')}"
