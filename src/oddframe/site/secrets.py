"""What is secret (addresses of cameras, URLs of sinks) is stored locked, with a key that lies in a file of its own."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from oddframe.errors import SecretsError, StorageError
from oddframe.files import read_bytes

_MOST_BYTES = 1024


class Vault:
    """Locks and unlocks texts. Nothing of it shows what it holds.

    Raises:
        SecretsError: the key is none.

    >>> vault = Vault(Fernet.generate_key())
    >>> vault.unlock(vault.lock("rtsp://me:p@ss@10.0.0.2/"))
    'rtsp://me:p@ss@10.0.0.2/'
    >>> vault
    <Vault>
    """

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise SecretsError("this is no key", wanted="the content of a site.key") from None

    @classmethod
    def open(cls, path: Path, *, make: bool = True) -> Vault:
        """The vault of a key file.

        Args:
            path: the file. make: a new key, where there is no file yet.

        Raises:
            SecretsError: others than its owner can read it, or it holds no key.
            StorageError: it cannot be written.
        """
        if make:
            with contextlib.suppress(FileExistsError):
                _make(path)
        content = read_bytes(path, _MOST_BYTES, "the key file", error=SecretsError, hint=_LOST)
        if (mode := path.stat().st_mode & 0o777) & 0o077:
            raise SecretsError(
                "the key file can be read by others",
                path=path,
                seen=f"mode {mode:04o}",
                wanted="mode 0600",
                hint=f"chmod 600 {path}; and change the passwords, if somebody may have read it",
            )
        try:
            return cls(content.strip())
        except SecretsError:
            raise SecretsError("the key file holds no key", path=path, hint=_LOST) from None

    def lock(self, text: str) -> str:
        """The text, so that it can be read with this key only."""
        return self._fernet.encrypt(text.encode("utf-8", "surrogateescape")).decode("ascii")

    def unlock(self, locked: str) -> str:
        """The text that was locked.

        Raises:
            SecretsError: it was locked with another key, or has been changed.
        """
        try:
            return self._fernet.decrypt(locked.encode("ascii", "replace")).decode("utf-8", "surrogateescape")
        except InvalidToken:
            raise SecretsError("a stored secret does not open with this key", hint=_LOST) from None

    def __repr__(self) -> str:
        return "<Vault>"


_LOST = "put the copy of this site's key file back; without it, enter addresses and URLs again"


def _make(path: Path) -> None:
    """Write a new key that its owner alone can read, from the first moment on.

    Raises:
        FileExistsError: there is a file.
        StorageError: it cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, Fernet.generate_key() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
    except FileExistsError:
        raise
    except OSError as error:
        raise StorageError.of(error, "the key file cannot be written", path) from None
