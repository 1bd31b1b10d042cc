"""Passwords: how they are hashed, what they have to be, and those that are good for one login."""

from __future__ import annotations

import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from oddframe.errors import SettingsError, TooOftenError

_SHORTEST, _LONGEST = 12, 256
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is taken for another one."""
_WAITING = 8
"""Passwords that may wait to be checked; one is checked at a time, so that logins never take the cameras' processor."""


class Passwords:
    """Hashes and checks passwords with argon2id: 19 MiB, two passes, one core, as OWASP recommends.

    >>> passwords = Passwords()
    >>> passwords.fits("correct horse battery", passwords.hash("correct horse battery"))
    True
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._one = threading.Lock()
        self._places = threading.BoundedSemaphore(_WAITING)
        self._nobodys = self._hasher.hash(secrets.token_hex())

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        with self._one:
            return self._hasher.hash(password)

    def fits(self, password: str, kept: str | None) -> bool:
        """Whether a password is the one of which `kept` is kept; None takes as long, and no password fits.

        Raises:
            TooOftenError: too many wait to be checked already.
        """
        if not self._places.acquire(blocking=False):
            raise TooOftenError("too many people log in at the same time", after_s=2.0, hint="try again in a moment")
        try:
            with self._one:
                well = self._hasher.verify(kept or self._nobodys, password[: 2 * _LONGEST])
            return well and kept is not None
        except (VerificationError, InvalidHashError):
            return False
        finally:
            self._places.release()

    def is_old(self, kept: str) -> bool:
        """Whether today's hashes are better than this one."""
        return self._hasher.check_needs_rehash(kept)


def refuse_weak(password: str, name: str) -> None:
    """Refuse a password that is too easily guessed.

    Raises:
        SettingsError: it is too short, too long, made of few different letters, or the user's name.
    """
    wanted = f"{_SHORTEST} to {_LONGEST} letters, several of them different, and not the user's name"
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise SettingsError("this password cannot be taken", seen=f"{len(password)} letters", wanted=wanted)
    if len(set(password)) < 5:
        raise SettingsError("this password is too easily guessed", wanted=wanted)
    if name.casefold() in password.casefold() and len(password) - len(name) < _SHORTEST // 2:
        raise SettingsError("this password is too easily guessed", seen="little more than the name", wanted=wanted)


def one_time_password() -> str:
    """A password to be typed once: 20 letters, 99 bits of chance.

    >>> len(one_time_password())
    23
    """
    letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
    return "-".join(letters[begin : begin + 5] for begin in range(0, 20, 5))
