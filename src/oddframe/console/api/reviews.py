"""What people say of events. Nothing is overwritten: of each author the latest word that was not taken back holds."""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field

from oddframe.console.access.door import Reviewer, TheStore, Viewer
from oddframe.console.api.fields import EventId
from oddframe.errors import OddframeError, UnknownNameError
from oddframe.records import Record
from oddframe.site.store import Store
from oddframe.site.store.records import Review, Verdict
from oddframe.teaching.lessons import follow

router = APIRouter(tags=["reviews"])

_LOG = logging.getLogger(__name__)

_SCOPE_LETTERS = 4000


def _plain(scope: dict[str, Any]) -> dict[str, Any]:
    try:
        written = json.dumps(scope, allow_nan=False, ensure_ascii=False)
        written.encode()
    except (ValueError, RecursionError):
        raise ValueError("plain JSON values") from None
    if len(written) > _SCOPE_LETTERS:
        raise ValueError(f"up to {_SCOPE_LETTERS} letters of JSON")
    return scope


class ReviewIn(Record):
    """What somebody says of an event.

    Attributes:
        scope: of what it speaks (a place, a time of day). note: in words, for people.
    """

    verdict: Verdict
    note: str = Field(default="", max_length=2000)
    scope: Annotated[dict[str, Any], AfterValidator(_plain)] = Field(default={})


@router.post("/events/{event}/reviews", status_code=201)
def add(event: EventId, given: ReviewIn, who: Reviewer, store: TheStore) -> Review:
    """Say something of an event; what one said of it before no longer holds. What was taught of it follows."""
    return _followed(store, store.reviews.add(event, who.name, given.verdict, scope=given.scope, note=given.note))


@router.get("/events/{event}/reviews")
def of_event(event: EventId, _: Viewer, store: TheStore) -> list[Review]:
    """All that was ever said of an event, in order, also what was taken back."""
    store.events.get(event)
    return store.reviews.history(event)


@router.delete("/events/{event}/reviews")
def undo_of_event(event: EventId, who: Reviewer, store: TheStore) -> Review:
    """Take back what one said last of an event; what one said of it before holds again."""
    return _followed(store, _undone(store.reviews.undo(who.name, event)))


@router.post("/reviews/undo")
def undo(who: Reviewer, store: TheStore) -> Review:
    """Take back what one said last, of whatever event."""
    return _followed(store, _undone(store.reviews.undo(who.name)))


@router.get("/reviews")
def holding(
    _: Viewer,
    store: TheStore,
    verdict: Verdict | None = None,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> list[Review]:
    """All reviews that hold, in the order in which they were given. `after`: number of the last one before."""
    return store.reviews.holding(verdict, after=after, limit=limit)


def _followed(store: Store, review: Review) -> Review:
    """A review that is kept, once what was taught of its event says the same.

    Where that cannot be done now, the log says why, and `teach` of the event does.
    """
    try:
        follow(store, review.event)
    except OddframeError as error:
        _LOG.warning("what event %s taught does not follow what is said of it: %s", review.event, error.in_one_line())
    return review


def _undone(review: Review | None) -> Review:
    if review is None:
        raise UnknownNameError("there is nothing to take back", hint="one takes back what one has said oneself")
    return review
