"""What reviews teach cameras: tried, carried out, listed, and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter

from oddframe.console.access.door import Reviewer, TheStore, Viewer
from oddframe.console.api.fields import EventId, InPath, Number
from oddframe.console.moments import moment
from oddframe.records import Record
from oddframe.site.store.records import Verdict
from oddframe.teaching.lesson_records import Preview, Scope, TaughtLesson
from oddframe.teaching.lessons import Teaching, lessons_of

router = APIRouter(tags=["lessons"])


class Tried(Record):
    """A review that nobody has given yet. scope: how far "normal" goes, and at which time of day."""

    verdict: Verdict
    scope: Scope = Scope()


class PreviewOut(Preview):
    """What would come of a review.

    Attributes:
        words: the same in one or two sentences.
        moments: when each of `silenced` began, in words and in the site's time zone.
    """

    words: str
    moments: tuple[str, ...]

    @classmethod
    def of(cls, preview: Preview) -> PreviewOut:
        """With its words."""
        now = datetime.now(UTC)
        moments = tuple(moment(one.began_at, now) for one in preview.silenced)
        return cls(**dict(preview), words=preview.in_words(), moments=moments)


@router.post("/events/{event}/preview")
def preview(event: EventId, given: Tried, _: Reviewer, store: TheStore) -> PreviewOut:
    """What a review of an event would do, on the events that are remembered. Nothing is changed."""
    teaching = Teaching(store, store.events.get(event).event.camera)
    return PreviewOut.of(teaching.preview(event, given.verdict, given.scope))


@router.post("/events/{event}/teach")
def carry_out(event: EventId, _: Reviewer, store: TheStore) -> PreviewOut:
    """Have the camera know of an event what its reviews say: after a review, a change of one, and an undo."""
    return PreviewOut.of(Teaching(store, store.events.get(event).event.camera).carry_out(event))


@router.get("/cameras/{camera}/lessons")
def lessons(camera: InPath, _: Viewer, store: TheStore) -> list[TaughtLesson]:
    """All that a camera was taught, the latest first."""
    return lessons_of(store, camera)


@router.post("/cameras/{camera}/lessons/{number}/preview")
def preview_forgetting(camera: InPath, number: Number, _: Reviewer, store: TheStore) -> PreviewOut:
    """What it would do to forget what a review taught. Nothing is changed."""
    return PreviewOut.of(Teaching(store, camera).preview_forgetting(number))


@router.delete("/cameras/{camera}/lessons/{number}")
def forget(camera: InPath, number: Number, who: Reviewer, store: TheStore) -> PreviewOut:
    """Take back what a review taught a camera, without a trace; the review itself stays."""
    done = Teaching(store, camera).forget(number)
    store.journal.log(who.name, "forgot", f"camera {camera}", {"review": number})
    return PreviewOut.of(done)
