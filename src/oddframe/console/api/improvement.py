"""Detectors that become better by what people said of events: asked for, watched, taken, and taken back."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from oddframe.console.access.door import Admin, TheStore, Viewer
from oddframe.console.api.fields import InPath
from oddframe.records import Record
from oddframe.site.store import Store
from oddframe.teaching import improving
from oddframe.teaching.asking_better import begin_better, better_standing, stop_better
from oddframe.teaching.improving import Comparison

router = APIRouter(prefix="/cameras/{camera}/improvement", tags=["learning"])


class ComparedOut(Comparison):
    """The new detector beside the one that watches. words: all of it in sentences."""

    words: str


class ImprovementOut(Record):
    """How the improvement of a camera's detector stands.

    Attributes:
        state: waiting until the site has taken it up, training, made, failed, stopped; "" where nobody asked for it.
            words: the same in a sentence.
        why_not: why it cannot be asked for; "" where it can. alarms, normal: events that people agree on.
        stage, percent, left_s: what is being done, how far it is, and about how long it takes still.
        problem, hint: what is wrong, and what to do.
        made: the latest one of what watches now. watched_before: the detector that "back" has watch again.
    """

    state: str
    words: str
    why_not: str
    alarms: int
    normal: int
    stage: str = ""
    percent: float | None = None
    left_s: float | None = None
    problem: str = ""
    hint: str = ""
    made: ComparedOut | None = None
    watched_before: str | None = None


class WishedBetter(Record):
    """What is to become of an improvement.

    Attributes:
        do: "take": have the new detector watch; "back": have the one before watch again; "stop": train no more.
    """

    do: Literal["take", "back", "stop"]


@router.get("")
def improvement(camera: InPath, _: Viewer, store: TheStore) -> ImprovementOut:
    """How it stands."""
    return improvement_out(store, camera)


@router.post("")
def begin(camera: InPath, who: Admin, store: TheStore) -> ImprovementOut:
    """Train the camera's detector on, with the events that people reviewed. Nothing is swapped before it is taken."""
    begin_better(store, camera, who.name)
    return improvement_out(store, camera)


@router.put("")
def wish(camera: InPath, wished: WishedBetter, who: Admin, store: TheStore) -> ImprovementOut:
    """Have the new detector watch, or the one before, or stop the training. Lines are drawn anew for what was asked."""
    {"take": improving.take, "back": improving.back, "stop": stop_better}[wished.do](store, camera, who.name)
    return improvement_out(store, camera)


def improvement_out(store: Store, camera: str) -> ImprovementOut:
    """How it stands, as the API tells it: without paths of this computer.

    Raises:
        UnknownNameError: there is no such camera. RunError: a record of it is damaged.
    """
    standing = better_standing(store, camera)
    told, made = standing.improving, standing.made
    out = ImprovementOut(
        **{name: standing[name] for name in ("state", "words", "why_not", "alarms", "normal", "watched_before")},
        made=None
        if made is None
        else ComparedOut(**{name: made[name] for name in Comparison.model_fields}, words=made.in_words()),
    )
    if told is None:
        return out
    return out.changed(**{name: told[name] for name in ("stage", "percent", "left_s", "problem", "hint")})
