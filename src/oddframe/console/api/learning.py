"""Cameras that learn what is normal before them: asked for, watched, and told what is not normal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter
from fastapi import Path as InAddress
from fastapi.responses import FileResponse
from pydantic import Field, field_validator

from oddframe.console.access.door import Admin, TheStore, Viewer
from oddframe.console.api.fields import InPath
from oddframe.errors import UnknownNameError
from oddframe.records import Record
from oddframe.site.learning import LearnSettings
from oddframe.site.store import Store
from oddframe.teaching import asking

router = APIRouter(prefix="/cameras/{camera}/learning", tags=["learning"])

_KEPT = "private, max-age=60"


class OddOut(Record):
    """One of the oddest pieces of the normal video.

    Attributes:
        number: by which it is left out, from 1, the oddest first. began: UTC; None of a recording.
        at_s: of its oddest moment, in seconds. score: higher is odder. left_out: whether somebody has left it out.
        picture, heat: where its pictures are given.
    """

    number: int
    began: datetime | None
    scene: str
    at_s: float
    seconds: float
    score: float
    left_out: bool
    picture: str
    heat: str


class CheckOut(Record):
    """What was found in the normal video; see the glossary for a piece.

    Attributes:
        hours: hour of the day at the site → seconds.
        light: mean grey of the darkest, the middle and the lightest piece.
        active, infrared: shares of pieces in which something moves, and without colour.
    """

    pieces: int
    seconds: float
    hours: Mapping[int, float]
    light: tuple[float, float, float]
    active: float
    infrared: float
    notes: tuple[str, ...]
    odd: tuple[OddOut, ...]


class LearningOut(Record):
    """How a camera's learning stands.

    Attributes:
        state: collecting, checking, training, exporting, calibrating, live, failed, stopped; waiting until the site has
            taken it up; "" where it does not learn. words: the same in a sentence.
        settings: that were asked for. until: when collecting ends.
        seconds, wanted_s: of normal video, that is there and that is wanted. bytes: of it.
        skipped_s: why nothing was collected → for how many seconds.
        stage, percent, left_s: what is being done, how far it is, and about how long it takes still.
        problem, hint: what is wrong, and what to do. promise: what the line promises. stand_in: whether one was made.
    """

    state: str
    words: str
    settings: Mapping[str, object] = Field(default={})
    until: datetime | None = None
    seconds: float = 0.0
    wanted_s: float = 0.0
    bytes: int = 0
    skipped_s: Mapping[str, float] = Field(default={})
    stage: str = ""
    percent: float | None = None
    left_s: float | None = None
    problem: str = ""
    hint: str = ""
    promise: str = ""
    stand_in: bool = False
    notes: tuple[str, ...] = ()
    check: CheckOut | None = None


class LearnIn(LearnSettings):
    """How a camera is to learn. The other entries are those of `learn` in a site's file.

    Attributes:
        recordings: normal video of the camera, in place of what it sends: files and folders on the site's computer.
    """

    recordings: tuple[Path, ...] = Field(default=(), max_length=100)

    @field_validator("recordings")
    @classmethod
    def _is_whole(cls, paths: tuple[Path, ...]) -> tuple[Path, ...]:
        if any(not path.is_absolute() for path in paths):
            raise ValueError("the whole path of a recording on the computer of the site, as /srv/recordings/gate.mp4")
        return paths


class Wish(Record):
    """What is to become of a learning.

    Attributes:
        do: "collected": train on what is there; "stop"; "retry": try again what failed, or go on with what was stopped.
    """

    do: Literal["collected", "stop", "retry"]


class LeaveOut(Record):
    """Pieces that are not normal, by their numbers."""

    numbers: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field(min_length=1, max_length=100)


@router.get("")
def learning(camera: InPath, _: Viewer, store: TheStore) -> LearningOut:
    """How it stands."""
    return learning_out(store, camera)


@router.post("")
def start(camera: InPath, given: LearnIn, who: Admin, store: TheStore) -> LearningOut:
    """Have a camera learn, in place of what it was learning; what watches goes on until it has."""
    settings = given.model_dump(exclude={"recordings"}, exclude_unset=True)
    asking.start(store, camera, settings, who.name, videos=given.recordings)
    return learning_out(store, camera)


@router.put("")
def wish(camera: InPath, wished: Wish, who: Admin, store: TheStore) -> LearningOut:
    """Collect no more, stop, or try again."""
    {"collected": asking.collected, "stop": asking.stop, "retry": asking.again}[wished.do](store, camera, who.name)
    return learning_out(store, camera)


@router.post("/left-out")
def leave_out(camera: InPath, pieces: LeaveOut, who: Admin, store: TheStore) -> LearningOut:
    """Leave out pieces that are not normal. What was trained on them is trained again."""
    asking.leave_out(store, camera, pieces.numbers, who.name)
    return learning_out(store, camera)


@router.get("/odd/{number}/{kind}", response_class=FileResponse, responses={200: {"content": {"image/jpeg": {}}}})
def picture(
    camera: InPath,
    number: Annotated[int, InAddress(ge=1, le=1000)],
    kind: Literal["picture", "heat"],
    _: Viewer,
    store: TheStore,
) -> FileResponse:
    """A picture of an odd piece, as it is or with heat."""
    standing = asking.standing(store, camera)
    odd = () if standing.check is None else standing.check.odd
    one = next((one for one in odd if one.number == number), None)
    place = None if one is None else (standing.folder / (one.picture if kind == "picture" else one.heat)).resolve()
    if place is None or not place.is_relative_to(standing.folder.resolve() / "odd") or not place.is_file():
        raise UnknownNameError(f"there is no picture of odd piece {number}", hint="the video was looked at again since")
    return FileResponse(place, media_type="image/jpeg", headers={"Cache-Control": _KEPT})


def learning_out(store: Store, camera: str) -> LearningOut:
    """How it stands, as the API tells it: without paths of this computer.

    Raises:
        UnknownNameError: there is no such camera. RunError: its record is damaged.
    """
    standing = asking.standing(store, camera)
    told, check = standing.learning, standing.check
    out = LearningOut(
        state=standing.state,
        words=standing.words,
        settings={} if standing.asked is None else standing.asked.settings,
    )
    if told is None:
        return out
    names = ("until", "seconds", "wanted_s", "bytes", "skipped_s", "stage", "percent", "left_s", "problem", "hint")
    facts = {name: getattr(told, name) for name in (*names, "promise", "notes")}
    left_out = () if standing.asked is None else standing.asked.left_out
    found = None
    if check is not None:
        url = f"/api/v1/cameras/{quote(camera, safe='')}/learning/odd"
        odd = tuple(
            OddOut(
                **{name: one[name] for name in ("number", "began", "scene", "at_s", "seconds", "score")},
                left_out=one.name in left_out,
                picture=f"{url}/{one.number}/picture",
                heat=f"{url}/{one.number}/heat",
            )
            for one in check.odd
        )
        found = CheckOut(**{name: check[name] for name in CheckOut.model_fields if name != "odd"}, odd=odd)
    return out.changed(**facts, stand_in=told.stand_in is not None, check=found)
