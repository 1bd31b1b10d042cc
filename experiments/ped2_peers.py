"""Train and judge peers on all of UCSD Ped2 without known anomalies: one JSON each, as of `oddframe eval --json`.

    python experiments/ped2_peers.py ../shared/data/ped2 unmasking tsc srnn
    python experiments/ped2_peers.py ../shared/data/ped2 srnn --set model.learn_lambdas=true --name srnn-learned

A killed run goes on where it was: training resumes, and what has a JSON is left alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from command_line import as_options, judge, oddframe

RESULTS = Path(__file__).parent / "results" / "peers"


def main() -> None:
    """Train and judge the detectors that have no JSON yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of UCSD Ped2")
    parser.add_argument("detectors", nargs="+")
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="as of `oddframe train`")
    parser.add_argument("--name", help="of the variant in the file's name; the detector's otherwise")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    if given.name and len(given.detectors) > 1:
        parser.error("a name is for one detector")
    RESULTS.mkdir(parents=True, exist_ok=True)
    for detector in given.detectors:
        name = given.name or detector
        result = RESULTS / f"ped2-{name}.json"
        if result.exists():
            print(f"{result} is there: left alone")
            continue
        run = given.runs / f"ped2-{name}"
        options = ["--preset", given.preset, "--detector", detector, "--protocol", "standard"]
        oddframe("train", str(given.data), "--out", str(run), *options, *as_options(given.overrides))
        judge(run, result)
        print(f"wrote {result}")


if __name__ == "__main__":
    main()
