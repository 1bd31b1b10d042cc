"""Tokens, with which programs come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from pydantic import Field

from oddframe.console.access.door import TheAccess, TheStore, Viewer
from oddframe.console.api.fields import Number
from oddframe.errors import NotAllowedError
from oddframe.records import Record
from oddframe.site.store.records import Scope, Token

router = APIRouter(prefix="/tokens", tags=["tokens"])


class TokenOut(Record):
    """A token; what a program has to show is not kept. `used_at`: about when it was shown last."""

    id: int
    user: str
    name: str
    scope: Scope
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None


class TokenIn(Record):
    """A token that is to be made. `name`: what it is for. `scope`: what it may, no more than oneself."""

    name: str = Field(min_length=1, max_length=100)
    scope: Scope = "viewer"
    days: float = Field(default=90, gt=0, le=3660, description="after so many days it ends")


class NewToken(Record):
    """A token and what a program has to show, as `Authorization: Bearer TEXT`. It is shown this once."""

    token: TokenOut
    text: str


def _out(token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        user=token.user.name,
        name=token.name,
        scope=token.scope,
        made_at=token.made_at,
        ends_at=token.ends_at,
        used_at=token.used_at,
    )


@router.get("")
def tokens(who: Viewer, store: TheStore) -> list[TokenOut]:
    """One's own tokens, of an admin those of all; the latest first."""
    return [_out(one) for one in store.tokens.all(None if who.can("admin") else who.name)]


@router.post("", status_code=201)
def add(given: TokenIn, who: Viewer, access: TheAccess) -> NewToken:
    """Make a token that acts for oneself."""
    text, token = access.add_token(who, given.name, given.scope, datetime.now(UTC) + timedelta(days=given.days))
    return NewToken(token=_out(token), text=text)


@router.delete("/{number}", status_code=204)
def revoke(number: Number, who: Viewer, store: TheStore) -> None:
    """Let no program come in with a token any more: one's own, of an admin anybody's."""
    if who.token is not None and not who.can("admin"):
        raise NotAllowedError("a token does not revoke tokens", hint="log in")
    if store.tokens.get(number).user.name != who.name:
        who.need("admin")
    store.tokens.revoke(number, author=who.name)
