"""Coming in, and another password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from oddframe.console.access.door import Anybody, TheAccess, TheSite, TheStore, cookie_name
from oddframe.console.pages.answer import answer
from oddframe.console.pages.page import page_of
from oddframe.errors import NotLoggedInError

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(
    request: Request,
    site: TheSite,
    access: TheAccess,
    next: Annotated[str, Query(max_length=2000)] = "/",
) -> Response:
    """Where one comes in; whoever is in already goes on."""
    there = here_only(next)
    secret = request.cookies.get(cookie_name(request.app.state.settings))
    if secret:
        try:
            access.of_session(secret)
            return RedirectResponse(there, 303)
        except NotLoggedInError:
            pass
    return answer(request, page_of(site, "/login", None), "login", next=there, first=access.nobody_came_yet())


@router.get("/password")
def password_page(request: Request, who: Anybody, site: TheSite, store: TheStore) -> Response:
    """Another password; the only page for whoever has one for one time."""
    return answer(request, page_of(site, "/password", who), "password", sessions=store.sessions.of(who.name))


def here_only(path: str) -> str:
    """A path of these pages; "/" for whatever would lead elsewhere.

    >>> [here_only(path) for path in ("/review?said=any", "//evil.example", "http://x", "/\\\\evil.example")]
    ['/review?said=any', '/', '/', '/']
    """
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and "\\" not in path else "/"
