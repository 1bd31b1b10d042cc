"""How a site is, as its store has it: for a terminal, beside the process that runs the site or without one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from oddframe.errors import MissingPathError
from oddframe.records import Record
from oddframe.site import DATABASE_VARIABLE
from oddframe.site.planning.read import read_plan
from oddframe.site.store import Store
from oddframe.site.store.leases import SITE
from oddframe.site.store.records import SinkCount
from oddframe.site.store.shelf import utc_now
from oddframe.site.store.store import DATABASE

_DAYS = 7


class CameraOverview(Record):
    """A camera.

    Attributes:
        address: masked. detector: the folder of what judges it; None where there is none.
        state, reason, since: its health, as it was last told; "unknown" where it never was.
        lasting: events that last. events, unreviewed: of the last seven days, and those of them that nobody reviewed.
    """

    name: str
    address: str
    detector: str | None
    state: str
    reason: str
    since: datetime | None
    lasting: int
    events: int
    unreviewed: int


class MachineOverview(Record):
    """A machine of a site that several run.

    Attributes:
        cameras: that it watches. sees_to_site: whether it is the one that sends messages, teaches and tidies.
        watches: whether its engine runs. problems: what is wrong on it → why. version: of oddframe.
    """

    name: str
    cameras: tuple[str, ...]
    sees_to_site: bool
    watches: bool
    problems: Mapping[str, str]
    version: str


class SiteOverview(Record):
    """A site. `machines`: none where only one can run it. `evidence_bytes`: pictures and clips on the disk."""

    folder: str
    machines: tuple[MachineOverview, ...] = ()
    cameras: tuple[CameraOverview, ...]
    sinks: tuple[SinkCount, ...]
    evidence_bytes: int


def join_site(place: Path) -> Store:
    """Open the store of a site beside the process that runs it.

    Args:
        place: the site's file, or its folder.

    Raises:
        MissingPathError: there is no store yet. SettingsError, SecretsError: the file is wrong, see `read_plan`.
        StoreError: of another version, locked, damaged or out of reach.
    """
    url = os.environ.get(DATABASE_VARIABLE) or None
    folder = place
    if not place.is_dir():
        plan = read_plan(place)
        folder = plan.home
        if url is None and plan.database is not None:
            url = plan.database.get_secret_value()
    if url is None and not (folder / DATABASE).is_file():
        raise MissingPathError(
            "no site was run in this folder yet", path=folder, wanted=f"a folder with {DATABASE}", hint="oddframe serve"
        )
    return Store.join(folder, url)


def machines_of(store: Store) -> tuple[MachineOverview, ...]:
    """The machines that run a site, and which cameras each of them watches; none where only one can run it.

    Raises:
        StoreError: locked, damaged or out of reach.
    """
    seen = store.leases.all()
    names = {str(one.id): one.name for one in store.cameras.all()}
    site = seen.leases.get(SITE)
    return tuple(
        MachineOverview(
            name=printable(one.name),
            cameras=tuple(
                sorted(
                    names[lease.subject]
                    for lease in seen.leases.values()
                    if lease.machine == one.name and lease.subject in names
                )
            ),
            sees_to_site=site is not None and site.machine == one.name,
            watches=one.watches,
            problems={printable(what): printable(why) for what, why in one.problems.items()},
            version=printable(one.version),
        )
        for one in seen.machines.values()
    )


def printable(text: str) -> str:
    """Words of another machine, which may not steer a terminal.

    >>> printable("depot\\x1b[2J-1")
    'depot?[2J-1'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def overview(store: Store) -> SiteOverview:
    """How a site is.

    Raises:
        StoreError: locked, damaged or out of reach.
    """
    until = utc_now() + timedelta(minutes=1)
    days = store.events.counts_per_day(until - timedelta(days=_DAYS), until)
    events, unreviewed = Counter[str](), Counter[str]()
    for day in days:
        events[day.camera] += day.events
        unreviewed[day.camera] += day.unreviewed
    lasting = Counter(event.camera for event in store.events.open())
    health = store.health.now()
    cameras = []
    for one in store.cameras.all():
        fittings = store.cameras.fittings(one.name)
        told = health.get(one.name)
        cameras.append(
            CameraOverview(
                name=one.name,
                address=one.masked,
                detector=fittings[0].detector.folder if fittings and fittings[0].retired_at is None else None,
                state="unknown" if told is None else told.state,
                reason="" if told is None else told.reason,
                since=None if told is None else told.since,
                lasting=lasting[one.name],
                events=events[one.name],
                unreviewed=unreviewed[one.name],
            )
        )
    return SiteOverview(
        folder=str(store.folder),
        machines=machines_of(store),
        cameras=tuple(cameras),
        sinks=tuple(store.outbox.counts()),
        evidence_bytes=store.evidence.total_bytes(),
    )
