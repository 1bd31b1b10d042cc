"""Commands on the site as a whole: its name, its time zone, how long evidence is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oddframe.plain import Json
from oddframe.site.commands.changing import Carried, Changing
from oddframe.site.commands.records import NameSite, SetRetention
from oddframe.site.retention import RETENTION
from oddframe.site.schedule import TIME_ZONE
from oddframe.site.store.shelf import SITE_NAME

SITE_FILE = "site file"
"""The setting that tells what the site's file says of the site as a whole, {"says": [...]}; there is none without a
file."""


def set_retention(command: SetRetention, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    journal = changing.store.journal
    with changing.store.together():
        _refuse(changing, "retention")
        before = journal.get(RETENTION)
        after = command.retention.model_dump(mode="json")
        if before == after:
            return Carried(subject="retention", action="nothing")
        journal.set(RETENTION, after)
        return changing.tell("retention", "changed", before or {}, after)


def name_site(command: NameSite, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    with changing.store.together():
        before: Json = {}
        after: Json = {}
        for said, setting in (("name", SITE_NAME), ("time_zone", TIME_ZONE)):
            if said in command.model_fields_set:
                _refuse(changing, said)
                kept: Mapping[str, Any] = changing.store.journal.get(setting) or {}
                before[said], after[said] = kept.get("name"), getattr(command, said)
                if before[said] != after[said]:
                    changing.store.journal.set(setting, {"name": after[said]})
        return changing.tell("site", "changed", before, after)


def _refuse(changing: Changing, what: str) -> None:
    said = changing.store.journal.get(SITE_FILE) or {}
    if what in said.get("says", ()):
        changing.refuse(f"the site's {what.replace('_', ' ')}")
