"""Commands on cameras: what they are, what judges them, where their alarms begin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oddframe.artefact import open_trained
from oddframe.cameras.address import Address
from oddframe.errors import ConflictError, SettingsError, UnknownNameError
from oddframe.plain import Json
from oddframe.scoring.fitting import Fitting
from oddframe.site.commands.changing import Carried, Changing
from oddframe.site.commands.line import DrawnLine, line_for
from oddframe.site.commands.records import AddCamera, ChangeCamera, RemoveCamera, SetDetector, SetLine
from oddframe.site.shapes import Profiles, WatchSettings
from oddframe.site.store.records import CameraRecord, FittingRecord, OfFile

_READING = "reading"
"""What commands call the entry `camera` of `WatchSettings`, as the site's file does."""


_ENTRIES = ("private", "regions", "scene", "watches")
"""What commands and `WatchSettings` have alike."""


def add(command: AddCamera, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    store, name = changing.store, command.name
    _refuse_scene_and_profiles(command.settings, command.profiles)
    drawn = _drawn(command)
    with store.together():
        _refuse_taken(name, changing)
        address = Address.parse(command.address.get_secret_value())
        was_there = any(one.name == name for one in store.cameras.all(removed=True))
        says: tuple[OfFile, ...] = ("camera",) if changing.of_file else ()
        store.cameras.put(name, address.reveal(), address.masked, command.settings.kept(), of_file=says)
        store.cameras.set_profiles(name, _kept(command.profiles))
        if command.detector is not None:
            store.cameras.fit(name, detector_name(changing, command.detector), command.fitting)
        elif was_there and not changing.of_file:  # what judged a camera of this name once need not fit this one
            store.cameras.retire(name)
        if drawn is not None:
            _set_lines(changing, name, tuple(command.profiles), drawn)
        after = _told(command.settings, command.profiles) | {"address": address.masked}
        after |= {key: getattr(command, key) for key in ("detector", "fitting", "false_alarms_per_day")}
        return changing.tell(f"camera {name}", "added", {}, {key: one for key, one in after.items() if one})


def change(command: ChangeCamera, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    store, said = changing.store, command.model_fields_set
    with store.together():
        record = _of(command.camera, changing, "camera")
        name = record.name
        settings = WatchSettings.of(name, record.settings)
        profiles = dict(store.cameras.profiles(name))
        changes: dict[str, object] = {key: getattr(command, key) for key in _ENTRIES if key in said}
        changes |= {"camera": command.reading} if _READING in said else {}
        new_settings = settings.model_copy(update=changes)
        new_profiles = _kept(command.profiles) if "profiles" in said else profiles
        _refuse_scene_and_profiles(new_settings, new_profiles)
        typed = store.cameras.address(name).get_secret_value()
        address = Address.parse(typed if command.address is None else command.address.get_secret_value())
        before = _told(settings, profiles) | {"address": record.masked, "name": name}
        after = _told(new_settings, new_profiles) | {"address": address.masked, "name": name}
        if address.reveal() != typed and address.masked == record.masked:
            before["password"], after["password"] = "another one", "another one now"
        if list(new_profiles.items()) != list(profiles.items()):  # the order of profiles counts
            store.cameras.set_profiles(name, new_profiles)
        if address.reveal() != typed or new_settings != settings:
            store.cameras.put(name, address.reveal(), address.masked, new_settings.kept(), of_file=record.of_file)
        if "name" in said and command.name != name:
            _refuse_taken(command.name, changing, but=name)
            store.cameras.rename(name, command.name)
            after["name"] = command.name
        return changing.tell(f"camera {after['name']}", "changed", before, after)


def remove(command: RemoveCamera, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    with changing.store.together():
        record = _of(command.camera, changing, "camera")
        changing.store.cameras.remove(record.name)
        return changing.tell(f"camera {record.name}", "removed", {"address": record.masked}, {})


def set_detector(command: SetDetector, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    store = changing.store
    record = _of(command.camera, changing, "detector")
    name = record.name
    known = {one.name: one.folder for one in store.cameras.detectors()}
    folder = known.get(command.detector, command.detector)
    fitting = None if command.fitting is None else Path(command.fitting)
    profiles = tuple(store.cameras.profiles(name)) or ("",)
    asked = {one: line.asked_per_day for one in profiles if (line := store.cameras.line(name, one)) is not None}
    redrawn = {one: _redrawn(Path(folder), fitting, rate) for one, rate in asked.items()}
    _refuse_damaged(Path(folder), fitting)
    with store.together():
        for profile, drawn in redrawn.items():
            store.cameras.set_line(drawn.record(name, profile, changing.author))
        return keep_detector(changing, name, folder, command.fitting)


def set_line(command: SetLine, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    store = changing.store
    record = _of(command.camera, changing, "line")
    name = record.name
    fitting = _fitting_of(name, changing)
    if fitting is None:
        raise ConflictError(f"camera '{name}' has no detector yet", hint="let it learn, or name a detector")
    profiles = _profiles(changing, name, command.profile)
    folder = None if fitting.folder is None else Path(fitting.folder)
    drawn = line_for(Path(fitting.detector.folder), folder, command.false_alarms_per_day)
    with store.together():
        now = _fitting_of(name, changing)
        if now is None or now.id != fitting.id:
            raise ConflictError(f"camera '{name}' has got another detector meanwhile", hint="ask for the line again")
        return _set_lines(changing, name, profiles, drawn)


def keep_line(changing: Changing, camera: str, drawn: DrawnLine) -> Carried:
    """Keep a line that was drawn before for all profiles; nothing where it holds already. Raises as `carry_out`."""
    with changing.store.together():
        return _set_lines(changing, camera, _profiles(changing, camera, None), drawn)


def keep_detector(changing: Changing, camera: str, detector: str, fitting: str | None) -> Carried:
    """Have a detector judge a camera, whether or not it is there yet; nothing where it does. Raises as `carry_out`."""
    with changing.store.together():
        before = _fitting_of(camera, changing)
        was = {} if before is None else {"detector": before.detector.folder, "fitting": before.folder}
        now = {"detector": detector, "fitting": fitting}
        if was != now:
            changing.store.cameras.fit(camera, detector_name(changing, detector), fitting)
        return changing.tell(f"detector of {camera}", "changed", was, now)


def detector_name(changing: Changing, folder: str) -> str:
    """The name of a detector: that of its folder, or the whole path where another one has that name."""
    known = {one.folder: one.name for one in changing.store.cameras.detectors()}
    if folder in known:
        return known[folder]
    name = Path(folder).name
    name = folder if not name or name in known.values() else name
    changing.store.cameras.put_detector(name, folder)
    return name


def _set_lines(changing: Changing, camera: str, profiles: tuple[str, ...], drawn: DrawnLine) -> Carried:
    before: Json = {}
    after: Json = {}
    for profile in profiles or ("",):
        wanted = drawn.record(camera, profile, changing.author)
        held = changing.store.cameras.line(camera, profile)
        if held is not None and held.changed(since=wanted.since, author=wanted.author) == wanted:
            continue
        changing.store.cameras.set_line(wanted)
        entry = profile or "line"
        if held is not None:
            before[entry] = {"false_alarms_per_day": held.asked_per_day, "on": held.on}
        after[entry] = {"false_alarms_per_day": wanted.asked_per_day, "on": wanted.on}
    return changing.tell(f"line of {camera}", "changed", before, after)


def _profiles(changing: Changing, camera: str, wanted: str | None) -> tuple[str, ...]:
    known = tuple(changing.store.cameras.profiles(camera)) or ("",)
    if wanted is not None and wanted not in known:
        raise UnknownNameError(f"camera '{camera}' has no profile '{wanted}'", hint=" | ".join(known))
    return known if wanted is None else (wanted,)


def _drawn(command: AddCamera) -> DrawnLine | None:
    """The line of a new camera; None where it is the calibration's own."""
    if command.detector is None:
        for entry in ("fitting", "false_alarms_per_day"):
            if getattr(command, entry) is not None:
                raise SettingsError(f"'{entry}' is of a detector, and there is none", wanted="detector")
        return None
    fitting = None if command.fitting is None else Path(command.fitting)
    if command.false_alarms_per_day is not None:
        return line_for(Path(command.detector), fitting, command.false_alarms_per_day)
    _refuse_damaged(Path(command.detector), fitting)
    return None


def _redrawn(detector: Path, fitting: Path | None, asked_per_day: float) -> DrawnLine:
    try:
        return line_for(detector, fitting, asked_per_day)
    except SettingsError:
        return line_for(detector, fitting, None)


def _refuse_damaged(detector: Path, fitting: Path | None) -> None:
    trained = open_trained(detector)
    if fitting is not None:
        Fitting.open(fitting, trained)


def _refuse_taken(name: str, changing: Changing, but: str | None = None) -> None:
    alike = [one.name for one in changing.store.cameras.all() if one.name.casefold() == name.casefold()]
    if taken := [one for one in alike if one != but]:
        raise ConflictError(f"there is a camera '{taken[0]}' already", hint="choose another name")


def _refuse_scene_and_profiles(settings: WatchSettings, profiles: Mapping[str, object]) -> None:
    if profiles and settings.scene:
        raise SettingsError(
            "a scene is of a camera without profiles", seen=settings.scene, wanted="the scene of each profile"
        )


def _of(name: str, changing: Changing, entry: OfFile) -> CameraRecord:
    """A camera that is watched, and that may be changed so."""
    record = changing.store.cameras.get(name)
    if record.removed_at is not None:
        raise UnknownNameError(f"camera '{record.name}' was removed", hint="add it again")
    if entry in record.of_file:
        what = {"camera": "", "detector": "the detector of ", "line": "the line of "}[entry]
        changing.refuse(f"{what}camera '{record.name}'")
    return record


def _fitting_of(camera: str, changing: Changing) -> FittingRecord | None:
    fittings = changing.store.cameras.fittings(camera)
    return fittings[0] if fittings and fittings[0].retired_at is None else None


def _kept(profiles: Profiles) -> dict[str, Json]:
    return {name: one.model_dump(mode="json", exclude_defaults=True) for name, one in profiles.items()}


def _told(settings: WatchSettings, profiles: Mapping[str, Any]) -> Json:
    """A camera for the log, but for its address: entries that are as usual are left out."""
    told = settings.kept()
    if (reading := told.pop("camera", None)) is not None:
        told[_READING] = reading
    kept = {name: one if isinstance(one, Mapping) else _kept({name: one})[name] for name, one in profiles.items()}
    return told | ({"profiles": kept} if kept else {})
