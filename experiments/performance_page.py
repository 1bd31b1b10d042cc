"""Make `docs/performance.md` and the lab pages about speed and damage from the JSON files in `benchmarks/results/`.

python experiments/performance_page.py            write the pages
python experiments/performance_page.py --check    only say whether they are fresh (exit code 1 if not)

A section whose file is not there is left out. NAME-units.json and NAME-vectors.json beside NAME.json are the same
command on a processor that multiplies tiles of bf16 and int8, and on one that does so in its vector instructions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import load_tables
import performance_tables as tables
from pages import table, write_or_check
from performance_tables import machine, with_quartiles

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"

MADE = """Medians, with quartiles in brackets. What is compared took turns in one run, so that a busy moment hit all
sides. The limit is what a matrix product reaches on the same machine in the same run; shares are of that.
"""

HEAD = f"""# Performance

Eight questions, a table each. `python experiments/performance_page.py` makes every figure from the JSON files in
`benchmarks/results/`; the [lab](lab/README.md) has the rest, on more kinds of processor. What your own machine does:
[measure it](how-to/measure-speed.md).

{MADE}
"""

SCORED = """## How fast is a video scored?

    oddframe bench --json > benchmarks/results/bench.json

The network of preset `cpu` (240x360), from a video file of 640x360 to scores, by the better of two batch sizes.
The optical flow that the preset has beside its network takes a core's time as well ([how much](lab/floor.md)); here it
is left out.
"""

CAMERAS = """## What does a smaller network gain, and lose?

    python experiments/live_curve.py PED2 --fold 0 --speed

Presets `live` (128x192) and `cpu` (240x360), as runs and as artefacts, and frame differences: from a file of 360x240 to
scores, beside what they are worth on fold 0 of UCSD Ped2 (AUC of `online`), all of it without optical flow.
"""

PUBLISHED = """## What is gained over the published way?

    python benchmarks/peer_step.py --size 192x288 --profile --json benchmarks/results/peer_step.json

"Plain" is MNAD as its published code trains and scores it.
"""

LONG = """## Does a long video need more memory?

    python benchmarks/scoring_memory.py --json benchmarks/results/scoring_memory.json
"""

WORKERS = """## What do two workers gain over one?

    python benchmarks/scoring_workers.py --json benchmarks/results/scoring_workers.json

Each process has a core of its own and decodes for itself.
"""

START = """## How long until something is seen?

    python benchmarks/start_up.py --json benchmarks/results/start_up.json
"""

TEACH = """## How soon does a camera know what a review says?

    python benchmarks/teach_now.py --json benchmarks/results/teach_now.json

A fitting on 24 hours of normal video at 10 frames a second, and two minutes of remembered events in each of
these hours. A preview comes first, and reads what is stored; then the same review is carried out, another one is tried,
and the first one is forgotten. Seconds of the processor; the machine was busy with other work.
"""

LOOK = """## A console with a wall of cameras

    python benchmarks/look_at_the_console.py --seconds 30 --loads 7 --json benchmarks/results/look_at_the_console.json

A console with thirty cameras, whose pictures are made as they are asked for, and a browser on the same machine. An
answer is from the question for a page to its last byte; a review is from the key until the clip of the next event can
be seen. Shares are of one core, for the console's process. The machine was busy with other work, which is in all times.
"""

ATTACK = """## A console that is attacked

    python benchmarks/attack_the_console.py --seconds 60 --json benchmarks/results/attack_the_console.json

A site whose two cameras are drawn files of 12.5 frames a second, a minute in peace and a minute under attack by eight
attackers of each kind, which run on the same machine with the lowest priority. Meanwhile somebody who is logged in asks
for the list of events twice a second. The machine was busy with other work, which is in all times. Numbers are codes of
HTTP: 401 is "log in first", 413 "too large", 429 "too many of them", 404 "there is no such thing".
"""

READ = """## What does exact reading cost?

    python benchmarks/reading.py --json benchmarks/results/reading.json

Seconds of the processor from a file to all its pictures: by PyAV alone, which trusts the file, and by oddframe, which
numbers frames exactly, looks for damage, and ends a decoder that hangs. Opening and counting are parts of the whole.
"""

SPEED = f"""# Scoring and training, on more kinds of processor

{MADE}"""

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

LIVE = """## The preset `live`

    oddframe bench --preset live --measure-on FILE --json > benchmarks/results/bench-live.json

