"""Pictures and clips of events. They are named by number, and a number never becomes a path."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import FileResponse

from oddframe.console.access.door import TheStore, Viewer
from oddframe.console.api.fields import Number
from oddframe.errors import UnknownNameError
from oddframe.records import Record
from oddframe.site.engine_process import EVIDENCE
from oddframe.site.store.records import Evidence

router = APIRouter(prefix="/evidence", tags=["evidence"])

_TYPES = {".jpg": "image/jpeg", ".png": "image/png", ".mp4": "video/mp4", ".webm": "video/webm"}
_KEPT = "private, max-age=300"
"""A browser may show a clip that it has loaded ahead, and for no longer than somebody looks at it."""


class EvidenceOut(Record):
    """A picture or clip. `kind`: snapshot, heat or clip. `url`: where it is given."""

    id: int
    kind: str
    bytes: int
    made_at: datetime
    url: str


def evidence_out(one: Evidence) -> EvidenceOut:
    """Evidence as the API tells it."""
    return EvidenceOut(id=one.id, kind=one.kind, bytes=one.bytes, made_at=one.made_at, url=f"/api/v1/evidence/{one.id}")


@router.get(
    "/{number}",
    response_class=FileResponse,
    responses={200: {"content": {"image/jpeg": {}, "video/mp4": {}}}, 206: {"description": "Part of the file"}},
)
def file(number: Number, _: Viewer, store: TheStore) -> FileResponse:
    """The file itself, or the part of it that a header Range asks for."""
    found = store.evidence.get(number)
    place = (store.folder / found.path).resolve()
    if not place.is_relative_to((store.folder / EVIDENCE).resolve()) or not place.is_file():
        raise UnknownNameError(f"the file of evidence {number} is not there", hint="retention may have removed it")
    media_type = _TYPES.get(place.suffix)
    return FileResponse(
        place,
        media_type=media_type or "application/octet-stream",
        headers={"Cache-Control": _KEPT},
        filename=f"{found.event}-{place.name}",
        content_disposition_type="inline" if media_type else "attachment",
    )
