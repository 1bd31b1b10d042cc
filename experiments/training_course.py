"""Judge the weights that a run has kept of its epochs: does detection still rise, or has it begun to fall?

    oddframe train DATA --out runs/ped2 --set train.keep_every=1
    python experiments/training_course.py runs/ped2 --json experiments/results/ped2-course.json

Each epoch's weights are calibrated on the held-out video and judged on the test video, as a finished run is. This
looks at test labels: it shows the course of a training, and is not for choosing the epoch at which it should end.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import oddframe as odd
from oddframe.bars import watching
from oddframe.data.open import Data, opened
from oddframe.evaluation.result import percent
from oddframe.evaluation.testset import trained_source
from oddframe.progress import Watcher
from oddframe.records import write_record


def main() -> None:
    """Judge every epoch that was kept, and write or print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, help="where the data are, if no longer where they were at training")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    given = parser.parse_args()
    run = odd.Run.open(given.run)
    kept = sorted(run.folder.glob("weights-epoch-*.safetensors"))
    if not kept:
        parser.error(f"{run.folder} has kept no epochs: train with --set train.keep_every=1")
    data = given.data or trained_source(run)
    course = []
    with watching() as watch:
        for weights in kept:
            epoch = int(weights.stem.rpartition("-")[2])
            course.append({"epoch": epoch} | judge(run, weights, data, watch))
            print(epoch, {name: percent(auc["micro"]) for name, auc in course[-1]["auc"].items()}, flush=True)
    if given.json is not None:
        figures = {"command": run.info.command, "settings": run.settings.to_dict(), "course": course}
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def judge(run: odd.Run, weights: Path, data: Data, watch: Watcher) -> dict[str, object]:
    """Figures of a run with other weights. A folder with weights and without calibration is calibrated only."""
    videos = opened(data)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "run"
        folder.mkdir()
        shutil.copy(weights, folder / "weights.safetensors")
        begun = run.info.changed(state="training", weights=None, evidence=None, data=videos.described(folder))
        write_record(folder / "run.json", begun)
        again = odd.train(videos, out=folder, settings=run.settings, watch=watch)
        result = odd.evaluate(again, videos, watch=watch)
    figures = result.to_dict()
    return {name: figures[name] for name in ("auc", "threshold", "events")}


if __name__ == "__main__":
    main()
