"""Brings a site's store to agree with its file. What the file says counts, and what it names no more is removed.

What people added beside it is left as it is. A camera that is removed keeps its events. Nothing is written where
nothing has changed, and every step can be done again: where it is interrupted, the next start goes on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from oddframe.errors import OddframeError, SettingsError
from oddframe.records import Record
from oddframe.scoring.regions import FILE as REGIONS
from oddframe.scoring.regions import Regions
from oddframe.site.commands import (
    AddCamera,
    AddSink,
    Carried,
    ChangeCamera,
    ChangeSink,
    Command,
    NameSite,
    RemoveCamera,
    RemoveSink,
    SetRetention,
    carry_out,
)
from oddframe.site.commands.cameras import keep_detector, keep_line
from oddframe.site.commands.changing import Changing
from oddframe.site.commands.line import DrawnLine, line_for
from oddframe.site.commands.whole import SITE_FILE
from oddframe.site.learning import ask, asked_of, change
from oddframe.site.planning.plan import CameraPlan, SinkPlan, SitePlan
from oddframe.site.store import Store
from oddframe.site.store.records import OfFile

AUTHOR = "site file"
"""Of lines and of entries in the log of changes."""


class Applied(Record):
    """What was changed in the store, as "camera gate". All is empty where it agreed already."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def apply_plan(plan: SitePlan, store: Store) -> Applied:
    """Bring a store to agree with a plan.

    Args:
        store: of the site, opened with its key.

    Raises:
        SettingsError: the regions of a camera are not those of its fitting, or it asks for a rate of false alarms and
            nothing is kept to draw such a line on. RunError: a detector or fitting is not there, or is damaged. Nothing
            is written then.
        StoreError, StorageError: the store cannot be written.
    """
    lines = {}
    for name, camera in plan.cameras.items():
        if camera.detector is not None:
            with _of_camera(name):
                _refuse_other_regions(camera)
                if camera.false_alarms_per_day is not None or _drew(store, name):
                    lines[name] = line_for(Path(camera.detector), _path(camera.fitting), camera.false_alarms_per_day)
    return _Applying(plan, store, lines).all()


def release(store: Store) -> None:
    """Give to people what a site's file once said: the site is run without one now.

    Raises:
        StoreError, StorageError: the store cannot be written.
    """
    with store.together():
        cameras = [one for one in store.cameras.all() if one.of_file]
        sinks = [one for one in store.sinks.all() if one.of_file]
        for camera in cameras:
            store.cameras.belongs(camera.name, ())
        for sink in sinks:
            store.sinks.put(sink.changed(of_file=False))
        said = store.journal.get(SITE_FILE) or {}
        if cameras or sinks or said.get("says"):
            store.journal.set(SITE_FILE, {"says": []})
            names = [f"camera {one.name}" for one in cameras] + [f"sink {one.name}" for one in sinks]
            store.journal.log(AUTHOR, "released", "site", {"note": "the site runs without a file", "was": names})


def _drew(store: Store, camera: str) -> bool:
    """Whether the line of this camera is one that its site's file once asked for."""
    if camera not in {one.name for one in store.cameras.all(removed=True)}:
        return False
    lines = (store.cameras.line(camera, profile) for profile in ("", *store.cameras.profiles(camera)))
    return any(line is not None and line.author == AUTHOR for line in lines)


def _refuse_other_regions(camera: CameraPlan) -> None:
    """What is normal was found with the regions of the fitting: with others, its line would not hold."""
    if camera.fitting is None or not camera.regions.regions():
        return
    fitted = Path(camera.fitting) / REGIONS
    if not fitted.is_file() or Regions.read(fitted) != camera.regions.regions():
        raise SettingsError(
            "its regions are not those that its fitting was made with",
            path=fitted,
            hint=f"oddframe site regions SITE.yaml CAMERA regions.json; oddframe calibrate {camera.detector} "
            f"NORMAL_VIDEO --regions regions.json --out {camera.fitting}",
        )


@contextlib.contextmanager
def _of_camera(name: str) -> Iterator[None]:
    """Name the camera in what is wrong with it."""
    try:
        yield
    except OddframeError as error:
        told = error.to_dict()
        raise OddframeError.from_dict(told | {"problem": f"camera '{name}': {error.problem}"}) from None


