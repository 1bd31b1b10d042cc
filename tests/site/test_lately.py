"""What came of a camera lately is told by profile: what another one brought is not taken for its own."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from tests.site.conftest import NOON, change

from oddframe.site.engine_process import SCORES
from oddframe.site.lately import lately
from oddframe.site.line_choices import foresee
from oddframe.site.score_history import Peak, ScoreHistory
from oddframe.site.store import Store


def test_scores_and_events_of_other_profiles_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    with Store.open(tmp_path / "site") as store:
        number = store.cameras.put("gate", "0", "usb:0").id
        store.cameras.set_profiles("gate", {"night": {"begin": "20:00", "end": "06:00"}, "day": {}})
        night, day = NOON - timedelta(hours=14), NOON - timedelta(hours=2)
        peaks = [Peak(night, 5.0, 3.0), Peak(day, 5.0, 3.0), Peak(day + timedelta(minutes=30), 2.5, 3.0)]
        ScoreHistory(store.folder / SCORES).add(number, peaks)
        store.events.write(
            [change("end", at=night, profile="night", score=5.0), change("end", at=day, profile="day", score=5.0)]
        )

        seen = {profile: lately(store, "gate", profile, 1, NOON) for profile in ("night", "day")}

    assert {profile: len(one.events) for profile, one in seen.items()} == {"night": 1, "day": 1}
    assert {profile: np.isfinite(one.scores[:, 0]).sum() for profile, one in seen.items()} == {"night": 1, "day": 2}
    lower = {profile: foresee(2.0, one.events, one.scores, one.since) for profile, one in seen.items()}
    assert {profile: (one.stay, one.new) for profile, one in lower.items()} == {"night": (1, 0), "day": (1, 1)}
    assert foresee(6.0, seen["day"].events, seen["day"].scores, seen["day"].since).stay == 0
