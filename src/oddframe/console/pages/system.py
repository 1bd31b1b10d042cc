"""The system: how it runs, its disk, where events go, who may come in, what was changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as version_of
from typing import Any

from fastapi import APIRouter, Request, Response

from oddframe.console.access.door import TheSite
from oddframe.console.access.who import Who
from oddframe.console.api.fields import Before
from oddframe.console.pages.answer import answer
from oddframe.console.pages.looking import Looking
from oddframe.console.pages.page import page_of
from oddframe.console.pages.words import size
from oddframe.console.running import RunningSite
from oddframe.site.commands.whole import SITE_FILE
from oddframe.site.overview import MachineOverview, machines_of
from oddframe.site.retention import RetentionSettings, retention_of
from oddframe.site.schedule import TIME_ZONE
from oddframe.site.store.records import LogRecord, Outgoing, SinkCount, Token, User
from oddframe.site.store.shelf import SITE_NAME

_DEAD = 50
LOG_LINES = 50
_MOST_LETTERS = 400


@dataclass(frozen=True)
class SinkView:
    """Where events go. `of_file`: the site's file names it."""

    name: str
    kind: str
    masked: str
    sends: tuple[str, ...]
    cameras: tuple[str, ...] | None
    enabled: bool
    of_file: bool
    count: SinkCount | None


@dataclass(frozen=True)
class Change:
    """A line of the log of changes. `what`: the entries that changed, in words."""

    record: LogRecord
    what: str


@dataclass(frozen=True)
class Settings:
    """Settings of the site as a whole. `of_file`: those that its file names."""

    name: str
    time_zone: str
    retention: RetentionSettings
    of_file: tuple[str, ...]


@dataclass(frozen=True)
class SystemView:
    """The system.

    Attributes:
        problems: (what, why). runs: whether the engine gives answers. running: (what, how much) of it.
        machines: that run the site, where several may. disk: (what, how much).
        dead: messages that were given up. users, tokens: empty for who may not see them.
        log: the latest changes. older: what to ask for more with; None at the end.
    """

    problems: tuple[tuple[str, str], ...]
    runs: bool
    running: tuple[tuple[str, str], ...]
    machines: tuple[MachineOverview, ...]
    disk: tuple[tuple[str, str], ...]
    sinks: tuple[SinkView, ...]
    dead: tuple[Outgoing, ...]
    users: tuple[User, ...]
    tokens: tuple[Token, ...]
    log: tuple[Change, ...]
    older: int | None
    settings: Settings
    version: str


def system_view(site: RunningSite, who: Who, version: str, before: int | None = None) -> SystemView:
    """What the page on the system shows."""
    store, admin = site.store, who.can("admin")
    counts = {one.sink: one for one in store.outbox.counts()}
    entries = store.journal.entries(before=before, limit=LOG_LINES + 1)
    return SystemView(
        problems=tuple(site.problems().items()),
        runs=site.status is not None,
        running=_running(site),
        machines=machines_of(store),
        disk=_disk(site),
        sinks=tuple(
            SinkView(
                name=one.name,
                kind=one.kind,
                masked=one.masked,
                sends=tuple(one.sends),
                cameras=one.cameras,
                enabled=one.enabled,
                of_file=one.of_file,
                count=counts.get(one.name),
            )
            for one in store.sinks.all()
        ),
        dead=tuple(store.outbox.dead(limit=_DEAD)),
        users=tuple(store.users.all()) if admin else (),
        tokens=tuple(store.tokens.all(None if admin else who.name)),
        log=tuple(Change(one, changed(one.details)) for one in entries[:LOG_LINES]),
        older=entries[LOG_LINES - 1].id if len(entries) > LOG_LINES else None,
        settings=_settings(site),
        version=version,
    )


def changed(details: Mapping[str, Any]) -> str:
    """What a line of the log says beside its subject.

    >>> changed({"before": {"false_alarms_per_day": 1}, "after": {"false_alarms_per_day": 2, "name": "gate"}})
    'false alarms per day: 1 → 2; name: gate'
    >>> changed({"one_time": True})
    'one time: yes'
    """
    if set(details) <= {"before", "after"} and all(isinstance(one, Mapping) for one in details.values()):
        before, after = details.get("before", {}), details.get("after", {})
        parts = []
        for name in {**before, **after}:
            was, now = (_text(side[name]) if name in side else "" for side in (before, after))
            parts.append(f"{_plain(name)}: {f'{was} → ' if was else ''}{now or 'nothing'}")
        return _cut("; ".join(parts))
    return _cut("; ".join(f"{_plain(name)}: {_text(one)}" for name, one in details.items()))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{_plain(str(name))} {_text(one)}" for name, one in value.items())
    return json.dumps(value, default=str, ensure_ascii=False)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}…"


def _settings(site: RunningSite) -> Settings:
    journal = site.store.journal
    return Settings(
        name=str((journal.get(SITE_NAME) or {}).get("name", "oddframe")),
        time_zone=str((journal.get(TIME_ZONE) or {}).get("name", "")),
        retention=retention_of(site.store),
        of_file=tuple((journal.get(SITE_FILE) or {}).get("says", ())),
    )


def _running(site: RunningSite) -> tuple[tuple[str, str], ...]:
    status = site.status
    if status is None:
        return (("started again", f"{site.restarts} times"),) if site.restarts else ()
    engine = status.engine
    found = [("frames judged", f"{engine.judged:,}")]
    if engine.latency_s is not None:
        median, most = engine.latency_s
        found.append(("from a frame to its score", f"{median:.2f} s; 95 of 100 within {most:.2f} s"))
    if site.restarts:
        found.append(("engine started again", f"{site.restarts} times"))
    if status.waiting:
        found.append(("waits for the database", f"{status.waiting} writes"))
    if status.lost:
        found.append(("lost", f"{status.lost} writes that the database could not take"))
    if status.left_out:
        found.append(("left out", f"{status.left_out} writes of cameras that other machines watch now"))
    if status.without_evidence:
        found.append(("without evidence", ", ".join(f"{n} {why}" for why, n in status.without_evidence.items())))
    return tuple(found)


def _disk(site: RunningSite) -> tuple[tuple[str, str], ...]:
    store = site.store
    usage = shutil.disk_usage(store.folder)
    return (
        ("pictures and clips", size(store.evidence.total_bytes())),
        ("free on the disk", f"{size(usage.free)} of {size(usage.total)}"),
        ("folder", str(store.folder)),
    )


router = APIRouter(include_in_schema=False)


@router.get("/system")
def system_page(request: Request, who: Looking, site: TheSite, before: Before = None) -> Response:
    """The system."""
    return answer(
        request,
        page_of(site, "/system", who),
        "system",
        {"system-health": "system_health", "system-sinks": "system_sinks"},
        system=system_view(site, who, version_of("oddframe"), before),
    )
