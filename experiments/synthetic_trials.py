"""Try settings on the synthetic sets: train on `demo` with each seed, judge its test videos and those of `slow`.

    python experiments/synthetic_trials.py --name no-crowd --set train.crowd=0

This is where settings are chosen: no real test label is looked at. One seed tells little, for two seeds of the same
settings lie two points of AUC apart on `demo` and more on `slow`. RBDC is that of the heat, by the sets' exact masks.
One JSON a seed and set; what is there is left alone.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import mean
from typing import Any

from command_line import as_options, judge, oddframe

RESULTS = Path(__file__).parent / "results" / "synthetic"


def main() -> None:
    """Make the sets, train and judge what has no JSON yet, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="of what is tried, in the files' names")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="as of `oddframe train`")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where data and run folders go")
    given = parser.parse_args()
    sets = {scale: given.runs / f"synthetic-{scale}" for scale in ("demo", "slow")}
    for scale, folder in sets.items():
        if not folder.exists():
            oddframe("data", "synth", str(folder), "--scale", scale)
    found: dict[str, list[dict[str, float]]] = {scale: [] for scale in sets}
    for seed in given.seeds:
        run = given.runs / f"synthetic-{given.name}-{seed}"
        options = ["--preset", given.preset, *as_options([f"train.seed={seed}", *given.overrides])]
        for scale, folder in sets.items():
            result = RESULTS / f"{given.name}-{seed}-{scale}.json"
            if not result.exists():
                oddframe("train", str(sets["demo"]), "--out", str(run), *options)
                judge(run, result, "--data", str(folder), "--places")
            found[scale].append(figures_of(json.loads(result.read_text("utf-8"))))
    for scale, figures in found.items():
        shared = [name for name in figures[0] if all(name in one for one in figures)]
        means = {name: f"{100 * mean(one[name] for one in figures):.1f}" for name in shared}
        print(f"{given.name} on {scale}, mean of {len(figures)} seeds: {means}")


def figures_of(result: dict[str, Any]) -> dict[str, float]:
    """AUC micro by score, the recall of `online` at its 99 % line, and RBDC where places were judged."""
    found = {name: result["auc"][name]["micro"] for name in ("online", "distance", "paper")}
    found["recall"] = result["threshold"]["online"]["recall"]
    if result["places"] is not None:
        found["rbdc"] = result["places"]["figures"]["online"]["rbdc"]
    return found


if __name__ == "__main__":
    main()
