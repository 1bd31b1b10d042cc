"""Which cameras are watched, by which detector, with which lines: as the store has it, followed while it changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from oddframe.cameras.address import Address
from oddframe.cameras.camera import Camera
from oddframe.cameras.clip import Polygon
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.state import HealthState, now
from oddframe.errors import OddframeError, SettingsError
from oddframe.scoring.regions import Regions
from oddframe.scoring.scorer import Scorer
from oddframe.scoring.scores import AlarmLine
from oddframe.scoring.taught_file import Stamp, stamp_of
from oddframe.site.engine import Engine
from oddframe.site.events import EndedBy
from oddframe.site.messages import NO_DETECTOR
from oddframe.site.profiles import Profile
from oddframe.site.recording import Source, Wanted, keeps_s, wanted
from oddframe.site.remembering import Scribe
from oddframe.site.schedule import holds
from oddframe.site.shapes import RegionsSettings, WatchSettings, first_of
from oddframe.site.store import Store
from oddframe.site.store.records import CameraRecord, LineRecord, WatchedCamera
from oddframe.site.watch import Watch

_LOG = logging.getLogger(__name__)

_DAY_H = 24.0


_SMALL, _SLOW_FPS = (64, 64), 1.0
"""Pictures of a camera that nothing judges: nobody looks at them."""
_COLLECTS = "normal video is collected, and nothing watches yet"
_OTHER_REGIONS = "other places count than those with which its line was drawn: fit its detector anew, so that it holds"


@dataclass(frozen=True)
class _Reading:
    """How a camera is read; what else of it changes goes on with the same pictures."""

    locked: str
    settings: CameraSettings
    size: tuple[int, int]
    fps: float | None
    channels: int
    resize: str


@dataclass(frozen=True)
class _Judging:
    """By what a camera is judged; where it is another, its events begin anew."""

    fitting: int
    detector: str
    folder: str | None
    profiles: tuple[tuple[str, Mapping[str, Any]], ...]
    scene: str
    regions: RegionsSettings | None
    blackened: tuple[Polygon, ...]
    stand_in: bool


@dataclass
class _ReadOnly:
    """A camera that is read and not watched, and what it was made of."""

    camera: Camera
    locked: str
    settings: CameraSettings


@dataclass
class _Watched:
    """A camera that is watched, and what that was made of."""

    name: str
    watch: Watch
    reading: _Reading
    judging: _Judging
    camera: Camera


class Cast:
    """Has an engine watch the cameras of a store; `look` again and again. For one thread.

    What has changed of one camera disturbs no other. Where its name, its lines or its private places are others, it is
    watched on; where its detector, profiles or regions are, it is read on; only another address, or other settings by
    which it is read, have it opened anew.

    A camera that learns is read also where nothing judges it yet, for pieces of its video (`sources`).

    Args:
        store: with its key. engine: which watches.
        backend: what computes the scores, see `runtimes.choose`. scribe: writes what is remembered of events.
        machine: whose cameras are watched, where several share the store; all of them without it.

    Attributes:
        leaving: the numbers of cameras that it let go of, for another machine.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        *,
        backend: str = "auto",
        scribe: Scribe | None = None,
        machine: str | None = None,
    ) -> None:
        self._store, self._engine, self._backend, self._scribe = store, engine, backend, scribe
        self._machine, self.leaving = machine, frozenset[int]()
        self._taught: dict[int, Stamp | None] = {}
        self._scorers: dict[str, Scorer] = {}
        self._watched: dict[int, _Watched] = {}
        """Cameras by their number, which stays where their name changes."""
        self._wrong: dict[int, tuple[HealthState, str]] = {}
        self._read_only: dict[int, _ReadOnly] = {}
        self._wishes: dict[int, Wanted] = {}
        self._sources: dict[int, Source] = {}

    def sources(self) -> dict[int, Source]:
        """Camera's number → it, of those that are read now; from any thread."""
        return self._sources

    def close(self) -> None:
        """Let go of the cameras that are read and not watched; those that are watched are the engine's."""
        for number in [*self._read_only]:
            self._read_no_more(number)

    def look(self) -> None:
        """Do what has changed in the store since the last call. A camera that cannot be watched harms no other.

        Raises:
            StoreError: the store cannot be read.
        """
        cameras = {one.camera.id: one for one in self._store.cameras.watched()}
        known, leaving = set(cameras), frozenset[int]()
        if self._machine is not None:
            held = self._store.leases.held(self._machine)
            cameras = {number: one for number, one in cameras.items() if held.get(number) is False}
            leaving = frozenset(number for number, leaves in held.items() if leaves)
        self._wishes = {number: wish for number, wish in wanted(self._store).items() if number in cameras}
        for number in [*self._watched]:
            if number not in cameras:
                self._drop(number, "stop" if number in known else "removed")
        for number in [*self._wrong]:
            if number not in cameras:  # where it is here again, it is told again
                del self._wrong[number]
        for number in [*self._read_only]:
            if number not in cameras:
                self._read_no_more(number)
        self._rename(cameras)
        for number, told in cameras.items():
            try:
                if self._look_at(told):
                    self._wrong.pop(number, None)
            except OddframeError as error:
                self._drop(number, "stop")
                self._tell(told.camera, HealthState.OFFLINE, error.in_one_line())
        self._forget(cameras)
        self.leaving = leaving
        self._sources = self._read_now(cameras)

    def _rename(self, cameras: Mapping[int, WatchedCamera]) -> None:
        """All at once, since two cameras may have changed names with each other."""
        names = {}
        for number, held in self._watched.items():
            if held.name != (name := cameras[number].camera.name):
                names[held.name], held.name = name, name
        if names:
            self._engine.rename(names)

    def _look_at(self, told: WatchedCamera) -> bool:
        """Do what has changed of a camera; return whether it is watched."""
        record = told.camera
        settings = self._keeping(record.id, WatchSettings.of(record.name, record.settings))
        watches = holds(settings.watches, now())
        if told.fitting is None:
            self._drop(record.id, "stop")
            if watches and record.id in self._wishes:
                self._read(told, settings)
            else:
                self._read_no_more(record.id)
                self._tell(record, HealthState.LEARNING, NO_DETECTOR)
            return False
        self._read_no_more(record.id)
        if not watches:
            self._drop(record.id, "stop")
            self._tell(record, HealthState.OFF, "it does not watch at this hour")
            return False
        judging = _Judging(
            told.fitting.id,
            told.fitting.detector.folder,
            told.fitting.folder,
            tuple(told.profiles.items()),
            settings.scene,
            settings.regions,
            tuple(tuple((x, y) for x, y in polygon) for polygon in told.fitting.about.get("private", ())),
            told.fitting.stand_in,
        )
        held = self._watched.get(record.id)
        taught = None if judging.folder is None else stamp_of(Path(judging.folder))
        if held is None or held.judging != judging or not _read_so(held.reading, told, settings):
            self._watch(told, settings, judging, held)
            self._taught[record.id] = taught
            return True
        held.watch.private = settings.private
        if taught != self._taught[record.id]:
            self._engine.teach(record.name, self._scorer(judging))
            self._taught[record.id] = taught
        for profile in held.watch.profiles:
            if (line := told.lines.get(profile.name)) is not None:
                self._engine.set_line(record.name, profile.name, as_line(line))
        return True

    def _watch(self, told: WatchedCamera, settings: WatchSettings, judging: _Judging, held: _Watched | None) -> None:
        name = told.camera.name
        scorer = self._scorer(judging)
        profiles = profiles_of(told.profiles) or (Profile(scene=settings.scene),)
        reading = _Reading(
            told.locked,
            settings.camera,
            scorer.runtime.size,
            scorer.rate(profiles[0].judged_as).fps,
            scorer.runtime.channels,
            scorer.run.settings.data.resize,
        )
        camera = held.camera if held is not None and held.reading == reading else self._camera(name, reading)
        watch = Watch(
            name,
            camera,
            scorer,
            profiles=profiles,
            lines={one.name: as_line(told.lines[one.name]) for one in profiles if one.name in told.lines},
            fitting=judging.fitting,
            private=settings.private,
            scribe=self._scribe,
            number=told.camera.id,
            notes=(_OTHER_REGIONS,) if _other_regions(scorer, judging) else (),
            blackened=judging.blackened,
            stand_in=judging.stand_in,
        )
        self._watched[told.camera.id] = _Watched(name, watch, reading, judging, camera)
        self._engine.add(watch)

    def _camera(self, name: str, reading: _Reading) -> Camera:
        return Camera(
            Address.parse(self._store.cameras.address(name).get_secret_value()),
            reading.settings,
            reading.size,
            reading.fps,
            channels=reading.channels,
            resize=reading.resize,  # type: ignore[arg-type]
        )

    def _scorer(self, judging: _Judging) -> Scorer:
        """Cameras that share a detector share what computes it."""
        folder = judging.detector
        if folder not in self._scorers:
            self._scorers[folder] = Scorer(Path(folder), backend=self._backend)
        scorer = self._scorers[folder]
        scorer = scorer if judging.folder is None else scorer.with_fitting(judging.folder)
        return scorer if judging.regions is None else scorer.with_regions(judging.regions.regions())

    def _keeping(self, number: int, settings: WatchSettings) -> WatchSettings:
        """Settings with as much encoded video kept as is needed for the pieces that are wanted."""
        if (wish := self._wishes.get(number)) is None:
            return settings
        reading = settings.camera
        seconds = max(reading.keep_s, keeps_s(wish, reading.health))
        megabytes = reading.keep_mb * max(1.0, seconds / max(reading.keep_s, 1.0))
        kept = reading.model_copy(update={"keep_s": seconds, "keep_mb": megabytes})
        return settings.model_copy(update={"camera": kept})

    def _read(self, told: WatchedCamera, settings: WatchSettings) -> None:
        """Read a camera that nothing judges yet."""
        record = told.camera
        held = self._read_only.get(record.id)
        if held is None or (held.locked, held.settings) != (told.locked, settings.camera):
            self._read_no_more(record.id)
            address = Address.parse(self._store.cameras.address(record.name).get_secret_value())
            camera = Camera(address, settings.camera, _SMALL, _SLOW_FPS)
            held = self._read_only[record.id] = _ReadOnly(camera, told.locked, settings.camera)
            camera.start()
        health = held.camera.health
        well = health.state is HealthState.ONLINE
        state, why = (HealthState.LEARNING, _COLLECTS) if well else (health.state, health.reason)
        self._tell(record, state, why)

    def _read_no_more(self, number: int) -> None:
        if (held := self._read_only.pop(number, None)) is not None:
            held.camera.stop()

    def _read_now(self, cameras: Mapping[int, WatchedCamera]) -> dict[int, Source]:
        found = {}
        held = {number: one.camera for number, one in self._read_only.items()}
        held |= {number: one.camera for number, one in self._watched.items()}
        for number in held.keys() & self._wishes.keys():
            told = cameras[number]
            settings = WatchSettings.of(told.camera.name, told.camera.settings)
            profiles = profiles_of(told.profiles) or (Profile(scene=settings.scene),)
            found[number] = Source(told.camera.name, held[number], profiles, settings.private)
        return found

    def _forget(self, cameras: Mapping[int, WatchedCamera]) -> None:
        """Let go of detectors by which nothing is judged any more."""
        used = {one.fitting.detector.folder for one in cameras.values() if one.fitting is not None}
        self._scorers = {folder: scorer for folder, scorer in self._scorers.items() if folder in used}

    def _drop(self, number: int, ended_by: EndedBy) -> None:
        held = self._watched.pop(number, None)
        if held is not None:
            self._engine.remove(held.name, ended_by)

    def _tell(self, camera: CameraRecord, state: HealthState, reason: str) -> None:
        if self._wrong.get(camera.id) != (state, reason):
            self._wrong[camera.id] = state, reason
            _LOG.warning("%s: %s", camera.name, reason)
            self._store.health.changed(camera.name, state, reason)


