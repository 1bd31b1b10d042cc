"""How the site is as a whole, and who changed what."""

from __future__ import annotations

import shutil
from importlib.metadata import version

from fastapi import APIRouter
from pydantic import Field

from oddframe.console.access.door import Admin, TheSite, TheStore, Viewer
from oddframe.console.api.fields import Before, Limit
from oddframe.records import Record
from oddframe.site.overview import MachineOverview, machines_of
from oddframe.site.schedule import TIME_ZONE
from oddframe.site.store.records import LogRecord
from oddframe.site.store.shelf import SITE_NAME

router = APIRouter(tags=["system"])


class EngineOut(Record):
    """The process that watches the cameras.

    Attributes:
        up: whether it gives answers. restarts: how often it was started again. judged: frames since it was started.
        latency_s: from taking a frame until it is judged: the median, and what 95 of 100 stay below.
        writes_waiting, writes_lost: of the database. evidence_waiting: pictures and clips that are to be made.
        without_evidence: pictures and clips that were given up, by reason.
    """

    up: bool
    restarts: int
    judged: int = 0
    latency_s: tuple[float, float] | None = None
    writes_waiting: int = 0
    writes_lost: int = 0
    evidence_waiting: int = 0
    without_evidence: dict[str, int] = Field(default_factory=dict)


class SystemOut(Record):
    """The site.

    Attributes:
        problems: what is not as it should be → why. time_zone: "" is the computer's.
        engine: of the machine that is asked. machines: those that run the site, where several may.
    """

    site: str
    version: str
    time_zone: str
    problems: dict[str, str]
    engine: EngineOut
    machines: tuple[MachineOverview, ...] = ()
    evidence_bytes: int
    disk_free_bytes: int
    disk_bytes: int


@router.get("/system")
def system(_: Viewer, site: TheSite, store: TheStore) -> SystemOut:
    """How the site is."""
    disk, status = shutil.disk_usage(store.folder), site.status
    engine = EngineOut(up=status is not None, restarts=site.restarts)
    if status is not None:
        engine = engine.changed(
            judged=status.engine.judged,
            latency_s=status.engine.latency_s,
            writes_waiting=status.waiting,
            writes_lost=status.lost,
            evidence_waiting=status.evidence_waiting,
            without_evidence=status.without_evidence,
        )
    return SystemOut(
        site=str((store.journal.get(SITE_NAME) or {}).get("name", "oddframe")),
        version=version("oddframe"),
        time_zone=str((store.journal.get(TIME_ZONE) or {}).get("name", "")),
        problems=dict(site.problems()),
        engine=engine,
        machines=machines_of(store),
        evidence_bytes=store.evidence.total_bytes(),
        disk_free_bytes=disk.free,
        disk_bytes=disk.total,
    )


@router.get("/log")
def log(_: Admin, store: TheStore, before: Before = None, limit: Limit = 100) -> list[LogRecord]:
    """Who changed what and when, the latest first. `before`: the number of the last one of the page before."""
    return store.journal.entries(before=before, limit=limit)
