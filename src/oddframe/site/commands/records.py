"""Commands: what is to be changed, checked as far as that can be told without the site.

Of a `Change...`, only what was said is changed: `ChangeCamera(camera="gate", scene="")` clears the scene, and leaves
all else as it is.
"""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from oddframe.cameras.settings import CameraSettings
from oddframe.records import Record
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
)

Rate = Annotated[float, Field(gt=0, le=100_000)]
"""False alarms a day. No line can promise that none comes."""

SinkKind = Literal["jsonl", "webhook", "mqtt", "apprise"]


def _zone(name: str) -> str:
    if name:
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("there is no such time zone; wanted: a name as Europe/Berlin or UTC") from None
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]
"""A name as Europe/Berlin; "" is that of the computer."""


class Command(Record):
    """Something that is to be changed. Secrets in it are masked wherever it is shown; what is refused is not shown."""

    model_config = ConfigDict(hide_input_in_errors=True)


class AddCamera(Command):
    """Add a camera, or one that was removed again: its events are kept under its name.

    Attributes:
        address: as it was typed. settings: how it is read and watched. profiles: kinds of time; the first that holds
            counts.
        detector, fitting: folders of what judges it; None where nothing does yet.
        false_alarms_per_day: where alarms begin; None is the calibration's own.
    """

    name: Name
    address: CameraAddress
    settings: WatchSettings = WatchSettings()
    profiles: Profiles = Field(default={})
    detector: str | None = None
    fitting: str | None = None
    false_alarms_per_day: Rate | None = None


class CameraChanges(Command):
    """What of a camera is to be another one; what is not said stays as it is.

    Attributes:
        name: its new one.
        regions: places that count; None is those that its fitting was made with.
        reading: how it is read, and where its health changes.
    """

    name: Name = ""
    address: CameraAddress | None = None
    private: Private = ()
    regions: RegionsSettings | None = None
    scene: str = ""
    watches: Watches = ()
    reading: CameraSettings = CameraSettings()
    profiles: Profiles = Field(default={})


class ChangeCamera(CameraChanges):
    """Change the camera of this name."""

    camera: str


class RemoveCamera(Command):
    """Watch a camera no longer. An event that lasts is ended; all of its events are kept."""

    camera: str


class SetDetector(Command):
    """Have another detector judge a camera from now on.

    Lines are drawn anew for the rates that were asked for, or are those of the detector where nothing is kept to draw
    them on.

    Attributes:
        detector: folder of a run or an artefact, or the name of one that the site knows. fitting: folder of a fitting.
    """

    camera: str
    detector: str
    fitting: str | None = None


class SetLine(Command):
    """Have alarms of a camera begin where normal video raises so many false ones.

    Attributes:
        profile: of which; None is all.
    """

    camera: str
    false_alarms_per_day: Rate
    profile: str | None = None


class AddSink(Command):
    """Add a place where events are sent. Entries are those of `sinks.kinds.sink_record`.

    Attributes:
        url: where. Of `jsonl`, the name of a file in the site's folder `sent`; a site's file may name any.
    """

    name: Name
    kind: SinkKind
    url: Secret
    secret: Secret | None = None
    sends: tuple[Part, ...] | None = Field(default=None, min_length=1)
    cameras: tuple[str, ...] | None = Field(default=None, min_length=1)
    enabled: bool = True
    settings: dict[str, Any] = Field(default={})


class SinkChanges(Command):
    """What of a sink is to be another one; what is not said stays as it is."""

    url: Secret | None = None
    secret: Secret | None = None
    sends: tuple[Part, ...] | None = Field(default=None, min_length=1)
    cameras: tuple[str, ...] | None = Field(default=None, min_length=1)
    enabled: bool = True
    settings: dict[str, Any] = Field(default={})


class ChangeSink(SinkChanges):
    """Change the sink of this name. What waits for it goes to where it is then."""

    sink: str


class RemoveSink(Command):
    """Send nothing there any more, and forget what waits for it."""

    sink: str


class SetRetention(Command):
    """Keep evidence for another while."""

    retention: RetentionSettings


class NameSite(Command):
    """Call the site something else, or have it in another time zone; what is not said stays as it is."""

    name: Name = "oddframe"
    time_zone: TimeZone = ""