def _read_so(reading: _Reading, told: WatchedCamera, settings: WatchSettings) -> bool:
    return (reading.locked, reading.settings) == (told.locked, settings.camera)


def _other_regions(scorer: Scorer, judging: _Judging) -> bool:
    fitted = Regions() if scorer.fitting is None else scorer.fitting.regions
    return judging.regions is not None and scorer.regions != fitted


def as_line(line: LineRecord) -> AlarmLine:
    """A line as the engine takes it."""
    vouched = None if line.vouched_per_day is None else line.vouched_per_day / _DAY_H
    return AlarmLine(line.on, line.off, vouched, line.asked_per_day / _DAY_H, line.note)


def profiles_of(kept: Mapping[str, Mapping[str, Any]]) -> tuple[Profile, ...]:
    """Profiles as `Cameras.set_profiles` keeps them: name → the other entries of `Profile`.

    Raises:
        SettingsError: an entry that is none of a profile's, or no time of day.
    """
    try:
        return tuple(Profile(name=name, **dict(when)) for name, when in kept.items())
    except (ValidationError, TypeError) as error:
        seen = first_of(error) if isinstance(error, ValidationError) else str(error)
        raise SettingsError(
            "a profile is not as it should be", seen=seen, wanted=", ".join(Profile.model_fields)
        ) from None
