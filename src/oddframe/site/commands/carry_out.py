"""Carries commands out on the store. The engine and the sinks of a running site follow the store by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oddframe.site.commands import cameras, sinks, whole
from oddframe.site.commands.changing import Carried, Changing
from oddframe.site.commands.records import (
    AddCamera,
    AddSink,
    ChangeCamera,
    ChangeSink,
    Command,
    NameSite,
    RemoveCamera,
    RemoveSink,
    SetDetector,
    SetLine,
    SetRetention,
)
from oddframe.site.store import Store

_HANDLERS: dict[type[Command], Callable[[Any, Changing], Carried]] = {
    AddCamera: cameras.add,
    ChangeCamera: cameras.change,
    RemoveCamera: cameras.remove,
    SetDetector: cameras.set_detector,
    SetLine: cameras.set_line,
    AddSink: sinks.add,
    ChangeSink: sinks.change,
    RemoveSink: sinks.remove,
    SetRetention: whole.set_retention,
    NameSite: whole.name_site,
}


def carry_out(command: Command, store: Store, author: str, *, of_file: bool = False) -> Carried:
    """Carry a command out: the change and its entry in the log of changes, or nothing at all.

    Args:
        store: of the site, opened with its key. author: who wants it.
        of_file: the site's file says so. What the file says is for nobody else to change.

    Raises:
        UnknownNameError: there is no such camera or sink.
        ConflictError: the name is taken, or it is for the site's file to say so.
        SettingsError: what is asked for does not fit. RunError: a detector or fitting is damaged, or there is none.
        StoreError, StorageError, SecretsError: the store cannot be written.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with Store.open(Path(tempfile.mkdtemp())) as store:
    ...     carried = carry_out(AddCamera(name="gate", address="rtsp://me:s3cret@10.0.0.2/live"), store, "ann")
    ...     print(carried.action, carried.subject, "|", store.journal.entries()[0].details["after"]["address"])
    added camera gate | rtsp://***@10.0.0.2/live
    """
    return _HANDLERS[type(command)](command, Changing(store, author, of_file))
