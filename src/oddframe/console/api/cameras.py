"""Cameras: how they are now, how they were, and what came of their lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from oddframe.console.access.door import TheSite, TheStore, Viewer
from oddframe.console.api.fields import InPath, Moment
from oddframe.console.running import RunningSite
from oddframe.errors import UnknownNameError
from oddframe.records import Record
from oddframe.site.overview import CameraOverview, overview
from oddframe.site.store.records import HealthRecord, LineRecord, WatchedDayRecord

router = APIRouter(prefix="/cameras", tags=["cameras"])

Days = Annotated[int, Query(ge=1, le=366)]


class Judged(Record):
    """How a camera is judged, as the engine has it now.

    Attributes:
        profile: that holds. score, scored_at: of the last judged frame; higher is odder. line: where an alarm begins.
        lately: what 50, 90 and 99 of 100 scores of the last thousand frames stay below. alarm: whether an event lasts.
        judged, dropped: frames since the engine was started, and those without a score by reason. doubted: events that
            were not told of, since they came of the camera.
        notes: what its owner must know.
    """

    profile: str
    score: float | None
    scored_at: datetime | None
    lately: tuple[float, float, float] | None
    line: float
    alarm: bool
    judged: int
    dropped: dict[str, int]
    doubted: int
    notes: tuple[str, ...]


class CameraOut(CameraOverview):
    """A camera, as its overview says it. detector: its name alone. now: None where the engine does not watch it."""

    now: Judged | None


@router.get("")
def cameras(_: Viewer, site: TheSite, store: TheStore) -> list[CameraOut]:
    """All cameras, by name."""
    now = _judged(site)
    return [_out(one, now.get(one.name)) for one in overview(store).cameras]


@router.get("/{camera}")
def camera(camera: InPath, _: Viewer, site: TheSite) -> CameraOut:
    """One camera."""
    return camera_out(camera, site)


@router.get("/{camera}/health")
def health(camera: InPath, _: Viewer, store: TheStore, since: Moment | None = None) -> list[HealthRecord]:
    """The states of a camera since a moment, of the last day without it; the latest first, a thousand at most."""
    return store.health.history(camera, since or datetime.now(UTC) - timedelta(days=1))


@router.get("/{camera}/days")
def days(camera: InPath, _: Viewer, store: TheStore, last: Days = 30) -> list[WatchedDayRecord]:
    """What came of the camera's lines on each of the last days (UTC): asked for, and seen."""
    store.cameras.get(camera)
    until = datetime.now(UTC).date() + timedelta(days=1)
    return store.watched.days(until - timedelta(days=last), until, cameras=[camera])


@router.get("/{camera}/lines")
def lines(camera: InPath, _: Viewer, store: TheStore) -> list[LineRecord]:
    """The line of each profile that counts now. Without any, the detector's own one counts."""
    profiles = ("", *store.cameras.profiles(camera))
    return [line for profile in profiles if (line := store.cameras.line(camera, profile)) is not None]


@router.get("/{camera}/lines/history")
def lines_before(
    camera: InPath, _: Viewer, store: TheStore, profile: Annotated[str, Query(max_length=64)] = ""
) -> list[LineRecord]:
    """All lines that a profile had, the latest first."""
    return store.cameras.lines(camera, profile)


def camera_out(camera: str, site: RunningSite) -> CameraOut:
    """A camera as it is now, by its name or by one that it had before.

    Raises:
        UnknownNameError: there is none of this name, or it was removed.
    """
    name = site.store.cameras.get(camera).name
    found = next((one for one in overview(site.store).cameras if one.name == name), None)
    if found is None:
        raise UnknownNameError(f"camera '{name}' was removed", hint="its events are still there")
    return _out(found, _judged(site).get(name))


def _judged(site: RunningSite) -> dict[str, Judged]:
    status = site.status
    return (
        {}
        if status is None
        else {
            one.name: Judged(
                profile=one.profile,
                score=one.score,
                scored_at=one.scored_at,
                lately=one.lately,
                line=one.line,
                alarm=one.alarm,
                judged=one.judged,
                dropped={why: many for why, many in (one.counts.dropped | one.dropped).items() if many},
                doubted=one.doubted,
                notes=one.notes,
            )
            for one in status.cameras
        }
    )


def _out(one: CameraOverview, now: Judged | None) -> CameraOut:
    facts = dict(one) | {"detector": None if one.detector is None else Path(one.detector).name}
    return CameraOut(**facts, now=now)
