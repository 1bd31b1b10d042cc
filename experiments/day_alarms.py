"""Train and judge detectors on a day of drawn video, and count their alarms: one JSON each, of `oddframe eval --json`.

    oddframe data synth day/judge --scale day --which judge
    python experiments/day_alarms.py day/judge --ways flow cpu --seeds 2020

A killed run goes on where it was, and what has a JSON is left alone. `judge` is for telling how good a choice is: what
is found here changes no setting; `develop` is for that.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from command_line import as_options, judge, oddframe

RESULTS = Path(__file__).parent / "results" / "day"

NONE_KNOWN = "data.known=leave-out"
CPU = ["model.size=[160,240]", "train.epochs=2"]
"""The set's own size of picture. It has fourteen times the normal video of Ped2, so that two passes are many steps."""

WAYS = {
    "framediff": ("framediff", "cpu", [NONE_KNOWN]),
    "flow": ("flow", "cpu", [NONE_KNOWN]),
    "tiny": ("dream-unet", "tiny", [NONE_KNOWN, "train.epochs=2"]),
    "cpu": ("dream-unet", "cpu", [NONE_KNOWN, *CPU]),
    "cpu-known": ("dream-unet", "cpu", CPU),
}
"""Name → detector, preset, settings."""


def main() -> None:
    """Train and judge what has no JSON yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of a day set; its name says which")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[2020])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    given = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    for way in given.ways:
        detector, preset, settings = WAYS[way]
        for seed in given.seeds if detector == "dream-unet" else given.seeds[:1]:
            name = f"{given.data.name}-{way}-{seed}"
            result = RESULTS / f"{name}.json"
            if result.exists():
                print(f"{result} is there: left alone")
                continue
            run = given.runs / f"day-{name}"
            options = as_options([*settings, f"train.seed={seed}"])
            oddframe("train", str(given.data), "--out", str(run), "--preset", preset, "--detector", detector, *options)
            judge(run, result)
            print(f"wrote {result}", flush=True)


if __name__ == "__main__":
    main()
