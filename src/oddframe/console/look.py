"""The files that go with pages: style, scripts, an icon. Nothing comes from elsewhere."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from fastapi import APIRouter, Response

from oddframe.errors import UnknownNameError

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_REPORT_CSS = "report.css"
"""The look of reports is that of pages: one type, one set of colours."""
_KEPT = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@cache
def look_files() -> dict[str, tuple[bytes, str]]:
    """Name → (content, media type) of all that pages load."""
    found = {}
    for place in (files("oddframe.console") / "static").iterdir():
        kind = place.name.rpartition(".")[2]
        if kind in _KINDS:
            found[place.name] = (place.read_bytes(), _KINDS[kind])
    css = files("oddframe.reporting") / "templates" / _REPORT_CSS
    found[_REPORT_CSS] = (css.read_bytes(), _KINDS["css"])
    return found


@cache
def look_version() -> str:
    """Changes with every file that a page is made of: a page of another one has to be loaded anew."""
    digest = hashlib.sha256(version("oddframe").encode())
    for name, (content, _) in sorted(look_files().items()):
        digest.update(name.encode() + content)
    for place in sorted((files("oddframe.console") / "templates").iterdir(), key=lambda one: one.name):
        digest.update(place.name.encode() + place.read_bytes())
    return digest.hexdigest()[:16]


def address_of_file(name: str) -> str:
    """Where a file of a page is; elsewhere whenever anything changes, so that browsers may keep it."""
    return f"/look/{look_version()}/{name}"


@router.get("/look/{of}/{name}")
def look(of: str, name: str) -> Response:
    """A file that pages load. A page of another version gets this version's, and does not keep it."""
    found = look_files().get(name)
    if found is None:
        raise UnknownNameError(f"there is no file '{name[:100]}'")
    content, kind = found
    return Response(content, media_type=kind, headers={"Cache-Control": _KEPT} if of == look_version() else None)
