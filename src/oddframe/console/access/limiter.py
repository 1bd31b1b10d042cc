"""How often one may try to log in: after some failures there are pauses, and each is twice as long as the one before.

Counted are failures of an account and of an address, so that neither many guesses for one account nor many accounts
from one address get far. Somebody who has logged in from an address before is not kept out by the guesses of others.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from oddframe.errors import TooOftenError

_FREE_OF_ACCOUNT, _FREE_OF_ADDRESS = 5, 20
_LONGEST_S = 900.0
_FORGOTTEN_AFTER_S = 24 * 3600.0
_MOST = 20_000
"""Accounts and addresses that are remembered; those that failed longest ago are forgotten first."""


@dataclass
class _Failures:
    """Of an account or of an address."""

    many: int = 0
    last_s: float = 0.0
    until_s: float = 0.0


class LoginLimiter:
    """Counts failures; for any thread.

    Args:
        clock: rising seconds, for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._failures: OrderedDict[Hashable, _Failures] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def attempt(self, account: str, address: str) -> bool:
        """Somebody is about to try. It counts as a failure until `succeeded` says otherwise, so that attempts at the
        same time do not slip through.

        Returns:
            whether failures of now on will be met with a pause: the moment to write it down.

        Raises:
            TooOftenError: there is a pause, and for how long yet. Such an attempt does not count.
        """
        now_s, began = self._clock(), False
        with self._lock:
            keys = self._keys(account, address)
            waits_s = max((self._at(key).until_s - now_s for key, _ in keys), default=0.0)
            if waits_s > 0:
                raise TooOftenError(
                    "too many logins have failed",
                    after_s=waits_s,
                    hint=f"try again in {_in_words(waits_s)}; an admin can give another password",
                )
            for key, free in keys:
                of = self._at(key)
                of.many, of.last_s = of.many + 1, now_s
                self._failures[key] = of
                self._failures.move_to_end(key)
                if of.many >= free:
                    of.until_s = now_s + min(2.0 ** (of.many - free), _LONGEST_S)
                    began |= of.many == free
            while len(self._failures) > _MOST:
                self._failures.popitem(last=False)
        return began

    def succeeded(self, account: str, address: str) -> None:
        """The attempt was a login."""
        with self._lock:
            for key, _ in self._keys(account, address):
                self._failures.pop(key, None)
            self._known[account, _place(address)] = None
            self._known.move_to_end((account, _place(address)))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def _keys(self, account: str, address: str) -> list[tuple[Hashable, int]]:
        """What failures are counted of, and how many are free."""
        place = _place(address)
        if (account, place) in self._known:
            return [((account, place), _FREE_OF_ACCOUNT)]
        return [(("account", account), _FREE_OF_ACCOUNT), (("address", place), _FREE_OF_ADDRESS)]

    def _at(self, key: Hashable) -> _Failures:
        of = self._failures.get(key)
        return _Failures() if of is None or self._clock() - of.last_s > _FORGOTTEN_AFTER_S else of


def _place(address: str) -> str:
    """Whoever has one address of IPv6 has all of its network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _in_words(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} minutes"
