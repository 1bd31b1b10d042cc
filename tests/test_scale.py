"""The sums and the simulation behind docs/explanation/scale.md, against what can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.shared import benchmark

simulating = benchmark("simulate_scale")
backlog, erlang, score_an_archive = simulating.backlog, simulating.erlang, simulating.score_an_archive
Measured, Stated, YEAR_S = simulating.Measured, simulating.Stated, simulating.YEAR_S
cameras_a_serve, plan_archive, plan_live = simulating.cameras_a_serve, simulating.plan_archive, simulating.plan_live
video_s, wait, watch_a_year = simulating.video_s, simulating.wait, simulating.watch_a_year

ONE = Measured(
    processor="a drawn one", engine_ms=2.0, reader_ms=3.0, other_ms=1.0, engine_mb=200.0, reader_mb=50.0,
    supervisor_mb=100.0, evidence_mb=2.0, live_fps=250.0, cpu_fps=100.0, worker_mb=200.0, given_up_s=(30.0, 30.0),
    back_s=(2.0, 2.0), csv_bytes=100.0, parquet_bytes=20.0,
)  # fmt: skip
NEVER = 1e12


def draws() -> np.random.Generator:
    return np.random.default_rng(3)


def test_cameras_take_what_can_be_worked_out_by_hand():
    plan = plan_live(100, ONE, Stated(fps=5.0, used=0.5, host_cores=4, events_a_day=10, kept_days=10, spare=1))

    assert cameras_a_serve(ONE, Stated(fps=5.0, used=0.5)) == 50  # 500 ms in a second, 10 of them for each camera
    assert plan.cores == pytest.approx(3.0)  # 100 cameras, 5 frames, 6 ms
    assert (plan.serves, plan.hosts) == (3, 3)  # two hosts of four cores, half of them used, and a spare one
    assert plan.memory_gb == pytest.approx((100 * 50 + 2 * 300) / 1024)
    assert plan.disk_gb == pytest.approx(100 * 10 * 10 * 2 / 1024)
    assert plan.cost_month == pytest.approx(3 * 4 * 730 * 0.04 + plan.disk_gb * 0.02)


def test_an_archive_takes_what_can_be_worked_out_by_hand():
    plan = plan_archive(1000, "cpu", ONE, Stated(recorded_fps=25.0, recorded_mbit=8.0, archive_days=10.0))

    assert plan.core_hours == pytest.approx(250)  # 25 of 100 frames a second
    assert plan.cores == pytest.approx(250 / 240)
    assert plan.read_tb == pytest.approx(2 * 1000 * 3600 * 1e6 / 1e12)
    assert plan.csv_tb == pytest.approx(1000 * 3600 * 25 * 100 / 1e12)


def test_without_failures_every_minute_is_watched():
    year = watch_a_year(1000, 0, ONE, Stated(host_days=NEVER, camera_days=NEVER), draws())

    assert (year.watched, year.hosts_failed) == (1.0, 0)


def test_of_one_host_that_nobody_stands_in_for_the_cameras_are_watched_while_it_is_up():
    stated = replace(Stated(), host_days=10, host_back_h=24, camera_days=NEVER)
    years = [watch_a_year(10, 0, ONE, stated, np.random.default_rng(seed)).watched for seed in range(30)]

    assert np.mean(years) == pytest.approx(10 / 11, abs=0.01)  # up 10 days, away 1


def test_a_spare_host_leaves_the_time_that_a_takeover_lasts():
    stated = replace(Stated(), host_days=10, host_back_h=0.001, camera_days=NEVER)
    year = watch_a_year(2000, 1, ONE, stated, draws())

    held = year.lost_by_hosts * 2000 * YEAR_S / (year.hosts_failed * 32)  # 30 s, and 2 until the cameras are open
    assert held == pytest.approx(2000 / (plan_live(2000, ONE, stated).hosts), rel=0.02)
    assert year.longest_s == 32
    assert year.lost_for_room == 0


def test_cameras_that_fail_are_away_until_they_are_open_again():
    year = watch_a_year(5000, 1, ONE, Stated(host_days=NEVER, camera_days=1, camera_gone_s=862), draws())

    assert year.lost_by_cameras == pytest.approx(864 / 86400, rel=0.01)


def test_the_wait_is_that_of_erlangs_formula():
    assert erlang(0.5, 2) == pytest.approx(1 / 3)
    for use in (0.5, 0.8):
        waited = wait(use, 4, 10.0, draws(), videos=100_000)
        assert waited.mean_s / 10 == pytest.approx(erlang(use, 4), rel=0.1)


def test_more_waits_after_a_death_only_where_the_others_cannot_carry_it():
    easy, full = (backlog(use, 64, 16, ONE, Stated(), draws()) for use in (0.7, 0.9))

    assert easy.most_hours == pytest.approx(8, rel=0.1)  # half of what each of 16 cores was at
    assert full.most_hours > 10 * easy.most_hours
    assert full.drained_h > easy.drained_h


def test_an_archive_without_failures_is_ready_as_planned_and_with_them_later():
    stated = Stated(archive_days=1.0, host_cores=4, host_days=NEVER)
    plain = score_an_archive(2000, "live", ONE, stated, draws())
    failing = score_an_archive(2000, "live", ONE, replace(stated, host_days=0.5, host_back_h=2), draws())

    assert video_s(ONE, stated) == 360
    assert plain.planned_days <= plain.days < plain.planned_days * 1.05
    assert (plain.failed, plain.again) == (0, 0)
    assert failing.failed > 0
    assert failing.days > plain.days
    assert 0 < failing.again < 0.1


def test_the_same_seed_gives_the_same_year():
    assert watch_a_year(1000, 1, ONE, Stated(), draws()) == watch_a_year(1000, 1, ONE, Stated(), draws())
