"""What each component of a judged run would find alone: alarms at lines chosen on the test itself, of one pass.

    python experiments/day_parts.py runs/day-judge-cpu-2020 --name judge-cpu-2020

The run has been judged (`day_alarms.py`). Its stored rarities of each component become `online` in turn, smoothed as
the run's own; nothing is scored again. A line drawn on the test promises nothing: it compares.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from day_alarms import RESULTS
from oddframe.evaluation.judge import judge
from oddframe.evaluation.result import Result
from oddframe.evaluation.stored import JudgedVideo
from oddframe.runs import Run
from oddframe.scoring.fusion import CausalScore
from ways import figures


def main() -> None:
    """Judge each component alone, and leave one JSON: component → event figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True, help="of the JSON, which is called parts-NAME.json")
    given = parser.parse_args()
    run, result = Run.open(given.run), Result.load(given.run)
    names = sorted(set.intersection(*(set(video.scores.calibrated) for video in result.scored)))
    ways = {"+".join(run.settings.score.online): list(run.settings.score.online)} | {name: [name] for name in names}
    found = {}
    for way, some in ways.items():
        judged = judge(alone(result.scored, some, run.settings.score.smoothing), rule=result.rule)
        found[way] = figures(judged)
        print(way, f"AUC {100 * found[way]['auc']:.1f}", {at: one["recall"] for at, one in found[way]["at"].items()})
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"parts-{given.name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def alone(videos: Sequence[JudgedVideo], names: Sequence[str], frames: int) -> list[JudgedVideo]:
    """The same videos with `online` of these components alone, each with the same weight; no alarm is raised yet."""
    made = []
    for video in videos:
        sums = CausalScore(dict.fromkeys(names, 1.0), frames)
        values = sums.of_all({name: np.asarray(video.scores.calibrated[name], np.float64) for name in names})
        scores = replace(video.scores, online=values.astype(np.float32), learned=values.astype(np.float32), events=())
        made.append(replace(video, scores=scores))
    return made


if __name__ == "__main__":
    main()
