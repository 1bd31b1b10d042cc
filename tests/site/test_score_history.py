"""What cameras scored, kept by ten seconds: across midnight, in files of a fixed size, whatever was cut short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from oddframe.errors import StorageError
from oddframe.site.score_history import Peak, ScoreHistory

MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


def test_of_ten_seconds_the_highest_counts_however_often_they_are_added(tmp_path):
    history = ScoreHistory(tmp_path)
    for score in (2.0, 5.0, 3.0):
        history.add(1, [Peak(after(4), score, 4.0)])

    assert history.between(1, after(0), after(10)).tolist() == [[5.0, 4.0]]


def test_scores_go_on_across_midnight_and_of_one_camera_alone(tmp_path):
    history = ScoreHistory(tmp_path)
    history.add(1, [Peak(after(-5), 1.0, 4.0), Peak(after(5), 2.0, 4.0)])
    history.add(2, [Peak(after(5), 9.0, 4.0)])

    seen = history.between(1, after(-20), after(20))

    assert np.array_equal(seen[:, 0], [np.nan, 1.0, 2.0, np.nan], equal_nan=True)
    assert np.isnan(history.between(3, after(-20), after(20))).all()
    assert history.between(1, after(20), after(-20)).shape == (0, 2)


def test_a_file_that_was_cut_short_lacks_its_end_and_is_written_on(tmp_path):
    history = ScoreHistory(tmp_path)
    history.add(1, [Peak(after(5), 2.0, 4.0), Peak(after(25), 3.0, 4.0)])
    path = tmp_path / "1" / "2026-12-01.f4"
    path.write_bytes(path.read_bytes()[:21])

    assert np.array_equal(history.between(1, after(0), after(30))[:, 0], [2.0, np.nan, np.nan], equal_nan=True)
    history.add(1, [Peak(after(25), 3.5, 4.0)])
    assert history.between(1, after(0), after(30))[2].tolist() == [3.5, 4.0]


def test_old_days_go(tmp_path):
    history = ScoreHistory(tmp_path)
    for days in (-20, -13, 0):
        history.add(1, [Peak(MIDNIGHT + timedelta(days=days), 1.0, 4.0)])

    history.tidy(MIDNIGHT.date())

    assert sorted(path.name for path in tmp_path.glob("1/*")) == ["2026-11-18.f4", "2026-12-01.f4"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "scores").write_text("a file is in its place")

    with pytest.raises(StorageError, match="scores cannot be kept"):
        ScoreHistory(tmp_path / "scores").add(1, [Peak(MIDNIGHT, 1.0, 4.0)])
