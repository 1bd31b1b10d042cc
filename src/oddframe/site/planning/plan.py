"""A site as its file describes it: `SitePlan`. `read` makes it of a file, `apply` brings a store to agree with it."""

from __future__ import annotations

import zoneinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from oddframe.cameras.settings import CameraSettings
from oddframe.detectors.settings import Strict
from oddframe.errors import SettingsError
from oddframe.site.learning import LearnSettings
from oddframe.site.messages import Part
from oddframe.site.retention import RetentionSettings
from oddframe.site.shapes import (
    CameraAddress,
    Name,
    Private,
    Profiles,
    RegionsSettings,
    Secret,
    Watches,
    WatchSettings,
    in_words,
    text_of_number,
)
from oddframe.site.sinks.kinds import sink_record
from oddframe.site.store.records import SinkRecord


def _rooted(path: str, info: ValidationInfo) -> str:
    """A path as it stands in the file is one from the file's folder on."""
    return str(_base(info) / Path(path).expanduser())


def _base(info: ValidationInfo) -> Path:
    base = (info.context or {}).get(BASE, Path.cwd())
    assert isinstance(base, Path)
    return base


BASE = "base"
"""In the context of a validation: the folder from which relative paths go."""

Place = Annotated[str, Field(min_length=1), AfterValidator(_rooted)]
"""Of a file or folder."""


def _rooted_address(text: str, base: Path) -> str:
    """The address of a file or folder, from the folder of the site's file on; others as they are."""
    kind, colon, path = text.partition(":")
    if colon and kind in ("file", "folder") and not path.startswith("//"):
        return f"{kind}:{base / Path(path).expanduser()}"
    if "://" in text or text.isdecimal():
        return text
    try:
        there = base / Path(text).expanduser()
        return str(there) if there.exists() else text
    except (OSError, ValueError, RuntimeError):  # no name of a file at all
        return text


def _rooted_here(given: object, info: ValidationInfo) -> object:
    return _rooted_address(given, _base(info)) if isinstance(given, str) else given


RootedAddress = Annotated[CameraAddress, BeforeValidator(_rooted_here), BeforeValidator(text_of_number)]
"""Of a camera; that of a file or folder goes from the file's folder on."""


class CameraPlan(Strict):
    """A camera."""

    address: RootedAddress = Field(
        description="rtsp, rtsps, http or https and a host, the number of a USB camera, a folder of pictures that "
        "grows, or a video file"
    )
    detector: Place | None = Field(
        default=None, description="folder of a run or of an exported detector; without it there is none yet"
    )
    fitting: Place | None = Field(default=None, description="folder that `oddframe calibrate` made for this camera")
    scene: str = Field(default="", description="of the detector's calibration, where there are no profiles")
    false_alarms_per_day: float | None = Field(
        default=None, gt=0, le=100_000, description="where alarms begin; without it, as the calibration has it"
    )
    regions: RegionsSettings = Field(default=RegionsSettings(), description="places to watch and to ignore")
    private: Private = Field(default=(), description="polygons that are black in all that is stored and shown")
    profiles: Profiles = Field(
        default={}, description="kinds of time with a normal of their own; the first that holds counts"
    )
    watches: Watches = Field(default=(), description="when it watches; always without it")
    reading: CameraSettings = Field(
        default=CameraSettings(), description="how it is read, and where its health changes"
    )
    learn: LearnSettings | None = Field(
        default=None, description="in place of a detector: how it learns what is normal before it"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> CameraPlan:
        if self.detector is not None and self.learn is not None:
            raise ValueError("'detector' and 'learn' exclude each other: a camera that learns makes its own detector")
        if self.learn is not None and self.false_alarms_per_day is not None:
            raise ValueError("'false_alarms_per_day' of a camera that learns stands in 'learn'")
        if self.detector is None:
            for name in ("fitting", "false_alarms_per_day"):
                if getattr(self, name) is not None:
                    raise ValueError(f"'{name}' is of a detector, and there is none: name it by 'detector'")
        elif self.regions.regions() and self.fitting is None:
            raise ValueError("'regions' are part of what is normal: they need a 'fitting' that was made with them")
        if self.profiles and self.scene:
            raise ValueError("'scene' is of a camera without profiles: name the scene of each profile")
        return self


class SinkPlan(Strict):
    """A place where events are sent."""

    kind: Literal["jsonl", "webhook", "mqtt", "apprise"] = Field(description="what it speaks")
    url: Secret = Field(description="where; for jsonl a file, or - for standard output")
    secret: Secret | None = Field(default=None, description="with which a webhook's messages are signed")
    sends: tuple[Part, ...] | None = Field(
        default=None, min_length=1, description="new, update, end, health; without it what the kind usually gets"
    )
    cameras: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="of which cameras; of all without it"
    )
    enabled: bool = Field(default=True, description="false: nothing is sent there")
    settings: dict[str, Any] = Field(default={}, description="of its kind")

    @field_validator("url")
    @classmethod
    def _file_is_from_here(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("kind") != "jsonl" or url.get_secret_value() == "-":
            return url
        return SecretStr(_rooted(url.get_secret_value(), info))

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> SinkPlan:
        try:
            self.record("sink")
        except SettingsError as error:
            raise ValueError(in_words(error).replace(" of sink 'sink'", "").replace("sink 'sink'", "it")) from None
        return self

    def record(self, name: str) -> SinkRecord:
        """As the store keeps it."""
        return sink_record(
            name,
            self.kind,
            self.url,
            secret=self.secret,
            settings=self.settings,
            sends=self.sends,
            cameras=self.cameras,
            enabled=self.enabled,
        )


class SitePlan(Strict):
    """A site."""

    site: Name = Field(default="oddframe", description="what it is called in messages")
    folder: Place = Field(default="site", description="where its database, its key and its evidence lie")
    database: SecretStr | None = Field(
        default=None,
        description="URL of another database than the one in the folder, as postgresql://USER:PASSWORD@HOST/NAME",
    )
    time_zone: str | None = Field(
        default=None, description="of times of day, as Europe/Berlin; the computer's without it"
    )
    secrets_file: Place | None = Field(
        default=None, description="file of secrets for ${NAME}, which its owner alone can read"
    )
    retention: RetentionSettings = Field(default=RetentionSettings(), description="how long evidence is kept")
    cameras: dict[Name, CameraPlan] = Field(default={}, max_length=1000, description="by their names")
    sinks: dict[Name, SinkPlan] = Field(default={}, max_length=100, description="by their names")

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                zoneinfo.ZoneInfo(name)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError("there is no such time zone; wanted: a name as Europe/Berlin or UTC") from None
        return name

    @property
    def home(self) -> Path:
        """The site's folder."""
        return Path(self.folder)

    def camera_settings(self, name: str) -> WatchSettings:
        """The settings of a camera."""
        camera = self.cameras[name]
        return WatchSettings(
            camera=camera.reading,
            private=camera.private,
            scene=camera.scene,
            regions=camera.regions if camera.regions.regions() else None,
            watches=camera.watches,
        )
