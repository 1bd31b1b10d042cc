"""Make docs/explanation/scale.md from the JSON that `benchmarks/simulate_scale.py` wrote.

python experiments/scale_page.py            write the page
python experiments/scale_page.py --check    only say whether it is fresh (exit code 1 if not)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pages import table, write_or_check

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from scale_figures import Measured, Stated, measured_of, plan_live, read_measured, stated_of  # noqa: E402

PAGE = "explanation/scale.md"

HEAD = """# How far it goes

What one core does was measured. From that come the machines, memory, network, disk and cost of ten, a thousand and a
hundred thousand cameras, and of an archive of a million hours; and what breaks first on the way. A simulation with
failures checks the sums. Prices, and how often things fail, are stated and not measured: give your own.

    python benchmarks/simulate_scale.py --json benchmarks/results/scale.json     # --help lists what can be stated
    python experiments/scale_page.py                                             # makes this page of it
"""


STATED = {
    "fps": "frames a second of a camera, all judged",
    "mbit": "Mbit/s of a camera",
    "events_a_day": "events of a camera",
    "kept_days": "days that pictures and clips are kept",
    "used": "share of the cores that is planned with",
    "host_cores": "cores of a host",
    "host_gb": "GB of memory of a host",
    "spare": "hosts of a site beyond what is needed",
    "site_cameras": "cameras of one site, at most",
    "recorded_fps": "frames a second of an archive",
    "recorded_mbit": "Mbit/s of an archive",
    "archive_days": "days to score the archive in",
    "core_hour": "price of a core with its memory for an hour",
    "gb_month": "price of a GB on disk for a month",
    "gb_out": "price of a GB that leaves the archive's storage",
    "host_days": "days between two failures of a host",
    "host_back_h": "hours until a host is there again",
    "camera_days": "days between two failures of a camera or its line",
    "camera_gone_s": "seconds that a camera is away",
    "seed": "of all that is drawn",
}


def main() -> None:
    """Write the page, or check it."""
    found = json.loads((BENCHMARKS / "results" / "scale.json").read_text("utf-8"))
    if measured_of(found["measured"]) != read_measured():
        again = "python benchmarks/simulate_scale.py --json benchmarks/results/scale.json"
        sys.exit(f"the rates were measured anew. Run: {again}")
    write_or_check(__doc__, {PAGE: page(found)})


def page(found: Mapping[str, Any]) -> str:
    """The whole page."""
    measured, stated = measured_of(found["measured"]), stated_of(found["stated"])
    return "\n".join(
        [
            HEAD,
            one_core(measured),
            assumed(stated),
            cameras(found, measured, stated),
            breaks(found, measured, stated),
            year(found),
            archive(found, stated),
            queue(found),
            *cluster(),
            LIMITS,
        ]
    )


def one_core(one: Measured) -> str:
    """What was measured."""
    site, curve = "`load-30x5`", "`live-curve`"
    rows = [
        ["", "", "from"],
        ["a frame of a camera, in its reader", f"{one.reader_ms} ms", site],
        ["a frame of a camera, in the engine: preset `live`, eight bits", f"{one.engine_ms} ms", site],
        ["a frame of a camera, all else", f"{one.other_ms} ms", site],
        ["memory of a reader", f"{one.reader_mb:.0f} MB", site],
        ["memory of an engine, and of what starts it", f"{one.engine_mb:.0f} and {one.supervisor_mb:.0f} MB", site],
        ["pictures and clip of an event", f"{one.evidence_mb} MB", site],
        ["frames of a file in a second: preset `live`, eight bits", f"{one.live_fps:.0f}", curve],
        ["frames of a file in a second: preset `cpu`, eight bits, without flow", f"{one.cpu_fps:.0f}", curve],
        ["memory of a process that scores files", f"{one.worker_mb:.0f} MB", curve],
        ["a camera that is back is watched after", f"{one.back_s[0]} to {one.back_s[1]} s", "`lose_a_camera`"],
        ["a machine that dies is given up after", f"{one.given_up_s[0]:.0f} to {one.given_up_s[1]:.0f} s", "leases"],
        ["a judged frame in `scores.csv`", f"{one.csv_bytes:.0f} bytes", "`table_an_archive`"],
        ["a judged frame in `scores.parquet`", f"{one.parquet_bytes:.0f} bytes", "`table_an_archive`"],
    ]
    return f"""## What one core does

Times are of the processor, not of the clock, on {one.processor}. "From" is a file in `benchmarks/results/`; "leases"
are the settings by which machines of a site give each other up.

