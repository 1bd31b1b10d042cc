"""Which components `online` should be made of: several choices of the same trainings, judged in one pass.

    python experiments/evidence.py DATA --name demo --preset tiny --seeds 2020 2 3
    python experiments/evidence.py PED2 --name ped2-inner --seeds 2020 2 --only 01 02
    python experiments/evidence.py PED2 --name ped2-fold-0 --fold 0 --fusions sum oddest
    python experiments/evidence.py DAY --name day-gate --scenes gate --videos 12 --fusions sum oddest --made-of \
        distance,local_distance distance,local_distance,direction direction --set data.known=leave-out ...

One training for each seed. Its evidence has all components; what differs is which of them are joined and how, and so
the line.
Runs that have finished are taken as they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import oddframe as odd
from oddframe.bars import watching
from ways import figures, judged_ways, part_of

RESULTS = Path(__file__).parent / "results" / "evidence"
MADE_OF = (
    "distance,local_distance",
    "local_distance",
    "distance,local_distance,direction",
    "distance,local_distance,flow",
    "local_distance,flow",
    "local_distance,direction",
    "local_distance,flow,direction",
    "distance,local_distance,flow,direction",
    "flow",
    "direction",
)
ALL = "score.online=[distance,local_distance,flow,direction]"


def main() -> None:
    """Train, judge, and leave one JSON a seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--name", required=True, help="of what is judged, in the files' names")
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--seeds", type=int, nargs="+", default=[2020])
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="as of `oddframe train`")
    parser.add_argument("--videos", type=int, help="test videos of each scene; all of them if not given")
    parser.add_argument("--only", nargs="+", help="names of the test videos that are judged")
    parser.add_argument(
        "--fold", type=int, help="of the known anomalies, by the protocol kfold; none known if not given"
    )
    parser.add_argument("--scenes", nargs="+", help="these alone")
    parser.add_argument("--made-of", nargs="+", default=MADE_OF, help="what `online` is made of, in turn")
    parser.add_argument("--fusions", nargs="+", default=["sum"], help="how components are joined: sum, oddest")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    videos = part_of(odd.open_videoset(given.data), given.scenes, None)
    chosen = [one for one in part_of(videos, None, given.videos).test if given.only is None or one.name in given.only]
    RESULTS.mkdir(parents=True, exist_ok=True)
    for seed in given.seeds:
        name = f"{given.name}-{seed}"
        with watching() as watch:
            run = odd.train(
                videos,
                out=given.runs / f"evidence-{name}",
                preset=given.preset,
                overrides=[*given.overrides, ALL],
                seed=seed,
                protocol=None if given.fold is None else "kfold",
                fold=given.fold,
                watch=watch,
            )
        # the known anomalies of a fold are none of its test videos
        test = [one for one in chosen if one.name in run.info.split.test]
        found = {
            way: figures(result) for way, result in judged_ways(run, test, ways(given.made_of, given.fusions)).items()
        }
        about = {
            "data": videos.name,
            "preset": given.preset,
            "set": given.overrides,
            "seed": seed,
            "precision": run.info.precision,
            "seconds_training": run.info.seconds_training,
            "videos": [one.name for one in test],
            "ways": found,
        }
        (RESULTS / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
        for way, one in found.items():
            own = one["at"]["own"]
            print(f"{way}: AUC {100 * one['auc']:.1f}, {own['found']} of {own['labelled']}, {own['false']} false")


def ways(made_of: Sequence[str], fusions: Sequence[str]) -> dict[str, list[str]]:
    """What `online` is made of, and how it is joined → the settings that make it so."""
    found = {}
    for fusion in fusions:
        for names in made_of:
            way = names.replace(",", " + ") if fusion == "sum" else f"{fusion} of {names.replace(',', ', ')}"
            if fusion == "sum" or "," in names:
                found[way] = [f"score.online=[{names}]", f"score.fusion={fusion}"]
    return found


if __name__ == "__main__":
    main()
