"""Cameras are added, changed and removed; what judges them, and where their alarms begin, is said."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from oddframe.cameras.settings import CameraSettings
from oddframe.console.access.door import Admin, TheSite, TheStore
from oddframe.console.api.cameras import CameraOut, camera_out
from oddframe.console.api.fields import InPath
from oddframe.records import Record
from oddframe.site.commands import (
    AddCamera,
    CameraChanges,
    ChangeCamera,
    Command,
    RemoveCamera,
    SetDetector,
    SetLine,
)
from oddframe.site.commands.records import Rate
from oddframe.site.shapes import (
    CameraAddress,
    Name,
    Private,
    Profiles,
    RegionsSettings,
    Watches,
    WatchSettings,
)
from oddframe.site.store.records import LineRecord, OfFile

router = APIRouter(prefix="/cameras", tags=["cameras"])


class CameraIn(Command):
    """A camera that is added. Entries are those of the site's file.

    Attributes:
        address: as it was typed, with its password; it is stored encrypted and never shown again.
        detector, fitting: folders on the site's computer; None where nothing judges it yet.
        false_alarms_per_day: where alarms begin; None is the calibration's own.
    """

    name: Name
    address: CameraAddress
    detector: str | None = None
    fitting: str | None = None
    false_alarms_per_day: Rate | None = None
    scene: str = ""
    regions: RegionsSettings | None = None
    private: Private = ()
    profiles: Profiles = Field(default={})
    watches: Watches = ()
    reading: CameraSettings = CameraSettings()


class CameraAsSet(Record):
    """How a camera is set.

    Attributes:
        address: masked. of_file: what the site's file says of it, which is changed there alone.
        regions: None is those that its fitting was made with.
    """

    name: str
    address: str
    of_file: tuple[OfFile, ...]
    detector: str | None
    fitting: str | None
    scene: str
    regions: RegionsSettings | None
    private: Private
    profiles: Profiles
    watches: Watches
    reading: CameraSettings


class LineIn(Record):
    """Where alarms begin: so many false ones a day. `profile`: of which; None is all."""

    false_alarms_per_day: Rate
    profile: str | None = None


class DetectorIn(Record):
    """What judges a camera: the name of a detector that the site knows, or a folder; and the folder of a fitting."""

    detector: str
    fitting: str | None = None


@router.post("", status_code=201)
def add(given: CameraIn, who: Admin, site: TheSite) -> CameraOut:
    """Add a camera. It is watched within seconds, where it has a detector."""
    settings = WatchSettings(
        camera=given.reading,
        private=given.private,
        scene=given.scene,
        regions=given.regions,
        watches=given.watches,
    )
    command = AddCamera(
        name=given.name,
        address=given.address,
        settings=settings,
        profiles=given.profiles,
        detector=given.detector,
        fitting=given.fitting,
        false_alarms_per_day=given.false_alarms_per_day,
    )
    site.carry_out(command, who.name)
    return camera_out(given.name, site)


@router.patch("/{camera}")
def change(camera: InPath, given: CameraChanges, who: Admin, site: TheSite) -> CameraOut:
    """Change what is said of a camera, and leave all else as it is. It takes effect within seconds."""
    said = {entry: getattr(given, entry) for entry in given.model_fields_set}
    site.carry_out(ChangeCamera(camera=camera, **said), who.name)
    return camera_out(said.get("name", camera), site)


@router.delete("/{camera}", status_code=204)
def remove(camera: InPath, who: Admin, site: TheSite) -> None:
    """Watch a camera no longer. An event that lasts is ended; all of its events are kept."""
    site.carry_out(RemoveCamera(camera=camera), who.name)


@router.get("/{camera}/settings")
def settings(camera: InPath, _: Admin, store: TheStore) -> CameraAsSet:
    """How a camera is set, in the words in which it can be changed."""
    record = store.cameras.get(camera)
    kept, fittings = WatchSettings.of(record.name, record.settings), store.cameras.fittings(record.name)
    fitting = fittings[0] if fittings and fittings[0].retired_at is None else None
    return CameraAsSet(
        name=record.name,
        address=record.masked,
        of_file=record.of_file,
        detector=None if fitting is None else fitting.detector.folder,
        fitting=None if fitting is None else fitting.folder,
        scene=kept.scene,
        regions=kept.regions,
        private=kept.private,
        profiles={name: dict(when) for name, when in store.cameras.profiles(record.name).items()},  # type: ignore[misc]
        watches=kept.watches,
        reading=kept.camera,
    )


@router.put("/{camera}/line")
def set_line(camera: InPath, given: LineIn, who: Admin, site: TheSite, store: TheStore) -> list[LineRecord]:
    """Have alarms begin where normal video raises so many false ones a day: found in seconds, it holds at once."""
    command = SetLine(camera=camera, false_alarms_per_day=given.false_alarms_per_day, profile=given.profile)
    site.carry_out(command, who.name)
    profiles = tuple(store.cameras.profiles(camera)) or ("",)
    return [line for profile in profiles if (line := store.cameras.line(camera, profile)) is not None]


@router.put("/{camera}/detector")
def set_detector(camera: InPath, given: DetectorIn, who: Admin, site: TheSite) -> CameraOut:
    """Have another detector judge a camera. Its pictures go on; lines are drawn anew for what was asked for."""
    site.carry_out(SetDetector(camera=camera, detector=given.detector, fitting=given.fitting), who.name)
    return camera_out(camera, site)
