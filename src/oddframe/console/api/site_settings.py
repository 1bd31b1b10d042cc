"""Settings of the site as a whole: its name, its time zone, how long evidence is kept."""

from __future__ import annotations

from fastapi import APIRouter

from oddframe.console.access.door import Admin, TheSite, TheStore
from oddframe.records import Record
from oddframe.site.commands import NameSite, SetRetention
from oddframe.site.commands.records import TimeZone
from oddframe.site.commands.whole import SITE_FILE
from oddframe.site.retention import RetentionSettings, retention_of
from oddframe.site.schedule import TIME_ZONE
from oddframe.site.shapes import Name
from oddframe.site.store import Store
from oddframe.site.store.shelf import SITE_NAME

router = APIRouter(prefix="/settings", tags=["system"])


class SettingsOut(Record):
    """Settings of the site. `of_file`: those of which its file says what they are; they are changed there alone."""

    name: str
    time_zone: str
    retention: RetentionSettings
    of_file: tuple[str, ...]


class SettingsIn(Record):
    """What is to be another one; what is not said stays as it is. `time_zone`: "" is that of the computer."""

    name: Name = "oddframe"
    time_zone: TimeZone = ""
    retention: RetentionSettings = RetentionSettings()


@router.get("")
def settings(_: Admin, store: TheStore) -> SettingsOut:
    """How the site is set."""
    return _settings(store)


@router.patch("")
def change(given: SettingsIn, who: Admin, site: TheSite, store: TheStore) -> SettingsOut:
    """Change settings of the site."""
    said = given.model_fields_set
    with store.together():
        if names := {entry: getattr(given, entry) for entry in ("name", "time_zone") if entry in said}:
            site.carry_out(NameSite(**names), who.name)
        if "retention" in said:
            site.carry_out(SetRetention(retention=given.retention), who.name)
    return _settings(store)


def _settings(store: Store) -> SettingsOut:
    journal = store.journal
    return SettingsOut(
        name=str((journal.get(SITE_NAME) or {}).get("name", "oddframe")),
        time_zone=str((journal.get(TIME_ZONE) or {}).get("name", "")),
        retention=retention_of(store),
        of_file=tuple((journal.get(SITE_FILE) or {}).get("says", ())),
    )
