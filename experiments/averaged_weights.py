"""Judge the mean of the weights of a training's last epochs beside the weights that it ended with.

    oddframe train DATA --out runs/ped2 --set train.keep_every=1
    python experiments/averaged_weights.py runs/ped2 --last 3 --json experiments/results/averaged/ped2.json

The mean of weights along a training often lies in a wider valley than its end (stochastic weight averaging). Means and
variances of batch norm are averaged with the weights, and memory items are brought back to length one. Like
`training_course.py` this looks at test labels: it says whether averaging would help, and chooses nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

import oddframe as odd
from oddframe.bars import watching
from oddframe.evaluation.result import percent
from oddframe.evaluation.testset import trained_source
from training_course import judge


def main() -> None:
    """Judge the last epoch, and each mean that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--last", type=int, nargs="+", default=[2, 3], help="over how many of the last epochs")
    parser.add_argument("--data", type=Path, help="where the data are, if no longer where they were at training")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args()
    run = odd.Run.open(given.run)
    kept = sorted(run.folder.glob("weights-epoch-*.safetensors"))
    if len(kept) < max(given.last):
        parser.error(f"{run.folder} has kept {len(kept)} epochs: train with --set train.keep_every=1")
    data = given.data or trained_source(run)
    found = []
    with watching() as watch, tempfile.TemporaryDirectory() as home:
        for count in [1, *given.last]:
            weights = Path(home) / f"last-{count}.safetensors"
            save_file(mean([load_file(one) for one in kept[-count:]]), weights)
            found.append({"epochs": count} | judge(run, weights, data, watch))
            print(count, {name: percent(auc["micro"]) for name, auc in found[-1]["auc"].items()}, flush=True)
    if given.json is not None:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        figures = {"command": run.info.command, "settings": run.settings.to_dict(), "averaged": found}
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def mean(states: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The mean of several states of one detector. Counters are the last one's; memory items have length one."""
    averaged = {}
    for name, last in states[-1].items():
        if not np.issubdtype(last.dtype, np.floating):
            averaged[name] = last
            continue
        value = np.mean([state[name].astype(np.float64) for state in states], axis=0)
        if name.endswith("memory.items"):
            value /= np.linalg.norm(value, axis=1, keepdims=True)
        averaged[name] = value.astype(last.dtype)
    return averaged


if __name__ == "__main__":
    main()
