"""Make `docs/results.md` and the lab pages about detection from the JSON files in `results/`.

python experiments/results_page.py            write the pages
python experiments/results_page.py --check    only say whether they are fresh (exit code 1 if not)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import averaged_page
import evidence_page
import flow_page
import lab_words as words
import odd_page
import peers_page
import results_tables as tables
import teaching_page
from oddframe.video.flow import WINDOW
from pages import table, with_interval, write_or_check

HERE = Path(__file__).parent

HEAD = """# Results

A table for each question. `python experiments/results_page.py` makes every figure from the JSON files in
`experiments/results/`; the [lab pages](lab/README.md) name the command behind each file, all variants, and how the
settings were chosen. AUC is frame level, in per cent, with the 95 % interval from resampling whole test videos in
brackets. Ped2 is small: one second of normal test video is a large share of it, and seeds differ by a point or two.
"""

RANKED = """## Are odd frames ranked above normal ones?

UCSD Ped2 with a few known anomalies: folds 0, 1 and 2 of 10, preset `cpu`, the preset's own seed. `online` is what
alarms are made of; `paper` is the paper's Eq. 12, which needs the whole video first. The first rows have no network at
all: what a detector does not add to them, its network does not add.
"""

ALARMED = """## Are the alarms right?

The same folds, at the default alarm line. "Above the line" is the share of normal test frames above the 99 % line of
held-out normal video; the line promises one in a hundred.
"""

NONE_KNOWN = """## And without any known anomaly?

UCSD Ped2, normal video alone, all twelve test videos, three seeds, beside what needs no training.
"""

PEERS = """## And other systems?

Those of the paper's Table II that judge by features, patches, flow or objects, on the same videos of Ped2 with normal
video alone. Floors are of the frames that each system scores. [The lab](lab/peers.md) says what differs from the
publications, and [what each believes](explanation/peers.md) is told with pictures.
"""

KINDS = """## What about kinds that nobody has shown it?

Synthetic video (`oddframe data synth`): three kinds of anomaly are known, four are met in the test alone. Share of
their frames above the 99 % line.
"""

PLACED = """## Is it the right place in the picture?

Fold 2 of UCSD Ped2, by the official masks: region-based and track-based detection criterion, and AUC over pixels.
"""

TAUGHT = """## What do reviews change at once?

The events of one test video are reviewed, without any training; all other videos of the same camera are judged before
and after: labelled stretches found, false events, AUC. [The lab](lab/teaching.md) says what is weak about it.
"""

COST = """## What does it cost?

