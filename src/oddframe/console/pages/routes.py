"""All pages together."""

from __future__ import annotations

from fastapi import APIRouter

from oddframe.console.pages import add_camera, camera, events, learning, line, login, system, table, taught, wall

router = APIRouter()

for _of in (login, wall, camera, learning, taught, line, events, table, add_camera, system):
    router.include_router(_of.router)
