"""What is said with a review of its lesson, and what is told of it: before, and afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from oddframe.errors import ConflictError
from oddframe.records import Record
from oddframe.scoring.lessons import Reach
from oddframe.teaching.trial import Tried


class Scope(Record):
    """What a review speaks of, beside its verdict: `scope` of a `Review`.

    Attributes:
        reach: how far "normal" goes, in looks and place. begin, end: time of day at which it holds, at the camera;
            both or neither. teach: whether anything is to be learned of it.
    """

    reach: Reach = "middle"
    begin: time | None = None
    end: time | None = None
    teach: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Scope:
        if (self.begin is None) != (self.end is None):
            raise ValueError("hours have both a begin and an end, or neither")
        return self

    @classmethod
    def of(cls, plain: Mapping[str, object]) -> Scope:
        """The scope of a review; entries of other purposes are left alone.

        Raises:
            StoreError: an entry of it is not as it should be.
        """
        try:
            return cls.model_validate({name: plain[name] for name in cls.model_fields if name in plain})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "hours"
            raise ConflictError(f"what the review speaks of is not as it should be: {where}: {first['msg']}") from None


class Preview(Record):
    """What would come of a review, on what is remembered of the last days.

    Attributes:
        event: that is reviewed. does: "lesson" (its like is silenced), "weights" (`learned` is fitted on it, too),
            "forgets" (what it taught is taken back), or "nothing", and why in `note`.
        remembered: events that it was tried on. silenced: of them, those that would not have come, those that people
            called alarms first. lost: how many of these there are. back: events that would have come again.
        line: where alarms would begin, by profile: (now, then). promise: what the line promises then, in words.
    """

    event: str
    does: Literal["lesson", "weights", "forgets", "nothing"]
    note: str = ""
    remembered: int = 0
    silenced: tuple[Tried, ...] = ()
    lost: int = 0
    back: tuple[Tried, ...] = ()
    line: Mapping[str, tuple[float, float]] = Field(default_factory=dict)
    promise: str = ""

    def in_words(self) -> str:
        """One or two sentences."""
        if self.does == "nothing":
            return f"Nothing changes: {self.note}."
        if self.does == "weights":
            return "Its frames join the known anomalies by which `learned` weighs components; `online` stays as it is."
        said = []
        if self.does == "lesson" or self.silenced:
            said.append(f"{len(self.silenced)} of the last {self.remembered} events would not have come")
            said.append(f"{self.lost or 'none'} of them {'was' if self.lost == 1 else 'were'} called an alarm")
        if self.back:
            said.append(f"{len(self.back)} would have come again")
        return f"{'; '.join(said) or 'No event would be another one'}."


class TaughtLesson(Record):
    """A line of the page "what it was taught".

    Attributes:
        number: of the review. does: see `Preview`. camera, event: of which. author, at, note: of the review.
        reach, begin, end: of a lesson. picture: of the event, below the site's folder; None where there is none any
            more. silenced: how many events it has kept quiet since, alone or with others; None of an alarm.
    """

    number: int
    does: Literal["lesson", "weights"]
    camera: str
    event: str
    author: str
    at: AwareDatetime
    note: str
    reach: Reach | None
    begin: time | None
    end: time | None
    picture: str | None
    silenced: int | None
