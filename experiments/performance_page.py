"""Make `docs/performance.md` from the JSON files in `benchmarks/results/`.

python experiments/performance_page.py            write the page
python experiments/performance_page.py --check    only say whether it is fresh (exit code 1 if not)

A section whose file is not there is left out. NAME-units.json and NAME-vectors.json beside NAME.json are the same
command on a processor that multiplies tiles of bf16 and int8, and on one that does so in its vector instructions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from live_curve import UNJUDGED
from pages import table, with_interval, write_or_check

HERE = Path(__file__).parent
RESULTS = HERE.parent / "benchmarks" / "results"

HEAD = """# Performance

Every figure here is made by `python experiments/performance_page.py` from the JSON files in `benchmarks/results/`, and
these by the command above each table. Medians, with quartiles in brackets. What is compared took turns in one run, so
that a busy moment hit all sides. The limit is what a matrix product reaches on the same machine in the same run; shares
are of that. What your own machine does: [measure it](how-to/measure-speed.md).
"""

BENCH = """## Scoring and training

    oddframe bench --json > benchmarks/results/bench.json

An untrained network of the preset `cpu` (240x360); speed does not depend on weights. "Network" is the network alone,
"scores" is from a video file of 640x360 to scores.
"""

BENCH_SMALLER = """### At 192x288

    oddframe bench --set model.size=[192,288] --json > benchmarks/results/bench-192x288.json

Two thirds of the pixels, which was the preset's size when these processors were at hand.
"""

PAPER_SIZE = """### In the paper's size

    oddframe bench --preset paper --batch 1 --json > benchmarks/results/bench-paper.json
"""

LIVE = """## How many cameras

    oddframe bench --preset live --measure-on FILE --json > benchmarks/results/bench-live.json

The preset `live`, from a file of 360x240 to scores and events, with all components.
"""

CURVE = """### Detection against speed

    python experiments/live_curve.py PED2 --fold 0
    python experiments/live_curve.py PED2 --fold 0 --speed

The network of the preset `cpu`, 240x360, and smaller ones, trained once each on fold 0 of UCSD Ped2 and exported;
`live` is 128x192. Frames a second are from a file of 360x240 to scores, by the better of two batch sizes. AUC is micro,
of `online`, in per cent, with its 95 % interval. `framediff` has no network, and the smallest network does not come up
to it. Where the processor has units for eight bits, the preset itself, exported in int8, passes 150 frames a second
with as good as the same AUC; `live` is for those that have none.

![AUC of `online` against frames a second](images/live-curve.png)
"""

PEER = """## Beside the published way

    python benchmarks/peer_step.py --size 192x288 --profile --json benchmarks/results/peer_step.json

"Plain" is MNAD as its published code trains and scores it: five image files read for every clip, contiguous fp32, the
memory updated item by item. "mnad" is the same network here. In the same precision there is little to gain in its
training: convolutions take four fifths of the time, and are as fast as the limit allows but for a third. Its scoring
gains by what need not be kept for a gradient, and by eight bits. The detector of the preset, at the same size and
width, gains by what it leaves out: it has no decoder, takes squares of 2x2 grey pixels at once, and a step learns from
known and pseudo-anomalies as well.

Where the processor multiplies tiles of bf16, convolutions become so fast that a step of this size waits for memory:
batch norms and what is done value by value take more than half of it, and the share of the limit is a quarter. With
vector instructions for bf16 a step reaches more than half of the limit.

The convolution that sees the pictures is not rounded to eight bits; where there are no units or units for tiles, eight
bits were measured when it still was.
"""

PEER_PAPER = """### In the paper's size

    python benchmarks/peer_step.py --size 256x256 --width 64 --steps 2 --repeats 3 --scored 8 --profile \\
        --json benchmarks/results/peer_step-paper.json

Five times the plain loop by eight bits, and 1.4 times without them (2.4 times where there are units for bf16), were
aimed at. With units for tiles both are reached, with room. With vector instructions both are missed by a sixth: the
plain loop scores about as fast as matrix products do in fp32, and those in bf16 are 2.4 times as fast; the graph in
eight bits spends nine tenths of its time in convolutions, too. Without units neither is reached: the plain loop itself
scores at the greater part of what matrix products reach in fp32, so that no runtime could be much faster, and eight
bits gain what AVX2 gives them. There, training `mnad` is slower than plain as well: the backward pass of its
convolutions, which have channels last, takes half as long again as that of plain's contiguous ones.
"""

INT8 = """### What eight bits cost in detection

    oddframe train PED2 --set model.size=[192,288] --protocol kfold --fold 0 --out runs/ped2-kfold-0-192x288
    oddframe export runs/ped2-kfold-0-192x288 --out runs/ped2-int8 --precision int8 --data PED2
    cp runs/ped2-int8/parity.json benchmarks/results/int8_parity.json

