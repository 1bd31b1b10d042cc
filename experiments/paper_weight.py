"""How much PSNR should weigh in Eq. 12: judge synthetic trainings with several weights.

    python experiments/synthetic_trials.py --name no-beside --seeds 1 2 3 --set model.compactness_beside=false
    python experiments/paper_weight.py runs/synthetic-no-beside-1 runs/synthetic-no-beside-2 runs/synthetic-no-beside-3

The weight is a matter of judging alone, so nothing is trained. Goes into `results/paper-weight.json`: set → weight →
AUC micro of `paper`, one figure a run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from oddframe.evaluation import metrics
from oddframe.evaluation.evaluate import evaluate
from oddframe.evaluation.metrics import Video
from oddframe.scoring.fusion import paper_fusion

RESULT = Path(__file__).parent / "results" / "paper-weight.json"
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def main() -> None:
    """Judge each run on each set and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path, nargs="+", help="run folders of `synthetic_trials.py`")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where that script put its sets")
    given = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    for name in ("demo", "slow"):
        folder = given.runs / f"synthetic-{name}"
        of_runs = [auc_by_weight(run, folder) for run in given.trained]
        found[name] = {str(weight): [one[weight] for one in of_runs] for weight in WEIGHTS}
        print(name, {weight: f"{100 * np.mean(figures):.1f}" for weight, figures in found[name].items()})
    RESULT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def auc_by_weight(run: Path, data: Path) -> dict[float, float]:
    """Weight of PSNR → AUC micro of Eq. 12."""
    scored = evaluate(run, data).scored
    found = {}
    for weight in WEIGHTS:
        videos = []
        for video in scored:
            fused = paper_fusion(video.scores.psnr, video.scores.distance, weight)
            if fused is not None:
                videos.append(Video(video.labels, fused))
        auc = metrics.auc(metrics.pooled(videos))
        assert auc is not None
        found[weight] = auc
    return found


if __name__ == "__main__":
    main()
