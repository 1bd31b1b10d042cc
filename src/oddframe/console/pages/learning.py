"""How a camera learns what is normal before it: how far it is, and what in its normal video is the oddest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from oddframe.bars import roughly
from oddframe.console.access.door import TheSite
from oddframe.console.api.fields import InPath
from oddframe.console.api.improvement import ComparedOut, ImprovementOut, improvement_out
from oddframe.console.api.learning import LearningOut, learning_out
from oddframe.console.pages.answer import answer
from oddframe.console.pages.looking import Looking
from oddframe.console.pages.page import page_of
from oddframe.console.pages.words import size
from oddframe.console.running import RunningSite
from oddframe.reporting.words import count
from oddframe.site.learning import LearnSettings
from oddframe.teaching.record import ENDED

router = APIRouter(include_in_schema=False)

_PARTS = {
    "learning-state": "learning_state",
    "learning-better": "learning_better",
    "learning-check": "learning_check",
}
_NOT_BEGUN = ("", "waiting")
_PRESETS_IN_WORDS = {
    "live": "Keeps up with several cameras on a small computer: the usual one.",
    "cpu": "Sees finer detail and finds more, but judges about a third as many pictures a second, and trains longer.",
    "tiny": "Learns in minutes and sees only what is large: to try things out.",
}


@dataclass(frozen=True)
class ComparedRow:
    """A row of the table of both detectors: what is counted, of the one that watches, of the new one, and how sure."""

    what: str
    before: str
    after: str
    sure: str


@dataclass(frozen=True)
class BetterView:
    """What the page shows of the improvement by reviews.

    Attributes:
        out: how it stands. reviewed: by what, in words. rows: of the table; none where there is none.
        left: about how long it takes still, or "".
    """

    out: ImprovementOut
    reviewed: str
    rows: tuple[ComparedRow, ...]
    left: str

    @property
    def runs(self) -> bool:
        """Whether somebody waits for it."""
        return self.out.state in ("waiting", "training")


@dataclass(frozen=True)
class LearningView:
    """What the page shows.

    Attributes:
        camera: its name. out: how it stands. of_file: the site's file names its detector, so that it cannot learn.
        facts: (what, how much).
        percent: of what is being done, or of the video that is wanted; None where nobody knows.
        left: about how long it takes still, or "". runs: whether something is being done.
        presets: of the network, and in a sentence what for. usual: what is chosen if nobody chooses.
        better: the improvement by reviews.
    """

    camera: str
    out: LearningOut
    of_file: bool
    facts: tuple[tuple[str, str], ...]
    percent: float | None
    left: str
    runs: bool
    presets: Mapping[str, str]
    usual: LearnSettings
    better: BetterView


def learning_view(site: RunningSite, name: str) -> LearningView:
    """What the page on a camera's learning shows.

    Raises:
        UnknownNameError: there is no such camera. RunError: the record of its learning is damaged.
    """
    record, out = site.store.cameras.get(name), learning_out(site.store, name)
    collecting = out.state == "collecting"
    percent = 100 * min(1.0, out.seconds / out.wanted_s) if collecting and out.wanted_s else out.percent
    facts = []
    if out.seconds:
        facts.append(("normal video", f"{roughly(out.seconds)}, {size(out.bytes)}"))
    if collecting and out.until is not None:
        facts.append(("until", f"{out.until.astimezone():%Y-%m-%d %H:%M}"))
    if out.skipped_s:
        passed = ", ".join(f"{why} {roughly(seconds)}" for why, seconds in out.skipped_s.items())
        facts.append(("passed over", passed))
    if out.check is not None:
        facts.append(("something moves in", f"{100 * out.check.active:.0f} % of the pieces"))
        dark, middle, light = out.check.light
        facts.append(("light", f"brightness {dark:.0f} to {light:.0f} of 255, {middle:.0f} in the median"))
    return LearningView(
        camera=record.name,
        out=out,
        of_file="detector" in record.of_file,
        facts=tuple(facts),
        percent=percent,
        left="" if out.left_s is None else roughly(out.left_s),
        runs=out.state not in (*_NOT_BEGUN, *ENDED),
        presets=_PRESETS_IN_WORDS,
        usual=LearnSettings(),
        better=_better(improvement_out(site.store, name)),
    )


def _better(out: ImprovementOut) -> BetterView:
    reviewed = f"{count(out.alarms, 'confirmed alarm')}, and {count(out.normal, 'event')} called normal"
    left = "" if out.left_s is None else roughly(out.left_s)
    return BetterView(out, reviewed, () if out.made is None else _compared(out.made), left)


def _compared(made: ComparedOut) -> tuple[ComparedRow, ...]:
    few = "too few clips to tell"
    found, false = made.found_difference, made.false_difference
    normal = f"{roughly(3600 * made.hours)} of normal video and {count(made.normal, 'event')} called normal"
    return (
        ComparedRow(
            f"found of {count(made.alarms, 'confirmed alarm')}",
            str(made.before.found),
            str(made.after.found),
            few if found is None else f"{100 * found[0]:+.0f} to {100 * found[1]:+.0f} % of alarms",
        ),
        ComparedRow(
            f"false alarms in {normal}",
            str(made.before.false_alarms),
            str(made.after.false_alarms),
            few if false is None else f"{false[0]:+.1f} to {false[1]:+.1f} a day",
        ),
    )


@router.get("/cameras/{name}/learning")
def learning_page(request: Request, name: InPath, who: Looking, site: TheSite) -> Response:
    """How a camera learns."""
    return answer(request, page_of(site, "/", who), "learning", _PARTS, learning=learning_view(site, name))