One training on two cores, beside other work: alone it takes fewer minutes. How fast it scores afterwards:
[performance](performance.md).
"""

FLOORS = {"framediff": "frame differences", "flow": "optical flow"}
"""Detectors without a network: what each looks at."""


def main() -> None:
    """Write the pages, or check them."""
    write_or_check(__doc__, make_pages(HERE / "results"))


def make_pages(results: Path) -> dict[str, str]:
    """The pages below docs/: name → text."""
    cells = _read(results)
    places, synthetic, courses, variants = (
        _read(results / name) for name in ("places", "synthetic", "course", "ablation")
    )
    weights, windows = cells.pop("paper-weight"), _read(results / "flow-window")
    lab = {
        "ped2": _ped2(cells, places),
        "none-known": [
            words.NONE_KNOWN,
            words.CONVENTIONS,
            words.PAPER_GAMMA,
            tables.none_known_table(cells),
            words.NONE_KNOWN_HELD_BACK,
        ],
        "floor": [
            words.FLOOR,
            tables.floors_table(cells, FLOORS),
            words.WINDOWS,
            tables.windows_table(windows),
            words.WINDOWS_FOUND.format(side=WINDOW, found=tables.windows_found(windows)),
            *flow_page.sections(results),
        ],
        "evidence": evidence_page.sections(results),
        "odd-in-normal": odd_page.sections(results),
        "peers": peers_page.sections(results),
        "teaching": teaching_page.sections(results),
        "synthetic": [
            words.SYNTHETIC,
            tables.synthetic_table(synthetic),
            words.PAPER_WEIGHT,
            tables.paper_weights_table(weights),
        ],
        "course": [
            words.COURSE,
            words.PAPER_GAMMA,
            tables.courses_table(courses),
            words.COURSE_PICTURE,
            *averaged_page.sections(results),
        ],
        "settings": [
            words.EQUAL_TIME,
            tables.equal_time_table(variants),
            words.EQUAL_TIME_FOUND,
            words.ABLATION,
            tables.ablations_table(cells),
            words.UNTRIED,
            tables.untried_table(results),
            words.UNTRIED_STAY,
        ],
        "paper-tables": _paper(results),
    }
    pages = {f"lab/{name}.md": "\n".join(parts) for name, parts in lab.items()}
    return {"results.md": _short(cells, places, synthetic, results)} | pages


def _read(folder: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def _ped2(cells: dict[str, Any], places: dict[str, Any]) -> list[str]:
    ours = tables.folds_of(cells, "cpu")
    floors = {name: tables.folds_of(cells, name) for name in FLOORS}
    trainings = [(what, found) for name, what in words.TRAININGS.items() if (found := tables.folds_of(cells, name))]
    return [
        words.PED2,
        words.CONVENTIONS,
        words.PAPER_GAMMA,
        tables.detection_table(ours, floors, "cpu"),
        words.SEEDS,
        tables.seeds_table(trainings),
        "## Lines, events, videos, costs\n",
        tables.lines_table(ours),
        tables.events_table(ours),
        tables.videos_table(ours),
        tables.costs_table(ours),
        words.PLACES,
        tables.places_table(places),
        words.HELD_BACK,
        words.CHOICES,
    ]


def _paper(results: Path) -> list[str]:
    papers, synthetic = results / "paper", tables.paper_cells(results / "paper-synthetic")
    return [
        words.PAPER,
        tables.paper_table("table3", papers),
        words.PAPER_FOUND,
        tables.compared_table(results / "paper" / "compare"),
        words.PAPER_WHY,
        tables.memories_table(results / "paper" / "cells"),
        words.TABLE2,
        tables.paper_table("table2", papers),
        words.PAPER_FOLLOWING,
        tables.following_table(results / "paper" / "mnad"),
        words.PAPER_SYNTHETIC,
        tables.kinds_table("table2", synthetic),
    ]


def _short(cells: dict[str, Any], places: dict[str, Any], synthetic: dict[str, Any], results: Path) -> str:
    ours = tables.folds_of(cells, "cpu")
    return "\n".join(
        [
            HEAD,
            RANKED,
            _ranked(cells, ours),
            ALARMED,
            _alarmed(ours),
            NONE_KNOWN,
            _none_known(cells),
            PEERS,
            peers_page.short_table(results),
            KINDS,
            _kinds(synthetic),
            PLACED,
            _placed(places),
            TAUGHT,
            teaching_page.videos_table(results),
            COST,
            tables.costs_table(ours),
        ]
    )


def _ranked(cells: dict[str, Any], ours: Mapping[int, Any]) -> str:
    rows = [["", *(f"fold {fold}" for fold in ours), "mean"]]
    means = {}
    for name, what in FLOORS.items():
        floor = tables.folds_of(cells, name)
        if set(ours) <= set(floor):
            means[what] = _row(rows, f"{what}, no network: `online`", [floor[fold] for fold in ours], "online")
    for score in ("online", "paper"):
        means[score] = _row(rows, f"preset `cpu`: `{score}`", list(ours.values()), score)
    best = max((what for what in means if what in FLOORS.values()), key=lambda what: means[what])
    said = f"By the mean of the folds, {_beside(means['online'], means[best], best)}"
    return f"{table(rows)}\n{said}\n\n{_joined_since()}\n"


def _joined_since() -> str:
    """How `online` was joined when these figures were taken, and how it is since."""
    ways = json.loads((HERE / "results" / "evidence" / "ped2-fold-0-2020.json").read_text("utf-8"))["ways"]
    names = "distance", "local_distance", "flow", "direction"
    added, oddest = ways[" + ".join(names)], ways[f"oddest of {', '.join(names)}"]
    own = [f"{one['at']['own']['found']} of {one['at']['own']['labelled']}" for one in (added, oddest)]
    return (
        "Preset `cpu` added its components when these figures, and those below without any known anomaly, were taken\n"
        "(`--set score.fusion=sum --set score.place_normal=spread`). Since then the highest of them counts. Of one\n"
        f"training of fold 0 the sum has {100 * added['auc']:.1f} and finds {own[0]}, the highest "
        f"{100 * oddest['auc']:.1f} and {own[1]} ([what alarms are made of](lab/evidence.md))."
    )


def _row(rows: list[list[str]], label: str, cells: list[Any], score: str) -> float:
    figures = [cell["auc"][score] for cell in cells]
    whole = mean(figure["micro"] for figure in figures)
    rows.append([label, *map(with_interval, figures), f"**{100 * whole:.1f}**"])
    return whole


def _alarmed(ours: Mapping[int, Any]) -> str:
    rows = [["fold", "anomalies found", "false alarms", "normal frames above the line", "abnormal frames above it"]]
    for fold, cell in ours.items():
        events, line = cell["events"], cell["threshold"]["online"]
        shares = (f"{100 * line[name]:.1f} %" for name in ("normal_above", "recall"))
        rows.append([str(fold), f"{events['found']} of {events['labelled']}", str(events["false"]), *shares])
    seconds = mean(cell["events"]["normal_frames"] for cell in ours.values()) / words.FPS
    said = f"A fold has {seconds:.0f} seconds of normal test video on the mean: too little to know a rate by the hour."
    return f"{table(rows)}\n{said}\n"


def _none_known(cells: dict[str, Any]) -> str:
    rows = [["", "`online`", "anomalies found", "normal frames above the line", "abnormal frames above it"]]
    trained = {
        f"preset `cpu`, seed {cell['settings']['train']['seed']}": cell
        for name, cell in cells.items()
        if name.startswith("ped2-standard-cpu")
    }
    floors = {
        f"{what}, no network": cells[f"ped2-standard-{name}"]
        for name, what in FLOORS.items()
        if f"ped2-standard-{name}" in cells
    }
    for name, cell in (floors | trained).items():
        events, line = cell["events"], cell["threshold"]["online"]
        shares = (f"{100 * line[what]:.1f} %" for what in ("normal_above", "recall"))
        found = f"{events['found']} of {events['labelled']}"
        rows.append([name, with_interval(cell["auc"]["online"]), found, *shares])
    whole = mean(cell["auc"]["online"]["micro"] for cell in trained.values())
    said = f"The mean of the seeds is {100 * whole:.1f}."
    if floors:
        name, best = max(floors.items(), key=lambda one: one[1]["auc"]["online"]["micro"])
        what = name.partition(",")[0]
        gain = 100 * (whole - best["auc"]["online"]["micro"])
        ranks = f"ranks frames {gain:.1f} points better than" if gain > 0 else f"ranks frames {-gain:.1f} points below"
        found = mean(cell["threshold"]["online"]["recall"] for cell in trained.values())
        said += (
            f" The preset {ranks} {what} alone, and has {100 * found:.0f} % of the abnormal frames above its line "
            f"where that has {100 * best['threshold']['online']['recall']:.0f} %."
        )
    return f"{table(rows)}\n{said}\n"


def _beside(ours: float, floor: float, what: str) -> str:
    """What the network is worth beside the better floor, in a sentence without its first capital."""
    gain = 100 * (ours - floor)
    if gain > 0:
        return f"the network adds {gain:.1f} points of `online` to {what}."
    return f"the network is {-gain:.1f} points of `online` below {what}: it adds nothing to what needs no network."


def _kinds(synthetic: dict[str, Any]) -> str:
    rows = [["trained", "known kinds", "other kinds", "normal frames above the line"]]
    for name, what in (("cpu-160x240", "preset `cpu`, two seeds"), ("preset", "preset `tiny`, three seeds")):
        found = [cell for seed in (1, 2, 3) if (cell := synthetic.get(f"{name}-{seed}-demo")) is not None]
        shares = [mean(cell["classes"][group]["recall"] for cell in found) for group in ("known", "unknown")]
        shares.append(mean(cell["threshold"]["online"]["normal_above"] for cell in found))
        rows.append([what, *(f"{100 * share:.1f} %" for share in shares)])
    return table(rows)


def _placed(places: dict[str, Any]) -> str:
    maps = {"online": "heat, as drawn", "motion": "frame differences"}
    rows = [["", "RBDC", "TBDC", "AUC over pixels"]]
    figures = tables.folds_of(places, "cpu")[2]["places"]["figures"]
    for name, what in maps.items():
        rows.append([what, *(f"{100 * figures[name][key]:.1f}" for key in ("rbdc", "tbdc", "pixel_auc"))])
    return table(rows)


if __name__ == "__main__":
    main()
