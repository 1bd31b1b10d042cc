"""Who may come in, and with which rights."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from oddframe.console.access.access import user_name
from oddframe.console.access.door import Admin, TheAccess, TheStore
from oddframe.console.api.fields import InPath
from oddframe.records import Record
from oddframe.site.store.records import Role, User

router = APIRouter(prefix="/users", tags=["users"])


class UserOut(Record):
    """Somebody who may come in. `one_time`: the first password has not been changed yet."""

    name: str
    role: Role
    one_time: bool
    added_at: datetime
    changed_at: datetime


class UserIn(Record):
    """Somebody who is to come in."""

    name: str = Field(min_length=1, max_length=64)
    role: Role = "viewer"


class RoleIn(Record):
    """Other rights."""

    role: Role


class OneTime(Record):
    """A password for the next login. It is shown this once, and has to be changed then."""

    name: str
    password: str


def _out(user: User) -> UserOut:
    return UserOut(
        name=user.name,
        role=user.role,
        one_time=user.one_time,
        added_at=user.added_at,
        changed_at=user.changed_at,
    )


@router.get("")
def users(_: Admin, store: TheStore) -> list[UserOut]:
    """All users, by name."""
    return [_out(one) for one in store.users.all()]


@router.post("", status_code=201)
def add(given: UserIn, who: Admin, access: TheAccess) -> OneTime:
    """Let somebody come in."""
    user, password = access.add_user(given.name, given.role, author=who.name)
    return OneTime(name=user.name, password=password)


@router.put("/{name}/role")
def set_role(name: InPath, given: RoleIn, who: Admin, store: TheStore) -> UserOut:
    """Give somebody other rights; they hold at once."""
    return _out(store.users.set_role(user_name(name), given.role, author=who.name))


@router.post("/{name}/password")
def new_password(name: InPath, who: Admin, access: TheAccess) -> OneTime:
    """Give somebody another password for one login; all of that user's sessions end."""
    return OneTime(name=user_name(name), password=access.new_password(name, author=who.name))


@router.delete("/{name}/sessions", status_code=204)
def end_sessions(name: InPath, who: Admin, store: TheStore) -> None:
    """Log somebody out everywhere."""
    store.sessions.end_all(user_name(name), author=who.name)


@router.delete("/{name}", status_code=204)
def remove(name: InPath, who: Admin, store: TheStore) -> None:
    """Let somebody in no longer. Sessions end, tokens are revoked, reviews stay."""
    store.users.remove(user_name(name), author=who.name)
