"""Commands on sinks."""

from __future__ import annotations

import re

from pydantic import SecretStr

from oddframe.errors import ConflictError, SettingsError, StorageError, UnknownNameError, nearest
from oddframe.plain import Json
from oddframe.site.commands.changing import Carried, Changing
from oddframe.site.commands.records import AddSink, ChangeSink, RemoveSink
from oddframe.site.sinks.kinds import sink_record
from oddframe.site.store.records import SinkRecord

SENT = "sent"
"""The folder of the site's in which files of `jsonl` sinks lie that no site's file names."""

_FILE_NAME = re.compile(r"\w[\w.-]{0,99}")


def add(command: AddSink, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    said = command.model_copy(update={"url": _url(command.kind, command.url, changing)})
    record = sink_record(**{name: getattr(said, name) for name in AddSink.model_fields})
    with changing.store.together():
        alike = [one.name for one in changing.store.sinks.all() if one.name.casefold() == command.name.casefold()]
        if alike:
            raise ConflictError(f"there is a sink '{alike[0]}' already", hint="choose another name")
        _refuse_unknown_cameras(record, changing)
        changing.store.sinks.put(record.changed(of_file=changing.of_file))
        return changing.tell(f"sink {record.name}", "added", {}, _told(record))


def change(command: ChangeSink, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    with changing.store.together():
        before = _of(command.sink, changing)
        said = {name: getattr(command, name) for name in command.model_fields_set - {"sink"}}
        if said.get("url", before.url) is None:
            raise SettingsError("a sink has an address", seen="nothing", wanted="url")
        if "url" in said and said["url"] != before.url:
            said["url"] = _url(before.kind, said["url"], changing)
        whole = {name: getattr(before, name) for name in ("url", "secret", "settings", "sends", "cameras", "enabled")}
        record = sink_record(before.name, before.kind, **(whole | said))
        _refuse_unknown_cameras(record, changing)
        after = record.changed(of_file=changing.of_file)
        if after != before:
            changing.store.sinks.put(after)
        was, now = _told(before), _told(record)
        for name in ("url", "secret"):
            if getattr(before, name) != getattr(after, name) and was.get(name) == now.get(name):
                was[name], now[name] = "another one", "another one now"
        return changing.tell(f"sink {before.name}", "changed", was, now)


def remove(command: RemoveSink, changing: Changing) -> Carried:
    """Raises as `carry_out`."""
    with changing.store.together():
        before = _of(command.sink, changing)
        changing.store.sinks.remove(before.name)
        return changing.tell(f"sink {before.name}", "removed", _told(before), {})


def _of(name: str, changing: Changing) -> SinkRecord:
    known = {one.name: one for one in changing.store.sinks.all()}
    if name not in known:
        raise UnknownNameError(f"there is no sink '{name}'", hint=nearest(name, known))
    if known[name].of_file:
        changing.refuse(f"sink '{name}'")
    return known[name]


def _url(kind: str, url: SecretStr, changing: Changing) -> SecretStr:
    """Where a sink is. Who only may change a site cannot have it write to any file of the computer."""
    if changing.of_file or kind != "jsonl":
        return url
    name = url.get_secret_value()
    if not _FILE_NAME.fullmatch(name):
        raise SettingsError(
            "this is no name of a file to write events to",
            seen=name,
            wanted=f"letters, digits, '-', '_' and '.': the file lies in the site's folder '{SENT}'",
            hint="the site's file may name a file anywhere",
        )
    folder = changing.store.folder.resolve() / SENT
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError.of(error, "the folder for sent events cannot be made", folder) from None
    return SecretStr(str(folder / name))


def _refuse_unknown_cameras(record: SinkRecord, changing: Changing) -> None:
    known = [one.name for one in changing.store.cameras.all()]
    for camera in record.cameras or ():
        if camera not in known:
            raise UnknownNameError(f"there is no camera '{camera}'", hint=nearest(camera, known))


def _told(record: SinkRecord) -> Json:
    """A sink for the log: where it is, masked, and nothing secret."""
    return {
        "kind": record.kind,
        "url": record.masked,
        "secret": None if record.secret is None else "a secret",
        "sends": list(record.sends),
        "cameras": None if record.cameras is None else list(record.cameras),
        "enabled": record.enabled,
        "settings": dict(record.settings),
    }
