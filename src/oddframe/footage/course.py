"""What one video of many goes through: scored in one step, or cut, judged piece by piece, and put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from oddframe.errors import DataError, OddframeError
from oddframe.footage.summary import Summary
from oddframe.plain import Json
from oddframe.progress import Progress


class Answer(TypedDict, total=False):
    """What came of a step; `worker` says which of these each has.

    Attributes:
        summary: of the scored video. pieces: the fields of each `Piece`, of a video that is to be judged in pieces.
        backend: that is to judge all of them. digest: of a judged piece.
    """

    summary: Json
    pieces: Sequence[Sequence[int]]
    backend: str
    digest: str


@dataclass(frozen=True, eq=False)
class Step:
    """Something to be done with a video by one process.

    Attributes:
        does: what of it an order says, see `worker`. leads: whether other steps may follow.
    """

    course: Course
    does: Mapping[str, Any] = field(repr=False)
    leads: bool = True

    @property
    def idle(self) -> bool:
        """Whether nothing comes of it any more: another piece of the video has failed."""
        return "piece" in self.does and self.course.failed is not None


class Course:
    """Follows one video.

    Args:
        order: what all orders say of it. pieces: into how many it is to be cut, if it pays.
    """

    def __init__(self, order: Mapping[str, Any], pieces: int) -> None:
        self._order, self._pieces = order, pieces
        self.failed: OddframeError | None = None
        self._digests: list[str | None] = []
        self._lengths: list[int] = []
        self._done: list[float] = []
        self._open = 0
        self._backend = ""
        self._share = 0.0

    def begin(self) -> Step:
        """The first step."""
        return self._step({"do": "score", "pieces": self._pieces}, leads=self._pieces > 1)

    @property
    def share(self) -> float:
        """How much of its frames is judged, 0..1. It does not fall where the video is scored again."""
        return self._share

    def at(self, step: Step, moment: Progress) -> None:
        """Take how far a step is. The pictures that follow the scores take little beside them."""
        if not moment.stage.startswith("scoring") or not moment.total:
            return
        share = min(moment.done / moment.total, 1.0)
        if "piece" in step.does:
            self._done[step.does["number"]] = share
            judged = sum(one * length for one, length in zip(self._done, self._lengths, strict=True))
            share = judged / sum(self._lengths)
        self._share = max(self._share, share)

    def ended(self, step: Step, found: Answer | OddframeError) -> list[Step] | Summary | OddframeError:
        """Take what came of a step: the steps that follow, none while others are to be waited for; or what became of
        the video.

        A piece that cannot be read as its stamps say leaves the video to be scored uncut, which tells what is wrong and
        how far it was readable. One that kills its process sets the whole video aside.
        """
        what = step.does["do"]
        if what == "score":
            return self._scored(found)
        if what == "merge":
            return self._uncut() if isinstance(found, DataError) else _result(found)
        self._open -= 1
        if isinstance(found, OddframeError):
            self.failed = self.failed or found
        elif not step.idle:
            self._digests[step.does["number"]] = found["digest"]
        if self._open:
            return []
        if self.failed is None:
            return [self._step({"do": "merge", "digests": self._digests, "backend": self._backend})]
        return self._uncut() if isinstance(self.failed, DataError) else self.failed

    def _scored(self, found: Answer | OddframeError) -> list[Step] | Summary | OddframeError:
        if isinstance(found, OddframeError) or "summary" in found:
            return _result(found)
        self._backend, pieces = found["backend"], found["pieces"]
        self._open, self._digests, self._done = len(pieces), [None] * len(pieces), [0.0] * len(pieces)
        self._lengths = [stop - first for first, stop, *_ in pieces]
        return [
            self._step({"do": "piece", "piece": piece, "number": number, "backend": self._backend})
            for number, piece in enumerate(pieces)
        ]

    def _uncut(self) -> list[Step]:
        return [self._step({"do": "score", "pieces": 1}, leads=False)]

    def _step(self, does: Mapping[str, Any], *, leads: bool = True) -> Step:
        return Step(self, {**self._order, **does}, leads)


def _result(found: Answer | OddframeError) -> Summary | OddframeError:
    return found if isinstance(found, OddframeError) else Summary.model_validate(found["summary"])
