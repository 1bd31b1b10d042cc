"""Where a line could be: as if it were drawn there, and what the last days would have brought."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import _make_video
from tests.scoring.test_session import FPS, sway

import oddframe as odd
from oddframe.errors import SettingsError
from oddframe.instant import MODEL
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.judged_file import load_judged
from oddframe.settings_layers import load_settings
from oddframe.site.line_choices import RATES, foresee, line_choices

from .conftest import NOON, change

SMALL = ("model.size=[48, 64]", "data.least_heldout=1", "data.heldout=0.5", "score.online=[local_error]")


@pytest.mark.slow
def test_every_choice_is_the_line_that_would_be_drawn(tmp_path: Path):
    normal = _make_video(tmp_path / "normal.mkv", frames=200, fps=FPS, codec="ffv1", pictures=sway)
    settings = load_settings("tiny", detector="framediff", overrides=SMALL)
    run = odd.train(odd.open_videoset([normal]), out=tmp_path / "run", settings=settings)
    rates = (*RATES, 20_000.0, 60_000.0)

    choices = line_choices(run.folder, None, rates)

    judged = load_judged(run.folder, run.info.evidence)
    for rate, choice in zip(rates, choices, strict=True):
        score = settings.score.model_copy(update={"false_alarms_per_hour": rate / 24})
        assert choice.on == pytest.approx(fit_calibration(judged, score).line.on, rel=1e-5)
        assert choice.promise.asked_per_day == rate
    assert choices[-1].on < choices[0].on
    assert choices[0].promise.at_most > 1


def test_a_detector_that_keeps_no_evidence_has_no_other_line():
    with pytest.raises(SettingsError, match="nothing is kept on which another line could be drawn"):
        line_choices(MODEL, None)


def test_what_would_have_come_is_counted_and_what_came_is_not_counted_twice():
    since = NOON - timedelta(hours=1)
    scores = np.full((360, 2), np.nan, np.float32)
    scores[:, 0] = 1.0
    scores[100:103, 0] = 5.0  # an event
    scores[[200, 203, 206], 0] = 2.5  # one thing, that comes and goes
    scores[300, 0] = 2.2
    events = [
        (change("end", at=since + timedelta(seconds=1000), score=5.0).event, "alarm"),
        (change("end", at=since + timedelta(seconds=500), score=3.5).event, "normal"),
    ]

    high, as_it_was, low = (foresee(on, events, scores, since) for on in (4.0, 3.0, 2.0))

    assert (high.came, high.stay, high.new, high.alarms, high.alarms_stay, high.normal_gone) == (2, 1, 0, 1, 1, 1)
    assert (as_it_was.stay, as_it_was.new) == (2, 0)
    assert (low.stay, low.new) == (2, 2)
