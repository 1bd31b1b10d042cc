"""Adding a camera: its address is tried first, and its picture is seen."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from oddframe.console.access.door import TheSite
from oddframe.console.pages.answer import answer
from oddframe.console.pages.looking import Changing
from oddframe.console.pages.page import page_of

router = APIRouter(include_in_schema=False)


@router.get("/add-camera")
def add_camera_page(request: Request, who: Changing, site: TheSite) -> Response:
    """Where a camera is added."""
    return answer(request, page_of(site, "/", who), "add_camera")
