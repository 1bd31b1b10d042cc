"""The lab page about which components `online` is made of."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import mean
from typing import Any

from pages import table

HEAD = """# What alarms are made of

`online` adds the rarities of some components. Which of them? Each training below was judged once, with all of its
evidence, and alarms were made of it in several ways; so rows differ in nothing else. Nothing odd was known to it that
its set does not bring along. Each cell has one figure a seed.

    oddframe data synth SYNTHETIC
    python experiments/evidence.py SYNTHETIC --name demo --preset tiny --seeds 2020 2 3
"""

FOUND = """On drawn video, `direction` in place of the distance of the whole picture finds more stretches with two seeds
and fewer with the third, and ranks frames a little worse: nothing to decide by. `flow`, which compares speeds in pixels
over the whole picture, costs points there: these cameras stand low, and who walks by near them is faster, in pixels,
than a cyclist further off. On UCSD Ped2, whose camera looks down from afar, `flow` alone ranks well ([the
floor](floor.md)). The two kinds of video disagree, and presets stay as they are until more video has been asked.
"""


def sections(results: Path) -> list[str]:
    """Words and a table for each set, from `evidence/`."""
    sets: dict[str, dict[int, Any]] = {}
    for path in sorted((results / "evidence").glob("*.json")):
        name, _, seed = path.stem.rpartition("-")
        sets.setdefault(name, {})[int(seed)] = json.loads(path.read_text("utf-8"))
    return [HEAD, *(part for name, seeds in sets.items() for part in _set(name, dict(sorted(seeds.items())))), FOUND]


def _set(name: str, seeds: dict[int, Any]) -> list[str]:
    one = next(iter(seeds.values()))
    hours = next(iter(one["ways"].values()))["normal_hours"]
    about = (
        f"`{name}`: preset `{one['preset']}`, seeds {', '.join(map(str, seeds))}; {len(one['videos'])} test videos "
        f"with {_duration(hours)} of normal video.\n"
    )
    rows = [["`online` made of", "AUC of frames", "mean", "anomalies found", "mean", "false alarms"]]
    for way in one["ways"]:
        of_seeds = [seed["ways"][way] for seed in seeds.values()]
        own = [found["at"]["own"] for found in of_seeds]
        rows.append(
            [
                " + ".join(f"`{part}`" for part in way.split(" + ")),
                " / ".join(f"{100 * found['auc']:.1f}" for found in of_seeds),
                f"{100 * mean(found['auc'] for found in of_seeds):.1f}",
                f"{' / '.join(str(at['found']) for at in own)} of {own[0]['labelled']}",
                f"{mean(at['found'] for at in own):.1f}",
                " / ".join(str(at["false"]) for at in own),
            ]
        )
    return [about, table(rows)]


def _duration(hours: float) -> str:
    return f"{3600 * hours:.0f} s" if hours < 1 / 12 else f"{hours:.1f} hours"
