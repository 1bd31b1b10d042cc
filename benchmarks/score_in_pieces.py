"""Scores one long video by one process, and in pieces by two.

    python benchmarks/score_in_pieces.py --minutes 8 --json benchmarks/results/score_in_pieces.json

Says how much faster two processes are than one, at one thread each, and whether their tables are the same. The video is
drawn by arithmetic; the detector is one of preset `tiny` after one epoch: neither speed nor equality depends on what it
has learned. Both ways start processes, load the detector, and draw the page: what one step more costs is in the figure.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import oddframe as odd
from oddframe.footage.folder import Asked, Means
from oddframe.footage.many import score_together
from oddframe.processes.engines import Where
from score_on_a_cluster import write_video

RATE = 25


def main() -> None:
    """Make the video, score it in both ways, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=8)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_video(home / "long.mp4", given.minutes * 60 * RATE, 1)
        write_video(home / "normal.mp4", 900, 2)
        fast = ["train.epochs=1", "data.least_heldout=1"]
        run = odd.train(home / "normal.mp4", out=home / "run", preset="tiny", overrides=fast)
        found = measure(run, home)
    print(json.dumps(found, indent=1))
    if given.json:
        command = f"python benchmarks/score_in_pieces.py --minutes {given.minutes}"
        given.json.write_text(json.dumps({"command": command, **found}, indent=1) + "\n", "utf-8")


def measure(run: odd.Run, home: Path) -> dict[str, Any]:
    """One process, and two."""
    seconds = {}
    for jobs in (1, 2):
        began = time.monotonic()
        ended = score_together(run, home / "long.mp4", Asked(), Means(), home / str(jobs), Where(jobs=jobs))
        seconds[jobs] = time.monotonic() - began
    tables = ("scores.csv", "events.csv", "scores.json")
    return {
        "frames": ended.summary.frames if ended.summary is not None else 0,
        "one_process_s": round(seconds[1], 1),
        "two_processes_s": round(seconds[2], 1),
        "speed_up": round(seconds[1] / seconds[2], 2),
        "tables_equal": all((home / "1" / one).read_bytes() == (home / "2" / one).read_bytes() for one in tables),
        "cores": len(os.sched_getaffinity(0)),
    }


if __name__ == "__main__":
    main()
