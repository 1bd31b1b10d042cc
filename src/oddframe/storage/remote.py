"""A file or folder on object storage: the one place that calls fsspec.

What lets somebody in comes from the environment alone, as the storage's own library reads it. Nothing of it is shown:
what a library says is searched for it before it becomes part of an error.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from oddframe.errors import MissingExtraError, MissingPathError, StorageError

SCHEMES = {"s3": "cluster", "gs": "google", "memory": "cluster"}
"""What an address begins with → the extra that it needs. `memory` is for tests: it lasts as long as its process."""

WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Between attempts, of which there is one more than these. Storage that is away for longer has failed."""

_OPTIONS = {"s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 20}}}
_NO_KEYS = frozenset({"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"})
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 6
_SAID = 200

T = TypeVar("T")


@dataclass(frozen=True)
class Facts:
    """What storage says of a file. looks: what changes when its content does, as an ETag. changed: when it did."""

    size: int
    looks: str
    changed: datetime | None


@dataclass(frozen=True)
class Remote:
    """A file or folder by its URL, without a slash at its end. It has the names and steps of a `Path`.

    >>> gate = Remote("s3://archive/may") / "gate.mp4"
    >>> str(gate), gate.stem, gate.suffix, str(gate.parent)
    ('s3://archive/may/gate.mp4', 'gate', '.mp4', 's3://archive/may')
    """

    url: str
    listed: Facts | None = field(default=None, compare=False, repr=False)
    """What a listing has said of it: then nobody asks once more."""

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, part: str) -> Remote:
        return Remote(f"{self.url}/{part.strip('/')}")

    @property
    def name(self) -> str:
        """The last part."""
        return posixpath.basename(self.url)

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return posixpath.splitext(self.name)[0]

    @property
    def suffix(self) -> str:
        """The ending, with its dot."""
        return posixpath.splitext(self.name)[1]

    @property
    def parent(self) -> Remote:
        """The folder that it lies in; of a bucket, itself."""
        scheme, _, rest = self.url.partition("://")
        return Remote(f"{scheme}://{posixpath.dirname(rest) or rest}")

    def as_posix(self) -> str:
        """Its URL."""
        return self.url

    def facts(self) -> Facts | None:
        """What storage says of a file; None where there is none of this name, though it may be a folder.

        Raises:
            StorageError: it cannot be asked.
        """
        if self.listed is not None:
            return self.listed

        def ask() -> Facts | None:
            try:
                info = self._system().info(self.url)
            except FileNotFoundError:
                return None
            return None if info.get("type") == "directory" else _facts(info)

        return self._tried(ask, "storage cannot be asked")

    def files(self) -> dict[str, Facts]:
        """Way from here, as "may/gate.mp4" → facts of each file of a folder and what is below it; in order of names.

        Raises:
            StorageError: it cannot be listed.
        """

        def ask() -> dict[str, Facts]:
            system = self._system()
            system.invalidate_cache()
            try:
                found = system.find(self.url, detail=True)
            except FileNotFoundError:
                return {}
            root = system._strip_protocol(self.url).rstrip("/") + "/"
            return {
                path.removeprefix(root): _facts(found[path])
                for path in sorted(found)
                if path.startswith(root) and found[path].get("type", "file") == "file" and not path.endswith("/")
            }

        return self._tried(ask, "this folder cannot be listed")

    def read(self, begin: int = 0, end: int | None = None) -> bytes:
        """Bytes [begin, end) of a file.

        Raises:
            MissingPathError: there is none. StorageError: it cannot be read.
        """

        def ask() -> bytes:
            try:
                content = bytes(self._system().cat_file(self.url, start=begin, end=end))
            except FileNotFoundError:
                raise MissingPathError("there is no such file", path=self.url) from None
            if end is not None and len(content) != end - begin:
                raise ConnectionError(f"{len(content)} of {end - begin} bytes came")
            return content

        return self._tried(ask, "this file cannot be read")

    def write(self, content: bytes) -> None:
        """Put a file there, whole or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        self._tried(lambda: self._system().pipe_file(self.url, content), "this file cannot be written")

    def upload(self, path: str) -> None:
        """Put a local file there, in pieces where it is long; it appears whole or not at all. Raises as `write`."""
        self._tried(lambda: self._system().put_file(path, self.url), "this file cannot be written")

    def remove(self) -> None:
        """Remove a file, if there is one.

        Raises:
            StorageError: it may not be removed.
        """

        def ask() -> None:
            with contextlib.suppress(FileNotFoundError):
                self._system().rm_file(self.url)

        self._tried(ask, "this file cannot be removed")

    def _system(self) -> Any:
        """fsspec's file system for it.

        Raises:
            MissingExtraError: a package for it is not installed.
        """
        scheme = self.url.partition("://")[0]
        try:
            import fsspec

            return fsspec.filesystem(scheme, **_OPTIONS.get(scheme, {}))
        except ImportError:
            raise MissingExtraError(f"work with {scheme}://", SCHEMES[scheme]) from None

    def _tried(self, work: Callable[[], T], problem: str) -> T:
        """Do it, and again where it may go through later: a connection that breaks, a server that is away."""
        for wait_s in (*WAITS_S, None):
            try:
                return work()
            except (MissingPathError, MissingExtraError):
                raise
            except Exception as error:
                if wait_s is None or _is_final(error):
                    raise self._refused(error, problem) from None
                time.sleep(wait_s)
        raise AssertionError("there is a last attempt")

    def _refused(self, error: Exception, problem: str) -> StorageError:
        hint = "see whether the storage answers from this machine; what is finished is kept, the same command goes on"
        if isinstance(error, PermissionError) or type(error).__name__ in _NO_KEYS:
            hint = (
                "what lets you in is looked for in the environment of each machine: for s3:// AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY or a role, for gs:// GOOGLE_APPLICATION_CREDENTIALS; it needs the right to "
                "list, read and write there"
            )
        elif isinstance(error, FileNotFoundError):
            hint = "is there a bucket of this name? It is not made here"
        return StorageError(problem, path=self.url, seen=f"{type(error).__name__}: {_words(error)}", hint=hint)


def _is_final(error: Exception) -> bool:
    """Whether another attempt would end the same."""
    refused = (PermissionError, FileNotFoundError, IsADirectoryError, NotADirectoryError, NotImplementedError)
    return isinstance(error, refused) or type(error).__name__ in _NO_KEYS


def _words(error: Exception) -> str:
    """The beginning of what a library says, without anything that lets somebody in."""
    text = " ".join(str(error).split())
    secrets = (value for name, value in os.environ.items() if _SECRET.search(name) and len(value) >= _SHORTEST_SECRET)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text if len(text) <= _SAID else f"{text[:_SAID]} ..."


def _facts(info: dict[str, Any]) -> Facts:
    changed = next((info[name] for name in ("LastModified", "updated", "modified", "created") if info.get(name)), None)
    looks = next((str(info[name]) for name in ("ETag", "etag", "md5Hash") if info.get(name)), str(changed))
    if isinstance(changed, str):
        changed = datetime.fromisoformat(changed)
    elif isinstance(changed, float):
        changed = datetime.fromtimestamp(changed, UTC)
    return Facts(int(info["size"]), looks, changed)
