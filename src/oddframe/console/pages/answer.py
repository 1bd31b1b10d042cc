"""What pages are answered with: the whole page, or a part of one that is already open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from oddframe.console.pages.page import Page
from oddframe.console.rendering import render
from oddframe.errors import UnknownNameError

_OF_ALL = {"to-review": "to_review"}
"""Parts that every page has."""


def answer(
    request: Request, page: Page, template: str, parts: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page, or the part of it that `?part=` asks for.

    Args:
        template: of the page. parts: name of a part → its template.

    Raises:
        UnknownNameError: the page has no such part.
    """
    wanted = request.query_params.get("part")
    if wanted is not None:
        known = {**_OF_ALL, **(parts or {})}
        if wanted not in known:
            raise UnknownNameError(f"this page has no part '{wanted[:100]}'", hint="load the page anew")
        template = known[wanted]
    return HTMLResponse(render(f"{template}.html.jinja", page=page, now=datetime.now(UTC), **values))
