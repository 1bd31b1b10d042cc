"""What cameras and archives take, by what was measured of one core, and by what the reader says of prices and cameras.

Measured figures come from the JSON files in `benchmarks/results` alone; all else is a field of `Stated`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

HOURS_A_MONTH = 730
_MBIT = 1e6 / 8


@dataclass(frozen=True)
class Stated:
    """What nobody has measured here: change it by an argument of the same name.

    Attributes:
        fps: frames that a camera sends in a second, all of which are judged. mbit: that it sends in a second.
        events_a_day: of a camera; the default line stands for one false alarm an hour.
        kept_days: pictures and clips of events are kept. used: share of the cores that is planned with.
        host_cores, host_gb: of a machine that is rented. spare: hosts beyond what is needed, of each site.
        site_cameras: the most of one site. recorded_fps, recorded_mbit: of an archive. archive_days: to score it in.
        core_hour, gb_month, gb_out: prices of an hour of a core with its memory, of a GB on disk for a month, and of a
            GB that leaves where the archive lies.
        host_days, host_back_h: between two failures of a host, and until it is there again.
        camera_days, camera_gone_s: between two failures of a camera or its line, and how long it is away.
        seed: of all that is drawn.
    """

    fps: float = 5.0
    mbit: float = 2.0
    events_a_day: float = 24.0
    kept_days: float = 30.0
    used: float = 0.7
    host_cores: int = 16
    host_gb: int = 64
    spare: int = 1
    site_cameras: int = 1000
    recorded_fps: float = 25.0
    recorded_mbit: float = 2.0
    archive_days: float = 30.0
    core_hour: float = 0.04
    gb_month: float = 0.02
    gb_out: float = 0.0
    host_days: float = 90.0
    host_back_h: float = 4.0
    camera_days: float = 7.0
    camera_gone_s: float = 60.0
    seed: int = 1


@dataclass(frozen=True)
class Measured:
    """Of preset `live` in eight bits by OpenVINO, as a site and as scoring of files, on the processor of `processor`.

    Attributes:
        engine_ms, reader_ms: of the processor, for a frame of a camera, by the engine and by the camera's reader.
        other_ms: by all else of a site, spread over its frames.
        engine_mb, reader_mb, supervisor_mb: in memory. evidence_mb: on disk for an event.
        live_fps, cpu_fps: frames of a file that a core scores in a second, with preset `live` and `cpu`.
        worker_mb: in memory, of a process that scores files.
        given_up_s: (least, most) seconds from the death of a machine until it is given up, by the settings of leases.
        back_s: (least, most) seconds from when a camera is there again until it is watched.
        csv_bytes, parquet_bytes: on disk for a judged frame; None where nobody has measured.
    """

    processor: str
    engine_ms: float
    reader_ms: float
    other_ms: float
    engine_mb: float
    reader_mb: float
    supervisor_mb: float
    evidence_mb: float
    live_fps: float
    cpu_fps: float
    worker_mb: float
    given_up_s: tuple[float, float]
    back_s: tuple[float, float]
    csv_bytes: float
    parquet_bytes: float


def read_measured(results: Path = RESULTS) -> Measured:
    """Take from the JSON files what plans and simulation need."""
    from oddframe.site.leasing import GIVEN_UP_S, LOOK_EVERY_S

    site, curve, lost, tables = (
        json.loads((results / f"{name}.json").read_text("utf-8"))
        for name in ("load-30x5", "live-curve", "lose_a_camera", "table_an_archive")
    )
    by_name = {
        name: max((one for one in curve["scoring"] if one["of"] == name), key=lambda one: one["scored"]["median"])
        for name in ("live-128x192-int8", "live-240x360-int8")
    }
    live, cpu = by_name.values()
    events = site["load"]["cameras"] * site["lasted_s"] / 20  # one in each turn of what the drawn cameras show
    back = [one["back_s"] for one in lost]
    return Measured(
        processor=f"{site['host']['processor']}, {site['host']['cores']} cores",
        engine_ms=round(site["engine_ms"], 2),
        reader_ms=round(site["reader_ms"], 2),
        other_ms=round(1000 * site["cores"]["supervisor"] * site["lasted_s"] / site["judged"], 2),
        engine_mb=site["memory"]["engine"]["mb"],
        reader_mb=round(site["memory"]["readers"]["mb"], 1),
        supervisor_mb=site["memory"]["supervisor"]["mb"],
        evidence_mb=round(site["evidence_mb"] / events, 2),
        live_fps=round(live["scored"]["median"] / curve["host"]["cores"], 1),
        cpu_fps=round(cpu["scored"]["median"] / curve["host"]["cores"], 1),
        worker_mb=max(live["peak_memory_mb"], cpu["peak_memory_mb"]),
        given_up_s=(GIVEN_UP_S, GIVEN_UP_S + 2 * LOOK_EVERY_S),
        back_s=(min(back), max(back)),
        csv_bytes=tables["measured"][-1]["csv_bytes_a_frame"],
        parquet_bytes=tables["measured"][-1]["parquet_bytes_a_frame"],
    )


@dataclass(frozen=True)
class LivePlan:
    """What so many cameras take.

    Attributes:
        sites: of no more cameras than one site is to have. serves: processes `oddframe serve`, each with one engine.
        hosts: rented machines, spare ones included. cores, memory_gb: that are used. cameras_a_host: on average.
        mbit: from cameras, in all. disk_gb: of pictures and clips that are kept.
        beats_a_s, rows_a_s: of the machines of one site in its database, and rows that they read there.
        cost_month: of hosts and disk.
    """

    cameras: int
    sites: int
    serves: int
    hosts: int
    cores: float
    memory_gb: float
    cameras_a_host: float
    mbit: float
    disk_gb: float
    beats_a_s: float
    rows_a_s: float
    cost_month: float


def cameras_a_serve(measured: Measured, stated: Stated) -> int:
    """How many cameras one engine carries, which is one thread."""
    return max(1, math.floor(stated.used * 1000 / (measured.engine_ms * stated.fps)))


def plan_live(cameras: int, measured: Measured, stated: Stated) -> LivePlan:
    """Plan a number of cameras."""
    sites = math.ceil(cameras / stated.site_cameras)
    a_site = math.ceil(cameras / sites)
    serves_a_site = math.ceil(a_site / cameras_a_serve(measured, stated))
    frame_s = (measured.engine_ms + measured.reader_ms + measured.other_ms) / 1000
    cores = a_site * stated.fps * frame_s
    gb = (a_site * measured.reader_mb + serves_a_site * (measured.engine_mb + measured.supervisor_mb)) / 1024
    hosts = max(math.ceil(cores / (stated.used * stated.host_cores)), math.ceil(gb / (stated.used * stated.host_gb)))
    hosts = max(1, hosts) + (stated.spare if cameras > 1 else 0)
    serves = max(serves_a_site, hosts)
    beats = serves / 3.0
    disk_gb = cameras * stated.events_a_day * stated.kept_days * measured.evidence_mb / 1024
    rent = sites * hosts * stated.host_cores * HOURS_A_MONTH * stated.core_hour
    return LivePlan(
        cameras, sites, sites * serves, sites * hosts, sites * cores, sites * gb, cameras / (sites * hosts),
        cameras * stated.mbit, disk_gb, beats, beats * (serves + a_site), rent + disk_gb * stated.gb_month,
    )  # fmt: skip


@dataclass(frozen=True)
class ArchivePlan:
    """What an archive takes.

    Attributes:
        preset: with which it is scored. core_hours: in all. cores: at work all the time, to be ready in time.
        memory_gb: of that many workers of one thread. read_tb: from storage, where each video is read twice.
        mb_s: from storage, on average. csv_tb, parquet_tb: of scores. driver_gb, page_gb: see `Growth`.
    """

    hours: float
    preset: str
    core_hours: float
    cores: float
    memory_gb: float
    read_tb: float
    mb_s: float
    csv_tb: float
    parquet_tb: float
    cost: float


def plan_archive(hours: float, preset: str, measured: Measured, stated: Stated) -> ArchivePlan:
    """Plan the scoring of an archive, every frame of which is judged."""
    frames = hours * 3600 * stated.recorded_fps
    rate = {"live": measured.live_fps, "cpu": measured.cpu_fps}[preset]
    core_hours = frames / rate / 3600
    seconds = stated.archive_days * 86400
    cores = core_hours * 3600 / seconds
    read = 2 * hours * 3600 * stated.recorded_mbit * _MBIT
    return ArchivePlan(
        hours, preset, core_hours, cores, cores * measured.worker_mb / 1024, read / 1e12, read / seconds / 1e6,
        frames * measured.csv_bytes / 1e12, frames * measured.parquet_bytes / 1e12,
        core_hours * stated.core_hour + read / 1e9 * stated.gb_out,
    )  # fmt: skip


def measured_of(found: Mapping[str, Any]) -> Measured:
    """What stands in a JSON file."""
    return Measured(**{name: tuple(one) if isinstance(one, list) else one for name, one in found.items()})


def stated_of(found: Mapping[str, Any]) -> Stated:
    """What stands in a JSON file."""
    return Stated(**{one.name: found[one.name] for one in fields(Stated)})


def plain(record: Any) -> dict[str, Any]:
    """A record as JSON has it."""
    return json.loads(json.dumps(asdict(record)))