{table(rows)}"""


def assumed(stated: Stated) -> str:
    """What was stated."""
    rows = [["argument", "", ""]]
    rows += [[f"`--{name.replace('_', '-')}`", f"{value:g}", STATED[name]] for name, value in asdict(stated).items()]
    return f"## What is stated\n\n{table(rows)}"


def cameras(found: Mapping[str, Any], measured: Measured, stated: Stated) -> str:
    """Plans for cameras."""
    rows = [
        ("cameras", "cameras", "{:,}"),
        ("sites", "sites", "{:,}"),
        ("hosts, spare ones included", "hosts", "{:,}"),
        ("processes `oddframe serve`", "serves", "{:,}"),
        ("cores at work", "cores", "{:,.1f}"),
        ("memory, GB", "memory_gb", "{:,.1f}"),
        ("Mbit/s from cameras", "mbit", "{:,.0f}"),
        ("disk for events, GB", "disk_gb", "{:,.0f}"),
        ("cost of hosts and disk in a month", "cost_month", "{:,.0f}"),
    ]
    whole = int(stated.used * 1000 / (25 * measured.engine_ms))
    return f"""## Cameras

{_side_by_side(_plans(found), rows)}
An engine is one thread ([why](../decisions/0035-one-engine-one-thread.md)). So one `oddframe serve` carries
{found["cameras_a_serve"]} cameras of {stated.fps:g} frames a second, or {whole} of 25, however many cores there are. A
host with more of them runs several `oddframe serve` of the same site; each counts as [a
machine](../how-to/many-machines.md).
"""


def breaks(found: Mapping[str, Any], measured: Measured, stated: Stated) -> str:
    """What breaks first."""
    _, thousand, many = _plans(found)
    one_site = plan_live(many["cameras"], measured, replace(stated, site_cameras=many["cameras"]))
    evidence_mb_s = thousand["cameras"] * stated.events_a_day * measured.evidence_mb / 86400
    rows = [
        ["at", "what breaks first", "what to do"],
        ["10", "the one host: while it is away nobody watches", "a second one, with PostgreSQL and a shared folder"],
        [
            str(found["cameras_a_serve"]),
            "the engine's one thread",
            "another `oddframe serve` of the same site, or fewer frames a second",
        ],
        [
            "1,000",
            f"the network into one place, {thousand['mbit'] / 1000:.0f} Gbit/s; and the shared folder, which takes "
            f"{evidence_mb_s:.1f} MB/s of events on average, and many times that when all see something",
            "hosts near the cameras; a folder on storage that is made for it",
        ],
        [
            "1,000",
            f"the database, if it dies. It has little to do: {thousand['serves']} machines look every three seconds, "
            f"and read {thousand['rows_a_s']:,.0f} rows a second",
            "a standby of PostgreSQL",
        ],
        [
            "100,000 as one site",
            f"the database: {one_site.serves:,} machines would read {one_site.rows_a_s / 1e6:,.0f} million rows a "
            "second, since each looks at all",
            f"{many['sites']:,} sites of {stated.site_cameras:,} cameras, {many['rows_a_s']:,.0f} rows a second each",
        ],
        [
            "100,000",
            f"people: {many['cameras'] * stated.events_a_day / 1e6:,.1f} million events a day",
            "a higher line, [reviews that teach](teaching.md), regions",
        ],
    ]
    return f"## What breaks first, and what to do\n\n{table(rows)}"


def year(found: Mapping[str, Any]) -> str:
    """A year of cameras that was simulated."""
    columns = [
        ("cameras", lambda one: f"{one['plan']['cameras']:,}"),
        ("spare hosts of a site", lambda one: str(one["spare"])),
        ("watched, %", lambda one: f"{100 * one['watched']:.3f}"),
        ("not: being taken over", lambda one: f"{100 * one['lost_by_hosts']:.5f}"),
        ("not: no host has room", lambda one: f"{100 * one['lost_for_room']:.3f}"),
        ("not: the camera is away", lambda one: f"{100 * one['lost_by_cameras']:.3f}"),
        ("hosts failed", lambda one: f"{one['hosts_failed']:,}"),
        ("longest for a host's sake, minutes", lambda one: f"{one['longest_s'] / 60:,.1f}"),
        ("most at once for a host's sake", lambda one: f"{one['most_at_once']:,}"),
    ]
    rows = [[name for name, _ in columns], *([cell(one) for _, cell in columns] for one in found["live"])]
    return f"""## A year with failures, simulated

Shares of the camera-minutes of a year, in per cent. No host takes more than the share of its cores that is planned
with. Of ten cameras a year has few failures of hosts, so that another seed gives other figures.

{table(rows)}
A spare host turns the hours until a host is back into the minute of a takeover. What is left is mostly the cameras'
own.
"""


def archive(found: Mapping[str, Any], stated: Stated) -> str:
    """An archive of a million hours."""
    rows = [
        ("preset", "preset", "`{}`"),
        ("core-hours", "core_hours", "{:,.0f}"),
        (f"cores, to be ready in {stated.archive_days:g} days", "cores", "{:,.0f}"),
        ("memory of workers, GB", "memory_gb", "{:,.0f}"),
        ("from storage, TB; each video is read twice", "read_tb", "{:,.0f}"),
        ("from storage, MB/s", "mb_s", "{:,.0f}"),
        ("`scores.csv`, TB", "csv_tb", "{:,.1f}"),
        ("`scores.parquet`, TB", "parquet_tb", "{:,.1f}"),
        ("cost of cores, and of what leaves storage", "cost", "{:,.0f}"),
    ]
    done = found["archive_with_failures"]
    return f"""## An archive of a million hours

