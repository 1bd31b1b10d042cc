"""Replays a year of cameras and machines that fail, and archives on such machines, at the rates that were measured.

    python benchmarks/simulate_scale.py --json benchmarks/results/scale.json
    python benchmarks/simulate_scale.py --host-days 30 --core-hour 0.1

Rates of one core are from `benchmarks/results`; prices, and how often things fail, are arguments, with what is usual as
defaults: they are no facts. The page docs/explanation/scale.md is made of the JSON by `experiments/scale_page.py`.

- Cameras: hosts of a site fail at random and come back. Their cameras are unwatched until the host is given up and the
  others have opened them; if the others have no room, the cameras that have none wait for a host. Cameras fail, too.
- A queue: videos of an hour come to a cluster at random; what waits, at so much use, and after a host has died.
- An archive: a million hours on hosts that fail; the video that a host was at is begun again.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from scale_figures import (
    Measured,
    Stated,
    cameras_a_serve,
    plain,
    plan_archive,
    plan_live,
    read_measured,
)

YEAR_S = 365 * 86400.0
SIZES = (10, 1000, 100_000)
USES = (0.5, 0.7, 0.9, 0.95)


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for one in fields(Stated):
        kind = int if isinstance(one.default, int) else float
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=kind, default=one.default, metavar="NUMBER")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    stated = Stated(**{one.name: getattr(given, one.name) for one in fields(Stated)})
    found = simulate(read_measured(), stated)
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def simulate(measured: Measured, stated: Stated) -> dict[str, Any]:
    """All three, and the plans that they check."""
    draws = np.random.default_rng(stated.seed)
    return {
        "measured": plain(measured),
        "stated": plain(stated),
        "cameras_a_serve": cameras_a_serve(measured, stated),
        "live": [
            {"plan": plain(plan), "spare": spare, **plain(watch_a_year(plan.cameras, spare, measured, stated, draws))}
            for plan in (plan_live(cameras, measured, stated) for cameras in SIZES)
            for spare in (0, 1)
        ],
        "queue": [plain(wait(use, stated.host_cores, video_s(measured, stated), draws)) for use in USES],
        "after_a_death": [
            plain(backlog(use, 4 * stated.host_cores, stated.host_cores, measured, stated, draws)) for use in USES[1:]
        ],
        "archive": [plain(plan_archive(1e6, preset, measured, stated)) for preset in ("live", "cpu")],
        "archive_with_failures": plain(score_an_archive(1_000_000, "live", measured, stated, draws)),
    }


def video_s(measured: Measured, stated: Stated, preset: str = "live") -> float:
    """Seconds of a core for an hour of video."""
    rate = {"live": measured.live_fps, "cpu": measured.cpu_fps}[preset]
    return 3600 * stated.recorded_fps / rate


# A year of cameras ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watched:
    """A year of a number of cameras.

    Attributes:
        watched: share of camera-minutes. lost_by_hosts, lost_for_room, lost_by_cameras: shares that nobody watched:
            until another host had taken a camera; as no host had room; as the camera was away, and until it was open.
        hosts_failed: times. longest_s: that a camera was unwatched for a host's sake. most_at_once: cameras unwatched
            together for a host's sake.
    """

    watched: float
    lost_by_hosts: float
    lost_for_room: float
    lost_by_cameras: float
    hosts_failed: int
    longest_s: float
    most_at_once: int


def watch_a_year(cameras: int, spare: int, measured: Measured, stated: Stated, draws: np.random.Generator) -> Watched:
    """Let hosts and cameras of all sites fail for a year."""
    plan = plan_live(cameras, measured, stated)
    needed = plan.hosts // plan.sites - (stated.spare if cameras > 1 else 0)
    sizes = [cameras // plan.sites + (site < cameras % plan.sites) for site in range(plan.sites)]
    taking = room = 0.0
    failed, longest, most = 0, 0.0, 0
    for size in sizes:
        site = _a_site(size, needed, needed + spare, measured, stated, draws)
        taking, room, failed = taking + site[0], room + site[1], failed + site[2]
        longest, most = max(longest, site[3]), max(most, site[4])
    away = float(draws.poisson(cameras * YEAR_S / (stated.camera_days * 86400)))
    gone = draws.gamma(away, stated.camera_gone_s) + away * float(np.mean(measured.back_s)) if away else 0.0
    whole = cameras * YEAR_S
    shares = [taking / whole, room / whole, gone / whole]
    return Watched(1 - sum(shares), *shares, failed, longest, most)


def _a_site(
    cameras: int, needed: int, hosts: int, measured: Measured, stated: Stated, draws: np.random.Generator
) -> tuple[float, float, int, float, int]:
    """(camera-seconds until taken over, camera-seconds without room, failures, longest, most at once) of a year."""
    up, at = hosts, 0.0
    back: list[float] = []
    taking = room = longest = 0.0
    failures, most = 0, 0
    while True:
        fails = at + draws.exponential(stated.host_days * 86400 / up) if up else math.inf
        happens = min(fails, back[0] if back else math.inf, YEAR_S)
        without = 0 if up >= needed else cameras - math.floor(cameras * up / needed)
        room += without * (happens - at)
        most = max(most, without)
        at = happens
        if at >= YEAR_S:
            return taking, room, failures, longest, most
        if fails > at:
            heapq.heappop(back)
            up += 1
            continue
        failures += 1
        held = math.ceil(min(cameras, cameras * up / needed) / up)
        up -= 1
        returns_s = draws.exponential(stated.host_back_h * 3600)
        heapq.heappush(back, at + returns_s)
        free = 0 if up >= needed else min(held, cameras - math.floor(cameras * up / needed))
        gap_s = draws.uniform(*measured.given_up_s) + draws.uniform(*measured.back_s)
        taking += (held - free) * gap_s
        most = max(most, held)
        longest = max(longest, gap_s if not free else max(gap_s, returns_s))


# A queue of videos ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waited:
    """Videos that came to a cluster.

    Attributes:
        use: share of its cores that is at work. cores: how many. videos: that came.
        work_s: seconds of a core that one takes. mean_s, most_s: seconds that they waited, on average, and what 95 of
            100 stay below. erlang: the average by Erlang's formula, in `work_s`.
    """

    use: float
    cores: int
    videos: int
    work_s: float
    mean_s: float
    most_s: float
    erlang: float


def wait(use: float, cores: int, work_s: float, draws: np.random.Generator, videos: int = 200_000) -> Waited:
    """Let videos come at random, each with its own length, to so many cores; the first tenth is left out."""
    comes = np.cumsum(draws.exponential(work_s / (use * cores), videos))
    lasts = draws.exponential(work_s, videos)
    free = [0.0] * cores
    waited = np.empty(videos)
    for number, (at, long) in enumerate(zip(comes.tolist(), lasts.tolist(), strict=True)):
        begins = max(at, free[0])
        heapq.heapreplace(free, begins + long)
        waited[number] = begins - at
    late = waited[videos // 10 :]
    most = float(np.quantile(late, 0.95))
    return Waited(use, cores, videos, work_s, float(late.mean()), most, erlang(use, cores))


def erlang(use: float, cores: int) -> float:
    """Mean wait in units of the mean work, where both what comes and what it takes are exponential (Erlang C).

    >>> round(erlang(0.5, 1), 6)
    1.0
    """
    load = use * cores
    lost = 1.0
    for number in range(1, cores + 1):  # Erlang B by its recursion
        lost = load * lost / (number + load * lost)
    waits = lost / (1 - use * (1 - lost))
    return waits / (cores * (1 - use))


@dataclass(frozen=True)
class Backlog:
    """What a host's death leaves to be done, where it comes back after a while.

    Attributes:
        use: of the cores, before. most_hours: of video that wait more than before, at the most.
        drained_h: from the death until as little waits as before; None where that takes more than a year.
    """

    use: float
    cores: int
    most_hours: float
    drained_h: float | None


def backlog(
    use: float, cores: int, dies: int, measured: Measured, stated: Stated, draws: np.random.Generator
) -> Backlog:
    """Let a host with `dies` of the cores die, and come back; what it was at is done again. Mean of 20 deaths."""
    rate = cores * 3600 / video_s(measured, stated)  # hours of video in an hour
    comes, left = use * rate, rate * (1 - dies / cores)
    most, drained = [], []
    for _ in range(20):
        away = draws.exponential(stated.host_back_h)
        again = draws.uniform(0, 1, dies).sum()
        waits = again + max(0.0, comes - left) * away
        most.append(waits)
        drained.append(away + waits / (rate - comes) if comes > left else waits / (left - comes))
    hours = float(np.mean(drained))
    return Backlog(use, cores, float(np.mean(most)), hours if hours < 8760 else None)


# An archive -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scored:
    """An archive that was scored on hosts that fail.

    Attributes:
        hosts: that worked on it. days: it took; planned_days: without a failure, and without the last videos' waiting.
        failed: times that a host failed. again: share of the work that was done once more.
    """

    hosts: int
    days: float
    planned_days: float
    failed: int
    again: float


def score_an_archive(
    videos: int, preset: str, measured: Measured, stated: Stated, draws: np.random.Generator
) -> Scored:
    """Hand out videos of an hour to the cores of hosts that fail and come back."""
    work = video_s(measured, stated, preset)
    plan = plan_archive(videos, preset, measured, stated)
    hosts = math.ceil(plan.cores / stated.host_cores)
    cores = hosts * stated.host_cores
    failures = sorted(_failures(hosts, stated, draws, 4 * stated.archive_days * 86400))
    lasts = iter(draws.normal(work, work / 10, videos + len(failures) * stated.host_cores * 2).clip(work / 2).tolist())
    events: list[tuple[float, int, int]] = [(0.0, core, 0) for core in range(cores)]  # a core is free
    heapq.heapify(events)
    runs = [0] * cores  # counts up where a core's work is void
    idle: set[int] = set()
    began, waiting, done, lost, failed, finished = [math.inf] * cores, videos, 0, 0.0, 0, 0.0
    deaths = iter(failures)
    death = next(deaths, None)
    while done < videos:
        if death is not None and (not events or death[0] <= events[0][0]):
            at, host, away = death
            death = next(deaths, None)
            failed += 1
            for core in range(host * stated.host_cores, (host + 1) * stated.host_cores):
                if began[core] < at:
                    lost += at - began[core]
                    waiting += 1
                runs[core] += 1
                began[core] = math.inf
                heapq.heappush(events, (at + away, core, runs[core]))
                idle.discard(core)
            for core in idle:  # what is to be done again is work for those that had none left
                heapq.heappush(events, (at, core, runs[core]))
            idle.clear()
            continue
        at, core, run = heapq.heappop(events)
        if run != runs[core]:
            continue
        if began[core] < math.inf:
            done, finished, began[core] = done + 1, at, math.inf
        if waiting:
            waiting -= 1
            began[core] = at
            heapq.heappush(events, (at + next(lasts), core, run))
        else:
            idle.add(core)
    return Scored(hosts, finished / 86400, videos * work / cores / 86400, failed, lost / (videos * work))


def _failures(
    hosts: int, stated: Stated, draws: np.random.Generator, until_s: float
) -> Iterator[tuple[float, int, float]]:
    """(when, which host, how long it is away)."""
    for host in range(hosts):
        at = 0.0
        while (at := at + draws.exponential(stated.host_days * 86400)) < until_s:
            away = draws.exponential(stated.host_back_h * 3600)
            yield at, host, away
            at += away


if __name__ == "__main__":
    main()