class _Applying:
    """One pass over a plan."""

    def __init__(self, plan: SitePlan, store: Store, lines: Mapping[str, DrawnLine]) -> None:
        self._plan, self._store, self._lines = plan, store, lines
        self._changing = Changing(store, AUTHOR, of_file=True)
        self._added: list[str] = []
        self._updated: list[str] = []
        self._removed: list[str] = []

    def all(self) -> Applied:
        self._whole()
        self._cameras()
        self._sinks()
        return Applied(added=tuple(self._added), updated=tuple(self._updated), removed=tuple(self._removed))

    def _whole(self) -> None:
        """What the file says of the site as a whole; the rest is for people to say."""
        plan = self._plan
        entries = {"site": "name", "time_zone": "time_zone", "retention": "retention"}
        says = [entries[one] for one in entries if one in plan.model_fields_set]
        before = (self._store.journal.get(SITE_FILE) or {}).get("says", ())
        if list(before) != says:
            self._store.journal.set(SITE_FILE, {"says": says})
        due = {*before, *says}  # what it says no more is as usual again
        names = {"name": plan.site} if "name" in due else {}
        names |= {"time_zone": plan.time_zone or ""} if "time_zone" in due else {}
        if names:
            self._tell(self._carry(NameSite(**names)), "site")
        if "retention" in due:
            self._tell(self._carry(SetRetention(retention=plan.retention)), "retention")

    def _cameras(self) -> None:
        shelf = self._store.cameras
        known = {one.name: one for one in shelf.all()}
        for name, record in known.items():
            if record.of_file and name not in self._plan.cameras:
                self._tell(self._carry(RemoveCamera(camera=name)), f"camera {name}")
        for name, camera in self._plan.cameras.items():
            with self._store.together():
                self._camera(name, camera, is_new=name not in known)

    def _camera(self, name: str, camera: CameraPlan, *, is_new: bool) -> None:
        settings = self._plan.camera_settings(name)
        steps = []
        if is_new:
            steps.append(
                self._carry(AddCamera(name=name, address=camera.address, settings=settings, profiles=camera.profiles))
            )
        else:
            wanted = settings.model_dump() | {"reading": settings.camera, "regions": settings.regions}
            wanted.pop("camera")
            steps.append(
                self._carry(ChangeCamera(camera=name, address=camera.address, profiles=camera.profiles, **wanted))
            )
        if camera.detector is not None:  # without one in the file a camera keeps what it may have learned
            steps.append(keep_detector(self._changing, name, camera.detector, camera.fitting))
        if (drawn := self._lines.get(name)) is not None:
            steps.append(keep_line(self._changing, name, drawn))
        self._learn(name, camera)
        says = _says(camera)
        if self._store.cameras.get(name).of_file != says:
            self._store.cameras.belongs(name, says)
        first = next((one for one in steps if one.action != "nothing"), steps[0])
        self._tell(first, f"camera {name}")

    def _learn(self, name: str, camera: CameraPlan) -> None:
        """Have a camera learn where the file asks for something else than it did before."""
        store, how = self._store, camera.learn
        before = asked_of(store, store.cameras.get(name).id)
        asked = None if before is None else before.by_file
        if how is not None and asked != how.kept():
            ask(store, name, how, AUTHOR, of_file=True)
        elif how is None and asked is not None:
            change(store, name, AUTHOR, "stop learning", lambda one: one.changed(stopped=True, by_file=None))

    def _sinks(self) -> None:
        known = {one.name: one for one in self._store.sinks.all()}
        for name, record in known.items():
            if record.of_file and name not in self._plan.sinks:
                self._tell(self._carry(RemoveSink(sink=name)), f"sink {name}")
        for name, sink in self._plan.sinks.items():
            command = AddSink if name not in known or known[name].kind != sink.kind else ChangeSink
            if name in known and command is AddSink:  # another kind under the same name
                self._carry(RemoveSink(sink=name))
            self._tell(self._carry(_of_sink(name, sink, command)), f"sink {name}")

    def _carry(self, command: Command) -> Carried:
        return carry_out(command, self._store, AUTHOR, of_file=True)

    def _tell(self, carried: Carried, what: str) -> None:
        where = {"added": self._added, "changed": self._updated, "removed": self._removed}
        if carried.action != "nothing":
            where[carried.action].append(what)


def _says(camera: CameraPlan) -> tuple[OfFile, ...]:
    """What the file says of a camera."""
    says: list[OfFile] = ["camera"]
    if camera.detector is not None:
        says.append("detector")
    if camera.false_alarms_per_day is not None:
        says.append("line")
    return tuple(says)


def _of_sink(name: str, sink: SinkPlan, command: type[AddSink | ChangeSink]) -> Command:
    record = sink.record(name)
    said = {entry: getattr(record, entry) for entry in ("url", "secret", "sends", "cameras", "enabled", "settings")}
    if command is AddSink:
        return AddSink(name=name, kind=sink.kind, **said)
    return ChangeSink(sink=name, **said)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
