"""Where a line could be: as if it were drawn there, and what the last days would have brought."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import _make_video
from tests.scoring.conftest import finished_run, footage
from tests.scoring.test_session import FPS, sway

import oddframe as odd
from oddframe.errors import SettingsError
from oddframe.instant import MODEL
from oddframe.records import write_record
from oddframe.runs import versions
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.collect import Footage
from oddframe.scoring.fitting import FittingRecord, detector_of
from oddframe.scoring.judged import Judged
from oddframe.scoring.judged_file import load_judged
from oddframe.scoring.promise import Promise
from oddframe.scoring.scores import Raw
from oddframe.settings import ScoreSettings
from oddframe.settings_layers import load_settings
from oddframe.site.line_choices import RATES, LineChoice, foresee, line_choices

from .conftest import NOON, change

SMALL = ("model.size=[48, 64]", "data.least_heldout=1", "data.heldout=0.5", "score.online=[local_error]")


def still_life(*counts: int, timed: bool = True) -> list[Footage]:
    """Stretches of so many frames, ten a second, in which something moves now and then."""
    rng = np.random.default_rng(0)
    found = []
    for count in counts:
        moves = rng.exponential(0.01, count)
        raws = [
            Raw(at, at / 10 if timed else None, {"psnr": 30.0, "motion": move}, {"motion": np.full((1, 2), move, "f4")})
            for at, move in enumerate(moves)
        ]
        found.append(footage("heldout", raws))
    return found


MANY = (*RATES, 20_000.0, 60_000.0)


def assert_as_drawn(choices: list[LineChoice], judged: Judged, score: ScoreSettings) -> None:
    """Each is the line of a calibration with that rate, and promises what that does."""
    for rate, choice in zip(MANY, choices, strict=True):
        drawn = fit_calibration(judged, score.model_copy(update={"false_alarms_per_hour": rate / 24}))
        promise = Promise.of(drawn, judged, rate)
        assert choice.on == pytest.approx(drawn.line.on, rel=1e-5)
        assert choice.promise.alarms == promise.alarms
        assert choice.promise.hours == pytest.approx(promise.hours)
    assert choices[-1].promise.alarms > 1 > choices[0].promise.alarms


def test_choices_of_a_run_are_drawn_on_its_evidence_by_its_rule(tmp_path: Path):
    run = finished_run(tmp_path / "run", still_life(1200, 700), "score.shortest_event_s=0")

    assert_as_drawn(
        line_choices(run.folder, None, MANY), load_judged(run.folder, run.info.evidence), run.settings.score
    )


def test_choices_of_a_fitting_are_drawn_on_its_evidence_by_its_rule(tmp_path: Path):
    run = finished_run(tmp_path / "run", still_life(300))
    score = run.settings.score.model_copy(update={"shortest_event_s": 0.0})
    other = finished_run(tmp_path / "fitting", still_life(900, 800), "score.shortest_event_s=0")
    info = FittingRecord(
        detector=detector_of(run),
        name="framediff",
        score=score,
        fps=None,
        videos=(),
        evidence=other.info.evidence,
        promise=Promise(asked_per_day=1),
        when="2026-11-28T12:00:00+00:00",
        versions=versions(),
        notes=(),
    )
    write_record(other.folder / "fitting.json", info)

    choices = line_choices(run.folder, other.folder, MANY)

    assert_as_drawn(choices, load_judged(other.folder, info.evidence), score)


def test_without_times_no_choice_promises_a_rate(tmp_path: Path):
    run = finished_run(tmp_path / "run", still_life(400, timed=False))

    choices = line_choices(run.folder, None)

    assert [choice.promise for choice in choices] == [Promise(asked_per_day=rate) for rate in RATES]
    assert len({choice.on for choice in choices}) == 1


def test_people_choose_from_one_a_month_to_four_an_hour():
    assert [round(1 / rate, 2) for rate in RATES[:5]] == [30, 14, 7, 3.5, 1.75]
    assert RATES[5:] == (1, 2, 4, 8, 12, 24, 48, 96)


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
    at_its_score = foresee(3.5, events, scores, since)
    assert (at_its_score.stay, at_its_score.normal_gone) == (2, 0)