From a file of 360x240 to scores and events, with all components.
"""

CURVE = """## Detection against speed

    python experiments/live_curve.py PED2 --fold 0
    python experiments/live_curve.py PED2 --fold 0 --speed

The network of the preset `cpu`, 240x360, and smaller ones, trained once each on fold 0 of UCSD Ped2 and exported;
`live` is 128x192. Frames a second are from a file of 360x240 to scores, by the better of two batch sizes. AUC is micro,
of `online`, in per cent, with its 95 % interval. `framediff` has no network.

![AUC of `online` against frames a second](../images/live-curve.png)
"""

WAY = f"""# Beside the published way

{MADE}"""

PEER = """## At 192x288

    python benchmarks/peer_step.py --size 192x288 --profile --json benchmarks/results/peer_step.json

"Plain" is MNAD as its published code trains and scores it: five image files read for every clip, contiguous fp32, the
memory updated item by item. "mnad" is the same network here. Convolutions take most of its training, so that there is
little to gain in the same precision. Its scoring gains by what need not be kept for a gradient, and by eight bits. The
detector of the preset, at the same size and width, gains by what it leaves out: it has no decoder, takes squares of 2x2
grey pixels at once, and a step learns from known and pseudo-anomalies as well.

Where the processor multiplies tiles of bf16, convolutions are so fast that a step of this size waits for memory. The
convolution that sees the pictures is not rounded to eight bits; where there are no units or units for tiles, eight bits
were measured when it still was.
"""

PEER_PAPER = """## In the paper's size

    python benchmarks/peer_step.py --size 256x256 --width 64 --steps 2 --repeats 3 --scored 8 --profile \\
        --json benchmarks/results/peer_step-paper.json

Without units for bf16 or eight bits the plain loop itself comes near the limit of fp32: no runtime could be much
faster. There, training `mnad` can be slower than plain: the backward pass of convolutions that have channels last takes
longer than that of contiguous ones.
"""

INT8 = """## What eight bits cost in detection

    oddframe train PED2 --set model.size=[192,288] --protocol kfold --fold 0 --out runs/ped2-kfold-0-192x288
    oddframe export runs/ped2-kfold-0-192x288 --out runs/ped2-int8 --precision int8 --data PED2
    cp runs/ped2-int8/parity.json benchmarks/results/int8_parity.json

The preset `cpu` at 192x288, fold 0 of UCSD Ped2: AUC micro of `online` on its ten test videos, and frames of two videos
that are in an alarm, by the run and by its artefact in int8, which has a calibration of its own.
"""

STEP = """## The same detector, trained plainly

    python benchmarks/train_step.py --json benchmarks/results/train_step.json

The preset's own detector: by this package, by this package with its parts compiled (`train.compile`), and in contiguous
fp32 with five image files read for every clip. Compiling does not pay on a processor ([decision
14](../decisions/0014-steps-are-compiled-on-request.md)).
"""

DAMAGED = """# Damaged files and killed trainings

    python benchmarks/fuzz.py TARGET --cases N --out benchmarks/results/fuzz-TARGET.json

Small sound files are made and damaged on purpose: flipped bits, zeroed or cut parts, parts of other files, numbers out
of range. Case n of a seed is always the same file. Each is read in a process of its own, as a user would read it, with
60 seconds to do so.
"""

KILLED = """## Killed trainings

    python benchmarks/kill_and_resume.py --json benchmarks/results/kill_and_resume.json

`oddframe train` is killed again and again, at random moments and while a checkpoint is written, and started again each
time by the same command.
"""

MUTANTS = """## Faults put into the code

    python benchmarks/mutants.py

One comparison, sum, number or returned value is changed at a time, in a copy of the tree, and the tests named are run.
Of the places of a file that can be changed so, some are drawn and tried. `benchmarks/results/mutants.json` lists what
these tests did not notice, and says of what has no effect why: nobody could notice it. The rest changes words or times
that are shown, or is where a test is missing.
"""

ELSEWHERE = {
    "-units": "The same on a processor with units that multiply tiles of bf16 and of eight bits (AMX):\n",
    "-vectors": "The same on a processor whose units for bf16 and eight bits are vector instructions (AVX-512):\n",
}
"""What is appended to a file's name → the line above its table."""

Sections = dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]]
"""Name of the JSON file → words above the table, and what makes it."""

