"""Where a file is: on this machine, by its path; or on object storage, by its URL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from oddframe.errors import SettingsError
from oddframe.storage.remote import SCHEMES, Remote

Place: TypeAlias = Path | Remote

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)


def place_of(given: Path | Remote | str) -> Place:
    """A path, or what a URL stands for; `file://` is a path of this machine.

    Raises:
        SettingsError: a kind of address that is not opened, or one with a password in it, which is not shown.

    >>> place_of("gate.mp4"), place_of("file:///archive/a%20b.mp4"), place_of("s3://archive/may/gate.mp4").name
    (PosixPath('gate.mp4'), PosixPath('/archive/a b.mp4'), 'gate.mp4')
    """
    if isinstance(given, Path | Remote):
        return given
    if (match := _URL.fullmatch(given)) is None:
        return Path(given)
    scheme, rest = match[1].lower(), match[2]
    authority, _, path = rest.partition("/")
    if "@" in authority:
        raise SettingsError(
            "an address must not have a name or a password in it",
            seen=f"{scheme}://...@...",
            wanted=f"{scheme}://BUCKET/..., and what lets you in in the environment of each machine",
            hint="for s3:// set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role",
        )
    if scheme == "file":
        if authority not in ("", "localhost"):
            raise SettingsError("a file:// address names no machine", seen=given, wanted="file:///FOLDER/FILE")
        return Path(f"/{unquote(path)}")
    if scheme not in SCHEMES:
        raise SettingsError(
            "files are not opened by this kind of address",
            seen=f"{scheme}://",
            wanted="a path, file://, s3:// or gs://",
            hint="cameras are watched by `oddframe live` and `oddframe serve`",
        )
    if not authority:
        raise SettingsError("this address has no bucket", seen=given, wanted=f"{scheme}://BUCKET/FOLDER/FILE")
    return Remote(f"{scheme}://{rest.rstrip('/')}")


def local(place: Place) -> Path:
    """The path of what has to be on this machine.

    Raises:
        SettingsError: it is on object storage.
    """
    if isinstance(place, Remote):
        raise SettingsError("this is done with files of this machine alone", seen=str(place), hint="copy it here first")
    return place


def bytes_of(place: Place) -> int:
    """How long a file is.

    Raises:
        OSError: it is gone. StorageError: storage cannot be asked.
    """
    if isinstance(place, Path):
        return place.stat().st_size
    if (facts := place.facts()) is None:
        raise FileNotFoundError(f"{place} is gone")
    return facts.size