[On a Ray cluster](../how-to/cluster.md), every frame judged, without optical flow.

{_side_by_side(found["archive"], rows)}
Simulated with hosts that fail: preset `live`, a million videos of an hour, {done["hosts"]} hosts. It takes
{done["days"]:.2f} days, where {done["planned_days"]:.2f} were planned; {done["failed"]} times a host failed, and
{100 * done["again"]:.3f} % of the work was done twice.

What breaks first:

- **Storage and its network**: what the table says in MB/s, for all of the time. Score where the videos lie.
- **One command for all of it.** One driver hands out all videos, and writes one page of all. Give it a month, or a
  camera, at a time, each with its own `--out` below one folder; `oddframe table` makes tables of all of them.
- **The last long video.** One that is a large part of the work is cut, one of a million is not, and others wait for
  nothing else by then. Record by the hour.
- **Many small files** in the tables: [what to do](../decisions/0049-the-tables-have-a-file-for-each-video.md).
"""


def queue(found: Mapping[str, Any]) -> str:
    """How long videos wait."""
    waits = [["use of the cores, %", "wait, mean, s", "95 of 100 below, s", "mean, by Erlang's formula, s"]]
    for one in found["queue"]:
        seconds = one["mean_s"], one["most_s"], one["erlang"] * one["work_s"]
        waits.append([f"{100 * one['use']:.0f}", *(f"{each:,.1f}" for each in seconds)])
    after = [["use before, %", "hours of video that wait, at most", "hours until no more wait than before"]]
    for one in found["after_a_death"]:
        drained = "more than a year" if one["drained_h"] is None else f"{one['drained_h']:,.1f}"
        after.append([f"{100 * one['use']:.0f}", f"{one['most_hours']:,.1f}", drained])
    first, dead = found["queue"][0], found["after_a_death"][0]
    return f"""## How full may a cluster be?

Recordings come at random to {first["cores"]} cores, {first["videos"]:,} of them, an hour long on average; preset
`live`.

{table(waits)}
And where one of four hosts, of {dead["cores"]} cores in all, dies and comes back: a reckoning of what flows in and
out, the mean of twenty deaths.

{table(after)}
At 70 % hardly anything waits, and a host may die. At 90 % more comes than the other three can do, until it is back.
Live cameras have no queue: what is not judged in time is left out, so the room has to be there beforehand.
"""


def cluster() -> list[str]:
    """What was run on two nodes, as far as it was."""
    path = BENCHMARKS / "results" / "score_on_a_cluster.json"
    if not path.is_file():
        return []
    found = json.loads(path.read_text("utf-8"))
    parts = [CLUSTER]
    if death := found.get("after_a_death"):
        parts.append(
            f"- Of two nodes with {death['videos']} videos, one was killed when a third was finished: "
            f"{death['finished']} were finished, {death['finished_twice']} of them twice; {death['tables_equal']} of "
            f"{death['tables']} tables are those of one machine, to the byte."
        )
    if gain := found.get("two_nodes"):
        parts.append(
            f"- Two nodes of one core each scored {gain['ratio']} times as many videos in the same time as one, in the "
            f"middle of {len(gain['ratios'])} turns ({', '.join(map(str, gain['ratios']))})."
        )
    for one in found.get("driver", []):
        parts.append(
            f"- A driver of {one['videos']:,} videos: {one['began_mb']:.0f} MB before, {one['working_mb']:.0f} at the "
            f"last video, {one['peak_mb']:.0f} at most, with the page of all."
        )
    if len(driven := found.get("driver", [])) > 1:
        few, many = driven[0], driven[-1]
        kb = 1024 * (many["peak_mb"] - few["peak_mb"]) / (many["videos"] - few["videos"])
        parts.append(
            "\nWorkers of these drivers copy outputs in place of scoring, which the driver does not see. So it takes "
            f"{kb:.0f} KB for each video of a command, and would take {kb * 1e6 / 1024 / 1024:.0f} GB for a million of "
            "them: what there is of each is kept until the page of all is written."
        )
    return ["\n".join(parts) + "\n"]


CLUSTER = """## What was run on a cluster

    python benchmarks/score_on_a_cluster.py --json benchmarks/results/score_on_a_cluster.json
"""

LIMITS = """## What this does not say

- All of it rests on one kind of processor with two cores, and on cameras of 640x360: [measure
  yours](../how-to/measure-speed.md).
- A hundred thousand cameras and a million hours were reckoned and simulated, not run. [What was run](../lab/load.md) is
  a machine with thirty cameras.
- Failures are independent of each other here. A switch that takes a row of hosts with it is not, nor is a bad release.
- Database, shared folder and network do not fail in the simulation.
"""


def _plans(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one["plan"] for one in found["live"] if one["spare"] == 0]


def _side_by_side(plans: Sequence[Mapping[str, Any]], rows: Sequence[tuple[str, str, str]]) -> str:
    return table([[words, *(form.format(one[key]) for one in plans)] for words, key, form in rows])


if __name__ == "__main__":
    main()