LAB: dict[str, tuple[str, Sections]] = {
    "speed": (
        SPEED,
        {
            "bench": (BENCH, tables.bench_table),
            "bench-192x288": (BENCH_SMALLER, tables.bench_table),
            "bench-paper": (PAPER_SIZE, tables.bench_table),
            "bench-live": (LIVE, tables.live_table),
            "live-curve": (CURVE, tables.curve_table),
            "reading": (READ, tables.reading_table),
        },
    ),
    "published-way": (
        WAY,
        {
            "peer_step": (PEER, tables.peer_table),
            "peer_step-paper": (PEER_PAPER, tables.peer_table),
            "int8_parity": (INT8, tables.int8_table),
            "train_step": (STEP, tables.step_table),
        },
    ),
}


def main() -> None:
    """Write the pages, or check them."""
    write_or_check(__doc__, make_pages(RESULTS))


def make_pages(results: Path) -> dict[str, str]:
    """The pages below docs/: name → text."""
    short: Sections = {
        "bench": (SCORED, _scored),
        "live-curve": (CAMERAS, _cameras),
    }
    rest: Sections = {
        "peer_step": (PUBLISHED, _published),
        "scoring_memory": (LONG, tables.length_table),
        "scoring_workers": (WORKERS, tables.workers_table),
        "start_up": (START, tables.start_table),
        "teach_now": (TEACH, tables.teaching_table),
    }
    pages = {
        "performance.md": "\n".join(
            [
                HEAD,
                *_sections(results, short, {}),
                *load_tables.short_section(results),
                *_sections(results, rest, {}),
            ]
        ),
        "lab/damaged-files.md": "\n".join([DAMAGED, *_damaged(results), KILLED, _killed(results), *_mutants(results)]),
    }
    if load := load_tables.long_page(results):
        consoles: Sections = {
            "look_at_the_console": (LOOK, tables.console_table),
            "attack_the_console": (ATTACK, tables.attack_table),
        }
        console = _sections(results, consoles, {})
        pages["lab/load.md"] = "\n".join([load, *console])
    return pages | {
        f"lab/{name}.md": "\n".join([head, *_sections(results, sections, ELSEWHERE)])
        for name, (head, sections) in LAB.items()
    }


def _sections(results: Path, sections: Sections, elsewhere: Mapping[str, str]) -> list[str]:
    parts = []
    for name, (words, made) in sections.items():
        for added, above in {"": words, **elsewhere}.items():
            path = results / f"{name}{added}.json"
            if path.is_file():
                found = json.loads(path.read_text("utf-8"))
                parts += [above, made(found) + machine(found)]
    return parts


def _damaged(results: Path) -> list[str]:
    found = [json.loads(path.read_text("utf-8")) for path in sorted(results.glob("fuzz-*.json"))]
    return [tables.damaged_words(found) + "\n", tables.damaged_table(found)]


def _killed(results: Path) -> str:
    return tables.killed_words(json.loads((results / "kill_and_resume.json").read_text("utf-8")))


def _mutants(results: Path) -> list[str]:
    path = results / "mutants.json"
    return ["", MUTANTS, tables.mutants_table(json.loads(path.read_text("utf-8")))] if path.is_file() else []


def _scored(found: Mapping[str, Any]) -> str:
    best: dict[str, Mapping[str, Any]] = {}
    for one in found["scoring"]:
        if one["backend"] not in best or one["scored"]["median"] > best[one["backend"]]["scored"]["median"]:
            best[one["backend"]] = one
    rows = [["backend", "frames a second", "MB"]]
    rows += [
        [name, with_quartiles(one["scored"], 1), f"{one['peak_memory_mb']:.0f}"]
        for name, one in sorted(best.items(), key=lambda pair: -pair[1]["scored"]["median"])
    ]
    return table(rows)


def _cameras(found: Mapping[str, Any]) -> str:
    presets = ("live-128x192", "live-240x360", "live-framediff")
    return tables.curve_table({"scoring": [one for one in found["scoring"] if one["of"].startswith(presets)]})


def _published(found: Mapping[str, Any]) -> str:
    rows = [["", "times plain"]]
    rows += [[f"training {name}, by the clip", f"{ratio:.2f}"] for name, ratio in found["ratio"]["training"].items()]
    rows += [[f"scoring with {name}", f"{ratio:.2f}"] for name, ratio in found["ratio"]["scoring"].items()]
    return table(rows)


if __name__ == "__main__":
    main()
