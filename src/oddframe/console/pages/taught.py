"""What a camera was taught by reviews: each lesson with its picture, what it silences, and what came of it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from oddframe.console.access.door import TheSite
from oddframe.console.api.fields import InPath
from oddframe.console.pages.answer import answer
from oddframe.console.pages.events import files_of, where_in_picture
from oddframe.console.pages.looking import Looking
from oddframe.console.pages.page import page_of
from oddframe.console.pages.words import REACHES
from oddframe.console.running import RunningSite
from oddframe.errors import UnknownNameError
from oddframe.reporting.words import count
from oddframe.site.store.records import StoredEvent
from oddframe.teaching.lesson_records import TaughtLesson
from oddframe.teaching.lessons import lessons_of

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class LessonView:
    """One lesson.

    Attributes:
        lesson: it. picture: where the snapshot of its event is; None where it is kept no longer. where: the event's
            box in shares of it. facts: (what, how), in words.
    """

    lesson: TaughtLesson
    picture: str | None
    where: tuple[float, float, float, float] | None
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class TaughtView:
    """What the page shows.

    Attributes:
        camera: its name. lessons: the latest first. why_not: why it cannot be taught; "" if it can.
    """

    camera: str
    lessons: tuple[LessonView, ...]
    why_not: str


def taught_view(site: RunningSite, name: str) -> TaughtView:
    """What the page on what a camera was taught shows.

    Raises:
        UnknownNameError: there is no such camera. RunError: its fitting is damaged.
    """
    camera = site.store.cameras.get(name)
    lessons = tuple(_lesson(site, one) for one in lessons_of(site.store, camera.name))
    return TaughtView(camera.name, lessons, _why_not(site, camera.name))


def _why_not(site: RunningSite, camera: str) -> str:
    fittings = site.store.cameras.fittings(camera)
    if not fittings or fittings[0].retired_at is not None:
        return "It has no detector yet. Once it has learned what is normal, reviews can teach it."
    if fittings[0].folder is None:
        return "It cannot be taught yet: what judges it is not fitted to it alone, but may be to other cameras, too."
    return ""


def _lesson(site: RunningSite, lesson: TaughtLesson) -> LessonView:
    stored: StoredEvent | None = None
    with contextlib.suppress(UnknownNameError):  # events go when their time is over; what they taught stays
        stored = site.store.events.get(lesson.event)
    picture = None if stored is None else files_of(stored).get("snapshot")
    where = None if stored is None or picture is None else where_in_picture(stored.event.box, stored.event.picture)
    return LessonView(lesson, picture, where, _facts(lesson, marked=where is not None))


def _facts(lesson: TaughtLesson, *, marked: bool) -> tuple[tuple[str, str], ...]:
    if lesson.reach is None:
        return (("does", "weighs the components of the score “learned” by it; alarms stay as they are"),)
    hours = "at any time of day"
    if lesson.begin is not None and lesson.end is not None:
        hours = f"from {lesson.begin:%H:%M} to {lesson.end:%H:%M}"
    so_far = f"{count(lesson.silenced, 'event')} kept quiet" if lesson.silenced else "nothing kept quiet yet"
    return (
        ("silences", "its like, at the marked place" if marked else "its like, at the place where it was odd"),
        ("reach", f"{lesson.reach}: {REACHES[lesson.reach]}"),
        ("when", hours),
        ("so far", so_far),
    )


@router.get("/cameras/{name}/taught")
def taught_page(request: Request, name: InPath, who: Looking, site: TheSite) -> Response:
    """What a camera was taught."""
    return answer(
        request, page_of(site, "/", who), "taught", {"taught-lessons": "taught_lessons"}, taught=taught_view(site, name)
    )