The preset `cpu` at 192x288, fold 0 of UCSD Ped2: AUC micro of `online` on its ten test videos, and frames of two videos
that are in an alarm, by the run and by its artefact in int8, which has a calibration of its own.
"""

STEP = """## The same detector, trained plainly

    python benchmarks/train_step.py --json benchmarks/results/train_step.json

The preset's own detector: by this package, by this package with its parts compiled (`train.compile`), and in contiguous
fp32 with five image files read for every clip. Convolutions take most of a step, so that units for bf16 make most of
the difference; without them plain arithmetic is about as fast as this package. A fold of UCSD Ped2 is some 1,700 steps.
Compiling does not pay on a processor ([decision 14](decisions/0014-steps-are-compiled-on-request.md)).
"""

LENGTH = """## Long videos

    python benchmarks/scoring_memory.py --json benchmarks/results/scoring_memory.json

Scoring takes as long for each frame, and as much memory, however long the video is.
"""

WORKERS = """## Several videos at once

    python benchmarks/scoring_workers.py --json benchmarks/results/scoring_workers.json

Processes that keep to a core each, decoding included, over the same drawn videos: what two workers gain over one that
has one core.
"""

ELSEWHERE = {
    "-units": "The same on a processor with units that multiply tiles of bf16 and of eight bits (AMX):\n",
    "-vectors": "The same on a processor whose units for bf16 and eight bits are vector instructions (AVX-512):\n",
}
"""What is appended to a file's name → the line above its table."""

START = """## Until something is seen

    python benchmarks/start_up.py --json benchmarks/results/start_up.json
"""


def main() -> None:
    """Write the page, or check it."""
    write_or_check(__doc__, "performance.md", make_page(RESULTS))


def make_page(results: Path) -> str:
    """The page as text."""
    parts = [HEAD]
    for name, (words, section) in SECTIONS.items():
        for added, above in {"": words, **ELSEWHERE}.items():
            path = results / f"{name}{added}.json"
            if path.is_file():
                found = json.loads(path.read_text("utf-8"))
                parts += [above, section(found) + _machine(found)]
    return "\n".join(parts)


def _machine(found: Mapping[str, Any]) -> str:
    host = found.get("host")
    if host is None:
        return ""
    threads = f", {found['threads']} threads" if "threads" in found else ""
    units = f"{'with' if host['bf16_units'] else 'without'} bf16 units"
    if "int8_units" in host:
        units += f", {'with' if host['int8_units'] else 'without'} int8 units"
    return f"\nOn {host['processor']}, {host['cores']} cores {units}{threads}.\n"


def _bench(found: Mapping[str, Any]) -> str:
    limits = ", ".join(f"{name} {_with_quartiles(one, 0)} GFLOP/s" for name, one in found["limit"].items())
    lines = [f"The limit: {limits}.\n"] if limits else []
    if (frames := found["frames"]) is not None:
        decoded, stored = (_with_quartiles(frames[name], 0) for name in ("decoded", "stored"))
        lines.append(f"Frames a second, decoded and resized: {decoded}; read from the frame store: {stored}.\n")
    rows = [["", "backend", "batch", "network, frames/s", "scores, frames/s", "GFLOP a frame", "of the limit", "MB"]]
    for one in found["scoring"]:
        gflop = "" if one["gflop"] is None else _gflop(one["gflop"])
        rates = (_with_quartiles(one[name], 1) for name in ("network", "scored"))
        about = (one["of"], one["backend"], str(one["batch"]))
        rows.append([*about, *rates, gflop, _percent(one["share"]), f"{one['peak_memory_mb']:.0f}"])
    lines.append(table(rows))
    if found["training"]:
        rows = [["training", "precision", "seconds a step", "GFLOP a step", "of the limit", "MB"]]
        for one in found["training"]:
            figures = (_with_quartiles(one["step"], 3), _gflop(one["gflop"]), _percent(one["share"]))
            rows.append([one["of"], one["precision"], *figures, f"{one['peak_memory_mb']:.0f}"])
        lines.append(table(rows))
    return "\n".join(lines)


