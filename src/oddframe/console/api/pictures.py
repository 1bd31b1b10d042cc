"""Pictures of cameras: live ones, and those of addresses that are tried."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from oddframe.cameras.settings import CameraSettings
from oddframe.console.access.door import Admin, TheSite, Viewer
from oddframe.console.api.fields import InPath
from oddframe.site.commands import Command
from oddframe.site.picture_maker import Wide
from oddframe.site.shapes import CameraAddress

router = APIRouter(prefix="/cameras", tags=["cameras"])


class TrialIn(Command):
    """An address that is tried; it is kept nowhere. `reading`: how it is read."""

    address: CameraAddress
    reading: CameraSettings = CameraSettings()


class TrialOut(Command):
    """What a camera shows.

    Attributes:
        address: masked. words: what it sends. picture: where its picture is, for some minutes.
        size: (height, width). fps: None where that is not known. after_s: how long it took.
    """

    address: str
    words: str
    picture: str
    size: tuple[int, int]
    fps: float | None
    codec: str
    infrared: bool
    after_s: float


@router.get("/{camera}/picture", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def picture(camera: InPath, _: Viewer, site: TheSite, heat: bool = False, wide: Wide = "large") -> Response:
    """The latest picture of a camera, a JPEG: private places black, with how odd each place is laid over it if asked.

    It is made while somebody asks, twice a second at most. 404 where there is none just now, and why.
    """
    made = site.picture(camera, heat=heat, wide=wide)
    headers = {"X-Oddframe-At": made.at.isoformat(), "X-Oddframe-Alarm": str(made.alarm).lower()}
    if made.score is not None:
        headers["X-Oddframe-Score"] = f"{made.score:.3f}"
    return Response(made.jpeg, media_type="image/jpeg", headers=headers)


@router.post("/trial")
def attempt(given: TrialIn, _: Admin, site: TheSite) -> TrialOut:
    """Open an address, take one picture, and close it again; or say why there is none. It takes up to ten seconds."""
    tried = site.trials.attempt(given.address.get_secret_value(), given.reading)
    stream = tried.stream
    height, width = stream.size
    rate = "" if stream.fps is None else f", {stream.fps:.3g} pictures a second"
    colour = "without colour" if tried.infrared else "in colour"
    return TrialOut(
        address=tried.address,
        words=f"It sends {width}x{height}{rate}, {stream.codec}, {colour}; a picture came after {tried.after_s:.1f} s.",
        picture=f"/api/v1/cameras/trial/{tried.key}",
        size=stream.size,
        fps=stream.fps,
        codec=stream.codec,
        infrared=tried.infrared,
        after_s=tried.after_s,
    )


@router.get("/trial/{key}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def of_trial(key: Annotated[str, Path(pattern=r"^[\w-]{10,40}$")], _: Admin, site: TheSite) -> Response:
    """The picture of an address that was tried some minutes ago, a JPEG."""
    return Response(site.trials.picture(key), media_type="image/jpeg")
