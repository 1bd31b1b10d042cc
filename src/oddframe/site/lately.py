"""What came of a camera in the last days, in one of its profiles: what another line is tried on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from oddframe.site.cast import profiles_of
from oddframe.site.engine_process import SCORES
from oddframe.site.events import CameraEvent
from oddframe.site.profiles import Profile
from oddframe.site.score_history import SLOT_S, ScoreHistory
from oddframe.site.store import Store
from oddframe.site.store.events import MOST_A_PAGE
from oddframe.site.store.records import EventFilter


@dataclass(frozen=True)
class Lately:
    """What came.

    Attributes:
        since: from when on. events: of the profile, with what people said of them.
        scores: (N, 2), the highest score of every ten seconds and the line that held; NaN where nothing was judged, or
            where another profile held.
        hours: for how long there are scores.
    """

    since: datetime
    events: tuple[tuple[CameraEvent, str | None], ...]
    scores: NDArray[np.float32]

    @property
    def hours(self) -> float:
        return float(np.isfinite(self.scores[:, 0]).sum()) * SLOT_S / 3600


def lately(store: Store, camera: str, profile: str, days: float, now: datetime) -> Lately:
    """What came of a camera in the last days.

    Which profile held is told by the time of day, so that scores of profiles that differ by infrared alone are taken
    for those of either.

    Args:
        profile: "" for the only one. now: with a time zone.

    Raises:
        UnknownNameError: there is no such camera.
    """
    record = store.cameras.get(camera)
    since = datetime.fromtimestamp(int((now - timedelta(days=days)).timestamp()) // SLOT_S * SLOT_S, UTC)
    scores = ScoreHistory(store.folder / SCORES).between(record.id, since, now)
    profiles = profiles_of(store.cameras.profiles(record.name))
    if len(profiles) > 1:
        scores[[not _may_hold(profiles, profile, since, slot) for slot in range(len(scores))]] = np.nan
    events, before = [], None
    while True:
        page = store.events.page(EventFilter(cameras=(record.name,), since=since), before=before, limit=MOST_A_PAGE)
        events += [(one.event, one.verdict) for one in page.events]
        if (before := page.before) is None:
            break
    for event, _ in events:
        if event.profile != profile:
            at = [int((one - since).total_seconds()) // SLOT_S for one in (event.started_at, event.ended_at or now)]
            scores[max(0, at[0]) : max(0, at[1] + 1)] = np.nan
    return Lately(since, tuple(one for one in events if one[0].profile == profile), scores)


def _may_hold(profiles: tuple[Profile, ...], name: str, since: datetime, slot: int) -> bool:
    local = (since + timedelta(seconds=slot * SLOT_S)).astimezone().time()
    held = [next((one for one in profiles if one.holds(local, infrared=dark)), profiles[0]) for dark in (False, True)]
    return name in (one.name for one in held)