def _live(found: Mapping[str, Any]) -> str:
    rows = [["backend", "batch", "frames a second", "cameras of 25 frames a second", "of 5"]]
    for one in found["scoring"]:
        rate = one["scored"]["median"]
        about = [one["backend"], str(one["batch"]), _with_quartiles(one["scored"], 0)]
        rows.append([*about, str(int(rate // 25)), str(int(rate // 5))])
    return table(rows)


def _curve(found: Mapping[str, Any]) -> str:
    rates: dict[tuple[str, str], float] = {}
    for one in (one for one in found["scoring"] if one["backend"] != UNJUDGED):
        key = (one["of"], one["backend"])
        rates[key] = max(rates.get(key, 0.0), one["scored"]["median"])
    rows = [["", "backend", "AUC, %", "frames a second", "cameras of 25 frames a second", "of 5"]]
    for (name, backend), rate in rates.items():
        network = name.removeprefix("live-")
        judged = json.loads((HERE / "results" / "live" / f"ped2-0-{network}.json").read_text("utf-8"))
        area = with_interval(judged["auc"]["online"])
        rows.append([network, backend, area, f"{rate:.0f}", str(int(rate // 25)), str(int(rate // 5))])
    return table(rows)


def _peer(found: Mapping[str, Any]) -> str:
    rows = [
        ["training", "seconds a step", "clips a step", "speed by the clip", "GFLOP a step", "of the limit", "waits"]
    ]
    for name, one in found["training"].items():
        times = f"{found['ratio']['training'].get(name, 1):.2f}"
        about = (f"{one['clips']}", times, _gflop(one["gflop"]), _percent(one["share"]), _percent(one["waiting"]))
        rows.append([f"{name}, {one['precision']}", _with_quartiles(one, 3), *about])
    scoring = [["scoring", "frames a second", "times plain", "of the limit"]]
    for name, one in found["scoring"].items():
        times = f"{found['ratio']['scoring'].get(name, 1):.2f}"
        scoring.append([name, _with_quartiles(one, 1), times, _percent(one["share"])])
    lines = [table(rows), table(scoring)]
    for where, of in (("operations", "step"), ("graph_operations", "clip")):
        for name, operations in found.get(where, {}).items():
            rows = [[f"operation, {name}", f"share of a {of}", "calls"]]
            rows += [[f"`{one['operation']}`", _percent(one["share"]), str(one["calls"])] for one in operations]
            lines.append(table(rows))
    return "\n".join(lines)


def _int8(found: Mapping[str, Any]) -> str:
    areas, alarms = found["auc"], found["int8"]
    moved = 100 * (areas["artefact"] - areas["run"])
    differing = f"{alarms['differing']} of {alarms['frames']} frames differ"
    rows = [["", "run", "int8", ""]]
    rows.append(["AUC, %", f"{100 * areas['run']:.2f}", f"{100 * areas['artefact']:.2f}", f"{moved:+.2f}"])
    rows.append(["in an alarm", str(alarms["alarmed_by_run"]), str(alarms["alarmed_by_artefact"]), differing])
    return table(rows)


def _step(found: Mapping[str, Any]) -> str:
    rows = [["", "seconds a step", "waits for data"]]
    for name in ("oddframe", "compiled", "plain"):
        one = found[name]
        seconds = f"{one['median_s']:.3f} ({one['lower_s']:.3f}-{one['upper_s']:.3f})"
        rows.append([name, seconds, f"{100 * one['waiting']:.2f} %"])
    ratios = f"plain / oddframe: {found['ratio']:.2f}; compiled / oddframe: {found['compiled_ratio']:.2f}"
    return table(rows) + f"\n{ratios}, after {found['compiling_s']:.0f} s of compiling.\n"


def _length(found: Mapping[str, Any]) -> str:
    rows = [["frames", "ms a frame", "MB at most"]]
    for one in found["measured"]:
        rows.append([f"{one['frames']:,}", f"{1000 * one['seconds'] / one['frames']:.2f}", f"{one['peak_mb']:.0f}"])
    return table(rows)


def _workers(found: Mapping[str, Any]) -> str:
    rows = [["processes", "frames a second"]]
    rows += [["1", _with_quartiles(found["one"], 1)], [str(found["workers"]), _with_quartiles(found["all"], 1)]]
    return table(rows) + f"\n{found['ratio']:.2f} times as many.\n"


def _start(found: Mapping[str, Any]) -> str:
    rows = [["", "seconds", "wanted"]]
    for name, one in found.items():
        seconds = f"{one['median_s']:.3f} ({one['least_s']:.3f}-{one['most_s']:.3f})"
        rows.append([name, seconds, "" if one["wanted_s"] is None else f"under {one['wanted_s']:g}"])
    return table(rows) + "\nIn brackets the least and the most.\n"


SECTIONS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "bench": (BENCH, _bench),
    "bench-192x288": (BENCH_SMALLER, _bench),
    "bench-paper": (PAPER_SIZE, _bench),
    "bench-live": (LIVE, _live),
    "live-curve": (CURVE, _curve),
    "peer_step": (PEER, _peer),
    "peer_step-paper": (PEER_PAPER, _peer),
    "int8_parity": (INT8, _int8),
    "train_step": (STEP, _step),
    "scoring_memory": (LENGTH, _length),
    "scoring_workers": (WORKERS, _workers),
    "start_up": (START, _start),
}
"""Name of the JSON file → words above the table, and what makes it."""


def _gflop(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _with_quartiles(one: Mapping[str, float], digits: int) -> str:
    return f"{one['median']:.{digits}f} ({one['lower']:.{digits}f}-{one['upper']:.{digits}f})"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


if __name__ == "__main__":
    main()
