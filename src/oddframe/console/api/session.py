"""Logging in and out, another password, and where else somebody is logged in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, SecretStr

from oddframe.console.access.access import csrf_token
from oddframe.console.access.door import (
    Anybody,
    TheAccess,
    TheStore,
    address_of,
    drop_session,
    keep_session,
    refuse_other_origins,
)
from oddframe.errors import NotAllowedError
from oddframe.records import Record
from oddframe.site.store.records import Scope

router = APIRouter(prefix="/session", tags=["session"])

Password = Annotated[SecretStr, Field(min_length=1, max_length=256)]


class Login(Record):
    """Who wants to come in."""

    name: str = Field(min_length=1, max_length=100)
    password: Password


class Me(Record):
    """Who has come in.

    Attributes:
        may: viewer, reviewer or admin; of a token also metrics.
        one_time: the password has to be changed before anything else.
        csrf: goes along with each change, as header X-CSRF-Token; "" of a token, which needs none.
    """

    name: str
    may: Scope
    one_time: bool
    csrf: str


class NewPassword(Record):
    """Another password in place of the one that one has."""

    old: Password
    new: Password


class Elsewhere(Record):
    """A browser in which somebody is logged in. `here`: it is the one that asks."""

    since: datetime
    used_at: datetime
    ends_at: datetime
    address: str
    agent: str
    here: bool


@router.post("", dependencies=[Depends(refuse_other_origins)])
def log_in(given: Login, request: Request, response: Response, access: TheAccess) -> Me:
    """Log in: the answer sets the session's cookie."""
    secret, begun = access.log_in(
        given.name,
        given.password.get_secret_value(),
        address=address_of(request),
        agent=request.headers.get("user-agent", ""),
    )
    keep_session(request, response, secret)
    user = begun.user
    return Me(name=user.name, may=user.role, one_time=user.one_time, csrf=csrf_token(secret))


@router.get("")
def me(who: Anybody) -> Me:
    """Who one is."""
    return Me(name=who.name, may=who.may, one_time=who.one_time, csrf=who.csrf)


@router.delete("", status_code=204)
def log_out(who: Anybody, request: Request, response: Response, access: TheAccess) -> None:
    """Log out of this browser."""
    access.log_out(who)
    drop_session(request, response)


@router.put("/password", status_code=204)
def change_password(given: NewPassword, who: Anybody, request: Request, access: TheAccess) -> None:
    """Take another password; all other sessions end."""
    access.change_password(who, given.old.get_secret_value(), given.new.get_secret_value(), address=address_of(request))


@router.get("/all")
def everywhere(who: Anybody, store: TheStore) -> list[Elsewhere]:
    """Where one is logged in."""
    return [
        Elsewhere(
            since=one.made_at,
            used_at=one.used_at,
            ends_at=one.ends_at,
            address=one.address,
            agent=one.agent,
            here=one.id == who.session,
        )
        for one in store.sessions.of(who.name)
    ]


@router.delete("/all", status_code=204)
def log_out_everywhere(who: Anybody, request: Request, response: Response, store: TheStore) -> None:
    """Log out of all browsers, also of this one."""
    if who.session is None:
        raise NotAllowedError("a token does not log anybody out", hint="log in")
    store.sessions.end_all(who.name, author=who.name)
    drop_session(request, response)
