"""Train and judge folds of UCSD Ped2: one JSON a fold, as `oddframe eval --json` prints it.

    python experiments/ped2_kfold.py ../shared/data/ped2 --folds 0 1 2

A killed run goes on where it was: training resumes, and a fold whose JSON is there is left alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from command_line import as_options, judge, oddframe

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Train and judge the folds that have no JSON yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of UCSD Ped2")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--detector", default="dream-unet")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="as of `oddframe train`")
    parser.add_argument("--name", help="of the variant in the files' names; the preset's or the detector's otherwise")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    name = given.name or (given.preset if given.detector == "dream-unet" else given.detector)
    if given.overrides and not given.name:
        parser.error("other settings than the preset's need a --name of their own")
    for fold in given.folds:
        result = RESULTS / f"ped2-kfold-{fold}-{name}.json"
        if result.exists():
            print(f"{result} is there: left alone")
            continue
        run = given.runs / f"ped2-kfold-{fold}-{name}"
        options = ["--preset", given.preset, "--detector", given.detector, "--protocol", "kfold", "--fold", str(fold)]
        oddframe("train", str(given.data), "--out", str(run), *options, *as_options(given.overrides))
        judge(run, result)
        print(f"wrote {result}")


if __name__ == "__main__":
    main()
