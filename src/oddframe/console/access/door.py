"""Who asks, as a dependency of a route: `viewer: Viewer` lets viewers in and everybody who may more.

A session comes in a cookie, and each request that changes something brings its CSRF token along, in the header
X-CSRF-Token or, from a form, in the field csrf_token. A token comes in the header Authorization, and nowhere else.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant

from oddframe.console.access.access import Access
from oddframe.console.access.who import Who
from oddframe.console.running import RunningSite
from oddframe.console.settings import ConsoleSettings
from oddframe.errors import NotAllowedError, NotLoggedInError
from oddframe.site.store import Store
from oddframe.site.store.records import ROLES, Role

CSRF_HEADER, CSRF_FIELD = "x-csrf-token", "csrf_token"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})


def the_site(request: Request) -> RunningSite:
    """The site that is served."""
    return cast(RunningSite, request.app.state.site)


def the_store(request: Request) -> Store:
    """The site's store."""
    return the_site(request).store


def the_access(request: Request) -> Access:
    """The door."""
    return cast(Access, request.app.state.access)


TheSite = Annotated[RunningSite, Depends(the_site)]
TheStore = Annotated[Store, Depends(the_store)]
TheAccess = Annotated[Access, Depends(the_access)]


def cookie_name(settings: ConsoleSettings) -> str:
    """Of the session. By its beginning a browser keeps other sites of the same domain from setting it."""
    return "__Host-oddframe" if settings.secure else "oddframe"


def keep_session(request: Request, response: Response, secret: str) -> None:
    """Have the browser hold a session; scripts do not see it, and no other site makes a browser send it."""
    settings = request.app.state.settings
    response.set_cookie(
        cookie_name(settings), secret, path="/", secure=settings.secure, httponly=True, samesite="strict"
    )


def drop_session(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    settings = request.app.state.settings
    response.delete_cookie(cookie_name(settings), path="/", secure=settings.secure, httponly=True, samesite="strict")
    response.headers["Clear-Site-Data"] = '"cache"'  # pictures that were looked at


def address_of(request: Request) -> str:
    """From where a request comes."""
    return request.client.host if request.client is not None else ""


def refuse_other_origins(request: Request) -> None:
    """Refuse a change that a page of another site has made the browser send.

    Raises:
        NotAllowedError: the browser says that it comes from elsewhere.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in _OURS
    else:
        ours = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not ours:
        raise NotAllowedError("this request comes from another site", seen=origin, hint="open the console itself")


async def _csrf(request: Request) -> str:
    """The CSRF token that came along, "" where there is none."""
    if request.method in _SAFE:
        return ""
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else None
    return given or ""


def _who(request: Request, access: TheAccess, csrf: Annotated[str, Depends(_csrf)]) -> Who:
    """Whoever has come in, also with a one-time password.

    Raises:
        NotLoggedInError: there is no session or token, or it has ended.
        NotAllowedError: the CSRF token is not that of the session.
    """
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":  # other kinds are the business of a proxy
        return access.of_token(text.strip())
    secret = request.cookies.get(cookie_name(request.app.state.settings))
    if not secret:
        raise NotLoggedInError("nobody is logged in", wanted="a token or a session", hint="log in")
    who = access.of_session(secret)
    if request.method not in _SAFE:
        refuse_other_origins(request)
        if not hmac.compare_digest(csrf.encode(errors="replace"), who.csrf.encode()):
            raise NotAllowedError(
                "the CSRF token is not that of this session",
                wanted=f"header {CSRF_HEADER} or field {CSRF_FIELD}",
                hint="load the page anew",
            )
    return who


Anybody = Annotated[Who, Depends(_who)]
"""Who has come in, also with a one-time password: for looking at oneself, for another password, and for going."""


def _needs(role: Role) -> Callable[[Who], Who]:
    def needed(who: Anybody) -> Who:
        who.need(role)
        return who

    return needed


_NEEDED = {role: _needs(role) for role in ROLES}

Viewer = Annotated[Who, Depends(_NEEDED["viewer"])]
Reviewer = Annotated[Who, Depends(_NEEDED["reviewer"])]
Admin = Annotated[Who, Depends(_NEEDED["admin"])]


def needed_role(dependant: Dependant) -> Role | None:
    """What a route needs; None where any login is enough, or none."""
    found = next((role for role, needed in _NEEDED.items() if dependant.call is needed), None)
    return found or next((role for one in dependant.dependencies if (role := needed_role(one)) is not None), None)
