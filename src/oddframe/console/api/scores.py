"""How odd a camera was over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from numpy.typing import NDArray

from oddframe.console.access.door import TheStore, Viewer
from oddframe.console.api.fields import InPath, Moment
from oddframe.errors import SettingsError
from oddframe.records import Record
from oddframe.site.engine_process import SCORES
from oddframe.site.score_history import KEPT_DAYS, SLOT_S, ScoreHistory, slot_of

router = APIRouter(prefix="/cameras", tags=["cameras"])

_LONGEST = timedelta(days=1)


class ScoresOut(Record):
    """The highest score of each ten seconds, with the line that held then.

    Attributes:
        since: of the first one. every_s: seconds that share a score.
        scores, lines: in order; null where nothing was judged.
    """

    since: datetime
    every_s: int = SLOT_S
    scores: tuple[float | None, ...]
    lines: tuple[float | None, ...]


@router.get("/{camera}/scores")
def scores(
    camera: InPath, _: Viewer, store: TheStore, since: Moment | None = None, until: Moment | None = None
) -> ScoresOut:
    """Scores of [since, until), a day at most; of the last hour where nothing is said. They are kept for two weeks."""
    until = until or datetime.now(UTC)
    since = since or until - timedelta(hours=1)
    if not timedelta() <= until - since <= _LONGEST:
        raise SettingsError(
            "the scores of so long a time are not given at once",
            seen=f"{since.isoformat()} to {until.isoformat()}",
            wanted=f"up to a day; they are kept for {KEPT_DAYS} days",
        )
    found = ScoreHistory(store.folder / SCORES).between(store.cameras.get(camera).id, since, until)
    return ScoresOut(
        since=datetime.fromtimestamp(slot_of(since) * SLOT_S, UTC),
        scores=_plain(found[:, 0]),
        lines=_plain(found[:, 1]),
    )


def _plain(values: NDArray[Any]) -> tuple[float | None, ...]:
    """JSON knows no NaN."""
    return tuple(None if value != value else round(float(value), 4) for value in values)
