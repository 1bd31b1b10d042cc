"""Cameras, the detectors that watch them, their profiles, and the lines at which alarms begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from oddframe.errors import ConflictError, SecretsError, UnknownNameError, nearest
from oddframe.site.secrets import Vault
from oddframe.site.store.database import Database
from oddframe.site.store.models import Camera, Detector, Fitting, FormerName, Line, Profile, SinkRow
from oddframe.site.store.places import Places
from oddframe.site.store.records import (
    CameraRecord,
    DetectorRecord,
    FittingRecord,
    LineRecord,
    OfFile,
    WatchedCamera,
)
from oddframe.site.store.shelf import Clock, Shelf, camera_id


class Cameras(Shelf):
    """What watches, and how."""

    def __init__(self, database: Database, clock: Clock, vault: Vault | None, places: Places) -> None:
        super().__init__(database, clock)
        self._vault, self._places = vault, places

    def put(
        self,
        name: str,
        address: str | SecretStr,
        masked: str,
        settings: Mapping[str, Any] | None = None,
        *,
        of_file: Sequence[OfFile] = (),
    ) -> CameraRecord:
        """Add a camera, or change the one of this name; one that was removed is there again.

        Args:
            address: as it is; it is stored locked. masked: the same for people to see. settings: nothing secret.
            of_file: what the site's file says of it.
        """
        plain = address.get_secret_value() if isinstance(address, SecretStr) else address
        with self._database.writing() as session:
            row = session.scalars(select(Camera).where(Camera.name == name)).first()
            if row is None:
                session.execute(delete(FormerName).where(FormerName.name == name))
                row = Camera(name=name, address="", added_at=self._clock())
                session.add(row)
            if not self._is(row, plain):
                row.address = opened(self._vault).lock(plain)
            row.masked, row.of_file = masked, list(of_file)
            row.settings, row.removed_at = dict(settings or {}), None
            session.flush()
            return _camera(row)

    def _is(self, row: Camera, address: str) -> bool:
        """Whether a camera has this address; one that does not open with this key is another one."""
        try:
            return bool(row.address) and opened(self._vault).unlock(row.address) == address
        except SecretsError:
            return False

    def rename(self, name: str, new: str) -> None:
        """Give a camera another name. What speaks of it by the one before still finds it; sinks get its messages.

        Raises:
            UnknownNameError: there is none of this name.
            ConflictError: another one has the new name, or had it until it was removed.
        """
        with self._database.writing() as session:
            row = session.get(Camera, camera_id(session, name))
            assert row is not None
            before, other = row.name, session.scalars(select(Camera).where(Camera.name == new)).first()
            if other is not None and other.id != row.id:
                removed = "" if other.removed_at is None else " that was removed, whose events are kept under it"
                raise ConflictError(f"the name '{new}' is that of another camera{removed}", hint="choose another name")
            session.execute(delete(FormerName).where(FormerName.name.in_((before, new))))
            row.name = new
            session.add(FormerName(name=before, camera_id=row.id))
            for sink in session.scalars(select(SinkRow)):
                if sink.cameras is not None and before in sink.cameras:
                    sink.cameras = [new if one == before else one for one in sink.cameras]

    def belongs(self, name: str, of_file: Sequence[OfFile]) -> None:
        """Keep what the site's file says of a camera."""
        with self._database.writing() as session:
            row = session.get(Camera, camera_id(session, name))
            assert row is not None
            row.of_file = list(of_file)

    def remove(self, name: str) -> None:
        """Watch a camera no longer. Its events stay, its address goes.

        Raises:
            UnknownNameError: there is none of this name.
        """
        with self._database.writing() as session:
            row = session.get(Camera, camera_id(session, name))
            assert row is not None
            row.address, row.removed_at = "", self._clock()

    def all(self, *, removed: bool = False) -> list[CameraRecord]:
        """All cameras, by name; with `removed` also those that are watched no longer."""
        query = select(Camera).order_by(Camera.name)
        if not removed:
            query = query.where(Camera.removed_at.is_(None))
        with self._database.reading() as session:
            return [_camera(row) for row in session.scalars(query)]

    def get(self, name: str) -> CameraRecord:
        """A camera.

        Raises:
            UnknownNameError: there is none of this name.
        """
        with self._database.reading() as session:
            row = session.get(Camera, camera_id(session, name))
            assert row is not None
            return _camera(row)

    def address(self, name: str) -> SecretStr:
        """The address of a camera that is watched.

        Raises:
            UnknownNameError: there is none of this name, or it was removed.
            SecretsError: the key file is not the one with which it was locked.
        """
        with self._database.reading() as session:
            row = session.get(Camera, camera_id(session, name))
        assert row is not None
        if row.removed_at is not None:
            raise UnknownNameError(f"camera '{name}' was removed", hint="add it again")
        return SecretStr(opened(self._vault).unlock(row.address))

    def put_detector(self, name: str, folder: str, about: Mapping[str, Any] | None = None) -> DetectorRecord:
        """Add a detector, or change the one of this name."""
        with self._database.writing() as session:
            row = session.scalars(select(Detector).where(Detector.name == name)).first()
            if row is None:
                row = Detector(name=name, added_at=self._clock())
                session.add(row)
            row.folder, row.about = self._places.kept(folder), dict(about or {})
            session.flush()
            return self._detector(row)

    def detectors(self) -> list[DetectorRecord]:
        """All detectors, by name."""
        with self._database.reading() as session:
            return [self._detector(row) for row in session.scalars(select(Detector).order_by(Detector.name))]

    def moved(self, before: Path, now: Path) -> None:
        """The site's folder lies elsewhere now: what lies in it does, too.

        Args:
            before, now: the folder, absolute.
        """
        with self._database.writing() as session:
            for row in [*session.scalars(select(Detector)), *session.scalars(select(Fitting))]:
                if row.folder is not None and Path(row.folder).is_relative_to(before):
                    row.folder = str(now / Path(row.folder).relative_to(before))

    def fit(
        self, camera: str, detector: str, folder: str | None = None, about: Mapping[str, Any] | None = None
    ) -> FittingRecord:
        """Have a camera watched by a detector from now on; the fitting before it is retired, and kept.

        Args:
            folder: of its calibration; None for the detector's own.

        Raises:
            UnknownNameError: there is no such camera or detector.
        """
        with self._database.writing() as session:
            watched, now = camera_id(session, camera), self._clock()
            of = session.scalars(select(Detector).where(Detector.name == detector)).first()
            if of is None:
                known = session.scalars(select(Detector.name)).all()
                raise UnknownNameError(f"there is no detector '{detector}'", hint=nearest(detector, known))
            _retire(session, watched, now)
            row = Fitting(
                camera_id=watched,
                detector_id=of.id,
                folder=None if folder is None else self._places.kept(folder),
                about=dict(about or {}),
                made_at=now,
                retired_at=None,
            )
            session.add(row)
            session.flush()
            return self._fitting(row, camera, of)

    def retire(self, camera: str) -> None:
        """Have a camera watched by no detector from now on; what judged it before is kept."""
        with self._database.writing() as session:
            _retire(session, camera_id(session, camera), self._clock())

    def fittings(self, camera: str) -> list[FittingRecord]:
        """All fittings of a camera, the one that counts first (it has no `retired_at`), then the latest ones."""
        with self._database.reading() as session:
            query = (
                select(Fitting, Detector)
                .join(Detector)
                .where(Fitting.camera_id == camera_id(session, camera))
                .order_by(Fitting.id.desc())
            )
            return [self._fitting(row, camera, detector) for row, detector in session.execute(query)]

    def set_profiles(self, camera: str, profiles: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep the profiles of a camera: name → when it holds, in place of those before."""
        with self._database.writing() as session:
            watched = camera_id(session, camera)
            session.execute(delete(Profile).where(Profile.camera_id == watched))
            session.add_all(Profile(camera_id=watched, name=name, hours=dict(when)) for name, when in profiles.items())

    def profiles(self, camera: str) -> dict[str, Mapping[str, Any]]:
        """The profiles of a camera: name → when it holds."""
        with self._database.reading() as session:
            query = select(Profile).where(Profile.camera_id == camera_id(session, camera)).order_by(Profile.id)
            return {row.name: row.hours for row in session.scalars(query)}

    def watched(self) -> list[WatchedCamera]:
        """All cameras, by name, with what says how they are watched, at one moment."""
        with self._database.reading() as session:
            rows = session.scalars(select(Camera).where(Camera.removed_at.is_(None)).order_by(Camera.name)).all()
            names = {row.id: row.name for row in rows}
            profiles = dict[int, dict[str, Mapping[str, Any]]]()
            for profile in session.scalars(select(Profile).order_by(Profile.id)):
                profiles.setdefault(profile.camera_id, {})[profile.name] = profile.hours
            latest = select(func.max(Line.id)).group_by(Line.camera_id, Line.profile)
            lines = dict[int, dict[str, LineRecord]]()
            for line in session.scalars(select(Line).where(Line.id.in_(latest))):
                if line.camera_id in names:
                    lines.setdefault(line.camera_id, {})[line.profile] = _line(line, names[line.camera_id])
            fittings = dict[int, FittingRecord]()
            held = select(Fitting, Detector).join(Detector).where(Fitting.retired_at.is_(None)).order_by(Fitting.id)
            for fitting, detector in session.execute(held):
                if fitting.camera_id in names:
                    fittings[fitting.camera_id] = self._fitting(fitting, names[fitting.camera_id], detector)
            return [
                WatchedCamera(
                    camera=_camera(row),
                    locked=row.address,
                    fitting=fittings.get(row.id),
                    profiles=profiles.get(row.id, {}),
                    lines=lines.get(row.id, {}),
                )
                for row in rows
            ]

    def set_line(self, line: LineRecord) -> None:
        """Keep where alarms begin from now on; the lines before stay, as history."""
        with self._database.writing() as session:
            session.add(
                Line(
                    camera_id=camera_id(session, line.camera),
                    on_score=line.on,
                    off_score=line.off,
                    **{name: getattr(line, name) for name in _OF_LINE},
                )
            )

    def line(self, camera: str, profile: str = "") -> LineRecord | None:
        """The line that counts; None where none was ever set."""
        with self._database.reading() as session:
            rows = _lines(session, camera, profile, limit=1)
        return rows[0] if rows else None

    def lines(self, camera: str, profile: str = "") -> list[LineRecord]:
        """All lines that there were, the latest first."""
        with self._database.reading() as session:
            return list(_lines(session, camera, profile, limit=None))

    def _detector(self, row: Detector) -> DetectorRecord:
        folder = self._places.here(row.folder)
        return DetectorRecord(id=row.id, name=row.name, folder=folder, about=row.about, added_at=row.added_at)

    def _fitting(self, row: Fitting, camera: str, detector: Detector) -> FittingRecord:
        return FittingRecord(
            id=row.id,
            camera=camera,
            detector=self._detector(detector),
            folder=None if row.folder is None else self._places.here(row.folder),
            about=row.about,
            made_at=row.made_at,
            retired_at=row.retired_at,
        )


_OF_LINE = ("profile", "since", "asked_per_day", "vouched_per_day", "hours", "note", "author")


def opened(vault: Vault | None) -> Vault:
    """The vault, where this process has it.

    Raises:
        SecretsError: it has not.
    """
    if vault is None:
        raise SecretsError("this process has no key", hint="open the store with its key file")
    return vault


def _lines(session: Session, camera: str, profile: str, limit: int | None) -> Sequence[LineRecord]:
    query = (
        select(Line)
        .where(Line.camera_id == camera_id(session, camera), Line.profile == profile)
        .order_by(Line.id.desc())
        .limit(limit)
    )
    return [_line(row, camera) for row in session.scalars(query)]


def _line(row: Line, camera: str) -> LineRecord:
    told = {name: getattr(row, name) for name in _OF_LINE}
    return LineRecord(camera=camera, on=row.on_score, off=row.off_score, **told)


def _retire(session: Session, camera: int, now: datetime) -> None:
    for row in session.scalars(select(Fitting).where(Fitting.camera_id == camera, Fitting.retired_at.is_(None))):
        row.retired_at = now


def _camera(row: Camera) -> CameraRecord:
    return CameraRecord(
        id=row.id,
        name=row.name,
        masked=row.masked,
        settings=row.settings,
        of_file=tuple(row.of_file),
        added_at=row.added_at,
        removed_at=row.removed_at,
    )
