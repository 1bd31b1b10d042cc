"""How long it takes until something is seen: importing the package, and printing help.

    python benchmarks/start_up.py
    python benchmarks/start_up.py --json start_up.json

Fresh interpreters, taken in turn so that a busy moment hits all of them; the wish is under 0.3 s for the import and
under 0.5 s for help.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "import oddframe": ([sys.executable, "-c", "import oddframe"], 0.3),
    "oddframe --help": ([sys.executable, "-m", "oddframe", "--help"], 0.5),
    "oddframe train --help": ([sys.executable, "-m", "oddframe", "train", "--help"], 0.5),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, too")
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(given.repeats + 1):
        for name, (command, _) in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - began)
    figures = {}
    for name, (_, wanted) in COMMANDS.items():
        taken = sorted(seconds[name][1:])  # the first one also reads files from disk
        figures[name] = {
            "median_s": statistics.median(taken),
            "least_s": taken[0],
            "most_s": taken[-1],
            "wanted_s": wanted,
        }
        wish = "" if wanted is None else f"   wanted: under {wanted:g} s"
        print(f"{name:24} {statistics.median(taken):.3f} s   ({taken[0]:.3f} to {taken[-1]:.3f}){wish}")
    if given.json is not None:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
