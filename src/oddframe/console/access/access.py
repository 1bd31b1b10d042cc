"""The door: logins, sessions and tokens become `Who`, or are refused."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import secrets
import unicodedata
from datetime import datetime

from oddframe.console.access.limiter import LoginLimiter
from oddframe.console.access.passwords import Passwords, one_time_password, refuse_weak
from oddframe.console.access.who import Who, least
from oddframe.errors import NotAllowedError, NotLoggedInError, OddframeError, SettingsError
from oddframe.site.store import Store
from oddframe.site.store.records import LoginSession, Role, Scope, Token, User

_LOG = logging.getLogger(__name__)

FIRST_USER = "admin"
_TOKEN_BEGINS = "odd_"
_LONGEST_SECRET = 200
_AGENT_LETTERS = 200


class Access:
    """Lets people and programs in. For any thread.

    Args:
        store: of the site. limiter: how often one may try to log in.
    """

    def __init__(self, store: Store, limiter: LoginLimiter | None = None) -> None:
        self._store, self._limiter, self._passwords = store, limiter or LoginLimiter(), Passwords()

    def first_password(self) -> str | None:
        """Let the first admin in, where there is no user yet; return the password, which has to be changed."""
        if self._store.users.all():
            return None
        return self.add_user(FIRST_USER, "admin", author="oddframe")[1]

    def nobody_came_yet(self) -> bool:
        """Whether nobody has ever changed a one-time password: it may have been lost."""
        return all(user.one_time for user in self._store.users.all())

    def log_in(self, name: str, password: str, *, address: str, agent: str) -> tuple[str, LoginSession]:
        """Begin a session.

        Args:
            address, agent: from where and with what, for the list of sessions.

        Returns:
            what the browser is to hold, and the session.

        Raises:
            NotLoggedInError: name or password are wrong.
            TooOftenError: too many attempts have failed; this one was not looked at.
        """
        account = _account(name)
        if self._limiter.attempt(account, address):
            self._store.journal.log("oddframe", "slowed down logins", f"user {account}", {"address": address})
        found = self._store.users.password(account)
        if not self._passwords.fits(password, None if found is None else found[1]) or found is None:
            raise NotLoggedInError("the name or the password is wrong", hint="an admin can give another password")
        self._limiter.succeeded(account, address)
        if self._passwords.is_old(found[1]):
            self._store.users.rehash(account, found[1], self._passwords.hash(password))
        secret = secrets.token_urlsafe(32)
        agent = "".join(letter for letter in agent if letter.isprintable())[:_AGENT_LETTERS]
        return secret, self._store.sessions.begin(_hash(secret), account, address=address, agent=agent)

    def of_session(self, secret: str) -> Who:
        """Who holds a session.

        Raises:
            NotLoggedInError: it has ended, or never was.
        """
        found = self._store.sessions.find(_hash(secret)) if len(secret) <= _LONGEST_SECRET else None
        if found is None:
            raise NotLoggedInError("the session has ended", hint="log in again")
        with contextlib.suppress(OddframeError):  # of a database that is locked for a while: reading goes on
            self._store.sessions.seen(found)
        return Who(
            name=found.user.name,
            may=found.user.role,
            one_time=found.user.one_time,
            session=found.id,
            csrf=csrf_token(secret),
        )

    def of_token(self, text: str) -> Who:
        """For whom a program acts.

        Raises:
            NotLoggedInError: the token has ended, was revoked, or never was.
        """
        is_one = text.startswith(_TOKEN_BEGINS) and len(text) <= _LONGEST_SECRET
        found = self._store.tokens.find(_hash(text)) if is_one else None
        if found is None:
            raise NotLoggedInError(
                "the token does not hold: it has ended, was revoked, or is none", hint="make another one in the console"
            )
        with contextlib.suppress(OddframeError):
            self._store.tokens.seen(found)
        user = found.user
        return Who(name=user.name, may=least(user.role, found.scope), one_time=user.one_time, token=found.id)

    def log_out(self, who: Who) -> None:
        """End the session."""
        if who.session is not None:
            self._store.sessions.end(who.session)

    def change_password(self, who: Who, old: str, new: str, *, address: str) -> User:
        """Give oneself another password; all other sessions end.

        Raises:
            NotAllowedError: a token asks, or the old password is wrong. SettingsError: the new one is too weak.
            TooOftenError: too many attempts have failed.
        """
        if who.session is None:
            raise NotAllowedError("a token does not change passwords", hint="log in")
        refuse_weak(new, who.name)
        if new == old:
            raise SettingsError("this is the password that you have", wanted="another one")
        self._limiter.attempt(who.name, address)
        found = self._store.users.password(who.name)
        if found is None or not self._passwords.fits(old, found[1]):
            raise NotAllowedError("the old password is wrong")
        self._limiter.succeeded(who.name, address)
        return self._store.users.change_password(
            who.name, self._passwords.hash(new), one_time=False, author=who.name, keep=who.session
        )

    def add_user(self, name: str, role: Role, *, author: str) -> tuple[User, str]:
        """Let somebody in; return the password for the first login.

        Raises:
            ConflictError: there is one of this name. SettingsError: the name cannot be taken.
        """
        password = one_time_password()
        name = user_name(name)
        return self._store.users.add(name, self._passwords.hash(password), role, one_time=True, author=author), password

    def new_password(self, name: str, *, author: str) -> str:
        """Give somebody another one-time password; all sessions of that one end.

        Raises:
            UnknownNameError: there is no such user.
        """
        password = one_time_password()
        self._store.users.change_password(_plain(name), self._passwords.hash(password), one_time=True, author=author)
        return password

    def add_token(self, who: Who, name: str, scope: Scope, ends_at: datetime) -> tuple[str, Token]:
        """Let a program act for oneself; return what it has to show, and what is kept of it.

        Raises:
            NotAllowedError: one may not so much oneself, or a token asks. ConflictError: there are too many.
        """
        if who.token is not None:
            raise NotAllowedError("a token does not make tokens", hint="log in")
        if scope != "metrics":
            who.need(scope)
        text = _TOKEN_BEGINS + secrets.token_urlsafe(32)
        return text, self._store.tokens.add(who.name, name, _hash(text), scope, ends_at, author=who.name)


def csrf_token(secret: str) -> str:
    """What each change made in a session has to bring along: only pages of the console know it.

    Args:
        secret: what the browser holds.
    """
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()


def user_name(name: str) -> str:
    """The name of a user as it is kept: small letters, in one of the ways in which they can be written.

    Raises:
        SettingsError: it cannot be taken.

    >>> user_name("Ann.B")
    'ann.b'
    """
    plain = _plain(name)
    if not (0 < len(plain) <= 64 and all(letter.isalnum() or letter in "._-@" for letter in plain)):
        raise SettingsError("this name cannot be taken", wanted="1 to 64 letters, digits, '.', '_', '-' and '@'")
    return plain


def _account(name: str) -> str:
    """The account that somebody tries; all that cannot be names are one."""
    try:
        return user_name(name)
    except SettingsError:
        return "?"


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
