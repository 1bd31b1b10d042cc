"""Sections on whole sites under load, made of `benchmarks/results/load-*.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pages import table
from performance_tables import machine

WELL = 0.99
"""Share of the pictures that are judged where all is well."""

SHORT = """## How many cameras does one small machine carry?

    python benchmarks/load_a_site.py --cameras 6 --fps 25 --minutes 10 --json benchmarks/results/load-6x25.json

A whole site as `oddframe serve` runs it: a process for each camera that reads H.264 of 640x360, one engine with preset
`live`, store, evidence, and a sink. "Not judged" are pictures that should have been, for whatever reason. "Stored" is
from when the frame was taken that began an event until that stood in the store: the median, and what 95 of 100 stay
below. "Others" is what all else took that ran on the machine; it wanted both cores all the time, so that the site got
what it needed in some minutes and not in others ([minute by minute](lab/load.md)).
"""

LONG = """# A site under load

    python benchmarks/load_a_site.py --cameras 6 --fps 25 --minutes 10 --json benchmarks/results/load-6x25.json

A whole site as `oddframe serve` runs it: a process for each camera, one engine for all of them, store, evidence, and a
sink of JSON lines. Cameras are drawn files of 640x360 in a loop, H.264 with a key frame every two seconds, in which
something odd happens for two of every twenty seconds. The network is an untrained one of preset `live` (128x192): speed
does not depend on weights.

A window begins anew where a file does, which takes four frames of every 1,500; these are no drops, and count as not
judged.
"""


BY_TIME = """## Minute by minute

The machine was shared while this was measured: "others" is what all else that ran took, and the load average is how
many processes wanted its two cores. Where a dozen others want them as well, a site does not get what it needs; then
pictures wait, up to 64 of each camera, and after that the oldest are dropped.
"""


def short_section(results: Path) -> list[str]:
    """Of the page on performance; nothing where nothing was measured."""
    found = loads(results)
    if not found:
        return []
    rows = [
        [
            "cameras",
            "computed by",
            "dropped",
            "not judged",
            "stored after, ms",
            "minutes with 99 % judged",
            "cores",
            "others",
        ]
    ]
    for one in found:
        cores = one["cores"]
        used = cores["engine"] + cores["readers"] + cores["supervisor"]
        rows.append(
            [
                _cameras(one),
                _computed(one),
                _share(one["dropped_share"]),
                _share(one["not_judged_share"]),
                _ms(one["stored_s"]),
                f"{sum(minute['judged_share'] >= WELL for minute in one['by_time'])} of {len(one['by_time'])}",
                f"{used:.2f}",
                f"{cores['others']:.2f}",
            ]
        )
    return [SHORT, table(rows) + machine(found[0])]


def long_page(results: Path) -> str:
    """The page of the lab; "" where nothing was measured."""
    found = loads(results)
    if not found:
        return ""
    speed = [["", "minutes", "engine, ms a frame", "readers, ms a picture", "judged after, ms", "stored after, ms"]]
    cores = [["", "engine, cores", "readers", "supervisor", "others", "dropped, by reason"]]
    memory = [["", "engine, MB", "MB an hour", "a reader, MB", "MB an hour", "at most", "supervisor, MB", "MB an hour"]]
    disk = [["", "store, MB more", "evidence, MB more", "waiting at most", "lost", "restarts", "without evidence"]]
    for one in found:
        name = f"{_cameras(one)}, {_computed(one)}"
        minutes = f"{one['lasted_s'] / 60:.0f}"
        costs = (f"{one['engine_ms']:.2f}", f"{one['reader_ms']:.2f}")
        speed.append([name, minutes, *costs, _ms(one["judged_s"]), _ms(one["stored_s"])])
        used = (f"{one['cores'][role]:.2f}" for role in ("engine", "readers", "supervisor", "others"))
        cores.append([name, *used, _reasons(one["dropped"]) or "none"])
        engine, reader, supervisor = (one["memory"][role] for role in ("engine", "readers", "supervisor"))
        grown = (f"{reader['mb']:.0f}", f"{reader['mb_an_hour']:+.1f}", f"{reader['most_mb_an_hour']:+.1f}")
        memory.append([name, *_grown(engine), *grown, *_grown(supervisor)])
        restarts = f"{one['engine_restarts']} engine, {one['reader_restarts']} readers"
        sizes = (f"{one['store_mb']:.1f}", f"{one['evidence_mb']:.1f}", str(one["waiting_most"]), str(one["lost"]))
        disk.append([name, *sizes, restarts, _reasons(one["without_evidence"]) or "none"])
    times = [["", "minute", "judged", "judged after, ms", "site, cores", "others, cores", "load average"]]
    for one in found:
        for stretch in one["by_time"]:
            latency = stretch["judged_s"]
            after = "" if latency is None else f"{1000 * latency[0]:.0f} ({1000 * latency[1]:.0f})"
            used = (f"{stretch['site_cores']:.2f}", f"{stretch['others_cores']:.2f}", f"{stretch['load_average']:.0f}")
            minute = f"{stretch['until_s'] / 60:.0f}"
            times.append([_cameras(one), minute, f"{100 * stretch['judged_share']:.1f} %", after, *used])
    parts = [
        LONG,
        "## Time\n",
        table(speed),
        "## Cores, and what was dropped\n",
        table(cores),
        BY_TIME,
        table(times),
        "## Memory\n\nOf each process at the end, and by how much it grows, by least squares after the first two "
        "minutes.\n",
        table(memory),
        "## Disk\n",
        table(disk) + machine(found[0]),
    ]
    return "\n".join(parts)


def loads(results: Path) -> Sequence[Mapping[str, Any]]:
    """All that was measured, by cameras and by what computed."""
    found = [json.loads(path.read_text("utf-8")) for path in results.glob("load-*.json")]
    return sorted(found, key=lambda one: (one["load"]["cameras"], one["load"]["garbage"], _computed(one)))


def _cameras(one: Mapping[str, Any]) -> str:
    load = one["load"]
    beside = " and one of garbage" if load["garbage"] else ""
    return f"{load['cameras']} of {load['fps']:g} frames a second{beside}"


def _computed(one: Mapping[str, Any]) -> str:
    load = one["load"]
    precision = "" if load["backend"].startswith("torch") else f", {load['precision']}"
    return f"{load['backend']}{precision}"


def _share(share: float) -> str:
    return f"{100 * share:.2f} %"


def _ms(told: Mapping[str, float] | None) -> str:
    return "no event" if told is None else f"{1000 * told['median']:.0f} ({1000 * told['most']:.0f})"


def _grown(memory: Mapping[str, float]) -> tuple[str, str]:
    return f"{memory['mb']:.0f}", f"{memory['mb_an_hour']:+.1f}"


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{many:,} {reason}" for reason, many in counts.items())
